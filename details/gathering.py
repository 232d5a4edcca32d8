"""Rows of journal entries as columns, without a row between them where an entry has its uses in columns already."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TypeVar

import msgspec
import numpy as np
import polars as pl
from msgspec.structs import replace

from charging.ledger.details import CHARGE, records
from charging.ledger.entry import Entry
from charging.ledger.usescharged import UseKind, UsesCharged
from details.parts import SCHEMA, frame_of
from details.rows import GROUP_PLACES, StoredUsage, pack, rows_of

T = TypeVar("T")
Places = np.ndarray[tuple[int], np.dtype[np.int64]]
_NO_PAIRS = pack(())


class RowGathering:
    """Takes groups of one journal, and gives the rows of all of them as one frame, in no order."""

    def __init__(self) -> None:
        self._rows: list[StoredUsage] = []
        """Of entries that journal their charges one by one."""
        self._entries: list[Entry] = []
        self._positions: list[int] = []
        self._uses: list[UsesCharged] = []
        """One of each of these entries."""
        self._many = 0

    def __len__(self) -> int:
        return len(self._rows) + self._many

    def take(self, seq: int, entries: Iterable[tuple[int, Entry]]) -> None:
        """Take the rows of a group; `entries` with their places in it."""
        for place, entry in entries:
            if not entry.events:
                continue
            uses = _in_columns(entry)
            if uses is None:
                self._rows += rows_of(seq, ((place, entry),))
            else:
                self._entries.append(entry)
                self._positions.append(seq * GROUP_PLACES + place)
                self._uses.append(uses)
                self._many += len(uses.amounts)

    def frame(self) -> pl.DataFrame:
        """Give all rows that were taken."""
        rows = frame_of(self._rows)
        return pl.concat([rows, self._columns()]) if self._uses else rows

    def _columns(self) -> pl.DataFrame:
        uses = self._uses
        many = [len(each.amounts) for each in uses]
        of_entry = np.repeat(np.arange(len(uses)), many)
        of_kind = np.array(_joined(each.kind_of for each in uses)) + _begins(len(each.kinds) for each in uses)[of_entry]
        why = np.array(_joined(each.steps_of for each in uses)) + _begins(len(each.steps) for each in uses)[of_entry]
        columns: dict[str, Sequence[object] | Places] = {
            "start_ms": _joined(each.starts_ms for each in uses),
            "nth": np.arange(len(of_entry)) - _begins(many)[of_entry],
            "used": _joined(each.quantities for each in uses),
            "quantity": _joined(each.quantities for each in uses),
            "amount": _joined(each.amounts for each in uses),
            "other_party": _joined(each.other_parties for each in uses),
            "accruals": _joined(map(_accruals, uses)),
        }
        made = [
            *(pl.Series(name, values, SCHEMA[name]) for name, values in columns.items()),
            *_at(of_entry, _of_entries(self._entries, self._positions, uses)),
            *_at(of_kind, _of_kinds([kind for each in uses for kind in each.kinds])),
            *_at(why, {"steps": [bytes(steps) for each in uses for steps in each.steps]}),
        ]
        alike = [pl.lit(value, SCHEMA[name]).alias(name) for name, value in _ALIKE.items()]
        return pl.DataFrame(made).with_columns(alike).select(*SCHEMA)


_ALIKE: dict[str, object] = {
    "kind": CHARGE, "session": "", "of_key": "", "of_start_ms": 0, "takes": _NO_PAIRS,
}  # fmt: skip
"""What all uses in columns have in common."""


def _in_columns(entry: Entry) -> UsesCharged | None:
    """Give the uses of an entry that has them in columns, and no other rated usage."""
    first = entry.events[0]
    if not isinstance(first, UsesCharged) or records(replace(entry, events=entry.events[1:])):
        return None
    return first


def _begins(many: Iterable[int]) -> Places:
    """Give where each of several parts begins in all of them."""
    return np.cumsum([0, *many])[:-1]


def _joined(columns: Iterable[Iterable[T]]) -> list[T]:
    return list(chain.from_iterable(columns))


def _of_entries(entries: list[Entry], positions: list[int], uses: list[UsesCharged]) -> dict[str, list[object]]:
    return {
        "account": [entry.account_id for entry in entries],
        "position": [*positions],
        "key": [entry.key for entry in entries],
        "time_ms": [entry.time_ms for entry in entries],
        "identity": [each.identity for each in uses],
        "channel": [entry.channel for entry in entries],
        "version": [entry.version for entry in entries],
    }


def _of_kinds(kinds: list[UseKind]) -> dict[str, list[object]]:
    return {
        "service": [kind.service for kind in kinds],
        "currency": [kind.currency for kind in kinds],
        "item": [kind.billed_as() for kind in kinds],
        "visited": [kind.visited for kind in kinds],
        "attributes": [msgspec.json.encode(kind.attributes).decode() if kind.attributes else "" for kind in kinds],
        "taxed_since": [kind.taxed_since for kind in kinds],
    }


def _at(places: Places, columns: dict[str, list[object]]) -> list[pl.Series]:
    """Give a row of the columns for each place."""
    wanted = pl.Series(places)
    return [pl.Series(name, values, SCHEMA[name]).gather(wanted) for name, values in columns.items()]


def _accruals(uses: UsesCharged) -> list[bytes]:
    """Pack what each use adds to accumulators; what several add is packed once."""
    counters = [kind.counters for kind in uses.kinds]
    counted, at = uses.counted, 0
    packed: dict[tuple[int, ...], bytes] = {}
    found: list[bytes] = []
    for kind in uses.kind_of:
        end = at + len(counters[kind])
        key = (kind, *counted[at:end])
        known = packed.get(key)
        if known is None:
            known = packed[key] = pack(tuple(zip(counters[kind], counted[at:end], strict=True)))
        found.append(known)
        at = end
    return found
