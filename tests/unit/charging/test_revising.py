"""Changes of what a contract subscribes to, as their owner decides them, and the borders of bill cycles."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from charging.base.contract import Contract, Subscription
from charging.base.localtime import LocalTime, next_cycle_ms
from charging.errors import Fault, Invalid, Refused
from charging.ledger import history
from charging.ledger.action import BaseAction
from charging.ledger.commands.change_plan import ChangePlan
from charging.ledger.commands.leave import Leave
from charging.ledger.commands.set_contract import SetContract
from charging.ledger.commands.subscribe import Subscribe
from charging.ledger.commands.unsubscribe import Unsubscribe
from charging.ledger.effect import VersionMoved
from charging.ledger.events import ContractSet
from charging.ledger.revising import PAST_MS_MAX, check_basis
from charging.rating.session_asks import UnitAsk
from testkit.ledger import START_MS, Desk

ALICE, BOB = "msisdn:8613000000001", "msisdn:8613000000002"
DAY_MS = 86_400_000
NOW_MS = START_MS


def holding(*held: Subscription, version: int = 1) -> Contract:
    return Contract(ALICE, ALICE, "GD", subscriptions=held, version=version)


def subscribe(before: Contract, offering: str = "pack", from_ms: int = NOW_MS, to_ms: int = 0) -> Subscribe:
    return Subscribe(offering, "now", from_ms, to_ms, {}, 0, 1, before)


def after(action: BaseAction, desk: Desk | None = None) -> tuple[Subscription, ...]:
    """Do it, and give what the contract then subscribes to."""
    there = desk or Desk()
    if ALICE not in there.accounts:
        there.open(ALICE, 100)
    there.do(ALICE, action)  # type: ignore[arg-type]
    (event,) = there.journals[ALICE][-1].events
    assert isinstance(event, ContractSet)
    assert event.contract.version == there.accounts[ALICE].version
    return event.contract.subscriptions


PLAN = Subscription("plan")


def test_an_offering_is_added_from_now_or_ahead_until_open_end_or_a_date() -> None:
    assert after(subscribe(holding(PLAN))) == (PLAN, Subscription("pack", NOW_MS))
    ahead = subscribe(holding(PLAN), from_ms=NOW_MS + DAY_MS, to_ms=NOW_MS + 2 * DAY_MS)
    assert after(ahead) == (PLAN, Subscription("pack", NOW_MS + DAY_MS, NOW_MS + 2 * DAY_MS))


@pytest.mark.parametrize(
    ("held", "begins", "ends", "refused"),
    [
        ((0, 0), 0, 0, True),
        ((0, 5), 5, 0, False),
        ((0, 5), 4, 0, True),
        ((7, 0), 2, 7, False),
        ((7, 0), 2, 8, True),
        ((7, 9), 2, 0, True),
        ((7, 9), 9, 0, False),
    ],
)
def test_one_offering_is_not_held_twice_at_a_time(held: tuple[int, int], begins: int, ends: int, refused: bool) -> None:
    def at(day: int) -> int:
        return NOW_MS + day * DAY_MS if day else 0

    pack = Subscription("pack", at(held[0]), at(held[1]))
    action = subscribe(holding(pack), from_ms=NOW_MS + begins * DAY_MS, to_ms=at(ends))
    if not refused:
        assert len(after(action)) == 2
        return
    with pytest.raises(Refused, match="already") as raised:
        after(action)
    assert raised.value.reason == "SUBSCRIBED_ALREADY"
    assert raised.value.facts == {"valid_from_ms": str(pack.valid_from_ms), "valid_to_ms": str(pack.valid_to_ms)}


def test_an_offering_ends_at_its_moment_and_one_that_has_not_begun_goes_wholly() -> None:
    later = Subscription("pack", NOW_MS + 9 * DAY_MS)
    over = Subscription("pack", 0, NOW_MS - DAY_MS)
    held = holding(PLAN, Subscription("pack", 0, NOW_MS + 8 * DAY_MS), later, over)
    end_ms = NOW_MS + DAY_MS
    kept = after(Unsubscribe("pack", "now", end_ms, 0, held))
    assert kept == (PLAN, Subscription("pack", 0, end_ms), over)


@pytest.mark.parametrize("held", [(), (Subscription("pack", 0, NOW_MS),), (Subscription("packs"),)])
def test_what_is_not_held_can_not_end(held: tuple[Subscription, ...]) -> None:
    for action in (
        Unsubscribe("pack", "now", NOW_MS, 0, holding(*held)),
        ChangePlan("pack", "rival", "now", NOW_MS, {}, 0, 1, 0, holding(*held)),
    ):
        with pytest.raises(Refused) as raised:
            after(action)
        assert raised.value.reason == "NOT_SUBSCRIBED"


def test_a_change_of_plan_leaves_no_gap_and_no_overlap() -> None:
    at_ms = NOW_MS + 3 * DAY_MS
    kept = after(ChangePlan("plan", "rival", "now", at_ms, {"colour": "red"}, 0, 1, 0, holding(PLAN)))
    assert kept == (Subscription("plan", 0, at_ms), Subscription("rival", at_ms, 0, {"colour": "red"}))
    moments = range(NOW_MS, NOW_MS + 6 * DAY_MS, DAY_MS // 4)
    assert all(sum(each.valid_at(moment) for each in kept) == 1 for moment in moments)


def test_a_change_of_plan_that_can_not_begin_the_new_one_ends_nothing() -> None:
    desk = Desk()
    desk.open(ALICE, 100)
    before = desk.accounts[ALICE]
    with pytest.raises(Refused) as raised:
        after(ChangePlan("plan", "rival", "now", NOW_MS, {}, 0, 1, 0, holding(PLAN, Subscription("rival"))), desk)
    assert raised.value.reason == "SUBSCRIBED_ALREADY"
    assert desk.accounts[ALICE] is before


@pytest.mark.parametrize("action", [
    lambda at: subscribe(holding(PLAN), from_ms=at),
    lambda at: Unsubscribe("plan", "now", at, 0, holding(PLAN)),
    lambda at: ChangePlan("plan", "rival", "now", at, {}, 0, 1, 0, holding(PLAN)),
])  # fmt: skip
def test_nothing_changes_in_the_past_but_for_the_minute_that_a_request_takes(action: object) -> None:
    assert callable(action)
    assert after(action(NOW_MS - PAST_MS_MAX))
    with pytest.raises(Refused) as raised:
        after(action(NOW_MS - PAST_MS_MAX - 1))
    assert (raised.value.reason, raised.value.facts) == ("CHANGE_IN_PAST", {"now_ms": str(NOW_MS)})


def test_an_end_before_the_beginning_is_refused_by_its_field() -> None:
    with pytest.raises(Invalid) as raised:
        after(subscribe(holding(PLAN), to_ms=NOW_MS - 1))
    assert (raised.value.reason, list(raised.value.fields)) == ("VALIDITY_OVER", ["subscribe.valid_to_ms"])


def test_a_change_is_decided_on_the_contract_that_the_owner_has() -> None:
    known = holding(PLAN, version=7)
    check_basis(subscribe(known), known)
    with pytest.raises(VersionMoved):
        check_basis(subscribe(holding(PLAN, version=6)), known)
    with pytest.raises(VersionMoved):
        check_basis(Subscribe("pack", "now", NOW_MS, 0, {}, 7, 1, holding(PLAN, version=6)), known)
    for version in (6, 8):
        with pytest.raises(Refused) as raised:
            check_basis(Subscribe("pack", "now", NOW_MS, 0, {}, version, 1, known), known)
        assert (raised.value.reason, raised.value.facts) == ("CONTRACT_CHANGED", {"version": "7"})


@pytest.mark.parametrize("before", [None, Contract(BOB, BOB, "GD"), Contract(BOB, ALICE, "GD")])
def test_a_change_without_a_member_of_the_account_is_not_done(before: Contract | None) -> None:
    with pytest.raises(Fault) as raised:
        after(Subscribe("pack", "now", NOW_MS, 0, {}, 0, 1, before))
    assert raised.value.reason in ("COMMAND_FAILED", "MEMBER_UNKNOWN")


def test_a_member_leaves_an_account_that_others_stay_in() -> None:
    desk = Desk()
    desk.open(ALICE, 100)
    known = Contract(BOB, ALICE, "GD", subscriptions=(PLAN,))
    desk.do(ALICE, SetContract(known))
    assert after(Leave("moves", 0, "", known), desk) == ()
    assert desk.accounts[ALICE].members == (ALICE,)
    assert history.line(desk.journals[ALICE][-1]).reason.endswith("plan (from the beginning) → nothing; left: moves")
    with pytest.raises(Refused) as raised:
        after(Leave("", 0, "", holding(PLAN)), desk)
    assert raised.value.reason == "MEMBER_LAST"


def test_a_member_does_not_leave_in_the_middle_of_a_session() -> None:
    desk = Desk()
    desk.open(ALICE, 100_000)
    desk.do(ALICE, SetContract(Contract(BOB, ALICE, "GD")))
    desk.do(ALICE, desk.plan(ALICE, "s-1", "create", 0, UnitAsk("data", 5, 0, START_MS)))
    with pytest.raises(Refused) as raised:
        after(Leave("", 0, "", holding(PLAN)), desk)
    assert (raised.value.reason, raised.value.facts) == ("SESSIONS_OPEN", {"open": "1"})
    assert after(Leave("", 0, "", Contract(BOB, ALICE, "GD")), desk) == ()


def test_the_history_tells_before_and_after() -> None:
    desk = Desk()
    after(ChangePlan("plan", "rival", "now", NOW_MS + DAY_MS, {}, 0, 1, 0, holding(PLAN)), desk)
    line = history.line(desk.journals[ALICE][-1])
    assert line.kind == "change_plan"
    assert line.reason == (
        f"contract of {ALICE}: plan (from the beginning) → plan (from the beginning until 2027-01-16T08:00:00Z), "
        "rival (from 2027-01-16T08:00:00Z)"
    )


@pytest.mark.parametrize(
    ("zone", "now", "cycle_day", "border"),
    [
        ("Asia/Shanghai", "2026-11-26T12:00:00", 1, "2026-12-01T00:00:00"),
        ("Asia/Shanghai", "2026-12-31T23:59:59", 1, "2027-01-01T00:00:00"),
        ("Asia/Shanghai", "2027-01-01T00:00:00", 1, "2027-02-01T00:00:00"),
        ("Asia/Shanghai", "2026-01-31T12:00:00", 28, "2026-02-28T00:00:00"),
        ("Asia/Shanghai", "2026-02-28T00:00:00", 28, "2026-03-28T00:00:00"),
        ("Asia/Shanghai", "2028-02-28T23:59:59", 1, "2028-03-01T00:00:00"),
        ("Asia/Shanghai", "2026-11-14T23:59:59", 15, "2026-11-15T00:00:00"),
        ("Asia/Shanghai", "2026-11-15T00:00:00", 15, "2026-12-15T00:00:00"),
        ("Asia/Urumqi", "2026-11-30T23:59:59", 1, "2026-12-01T00:00:00"),
        ("America/New_York", "2026-10-20T12:00:00", 1, "2026-11-01T00:00:00"),
        ("America/New_York", "2026-11-01T12:00:00", 1, "2026-12-01T00:00:00"),
        ("Africa/Cairo", "2026-04-20T12:00:00", 24, "2026-04-24T01:00:00"),
        ("America/Santiago", "2026-09-02T12:00:00", 6, "2026-09-06T01:00:00"),
        ("Pacific/Auckland", "2026-09-26T12:00:00", 27, "2026-09-27T00:00:00"),
    ],
)
def test_the_next_cycle_begins_on_its_day_by_the_clock_of_the_region(
    zone: str, now: str, cycle_day: int, border: str
) -> None:
    def at_ms(text: str) -> int:
        return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1000

    found = next_cycle_ms(LocalTime(zone), at_ms(now), cycle_day)
    assert found == at_ms(border)
    assert next_cycle_ms(LocalTime(zone), found - 1, cycle_day) == found
    assert next_cycle_ms(LocalTime(zone), found, cycle_day) > found
