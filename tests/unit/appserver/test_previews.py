"""What a command would do, asked before it is done: the same as what it then does, and nothing is kept of it."""

import pytest
from msgspec.structs import replace
from onetier.v1 import service_desk_pb2 as pb

from charging.catalogue.offers import Fee, Offering
from testkit.front import A, B, Front, fault_of
from testkit.owner import OwnerInMemory, catalogue

pytestmark = pytest.mark.timeout(30)


@pytest.fixture
async def desk(front: Front, owner: OwnerInMemory) -> Front:
    """A front end with the account of A: a bundle with an allowance is sold, which costs an entry of 5."""
    plain = catalogue(2)
    kept = [each for each in plain.offerings if each.id != "bundle"]
    bundle = Offering("bundle", services=("voice",), allowances=("minutes-100",), fees=("entry", "rent"))
    fees = (Fee("entry", "5", kind="one_time"), Fee("rent", "10", prorated=False))
    owner.publish(replace(plain, offerings=(*kept, bundle), fees=fees))
    await front.open()
    return front


async def preview(desk: Front, identity: str = A, **command: object) -> pb.ServiceReply:
    asked = desk.execute(identity, **command)
    asked.request_type = pb.REQUEST_TYPE_QUOTE
    asked.request_key = ""
    return await desk.one(asked)


async def test_a_preview_tells_fees_movements_and_the_contract_and_the_command_then_does_just_that(
    desk: Front, owner: OwnerInMemory
) -> None:
    entries = len(owner.desk.journals[A])
    told = (await preview(desk, subscribe=pb.Subscribe(offering="bundle"))).preview
    assert [(fee.fee, fee.amount, len(fee.steps) > 0) for fee in told.fees] == [
        ("entry", 5_000_000, True), ("rent", 10_000_000, True)
    ]  # fmt: skip
    assert (told.amount, told.currency, told.domain) == (15_000_000, "CNY", "GD")
    assert [held.offering for held in told.contracts[0].subscriptions] == ["plan", "bundle"]
    assert len(owner.desk.journals[A]) == entries
    order = pb.Subscribe(offering="bundle", expected_version=told.contract_version)
    done = (await desk.one(desk.execute(subscribe=order))).command
    assert list(done.movements) == list(told.movements)


async def test_what_was_shown_is_done_or_nothing(desk: Front) -> None:
    told = (await preview(desk, subscribe=pb.Subscribe(offering="bundle"))).preview
    await desk.one(desk.execute(subscribe=pb.Subscribe(offering="bundle")))
    late = pb.Unsubscribe(offering="bundle", expected_version=told.contract_version)
    assert fault_of(await desk.one(desk.execute(unsubscribe=late))).reason == "CONTRACT_CHANGED"


async def test_what_would_be_lost_of_an_allowance_is_told(desk: Front) -> None:
    await desk.one(desk.execute(subscribe=pb.Subscribe(offering="bundle")))
    await desk.one(desk.charge(quantity=600))
    (lost,) = (await preview(desk, unsubscribe=pb.Unsubscribe(offering="bundle"))).preview.lost
    assert (lost.allowance, lost.unit) == ("minutes-100", "second")
    assert lost.remaining in (6_000 - 600, 6_000)
    later = pb.Unsubscribe(offering="bundle", when="next_cycle")
    assert not (await preview(desk, unsubscribe=later)).preview.lost


async def test_what_would_be_refused_is_refused(desk: Front) -> None:
    for command, reason in (
        ({"unsubscribe": pb.Unsubscribe(offering="bundle")}, "NOT_SUBSCRIBED"),
        ({"subscribe": pb.Subscribe(offering="nought")}, "OFFERING_UNKNOWN"),
        ({"subscribe": pb.Subscribe(offering="bundle", expected_version=99)}, "CONTRACT_CHANGED"),
        ({"top_up": pb.TopUp(amount=-1)}, "TOP_UP_NOT_POSITIVE"),
        ({"refund": pb.Refund(charge_key="k", reason="r")}, "PREVIEW_IMPOSSIBLE"),
    ):
        assert fault_of(await preview(desk, **command)).reason == reason
    asked = desk.execute(subscribe=pb.Subscribe(offering="bundle"), request_type=pb.REQUEST_TYPE_QUOTE)
    assert fault_of(await desk.one(asked)).reason == "FIELD_WITHOUT_EFFECT"
    assert fault_of(await preview(desk, B, subscribe=pb.Subscribe(offering="bundle"))).reason == "IDENTITY_UNKNOWN"


async def test_any_command_on_an_account_can_be_asked_about(desk: Front) -> None:
    told = (await preview(desk, top_up=pb.TopUp(amount=7))).preview
    assert [moved.delta for moved in told.movements] == [7]
    assert not told.contracts
    told = (await preview(desk, set_account_status=pb.SetAccountStatus(status="closed"))).preview
    assert [contract.status for contract in told.contracts] == ["ended"]
