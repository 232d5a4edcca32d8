"""Sums of an account's postings by bill item, one bucket for each billing period that is open: the period as data.

A bill is made of sums, so nobody reads a month of the journal to make one, and a cut between two periods costs nothing:
both stand open side by side until one is closed. What was charged has an item of the catalogue; money that moved
otherwise has its place of the postings behind `MONEY_IN`: "~deposit", "~transit". Of every account therefore, to the
micro-unit: money in its books = all that came in - all that was charged.

Accounts of a region have the same few items, so they share the keys and each has numbers of its own.
"""

from msgspec import Struct

MONEY_IN = "~"
"""What items of money begin with that came in, or went out, other than by a charge; no item of a catalogue does."""
SHARED_KEYS_MAX = 10_000
"""Different keys, and rows of keys, that are held for sharing at once; beyond, they are forgotten and found again."""


class SumKey(Struct, frozen=True, array_like=True, gc=False):
    """What one sum is of."""

    month: int
    """Billing period: months since the year 0, the one in which it begins."""
    item: str
    """Of the catalogue, or `MONEY_IN` and a place of postings."""
    member: str = ""
    """Identity that used it; "" = the one that the account was opened under, or the account itself."""
    origin: int = 0
    """Period that it would have belonged to, had that not been closed already; 0 = its own."""
    since: int = 0
    """Local day since which taxes are as they were for it (`charging.bills.taxtable`); 0 = ever."""
    kind: str = ""
    """"" = usage, or "fee", "discount", "adjustment", "late_fee", "payee"."""
    rule: str = ""
    """Id of the fee or discount."""
    level: str = ""
    """Of a discount: S, I, A, C."""


class Buckets(Struct, frozen=True, array_like=True, gc=False):
    """The sums of all open periods: `amounts[n]` is that of `keys[n]`, micro-units."""

    keys: tuple[SumKey, ...] = ()
    amounts: tuple[int, ...] = ()

    def of(self, month: int) -> tuple[tuple[SumKey, int], ...]:
        """Give the bucket of a period, in the order in which its sums began."""
        return tuple([pair for pair in zip(self.keys, self.amounts, strict=True) if pair[0].month == month])

    def months(self) -> tuple[int, ...]:
        """Give the periods that have a bucket, oldest first."""
        return tuple(sorted({key.month for key in self.keys}))


class Billed(Struct, frozen=True, array_like=True, gc=False):
    """What an event adds to a bill."""

    time_ms: int
    """When what it is for began, UTC; 0 = when the owner decided it."""
    item: str
    member: str
    """Identity, as of `Buckets`."""
    amount: int
    """Micro-units; below zero it gives back."""
    since: int = 0
    """This and what follows as of `SumKey`."""
    kind: str = ""
    rule: str = ""
    level: str = ""


EMPTY = Buckets()

_shared_key: dict[SumKey, SumKey] = {}
_shared: dict[tuple[SumKey, ...], tuple[SumKey, ...]] = {}


def sharing_keys(buckets: Buckets) -> Buckets:
    """Give the same buckets with the keys that other accounts have."""
    return Buckets(shared_keys(buckets.keys), buckets.amounts) if buckets.keys else EMPTY


def shared_keys(keys: tuple[SumKey, ...]) -> tuple[SumKey, ...]:
    """Give keys that are equal to these, the same for all accounts; those of other members are nobody else's."""
    known = _shared.get(keys)
    if known is not None:
        return known
    keys = tuple([key if key.member else shared_key(key) for key in keys])
    for key in keys:
        if key.member:
            return keys
    if len(_shared) >= SHARED_KEYS_MAX:
        _shared.clear()
    _shared[keys] = keys
    return keys


def shared_key(key: SumKey) -> SumKey:
    """Give a key that is equal to one without a member, the same for all accounts."""
    known = _shared_key.get(key)
    if known is None:
        if len(_shared_key) >= SHARED_KEYS_MAX:
            _shared_key.clear()
            _shared.clear()
        known = _shared_key[key] = key
    return known
