"""Whether an account stays within `charging.base.bounds`: checked when a command is decided, and at replay."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from charging.base.account import NOTHING_OPEN, Account, Book, Open, Session, Terms
from charging.base.bounds import (
    ACCOUNT_BYTES_MAX,
    AMOUNT_MAX,
    BOOK_MAX,
    BOOKS_MAX,
    CONTRACT_BYTES_MAX,
    COUNTER_KEY_CHARS_MAX,
    COUNTER_MAX,
    COUNTERS_MAX,
    COUNTERS_UNWEIGHED_MAX,
    CYCLE_DAY_MAX,
    FUNDS_MAX,
    GRANT_MAX,
    ID_BYTES_MAX,
    ID_CHARS_MAX,
    MEMBERS_MAX,
    PRIORITY_MAX,
    SUM_MAX,
    SUMS_MAX,
    SUMS_UNWEIGHED_MAX,
    THRESHOLDS_MAX,
    TIME_MS_MAX,
    USED_MAX,
    VERSION_MAX,
)
from charging.base.contract import Contract
from charging.base.openbills import BILLS_MAX, INSTALMENTS_MAX, ITEMS_MAX, OpenBill
from charging.errors import Invalid, Refused

_pack = msgspec.msgpack.Encoder().encode
_NO_COUNTERS: dict[str, int] = {}


def check_charge(before: Account, after: Account, quantity: int, accruals: Sequence[tuple[str, int]]) -> None:
    """Check what a charge made of an account; cheap, for it is done for each.

    Refused COUNTER_FULL, COUNTERS_FULL, ACCOUNT_FULL; Invalid QUANTITY_OUT_OF_RANGE.
    """
    if quantity > USED_MAX or quantity < 0:
        raise _quantity(quantity)
    counters = after.accumulators
    for key, _ in accruals:
        value = counters.get(key)
        if value is not None and not -COUNTER_MAX <= value <= COUNTER_MAX:
            raise _counter_full(key)
    sums, known = after.buckets.amounts, before.buckets.amounts
    if sums is not known and (len(sums) != len(known) or max(sums) > SUM_MAX):
        check_sums(before, after)
    if len(counters) > len(before.accumulators):
        check_counters(before.accumulators, counters)
        if len(counters) > COUNTERS_UNWEIGHED_MAX:
            check_weight(before, after)


def check_quantities(quantities: Sequence[int]) -> None:
    """Raise Invalid QUANTITY_OUT_OF_RANGE for uses of which one is of no possible quantity."""
    for quantity in (min(quantities), max(quantities)):
        if not 0 <= quantity <= USED_MAX:
            raise _quantity(quantity)


def check_state(before: Account | None, after: Account) -> None:
    """Check every number and every size of a state that a command made.

    Refused BOOK_FULL, COUNTER_FULL, COUNTERS_FULL, ACCOUNT_FULL; Invalid NUMBER_OUT_OF_RANGE, QUANTITY_OUT_OF_RANGE.
    """
    check_numbers(before, after)
    check_weight(before, after)


def check_numbers(before: Account | None, after: Account) -> None:
    """Check every number of a state, and how many counters and books it has; what is as it was, was checked before."""
    _check_head(after)
    if before is None or after.terms is not before.terms:
        _check_terms(after.terms)
    _check_books(after.books, -BOOK_MAX if after.open.staged else 0)
    counters = _NO_COUNTERS if before is None else before.accumulators
    if before is None or after.buckets is not before.buckets:
        check_sums(before, after)
    if after.accumulators is not counters:
        check_counters(counters, after.accumulators)
    known = NOTHING_OPEN if before is None else before.open
    if after.open is not known:
        _check_open(known, after.open)


def check_counters(before: Mapping[str, int], after: Mapping[str, int]) -> None:
    """Check accumulators: how many, how large, and how long their names.

    Refused COUNTERS_FULL when more come to be than an account keeps, COUNTER_FULL; Invalid COUNTER_NAME_TOO_LONG.
    """
    if len(after) > COUNTERS_MAX and len(after) > len(before):
        raise Refused("COUNTERS_FULL", f"an account keeps at most {COUNTERS_MAX} counters")
    for key, value in after.items():
        if not -COUNTER_MAX <= value <= COUNTER_MAX:
            raise _counter_full(key)
        if len(key) > COUNTER_KEY_CHARS_MAX:
            raise Invalid("COUNTER_NAME_TOO_LONG", f"a counter's name has at most {COUNTER_KEY_CHARS_MAX} characters")


def check_sums(before: Account | None, after: Account) -> None:
    """Check the buckets: how many sums, how large, how long their names. Refused SUMS_FULL, SUM_FULL, ACCOUNT_FULL."""
    amounts = after.buckets.amounts
    if amounts and (max(amounts) > SUM_MAX or min(amounts) < -SUM_MAX):
        raise Refused("SUM_FULL", f"a sum of a bill would be beyond {SUM_MAX}", facts={"most": str(SUM_MAX)})
    many = 0 if before is None else len(before.buckets.amounts)
    if len(amounts) <= many:
        return
    if len(amounts) > SUMS_MAX:
        raise Refused("SUMS_FULL", f"an account keeps at most {SUMS_MAX} sums for its bills")
    for key in after.buckets.keys:
        if len(key.item) > ID_CHARS_MAX:
            raise Invalid("NAME_MALFORMED", f"a bill item has at most {ID_CHARS_MAX} characters")
    if len(amounts) > SUMS_UNWEIGHED_MAX:
        check_weight(before, after)


def check_weight(before: Account | None, after: Account) -> None:
    """Refuse ACCOUNT_FULL what would make an account larger than a record; what makes it smaller is always taken."""
    size = len(_pack(after))
    if size > ACCOUNT_BYTES_MAX and (before is None or size > len(_pack(before))):
        text = f"account {after.account_id[:64]} would need {size} bytes, at most {ACCOUNT_BYTES_MAX} are kept"
        raise Refused("ACCOUNT_FULL", f"{text}: end sessions, or keep less with it", facts={"bytes": str(size)})


def check_contract(contract: Contract) -> None:
    """Raise Invalid TEXT_TOO_LONG or CONTRACT_TOO_LARGE for a contract that no record could hold."""
    check_id(contract.identity, "identity")
    check_id(contract.account_id, "account_id")
    check_id(contract.order_id, "order_id")
    check_id(contract.domain, "domain")
    size = len(_pack(contract))
    if size > CONTRACT_BYTES_MAX:
        raise Invalid("CONTRACT_TOO_LARGE", f"a contract has at most {CONTRACT_BYTES_MAX} bytes, this one has {size}")


def check_id(text: str, name: str) -> None:
    """Raise Invalid TEXT_TOO_LONG for what could not be part of a record's name."""
    if len(text) > ID_BYTES_MAX or len(text.encode()) > ID_BYTES_MAX:
        raise Invalid("TEXT_TOO_LONG", f"{name} has more than {ID_BYTES_MAX} bytes", fields={name: "shorter"})


def _check_head(account: Account) -> None:
    _within(account.version, 0, VERSION_MAX, "version")
    _within(account.terms_version, 0, VERSION_MAX, "terms_version")
    check_id(account.account_id, "account_id")
    if len(account.members) > MEMBERS_MAX:
        raise Refused("MEMBERS_FULL", f"an account has at most {MEMBERS_MAX} members")


def _check_terms(terms: Terms) -> None:
    _within(terms.credit_limit, 0, AMOUNT_MAX, "credit_limit")
    _within(terms.cycle_day, 1, CYCLE_DAY_MAX, "cycle_day")
    check_id(terms.domain, "domain")
    if len(terms.thresholds) > THRESHOLDS_MAX:
        raise Refused("THRESHOLDS_FULL", f"an account has at most {THRESHOLDS_MAX} thresholds")
    for threshold in terms.thresholds:
        _within(threshold.mark, -BOOK_MAX, BOOK_MAX, "mark")


def _check_open(before: Open, after: Open) -> None:
    for row in after.outgoing:
        _within(row.amount, 0, AMOUNT_MAX, "amount")
        _within(row.sent_ms, 0, TIME_MS_MAX, "sent_ms")
    for _, amount, _, charged_ms in after.refunds:
        _within(amount, 0, BOOK_MAX, "refunded")
        _within(charged_ms, 0, TIME_MS_MAX, "charged_ms")
    if after.bills is not before.bills:
        _check_bills(after.bills, sum([row.bill is not None for row in after.outgoing]))
    if after.staged is not before.staged:
        for waiting in after.staged:
            _within(waiting.amount, 0, BOOK_MAX, "staged")
            _within(waiting.at_ms, 0, TIME_MS_MAX, "at_ms")
    _within(after.carried, 0, BOOK_MAX, "carried")
    if after.fees is not before.fees:
        for mark in after.fees:
            _within(mark.to_ms, 0, TIME_MS_MAX, "to_ms")
            _within(mark.amount, 0, BOOK_MAX, "amount")
    for session in after.sessions:
        if not any(session is one for one in before.sessions):
            _check_session(session)


def _check_bills(bills: Sequence[OpenBill], under_way: int) -> None:
    """Check what is owed by bills; those under way to a payer may come back, so there must be room for them."""
    if len(bills) + under_way > BILLS_MAX:
        raise Refused("BILLS_FULL", f"an account has at most {BILLS_MAX} open bills", facts={"most": str(BILLS_MAX)})
    for bill in bills:
        if len(bill.items) > ITEMS_MAX or len(bill.instalments) > INSTALMENTS_MAX:
            text = f"at most {ITEMS_MAX} items and {INSTALMENTS_MAX} instalments"
            raise Invalid("NUMBER_OUT_OF_RANGE", f"a bill has {text}", fields={"items": text})
        for value in (bill.billed, bill.credited, bill.written_off, bill.late_billed):
            _within(value, 0, BOOK_MAX, "billed")
        for row in bill.items:
            _within(row.open, 0, AMOUNT_MAX, "open")
            _within(row.disputed, 0, row.open, "disputed")
        for value in (bill.due_ms, bill.counted_ms):
            _within(value, 0, TIME_MS_MAX, "due_ms")


def _check_books(books: Sequence[Book], reserved_min: int) -> None:
    if len(books) > BOOKS_MAX + 1:
        raise Refused("BOOKS_FULL", f"an account has at most {BOOKS_MAX} books")
    total = 0
    for book in books:
        amount = book.amount
        if not -BOOK_MAX <= amount <= BOOK_MAX:
            raise Refused(
                "BOOK_FULL", f"book {book.book_id[:64]!r} holds at most {BOOK_MAX}", facts={"most": str(BOOK_MAX)}
            )
        total += abs(amount)
        _within(book.reserved, reserved_min, BOOK_MAX + AMOUNT_MAX, "reserved")
        _within(book.valid_from_ms, 0, TIME_MS_MAX, "valid_from_ms")
        _within(book.valid_to_ms, 0, TIME_MS_MAX, "valid_to_ms")
        _within(book.priority, -PRIORITY_MAX, PRIORITY_MAX, "priority")
    if total > FUNDS_MAX:
        text = f"all books of an account hold at most {FUNDS_MAX} together"
        raise Refused("BOOKS_SUM_FULL", text, facts={"most": str(FUNDS_MAX)})


def _check_session(session: Session) -> None:
    _within(session.valid_until_ms, 0, TIME_MS_MAX, "valid_until_ms")
    _within(session.invocation, 0, VERSION_MAX, "invocation")
    for hold in session.holds:
        if not 0 <= hold.used <= USED_MAX:
            raise _quantity(hold.used)
        _within(hold.granted, 0, GRANT_MAX, "granted")
        _within(hold.charged, 0, BOOK_MAX, "charged")
        _within(hold.charged_before, 0, FUNDS_MAX, "charged_before")
        _within(hold.start_ms, 0, TIME_MS_MAX, "start_ms")
        _all_within(hold.accruals, COUNTER_MAX, "accruals")
        _all_within(hold.reserved_accruals, GRANT_MAX, "reserved_accruals")


def _all_within(pairs: Iterable[tuple[str, int]], most: int, name: str) -> None:
    for _, value in pairs:
        _within(value, -most, most, name)


def _within(value: int, least: int, most: int, name: str) -> None:
    if not least <= value <= most:
        text = f"{name} would be {value}, it may be {least} to {most}"
        raise Invalid("NUMBER_OUT_OF_RANGE", text, fields={name: f"{least} to {most}"})


def _quantity(quantity: int) -> Invalid:
    text = f"a quantity is 0 to {USED_MAX}"
    return Invalid("QUANTITY_OUT_OF_RANGE", f"{quantity} is not possible: {text}", fields={"quantity": text})


def _counter_full(key: str) -> Refused:
    text = f"counter {key[:64]!r} would be beyond {COUNTER_MAX}, the most that is counted"
    return Refused("COUNTER_FULL", text, facts={"counter": key[:64], "most": str(COUNTER_MAX)})
