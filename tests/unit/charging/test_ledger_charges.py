"""Charges: which books pay, how far, and what is refused without a movement."""

import pytest
from msgspec.structs import replace

from charging.base.account import MONEY, Book
from charging.base.lateness import LATE_DAYS_MAX
from charging.base.localtime import DAY, day_text
from charging.errors import Invalid, NotFound, Refused
from charging.ledger.accruals import accrue
from charging.ledger.commands.move_out import MoveOut
from charging.ledger.commands.set_contract import SetContract
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.effect import VersionMoved
from charging.plans.compiled import Counter
from testkit.ledger import DAY_MS, START_MS, Desk, charge_of, contract_of, post

ID = "msisdn:8613000000001"


def test_a_charge_moves_its_books_and_tells_before_and_after() -> None:
    desk = Desk()
    account = desk.open(ID, 1_000)
    done = desk.do(ID, post(account, charge_of(300, accruals=(("voice@2027-01", 60),))))
    (movement,) = done.movements
    assert (done.amount, done.version) == (300, 2)
    assert (movement.book_id, movement.unit, movement.before, movement.after) == ("main", MONEY, 1_000, 700)
    assert desk.accounts[ID].accumulators == {"voice@2027-01": 60}


def test_money_is_taken_by_priority_then_by_end_then_by_id_and_the_main_book_goes_on_credit_last() -> None:
    books = (
        Book("z-first", MONEY, 10, priority=1),
        Book("b-soon", MONEY, 10, valid_to_ms=START_MS + DAY_MS),
        Book("a-later", MONEY, 10, valid_to_ms=START_MS + 2 * DAY_MS),
        Book("after-main", MONEY, 10, priority=200),
        Book("bound", MONEY, 10, priority=0, allowance="pack"),
        Book("over", MONEY, 10, priority=0, valid_to_ms=START_MS),
        Book("seconds", "second", 10, priority=0),
    )
    desk = Desk()
    account = desk.open(ID, 5, books=books, credit_limit=20)
    desk.do(ID, post(account, charge_of(25)))
    left = {book.book_id: book.amount for book in desk.accounts[ID].books}
    assert (left["z-first"], left["b-soon"], left["a-later"], left["main"]) == (0, 0, 5, 5)
    desk.do(ID, post(desk.accounts[ID], charge_of(38)))
    left = {book.book_id: book.amount for book in desk.accounts[ID].books}
    assert (left["a-later"], left["after-main"], left["main"]) == (0, 0, -18)
    assert (left["bound"], left["over"], left["seconds"]) == (10, 10, 10)
    with pytest.raises(Refused) as refusal:
        desk.do(ID, post(desk.accounts[ID], charge_of(3)))
    assert refusal.value.reason == "INSUFFICIENT_FUNDS"
    assert refusal.value.facts["available"] == "2"


def test_late_usage_may_still_draw_on_the_book_that_was_valid_when_it_happened() -> None:
    desk = Desk()
    account = desk.open(ID, 0, books=(Book("gift", MONEY, 10, valid_to_ms=START_MS + 1),))
    desk.now_ms += DAY_MS
    assert desk.do(ID, post(account, charge_of(10))).amount == 10


def test_named_books_of_units_and_money_pay_what_rating_said() -> None:
    books = (Book("pack", "second", 100), Book("bound", MONEY, 50, allowance="pack"))
    desk = Desk()
    account = desk.open(ID, 100, books=books)
    desk.do(ID, post(account, charge_of(60, takes=(("pack", 90), ("bound", 50)), depends=True)))
    left = {book.book_id: book.amount for book in desk.accounts[ID].books}
    assert left == {"pack": 10, "bound": 0, "main": 90}


def test_a_free_charge_has_no_movement_and_still_counts() -> None:
    desk = Desk()
    account = desk.open(ID)
    done = desk.do(ID, post(account, charge_of(0, accruals=(("free@2027-01", 60),))))
    assert done.movements == ()
    assert desk.accounts[ID].accumulators["free@2027-01"] == 60


@pytest.mark.parametrize(
    ("charge", "kind", "reason"),
    [
        (charge_of(101), Refused, "INSUFFICIENT_FUNDS"),
        (charge_of(1, currency="HKD"), Refused, "CURRENCY_MISMATCH"),
        (charge_of(1, takes=(("none", 1),)), Refused, "UNITS_MISSING"),
        (charge_of(1, takes=(("main", 2),)), Invalid, "TAKES_EXCEED_CHARGE"),
        (charge_of(160, takes=(("main", 80), ("main", 80))), Refused, "UNITS_MISSING"),
        (charge_of(1, takes=(("main", -1),)), Refused, "UNITS_MISSING"),
        (charge_of(-1), Invalid, "CHARGE_NEGATIVE"),
    ],
)
def test_what_can_not_be_taken_moves_nothing(charge, kind, reason) -> None:  # noqa: ANN001
    desk = Desk()
    before = desk.open(ID, 100)
    with pytest.raises(kind) as fault:
        desk.do(ID, post(before, charge))
    assert fault.value.reason == reason
    assert desk.accounts[ID] == before


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (SetStatus("suspended", "lost"), "ACCOUNT_SUSPENDED"),
        (SetStatus("closed", "end"), "ACCOUNT_CLOSED"),
        (MoveOut("SH"), "ACCOUNT_MOVED"),
    ],
)
def test_only_an_active_account_is_charged(action, reason) -> None:  # noqa: ANN001
    desk = Desk()
    desk.open(ID, 100)
    desk.do(ID, action)
    with pytest.raises(Refused) as refusal:
        desk.do(ID, post(desk.accounts[ID], charge_of(1)))
    assert refusal.value.reason == reason


def test_an_unknown_account_is_not_found() -> None:
    with pytest.raises(NotFound, match="no account"):
        Desk().do("msisdn:8613000000009", post(Desk().open(ID), charge_of(1)))


def test_a_dependent_charge_holds_for_its_state_only() -> None:
    desk = Desk()
    old = desk.open(ID, 100)
    desk.do(ID, post(old, charge_of(1)))
    with pytest.raises(VersionMoved):
        desk.do(ID, post(old, charge_of(1, depends=True)))
    other_past = replace(desk.accounts[ID], mark=12345)
    with pytest.raises(VersionMoved):
        desk.do(ID, post(other_past, charge_of(1, depends=True)))
    assert desk.do(ID, post(desk.accounts[ID], charge_of(1, depends=True))).version == 3


def test_an_independent_charge_never_goes_stale_until_the_terms_change() -> None:
    desk = Desk()
    old = desk.open(ID, 100)
    desk.do(ID, post(old, charge_of(1)))
    assert desk.do(ID, post(old, charge_of(1))).version == 3
    desk.do(ID, SetContract(contract_of(ID)))
    with pytest.raises(VersionMoved):
        desk.do(ID, post(old, charge_of(1)))


def test_counters_stay_as_long_as_usage_of_their_period_is_taken() -> None:
    desk = Desk()
    desk.open(ID, 1000)
    months = ("20260801", "20260901", "20261001", "20261101", "20261201", "20270101", "20261101")
    for month in months:
        desk.do(ID, post(desk.accounts[ID], charge_of(1, accruals=((f"voice@{month}", 5), ("sms@20260801", 1)))))
    # Of months that began more than 35 days before the newest: the one that such usage may fall into, and one before.
    assert desk.accounts[ID].accumulators == {
        "voice@20261001": 5,
        "voice@20261101": 10,
        "voice@20261201": 5,
        "voice@20270101": 5,
        "sms@20260801": 7,
    }


def test_a_counter_of_days_keeps_as_many_days_as_usage_may_be_late_and_no_more() -> None:
    kept: dict[str, int] = {}
    for day in range(20_000, 20_200):
        kept = accrue(kept, ((Counter("cap", DAY, True).key(ID, 1, day), 1),))
    assert len(kept) == LATE_DAYS_MAX + 4
    assert day_text(20_199 - LATE_DAYS_MAX) in str(kept)


@pytest.mark.parametrize("days", [LATE_DAYS_MAX, LATE_DAYS_MAX + 1])
def test_usage_whose_counters_may_be_forgotten_is_refused_by_name_and_not_kept(days: int) -> None:
    desk = Desk()
    desk.open(ID, 1000)
    usage = post(desk.accounts[ID], charge_of(7, accruals=(("voice@20270101", 5),)))
    desk.now_ms = usage.usage.start_ms + days * 86_400_000
    if days <= LATE_DAYS_MAX:
        desk.do(ID, usage)
        return
    with pytest.raises(Invalid) as refused:
        desk.do(ID, usage, key="late")
    assert refused.value.reason == "USAGE_TOO_LATE"
    assert refused.value.facts == {"days": str(LATE_DAYS_MAX)}
    desk.do(ID, post(desk.accounts[ID], charge_of(7)))  # Its price looks at no counter: it is never too late.
