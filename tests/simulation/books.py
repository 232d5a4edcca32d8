"""What the journals of a simulated store say, read from its raw bytes: not with the code that wrote them, but for the
ledger's replay."""

import struct
from hashlib import blake2b
from operator import attrgetter

import msgspec
import zstandard
from msgspec.structs import replace

from business.billing.events import RunEvent
from business.kinds import KINDS
from business.subjects import unborn
from charging.base.account import MAIN_BOOK, Account, Book
from charging.base.receivables import kept_for_bills
from charging.base.subject import PackedSubject, kind_of
from charging.ledger.answering import WAITING
from charging.ledger.commands.close_period import PeriodClosed
from charging.ledger.commands.move_in import MoveIn
from charging.ledger.commands.remember import REMEMBERED
from charging.ledger.entry import Entry
from charging.ledger.kinds import TAGS
from charging.ledger.ledger import replay
from charging.ledger.passing import BillAssumed
from charging.wire import Done, unpack_answer
from tests.simulation.node import RING
from tests.simulation.store import Store

_entry = msgspec.msgpack.Decoder(Entry).decode
_subject = msgspec.msgpack.Decoder(PackedSubject).decode
_run_event = msgspec.msgpack.Decoder(RunEvent).decode
_parts = msgspec.msgpack.Decoder(list[bytes]).decode


class Wrong(AssertionError):
    """A promise was broken; the message says which."""


def require(condition: bool, message: str) -> None:
    """Raise `Wrong` unless the condition holds."""
    if not condition:
        raise Wrong(message)


SECRET = RING.current.secret
KEY_ID_BYTES = 8
"""A group begins with the id of its key; here there is one."""


def journal_of(store: Store, name: str) -> list[tuple[int, Entry]]:
    """Read a journal as it is in the end, checking every link of the hash chain."""
    tip = blake2b(name.encode(), digest_size=32).digest()
    seq = -1
    found: list[tuple[int, Entry]] = []
    number = 0
    while (head := store.heads.get((name, number))) is not None:
        rows = store.groups.get((name, number), {})
        while seq < head.seq:
            seq += 1
            require(seq in rows, f"{name}: group {seq} is missing")
            tip = blake2b(tip + rows[seq], digest_size=32, key=SECRET, person=b"onetier group").digest()
            found += [(seq, entry) for entry in _entries_of(rows[seq][KEY_ID_BYTES:])]
        require(tip == head.tip, f"{name}: segment {number} does not end at its tip")
        require(head.sealed or (name, number + 1) not in store.heads, f"{name}: segment {number} is open but not last")
        number += 1
    return found


def _entries_of(payload: bytes) -> list[Entry]:
    """Read a group as its layout is written down: index of accounts, sizes of blocks, blocks."""
    magic, layout, blocks, size = struct.unpack_from("<BBHI", payload)
    require((magic, layout) == (0xC1, 1), "a group has another layout")
    start = 8 + 4 * size
    sizes = struct.unpack_from(f"<{blocks}I", payload, start)
    start += 4 * blocks
    found: list[Entry] = []
    for length in sizes:
        block = payload[start : start + length]
        start += length
        plain = zstandard.decompress(block) if block.startswith(zstandard.FRAME_HEADER) else block
        found += [_entry(part) for part in _parts(plain)]
    require(len(found) == size and start == len(payload), "a group does not have what it says")
    return found


class Books:
    """What the journals say, account by account."""

    def __init__(self, store: Store, slots: list[str]) -> None:
        self.entries: dict[tuple[str, str], Entry] = {}
        """By account and key: where it was decided, not where a port let it be remembered."""
        self.places: dict[tuple[str, str], list[Entry]] = {}
        """By slot and account: all that its journal has."""
        self.states: dict[str, Account] = {}
        self.balances: dict[tuple[str, int], int] = {}
        self.subjects: dict[tuple[str, int], PackedSubject] = {}
        """What else a slot holds, as it was at each version."""
        for slot in slots:
            newest: dict[str, int] = {}
            keys: set[tuple[str, str]] = set()
            for seq, entry in journal_of(store, slot):
                self._take(slot, entry, keys)
                require(entry.previous_seq == newest.get(entry.account_id, -1), f"{slot}: chain of {entry.key} breaks")
                newest[entry.account_id] = seq
        lives: dict[str, list[Entry]] = {}
        for (_, account_id), entries in self.places.items():
            lives.setdefault(account_id, []).extend(entry for entry in entries if entry.events)
            self._check_remembered(entries)
        for account_id, entries in lives.items():
            self._follow(account_id, sorted(entries, key=attrgetter("version")))

    def _take(self, slot: str, entry: Entry, keys: set[tuple[str, str]]) -> None:
        place = (entry.account_id, entry.key)
        require(place not in keys, f"{slot}: key {entry.key} has two entries")
        keys.add(place)
        if entry.facts:
            self._take_subject(entry)
        self.places.setdefault((slot, entry.account_id), []).append(entry)
        if entry.kind != REMEMBERED:
            require(place not in self.entries, f"{slot}: key {entry.key} was decided in another domain, too")
            self.entries[place] = entry

    def _check_remembered(self, entries: list[Entry]) -> None:
        """What a port lets be remembered is what was decided before it."""
        for entry in entries:
            if entry.kind == REMEMBERED:
                decided = self.entries.get((entry.account_id, entry.key))
                require(decided is not None, f"{entry.key} is remembered and was never decided")
                same = decided is not None and (decided.outcome, decided.digest) == (entry.outcome, entry.digest)
                require(same and not entry.events, f"{entry.key} is remembered otherwise than it was decided")

    def _follow(self, account_id: str, entries: list[Entry]) -> None:
        """Replay an account through all slots that it lived in."""
        state: Account | None = None
        for number, entry in enumerate(entries, 1):
            require(entry.version == number, f"{account_id}: {entry.key} is version {entry.version}, not {number}")
            before, state = state, replay(state, entry)
            if entry.kind == TAGS[MoveIn]:
                # What follows from it at once is the new owner's, by its clock: a bill may not be due there yet.
                came = replay(before, replace(entry, events=entry.events[:1]))
                require(_arrived(before, came), f"{entry.key} brings another account than left: {before} {came}")
            self._look(before, state, entry)
        if state is not None:
            self.states[account_id] = state

    def _look(self, before: Account | None, after: Account, entry: Entry) -> None:
        balance = 0
        for book in after.books:
            balance += book.amount
            require(_covered(before, after, book, entry), f"{entry.key} overspends {book.book_id}: {book}")
        self.balances[entry.account_id, after.version] = balance
        done = unpack_answer(entry.outcome)
        told = isinstance(done, Done) and done.version == after.version
        require(told or entry.kind in WAITING, f"{entry.key}: outcome of another version")

    def _take_subject(self, entry: Entry) -> None:
        subject_id = entry.account_id
        before = self.subjects.get((subject_id, entry.version - 1), unborn(subject_id))
        require(before.version == entry.version - 1, f"{entry.key}: version {entry.version} does not follow")
        after = KINDS[kind_of(subject_id)].replay(before, entry.facts)
        self.subjects[subject_id, after.version] = after
        done = unpack_answer(entry.outcome)
        require(isinstance(done, Done) and done.version == after.version, f"{entry.key}: outcome of another version")
        require(_subject(done.detail) == after, f"{entry.key} tells another state than it led to")


def _arrived(left: Account | None, here: Account) -> bool:
    """Say whether an account came as it left: but for where it is, and where it was."""
    if left is None or left.terms.status != "moved":
        return False
    status, reason = left.terms.before_move
    same = left.with_terms(status=status, status_reason=reason, before_move=(), domain=here.terms.domain)
    same = same.with_open(places=here.open.places)
    return replace(same, version=here.version, mark=here.mark) == replace(here, terms_version=same.terms_version)


def _covered(before: Account | None, after: Account, book: Book, entry: Entry) -> bool:
    """Say whether a book has no less than it may, or no less than it had.

    What bills keep, or carry, is owed. A bill may take what was spent since its period was over, by tax on top or a
    late fee, or ask for another account's: it is asked for all the same.
    """
    floor = -after.terms.credit_limit - after.open.carried if book.book_id == MAIN_BOOK else 0
    left = _left(after, book)
    if left >= floor or any(isinstance(event, PeriodClosed | BillAssumed) for event in entry.events):
        return True
    known = [each for each in before.books if each.book_id == book.book_id] if before is not None else []
    return any(left >= _left(before, each) for each in known if before is not None)


def _left(account: Account, book: Book) -> int:
    kept = kept_for_bills(account) if book.book_id == MAIN_BOOK else 0
    return book.amount - book.reserved + kept
