"""Moves a private unit to another address without losing anything: `onetier unit move`.

1. While its slots are served: copy journals and snapshots, as far as they are.
2. Fence every slot: one compare-and-set raises the epoch, seals the journal and says where it goes on. From here on
   callers are told UNAVAILABLE and repeat; nothing can be appended at the old address any more.
3. Copy the rest, and check that each copy ends at the tip of its original.
4. Change the address in the directory. Domain servers follow it and take the slots over at the new address.

Any step may be repeated after a failure: what is there already is checked and kept. `take_back` undoes step 2.
The old unit stays as it was; drop it when its backups are no longer wanted.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from charging.errors import NotFound, Refused
from directory.changes import UnitAddress
from directory.directory import Directory
from directory.slots import slot_key
from domainservers.accounts.accounts import COLLECTION as ACCOUNTS
from domainservers.accounts.accounts import partitions
from domainservers.bills.records import COLLECTION as BILLS
from domainservers.bills.records import partitions_of
from domainservers.journal.journal import MOVED, Corrupt, Segment, genesis
from domainservers.snapshots.checkpoint import Checkpoint, load_checkpoint
from domainservers.snapshots.deltas import CHECKPOINT_COLLECTION
from domainservers.snapshots.key_records import KEYS_COLLECTION
from evidence.keys import PROCESS_RING, KeyRing, Unproven
from evidence.seals import SealedUnit
from storage.unit import ABSENT, Group, Head, Record, Unit

SLOTS_AT_ONCE = 8
SEGMENTS_AT_ONCE = 8
RECORDS_PER_PUT_MAX = 1_000
FENCE_TRIES_MAX = 200

Progress = Callable[[str], None]


class MoveReport(Struct):
    """What a move did."""

    slots: int = 0
    groups: int = 0
    records: int = 0


def _months(checkpoint: Checkpoint | None) -> range:
    """Give the periods that a slot may have bills of: from the year before its first number to the end of its last."""
    years = [int(series.rpartition("-")[2]) for series in (checkpoint.numbers if checkpoint is not None else ())]
    return range(12 * (min(years) - 1), 12 * (max(years) + 1)) if years else range(0)


class _Mover:
    """Copies slots from one unit to another, again and again if need be; only what is missing is written."""

    def __init__(self, source: Unit, target: Unit, ring: KeyRing) -> None:
        self.report = MoveReport()
        self._ring = ring
        self._source = source
        self._target = target
        self._copied: dict[tuple[str, str], dict[str, int]] = {}

    async def copy(self, slot: str) -> None:
        """Bring the copy of a slot up to date. Raises `Corrupt` when source and copy don't agree."""
        checkpoint = await load_checkpoint(self._source, slot)
        segments = list(checkpoint.segments) if checkpoint is not None else [Segment(0, 0, genesis(slot), 0)]
        number = segments[-1].number
        while (head := await self._source.head(slot, number)) is not None and head.sealed:
            if await self._source.head(slot, number + 1) is None:
                break  # Sealed by the fence: the last one, which goes on at the new address.
            number += 1
            segments.append(Segment(number, head.seq + 1, head.tip, 0))
        gate = asyncio.Semaphore(SEGMENTS_AT_ONCE)

        async def one(segment: Segment) -> None:
            async with gate:
                await self._copy_segment(slot, segment, last=segment is segments[-1])

        await asyncio.gather(*(one(segment) for segment in segments))
        for partition in partitions(slot):
            await self._copy_records(ACCOUNTS, partition)
        await self._copy_records(KEYS_COLLECTION, slot)
        for partition in partitions_of(slot, _months(checkpoint)):
            await self._copy_records(BILLS, partition)
        await self._copy_records(CHECKPOINT_COLLECTION, slot)

    async def _copy_segment(self, slot: str, segment: Segment, *, last: bool) -> None:
        source, target, number = self._source, self._target, segment.number
        original = await source.head(slot, number)
        if original is None:
            return
        here = await target.head(slot, number)
        if here is None:
            first = Head(original.epoch, original.owner, segment.first_seq - 1, segment.start_tip, False)
            here = await target.swap(slot, number, None, first, None)
        async for page in source.read(slot, number, here.seq + 1, original.seq):
            for group in page:
                here = await self._append(slot, number, here, original, group)
        if here.tip != original.tip or here.seq != original.seq:
            raise Corrupt(f"{slot}: the copy of segment {number} ends at group {here.seq}, not as the original does")
        if (original.sealed and not last and not here.sealed) or here.epoch < original.epoch:
            await self._swap(
                slot,
                number,
                here,
                Head(original.epoch, original.owner, here.seq, here.tip, not last and original.sealed),
            )

    async def _append(self, slot: str, number: int, here: Head, original: Head, group: Group) -> Head:
        if group.seq != here.seq + 1:
            raise Corrupt(f"{slot}: group {here.seq + 1} of segment {number} is missing")
        chain = self._ring.follow(here.tip)
        try:
            chain.take(group.payload)
        except Unproven as error:
            raise Corrupt(f"{slot}: group {group.seq} of segment {number} is not ours: {error}") from error
        after = Head(max(here.epoch, original.epoch), original.owner, group.seq, chain.tip, False)
        await self._swap(slot, number, here, after, group)
        self.report.groups += 1
        return after

    async def _swap(self, slot: str, number: int, here: Head, wanted: Head, group: Group | None = None) -> None:
        found = await self._target.swap(slot, number, here, wanted, group)
        if found != wanted:
            raise Corrupt(f"{slot}: somebody else writes segment {number} at the new address")

    async def _copy_records(self, collection: str, partition: str) -> None:
        copied = self._copied.setdefault((collection, partition), {})
        async for page in self._source.scan(collection, partition):
            fresh = [each for each in page if copied.get(each.key, -1) < each.timestamp]
            for start in range(0, len(fresh), RECORDS_PER_PUT_MAX):
                some = fresh[start : start + RECORDS_PER_PUT_MAX]
                await self._target.put(
                    [Record(collection, partition, each.key, each.value, each.timestamp) for each in some]
                )
                copied.update((each.key, each.timestamp) for each in some)
                self.report.records += len(some)


async def fence(unit: Unit, slot: str, target_url: str) -> bool:
    """Seal a slot's journal for good at this address; False when the slot was never used. Idempotent for one target.

    Raises `Refused` UNIT_MOVING when it is on its way to another address, SLOT_BUSY, `StoreUnavailable`.
    """
    checkpoint = await load_checkpoint(unit, slot)
    number = checkpoint.segments[-1].number if checkpoint is not None else 0
    head = await unit.head(slot, number)
    # The owner goes on meanwhile: it appends, and rolls to the next segment. Each round follows it to where it is, and
    # tries to seal what it found there.
    for _ in range(FENCE_TRIES_MAX):
        if head is None:
            return False
        if head.sealed:
            following = await unit.head(slot, number + 1)
            if following is None and head.owner.startswith(MOVED):
                if head.owner != MOVED + target_url:
                    raise Refused("UNIT_MOVING", f"slot {slot} is on its way to {head.owner.removeprefix(MOVED)}")
                return True
            if following is None:
                await asyncio.sleep(0.01)  # Its owner is about to open the next segment.
                following = await unit.head(slot, number + 1)
            if following is None:
                # Its owner died between sealing and opening: open the next segment in its place.
                following = await unit.swap(
                    slot, number + 1, None, Head(head.epoch + 1, "mover", head.seq, head.tip, False), None
                )
            number, head = number + 1, following
            continue
        wanted = Head(head.epoch + 1, MOVED + target_url, head.seq, head.tip, True)
        found = await unit.swap(slot, number, head, wanted, None)
        if found == wanted:
            return True
        head = None if found == ABSENT else found
    raise Refused("SLOT_BUSY", f"slot {slot} could not be fenced, its owner was always faster; repeat the move")


async def take_back(unit: Unit, slots: Sequence[str]) -> None:
    """Undo a fence: the journals go on where they are. Only while the directory still names this unit. Idempotent."""
    for slot in slots:
        checkpoint = await load_checkpoint(unit, slot)
        number = checkpoint.segments[-1].number if checkpoint is not None else 0
        head = await unit.head(slot, number)
        while head is not None and head.sealed:
            following = await unit.head(slot, number + 1)
            if following is None:
                opened = Head(head.epoch + 1, "returned", head.seq, head.tip, False)
                following = await unit.swap(slot, number + 1, None, opened, None)
            number, head = number + 1, following


async def move_slots(
    source: Unit,
    target: Unit,
    slots: Sequence[str],
    target_url: str,
    progress: Progress,
    ring: KeyRing = PROCESS_RING,
) -> MoveReport:
    """Do steps 1 to 3 for all slots of a unit; `ring` holds the keys of their chains.

    Raises `Corrupt`, `Refused`, `StoreUnavailable`; then repeat it or take it back.
    """
    mover = _Mover(source, target, ring)
    gate = asyncio.Semaphore(SLOTS_AT_ONCE)

    async def copy(slot: str) -> None:
        async with gate:
            await mover.copy(slot)
            progress(slot)

    await asyncio.gather(*(copy(slot) for slot in slots))
    # Copied twice: the first time while the slots are served, which may take long; then, fenced, what has come since,
    # so that they stand still for a moment only.
    await asyncio.gather(*(fence(source, slot, target_url) for slot in slots))
    await asyncio.gather(*(copy(slot) for slot in slots))
    mover.report.slots = len(slots)
    return mover.report


async def move_private_unit(
    directory: Directory,
    name: str,
    target_url: str,
    open_unit: Callable[[str], Awaitable[Unit]],
    *,
    actor: str,
    progress: Progress,
    ring: KeyRing = PROCESS_RING,
) -> MoveReport:
    """Move the private unit called `name` in the directory to another address, with everything in it.

    Raises `NotFound` STORAGE_UNIT_UNKNOWN, `Refused` UNIT_SHARED when contracts live in it too, and what `move_slots`
    raises.
    """
    await directory.refresh()
    source_url = directory.units.get(name)
    if source_url is None:
        raise NotFound("STORAGE_UNIT_UNKNOWN", f"the directory names no unit {name!r}")
    named = directory.state.named.values()
    if any(domain.shared_unit == name for domain in named):
        raise Refused("UNIT_SHARED", f"unit {name!r} holds contracts too; only private units can be moved")
    slots = [
        slot_key(domain.code, slot) for domain in named if domain.private_unit == name for slot in range(domain.slots)
    ]
    if source_url == target_url:
        return MoveReport()  # It is already there; fencing it would stop its slots for good.
    # What is copied is proven by its seals, and sealed again.
    source, target = SealedUnit(await open_unit(source_url), ring), SealedUnit(await open_unit(target_url), ring)
    try:
        report = await move_slots(source, target, slots, target_url, progress, ring)
    finally:
        await source.close()
        await target.close()
    await directory.amend([UnitAddress(name, target_url)], f"move-unit/{name}/{directory.revision}"[:64], actor)
    return report
