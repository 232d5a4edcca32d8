"""Writing a slot down: changed accounts, key index, watch list, and the checkpoint from which recovery starts.

A round captures the states at the border of a group, and writes them once that group is applied, so nothing is written
that could still be lost. The checkpoint is written last: a round cut short only means a longer replay.
"""

import asyncio
from collections.abc import Callable, Container, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from domainservers.accounts.accounts import Accounts, State, saved
from domainservers.accounts.watch import Watch
from domainservers.base.clock import Age
from domainservers.base.collections import KEYS
from domainservers.base.limits import Limits
from domainservers.contracts.contracts import Contracts
from domainservers.journal.journal import Corrupt, Journal, Position, Segment
from domainservers.journal.keys import KeyIndex
from domainservers.journal.quarantine import Aside, Quarantine
from domainservers.snapshots.deltas import CHECKPOINT_COLLECTION, Delta, Deltas
from domainservers.snapshots.segment_lists import Older, SegmentLists, load_segments
from runtime.telemetry import logger
from storage.unit import Record, StoreRejected, StoreUnavailable, Unit

log = logger("domainservers.snapshots.snapshots")

KEYS_COLLECTION = KEYS.name
NEWEST = "newest"
WATCHED_PER_RECORD_MAX = 2_000
"""Account ids of at most `bounds.ID_BYTES_MAX` bytes each fit a record."""
ACCOUNTS_PER_WRITE_MAX = 500
DELTAS_PER_WRITE_MAX = 8
"""Records of a delta, each some dozen kilobytes: a write is one more that the next group waits for."""
RETRY_MS = 500
REJECTED_RETRY_MS = 5_000
EPOCH_SHIFT = 40
"""A checkpoint's timestamp is epoch and sequence: of two owners at the same group, the later one's counts."""


class Checkpoint(Struct, frozen=True, array_like=True):
    """Everything up to `position` is in the snapshots."""

    position: Position
    segments: tuple[Segment, ...]
    newest_ms: int
    watched_records: int
    keys_from: tuple[tuple[int, int, int], ...] = ()
    """The key index: (first group that may be in it, age of the slot when its newest key was new, records)."""
    deltas: tuple[Delta, ...] = ()
    """What changed, oldest first: newer than the accounts' own snapshots."""
    gone: tuple[Delta, ...] = ()
    """Deltas that are not needed any more and not deleted yet."""
    set_aside: tuple[Aside, ...] = ()
    """What can't be used of the journal, see `domainservers.journal.quarantine`."""
    age_ms: int = 0
    """Of the slot, see `domainservers.base.clock.Age`; segments and keys are dated by it."""
    older: Older = (0, 0)
    """Segments before those that it names itself, see `domainservers.snapshots.segment_lists`."""


class Capture(Struct):
    """A round's content, taken at the border of a group."""

    states: list[State]
    """Changed since the round before."""
    alone: list[State]
    """To be written as records of their own."""
    keys: list[bytes]
    watched: list[str]
    newest_ms: int
    age_ms: int
    position: Position | None = None
    """Known once the group is applied."""
    segments: tuple[Segment, ...] = ()


_encode = msgspec.msgpack.Encoder().encode
_decode_checkpoint = msgspec.msgpack.Decoder(Checkpoint).decode
_decode_watched = msgspec.msgpack.Decoder(list[str]).decode


async def load_checkpoint(unit: Unit, slot: str) -> Checkpoint | None:
    """Read the newest checkpoint of a slot, with all its segments. Raises `Corrupt`, `StoreUnavailable`."""
    stored = (await unit.get(CHECKPOINT_COLLECTION, slot, [NEWEST])).get(NEWEST)
    if stored is None:
        return None
    checkpoint = _decode_checkpoint(stored.value)
    if checkpoint.older[1]:
        segments = await load_segments(unit, slot, checkpoint.older)
        checkpoint = replace(checkpoint, segments=(*segments, *checkpoint.segments))
    return checkpoint


async def load_watched(unit: Unit, slot: str, checkpoint: Checkpoint) -> list[str]:
    """Read which accounts had something open at a checkpoint, or later. Raises `Corrupt` when some of it is missing."""
    names = [f"watched/{index:05d}" for index in range(checkpoint.watched_records)]
    found = await unit.get(CHECKPOINT_COLLECTION, slot, names) if names else {}
    if len(found) < len(names):
        raise Corrupt(f"{slot}: {_first(names, found)}, which the checkpoint names, is missing")
    return [account_id for stored in found.values() for account_id in _decode_watched(stored.value)]


class LoadedKeys(Struct):
    """The records of a key index."""

    named: dict[str, bytes] = {}
    """What the checkpoint names."""
    forgotten: list[str] = []
    """Older ones, whose owner died before it had deleted them."""


async def load_keys(unit: Unit, slot: str, checkpoint: Checkpoint | None) -> LoadedKeys:
    """Read the key index that a checkpoint names. Raises `Corrupt` when a record of it is missing."""
    loaded = LoadedKeys()
    if checkpoint is None:
        return loaded  # What is there was written by a round that did not end; the journal has it all.
    names = {keys_name(seq, part) for seq, _, parts in checkpoint.keys_from for part in range(parts)}
    oldest = min(names, default="")
    async for page in unit.scan(KEYS_COLLECTION, slot):
        loaded.named.update((stored.key, stored.value) for stored in page if stored.key in names)
        loaded.forgotten += [stored.key for stored in page if stored.key < oldest]
    if len(loaded.named) < len(names):
        raise Corrupt(f"{slot}: keys/{_first(sorted(names), loaded.named)}, which the checkpoint names, is missing")
    return loaded


def _first(names: Sequence[str], found: Container[str]) -> str:
    return next(name for name in names if name not in found)


def keys_name(first_seq: int, part: int) -> str:
    """Name of a record of the key index."""
    return f"{first_seq:020d}/{part:03d}"


class Snapshots:
    """Rounds of one slot; one at a time."""

    def __init__(
        self,
        unit: Unit,
        slot: str,
        journal: Journal,
        accounts: Accounts,
        contracts: Contracts,
        keys: KeyIndex,
        watch: Watch,
        limits: Limits,
        checkpoint: Checkpoint | None,
        quarantine: Quarantine,
        age: Age,
    ) -> None:
        self._unit = unit
        self._slot = slot
        self._journal = journal
        self._accounts = accounts
        self._contracts = contracts
        self._keys = keys
        self._watch = watch
        self._limits = limits
        self._quarantine = quarantine
        self._age = age
        self._segment_lists = SegmentLists(slot, checkpoint.older if checkpoint is not None else (0, 0))
        self._keys_from = list(checkpoint.keys_from) if checkpoint is not None else []
        self._since_seq = checkpoint.position.seq + 1 if checkpoint is not None else 0
        named, gone = (checkpoint.deltas, checkpoint.gone) if checkpoint is not None else ((), ())
        self.deltas = Deltas(unit, slot, journal.head.epoch, named, gone)
        self.durable_seq = checkpoint.position.seq if checkpoint is not None else -1
        """Group of the newest checkpoint that is written; -1 = none."""
        self._writing: asyncio.Task[None] | None = None
        self.forgotten: list[str] = []
        """Records of the key index that no checkpoint names any more, to be deleted after the next one."""
        self.entries = 0
        """Journaled since the newest capture."""
        self.captured_at = 0.0

    @property
    def keys_from_seq(self) -> int:
        """First group whose keys are surely known."""
        return self._keys_from[0][0] if self._keys_from else 0

    def due(self, now: float) -> bool:
        """Whether a round should begin: enough was journaled, or something and some time ago."""
        if self._writing is not None or not self.entries:
            return False
        return (
            self.entries >= self._limits.snapshot_entries
            or (now - self.captured_at) * 1000 >= self._limits.snapshot_interval_ms
        )

    def capture(self, newest_ms: int, now: float) -> Capture:
        """Take the state as it is now; call it at the border of a group."""
        self.entries = 0
        self.captured_at = now
        accounts, limits = self._accounts, self._limits
        states = accounts.capture(self.deltas.number)
        alone = self.deltas.settle(limits.deltas_max, limits.delta_states_max, len(states))
        return Capture(
            states, alone, self._keys.take_unsaved(), list(self._watch.watched), newest_ms, self._age.now_ms()
        )

    def begin(self, capture: Capture, failed: Callable[[], None]) -> None:
        """Start to write a capture whose group is applied. The journal stands at it now."""
        capture.position = self._journal.position
        capture.segments = tuple(self._journal.segments)
        self._writing = asyncio.get_running_loop().create_task(self._write(capture, failed))

    async def _write(self, capture: Capture, failed: Callable[[], None]) -> None:
        try:
            await self._contracts.flush()
            position = capture.position
            if position is None:
                raise AssertionError("a capture is written before its group is applied")
            await self._write_accounts(capture, position.seq)
            capture.segments = self._kept(capture)
            self._outlive_keys(capture.age_ms)
            await self._write_rest(capture, position)
            await self._drop_deltas(position.seq)
            await self._forget_keys()
            await self._drop_segments(capture.segments[0].first_seq)
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("the slot could not be written down", slot=self._slot)
            failed()
        finally:
            self._writing = None

    async def _write_accounts(self, capture: Capture, seq: int) -> None:
        saved([each for each in capture.states if each[1] is None])  # That there is no account needs no record.
        states = [each for each in capture.states if each[1] is not None]
        records: list[Record] = []
        for record in self.deltas.records(states, seq):
            records.append(record)
            if len(records) == DELTAS_PER_WRITE_MAX:
                await self._put(records)
                records = []
            else:
                await asyncio.sleep(0)  # Packing took some milliseconds.
        await self._put(records)
        for start in range(0, len(capture.alone), ACCOUNTS_PER_WRITE_MAX):
            some = capture.alone[start : start + ACCOUNTS_PER_WRITE_MAX]
            await self._put([self._accounts.record(each) for each in some])
            saved(some)

    async def _write_rest(self, capture: Capture, position: Position) -> None:
        records = []
        for part, packed in enumerate(capture.keys):
            records.append(Record(KEYS_COLLECTION, self._slot, keys_name(self._since_seq, part), packed, position.seq))
        if capture.keys:
            self._keys_from.append((self._since_seq, capture.age_ms, len(capture.keys)))
        watched = [
            capture.watched[start : start + WATCHED_PER_RECORD_MAX]
            for start in range(0, len(capture.watched), WATCHED_PER_RECORD_MAX)
        ]
        for index, some in enumerate(watched):
            name = f"watched/{index:05d}"
            records.append(Record(CHECKPOINT_COLLECTION, self._slot, name, _encode(some), position.seq))
        older, named = self._segment_lists.split(capture.segments)
        records += self._segment_lists.records(capture.segments, older, position.seq)
        await self._put(records)
        checkpoint = Checkpoint(
            position,
            named,
            capture.newest_ms,
            len(watched),
            tuple(self._keys_from),
            self.deltas.named,
            self.deltas.gone,
            tuple(self._quarantine.rows),
            capture.age_ms,
            older,
        )
        stamp = self._journal.head.epoch << EPOCH_SHIFT | position.seq
        await self._put([Record(CHECKPOINT_COLLECTION, self._slot, NEWEST, _encode(checkpoint), stamp)])
        self._since_seq = position.seq + 1
        self.durable_seq = position.seq
        await self._put(self._segment_lists.waste(older, position.seq))

    def _kept(self, capture: Capture) -> tuple[Segment, ...]:
        """Say which segments stay: the young ones, and what recovery or a known key may still ask for."""
        limits, segments = self._limits, capture.segments
        if not limits.journal_keep_ms:
            return segments
        keep_from = capture.age_ms - max(limits.journal_keep_ms, limits.outcomes_keep_ms)
        young = next((each.first_seq for each in segments[1:] if each.opened_ms >= keep_from), segments[-1].first_seq)
        aside = min((row.group for row in self._quarantine.rows), default=young)
        floor = min(young, self.keys_from_seq, self._since_seq, aside)
        return tuple(each for each in segments if each.first_seq >= _start_of(segments, floor))

    def _outlive_keys(self, age_ms: int) -> None:
        """Stop naming keys that are older than they must be known; the newest record of keys stays."""
        old = [each for each in self._keys_from[:-1] if each[1] < age_ms - self._limits.outcomes_keep_ms]
        self.forgotten += [keys_name(seq, part) for seq, _, parts in old for part in range(parts)]
        del self._keys_from[: len(old)]

    async def _forget_keys(self) -> None:
        """Delete the keys that the checkpoint does not name any more, order the others."""
        floor = self._keys_from[0][0] if self.forgotten else 0
        await self._put([Record(KEYS_COLLECTION, self._slot, name, None, floor) for name in self.forgotten])
        self.forgotten.clear()
        await self._keys.settle(floor)

    async def _drop_deltas(self, seq: int) -> None:
        """Delete what the checkpoint before the newest one was the last to name."""
        try:
            await self._put(await self.deltas.waste(seq))
        except StoreUnavailable:
            log.warning("some records of unfinished rounds stay", slot=self._slot)

    async def _drop_segments(self, first_seq: int) -> None:
        """Drop what the checkpoint does not name any more; after it, for it may never name a segment that is gone."""
        try:
            await self._journal.drop_before(first_seq)
        except StoreUnavailable:
            log.warning("old segments stay until the next round", slot=self._slot)

    async def _put(self, records: Sequence[Record]) -> None:
        while True:
            try:
                if records:
                    await self._unit.put(records)
                return
            except StoreUnavailable:
                await asyncio.sleep(RETRY_MS / 1000)
            except StoreRejected as error:
                # A right that was taken away, a record that is too large: the journal has everything, so the slot goes
                # on, and only a takeover would take longer.
                log.error("the store refuses what is written down", slot=self._slot, why=str(error))
                await asyncio.sleep(REJECTED_RETRY_MS / 1000)

    async def settle(self) -> None:
        """Wait until no round is under way."""
        while self._writing is not None:
            await asyncio.wait((self._writing,))

    def stop(self) -> None:
        """Give up the round under way."""
        if self._writing is not None:
            self._writing.cancel()


def _start_of(segments: Sequence[Segment], seq: int) -> int:
    """First sequence of the segment that holds `seq`: everything before it may go."""
    return max((each.first_seq for each in segments if each.first_seq <= seq), default=0)
