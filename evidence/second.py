"""Anchors at a second party: sealed records of a unit that is not the one that they are about.

By default that is the directory's unit, which whoever has a slot's private unit need not have; an operator may name one
that others keep (setting `anchors_unit`).
"""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from evidence.anchors import Anchor, AnchorsAway, pack_anchor, unpack_anchor
from evidence.room import ANCHOR
from evidence.seals import SealedUnit, Tampered
from storage.unit import Record, Stored, StoreRejected, StoreUnavailable

COLLECTION = ANCHOR.name
PARTITION = "newest"
EPOCH_SHIFT = 40
"""A record's timestamp is epoch and sequence, so that the newest anchor stays."""


class UnitAnchors:
    """The newest anchor of each chain, as records. Implements `Anchorage`."""

    def __init__(self, unit: SealedUnit, server: str) -> None:
        self._unit = unit
        self._server = server

    async def append(self, anchors: Sequence[Anchor]) -> Sequence[Anchor]:
        """Write them. Raises `AnchorsAway`."""
        try:
            noted = [anchor if anchor.server else replace(anchor, server=self._server) for anchor in anchors]
            await self._unit.put([_record(anchor) for anchor in noted])
        except (StoreUnavailable, StoreRejected) as error:
            raise AnchorsAway(f"anchors can't be written to the second party's unit: {error}") from error
        return noted

    async def newest(self, slot: str) -> Anchor | None:
        """Read one. Raises `AnchorsAway`."""
        try:
            found = await self._unit.get(COLLECTION, PARTITION, [slot])
        except (StoreUnavailable, Tampered) as error:
            raise AnchorsAway(f"anchors can't be read from the second party's unit: {error}") from error
        return read_anchor(found[slot]) if slot in found else None

    async def close(self) -> None:
        """Nothing is open: the unit belongs to the caller."""


async def all_anchors(unit: SealedUnit) -> list[Anchor]:
    """Read the newest anchors of all chains. Raises `StoreUnavailable`."""
    return [read_anchor(stored) async for page in unit.scan(COLLECTION, PARTITION) for stored in page]


def read_anchor(stored: Stored) -> Anchor:
    """Read a record. Raises `AnchorsAway` when it is none."""
    try:
        return unpack_anchor(stored.value)
    except msgspec.MsgspecError as error:
        raise AnchorsAway(f"the anchor of {stored.key} can't be read: {error}") from error


def _record(anchor: Anchor) -> Record:
    timestamp = anchor.epoch << EPOCH_SHIFT | max(0, anchor.seq + 1)
    return Record(COLLECTION, PARTITION, anchor.slot, pack_anchor(anchor), timestamp)
