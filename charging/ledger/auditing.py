"""The audit of an account: follows its journal entries, oldest first, and holds each against the one before.

It believes no balance that it has not seen come about: events are replayed, their postings added up, and both compared
with the movements that the caller was told. Of an account whose beginning is gone with its segment the movements are
followed book by book until a snapshot gives the whole state.
"""

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from charging.base.account import MAIN_BOOK, Account, Book
from charging.base.house_keys import receive_key
from charging.base.outgoing import Outgoing
from charging.base.receivables import RECEIVABLE, kept_for_bills, open_of
from charging.base.staged import kept_less
from charging.errors import Fault
from charging.ledger import applying
from charging.ledger.answering import WAITING
from charging.ledger.commands.close_period import PeriodClosed
from charging.ledger.commands.move_in import MovedIn
from charging.ledger.commands.receive_transfer import TransferReceived
from charging.ledger.commands.remember import REMEMBERED
from charging.ledger.commands.settle_transfer import TransferSettled
from charging.ledger.entry import Entry
from charging.ledger.event import BaseArrival
from charging.ledger.funds import movements
from charging.ledger.history import outcome
from charging.ledger.outcome import Done, Movement
from charging.ledger.passing import BillAssumed, BillPassed, BillReturned
from charging.ledger.reconciling import BillReconciling
from charging.ledger.sending import TransferSent
from charging.ledger.stage_reconciling import StageReconciling

FINDINGS_MAX = 100


class TransferHalves(Struct):
    """Halves of transfers, by the key under which each arrives; see `charging.ledger.commands.send_transfer`."""

    sent: dict[str, tuple[int, str, int]] = {}
    """Key → amount, its currency, and when it was sent."""
    received: dict[str, tuple[int, str]] = {}
    settled: dict[str, int] = {}
    """As the sender was told: arrived."""

    def note(self, account_id: str, entry: Entry, under_way: tuple[Outgoing, ...] | None) -> Iterator[str]:
        """Note those of an entry; gives what is wrong. `under_way` are the sender's before it, None = not known."""
        for event in entry.events:
            if isinstance(event, TransferSent):
                self.sent[receive_key(account_id, event.key)] = event.amount, event.currency, entry.time_ms
            elif isinstance(event, BillPassed):
                self.sent[receive_key(account_id, event.key)] = event.bill.open, event.currency, entry.time_ms
            elif isinstance(event, BillAssumed):
                self.received[entry.key] = event.amount, ""
            elif isinstance(event, BillReturned) and not event.reason:
                self.settled[receive_key(account_id, event.key)] = event.bill.open
            elif isinstance(event, TransferReceived):
                self.received[entry.key] = event.amount, event.currency
            elif isinstance(event, TransferSettled):
                known = under_way is None or any(
                    row.key == event.key and row.amount == event.amount for row in under_way
                )
                if not known:
                    yield f"entry {entry.key} settles a transfer of {event.amount} that is not under way"
                if event.arrived:
                    self.settled[receive_key(account_id, event.key)] = event.amount


class AuditReport(Struct, frozen=True):
    """What the audit of one account found. Without findings its movements add up to its books."""

    account_id: str
    entries: int
    refusals: int
    account: Account | None
    """State at the end, replayed."""
    totals: dict[str, int]
    """By place: what was posted against the books (revenue, deposit, transit, …)."""
    findings: tuple[str, ...]
    """Sentences for people, at most `FINDINGS_MAX`."""


class Audit:
    """Follow the entries of one account.

    `start` is the state before the first entry when older segments of the journal are gone; without it an account that
    does not begin with its opening is followed by its movements, until `meet` brings a snapshot.
    """

    def __init__(self, account_id: str, start: Account | None = None) -> None:
        self.account_id = account_id
        self.state = start
        self.entries = 0
        self.refusals = 0
        self.totals: dict[str, int] = {}
        self.findings: list[str] = []
        self.transfers = TransferHalves()
        self.bills = BillReconciling(start)
        self.stages = StageReconciling(start)
        self.numbers: list[str] = []
        """Of bills and credit notes, in the order of the journal."""
        self._keys: set[str] = set()
        self._version = -1
        """Newest version while the state is not known; -1 = none was seen."""
        self._amounts: dict[str, int] = {}
        """By book, as the movements tell it, while the state is not known."""

    def add(self, entry: Entry) -> None:
        """Check the next entry: version, key, legs, movements before and after, floors."""
        self.entries += 1
        if entry.account_id != self.account_id:
            self._find(f"entry {entry.key} is of account {entry.account_id}")
            return
        again = entry.kind == REMEMBERED and not entry.events  # After a port there and back: no second effect.
        if entry.key in self._keys and not again:
            self._find(f"key {entry.key} has two entries")
        self._keys.add(entry.key)
        self.numbers += [number for event in entry.events for number in event.numbers()]
        try:
            if not entry.events:
                self._refusal(entry)
            elif self.state is None and not begins(entry):
                self._follow(entry)
            else:
                self._replay(entry)
        except Fault as fault:
            self._find(f"entry {entry.key} can't be replayed: {fault.message}")
        except msgspec.MsgspecError as error:
            self._find(f"the outcome of entry {entry.key} can't be read: {error}")

    def meet(self, snapshot: Account) -> bool:
        """Compare the state with a snapshot written at the newest entry, or go on from there; False = they differ."""
        if self.state is not None:
            return snapshot == self.state
        if self._version not in (-1, snapshot.version):
            return False
        amounts = {book.book_id: book.amount for book in snapshot.books}
        if any(amounts.get(book_id, 0) != amount for book_id, amount in self._amounts.items()):
            return False
        self.state = snapshot
        return True

    def _refusal(self, entry: Entry) -> None:
        self.refusals += 1
        version = self.state.version if self.state is not None else max(0, self._version)
        if self.state is None and self._version < 0:
            self._version = entry.version
        elif entry.version != version:
            self._find(f"refusal {entry.key} says version {entry.version}, the account has {version}")
        answer = outcome(entry)
        if isinstance(answer, Done) and answer.movements and entry.kind != REMEMBERED:
            self._find(f"entry {entry.key} tells movements without events")

    def _follow(self, entry: Entry) -> None:
        """Check an entry without the state before it: by version, and book by book."""
        if self._version >= 0 and entry.version != self._version + 1:
            self._find(f"entry {entry.key} says version {entry.version} where {self._version + 1} follows")
        self._version = entry.version
        for sentence in self.transfers.note(self.account_id, entry, None):
            self._find(sentence)
        moves = self._moves(entry)
        for movement in self._told(entry):
            before = self._amounts.get(movement.book_id, movement.before)
            if movement.before != before:
                self._find(f"entry {entry.key} says that book {movement.book_id} held {movement.before}, not {before}")
            self._amounts[movement.book_id] = movement.after
            if movement.after - movement.before != moves.get(movement.book_id, 0):
                self._find(f"book {movement.book_id} moved otherwise than the postings of {entry.key} say")

    def _replay(self, entry: Entry) -> None:
        before = self.state
        after = applying.apply(before, entry.events, entry.key, entry.time_ms)
        if entry.version != after.version:
            self._find(f"entry {entry.key} says version {entry.version} where {after.version} follows")
        posted = self.totals.get(RECEIVABLE, 0)
        moves = self._moves(entry)
        posted -= self.totals.get(RECEIVABLE, 0)
        changed = movements(before.books if before is not None else (), after.books)
        if self._told(entry) != changed:
            self._find(f"entry {entry.key} tells movements that its events do not make")
        if not any(isinstance(event, MovedIn) for event in entry.events):
            for movement in changed:
                if movement.after - movement.before != moves.get(movement.book_id, 0):
                    self._find(f"book {movement.book_id} moved otherwise than the postings of {entry.key} say")
            if posted != open_of(after) - (open_of(before) if before is not None else 0):
                self._find(f"open bills changed otherwise than the postings of {entry.key} say")
        if before is None or before.books is not after.books or before.terms.credit_limit != after.terms.credit_limit:
            for sentence in _off_the_floor(entry, before, after):
                self._find(sentence)
        under_way = before.open.outgoing if before is not None else ()
        for sentence in self.transfers.note(self.account_id, entry, under_way):
            self._find(sentence)
        for sentence in (*self.bills.note(before, after, entry), *self.stages.note(after, entry)):
            self._find(sentence)
        self.state = after

    def _told(self, entry: Entry) -> tuple[Movement, ...]:
        answer = outcome(entry)
        if isinstance(answer, Done):
            return answer.movements
        if entry.kind in WAITING:
            return ()
        self._find(f"entry {entry.key} changed the account and yet tells a refusal")
        return ()

    def _moves(self, entry: Entry) -> dict[str, int]:
        """Add up the postings of an entry by book; those against books go to the totals."""
        moves: dict[str, int] = {}
        for event in entry.events:
            found = event.legs()
            if sum(leg.delta for leg in found):
                self._find(f"postings of {entry.key} do not add up to zero")
            for leg in found:
                book_id = leg.place.removeprefix("book:")
                into = self.totals if book_id == leg.place else moves
                into[book_id] = into.get(book_id, 0) + leg.delta
        return moves

    def _find(self, sentence: str) -> None:
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(sentence)

    def report(self) -> AuditReport:
        """Close the audit."""
        totals, findings = dict(self.totals), tuple(self.findings)
        return AuditReport(self.account_id, self.entries, self.refusals, self.state, totals, findings)


def _off_the_floor(entry: Entry, before: Account | None, account: Account) -> Iterator[str]:
    """Say which books an entry leaves below their floor, and which reserve something else than open sessions and bills
    keep.

    Only a bill takes more than there is, as for tax on top of prices; until that is paid, nothing else may take more.
    Who arrives from another domain may come with that.
    """
    key = entry.key
    bills_it = any(isinstance(event, PeriodClosed | BillAssumed | MovedIn) for event in entry.events)
    left_before = {} if before is None else {book.book_id: _left(before, book) for book in before.books}
    kept: dict[str, int] = {MAIN_BOOK: kept_for_bills(account)}
    for book_id, amount in kept_less(account.open.staged).items():
        kept[book_id] = kept.get(book_id, 0) - amount
    for session in account.open.sessions:
        for hold in session.holds:
            for book_id, amount in hold.reserved:
                kept[book_id] = kept.get(book_id, 0) + amount
    for book in account.books:
        floor = -account.terms.credit_limit if book.book_id == MAIN_BOOK else 0
        left = _left(account, book)
        if not bills_it and left < min(floor, left_before.get(book.book_id, floor)):
            yield f"entry {key} leaves book {book.book_id} below its floor"
        if book.reserved != kept.get(book.book_id, 0):
            yield f"entry {key} reserves in book {book.book_id} what no open session keeps, and no bill"


def _left(account: Account, book: Book) -> int:
    """Give what a book holds beyond what sessions keep.

    What bills keep may come after it was spent, as when a payment is charged back.
    """
    bills = kept_for_bills(account) if book.book_id == MAIN_BOOK else 0
    return book.amount - book.reserved + bills


def begins(entry: Entry) -> bool:
    """Say whether an account's state is known from this entry on."""
    return any(isinstance(event, BaseArrival) for event in entry.events)


def audit(entries: Iterable[Entry], account_id: str, start: Account | None = None) -> AuditReport:
    """Audit all entries of one account, oldest first."""
    following = Audit(account_id, start)
    for entry in entries:
        following.add(entry)
    return following.report()
