"""What was posted of each fee: the newest time that it paid for, and those before it that may still be given back.

A change that holds from a moment in the past gives back what was charged for the time since, posting by posting: a
credit is what was charged less what was used, so what was charged must be known. It is known for `KEPT_MS`, which is
also how far back a catalogue may let such a change reach.
"""

from collections.abc import Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from charging.base.account import Account
from charging.base.bounds import PAST_DAYS_MAX
from charging.base.feemark import FeeMark

KEPT_MS = (PAST_DAYS_MAX + 1) * 86_400_000
"""So long a posting is remembered behind the newest one."""
EARLIER_MAX = 36
"""Postings of one fee that are remembered behind the newest one: of a fee by the day, those of so many days."""


class PaidTime(Struct, frozen=True, array_like=True, gc=False):
    """One posting before the newest one, less what was given back of it."""

    from_ms: int
    to_ms: int
    amount: int


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(tuple[PaidTime, ...]).decode


def mark_of(account: Account, identity: str, offering: str, fee: str) -> FeeMark | None:
    """Give what was posted last of a fee; None = nothing ever was, or it is forgotten."""
    return mark_among(account.open.fees, identity, offering, fee)


def mark_among(marks: Sequence[FeeMark], identity: str, offering: str, fee: str) -> FeeMark | None:
    """Find it among marks."""
    for mark in marks:
        if mark.fee == fee and mark.offering == offering and mark.identity == identity:
            return mark
    return None


def earlier(mark: FeeMark) -> tuple[PaidTime, ...]:
    """Give what was posted before the newest posting, newest first."""
    return _unpack(mark.earlier) if mark.earlier else ()


def newest(mark: FeeMark) -> FeeMark:
    """Give the newest posting of which something is left: one that was given back whole is passed over."""
    if mark.from_ms < mark.to_ms or not mark.earlier:
        return mark
    first, *others = earlier(mark)
    return replace(mark, from_ms=first.from_ms, to_ms=first.to_ms, amount=first.amount, earlier=_packed(others))


def following(known: FeeMark, new: FeeMark) -> FeeMark:
    """Give the mark of a new posting, with what is remembered of those before it."""
    before = earlier(known)
    if known.from_ms < known.to_ms:
        before = (PaidTime(known.from_ms, known.to_ms, known.amount), *before)
    kept = [paid for paid in before if paid.to_ms > new.from_ms - KEPT_MS][:EARLIER_MAX]
    return replace(new, earlier=_packed(kept))


def postings(mark: FeeMark) -> tuple[FeeMark, ...]:
    """Give each posting that is remembered as a mark of its own, newest first, but for those that were given back."""
    found: list[FeeMark] = []
    at = newest(mark)
    while at.from_ms < at.to_ms:
        found.append(at)
        at = newest(replace(at, to_ms=at.from_ms))
    return tuple(found)


def known_since_ms(mark: FeeMark) -> int:
    """Give since when all postings of a fee are remembered, UTC; 0 = ever."""
    before = earlier(mark)
    return before[-1].from_ms if len(before) == EARLIER_MAX else 0


def _packed(paid: list[PaidTime] | tuple[PaidTime, ...]) -> bytes:
    return _pack(paid) if paid else b""
