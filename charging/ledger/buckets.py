"""Adding to the buckets of an account: every posting counts in the billing period of its event.

The owner decides the period, by the account's zone and cycle day. A posting whose period is closed goes to the oldest
open one and keeps its origin.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from charging.base.account import MONEY, Account, Book
from charging.base.buckets import EMPTY, MONEY_IN, Billed, Buckets, SumKey, shared_key, shared_keys
from charging.base.localtime import QUARTER_MS, month_at
from charging.base.usage import SealedCharge, Usage
from charging.ledger.event import BaseEvent

GRANTED = "granted"
"""Place of money that paid from a book bound to an allowance."""
PLACES_MAX = 32
"""Places of one account that money is counted by; callers name kinds of top-ups. What is beyond is counted together."""
PLACE_CHARS_MAX = 32
ADJUST, ADJUSTMENT = "adjust", "adjustment"
"""Place of a correction by hand, and what it is on a bill: a line, not money that came in."""


OWN_KEYS_MAX = 50_000
_own_keys: dict[tuple[str, int, int, str, int], SumKey] = {}


def charged(account: Account, usage: Usage, charge: SealedCharge) -> Buckets:
    """Give the buckets after a charge: the frequent case, the same as by `after` without a detour."""
    terms = account.terms
    of = (terms.zone, terms.cycle_day, usage.start_ms // QUARTER_MS, charge.item or usage.service, charge.taxed_since)
    key = _own_keys.get(of)
    if key is None:
        key = _own_key(of, usage.start_ms)
    if key.month <= terms.closed or not account.account_id.endswith(usage.identity):
        part = Billed(usage.start_ms, key.item, usage.identity, charge.amount, key.since)
        key = key_of(account, part, usage.start_ms)
    return added(account.buckets, key, charge.amount)


def _own_key(of: tuple[str, int, int, str, int], time_ms: int) -> SumKey:
    """Name the sum of what an account's own identity uses in an open period; of each quarter of an hour once."""
    zone, cycle_day, _, item, since = of
    if len(_own_keys) >= OWN_KEYS_MAX:
        _own_keys.clear()
    key = _own_keys[of] = shared_key(SumKey(month_at(zone, cycle_day, time_ms), item, since=since))
    return key


def granted(account: Account, books: tuple[Book, ...], usage: Usage, charge: SealedCharge) -> Buckets:
    """Do the same for a charge that named books, which left these: what bound ones paid has come in."""
    buckets = charged(account, usage, charge)
    paid = bill_money(books) - bill_money(account.books) + charge.amount
    if not paid:
        return buckets
    part = Billed(usage.start_ms, MONEY_IN + GRANTED, "", paid)
    return added(buckets, key_of(account, part, usage.start_ms), paid)


def after(before: Account, state: Account, event: BaseEvent, time_ms: int) -> Account:
    """Give the state that an event left, with the event counted: what it charged, and other money that it moved."""
    buckets = state.buckets
    taken = 0
    for part in event.billed():
        taken += part.amount
        if part.amount:
            buckets = added(buckets, key_of(state, part, part.time_ms or time_ms), part.amount)
    if event.moves_money and state.books is not before.books:
        moved = bill_money(state.books) - bill_money(before.books) + taken
        if moved:
            time_ms = event.moved_ms(time_ms)
            line = money_line(buckets, place_of(event), moved, time_ms)
            buckets = added(buckets, key_of(state, line, time_ms), line.amount)
    if buckets is state.buckets:
        return state
    return replace(state, buckets=buckets)


def money_line(buckets: Buckets, place: str, moved: int, time_ms: int) -> Billed:
    """Give what counts money of a place that moved in no charge: under the place, a correction by hand as a line."""
    if place == ADJUST:
        return Billed(time_ms, ADJUSTMENT, "", -moved, kind=ADJUSTMENT)
    return Billed(time_ms, _counted(buckets, place), "", moved)


def added(buckets: Buckets, key: SumKey, amount: int) -> Buckets:
    """Add to one sum; a new one stands last."""
    keys = buckets.keys
    # Mostly it is the very same key, which is seen sooner than that two are equal.
    for index, known in enumerate(keys):
        if known is key:
            return _more(buckets, index, amount)
    item = key.item
    for index, known in enumerate(keys):
        if known.item == item and known == key:
            return _more(buckets, index, amount)
    return Buckets(shared_keys((*keys, key)), (*buckets.amounts, amount))


def _more(buckets: Buckets, index: int, amount: int) -> Buckets:
    amounts = list(buckets.amounts)
    amounts[index] += amount
    return Buckets(buckets.keys, tuple(amounts))


def without(buckets: Buckets, month: int) -> Buckets:
    """Give the buckets of all other periods."""
    kept = [pair for pair in zip(buckets.keys, buckets.amounts, strict=True) if pair[0].month != month]
    if not kept:
        return EMPTY
    return Buckets(shared_keys(tuple([key for key, _ in kept])), tuple([amount for _, amount in kept]))


def key_of(account: Account, part: Billed, time_ms: int) -> SumKey:
    """Name the sum in which a part counts that began at a moment, UTC: of its period, or of the oldest open one."""
    terms = account.terms
    month, origin = month_at(terms.zone, terms.cycle_day, time_ms), 0
    if month <= terms.closed:
        month, origin = terms.closed + 1, month
    member = "" if account.account_id.endswith(part.member) else part.member
    return SumKey(month, part.item, member, origin, part.since, part.kind, part.rule, part.level)


def bill_money(books: Iterable[Book]) -> int:
    """Add up the money that pays for anything, valid or not: what is bound to an allowance is none of it.

    Money of a bound book that pays for a charge comes in by that, at its price.
    """
    return sum([book.amount for book in books if book.unit == MONEY and not book.allowance])


def place_of(event: BaseEvent) -> str:
    """Name what stands against the books in an event that is no charge."""
    for leg in event.legs():
        if leg.place not in ("revenue", "use") and not leg.place.startswith("book:"):
            return leg.place
    return GRANTED if event.billed() else "other"


def _counted(buckets: Buckets, place: str) -> str:
    """Give the item under which money of a place is counted."""
    item = MONEY_IN + place
    known = {key.item for key in buckets.keys if key.item[0] == MONEY_IN}
    if item in known or (len(known) < PLACES_MAX and len(place) <= PLACE_CHARS_MAX):
        return item
    return MONEY_IN + "other"
