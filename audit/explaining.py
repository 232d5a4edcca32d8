"""From a line of a bill to the charges behind it, and from a charge to its tariff, discounts and journal entry.

Nothing is kept for it: the account is followed through its journal from the beginning, entry by entry, by the functions
that made it. What an entry added to the sums of a period is its part of the lines, so the parts of a line add up to it,
to the micro-unit, or something is wrong.
"""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from msgspec import Raw, Struct
from msgspec.structs import replace

from audit.bill_rerating import until_closed
from audit.journals import JournalRef
from audit.reading import read_journal
from charging.base.account import Account
from charging.base.buckets import MONEY_IN, SumKey
from charging.base.usage import Step, unpack_steps
from charging.bills.bill import Bill
from charging.errors import NotFound
from charging.ledger.auditing import Audit, begins
from charging.ledger.commands.close_period import PeriodClosed
from charging.ledger.entry import Entry
from charging.ledger.event import Leg

PARTS_MAX = 100_000
"""Of one explanation."""


class Located(Struct, frozen=True):
    """An entry and where it stands in its journal."""

    slot: str
    group: int
    place: int
    entry: Entry


class LinePart(Struct, frozen=True):
    """What one entry added to one sum of a period."""

    at: Located
    head: SumKey
    amount: int


class PeriodExplained(Struct, frozen=True):
    """All that was posted in a period, and the bill that was made of it."""

    parts: tuple[LinePart, ...]
    bill: Bill | None
    """None = it is not closed, or there was nothing to bill."""
    closed_by: Located | None
    discounts: tuple[Step, ...] = ()
    """What rules for the whole bill looked at and took: lines of the bill that nothing was posted for."""
    zone: str = "UTC"
    """By whose clock the account lives."""

    def of_item(self, item: str) -> "PeriodExplained":
        """Leave out what is of other items."""
        return replace(self, parts=tuple(part for part in self.parts if part.head.item == item))

    def sums(self) -> dict[SumKey, int]:
        """Add up by head."""
        found: dict[SumKey, int] = {}
        for part in self.parts:
            found[part.head] = found.get(part.head, 0) + part.amount
        return found


class ChargeExplained(Struct, frozen=True):
    """One entry, and what made and followed from it."""

    at: Located
    steps: tuple[Step, ...]
    """How its price came about: tariffs, allowances, discounts with their level, rounding."""
    legs: tuple[Leg, ...]
    """Its journal entry in the sense of bookkeeping: they add up to nothing."""
    heads: tuple[tuple[SumKey, int], ...]
    """Lines that it is a part of, by period."""


async def explain_period(ref: JournalRef, account_id: str, month: int) -> PeriodExplained:
    """Find all parts of a period of an account (months since the year 0), in the order of the journal.

    Raises `NotFound` BEYOND_REACH when the account's beginning is gone with old segments; else as `read_journal`.
    """
    parts: list[LinePart] = []
    bill, closed_by, zone = None, None, "UTC"
    discounts: tuple[Step, ...] = ()
    async with aclosing(_followed(ref, account_id)) as entries:
        async for at, before, after in entries:
            zone = after.terms.zone
            closing = [event for event in at.entry.events if isinstance(event, PeriodClosed)]
            for event in closing:
                if event.month == month:
                    bill, closed_by = event.bill, at
                    discounts = unpack_steps(Raw(event.steps)) if event.steps else ()
            posted = until_closed(before, at.entry) if closing and before is not None else after
            parts += [LinePart(at, head, amount) for head, amount in added(before, posted) if head.month == month]
            if len(parts) > PARTS_MAX:
                raise NotFound("BEYOND_REACH", f"more than {PARTS_MAX:,} postings in the period are too many to tell")
    return PeriodExplained(tuple(parts), bill, closed_by, discounts, zone)


async def month_of_bill(ref: JournalRef, account_id: str, number: str) -> int:
    """Find the period of a bill by its number (months since the year 0). Raises `NotFound` BEYOND_REACH."""
    async with aclosing(_followed(ref, account_id)) as entries:
        async for at, _, _ in entries:
            for event in at.entry.events:
                if isinstance(event, PeriodClosed) and event.bill is not None and event.bill.number == number:
                    return event.month
    raise NotFound("BEYOND_REACH", f"the journal of {ref.name} has no bill {number} of {account_id}")


async def explain_charge(ref: JournalRef, account_id: str, key: str) -> ChargeExplained:
    """Find the entry of a request key. Raises as `explain_period`; `NotFound` CHARGE_UNKNOWN when there is none."""
    async with aclosing(_followed(ref, account_id)) as entries:
        async for at, before, after in entries:
            if at.entry.key == key:
                charged = [charge for event in at.entry.events for _, charge in event.charges()]
                steps = tuple(step for charge in charged for step in unpack_steps(charge.steps))
                legs = tuple(leg for event in at.entry.events for leg in event.legs())
                return ChargeExplained(at, steps, legs, added(before, after))
    raise NotFound("CHARGE_UNKNOWN", f"the journal of {ref.name} has no entry {key!r} of {account_id}")


def added(before: Account | None, after: Account) -> tuple[tuple[SumKey, int], ...]:
    """Give what changed in the sums of charges between two states; money that came in or went out is none of it."""
    old = dict(_charges(before)) if before is not None else {}
    return tuple((head, amount - old.get(head, 0)) for head, amount in _charges(after) if amount != old.get(head, 0))


def _charges(account: Account) -> Iterable[tuple[SumKey, int]]:
    sums = account.buckets
    return (pair for pair in zip(sums.keys, sums.amounts, strict=True) if not pair[0].item.startswith(MONEY_IN))


async def _followed(ref: JournalRef, account_id: str) -> AsyncGenerator[tuple[Located, Account | None, Account], None]:
    """Follow an account: each entry with the state before and after it."""
    audit: Audit | None = None
    async with aclosing(read_journal(ref, 0)) as groups:
        async for group in groups:
            for place, entry in group.entries:
                if entry.account_id != account_id or not entry.events:
                    continue
                if audit is None:
                    if not begins(entry):
                        raise NotFound("BEYOND_REACH", f"the beginning of {account_id} is gone with old segments")
                    audit = Audit(account_id, None)
                before = audit.state
                audit.add(entry)
                if audit.state is not None:
                    yield Located(ref.name, group.seq, place, entry), before, audit.state
