"""One round's writing: contracts, accounts, keys, watch list, then the checkpoint, then what nobody needs any more.

The order is the promise: what a checkpoint names is durable before it, and what it names no more is deleted after it.
Between both the journal is asked whether it is still ours. Plain writes know no fence: a unit that moves may have been
copied before this checkpoint came, so no anchor may testify to it, nor anything go that an older one names.
"""

import asyncio
from collections.abc import Sequence

from msgspec import Struct

from domainservers.accounts.accounts import Accounts, CellState, saved
from domainservers.base.behind import RecordsBehind
from domainservers.base.limits import Limits
from domainservers.contracts.contracts import Contracts
from domainservers.journal.journal import Journal, Position, Segment
from domainservers.journal.keys import KeyIndex
from domainservers.journal.quarantine import Quarantine
from domainservers.snapshots.checkpoint import Checkpoint, checkpoint_record, watched_records
from domainservers.snapshots.deltas import Deltas
from domainservers.snapshots.key_records import KeyRecords
from domainservers.snapshots.patience import RETRY_MS, PatientUnit
from domainservers.snapshots.segment_lists import Older, SegmentLists
from runtime.telemetry import logger
from storage.unit import Record, StoreRejected, StoreUnavailable

log = logger("domainservers.snapshots.writing")

ACCOUNTS_PER_WRITE_MAX = 500
DELTAS_PER_WRITE_MAX = 8
"""Records of a delta, each some dozen kilobytes: a write is one more that the next group waits for."""


class Capture(Struct):
    """A round's content, taken at the border of a group."""

    states: list[CellState]
    """Changed since the round before."""
    alone: list[CellState]
    """To be written as records of their own."""
    keys: list[bytes]
    """As `KeyIndex.take_unsaved` packed them."""
    watched: list[str]
    """Accounts that have something open."""
    newest_ms: int
    """Time of the newest entry decided, UTC."""
    age_ms: int
    """Age of the slot, see `domainservers.base.clock.Age`."""
    numbers: dict[str, int]
    """Newest number of each series of documents."""
    position: Position | None = None
    """Known once the group is applied."""
    segments: tuple[Segment, ...] = ()


class Writing:
    """Writes the rounds of one slot, one after the other."""

    def __init__(
        self,
        slot: str,
        unit: PatientUnit,
        journal: Journal,
        accounts: Accounts,
        contracts: Contracts,
        behind: Sequence[RecordsBehind],
        keys: KeyIndex,
        quarantine: Quarantine,
        limits: Limits,
        deltas: Deltas,
        key_records: KeyRecords,
        segment_lists: SegmentLists,
        durable_seq: int,
    ) -> None:
        self._slot = slot
        self._unit = unit
        self._journal = journal
        self._accounts = accounts
        self._contracts = contracts
        self._behind = behind
        self._keys = keys
        self._quarantine = quarantine
        self._limits = limits
        self._deltas = deltas
        self._key_records = key_records
        self._segment_lists = segment_lists
        self.durable_seq = durable_seq
        """Group of the newest checkpoint that is written; -1 = none."""

    async def write(self, capture: Capture) -> None:
        """Write a capture whose group is applied; its position is set. One call at a time.

        Waits for the store as long as it takes, and may be cancelled at any moment: until the checkpoint is written,
        the one before counts.
        """
        await self._contracts.flush()
        for records in self._behind:
            await records.flush()
        position = capture.position
        if position is None:
            raise AssertionError("a capture is written before its group is applied")
        await self._write_accounts(capture, position.seq)
        segments = self._kept(capture)
        self._key_records.outlive(capture.age_ms - self._limits.outcomes_keep_ms)
        older = await self._write_rest(capture, position, segments)
        if not await self._still_ours():
            log.warning("a round ended after its slot was fenced", slot=self._slot, group=position.seq)
            return
        self._key_records.since_seq = position.seq + 1
        self.durable_seq = position.seq
        await self._unit.put(self._segment_lists.waste(older, position.seq))
        await self._drop_deltas(position.seq)
        await self._forget_keys()
        await self._drop_segments(segments[0].first_seq)

    async def _write_accounts(self, capture: Capture, seq: int) -> None:
        saved([each for each in capture.states if each[1] is None])  # That there is no account needs no record.
        states = [each for each in capture.states if each[1] is not None]
        records: list[Record] = []
        for record in self._deltas.records(states, seq):
            records.append(record)
            if len(records) == DELTAS_PER_WRITE_MAX:
                await self._unit.put(records)
                records = []
            else:
                await asyncio.sleep(0)  # Packing took some milliseconds.
        await self._unit.put(records)
        for start in range(0, len(capture.alone), ACCOUNTS_PER_WRITE_MAX):
            some = capture.alone[start : start + ACCOUNTS_PER_WRITE_MAX]
            await self._unit.put([self._accounts.record(each) for each in some])
            saved(some)

    async def _write_rest(self, capture: Capture, position: Position, segments: Sequence[Segment]) -> Older:
        """Write keys, watch list and segments, then the checkpoint that names them. Gives the segments in packs."""
        records = self._key_records.records(capture.keys, capture.age_ms, position.seq)
        watched = watched_records(self._slot, capture.watched, position.seq)
        older, named = self._segment_lists.split(segments)
        await self._unit.put([*records, *watched, *self._segment_lists.records(segments, older, position.seq)])
        checkpoint = Checkpoint(
            position,
            named,
            capture.newest_ms,
            len(watched),
            self._key_records.named,
            self._deltas.named,
            self._deltas.gone,
            tuple(self._quarantine.rows),
            capture.age_ms,
            older,
            capture.numbers,
        )
        await self._unit.put([checkpoint_record(self._slot, self._journal.head.epoch, checkpoint)])
        return older

    async def _still_ours(self) -> bool:
        """Ask the journal, however long its store is away."""
        while True:
            try:
                return await self._journal.still_owned()
            except (StoreUnavailable, StoreRejected):
                await asyncio.sleep(RETRY_MS / 1000)

    def _kept(self, capture: Capture) -> tuple[Segment, ...]:
        """Say which segments stay: the young ones, and what recovery or a known key may still ask for."""
        limits, segments = self._limits, capture.segments
        if not limits.journal_keep_ms:
            return segments
        keep_from = capture.age_ms - max(limits.journal_keep_ms, limits.outcomes_keep_ms)
        young = next((each.first_seq for each in segments[1:] if each.opened_ms >= keep_from), segments[-1].first_seq)
        aside = min((row.group for row in self._quarantine.rows), default=young)
        floor = min(young, self._key_records.first_seq, self._key_records.since_seq, aside)
        return tuple(each for each in segments if each.first_seq >= _start_of(segments, floor))

    async def _forget_keys(self) -> None:
        """Delete the keys that the checkpoint does not name any more, order the others."""
        records, floor = self._key_records.waste()
        await self._unit.put(records)
        self._key_records.forgotten.clear()
        await self._keys.settle(floor)

    async def _drop_deltas(self, seq: int) -> None:
        """Delete what the checkpoint before the newest one was the last to name."""
        try:
            await self._unit.put(await self._deltas.waste(seq))
        except StoreUnavailable:
            log.warning("some records of unfinished rounds stay", slot=self._slot)

    async def _drop_segments(self, first_seq: int) -> None:
        """Drop what the checkpoint does not name any more; after it, for it may never name a segment that is gone."""
        try:
            await self._journal.drop_before(first_seq)
        except StoreUnavailable:
            log.warning("old segments stay until the next round", slot=self._slot)


def _start_of(segments: Sequence[Segment], seq: int) -> int:
    """First sequence of the segment that holds `seq`: everything before it may go."""
    return max((each.first_seq for each in segments if each.first_seq <= seq), default=0)
