"""Changes of a contract from a moment in the past, through the platform: who may, how far back, what is told before."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace
from onetier.v1 import service_desk_pb2 as pb

from charging.base.localtime import LocalTime, month_at, next_cycle_ms
from charging.catalogue.offers import Fee, Offering
from charging.errors import Denied
from charging.ledger.kinds import ACTIONS
from charging.ledger.permission import NO_LIMIT, READS, Grant, Policy
from charging.ledger.revising import CHANGE_PAST, moment
from testkit.front import A, Front, fault_of
from testkit.owner import OwnerInMemory, catalogue

pytestmark = pytest.mark.timeout(30)

DAY_MS = 86_400_000
YUAN = 1_000_000
SHANGHAI = LocalTime("Asia/Shanghai")
DATED = ("subscribe", "unsubscribe", "change_plan", "pause", "resume")


@pytest.fixture
async def office(front: Front, owner: OwnerInMemory) -> Front:
    """A back office with the account of A; "line" costs 24 a month in whole, "trial" nothing for its first 300 days."""
    plain = catalogue(2)
    fees = (
        Fee("rent", "24", charged="advance", prorated=False),
        Fee("tried", "9", charged="advance", trial_days=300),
    )
    more = (Offering("line", services=("voice",), fees=("rent",)), Offering("trial", fees=("tried",)))
    owner.publish(replace(plain, offerings=(*plain.offerings, *more), fees=fees, past_days=92))
    await front.open()
    return front


def now_ms() -> int:
    return int(datetime.now(UTC).timestamp()) * 1000


def months_since(owner: OwnerInMemory, at_ms: int) -> int:
    terms = owner.desk.accounts[A].terms
    return month_at(terms.zone, terms.cycle_day, now_ms()) - month_at(terms.zone, terms.cycle_day, at_ms) + 1


async def test_what_was_forgotten_is_told_beforehand_and_then_charged_for_each_month_since(
    office: Front, owner: OwnerInMemory
) -> None:
    at_ms = now_ms() - 70 * DAY_MS
    change = pb.Subscribe(offering="line", valid_from_ms=at_ms)
    beforehand = office.execute(subscribe=change, request_type=pb.REQUEST_TYPE_QUOTE, request_key="")
    told = (await office.one(beforehand)).preview
    done = (await office.one(office.execute(subscribe=change))).command
    months = months_since(owner, at_ms)
    assert [fee.amount for fee in told.fees] == [24 * YUAN] * months
    assert told.amount == done.amount == months * 24 * YUAN
    assert list(told.notices) == list(done.notices) == [f"usage_not_rerated:{moment(at_ms)}"]
    back = (await office.one(office.execute(unsubscribe=pb.Unsubscribe(offering="line", at_ms=at_ms)))).command
    assert [row.valid_from_ms for row in owner.contracts[A].subscriptions if row.offering == "line"] == []
    assert back.amount == -(months - 1) * 24 * YUAN, "the month that was begun is paid in whole"


async def test_a_preview_tells_until_when_an_offering_is_tried_for_nothing(office: Front) -> None:
    change = pb.Subscribe(offering="trial")
    told = (
        await office.one(office.execute(subscribe=change, request_type=pb.REQUEST_TYPE_QUOTE, request_key=""))
    ).preview
    (fee,) = told.fees
    today = SHANGHAI.day(now_ms() // 1000)
    assert (fee.amount, fee.free_until_ms) == (0, SHANGHAI.day_begins(today + 300) * 1000)


async def test_what_was_used_since_stays_as_it_was_charged(office: Front, owner: OwnerInMemory) -> None:
    await office.one(office.charge())
    before = owner.desk.accounts[A].books[0].amount
    asked = pb.Pause(from_ms=now_ms() - DAY_MS, to_ms=now_ms() - DAY_MS // 2)
    await office.one(office.execute(pause=asked))
    assert owner.desk.accounts[A].books[0].amount == before
    during = fault_of(await office.one(office.charge(event_time_ms=now_ms() - DAY_MS * 3 // 4)))
    assert during.reason == "CONTRACT_SUSPENDED"


@pytest.mark.parametrize("days", [93, 400])
async def test_longer_ago_than_the_catalogue_says_nothing_changes(office: Front, days: int) -> None:
    asked = pb.Subscribe(offering="line", valid_from_ms=now_ms() - days * DAY_MS)
    refused = fault_of(await office.one(office.execute(subscribe=asked)))
    assert refused.reason == "CHANGE_TOO_FAR_BACK"


async def test_who_is_not_granted_it_changes_nothing_in_the_past(office: Front, owner: OwnerInMemory) -> None:
    owner.grants = (Grant("local", (*DATED, *READS), NO_LIMIT, NO_LIMIT),)
    owner.publish(replace(catalogue(3), past_days=92, offerings=(*catalogue(3).offerings, Offering("line"))))
    asked = pb.Subscribe(offering="line", valid_from_ms=now_ms() - DAY_MS)
    assert fault_of(await office.one(office.execute(subscribe=asked))).reason == "CHANGE_IN_PAST"
    ahead = pb.Subscribe(offering="line", valid_from_ms=next_cycle_ms(SHANGHAI, now_ms(), 1))
    assert not (await office.one(office.execute(subscribe=ahead))).HasField("error")


def test_a_back_office_alone_is_granted_changes_from_the_past_by_all_five_commands() -> None:
    policy = Policy()
    for role in ("frontend", "operator", "distributor"):
        with pytest.raises(Denied):
            policy.permit(role, CHANGE_PAST)
    assert policy.permit("backoffice/orders", CHANGE_PAST).allows(10**12)
    named = [kind.traits.permissions[0] for kind in ACTIONS if CHANGE_PAST in kind.traits.permissions]
    assert sorted(named) == sorted(DATED)
