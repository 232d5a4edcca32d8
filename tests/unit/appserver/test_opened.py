"""What an account is opened with: sold as `subscribe` sells and paid for in the same act, or brought as it was."""

import time

import pytest
from msgspec.structs import replace
from onetier.v1 import service_desk_pb2 as pb

from charging.base.account import Book
from charging.base.contract import Contract, Subscription
from charging.base.due import Due
from charging.catalogue.offers import Fee, Offering
from charging.errors import Denied, Refused
from charging.ledger.dues import Dues
from charging.ledger.ledger import seal
from charging.ledger.permission import NO_LIMIT, READS, Grant, Policy
from testkit.front import A, B, Front, fault_of
from testkit.ledger import Desk, charge_of, opening
from testkit.owner import OwnerInMemory, catalogue

pytestmark = pytest.mark.timeout(30)

DAY_MS = 86_400_000
YUAN = 1_000_000


@pytest.fixture
def sold(owner: OwnerInMemory) -> OwnerInMemory:
    """An owner where "line" costs 5 as it is taken, is kept for 24 months; "week" lasts for seven days."""
    plain = catalogue(2)
    more = (
        Offering("line", services=("voice",), fees=("entry",), minimum_months=24),
        Offering("rival", services=("voice",), excludes=("line",)),
        Offering("week", kind="addon", validity="7d"),
        Offering("gone", effective_to="2020-01-01T00:00:00"),
    )
    owner.publish(replace(plain, offerings=(*plain.offerings, *more), fees=(Fee("entry", "5", kind="one_time"),)))
    return owner


@pytest.fixture
async def hall(front: Front, sold: OwnerInMemory) -> Front:
    """A front end that may sell, and bring nothing from elsewhere."""
    sold.grants = (Grant("local", ("open_account", "subscribe", "unsubscribe", *READS), NO_LIMIT, NO_LIMIT),)
    return front


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def asked(front: Front, *held: pb.Subscription, money: int = 100, identity: str = A) -> pb.ServiceRequest:
    contract = pb.Contract(domain="GD", subscriptions=held)
    books = [pb.BalanceBook(book_id="main", amount=money * YUAN)]
    opened = pb.OpenAccount(payment_mode="prepaid", contract=contract, books=books)
    return front.execute(identity, open_account=opened)


async def test_what_begins_with_the_account_begins_now_and_is_paid_for_in_the_same_act(
    hall: Front, sold: OwnerInMemory
) -> None:
    reply = await hall.one(asked(hall, pb.Subscription(offering="line"), pb.Subscription(offering="week")))
    assert not reply.HasField("error"), reply.error
    assert sold.desk.accounts[A].books[0].amount == 95 * YUAN
    line, week = sold.contracts[A].subscriptions
    assert abs(line.valid_from_ms - now_ms()) < 20_000
    assert week.valid_to_ms - week.valid_from_ms == 7 * DAY_MS
    (entry,) = sold.desk.journals[A]
    assert [type(event).__name__ for event in entry.events] == ["Opened", "ContractSet", "FeePosted"]


async def test_who_cannot_pay_opens_nothing(hall: Front, sold: OwnerInMemory) -> None:
    reply = await hall.one(asked(hall, pb.Subscription(offering="line"), money=4))
    assert fault_of(reply).reason == "INSUFFICIENT_FUNDS"
    assert A not in sold.desk.accounts


def test_money_that_the_fees_of_an_opening_take_at_once_is_no_gift_and_needs_no_limit() -> None:
    fees = Dues((Due(A, "line", "entry", "entry", 0, 0, seal(charge_of(5 * YUAN))),))
    for money, stake in ((5, 0), (4, 0), (7, 2)):
        action = replace(opening(A, money * YUAN), dues=fees)
        assert action.at_stake() == stake * YUAN
        assert Policy().permit("frontend/hall", "open_account").allows(action.at_stake()) == (stake == 0)
    credit = replace(opening(A, 5 * YUAN), dues=fees, credit_limit=1)
    assert credit.at_stake() == 1
    units = replace(opening(A), dues=fees, books=(Book("gift", "byte", 5 * YUAN),))
    assert units.at_stake() == 5 * YUAN, "units pay for no fee"


async def test_what_begins_later_is_paid_for_when_it_does(hall: Front, sold: OwnerInMemory) -> None:
    later = pb.Subscription(offering="line", valid_from_ms=now_ms() + DAY_MS)
    assert not (await hall.one(asked(hall, later))).HasField("error")
    assert sold.desk.accounts[A].books[0].amount == 100 * YUAN
    assert [each.first_fees for each in sold.contracts[A].subscriptions] == ["activation"]


@pytest.mark.parametrize(
    "past",
    [
        {"valid_from_ms": 1_500_000_000_000},
        {"since_ms": 1_500_000_000_000},
        {"paused": True},
    ],
    ids=str,
)
async def test_a_front_end_brings_no_past(hall: Front, sold: OwnerInMemory, past: dict[str, int]) -> None:
    reply = await hall.one(asked(hall, pb.Subscription(offering="line", **past)))
    assert fault_of(reply).reason == "OPENED_IN_PAST"
    assert A not in sold.desk.accounts


async def test_whoever_is_granted_it_brings_the_past_as_it_was_and_no_fee_is_posted(
    front: Front, sold: OwnerInMemory
) -> None:
    served = pb.Subscription(offering="line", valid_from_ms=1_500_000_000_000)
    assert not (await front.one(asked(front, served))).HasField("error")
    assert sold.desk.accounts[A].books[0].amount == 100 * YUAN
    assert not (await front.one(asked(front, pb.Subscription(offering="line"), identity=B))).HasField("error")
    assert sold.contracts[B].subscriptions == (Subscription("line"),)
    mixed = asked(front, served, pb.Subscription(offering="rival", valid_from_ms=now_ms()), identity="13000000077")
    assert fault_of(await front.one(mixed)).reason == "OFFERING_EXCLUDED"


@pytest.mark.parametrize(
    ("held", "reason"),
    [
        (("line", "rival"), "OFFERING_EXCLUDED"),
        (("gone",), "OFFERING_NOT_SOLD"),
        (("line", "line"), "SUBSCRIBED_ALREADY"),
        (("palace",), "OFFERING_UNKNOWN"),
    ],
)
async def test_what_is_opened_is_sold_as_it_is_sold_to_subscribers(
    hall: Front, sold: OwnerInMemory, held: tuple[str, ...], reason: str
) -> None:
    reply = await hall.one(asked(hall, *[pb.Subscription(offering=each) for each in held]))
    assert fault_of(reply).reason == reason
    assert A not in sold.desk.accounts


async def test_a_minimum_term_begins_with_the_account(hall: Front) -> None:
    await hall.one(asked(hall, pb.Subscription(offering="line")))
    reply = await hall.one(hall.execute(unsubscribe=pb.Unsubscribe(offering="line")))
    assert fault_of(reply).reason == "MINIMUM_TERM"


def test_the_owner_believes_no_platform_that_something_began_before() -> None:
    desk, told = Desk(), opening(A, 100)
    assert told.carried
    with pytest.raises(Refused, match="would have begun") as caught:
        desk.do(A, replace(told, carried=False))
    assert caught.value.reason == "OPENED_IN_PAST"
    ahead = Contract(A, A, "GD", subscriptions=(Subscription("plan", 1 << 42),))
    desk.do(A, replace(told, carried=False, contract=ahead))


def test_the_past_is_brought_by_back_offices_alone() -> None:
    assert opening(A).permission() == "open_account_past"
    assert replace(opening(A), carried=False).permission() == "open_account"
    policy = Policy()
    for role in ("frontend", "operator"):
        assert policy.permit(role, "open_account").allows(0)
        with pytest.raises(Denied):
            policy.permit(role, "open_account_past")
    assert policy.permit("backoffice/migration", "open_account_past").allows(0)
