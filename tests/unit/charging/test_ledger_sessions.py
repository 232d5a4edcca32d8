"""Charging sessions after TS 32.290: quota, invocations, expiry, final units; a session costs what one piece would."""

import msgspec
import pytest
from msgspec.structs import replace

from charging.base.account import MONEY, Account, Book
from charging.base.bounds import SESSIONS_MAX
from charging.errors import Invalid, NotFound, Refused
from charging.ledger import ledger
from charging.ledger.command import Command
from charging.ledger.commands.adjust import Adjust
from charging.ledger.commands.expire_session import ExpireSession
from charging.ledger.commands.send_transfer import SendTransfer
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.commands.step_session import SessionUnit, StepSession
from charging.ledger.commands.top_up import TopUp
from charging.ledger.effect import VersionMoved
from charging.ledger.own import due_sessions, expire_command
from charging.wire import pack
from testkit.ledger import DAY_MS, START_MS, Desk, charge_of, post
from tests.unit.charging.session_steps import ID, OTHER, ask, outcome, step, view


def test_quota_is_kept_use_is_charged_and_the_unused_returns() -> None:
    desk = Desk()
    desk.open(ID, 1_000)
    grant = outcome(step(desk, "create", 0, ask(30))).grants[0]
    assert (grant.granted, grant.final_unit, grant.valid_until_ms) == (30, False, START_MS + 60_000)
    assert view(desk.accounts[ID]) == (1_000, 300, 700)
    done = step(desk, "update", 1, ask(30, used=20))
    assert (done.amount, outcome(done).grants[0].charged) == (200, 200)
    assert view(desk.accounts[ID]) == (800, 300, 500)
    done = step(desk, "release", 2, ask(0, used=5))
    assert (done.amount, outcome(done).grants[0].charged, outcome(done).grants[0].granted) == (50, 250, 0)
    assert view(desk.accounts[ID]) == (750, 0, 750)
    assert desk.accounts[ID].open.sessions == ()


def test_several_services_live_in_one_session_and_end_together() -> None:
    desk = Desk()
    desk.open(ID, 1_000)
    step(desk, "create", 0, ask(10), ask(20, service="data"))
    assert view(desk.accounts[ID]) == (1_000, 300, 700)
    step(desk, "update", 1, ask(10, used=10))
    assert view(desk.accounts[ID]) == (900, 300, 600)
    done = step(desk, "release", 2, ask(0, used=7, service="data"))
    assert {grant.service: grant.charged for grant in outcome(done).grants} == {"voice": 100, "data": 70}
    assert view(desk.accounts[ID]) == (830, 0, 830)


def test_parallel_sessions_never_overspend_and_reserved_money_is_out_of_everyones_reach() -> None:
    desk = Desk()
    desk.open(ID, 1_005)
    desk.open(OTHER)
    granted = 0
    for number in range(4):
        granted += (
            outcome(step(desk, "create", 0, ask(40), session=f"s{number}")).grants[0].granted if number < 3 else 0
        )
    assert (granted, view(desk.accounts[ID])) == (100, (1_005, 1_000, 5))
    with pytest.raises(Refused):
        step(desk, "create", 0, ask(40), session="s3")
    for action in (
        post(desk.accounts[ID], charge_of(6)),
        SendTransfer("", OTHER, "", 6, ""),
        Adjust("", -6, "slip"),
    ):
        with pytest.raises(Refused) as refusal:
            desk.do(ID, action, actor="clerk-7")
        assert refusal.value.reason == "INSUFFICIENT_FUNDS"
    desk.do(ID, post(desk.accounts[ID], charge_of(5)))
    for number, used in enumerate((40, 40, 20)):
        step(desk, "release", 1, ask(0, used=used), session=f"s{number}")
    assert view(desk.accounts[ID]) == (0, 0, 0)


def test_allowances_kept_by_one_session_count_as_taken_for_the_others() -> None:
    desk = Desk()
    desk.open(ID, 1_000)
    step(desk, "create", 0, ask(60), session="a", free=100)
    assert view(desk.accounts[ID]) == (1_000, 0, 1_000)
    step(desk, "create", 0, ask(60), session="b", free=100)
    assert view(desk.accounts[ID]) == (1_000, 200, 800)
    step(desk, "release", 1, ask(0, used=10), session="a", free=100)
    step(desk, "release", 1, ask(0, used=60), session="b", free=100)
    assert view(desk.accounts[ID]) == (1_000, 0, 1_000)


def test_use_beyond_the_grant_takes_what_there_is_and_tells_the_shortfall() -> None:
    desk = Desk()
    desk.open(ID, 105)
    step(desk, "create", 0, ask(5))
    done = step(desk, "update", 1, ask(5, used=20))
    assert (done.amount, done.notices, outcome(done).grants[0].granted) == (105, ("shortfall:voice",), 0)
    desk.do(ID, TopUp("", "", 200, 0, 0, "", "deposit"))
    done = step(desk, "release", 2, ask(0, used=0))
    assert (done.amount, done.notices, outcome(done).grants[0].charged) == (95, (), 200)
    assert view(desk.accounts[ID]) == (105, 0, 105)


def test_a_repeated_invocation_gets_the_same_outcome_under_any_key() -> None:
    desk = Desk()
    desk.open(ID, 1_000)
    step(desk, "create", 0, ask(10))
    first = step(desk, "update", 1, ask(10, used=10))
    state = desk.accounts[ID]
    again = step(desk, "update", 1, ask(10, used=10))
    assert (again.detail, again.repeated, again.movements) == (first.detail, True, ())
    assert desk.accounts[ID] is state
    released = step(desk, "release", 2, ask(0, used=1))
    assert step(desk, "release", 2, ask(0, used=1)).detail == released.detail
    assert view(desk.accounts[ID]) == (890, 0, 890)


def test_steps_out_of_order_are_told_apart() -> None:
    desk = Desk()
    desk.open(ID, 1_000)
    for number, operation in enumerate(("create", "update", "update")):
        step(desk, operation, number, ask(10))
    state = desk.accounts[ID]
    with pytest.raises(Refused) as refusal:
        step(desk, "update", 1, ask(10, used=10))
    assert refusal.value.reason == "INVOCATION_OUT_OF_ORDER"
    with pytest.raises(Invalid) as fault:
        step(desk, "update", 4, ask(10, used=10))
    assert fault.value.reason == "INVOCATION_AHEAD"
    with pytest.raises(Refused) as refusal:
        step(desk, "create", 3, ask(10))
    assert refusal.value.reason == "SESSION_EXISTS"
    assert desk.accounts[ID] == state


def test_after_the_end_each_step_has_its_reason() -> None:
    desk = Desk()
    desk.open(ID, 1_000)
    for operation in ("update", "release"):
        with pytest.raises(NotFound) as unknown:
            step(desk, operation, 1, ask(10))
        assert unknown.value.reason == "SESSION_UNKNOWN"
    step(desk, "create", 0, ask(10))
    step(desk, "release", 1, ask(0, used=10))
    state = desk.accounts[ID]
    for operation, reason in (
        ("release", "SESSION_RELEASED_ALREADY"),
        ("update", "SESSION_RELEASED"),
        ("create", "SESSION_ID_USED"),
    ):
        with pytest.raises(Refused) as refusal:
            step(desk, operation, 2, ask(10, used=10))
        assert refusal.value.reason == reason
    assert desk.accounts[ID] == state


def test_a_session_ends_by_itself_and_keeps_what_was_used() -> None:
    desk = Desk()
    desk.open(ID, 1_000)
    step(desk, "create", 0, ask(30))
    step(desk, "update", 1, ask(30, used=10))
    desk.now_ms += 59_999
    assert due_sessions(desk.accounts[ID], desk.now_ms) == ()
    early = expire_command(desk.accounts[ID], desk.accounts[ID].open.sessions[0], desk.now_ms)
    with pytest.raises(Invalid, match="valid until"):
        desk.commit(early)
    desk.now_ms += 1
    (due,) = due_sessions(desk.accounts[ID], desk.now_ms)
    desk.commit(expire_command(desk.accounts[ID], due, desk.now_ms))
    assert view(desk.accounts[ID]) == (900, 0, 900)
    desk.crash()
    assert view(desk.accounts[ID]) == (900, 0, 900)
    with pytest.raises(Refused) as refusal:
        step(desk, "update", 2, ask(30, used=10))
    assert refusal.value.reason == "SESSION_EXPIRED"
    with pytest.raises(NotFound):
        desk.do(ID, ExpireSession("s", due.valid_until_ms))


def test_a_renewed_session_does_not_expire_at_its_old_end() -> None:
    desk = Desk()
    desk.open(ID, 1_000)
    step(desk, "create", 0, ask(30))
    old = desk.accounts[ID].open.sessions[0]
    desk.now_ms += 60_000
    step(desk, "update", 1, ask(30, used=1))
    with pytest.raises(Invalid, match="valid until"):
        desk.commit(expire_command(desk.accounts[ID], old, desk.now_ms))


def test_a_suspended_account_gets_no_grant_but_reports_its_use() -> None:
    desk = Desk()
    desk.open(ID, 1_000)
    step(desk, "create", 0, ask(30))
    granting = desk.plan(ID, "s", "update", 1, ask(30, used=10))
    desk.do(ID, SetStatus("suspended", "lost"))
    account = desk.accounts[ID]
    with pytest.raises(Refused) as refusal:
        desk.do(ID, replace(granting, base_version=account.version, base_mark=account.mark))
    assert refusal.value.reason == "ACCOUNT_SUSPENDED"
    with pytest.raises(Refused) as refusal:
        step(desk, "create", 0, ask(30), session="other")
    assert refusal.value.reason == "ACCOUNT_SUSPENDED"
    grant = outcome(step(desk, "update", 1, ask(30, used=10))).grants[0]
    assert (grant.granted, grant.final_unit, grant.charged) == (0, True, 100)
    step(desk, "release", 2, ask(0, used=1))
    assert view(desk.accounts[ID]) == (890, 0, 890)


def test_a_step_planned_on_another_state_is_stale() -> None:
    desk = Desk()
    desk.open(ID, 1_000)
    planned = desk.plan(ID, "s", "create", 0, ask(30))
    desk.do(ID, post(desk.accounts[ID], charge_of(1)))
    with pytest.raises(VersionMoved):
        desk.do(ID, planned)


def test_a_pack_of_units_is_kept_and_used_like_money() -> None:
    desk = Desk()
    account = desk.open(ID, 0, books=(Book("pack", "second", 100),))

    def unit(used: int, granted: int) -> StepSession:
        plan = desk.plan(ID, "s", "create" if not desk.accounts[ID].open.sessions else "release", int(used > 0))
        charge = ledger.seal(charge_of(0, takes=(("pack", used),) if used else ()))
        quota = ledger.seal(charge_of(0, takes=(("pack", used + granted),)))
        usage = replace(post(account, charge_of(0)).usage, quantity=used)
        return replace(plan, units=(SessionUnit(usage, charge, granted, quota if granted else None, False, "", 0),))

    desk.do(ID, unit(0, 60))
    assert next(book.reserved for book in desk.accounts[ID].books if book.book_id == "pack") == 60
    assert next(book.amount for book in ledger.available_view(desk.accounts[ID]).books if book.unit == "second") == 40
    desk.do(ID, unit(45, 0))
    pack_book = next(book for book in desk.accounts[ID].books if book.book_id == "pack")
    assert (pack_book.amount, pack_book.reserved) == (55, 0)


def test_a_book_that_ends_in_a_session_is_held_until_the_session_ends() -> None:
    desk = Desk()
    desk.open(ID, 0, books=(Book("gift", MONEY, 100, priority=1, valid_to_ms=START_MS + 1),))
    step(desk, "create", 0, ask(5))
    step(desk, "update", 1, ask(5, used=5))
    desk.now_ms += 10 * DAY_MS
    desk.do(ID, TopUp("", "", 7, 0, 0, "", "deposit"))
    amounts = {book.book_id: (book.amount, book.reserved) for book in desk.accounts[ID].books}
    assert amounts == {"gift": (50, 50), "main": (7, 0)}
    step(desk, "release", 2, ask(0, used=5))
    desk.do(ID, TopUp("", "", 7, 0, 0, "", "deposit"))
    assert {book.book_id: book.amount for book in desk.accounts[ID].books} == {"main": 14}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"operation": "pause"}, "SESSION_MALFORMED"),
        ({"session_id": ""}, "SESSION_MALFORMED"),
        ({"invocation": -1}, "SESSION_MALFORMED"),
        ({"valid_until_ms": 0}, "SESSION_MALFORMED"),
    ],
)
def test_malformed_steps_are_invalid(change: dict[str, object], reason: str) -> None:
    desk = Desk()
    before = desk.open(ID, 1_000)
    planned = desk.plan(ID, "s", "create", 0, ask(30))
    with pytest.raises((Invalid, NotFound)) as fault:
        desk.do(ID, replace(planned, **change))
    assert fault.value.reason in (reason, "SESSION_UNKNOWN")
    assert desk.accounts[ID] == before


def test_malformed_units_are_invalid_and_uncovered_grants_refused() -> None:
    desk = Desk()
    before = desk.open(ID, 1_000)
    planned = desk.plan(ID, "s", "create", 0, ask(30))
    (unit,) = planned.units
    dear = ledger.seal(charge_of(1_001))
    for units, kind, reason in (
        ((unit, unit), Invalid, "SESSION_MALFORMED"),
        ((replace(unit, granted=-1),), Invalid, "SESSION_MALFORMED"),
        ((replace(unit, reservation=None),), Invalid, "SESSION_MALFORMED"),
        ((replace(unit, final_action="explode"),), Invalid, "SESSION_MALFORMED"),
        ((replace(unit, reservation=dear),), Refused, "QUOTA_NOT_COVERED"),
    ):
        with pytest.raises(kind) as fault:
            desk.do(ID, replace(planned, units=units))
        assert fault.value.reason == reason
    assert desk.accounts[ID] == before


def test_use_never_shrinks_and_a_session_keeps_its_identity() -> None:
    desk = Desk()
    desk.open(ID, 1_000)
    step(desk, "create", 0, ask(30))
    step(desk, "update", 1, ask(30, used=10))
    planned = desk.plan(ID, "s", "update", 2, ask(30, used=1))
    (unit,) = planned.units
    with pytest.raises(Invalid) as fault:
        desk.do(ID, replace(planned, units=(replace(unit, usage=replace(unit.usage, quantity=9)),)))
    assert fault.value.reason == "USED_SHRINKS"
    with pytest.raises(Invalid) as fault:
        desk.do(ID, replace(planned, identity=OTHER))
    assert fault.value.reason == "SESSION_MALFORMED"


def test_open_sessions_are_bounded() -> None:
    desk = Desk()
    desk.open(ID, 1_000_000)
    for number in range(SESSIONS_MAX):
        step(desk, "create", 0, ask(1), session=str(number))
    with pytest.raises(Refused) as refusal:
        step(desk, "create", 0, ask(1), session="more")
    assert refusal.value.reason == "SESSIONS_FULL"


def test_a_step_travels_and_is_journaled_unchanged() -> None:
    desk = Desk()
    desk.open(ID, 1_000)
    planned = desk.plan(ID, "s", "create", 0, ask(30), ask(0, service="data"))
    command = desk.command(ID, planned)
    assert msgspec.msgpack.decode(pack(command), type=Command) == command
    desk.commit(command)
    assert msgspec.msgpack.decode(pack(desk.accounts[ID]), type=Account) == desk.accounts[ID]
