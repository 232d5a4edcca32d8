"""Fees through the platform: a change and what it costs are one act, or neither."""

import time

import pytest
from msgspec.structs import replace
from onetier.v1 import service_desk_pb2 as pb

from charging.base.contract import Subscription
from charging.catalogue.offers import Fee, Offering
from charging.ledger.commands.set_contract import SetContract
from charging.ledger.dues import FeePosted
from charging.ledger.events import Booked
from testkit.front import A, B, Front, fault_of
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
        Fee("early", "20", kind="one_time", event="request"),
        Fee("ruin", "1000000", kind="one_time", event="request"),
    )
    more = (
        Offering("pack", kind="addon", fees=("entry", "fixed")),
        Offering("palace", kind="addon", fees=("dear",)),
        Offering("day", kind="addon", fees=("daily",)),
        Offering("year", kind="addon", minimum_months=12, early_end="early"),
        Offering("trap", kind="addon", minimum_months=12, early_end="ruin"),
        Offering("bound", kind="addon", minimum_months=12),
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


CLOSED = pb.SetAccountStatus(status="closed", reason="left")


async def joined(desk: Front, *offerings: str) -> None:
    """Let B join the account of A, with offerings."""
    contract = pb.Contract(identity=B, subscriptions=[pb.Subscription(offering="plan")])
    await desk.one(desk.execute(set_contract=pb.SetContract(contract=contract)))
    for offering in offerings:
        await desk.one(desk.execute(B, subscribe=pb.Subscribe(offering=offering)))


async def left(owner: OwnerInMemory) -> int:
    (book,) = owner.desk.accounts[A].books
    return book.amount


async def test_closing_gives_back_fees_and_takes_those_for_ending_early_in_one_entry(
    desk: Front, owner: OwnerInMemory
) -> None:
    for offering in ("pack", "year"):
        await desk.one(desk.execute(subscribe=pb.Subscribe(offering=offering)))
    before = await left(owner)
    told = (await desk.one(desk.execute(set_account_status=CLOSED))).command
    assert [moved.delta for moved in told.movements] == [await left(owner) - before]
    posted = [event.due for event in owner.desk.journals[A][-1].events if isinstance(event, FeePosted)]
    assert [(due.fee, due.charge.amount) for due in posted if not due.credit] == [("early", 20_000_000)]
    assert owner.desk.accounts[A].terms.status == "closed"


async def test_closing_ends_the_contracts_of_all_members_whoever_asks_and_pays_out_what_is_left(
    desk: Front, owner: OwnerInMemory
) -> None:
    await joined(desk, "year")
    await desk.one(desk.execute(subscribe=pb.Subscribe(offering="year")))
    before = await left(owner)
    wrong = pb.SetAccountStatus(status="closed", pay_out=before)
    assert fault_of(await desk.one(desk.execute(set_account_status=wrong))).facts["amount"] == str(before - 40_000_000)
    exact = pb.SetAccountStatus(status="closed", pay_out=before - 40_000_000)
    await desk.one(desk.execute(B, set_account_status=exact))
    events = owner.desk.journals[A][-1].events
    posted = [(event.due.identity, event.due.fee) for event in events if isinstance(event, FeePosted)]
    assert sorted(posted) == [(A, "early"), (B, "early")]
    assert isinstance(events[-1], Booked)
    assert await left(owner) == 0
    assert [owner.contracts[member].status for member in (A, B)] == ["ended", "ended"]


@pytest.mark.parametrize(("offering", "reason"), [("trap", "INSUFFICIENT_FUNDS"), ("bound", "MINIMUM_TERM")])
async def test_what_another_member_can_not_end_closes_nothing(
    desk: Front, owner: OwnerInMemory, offering: str, reason: str
) -> None:
    await joined(desk, offering)
    before = await left(owner)
    assert fault_of(await desk.one(desk.execute(set_account_status=CLOSED))).reason == reason
    assert (await left(owner), owner.desk.accounts[A].terms.status) == (before, "active")


async def test_a_contract_that_changed_behind_the_platform_is_rated_again_before_its_account_closes(
    desk: Front, owner: OwnerInMemory
) -> None:
    await joined(desk)
    await desk.one(desk.charge())
    await desk.one(desk.charge(B))
    held = owner.contracts[B]
    more = replace(held, subscriptions=(*held.subscriptions, Subscription("year", int(time.time() * 1000) - 1)))
    owner.desk.do(A, SetContract(more))
    owner.contracts[B] = replace(more, version=owner.desk.accounts[A].version)
    await desk.one(desk.execute(set_account_status=CLOSED))
    events = owner.desk.journals[A][-1].events
    assert [event.due.fee for event in events if isinstance(event, FeePosted)] == ["early"]


async def test_an_account_that_is_closed_by_its_id_pays_for_the_end_of_its_contract(
    desk: Front, owner: OwnerInMemory
) -> None:
    account_id = "GD/0:7"
    state, journals = owner.desk.accounts.pop(A), owner.desk.journals
    owner.desk.accounts[account_id] = replace(state, account_id=account_id)
    journals[account_id] = journals.pop(A)
    held = Subscription("year", int(time.time() * 1000) - 1)
    owner.contracts[A] = replace(owner.contracts[A], account_id=account_id, subscriptions=(held,))
    told = (await desk.one(desk.execute(f"account:{account_id}", set_account_status=CLOSED))).command
    assert [moved.delta for moved in told.movements] == [-20_000_000]


async def test_more_members_than_one_entry_ends_leave_first(desk: Front, owner: OwnerInMemory) -> None:
    account = owner.desk.accounts[A]
    others = tuple(f"msisdn:86139{number:08d}" for number in range(64))
    owner.desk.accounts[A] = replace(account, members=(A, *others))
    fault = fault_of(await desk.one(desk.execute(set_account_status=CLOSED)))
    assert (fault.reason, fault.facts) == ("CLOSING_TOO_LARGE", {"most": "64"})


async def test_what_the_end_of_one_contract_costs_can_be_asked_and_of_several(desk: Front) -> None:
    await desk.one(desk.execute(subscribe=pb.Subscribe(offering="year")))
    asked = desk.execute(set_account_status=CLOSED, request_type=pb.REQUEST_TYPE_QUOTE, request_key="")
    told = (await desk.one(asked)).preview
    assert [moved.delta for moved in told.movements] == [-20_000_000]
    await joined(desk, "year")
    told = (await desk.one(asked)).preview
    assert [(fee.identity, fee.fee, fee.amount) for fee in told.fees] == [
        (A, "early", 20_000_000),
        (B, "early", 20_000_000),
    ]
    assert [(each.identity, each.status) for each in told.contracts] == [(A, "ended"), (B, "ended")]
    by_the_other = (
        await desk.one(desk.execute(B, set_account_status=CLOSED, request_type=pb.REQUEST_TYPE_QUOTE, request_key=""))
    ).preview
    assert by_the_other.movements == told.movements
