"""Groups of the journal that reads have opened: shared among them, and bounded by bytes.

Histories of many accounts meet in the same groups, so what one has read serves the next.
"""

import asyncio
from collections import OrderedDict

from domainservers.journal.framing import Frame
from domainservers.journal.journal import Journal, segment_of
from evidence.keys import payload_of
from storage.unit import Unit

FRAMES_BYTES_MAX = 64_000_000
"""Of the groups kept open, packed and unpacked."""
READS_AT_ONCE_MAX = 16
"""Of the store, by one slot: each may be 4 MB."""


async def read_group(unit: Unit, journal: Journal, seq: int) -> bytes | None:
    """Read one group's payload; None when its segment was dropped. Raises `StoreUnavailable`."""
    segment = segment_of(journal.segments, seq)
    if segment is None:
        return None
    payload: bytes | None = None
    async for page in unit.read(journal.name, segment.number, seq, seq):
        for group in page:
            payload = payload_of(group.payload)
    return payload


class Frames:
    """The open groups of one slot's journal. Groups never change, so nothing here goes stale."""

    def __init__(self, unit: Unit, journal: Journal, bytes_max: int = FRAMES_BYTES_MAX) -> None:
        self._unit = unit
        self._journal = journal
        self._bytes_max = bytes_max
        self._frames: OrderedDict[int, tuple[Frame, int]] = OrderedDict()
        self._bytes = 0
        self._reading: dict[int, asyncio.Future[Frame | None]] = {}
        self._gate = asyncio.Semaphore(READS_AT_ONCE_MAX)

    async def frame(self, seq: int) -> Frame | None:
        """Open a group that is applied; None when it was dropped.

        Raises `StoreUnavailable`, `msgspec.DecodeError`.
        """
        kept = self._frames.get(seq)
        if kept is not None:
            self._keep(seq, kept[0])
            return kept[0]
        under_way = self._reading.get(seq)
        if under_way is None:
            under_way = asyncio.ensure_future(self._read(seq))
            self._reading[seq] = under_way
            under_way.add_done_callback(lambda done: self._read_over(seq, done))
        return await asyncio.shield(under_way)

    def _read_over(self, seq: int, done: asyncio.Future[Frame | None]) -> None:
        self._reading.pop(seq, None)
        if not done.cancelled():
            done.exception()  # Whoever waits gets it; perhaps nobody does any more.

    async def _read(self, seq: int) -> Frame | None:
        async with self._gate:
            payload = await read_group(self._unit, self._journal, seq)
        if payload is None:
            return None
        frame = Frame(payload)
        self._keep(seq, frame)
        return frame

    def _keep(self, seq: int, frame: Frame) -> None:
        """Count what it weighs by now, and let go of those that were not asked for for longest."""
        before = self._frames.pop(seq, None)
        weight = frame.weight
        self._frames[seq] = (frame, weight)
        self._bytes += weight - (before[1] if before is not None else 0)
        while self._bytes > self._bytes_max and len(self._frames) > 1:
            _, (_, weight) = self._frames.popitem(last=False)
            self._bytes -= weight
