"""The order in which allowances and books are used up: one rule, whoever sorts by it."""

from hypothesis import given
from hypothesis import strategies as st

from charging.base import consumption
from charging.base.account import MONEY, Book

MOMENTS = st.sampled_from([0, 1, 1_000, 1 << 40, 1 << 53])
BOOKS = st.builds(
    Book,
    book_id=st.sampled_from(["a", "b", "main", "pack"]),
    unit=st.sampled_from([MONEY, "second"]),
    amount=st.integers(0, 10),
    priority=st.integers(-3, 3),
    valid_to_ms=MOMENTS,
)


@given(BOOKS, BOOKS)
def test_a_book_goes_first_by_priority_then_by_its_end_then_by_its_name(one: Book, other: Book) -> None:
    first = consumption.of_book(one) < consumption.of_book(other)
    if one.priority != other.priority:
        assert first == (one.priority < other.priority)
    elif one.valid_to_ms != other.valid_to_ms:
        ends = one.valid_to_ms != 0 and (other.valid_to_ms == 0 or one.valid_to_ms < other.valid_to_ms)
        assert first == ends, "a book without an end is the last"
    else:
        assert first == (one.book_id < other.book_id)


@given(BOOKS, st.integers(-3, 3), st.sampled_from(["a", "z"]))
def test_an_allowance_goes_before_books_of_its_priority(book: Book, priority: int, name: str) -> None:
    assert (consumption.of_allowance(priority, name) < consumption.of_book(book)) == (priority <= book.priority)


@given(
    st.lists(BOOKS, unique_by=lambda book: book.book_id).flatmap(
        lambda books: st.tuples(st.just(books), st.permutations(books))
    )
)
def test_whoever_sorts_finds_the_same_order(twice: tuple[list[Book], list[Book]]) -> None:
    books, shuffled = twice
    assert sorted(shuffled, key=consumption.of_book) == sorted(books, key=consumption.of_book)
