"""The proof of a run: what callers were told against what the units hold, counted by two ways that share no code.

The first count adds up the replies (`country.tally`). The second opens the storage units and reads every journal entry:
no server takes part, and no cache, projection or snapshot is believed. They must agree for each request key, to the
micro-unit, and every key must have been charged once.
"""

import struct
from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec
import zstandard
from msgspec import Struct

from charging.base.account import MONEY, Account
from charging.ledger.commands.move_in import MovedIn
from charging.ledger.commands.move_out import MovedOut
from charging.ledger.commands.open_account import Opened
from charging.ledger.commands.post_charge import Charged
from charging.ledger.entry import Entry
from charging.ledger.event import BaseEvent
from charging.ledger.events import Booked, SessionStepped
from charging.ledger.spreading import charged_in
from charging.ledger.usescharged import UsesCharged
from charging.wire import Done, Failed
from house.stores import STORES
from runtime.inflate import unzstd
from storage.unit import Unit

MISMATCHES_TOLD_MAX = 20
CHARGE_KINDS = ("c", "post_usage", "session")
KEY_ID_BYTES = 8
"""A group begins with the id of the key that chains it."""
PLAIN_BYTES_MAX = 1 << 28
"""Of a group, far above any that was written."""

_head = struct.Struct("<BBHI")
"""Of a group: two marks, how many blocks and entries it has."""
_block = msgspec.msgpack.Decoder(list[bytes])
_entry = msgspec.msgpack.Decoder(Entry)
_outcome = msgspec.msgpack.Decoder(Done | Failed)


class Journals(Struct):
    """What the journals of all slots hold. Money in micro-units."""

    groups: int = 0
    entries: int = 0
    refusals: int = 0
    charged: dict[str, int] = {}
    """Request key → amount that the postings of the charge, or of the session's step, took."""
    moved: int = 0
    """Sum of the movements (before - after) of money books under charges, from the outcomes, not from the postings."""
    opened: int = 0
    """Money that accounts were opened with."""
    booked: int = 0
    """Money brought in by hand."""
    billed: int = 0
    """Moved otherwise: fees, bills, payments, what was staged."""
    in_transit: int = 0
    """Money of accounts that left one domain, less that of those that arrived in another: nothing."""
    closing: int = 0
    """Money in all books at the end, each book by the last movement that names it."""
    faults: list[str] = []
    """What should never be: a key twice, postings that don't add up, a movement that doesn't follow the one before."""
    fault_count: int = 0


class Verdict(Struct, frozen=True):
    """The comparison."""

    acknowledged: int
    """Keys that callers were told are charged."""
    acknowledged_amount: int
    """Micro-units, as all amounts here."""
    journaled: int
    """Keys that the journals say are charged."""
    journaled_amount: int
    moved_amount: int
    """What left the money books, by the outcomes."""
    lost: int
    """Told charged, not in a journal."""
    doubled: int
    """In a journal under one key more than once, or never told to anybody although all were answered."""
    different: int
    """In both with different amounts."""
    opened_amount: int
    booked_amount: int
    billed_amount: int
    closing_amount: int
    complaints: tuple[str, ...]
    """Sentences, the first `MISMATCHES_TOLD_MAX` of each kind."""

    @property
    def difference(self) -> int:
        """What opening, booked, billed, charged and closing money leave unexplained, micro-units: 0 = all is right."""
        return (
            self.opened_amount + self.booked_amount + self.billed_amount - self.journaled_amount - self.closing_amount
        )

    @property
    def holds(self) -> bool:
        """Say whether everything agrees."""
        return (
            not self.complaints
            and self.lost == self.doubled == self.different == 0
            and self.acknowledged_amount == self.journaled_amount == self.moved_amount
            and self.difference == 0
        )


class JournalCounter:
    """Counts journals entry by entry."""

    def __init__(self) -> None:
        self.found = Journals(charged={}, faults=[])
        self._accounts: dict[str, dict[str, int]] = {}
        """Money books of the accounts in the journal being read."""

    def take(self, payload: bytes) -> None:
        """Count one group of the journal being read."""
        self.found.groups += 1
        for entry in entries_of(payload):
            self.found.entries += 1
            if not entry.events:
                self.found.refusals += not entry.facts  # What happened to other subjects moves no money.
                continue
            self._take(entry)

    def end_journal(self) -> None:
        """The journal is read: what its accounts hold is final, and no account is in two journals."""
        self.found.closing += sum(sum(books.values()) for books in self._accounts.values())
        self._accounts.clear()

    def finish(self) -> Journals:
        """Give the count."""
        if self.found.in_transit:
            self._fault(f"{self.found.in_transit} micro-units left a domain and arrived nowhere")
        return self.found

    def _take(self, entry: Entry) -> None:
        charged = charged_in(entry.events)
        if charged:  # Many of one entry are a batch of uses, charged under one key.
            taken = sum(amount for event in charged for _, amount in event.postings)
            self._charge(entry.key, sum(event.charge.amount for event in charged), taken)
        for event in entry.events:
            match event:
                case Opened(account=account):
                    self.found.opened += self._settle(account)
                    return
                case MovedIn(account=account):
                    self.found.in_transit -= self._settle(account)
                    return
                case MovedOut():
                    self.found.in_transit += sum(self._accounts.pop(entry.account_id, {}).values())
                    return
                case SessionStepped(postings=steps) if steps:
                    taken = sum(amount for step in steps for _, amount in step.postings)
                    self._charge(entry.key, sum(step.amount for step in steps), taken)
                case Booked(postings=postings):
                    self.found.booked += sum(amount for _, amount in postings)
                case Charged() | UsesCharged():
                    pass
                case _:
                    self.found.billed += self._money_of(entry.account_id, event)
        self._follow(entry)

    def _charge(self, key: str, amount: int, taken: int) -> None:
        if taken != amount:
            self._fault(f"{key}: postings take {taken}, the charge says {amount}")
        if key in self.found.charged:
            self._fault(f"{key} is charged twice")
        self.found.charged[key] = taken

    def _money_of(self, account_id: str, event: BaseEvent) -> int:
        """Add up what an event moves in the money books that an account has, by its postings."""
        places = {f"book:{book_id}" for book_id in self._accounts.get(account_id, ())}
        return sum(leg.delta for leg in event.legs() if leg.place in places)

    def _settle(self, account: Account) -> int:
        books = {book.book_id: book.amount for book in account.books if book.unit == MONEY}
        self._accounts[account.account_id] = books
        return sum(books.values())

    def _follow(self, entry: Entry) -> None:
        outcome = _outcome.decode(entry.outcome)
        if isinstance(outcome, Failed):
            self._fault(f"{entry.key} has events and a refusal")
            return
        books = self._accounts.setdefault(entry.account_id, {})
        for movement in outcome.movements:
            if movement.unit != MONEY:
                continue
            before = books.get(movement.book_id, 0)
            if before != movement.before:
                self._fault(f"{entry.key} finds {movement.before} in book {movement.book_id}, which held {before}")
            books[movement.book_id] = movement.after
            if entry.kind in CHARGE_KINDS:
                self.found.moved += movement.before - movement.after

    def _fault(self, text: str) -> None:
        self.found.fault_count += 1
        if len(self.found.faults) < MISMATCHES_TOLD_MAX:
            self.found.faults.append(text)


def entries_of(payload: bytes) -> tuple[Entry, ...]:
    """Read the entries of a group, oldest first, not with the writers' code: a second reading of the layout.

    See `domainservers.journal.framing`. Raises `struct.error` or `msgspec.MsgspecError` for what is no group.
    """
    _magic, _layout, blocks, entries = _head.unpack_from(payload)
    at = _head.size + 4 * entries
    sizes = struct.unpack_from(f"<{blocks}I", payload, at)
    at += 4 * blocks
    found: list[Entry] = []
    for size in sizes:
        block = payload[at : at + size]
        at += size
        packed = block.startswith(zstandard.FRAME_HEADER)
        found += map(_entry.decode, _block.decode(unzstd(block, PLAIN_BYTES_MAX) if packed else block))
    return tuple(found)


async def count(journals: Mapping[str, Sequence[str]]) -> Journals:
    """Count the journals (unit URL → journal names). Raises `StoreUnavailable` when a unit can't be read."""
    counter = JournalCounter()
    for url, names in journals.items():
        unit = await STORES.open(url)
        try:
            for name in names:
                async for payload in payloads(unit, name):
                    counter.take(payload)
                counter.end_journal()
        finally:
            await unit.close()
    return counter.finish()


async def payloads(unit: Unit, journal: str) -> AsyncIterator[bytes]:
    """Give the groups of a journal, oldest first, from its first segment on, up to the head of each.

    Without the key's id and without any proof: `audit.journals` does that. Raises `StoreUnavailable`.
    """
    segment = 0
    while (head := await unit.head(journal, segment)) is not None:
        async for page in unit.read(journal, segment, 0, head.seq):
            for group in page:
                yield group.payload[KEY_ID_BYTES:]
        segment += 1


def compare(acknowledged: Mapping[str, int], journals: Journals) -> Verdict:
    """Compare the replies with the journals, key by key; `acknowledged` are request key → micro-units.

    All callers must have their answers: a charge that nobody was told counts as doubled.
    """
    complaints = list(journals.faults)
    lost = [key for key in acknowledged if key not in journals.charged]
    untold = [key for key in journals.charged if key not in acknowledged]
    different = [key for key, amount in acknowledged.items() if journals.charged.get(key, amount) != amount]
    for text, keys in (
        ("told charged, not in a journal", lost),
        ("in a journal, never told", untold),
        ("told and journaled with different amounts", different),
    ):
        complaints += [f"{key}: {text}" for key in keys[:MISMATCHES_TOLD_MAX]]
    return Verdict(
        acknowledged=len(acknowledged),
        acknowledged_amount=sum(acknowledged.values()),
        journaled=len(journals.charged),
        journaled_amount=sum(journals.charged.values()),
        moved_amount=journals.moved,
        lost=len(lost),
        doubled=journals.fault_count + len(untold),
        different=len(different),
        opened_amount=journals.opened,
        booked_amount=journals.booked,
        billed_amount=journals.billed,
        closing_amount=journals.closing,
        complaints=tuple(complaints),
    )
