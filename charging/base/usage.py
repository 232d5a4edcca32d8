"""What is rated, and what rating gives: usage in, charge with its steps out.

Units: money in micro-units of the currency (int), quantities in the base unit of the service (seconds, bytes, events),
times in milliseconds UTC. Fractions are exact pairs (numerator, denominator).
"""

from collections.abc import Sequence

import msgspec
from msgspec import Raw, Struct


class Usage(Struct, frozen=True, array_like=True):
    """One event or one piece of a session, as the front end reports it, normalised."""

    identity: str
    service: str
    start_ms: int
    """UTC."""
    quantity: int
    """Base units of the service: seconds, bytes, events."""
    other_party: str = ""
    visited: str = ""
    """Domain code or network abroad where it happened; empty = at home."""
    attributes: dict[str, str] = {}


ENDS = "the call ends here"
"""Detail of a cap's step after which nothing more is granted."""


class Step(Struct, frozen=True, array_like=True, gc=False):
    """One line of an explanation. The exact values of all steps add up to the charge."""

    kind: str
    """offering, allowance, book, tariff, connect, minimum, cap, discount, rounding, fee"""
    rule: str
    """Catalogue id of the tariff, allowance or discount rule."""
    origin: str
    """"" = national, else the domain whose override made it."""
    quantity: int
    """Base units that the step is about; of a rounding, the micro-units it came to."""
    unit: str
    """second, byte, event, day, micro; "" = the step counts nothing."""
    numerator: int
    """Exact value in micro-units = numerator / denominator; 0 for free units."""
    denominator: int
    """Not zero."""
    detail: str = ""
    """What a person needs besides: band, price per increment, level, before and after."""
    level: str = ""
    """S, I, A, C for discounts."""


class Charge(Struct, frozen=True, array_like=True, gc=False):
    """The outcome of rating: what to take and why. Nothing is posted yet."""

    amount: int
    """Micro-units, never negative."""
    currency: str
    takes: tuple[tuple[str, int], ...]
    """Units to take from unit books (not money): (book id, units)."""
    accruals: tuple[tuple[str, int], ...]
    """Additions to accumulators, allowances among them: (key as `charging.base.accumulators` writes it, quantity)."""
    catalogue: int
    """Version of the national catalogue that priced it."""
    depends: bool
    """Rating read balances or accumulators, so the charge holds only for the account version it was rated on."""
    steps: tuple[Step, ...]
    item: str = ""
    """Account item of the catalogue, under which bills add it up; "" = the service's name."""
    taxed_since: int = 0
    """Local day, counted from 1970-01-01, since which taxes are as they were when the usage began; 0 = ever."""


def ended(charge: Charge) -> bool:
    """Say whether a charge has reached a cap that ends the call: then less may be used than it is for."""
    return any(step.kind == "cap" and step.detail == ENDS for step in charge.steps)


class SealedCharge(Struct, frozen=True, array_like=True, gc=False):
    """A `Charge` on the wire and in the journal: the same layout, the explanation left packed."""

    amount: int
    """Micro-units, never negative."""
    currency: str
    takes: tuple[tuple[str, int], ...]
    """From books that rating named: (book id, amount); the rest is drawn by the owner."""
    accruals: tuple[tuple[str, int], ...]
    """(accumulator's key, quantity)."""
    catalogue: int
    """Version of the national catalogue that it was rated by."""
    depends: bool
    steps: Raw
    item: str = ""
    taxed_since: int = 0


class AllowanceLeft(Struct, frozen=True, gc=False):
    """What is left of an allowance or of what rolled over, in base units."""

    allowance: str
    name: str
    unit: str
    quota: int
    """What the period gives."""
    used: int
    """What was taken of it."""
    remaining: int
    """What may still be taken, by this member too; never negative."""
    period: str
    """First local day, yyyymmdd; "all" when it never begins again."""
    valid_from_ms: int
    """When the period began, UTC."""
    valid_to_ms: int
    """When what remains lapses, exclusive; 0 = never."""
    member_cap: int
    """What one member may take in a period; 0 = any."""
    member_used: int
    shared: bool
    """All members draw on it."""
    rolled_from: str
    """First day of the period that left it; "" = it is the quota of its own period."""
    subscribed_from_ms: int
    """Begin of the one subscription that it is for; 0 = of none."""


# A long fraction is written as text, see `pack_long`; what is no fraction is checked as strictly by the types.
_unpack_steps = msgspec.msgpack.Decoder(tuple[Step, ...], strict=False).decode


def pack_long(steps: Sequence[Step]) -> bytes:
    """Pack steps of which some value has more than 64 bits: stacked percentages multiply their denominators."""
    rows = [list(msgspec.structs.astuple(step)) for step in steps]
    for row in rows:
        row[5:7] = [str(row[5]), str(row[6])]
    return msgspec.msgpack.encode(rows)


def unpack_steps(packed: Raw) -> tuple[Step, ...]:
    """Give the explanation that a charge travelled with."""
    return _unpack_steps(packed)
