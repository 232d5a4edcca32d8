"""No sum grows past what a caller can be told, and no state past what a record can hold."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from charging.base import bounds
from charging.base.account import Account, Book, Hold, Session
from charging.base.usage import SealedCharge, Usage
from charging.errors import Invalid, Refused
from charging.ledger import within
from charging.ledger.command import Command
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.set_profile import SetProfile
from charging.ledger.commands.top_up import TopUp
from charging.ledger.funds import balance_view
from charging.ledger.ledger import available_view, decide
from testkit.ledger import an_account, changed

NOW_MS = 1_800_000_000_000
INT64_MAX = (1 << 63) - 1
PB = 1 << 50


def account(**values: object) -> Account:
    fields = {"members": ("m",), "books": (Book("main", "money", 10**9),)} | values
    return changed(an_account("a", 1, "GD", currency="CNY"), **fields)


def command(action: object, key: str = "k") -> Command:
    return Command("a", key, b"d" * 16, "", "front", NOW_MS, action)  # type: ignore[arg-type]


def free_charge(quantity: int, accruals: tuple[tuple[str, int], ...], version: int = 1) -> PostCharge:
    sealed = SealedCharge(0, "CNY", (), accruals, 1, False, Raw(b"\x90"))
    return PostCharge(Usage("m", "data", NOW_MS, quantity), sealed, version)


def test_free_charges_of_petabytes_fill_a_counter_and_are_refused_then() -> None:
    state = account(accumulators={"volume@2027-01": bounds.COUNTER_MAX - PB})
    state = decide(state, command(free_charge(PB, (("volume@2027-01", PB),))), NOW_MS).account
    with pytest.raises(Refused) as caught:
        decide(state, command(free_charge(PB, (("volume@2027-01", PB),))), NOW_MS)
    assert caught.value.reason == "COUNTER_FULL"
    assert decide(state, command(free_charge(PB, (("other@2027-01", PB),))), NOW_MS).account.version == 3


@pytest.mark.parametrize("quantity", [-1, bounds.USED_MAX + 1, (1 << 64) - 1])
def test_a_quantity_that_nobody_uses_is_refused(quantity: int) -> None:
    with pytest.raises(Invalid) as caught:
        decide(account(), command(free_charge(quantity, ())), NOW_MS)
    assert caught.value.reason == "QUANTITY_OUT_OF_RANGE"


def test_books_that_would_hold_too_much_together_are_refused() -> None:
    books = tuple(Book(f"b{number}", "money", bounds.BOOK_MAX) for number in range(4))
    state = account(books=(*books, Book("main", "money", 0)))
    with pytest.raises(Refused) as caught:
        decide(state, command(TopUp("main", "money", 1, 0, 0, "", "")), NOW_MS)
    assert caught.value.reason == "BOOKS_SUM_FULL"


def test_an_account_never_becomes_larger_than_a_record_and_may_always_become_smaller() -> None:
    state = account()
    small = SetProfile({}, {}, ())
    large = SetProfile({"note": "x" * (bounds.ACCOUNT_BYTES_MAX - 500)}, {}, ())
    state = decide(state, command(large), NOW_MS).account
    with pytest.raises(Refused) as caught:
        decide(state, command(SetProfile({"note": "x" * bounds.ACCOUNT_BYTES_MAX}, {}, ())), NOW_MS)
    assert caught.value.reason == "ACCOUNT_FULL"
    overgrown = changed(state, customer_attributes={"note": "y" * 1_000})
    assert decide(overgrown, command(small), NOW_MS).account.terms.attributes == {}


def test_many_new_counters_are_refused_before_the_account_is_too_large() -> None:
    names = {f"{number:0250d}@2027-01": 1 for number in range(1_900)}
    state = account(accumulators=names)
    reason = ""
    for number in range(200):
        new = ((f"x{number:0250d}@2027-01", 1),)
        try:
            state = decide(state, command(free_charge(1, new)), NOW_MS).account
        except Refused as refused:
            reason = refused.reason
            break
    assert reason == "ACCOUNT_FULL"
    assert len(msgspec.msgpack.encode(state)) <= bounds.ACCOUNT_BYTES_MAX


amounts = st.integers(-bounds.BOOK_MAX, bounds.BOOK_MAX)
counts = st.integers(-bounds.COUNTER_MAX, bounds.COUNTER_MAX)
keeps = st.integers(0, bounds.GRANT_MAX)


@st.composite
def states(draw: st.DrawFn) -> Account:
    """States that the bounds let be, many of them at the bounds."""
    edge = st.sampled_from([bounds.BOOK_MAX, bounds.BOOK_MAX // 2, 0, 1, -bounds.AMOUNT_MAX])
    books = tuple(
        Book(f"b{number}", "money", draw(edge | amounts), draw(keeps)) for number in range(draw(st.integers(0, 5)))
    )
    names = [f"c{number}@2027-01" for number in range(3)]
    counters = {name: draw(st.just(bounds.COUNTER_MAX) | counts) for name in names}
    kept = draw(st.just(bounds.GRANT_MAX) | keeps)
    holds = tuple(
        Hold(f"s{number}", "", "", NOW_MS, bounds.USED_MAX, 0, (), (), kept, (), tuple((name, kept) for name in names))
        for number in range(16)
    )
    sessions = tuple(
        Session(f"s-{number}", "m", 0, NOW_MS, holds) for number in range(draw(st.sampled_from([0, 1, 64])))
    )
    return account(books=books, accumulators=counters, sessions=sessions, credit_limit=bounds.AMOUNT_MAX)


@given(states())
def test_no_view_of_a_state_within_the_bounds_is_beyond_64_bits(state: Account) -> None:
    if sum(abs(book.amount) for book in state.books) > bounds.FUNDS_MAX:
        with pytest.raises(Refused, match="together"):
            within.check_numbers(None, state)
        return
    within.check_numbers(None, state)
    view = balance_view(state, NOW_MS)
    seen = available_view(state)
    numbers = [view.real, view.reserved, view.available, view.credit_limit, *seen.accumulators.values()]
    numbers += [book.amount for book in seen.books]
    numbers.append(sum(hold.used for hold in state.open.sessions[0].holds) if state.open.sessions else 0)
    assert all(-INT64_MAX <= number <= INT64_MAX for number in numbers)
