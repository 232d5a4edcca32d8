"""Subscribe, unsubscribe and change of plan through the platform: moments, catalogue, stale contracts."""

import time

import pytest
from msgspec.structs import replace
from onetier.v1 import service_desk_pb2 as pb

from charging.base.localtime import LocalTime, next_cycle_ms
from charging.catalogue.document import Catalogue
from charging.catalogue.offers import Offering
from testkit.front import A, Front, fault_of
from testkit.owner import OwnerInMemory, catalogue

pytestmark = pytest.mark.timeout(30)

DAY_MS = 86_400_000


def sold() -> Catalogue:
    """Give a catalogue with rivals, a pack that needs one of them, and what is not sold any more, or not yet."""
    plain = catalogue(2)
    more = (
        Offering("rival", services=("voice", "sms"), excludes=("plan",)),
        Offering("pack", kind="addon", requires=("plan", "bundle"), allowances=("minutes-100",)),
        Offering("month", kind="addon", validity="30 d"),
        Offering("gone", effective_to="2020-01-01T00:00:00"),
        Offering("next", effective_from="2199-01-01T00:00:00"),
    )
    return replace(plain, offerings=(*plain.offerings, *more))


@pytest.fixture
async def desk(front: Front, owner: OwnerInMemory) -> Front:
    """A front end with the account of A, who holds "plan"."""
    owner.publish(sold())
    await front.open()
    return front


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def held(front: Front) -> dict[str, tuple[int, int]]:
    contract = (await front.one(front.query(view="contract"))).contract.contract
    return {each.offering: (each.valid_from_ms, each.valid_to_ms) for each in contract.subscriptions}


async def refused(front: Front, identity: str = A, **command: object) -> str:
    before = await held(front)
    fault = fault_of(await front.one(front.execute(identity, **command)))
    assert await held(front) == before
    return fault.reason


async def test_what_is_subscribed_is_charged_by_at_once_and_the_reply_tells_the_version(desk: Front) -> None:
    assert (await desk.one(desk.charge())).charge.amount == 200_000
    told = (await desk.one(desk.execute(subscribe=pb.Subscribe(offering="pack")))).command
    contract = (await desk.one(desk.query(view="contract"))).contract.contract
    assert told.account_version == contract.version
    assert (await desk.one(desk.charge(event_time_ms=now_ms() + 10))).charge.amount == 0
    await desk.one(desk.execute(unsubscribe=pb.Unsubscribe(offering="pack")))
    assert (await desk.one(desk.charge(event_time_ms=now_ms() + 10))).charge.amount == 200_000


async def test_a_plan_changes_at_the_next_cycle_in_one_act(desk: Front, owner: OwnerInMemory) -> None:
    border = next_cycle_ms(LocalTime("Asia/Shanghai"), now_ms(), owner.desk.accounts[A].terms.cycle_day)
    change = pb.ChangePlan(from_offering="plan", to_offering="rival", when="next_cycle")
    await desk.one(desk.execute(change_plan=change))
    assert await held(desk) == {"plan": (0, border), "rival": (border, 0)}
    entries = owner.desk.journals[A]
    assert [entry.kind for entry in entries[-1:]] == ["change_plan"]
    # Rivals don't meet: another offering may still be added beside the change that is ahead.
    await desk.one(desk.execute(subscribe=pb.Subscribe(offering="month")))
    assert set(await held(desk)) == {"plan", "rival", "month"}


async def test_an_end_at_the_next_cycle_or_at_a_date_keeps_the_offering_until_then(desk: Front) -> None:
    date = now_ms() + 5 * DAY_MS
    await desk.one(desk.execute(subscribe=pb.Subscribe(offering="pack", valid_from_ms=date)))
    assert (await held(desk))["pack"] == (date, 0)
    await desk.one(desk.execute(unsubscribe=pb.Unsubscribe(offering="pack", at_ms=date + DAY_MS)))
    assert (await held(desk))["pack"] == (date, date + DAY_MS)
    await desk.one(desk.execute(unsubscribe=pb.Unsubscribe(offering="pack", at_ms=date)))
    assert "pack" not in await held(desk)


async def test_an_offering_for_a_time_ends_by_itself(desk: Front) -> None:
    await desk.one(desk.execute(subscribe=pb.Subscribe(offering="month")))
    begins, ends = (await held(desk))["month"]
    assert ends - begins == 30 * DAY_MS
    assert await refused(desk, subscribe=pb.Subscribe(offering="month")) == "SUBSCRIBED_ALREADY"
    await desk.one(desk.execute(subscribe=pb.Subscribe(offering="month", valid_from_ms=ends)))


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ({"subscribe": pb.Subscribe(offering="nought")}, "OFFERING_UNKNOWN"),
        ({"subscribe": pb.Subscribe(offering="gone")}, "OFFERING_NOT_SOLD"),
        ({"subscribe": pb.Subscribe(offering="next")}, "OFFERING_NOT_SOLD"),
        ({"subscribe": pb.Subscribe(offering="rival")}, "OFFERING_EXCLUDED"),
        ({"subscribe": pb.Subscribe(offering="rival", when="next_cycle")}, "OFFERING_EXCLUDED"),
        ({"subscribe": pb.Subscribe(offering="plan")}, "SUBSCRIBED_ALREADY"),
        ({"subscribe": pb.Subscribe(offering="pack", valid_from_ms=1_000)}, "CHANGE_IN_PAST"),
        (
            {"subscribe": pb.Subscribe(offering="pack", valid_from_ms=9, when="next_cycle")},
            "FIELD_WITHOUT_EFFECT",
        ),
        ({"subscribe": pb.Subscribe(offering="pack", when="soon")}, "WHEN_UNKNOWN"),
        ({"subscribe": pb.Subscribe(offering="pack", valid_to_ms=1_000)}, "VALIDITY_OVER"),
        ({"subscribe": pb.Subscribe(offering="pack", expected_version=99)}, "CONTRACT_CHANGED"),
        ({"unsubscribe": pb.Unsubscribe(offering="pack")}, "NOT_SUBSCRIBED"),
        ({"unsubscribe": pb.Unsubscribe(offering="plan", at_ms=1_000)}, "CHANGE_IN_PAST"),
        ({"unsubscribe": pb.Unsubscribe(offering="plan", expected_version=99)}, "CONTRACT_CHANGED"),
        ({"change_plan": pb.ChangePlan(from_offering="pack", to_offering="rival")}, "NOT_SUBSCRIBED"),
        ({"change_plan": pb.ChangePlan(from_offering="plan", to_offering="pack")}, "OFFERING_REQUIRES"),
        ({"change_plan": pb.ChangePlan(from_offering="plan", to_offering="plan")}, "PLAN_UNCHANGED"),
        ({"change_plan": pb.ChangePlan(from_offering="plan", to_offering="rival", at_ms=9)}, "CHANGE_IN_PAST"),
    ],
)
async def test_what_can_not_be_has_a_reason_of_its_own_and_nothing_moves(
    desk: Front, command: dict[str, object], reason: str
) -> None:
    assert await refused(desk, **command) == reason


async def test_what_others_need_can_not_end(desk: Front) -> None:
    await desk.one(desk.execute(subscribe=pb.Subscribe(offering="pack")))
    assert await refused(desk, unsubscribe=pb.Unsubscribe(offering="plan")) == "OFFERING_REQUIRES"
    change = pb.ChangePlan(from_offering="plan", to_offering="rival", when="next_cycle")
    assert await refused(desk, change_plan=change) == "OFFERING_REQUIRES"


async def test_what_is_sold_no_more_can_still_end(desk: Front, owner: OwnerInMemory) -> None:
    plain = catalogue(3)
    owner.publish(replace(plain, offerings=tuple(each for each in plain.offerings if each.id != "plan")))
    await desk.one(desk.execute(unsubscribe=pb.Unsubscribe(offering="plan", when="next_cycle")))
    assert (await held(desk))["plan"][1] > now_ms()


async def test_a_repeat_gets_the_first_reply_though_the_contract_has_it_by_now(desk: Front) -> None:
    request = desk.execute(subscribe=pb.Subscribe(offering="pack"))
    first, again = (await desk.one(request)).command, (await desk.one(request)).command
    assert (first.repeated, again.repeated) == (False, True)
    assert again.account_version == first.account_version
    excluded = desk.execute(subscribe=pb.Subscribe(offering="rival"))
    assert fault_of(await desk.one(excluded)).reason == "OFFERING_EXCLUDED"
    await desk.one(desk.execute(unsubscribe=pb.Unsubscribe(offering="pack")))
    await desk.one(desk.execute(unsubscribe=pb.Unsubscribe(offering="plan")))
    assert not (await desk.one(excluded)).HasField("error")


async def test_a_platform_that_knows_an_older_contract_decides_on_the_newest(desk: Front, owner: OwnerInMemory) -> None:
    await desk.one(desk.charge())
    # Another platform was here meanwhile: it is the owner alone who knows.
    known = owner.contracts[A]
    other = replace(
        known, subscriptions=(replace(known.subscriptions[0], offering="bundle"),), version=known.version + 1
    )
    owner.contracts[A] = other
    assert not (await desk.one(desk.execute(subscribe=pb.Subscribe(offering="rival")))).HasField("error")
    assert set(await held(desk)) == {"bundle", "rival"}


async def test_a_number_that_left_its_account_opens_another(desk: Front, owner: OwnerInMemory) -> None:
    other = "msisdn:8613800000077"
    joins = pb.Contract(identity=other, subscriptions=[pb.Subscription(offering="plan")])
    await desk.one(desk.execute(set_contract=pb.SetContract(contract=joins)))
    assert fault_of(await desk.one(desk.opening(other))).reason == "IDENTITY_TAKEN"
    leaves = desk.execute(other, leave=pb.Leave(reason="moves"))
    first = (await desk.one(leaves)).command
    again = (await desk.one(leaves)).command
    assert (first.account_version, again.account_version, again.repeated) == (first.account_version,) * 2 + (True,)
    assert owner.desk.accounts[A].members == (A,)
    await desk.open(other)


async def test_an_account_by_its_id_has_no_contract(desk: Front) -> None:
    given = desk.execute("account:" + A, subscribe=pb.Subscribe(offering="pack"))
    assert fault_of(await desk.one(given)).reason in ("SUBSCRIBER_MISSING", "IDENTITY_MALFORMED")


async def test_the_catalogue_says_how_long_a_number_rests_that_is_let_go_or_changed(
    desk: Front, owner: OwnerInMemory
) -> None:
    owner.publish(replace(sold(), version=3, quarantine_days=90))
    asked = pb.ChangeIdentity(to_identity="msisdn:8613000000077", reason="lost")
    before = now_ms()
    await desk.one(desk.execute(change_identity=asked))
    old, new = owner.contracts[A], owner.contracts["msisdn:8613000000077"]
    assert before + 90 * DAY_MS <= old.rests_until_ms <= now_ms() + 90 * DAY_MS
    assert (old.status, new.status, new.subscriptions[0].offering) == ("ended", "active", "plan")
    assert (await desk.one(desk.charge("msisdn:8613000000077"))).charge.amount == 200_000
    assert fault_of(await desk.one(desk.charge(A))).reason == "IDENTITY_UNKNOWN"
    opening = pb.OpenAccount(account_id="other", payment_mode="prepaid", contract=pb.Contract(domain="GD"))
    refused = fault_of(await desk.one(desk.execute(A, open_account=opening)))
    assert refused.reason in ("NUMBER_IN_QUARANTINE", "ACCOUNT_EXISTS")


@pytest.mark.parametrize("to", [A, "nobody", "account:GD/0:1", ""])
async def test_a_number_is_changed_to_another_one_alone(desk: Front, to: str) -> None:
    fault = fault_of(await desk.one(desk.execute(change_identity=pb.ChangeIdentity(to_identity=to))))
    assert fault.reason in ("IDENTITY_UNCHANGED", "IDENTITY_MALFORMED", "SUBSCRIBER_MISSING"), to


async def test_a_number_rests_also_when_its_contract_is_set_to_its_end(desk: Front, owner: OwnerInMemory) -> None:
    owner.publish(replace(sold(), version=3, quarantine_days=90))
    ended = pb.Contract(identity=A, status="ended")
    await desk.one(desk.execute(set_contract=pb.SetContract(contract=ended)))
    assert owner.contracts[A].rests_until_ms > now_ms() + 89 * DAY_MS
