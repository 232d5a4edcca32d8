"""The usage file: one finished event a line, as a regional front end hands it over (CSV, UTF-8, a header line).

A line that is no record (a quantity that is no number, a column too few, no request key, without which a repeat could
charge twice) is given back as such with its number and reason; the lines around it are read on.
"""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

COLUMNS = (
    "request_key",
    "identity",
    "service",
    "event_time_ms",
    "quantity",
    "channel",
    "other_party",
    "visited_place",
    "partner",
    "planted",
)


class UsageRecord(Struct, frozen=True, gc=False):
    """One line. `planted` names what the generator did to it on purpose, "" for an honest record."""

    request_key: str
    identity: str
    service: str
    event_time_ms: int
    """UTC."""
    quantity: int
    """Seconds, bytes or events, as the service has it."""
    channel: str
    other_party: str = ""
    visited_place: str = ""
    partner: str = ""
    planted: str = ""


class UnreadableLine(Struct, frozen=True):
    """A line that is no record. `planted` is kept when the line had that column."""

    line: int
    """Number of the line in the file, the header being 1."""
    reason: str
    planted: str = ""


def write(path: Path, rows: Iterable[tuple[str, ...]]) -> int:
    """Write rows of `COLUMNS` as text; returns how many lines follow the header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(COLUMNS)
        for row in rows:
            lines.writerow(row)
            count += 1
    return count


def read(path: Path) -> Iterator[UsageRecord | UnreadableLine]:
    """Read a usage file line by line, in order; a line that is no record comes as `UnreadableLine`.

    Raises `ValueError` when the header is not that of a usage file.
    """
    with path.open(newline="", encoding="utf-8") as file:
        lines = csv.reader(file)
        header = next(lines, [])
        if tuple(header) != COLUMNS:
            raise ValueError(f"{path} is no usage file: its first line must be {','.join(COLUMNS)}")
        for cells in lines:
            if len(cells) != len(COLUMNS):
                yield UnreadableLine(lines.line_num, f"{len(cells)} columns instead of {len(COLUMNS)}", _planted(cells))
                continue
            key, identity, service, time_ms, quantity, channel, other, visited, partner, planted = cells
            if not key:
                yield UnreadableLine(lines.line_num, "request_key is empty", planted)
                continue
            try:
                yield UsageRecord(
                    key, identity, service, int(time_ms), int(quantity), channel, other, visited, partner, planted
                )
            except ValueError:
                wrong = "quantity" if _is_int(time_ms) else "event_time_ms"
                yield UnreadableLine(lines.line_num, f"{wrong} is no whole number", planted)


def _planted(cells: list[str]) -> str:
    return cells[-1] if cells and cells[-1].startswith("line-") else ""


def _is_int(text: str) -> bool:
    try:
        int(text)
    except ValueError:
        return False
    return True


def row(record: UsageRecord) -> tuple[str, ...]:
    """Give a record as the text cells of its line."""
    return (
        record.request_key,
        record.identity,
        record.service,
        str(record.event_time_ms),
        str(record.quantity),
        record.channel,
        record.other_party,
        record.visited_place,
        record.partner,
        record.planted,
    )
