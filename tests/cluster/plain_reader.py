"""A reader of journals that shares no line with the house: SQLite, zstd and msgpack as anybody would read them.

The layout is what `domainservers/DESIGN.md` and `domainservers/journal/framing.py` say in words; if code and words
part, this reader fails. Entries and events are taken by position, an event's first element is its tag.
"""

import sqlite3
import struct
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import zstandard
from msgspec import Struct, field

KEY_ID_BYTES = 8
ACCOUNT, KEY, VERSION, EVENTS = 0, 1, 3, 10
ZSTD_BYTES_MAX = 1 << 26


class PlainBooks(Struct):
    """What the journals say, added up without any rule of the ledger."""

    entries: int = 0
    effects: Counter[str] = field(default_factory=Counter)
    """Request key → entries that changed an account under it."""
    amounts: dict[str, int] = {}
    """Request key of a charge → micro-units."""
    money: Counter[str] = field(default_factory=Counter)
    """Account → micro-units in all its books of money."""
    under_way: int = 0
    """Micro-units that were sent and neither arrived nor were given back."""
    gaps: list[str] = []
    """Where versions or sequences do not follow each other."""


def read_plainly(units: Mapping[Path, Sequence[str]]) -> PlainBooks:
    """Read journals, by the file of their unit."""
    books = PlainBooks()
    versions: dict[str, int] = {}
    for file, names in units.items():
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            for name in names:
                for payload in _payloads(database, name, books):
                    for packed in _parts(payload):
                        _take(books, versions, msgspec.msgpack.decode(packed))
    return books


def _payloads(database: sqlite3.Connection, name: str, books: PlainBooks) -> Iterator[bytes]:
    rows = database.execute("SELECT seq, payload FROM segment_group WHERE journal = ? ORDER BY seq", (name,))
    expected = 0
    for seq, stored in rows:
        if seq != expected:
            books.gaps.append(f"{name}: group {expected} is missing")
        expected = seq + 1
        yield stored[KEY_ID_BYTES:]
    (head,) = database.execute("SELECT max(head) FROM segment_head WHERE journal = ?", (name,)).fetchone()
    if head != expected - 1:
        books.gaps.append(f"{name}: the head is {head}, the last group {expected - 1}")


def _parts(payload: bytes) -> Iterator[bytes]:
    magic, layout, blocks, entries = struct.unpack_from("<BBHI", payload)
    assert (magic, layout) == (0xC1, 1)
    sizes_at = 8 + 4 * entries
    sizes = struct.unpack_from(f"<{blocks}I", payload, sizes_at)
    at = sizes_at + 4 * blocks
    for size in sizes:
        block = payload[at : at + size]
        at += size
        if block.startswith(b"\x28\xb5\x2f\xfd"):
            block = zstandard.ZstdDecompressor().decompress(block, max_output_size=ZSTD_BYTES_MAX)
        yield from msgspec.msgpack.decode(block)
    assert at == len(payload)


def _take(books: PlainBooks, versions: dict[str, int], entry: list) -> None:  # type: ignore[type-arg]
    books.entries += 1
    account, key, version, events = entry[ACCOUNT], entry[KEY], entry[VERSION], entry[EVENTS]
    if not events:
        return
    books.effects[key] += 1
    if account in versions and version != versions[account] + 1:
        books.gaps.append(f"{account}: version {version} follows {versions[account]} under {key}")
    versions[account] = version
    for event in events:
        _apply(books, account, key, event)


def _apply(books: PlainBooks, account: str, key: str, event: list) -> None:  # type: ignore[type-arg]
    match event:
        case ["opened", state, *_]:
            # Books are the only list of lists whose second element is a unit.
            books.money[account] += sum(book[2] for book in state[6] if book[1] == "money")
        case ["c", _, charge, postings, *_]:
            books.amounts[key] = charge[0]
            books.money[account] -= sum(amount for _, amount in postings)
        case ["b", _, postings, *_]:
            books.money[account] += sum(amount for _, amount in postings)
        case ["sent", _, _, _, _, amount, *_]:
            books.money[account] -= amount
            books.under_way += amount
        case ["received", _, _, amount, *_]:
            books.money[account] += amount
            books.under_way -= amount
        case ["settled", _, arrived, _, amount, *_] if not arrived:
            books.money[account] += amount
            books.under_way -= amount
