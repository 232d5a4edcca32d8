"""A paused contract, or offering, through the platform: it refuses, grants nothing, and goes on when it is resumed."""

import time

import pytest
from msgspec.structs import replace
from onetier.v1 import service_desk_pb2 as pb

from charging.catalogue.offers import Fee, Offering
from testkit.front import A, Front, fault_of
from testkit.owner import OwnerInMemory, catalogue

pytestmark = pytest.mark.timeout(30)
DAY_MS = 86_400_000


@pytest.fixture
async def desk(front: Front, owner: OwnerInMemory) -> Front:
    """A front end with the account of A; a pack of minutes is sold that comes to its plan."""
    plain = catalogue(2)
    pack = Offering("pack", kind="addon", allowances=("minutes-100",))
    owner.publish(replace(plain, offerings=(*plain.offerings, pack)))
    await front.open()
    return front


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def unit(requested: int = 60, used: int = 0) -> pb.UnitUse:
    return pb.UnitUse(service_code="voice", requested=requested, used=used)


def step(desk: Front, operation: int, invocation: int, use: pb.UnitUse) -> pb.ServiceRequest:
    asked = pb.SessionRequest(session_id="s", operation=operation, invocation=invocation, units=[use])
    return desk.execute(session=asked)


async def test_a_paused_contract_refuses_until_it_is_resumed_and_what_was_of_the_pause_for_ever(desk: Front) -> None:
    before = now_ms() - 1_000
    await desk.one(desk.execute(pause=pb.Pause(reason="abroad")))
    late = now_ms()
    refused = fault_of(await desk.one(desk.charge()))
    assert (refused.reason, refused.facts["until_ms"]) == ("CONTRACT_SUSPENDED", "0")
    assert (await desk.one(desk.charge(event_time_ms=before))).charge.amount == 200_000
    await desk.one(desk.execute(resume=pb.Resume(reason="back")))
    assert (await desk.one(desk.charge(event_time_ms=now_ms() + 5))).charge.amount == 200_000
    assert fault_of(await desk.one(desk.charge(event_time_ms=late))).reason == "CONTRACT_SUSPENDED"
    kinds = [line.reason for line in (await desk.one(desk.query(view="history"))).history.lines]
    assert any("paused: abroad" in reason for reason in kinds)
    assert any("resumed: back" in reason for reason in kinds)


async def test_a_pause_of_another_platform_is_seen_and_so_is_its_end(desk: Front, owner: OwnerInMemory) -> None:
    await desk.one(desk.charge())
    contract = owner.contracts[A]
    owner.contracts[A] = replace(contract, paused_from_ms=now_ms() - 5, version=contract.version + 1)
    account = owner.desk.accounts[A]
    owner.desk.accounts[A] = replace(account, version=account.version + 1, terms_version=account.version + 1)
    assert fault_of(await desk.one(desk.charge())).reason == "CONTRACT_SUSPENDED"
    owner.contracts[A] = contract
    assert (await desk.one(desk.charge())).charge.amount == 200_000


async def test_a_session_that_is_open_is_charged_what_it_used_and_granted_nothing_more(desk: Front) -> None:
    create, update = pb.SessionRequest.OPERATION_CREATE, pb.SessionRequest.OPERATION_UPDATE
    assert (await desk.one(step(desk, create, 0, unit()))).session.grants[0].granted == 60
    await desk.one(desk.execute(pause=pb.Pause()))
    told = (await desk.one(step(desk, update, 1, unit(60, 60)))).session.grants[0]
    assert (told.granted, told.final_unit, told.charged) == (0, True, 200_000)
    asked = pb.SessionRequest(session_id="new", operation=create, invocation=0, units=[unit()])
    assert fault_of(await desk.one(desk.execute(session=asked))).reason == "CONTRACT_SUSPENDED"


async def test_quota_holds_no_longer_than_until_a_pause_that_is_ahead(desk: Front) -> None:
    begins = now_ms() + 60_000
    await desk.one(desk.execute(pause=pb.Pause(from_ms=begins, to_ms=begins + DAY_MS)))
    create = pb.SessionRequest.OPERATION_CREATE
    assert (await desk.one(step(desk, create, 0, unit()))).session.grants[0].valid_until_ms == begins
    assert (await desk.one(desk.charge())).charge.amount == 200_000
    quote = await desk.one(desk.quote(event_time_ms=now_ms()))
    assert quote.quote.amount == 200_000


async def test_one_offering_is_paused_and_the_rest_goes_on(desk: Front) -> None:
    await desk.one(desk.execute(subscribe=pb.Subscribe(offering="pack")))
    assert (await desk.one(desk.charge(event_time_ms=now_ms() + 2))).charge.amount == 0
    await desk.one(desk.execute(pause=pb.Pause(offering="pack")))
    assert (await desk.one(desk.charge(event_time_ms=now_ms() + 5))).charge.amount == 200_000
    twice = fault_of(await desk.one(desk.execute(pause=pb.Pause(offering="pack"))))
    assert twice.reason == "PAUSED_ALREADY"
    again = fault_of(await desk.one(desk.execute(subscribe=pb.Subscribe(offering="pack"))))
    assert again.reason == "SUBSCRIBED_ALREADY"
    await desk.one(desk.execute(resume=pb.Resume(offering="pack")))
    assert (await desk.one(desk.charge(event_time_ms=now_ms() + 5))).charge.amount == 0


async def test_what_is_not_paused_is_not_resumed_and_a_stale_version_pauses_nothing(desk: Front) -> None:
    for resume in (pb.Resume(), pb.Resume(offering="plan")):
        assert fault_of(await desk.one(desk.execute(resume=resume))).reason == "NOT_PAUSED"
    stale = pb.Pause(expected_version=77)
    assert fault_of(await desk.one(desk.execute(pause=stale))).reason == "CONTRACT_CHANGED"
    assert fault_of(await desk.one(desk.execute(pause=pb.Pause(offering="pack")))).reason == "NOT_SUBSCRIBED"
    past = pb.Pause(from_ms=now_ms() - DAY_MS)
    assert fault_of(await desk.one(desk.execute(pause=past))).reason == "CHANGE_IN_PAST"


async def test_a_contract_that_was_set_suspended_serves_nobody(desk: Front) -> None:
    contract = (await desk.one(desk.query(view="contract"))).contract.contract
    contract.status = "suspended"
    await desk.one(desk.execute(set_contract=pb.SetContract(contract=contract)))
    assert fault_of(await desk.one(desk.charge())).reason == "CONTRACT_SUSPENDED"


@pytest.fixture
async def bound(front: Front, owner: OwnerInMemory) -> Front:
    """A front end with the account of A; offerings are sold that are kept for two years, and one that costs to end."""
    plain = catalogue(2)
    fees = (Fee("early", "50", kind="one_time", event="request"), Fee("bye", "7", kind="one_time", event="termination"))
    more = (
        Offering("kept", kind="addon", minimum_months=24),
        Offering("early", kind="addon", minimum_months=24, early_end="early"),
        Offering("bye", kind="addon", fees=("bye",)),
    )
    owner.publish(replace(plain, offerings=(*plain.offerings, *more), fees=fees))
    await front.open()
    return front


async def paid(desk: Front, request: pb.ServiceRequest) -> int:
    told = (await desk.one(request)).command
    return -sum(moved.delta for moved in told.movements)


@pytest.mark.parametrize("pause", [pb.Pause(), pb.Pause(to_ms=now_ms() + 900 * DAY_MS)])
async def test_a_pause_is_no_way_around_a_minimum_term_or_its_fee(bound: Front, pause: pb.Pause) -> None:
    for offering in ("kept", "early"):
        await bound.one(bound.execute(subscribe=pb.Subscribe(offering=offering)))
        pause.offering = offering
        assert await paid(bound, bound.execute(pause=pause)) == 0
    refused = await bound.one(bound.execute(unsubscribe=pb.Unsubscribe(offering="kept")))
    assert fault_of(refused).reason == "MINIMUM_TERM"
    assert await paid(bound, bound.execute(unsubscribe=pb.Unsubscribe(offering="early"))) == 50_000_000


@pytest.mark.parametrize("begins_ms", [0, DAY_MS])
async def test_what_ends_in_or_before_its_pause_pays_the_fee_of_its_end_once(bound: Front, begins_ms: int) -> None:
    await bound.one(bound.execute(subscribe=pb.Subscribe(offering="bye")))
    from_ms = now_ms() + begins_ms if begins_ms else 0
    await bound.one(bound.execute(pause=pb.Pause(offering="bye", from_ms=from_ms, to_ms=now_ms() + 3 * DAY_MS)))
    assert await paid(bound, bound.execute(unsubscribe=pb.Unsubscribe(offering="bye"))) == 7_000_000


@pytest.mark.parametrize("at_ms", [253_402_300_800_000, 1 << 53, (1 << 63) - 1])
async def test_a_moment_beyond_the_calendar_is_refused_by_name(bound: Front, at_ms: int) -> None:
    for command in (
        {"subscribe": pb.Subscribe(offering="bye", valid_to_ms=at_ms)},
        {"unsubscribe": pb.Unsubscribe(offering="plan", at_ms=at_ms)},
        {"change_plan": pb.ChangePlan(from_offering="plan", to_offering="bundle", at_ms=at_ms)},
        {"pause": pb.Pause(from_ms=at_ms)},
        {"pause": pb.Pause(offering="plan", to_ms=at_ms)},
        {"resume": pb.Resume(at_ms=at_ms)},
        {"top_up": pb.TopUp(amount=5, valid_to_ms=at_ms)},
        {"set_contract": pb.SetContract(contract=pb.Contract(valid_to_ms=at_ms))},
    ):
        assert fault_of(await bound.one(bound.execute(**command))).reason == "VALIDITY_OVER"
