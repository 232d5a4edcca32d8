"""Members that join, accounts that get another customer, close onto another account, or open again."""

import time

import pytest
from msgspec.structs import replace
from onetier.v1 import service_desk_pb2 as pb

from charging.base.contract import Contract
from charging.base.due import Due
from charging.base.localtime import month_at
from charging.bills.taxtable import TaxTable
from charging.catalogue.document import Catalogue
from charging.catalogue.offers import Fee, Offering
from charging.errors import Refused
from charging.ledger.commands.propose import proposal_of
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.dues import Dues
from charging.ledger.ledger import seal
from charging.ledger.permission import Policy
from charging.rating.closing import closing_of
from testkit.front import A, B, Front, fault_of
from testkit.ledger import charge_of
from testkit.owner import OwnerInMemory, catalogue

pytestmark = pytest.mark.timeout(30)

DAY_MS = 86_400_000
ID = "GD/0:7"
BY_ID = f"account:{ID}"


def sold(version: int, past_days: int | None = None) -> Catalogue:
    """Give a catalogue in which joining with "line" costs 5, another customer 7 for each line."""
    plain = catalogue(version)
    fees = (
        Fee("entry", "5", kind="one_time"),
        Fee("papers", "7", kind="one_time", event="ownership"),
        Fee("bye", "9", kind="one_time", event="termination"),
    )
    more = (
        Offering("line", services=("voice",), fees=("entry", "papers")),
        Offering("rival", services=("voice",), excludes=("line",)),
        Offering("rarely", services=("voice",), begins_max=1, begins_period="month"),
        Offering("monthly", services=("voice",), fees=("bye",)),
        Offering("extra", kind="addon", requires=("palace",)),
        Offering("palace"),
        Offering("gone", effective_to="2020-01-01T00:00:00"),
    )
    found = replace(plain, offerings=(*plain.offerings, *more), fees=fees, quarantine_days=90, reopen_days=30)
    return replace(found, past_days=past_days, past_closed="refuse")


@pytest.fixture
async def desk(front: Front, owner: OwnerInMemory) -> Front:
    """A front end with the account of A."""
    owner.publish(sold(2))
    await front.open()
    return front


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def named(owner: OwnerInMemory) -> None:
    """Give the account of A an id, as a real owner does."""
    owner.desk.accounts[ID] = replace(owner.desk.accounts.pop(A), account_id=ID)
    owner.desk.journals[ID] = owner.desk.journals.pop(A)
    owner.contracts[A] = replace(owner.contracts[A], account_id=ID)


async def test_who_joins_is_told_the_cost_pays_it_in_the_same_act_and_is_charged_by_its_offering(
    desk: Front, owner: OwnerInMemory
) -> None:
    asked = desk.execute(join=pb.Join(member=B, offering="line", reason="son"))
    beforehand = pb.ServiceRequest()
    beforehand.CopyFrom(asked)
    beforehand.request_type, beforehand.request_key = pb.REQUEST_TYPE_QUOTE, ""
    told = (await desk.one(beforehand)).preview
    assert [(fee.identity, fee.fee, fee.amount) for fee in told.fees] == [(B, "entry", 5_000_000)]
    assert [(each.identity, each.status) for each in told.contracts] == [(B, "active")]
    assert owner.desk.accounts[A].members == (A,)
    done = (await desk.one(asked)).command
    assert [moved.delta for moved in done.movements] == [-5_000_000]
    assert owner.desk.accounts[A].members == (A, B)
    assert not (await desk.one(desk.charge(B, event_time_ms=now_ms() + 10))).HasField("error")
    (line,) = [
        line for line in (await desk.one(desk.query(view="history"))).history.lines if line.kind == "join"
    ]  # fmt: skip
    assert line.reason.startswith(f"contract of {B}: nothing → line (from ")
    assert line.reason.endswith("joined: son")


async def test_who_joins_from_a_date_on_belongs_to_the_account_at_once_and_uses_nothing_before(
    desk: Front, owner: OwnerInMemory
) -> None:
    date = now_ms() + 5 * DAY_MS
    await desk.one(desk.execute(join=pb.Join(member=B, offering="plan", from_ms=date)))
    assert owner.desk.accounts[A].members == (A, B)
    assert fault_of(await desk.one(desk.charge(B))).reason == "EVENT_BEFORE_CONTRACT"
    third = "msisdn:8613000000077"
    await desk.one(desk.execute(join=pb.Join(member=third, when="next_cycle")))
    assert owner.contracts[third].valid_from_ms > now_ms()


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (pb.Join(member=A), "MEMBER_KNOWN"),
        (pb.Join(member="nobody"), "IDENTITY_MALFORMED"),
        (pb.Join(member=BY_ID), "SUBSCRIBER_MISSING"),
        (pb.Join(member=B, offering="nought"), "OFFERING_UNKNOWN"),
        (pb.Join(member=B, offering="gone"), "OFFERING_NOT_SOLD"),
        (pb.Join(member=B, from_ms=1_000), "CHANGE_IN_PAST"),
        (pb.Join(member=B, from_ms=9, when="next_cycle"), "FIELD_WITHOUT_EFFECT"),
        (pb.Join(member=B, when="soon"), "WHEN_UNKNOWN"),
        (pb.Join(member=B, expected_version=99), "CONTRACT_CHANGED"),
    ],
)
async def test_who_can_not_join_is_told_why_and_nothing_moves(
    desk: Front, owner: OwnerInMemory, asked: pb.Join, reason: str
) -> None:
    before = owner.desk.accounts[A]
    assert fault_of(await desk.one(desk.execute(join=asked))).reason == reason
    assert owner.desk.accounts[A].members == before.members
    assert owner.desk.accounts[A].books == before.books


BAD = {
    "a stale version": ({"subscribe": pb.Subscribe(offering="bundle", expected_version=99)}, "CONTRACT_CHANGED"),
    "not sold to this customer": ({"subscribe": pb.Subscribe(offering="extra")}, "OFFERING_REQUIRES"),
    "not sold to anybody": ({"subscribe": pb.Subscribe(offering="gone")}, "OFFERING_NOT_SOLD"),
    "an excluded pair": ({"subscribe": pb.Subscribe(offering="rival")}, "OFFERING_EXCLUDED"),
    "in the past": ({"unsubscribe": pb.Unsubscribe(offering="line", at_ms=1_000)}, "CHANGE_IN_PAST"),
    "a number in quarantine": ({"join": pb.Join(member=B)}, "NUMBER_IN_QUARANTINE"),
    "a number of another account": ({"join": pb.Join(member="msisdn:8613000000088")}, "IDENTITY_TAKEN"),
}


@pytest.mark.parametrize("what", BAD)
async def test_each_bad_change_has_a_reason_of_its_own_and_nothing_moves(
    desk: Front, owner: OwnerInMemory, what: str
) -> None:
    await desk.open("msisdn:8613000000088")
    await desk.one(desk.execute(subscribe=pb.Subscribe(offering="line")))
    owner.contracts[B] = Contract(B, "GD/0:other", "GD", status="ended", rests_until_ms=now_ms() + DAY_MS)
    before, contract = owner.desk.accounts[A], owner.contracts[A]
    command, reason = BAD[what]
    assert fault_of(await desk.one(desk.execute(**command))).reason == reason  # type: ignore[arg-type]
    after = owner.desk.accounts[A]
    assert (after.members, after.books, owner.contracts[A]) == (before.members, before.books, contract)


async def test_a_change_in_a_period_that_was_billed_is_refused_and_nothing_moves(
    desk: Front, owner: OwnerInMemory
) -> None:
    await desk.one(desk.execute(subscribe=pb.Subscribe(offering="line")))
    account = owner.desk.accounts[A]
    month = month_at(account.terms.zone, account.terms.cycle_day, now_ms())
    within_ms = now_ms() - 2 * 3_600_000
    owner.desk.now_ms = now_ms() + 70 * DAY_MS
    for each in range(account.terms.closed + 1, month + 1):
        owner.desk.do(A, closing_of(owner.desk.accounts[A], TaxTable(coin=10_000), each, owner.desk.now_ms))
    owner.publish(sold(3, past_days=60))
    await desk.one(desk.execute(subscribe=pb.Subscribe(offering="rarely")))  # Its answer tells of the new catalogue.
    billed, contract = owner.desk.accounts[A], owner.contracts[A]
    assert billed.terms.closed == month
    for command, reason in (
        ({"unsubscribe": pb.Unsubscribe(offering="plan", at_ms=within_ms)}, "CHANGE_IN_CLOSED_PERIOD"),
        ({"subscribe": pb.Subscribe(offering="bundle", valid_from_ms=within_ms)}, "CHANGE_IN_CLOSED_PERIOD"),
        ({"pause": pb.Pause(from_ms=within_ms)}, "CHANGE_IN_CLOSED_PERIOD"),
        ({"join": pb.Join(member=B, offering="plan", from_ms=within_ms)}, "CHANGE_IN_PAST"),
    ):
        assert fault_of(await desk.one(desk.execute(**command))).reason == reason  # type: ignore[arg-type]
    assert (owner.desk.accounts[A].books, owner.contracts[A]) == (billed.books, contract)


def test_no_two_of_them_have_the_same_reason() -> None:
    assert len({reason for _, reason in BAD.values()}) == len(BAD)


async def test_a_member_of_another_account_leaves_it_first(desk: Front, owner: OwnerInMemory) -> None:
    await desk.open(B)
    assert fault_of(await desk.one(desk.execute(join=pb.Join(member=B)))).reason == "IDENTITY_TAKEN"


async def test_no_front_end_and_no_operator_writes_a_contract_whole_but_a_back_office_does() -> None:
    policy = Policy()
    for role in ("frontend", "operator"):
        with pytest.raises(Exception, match="set_contract"):
            policy.permit(role, "set_contract")
        assert policy.permit(role, "join").allows(10**12)
    assert policy.permit("backoffice/migration", "set_contract").allows(0)


async def test_another_customer_has_the_account_its_attributes_and_pays_what_the_offerings_ask_for_it(
    desk: Front, owner: OwnerInMemory
) -> None:
    await desk.one(desk.execute(join=pb.Join(member=B, offering="line")))
    asked = pb.TransferOwnership(customer_id="c-2", customer_attributes={"grade": "new"}, reason="sold")
    beforehand = desk.execute(transfer_ownership=asked, request_type=pb.REQUEST_TYPE_QUOTE, request_key="")
    told = (await desk.one(beforehand)).preview
    assert [(fee.identity, fee.fee, fee.amount) for fee in told.fees] == [(B, "papers", 7_000_000)]
    done = (await desk.one(desk.execute(transfer_ownership=asked))).command
    assert [moved.delta for moved in done.movements] == [-7_000_000]
    state = owner.desk.accounts[A]
    assert (state.customer_id, state.terms.customer_attributes) == ("c-2", {"grade": "new"})
    assert (await desk.one(desk.query(view="account"))).account.customer_id == "c-2"
    lines = (await desk.one(desk.query(view="history"))).history.lines
    (line,) = [line for line in lines if line.kind == "transfer_ownership"]
    assert line.reason.endswith("→ c-2: sold")
    assert [(term.term, term.after) for term in line.changes if term.term == "customer_id"] == [("customer_id", "c-2")]


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (pb.TransferOwnership(customer_id="c-2", from_customer_id="c-9"), "CUSTOMER_CHANGED"),
        (pb.TransferOwnership(customer_id="c-1"), "CUSTOMER_UNCHANGED"),
        (pb.TransferOwnership(), "NAME_MALFORMED"),
    ],
)
async def test_an_account_goes_to_another_customer_alone_and_from_the_one_that_was_meant(
    desk: Front, owner: OwnerInMemory, asked: pb.TransferOwnership, reason: str
) -> None:
    await desk.one(desk.execute(transfer_ownership=pb.TransferOwnership(customer_id="c-1")))
    assert fault_of(await desk.one(desk.execute(transfer_ownership=asked))).reason == reason
    assert owner.desk.accounts[A].customer_id == "c-1"


async def test_a_closed_account_opens_again_with_its_number_as_long_as_that_rests(
    desk: Front, owner: OwnerInMemory
) -> None:
    named(owner)
    again = pb.ReopenAccount(member=A, offering="line", reason="came back")
    assert fault_of(await desk.one(desk.execute(BY_ID, reopen_account=again))).reason == "ACCOUNT_NOT_CLOSED"
    await desk.one(desk.execute(BY_ID, set_account_status=pb.SetAccountStatus(status="closed", reason="left")))
    foreign = desk.execute(BY_ID, reopen_account=pb.ReopenAccount(member=B))
    assert fault_of(await desk.one(foreign)).reason == "NUMBER_NOT_KEPT"
    assert owner.desk.accounts[ID].terms.status == "closed"
    done = (await desk.one(desk.execute(BY_ID, reopen_account=again))).command
    assert [moved.delta for moved in done.movements] == [-5_000_000]
    state = owner.desk.accounts[ID]
    assert (state.terms.status, state.members, state.open.closed_ms) == ("active", (A,), 0)
    assert not (await desk.one(desk.charge(event_time_ms=now_ms() + 10))).HasField("error")


async def test_an_account_that_was_closed_too_long_ago_stays_closed(desk: Front, owner: OwnerInMemory) -> None:
    named(owner)
    await desk.one(desk.execute(BY_ID, set_account_status=pb.SetAccountStatus(status="closed")))
    state = owner.desk.accounts[ID]
    long_ago = now_ms() - 31 * DAY_MS
    owner.desk.accounts[ID] = replace(state, version=state.version + 1).with_open(closed_ms=long_ago)
    fault = fault_of(await desk.one(desk.execute(BY_ID, reopen_account=pb.ReopenAccount())))
    assert (fault.reason, fault.facts) == ("REOPENING_OVER", {"closed_ms": str(long_ago)})


async def test_a_number_that_was_released_early_is_no_longer_its_last_accounts(
    desk: Front, owner: OwnerInMemory
) -> None:
    named(owner)
    await desk.one(desk.execute(BY_ID, set_account_status=pb.SetAccountStatus(status="closed")))
    unsigned = desk.execute(BY_ID, release_number=pb.ReleaseNumber(number=A))
    assert fault_of(await desk.one(unsigned)).reason == "RELEASE_UNSIGNED"
    released = pb.ReleaseNumber(number=A, reason="a hospital wants it")
    await desk.one(desk.execute(BY_ID, actor="li", release_number=released))
    assert owner.contracts[A].rests_until_ms == 0
    again = desk.execute(BY_ID, actor="li", release_number=released)
    assert fault_of(await desk.one(again)).reason == "NUMBER_NOT_KEPT"
    back = desk.execute(BY_ID, reopen_account=pb.ReopenAccount(member=A))
    assert fault_of(await desk.one(back)).reason == "NUMBER_NOT_KEPT"
    lines = (await desk.one(desk.query(BY_ID, view="history"))).history.lines
    assert [(line.actor, line.reason) for line in lines if line.kind == "release_number" and line.account_version][
        -1:
    ] == [("li", f"{A} rests no longer: a hospital wants it")]


async def test_a_closing_that_waited_is_rated_anew_when_it_is_approved(desk: Front, owner: OwnerInMemory) -> None:
    await desk.one(desk.execute(subscribe=pb.Subscribe(offering="monthly")))
    closing = pb.SetAccountStatus(status="closed", reason="moves")
    asked = desk.execute(set_account_status=closing, request_type=pb.REQUEST_TYPE_QUOTE, request_key="")
    told = (await desk.one(asked)).preview
    assert [(fee.fee, fee.amount) for fee in told.fees] == [("bye", 9_000_000)]
    stale = Due(A, "monthly", "bye", "bye", now_ms(), now_ms() + 1, seal(charge_of(1)))
    waits = SetStatus("closed", "moves", dues=Dues((stale,), owner.desk.accounts[A].version))
    with pytest.raises(Refused, match="second principal"):
        owner.desk.do(A, proposal_of(waits), "waiting", "li", "operator/li")
    done = await desk.one(desk.execute(approve=pb.Approve(of_key="waiting", reason="seen")))
    assert not done.HasField("error"), done.error
    assert [moved.delta for moved in done.command.movements] == [-9_000_000]
    assert owner.desk.accounts[A].terms.status == "closed"


@pytest.mark.parametrize("way", ["leaves and joins", "leaves, joins, then subscribes", "closes and reopens"])
async def test_what_is_sold_once_a_month_is_not_sold_again_to_who_went_and_came_back(
    desk: Front, owner: OwnerInMemory, way: str
) -> None:
    named(owner)
    await desk.one(desk.execute(BY_ID, join=pb.Join(member=B, offering="rarely")))
    if way == "closes and reopens":
        await desk.one(desk.execute(BY_ID, set_account_status=pb.SetAccountStatus(status="closed", reason="left")))
        again = desk.execute(BY_ID, reopen_account=pb.ReopenAccount(member=B, offering="rarely"))
    else:
        assert not (await desk.one(desk.execute(B, leave=pb.Leave(reason="moves")))).HasField("error")
        again = desk.execute(BY_ID, join=pb.Join(member=B, offering="rarely"))
    if way == "leaves, joins, then subscribes":
        assert not (await desk.one(desk.execute(BY_ID, join=pb.Join(member=B)))).HasField("error")
        again = desk.execute(B, subscribe=pb.Subscribe(offering="rarely"))
    before = owner.desk.accounts[ID]
    assert fault_of(await desk.one(again)).reason == "TAKEN_TOO_OFTEN"
    assert owner.desk.accounts[ID] == before


async def test_what_another_member_took_counts_for_that_one_alone(desk: Front, owner: OwnerInMemory) -> None:
    await desk.one(desk.execute(join=pb.Join(member=B, offering="rarely")))
    await desk.one(desk.execute(B, leave=pb.Leave(reason="moves")))
    third = "msisdn:8613000000077"
    assert not (await desk.one(desk.execute(join=pb.Join(member=third, offering="rarely")))).HasField("error")
