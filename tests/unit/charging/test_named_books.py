"""What rating named is taken by one rule, whether a charge takes it or a step of a session."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from charging.base.account import MAIN_BOOK, MONEY, Account, Book
from charging.base.usage import SealedCharge
from charging.errors import Fault, Refused
from charging.ledger import funds, session_state, taking
from charging.ledger.funds import Pairs
from testkit.ledger import an_account

NOW_MS = 1_000
BOOKS = {"gift": MONEY, "pack": "second", "data": "byte"}


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    books = [Book(MAIN_BOOK, MONEY, 1_000_000)]
    for book_id in draw(st.lists(st.sampled_from(sorted(BOOKS)), unique=True)):
        amount = draw(st.integers(0, 50))
        reserved, ends = draw(st.integers(0, amount)), draw(st.sampled_from([0, 500, 2_000]))
        books.append(Book(book_id, BOOKS[book_id], amount, reserved, valid_to_ms=ends, allowance="night"))
    return an_account("acc", 1, "GD", currency="CNY", books=tuple(books))


CHARGES = st.builds(
    lambda amount, takes: SealedCharge(amount, "CNY", tuple(takes), (), 1, True, Raw(b"\x90")),
    st.integers(0, 100),
    st.lists(st.tuples(st.sampled_from([*BOOKS, "gone"]), st.integers(-1, 30)), max_size=4),
)


def outcome(take: Callable[[], object]) -> object:
    try:
        return take()
    except Fault as fault:
        return fault.reason, fault.facts


def sums(*pairs: Pairs) -> dict[str, int]:
    found: dict[str, int] = {}
    for book_id, amount in (pair for each in pairs for pair in each):
        found[book_id] = found.get(book_id, 0) + amount
    return {book_id: amount for book_id, amount in found.items() if amount}


@given(accounts(), CHARGES)
def test_a_charge_and_a_session_take_the_same_or_refuse_for_the_same_reason(
    account: Account, charge: SealedCharge
) -> None:
    def charged() -> object:
        postings, units = taking.take(account, charge, NOW_MS)
        return sums(postings), sums(units)

    def stepped() -> object:
        taken = session_state.take(account, charge, NOW_MS)
        assert taken.shortfall == 0, "there is money enough"
        return sums(taken.postings), sums(taken.units)

    assert outcome(charged) == outcome(stepped)


@given(accounts(), CHARGES)
def test_no_more_is_taken_of_a_book_than_is_free_in_it_and_the_rest_is_left(
    account: Account, charge: SealedCharge
) -> None:
    try:
        paid, units, left = funds.named(account, charge.takes, NOW_MS)
    except Refused:
        return
    assert sums(paid, units) == sums(charge.takes)
    for before, after in zip(account.books, left, strict=True):
        taken = dict(sums(paid)).get(before.book_id, 0)
        assert before.amount - after.amount == taken
        assert after.reserved == before.reserved
        if before.book_id in sums(paid, units):
            assert sums(paid, units)[before.book_id] <= before.amount - before.reserved
            assert before.valid_at(NOW_MS)
