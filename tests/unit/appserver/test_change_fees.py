"""Fees through the platform: a change and what it costs are one act, or neither."""

import pytest
from msgspec.structs import replace
from onetier.v1 import service_desk_pb2 as pb

from charging.catalogue.offers import Fee, Offering
from testkit.front import Front, fault_of
from testkit.owner import OwnerInMemory, catalogue

pytestmark = pytest.mark.timeout(30)


@pytest.fixture
async def desk(front: Front, owner: OwnerInMemory) -> Front:
    """A front end with the account of A, whose money pays an entry of 5 and a fixed fee of 10, not one of a million."""
    plain = catalogue(2)
    fees = (
        Fee("entry", "5", kind="one_time"),
        Fee("fixed", "10", prorated=False),
        Fee("dear", "1000000"),
        Fee("daily", "3", period="day"),
    )
    more = (
        Offering("pack", kind="addon", fees=("entry", "fixed")),
        Offering("palace", kind="addon", fees=("dear",)),
        Offering("day", kind="addon", fees=("daily",)),
    )
    owner.publish(replace(plain, offerings=(*plain.offerings, *more), fees=fees))
    await front.open()
    return front


async def real(desk: Front) -> int:
    return (await desk.one(desk.query(view="balance"))).balance.real


async def test_subscribing_costs_its_entry_and_its_first_period_in_the_same_act(desk: Front) -> None:
    before = await real(desk)
    told = (await desk.one(desk.execute(subscribe=pb.Subscribe(offering="pack")))).command
    assert [moved.delta for moved in told.movements] == [-15_000_000]
    assert await real(desk) == before - 15_000_000
    (line,) = [
        line for line in (await desk.one(desk.query(view="history", explain=True))).history.lines
        if line.kind == "subscribe"
    ]  # fmt: skip
    assert line.amount == 15_000_000
    assert [step.rule for step in line.steps if step.kind == "fee"] == ["entry", "fixed"]


async def test_what_can_not_be_paid_is_not_subscribed(desk: Front) -> None:
    fault = fault_of(await desk.one(desk.execute(subscribe=pb.Subscribe(offering="palace"))))
    assert fault.reason == "INSUFFICIENT_FUNDS"
    contract = (await desk.one(desk.query(view="contract"))).contract.contract
    assert [held.offering for held in contract.subscriptions] == ["plan"]


async def test_what_was_ended_and_is_taken_again_on_one_day_is_paid_once(desk: Front) -> None:
    before = await real(desk)
    for _ in range(2):
        await desk.one(desk.execute(subscribe=pb.Subscribe(offering="day")))
        await desk.one(desk.execute(unsubscribe=pb.Unsubscribe(offering="day")))
    assert before - await real(desk) in (3_000_000, 6_000_000)  # Six, if it was midnight meanwhile.
