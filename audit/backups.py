"""Backups of books: made before a bill run, a file for each slot, and held to the journal after it.

A file is written once and read-only, outside of the units whose books it proves; its digest is journaled with the run
that it was made for. Each account stands in it with its version, so nothing has to stop while it is made: after a run,
what an account's books hold is what the backup has and what entries since that version moved.
"""

import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path

import msgspec
from msgspec import Struct

from business.billing.events import RunOpened
from business.billing.kind import BILL_RUNS, subject_of
from charging.base.account import Account
from charging.ledger.commands.move_out import MovedOut
from charging.ledger.entry import Entry
from charging.ledger.event import BaseArrival

SUFFIX = ".books.jsonl"
CLOCKS_MS = 60_000
"""What the clocks of an owner and of whoever makes a backup may differ by."""


class BookHeld(Struct, frozen=True, array_like=True):
    """One book in a backup."""

    book_id: str
    unit: str
    amount: int


class AccountHeld(Struct, frozen=True, array_like=True):
    """One account in a backup."""

    account_id: str
    version: int
    """How many mutations its books are after."""
    books: tuple[BookHeld, ...]


class BackupHead(Struct, frozen=True):
    """First line of a file."""

    begun_ms: int
    """When the first account was asked for, by the clock of whoever made it: all that was there by then is in it."""


class BooksBackup(Struct, frozen=True):
    """One file as it was read."""

    name: str
    digest: str
    begun_ms: int
    accounts: tuple[AccountHeld, ...]


_pack = msgspec.json.Encoder().encode
_unpack = msgspec.json.Decoder(AccountHeld).decode
_unpack_head = msgspec.json.Decoder(BackupHead).decode


def write_backup(
    folder: Path, slot: str, period: str, accounts: Iterable[AccountHeld], begun_ms: int
) -> tuple[Path, str]:
    """Write a new file, its head and a line an account; gives it with its digest. Nothing is ever written over.

    Raises `OSError`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = [_pack(each) for each in sorted(accounts, key=lambda each: each.account_id)]
    content = b"".join(line + b"\n" for line in (_pack(BackupHead(begun_ms)), *lines))
    number = 1
    while True:
        path = folder / f"{_stem(slot)}_{period.replace('/', '-')}_{number}{SUFFIX}"
        try:
            with path.open("xb") as file:
                file.write(content)
        except FileExistsError:
            number += 1
            continue
        path.chmod(stat.S_IRUSR | stat.S_IRGRP)
        return path, _digest(content)


def read_backups(folder: Path, slot: str) -> list[BooksBackup]:
    """Read the files of a slot. Raises `OSError`, `msgspec.MsgspecError` for a line that is none."""
    found: list[BooksBackup] = []
    for path in sorted(folder.glob(f"{_stem(slot)}_*{SUFFIX}")):
        content = path.read_bytes()
        head, *lines = content.splitlines() or [b""]
        accounts = tuple([_unpack(line) for line in lines])
        found.append(BooksBackup(path.name, _digest(content), _unpack_head(head).begun_ms, accounts))
    return found


def _stem(slot: str) -> str:
    return slot.replace("/", "-")


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=32).hexdigest()


class BackupCheck:
    """Holds the backups of one slot against its journal."""

    def __init__(self, slot: str, backups: Sequence[BooksBackup]) -> None:
        self._slot = slot
        self._backups = backups
        self._rows = [{row.account_id: row for row in backup.accounts} for backup in backups]
        self._moves: list[dict[tuple[str, str], int]] = [{} for _ in backups]
        self._anew: list[set[str]] = [set() for _ in backups]
        """Accounts that came anew from elsewhere since: what they brought is no move of this journal."""
        self._there: dict[str, list[tuple[int, bool]]] = {}
        """When each account came to this journal, and when it left: (time, came)."""
        self._named: dict[str, str] = {}
        """Digest → period, of the runs that were opened with one."""

    def note(self, entry: Entry) -> None:
        """Follow an entry of an account: what it moves that is newer than a backup."""
        for event in entry.events:
            if isinstance(event, BaseArrival | MovedOut):
                came = isinstance(event, BaseArrival)
                self._there.setdefault(entry.account_id, []).append((entry.time_ms, came))
        for rows, moves, anew in zip(self._rows, self._moves, self._anew, strict=True):
            row = rows.get(entry.account_id)
            if row is None or entry.version <= row.version:
                continue
            for event in entry.events:
                if isinstance(event, BaseArrival):
                    anew.add(entry.account_id)
                for leg in event.legs():
                    book_id = leg.place.removeprefix("book:")
                    if book_id != leg.place:
                        key = (entry.account_id, book_id)
                        moves[key] = moves.get(key, 0) + leg.delta

    def note_runs(self, entry: Entry) -> None:
        """Follow an entry of the slot's bill runs: which backups they name."""
        if entry.account_id != subject_of(self._slot):
            return
        for event in BILL_RUNS.events(entry.facts):
            if isinstance(event, RunOpened) and event.run.backup:
                self._named[event.run.backup] = str(event.run.period)

    def finish(self, states: Mapping[str, Account | None]) -> Iterator[str]:
        """Say what does not agree; `states` are the accounts at the end of the journal."""
        there = {backup.digest for backup in self._backups}
        for backup, moves, anew in zip(self._backups, self._moves, self._anew, strict=True):
            if backup.digest not in self._named:
                yield f"{self._slot}: no run was opened with the backup {backup.name} as it is now"
            yield from self._left_out(backup, states)
            for row in backup.accounts:
                if row.account_id not in anew:
                    yield from _differences(backup.name, row, states.get(row.account_id), moves)
        for digest, period in self._named.items():
            if digest not in there:
                yield f"{self._slot}: the backup that the run of {period} was opened with is missing"

    def _left_out(self, backup: BooksBackup, states: Mapping[str, Account | None]) -> Iterator[str]:
        """Say which accounts a backup has not that were there when it was begun, and some time before."""
        rows, by_ms = {row.account_id for row in backup.accounts}, backup.begun_ms - CLOCKS_MS
        for account_id in states:
            moves = self._there.get(account_id, [])
            before = [came for time_ms, came in moves if time_ms <= by_ms]
            lately = any(not came for time_ms, came in moves if by_ms < time_ms <= backup.begun_ms + CLOCKS_MS)
            there = before[-1] if before else not moves or not moves[0][1]
            if there and not lately and account_id not in rows:
                yield f"{account_id}: the backup {backup.name} leaves it out, though it was there when that was begun"


def _differences(
    name: str, row: AccountHeld, state: Account | None, moves: Mapping[tuple[str, str], int]
) -> Iterator[str]:
    if state is None or state.version < row.version:
        at = "not there" if state is None else f"at version {state.version}"
        yield f"{row.account_id}: the backup {name} has it at version {row.version}, in the journal it is {at}"
        return
    before = {book.book_id: book.amount for book in row.books}
    after = {book.book_id: book.amount for book in state.books}
    for book_id in sorted(before.keys() | after.keys()):
        held, moved = before.get(book_id, 0), moves.get((row.account_id, book_id), 0)
        if held + moved != after.get(book_id, 0):
            yield (
                f"{row.account_id}: book {book_id} holds {after.get(book_id, 0)}, the backup {name} had {held}"
                f" and {moved} were moved since"
            )
