"""Rated usage from journal entries, one record each: what was used, when and where, and what it cost."""

from collections.abc import Iterable, Iterator

from msgspec import Raw, Struct

from charging.base.usage import Usage
from charging.ledger.commands.post_charge import Charged
from charging.ledger.commands.post_usage import UsageSetAside
from charging.ledger.commands.refund import Refunded
from charging.ledger.commands.restate_usage import RestatedAmount, RestatedLine, UsageRestated
from charging.ledger.entry import Entry
from charging.ledger.event import Pair
from charging.ledger.events import SessionStepped
from charging.ledger.spreading import spread

CHARGE, SESSION, REFUND, RESTATED, LATE = "charge", "session", "refund", "restated", "late"
KINDS = (CHARGE, SESSION, REFUND, RESTATED, LATE)
NO_STEPS = Raw(b"\x90")


class RatedUsage(Struct, frozen=True, array_like=True, gc=False):
    """One usage, one service of a session's step, what a refund gave back, a line that was restated, or a usage that
    was set aside at no price until its cycle is rated anew; micro-units.
    """

    key: str
    kind: str
    time_ms: int
    """When it was charged, by the owner's clock, UTC."""
    usage: Usage
    """Of a session's step the piece that it belongs to, with the whole quantity so far; of a refund none."""
    quantity: int
    """Base units that this record adds."""
    amount: int
    """Micro-units that it adds; below zero where a step, or a refund, gave some back."""
    channel: str
    version: int
    """Of the account, after it."""
    session_id: str = ""
    of_key: str = ""
    """Of a refund: the key of its charge; of a usage that replaces what was charged for a part of it, the part's."""
    steps: Raw = NO_STEPS
    """The packed explanation: of the usage, or of the whole piece."""
    of_start_ms: int = 0
    """When that part began, UTC."""


class UsageEffect(Struct, frozen=True, array_like=True, gc=False):
    """What one record of rated usage did besides its amount: what rating it again must know to take it back."""

    accruals: tuple[Pair, ...] = ()
    """Added to accumulators: (key, quantity)."""
    takes: tuple[Pair, ...] = ()
    """Taken from books that rating named: (book id, amount)."""
    item: str = ""
    """Account item of the catalogue."""
    taxed_since: int = 0
    """As of `charging.base.buckets.SumKey.since`."""
    currency: str = ""


def records(entry: Entry) -> tuple[RatedUsage, ...]:
    """Give the rated usage of an entry, in the order of its events; of most kinds of entries there is none."""
    found: list[RatedUsage] = []
    for event in spread(entry.events):
        if isinstance(event, Charged):
            usage, charge = event.usage, event.charge
            found.append(_record(entry, CHARGE, usage, usage.quantity, charge.amount, steps=charge.steps))
        elif isinstance(event, SessionStepped):
            session_id = event.session.session_id
            for row in event.postings:
                added = row.usage.quantity - row.used_before
                found.append(
                    _record(entry, SESSION, row.usage, added, row.amount, session_id=session_id, steps=row.charge.steps)
                )
        elif isinstance(event, Refunded):
            nothing = Usage(entry.identity, "", entry.time_ms, 0)
            found.append(_record(entry, REFUND, nothing, 0, -event.amount, of_key=event.charge_key))
        elif isinstance(event, UsageSetAside):
            found.append(_set_aside(entry, event))
        elif isinstance(event, UsageRestated):
            for line, _ in _restated(event):
                usage = Usage(line.member or entry.identity, "", line.time_ms, 0)
                found.append(_record(entry, RESTATED, usage, 0, line.difference))
    return tuple(found)


def _set_aside(entry: Entry, event: UsageSetAside) -> RatedUsage:
    usage, part = event.usage, event.replaced
    if part is None:
        return _record(entry, LATE, usage, usage.quantity, 0)
    added = usage.quantity - part.quantity
    return _record(entry, LATE, usage, added, 0, of_key=part.request_key, of_start_ms=part.start_ms)


def _restated(event: UsageRestated) -> Iterator[tuple[RestatedLine, UsageEffect]]:
    """Give its lines with what they did: what was counted and taken in a cycle stands with the first line of it."""
    counters, takes = _by_moment(event.counters), _by_moment(event.takes)
    moments = dict.fromkeys((*(line.time_ms for line in event.lines), *counters, *takes))
    for moment in moments:
        counted, taken = tuple(counters.get(moment, ())), tuple(takes.get(moment, ()))
        mine = [line for line in event.lines if line.time_ms == moment]
        for line in mine or [RestatedLine(moment, "", "", 0, 0)]:
            yield line, UsageEffect(counted, taken, line.item, line.taxed_since)
            counted = taken = ()


def _by_moment(amounts: Iterable[RestatedAmount]) -> dict[int, list[Pair]]:
    found: dict[int, list[Pair]] = {}
    for each in amounts:
        found.setdefault(each.time_ms, []).append((each.name, each.difference))
    return found


def _record(
    entry: Entry,
    kind: str,
    usage: Usage,
    quantity: int,
    amount: int,
    *,
    session_id: str = "",
    of_key: str = "",
    steps: Raw = NO_STEPS,
    of_start_ms: int = 0,
) -> RatedUsage:
    return RatedUsage(
        entry.key,
        kind,
        entry.time_ms,
        usage,
        quantity,
        amount,
        entry.channel,
        entry.version,
        session_id,
        of_key,
        steps,
        of_start_ms,
    )


def effects(entry: Entry) -> tuple[UsageEffect, ...]:
    """Give what each record of `records` did, in the same order."""
    found: list[UsageEffect] = []
    for event in spread(entry.events):
        if isinstance(event, Charged):
            charge, item = event.charge, event.charge.item or event.usage.service
            found.append(UsageEffect(charge.accruals, charge.takes, item, charge.taxed_since, charge.currency))
        elif isinstance(event, SessionStepped):
            for row in event.postings:
                charge, item = row.charge, row.charge.item or row.usage.service
                found.append(UsageEffect(row.accruals, row.units, item, charge.taxed_since, charge.currency))
        elif isinstance(event, (Refunded, UsageSetAside)):
            found.append(UsageEffect())
        elif isinstance(event, UsageRestated):
            found += [effect for _, effect in _restated(event)]
    return tuple(found)
