"""Money of an account: what may be spent, from which books it is taken, and how books change.

Money books that no allowance restricts are drawn in the order of `charging.base.consumption`; what is left goes to the
main book, as far as the credit limit lets it go below zero. Money kept for sessions is never touched.
"""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, MONEY, Account, BalanceView, Book
from charging.base.money import show
from charging.base.staged import kept_less, staged_in
from charging.errors import Broken, Invalid, Refused
from charging.ledger.outcome import Movement

Pairs = Sequence[tuple[str, int]]


def book_of(account: Account, book_id: str) -> Book | None:
    """Find a book by id, valid or not; None = the account has no such book."""
    for book in account.books:
        if book.book_id == book_id:
            return book
    return None


def spendable(book: Book, time_ms: int) -> bool:
    """Say whether charges may draw money from a book: valid, and not restricted to an allowance."""
    return book.unit == MONEY and not book.allowance and book.valid_at(time_ms)


def money(books: Iterable[Book], time_ms: int) -> int:
    """Add up the money that charges may draw at a moment, credit aside: what is over does not count."""
    return sum([book.amount for book in books if spendable(book, time_ms)])


def bound_money(books: Iterable[Book], time_ms: int) -> int:
    """Add up the money that is valid at a moment and pays only what is in a scope."""
    return sum([book.amount for book in books if book.allowance and book.unit == MONEY and book.valid_at(time_ms)])


def balance_view(account: Account, now_ms: int) -> BalanceView:
    """Give real, reserved and available money of an account at a moment."""
    real = reserved = free = bound = 0
    main_left = 0
    for book in account.books:
        if book.unit != MONEY or not book.valid_at(now_ms):
            continue
        real += book.amount
        reserved += book.reserved
        left = book.amount - book.reserved
        if book.book_id == MAIN_BOOK:
            main_left = left + account.terms.credit_limit
        elif book.allowance:
            bound += max(0, left)
        else:
            free += max(0, left)
    staged = account.open.staged
    if staged:
        reserved += sum(kept_less(staged).values())
    available = free + max(0, main_left)
    return BalanceView(real, reserved, available, account.terms.credit_limit, bound, staged_in(staged))


def draw(books: Sequence[Book], amount: int, credit_limit: int, time_ms: int) -> tuple[tuple[str, int], ...] | None:
    """Say which books give an amount of money, in order of taking, or None when they have too little: all or nothing.

    `amount` is in micro-units and not negative; nothing is taken for zero. `books` are in order of consumption. Each
    book gives once; what sessions keep is not taken.
    """
    if amount == 0:
        return ()
    taken: list[tuple[str, int]] = []
    missing = amount
    main_index = -1
    main_rest = 0
    for book in books:
        if book.unit != MONEY or book.allowance or not book.valid_at(time_ms):
            continue
        left = book.amount - book.reserved
        share = left if left < missing else missing
        if book.book_id == MAIN_BOOK:
            main_index = len(taken)
            main_rest = left + credit_limit
            taken.append((MAIN_BOOK, max(share, 0)))
            main_rest -= max(share, 0)
        elif share > 0:
            taken.append((book.book_id, share))
        if share > 0:
            missing -= share
            if missing == 0:
                break
    # What no book has is owed by the main book, as far as the credit limit goes; its place among the takes was noted
    # above, even when it had nothing to give in its turn.
    if missing:
        if main_rest < missing:
            return None
        taken[main_index] = (MAIN_BOOK, taken[main_index][1] + missing)
    return tuple([pair for pair in taken if pair[1]])


def named(
    account: Account, takes: tuple[tuple[str, int], ...], time_ms: int
) -> tuple[tuple[tuple[str, int], ...], tuple[tuple[str, int], ...], tuple[Book, ...]]:
    """Split what rating named into money, micro-units, and free units, and give the books with that money gone.

    `takes` are (book id, amount); a book that is named twice is checked once for all that it gives. What sessions keep
    is not there for it. Refused BUDGET_SPENT when a book that pays alone has too little, UNITS_MISSING when another has
    less than rating found, or is not valid at the moment.
    """
    if not takes:
        return (), (), account.books
    paid: list[tuple[str, int]] = []
    units: list[tuple[str, int]] = []
    for book_id, quantity in merged(takes):
        book = book_of(account, book_id)
        if book is None or quantity < 0 or book.amount - book.reserved < quantity or not book.valid_at(time_ms):
            raise _missing(book, book_id, quantity, time_ms)
        (paid if book.unit == MONEY else units).append((book_id, quantity))
    return tuple(paid), tuple(units), shift(account.books, paid, -1) if paid else account.books


def _missing(book: Book | None, book_id: str, quantity: int, time_ms: int) -> Refused:
    """Say that a book can't give what rating named; of a budget that blocks rating names more than there is."""
    if book is not None and book.allowance and quantity > 0 and book.valid_at(time_ms):
        left = max(0, book.amount - book.reserved)
        text = f"book {book_id!r} alone pays for this, and has {left} of {quantity} left"
        return Refused("BUDGET_SPENT", text, facts={"book": book_id, "left": str(left), "asked": str(quantity)})
    return Refused(
        "UNITS_MISSING",
        f"book {book_id!r} has too little for {quantity}",
        facts={"book": book_id, "asked": str(quantity)},
    )


def unpaid(amount: int, paid: Pairs) -> int:
    """Give what is left of a charge, micro-units, when the money that rating named is taken: zero or more.

    Raises `Invalid` TAKES_EXCEED_CHARGE.
    """
    rest = amount - sum([money_taken for _, money_taken in paid])
    if rest < 0:
        raise Invalid("TAKES_EXCEED_CHARGE", "the books that rating named pay more than the charge")
    return rest


def affordable(books: Sequence[Book], credit_limit: int, time_ms: int) -> int:
    """Give the largest amount that `draw` can take, micro-units, never negative."""
    total = 0
    for book in books:
        if spendable(book, time_ms):
            left = book.amount - book.reserved
            if book.book_id == MAIN_BOOK:
                left += credit_limit
            total += max(0, left)
    return total


def merged(pairs: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
    """Add up what is named twice, so that each book is checked once for all that it gives."""
    if len(pairs) < 2:
        return pairs
    sums: dict[str, int] = {}
    for key, amount in pairs:
        sums[key] = sums.get(key, 0) + amount
    return tuple(sums.items())


def shift(books: tuple[Book, ...], pairs: Pairs, sign: int) -> tuple[Book, ...]:
    """Add (sign 1) or take (sign -1) amounts, in each book's unit; the order of books stays.

    No floor is looked at here: the caller has. Raises `Broken` BOOK_MISSING for a book that is not there.
    """
    return _changed(books, pairs, sign, 0)


def keep(books: tuple[Book, ...], pairs: Pairs, sign: int) -> tuple[Book, ...]:
    """Reserve (sign 1) or free (sign -1) amounts, in each book's unit; what a book holds stays the same.

    Raises `Broken` BOOK_MISSING for a book that is not there.
    """
    return _changed(books, pairs, 0, sign)


def _changed(books: tuple[Book, ...], pairs: Pairs, amount_sign: int, reserved_sign: int) -> tuple[Book, ...]:
    changed = list(books)
    for book_id, amount in pairs:
        for index, book in enumerate(changed):
            if book.book_id == book_id:
                changed[index] = Book(
                    book_id,
                    book.unit,
                    book.amount + amount_sign * amount,
                    book.reserved + reserved_sign * amount,
                    book.priority,
                    book.valid_from_ms,
                    book.valid_to_ms,
                    book.allowance,
                )
                break
        else:
            raise Broken("BOOK_MISSING", f"a posting names the book {book_id!r}, which the account does not have")
    return tuple(changed)


def movements(before: tuple[Book, ...], after: tuple[Book, ...]) -> tuple[Movement, ...]:
    """Tell each book whose amount changed, with the amounts before and after; a new book was at zero before.

    In the order of the books after; those that are gone come last, and are at zero.
    """
    # Nearly always the books are the same ones in the same order, and all but one the very same objects.
    if len(before) == len(after):
        found: list[Movement] = []
        for old, new in zip(before, after, strict=True):
            if old is new:
                continue
            if old.book_id != new.book_id:
                break
            if old.amount != new.amount:
                found.append(Movement(new.book_id, new.unit, old.amount, new.amount))
        else:
            return tuple(found)
    olds = {book.book_id: book for book in before}
    found = []
    for new in after:
        known = olds.pop(new.book_id, None)
        amount = known.amount if known is not None else 0
        if amount != new.amount:
            found.append(Movement(new.book_id, new.unit, amount, new.amount))
    found += [Movement(old.book_id, old.unit, old.amount, 0) for old in olds.values() if old.amount]
    return tuple(found)


def moved(books: tuple[Book, ...], movements: Sequence[Movement]) -> tuple[Book, ...] | None:
    """Give the books after movements that are known; None when they don't start from these books."""
    changed = list(books)
    for movement in movements:
        for index, book in enumerate(changed):
            if book.book_id == movement.book_id:
                if book.amount != movement.before:
                    return None
                changed[index] = replace(book, amount=movement.after)
                break
        else:
            return None
    return tuple(changed)


def other_currency(what: str, currency: str, account: Account) -> Refused:
    """Say that something is in another currency than the account."""
    text = f"the {what} is in {currency}, the account in {account.terms.currency}"
    return Refused("CURRENCY_MISMATCH", text, facts={"currency": account.terms.currency})


def no_funds(amount: int, available: int, currency: str) -> Refused:
    """Make the refusal INSUFFICIENT_FUNDS; both amounts are micro-units."""
    return Refused(
        "INSUFFICIENT_FUNDS",
        f"{show(amount)} {currency} are asked and {show(available)} are available",
        facts={"amount": str(amount), "available": str(available), "currency": currency},
    )
