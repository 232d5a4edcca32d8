"""What is known of a slot from elsewhere, and what a takeover must find at least.

A chain proves what it holds, not that it was longer once. Whoever takes a slot over asks the anchors, the owner record
of the directory, and, of a slot with no journal, the contracts of the shared unit: each may say that something was done
here. Then "nothing was ever done" is damage, and so is a journal or a checkpoint that ends before what is known.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress

from msgspec import Struct

from charging.errors import NotFound
from directory import owners as owners_of
from directory.slots import parse_slot
from domainservers.contracts import contracts as contracts_of
from domainservers.journal.journal import NO_MARKS, Corrupt, Mark, end_of
from domainservers.snapshots.checkpoint import Checkpoint
from evidence.anchors import Anchor, Everywhere
from runtime.telemetry import logger
from storage.unit import Head, Stored, Unit

log = logger("domainservers.slot.witness")

SCANS_AT_ONCE = 32
CONTRACTS_LOOKED_AT_MAX = 20_000
"""Of a shared unit, when a slot has no journal: among so many one of the slot's is met, if it has any to speak of."""


class Told(Struct, frozen=True):
    """What is known of a slot."""

    slot: str
    anchor: Anchor | None
    """None = no store of anchors knows the slot."""
    owner_epoch: int
    """Of its owner record; 0 = there is none."""

    @property
    def epoch(self) -> int:
        """The highest epoch known, by owner record or anchor; 0 = none is."""
        return max(self.owner_epoch, self.anchor.epoch if self.anchor is not None else 0)

    @property
    def marks(self) -> Mapping[int, Mark]:
        """The anchor, for who reads the chain."""
        if self.anchor is None:
            return NO_MARKS
        return {self.anchor.seq: Mark(self.anchor.tip, self.anchor.where)}


NOTHING_TOLD = Told("", None, 0)


class Witness:
    """Asks whoever may know of a slot."""

    def __init__(
        self, anchors: Everywhere, directory: Unit, look: Callable[[Unit], Awaitable[Mapping[str, str]]]
    ) -> None:
        """`directory` is the directory's unit; `look` gives who lives where by a shared unit, as `inhabitants` does."""
        self._anchors = anchors
        self._directory = directory
        self._look = look
        self._inhabited: dict[Unit, Mapping[str, str]] = {}

    async def told(self, slot: str) -> Told:
        """Ask for a slot; to be called before its journal is read. Raises `StoreUnavailable`."""
        anchor = await self._anchors.newest(slot)
        return Told(slot, anchor, await owners_of.recorded_epoch(self._directory, *parse_slot(slot)))

    async def vet(self, told: Told, shared: Unit, private: Unit, checkpoint: Checkpoint | None) -> None:
        """Compare a slot's journal and checkpoint with what was told. Raises `Corrupt`, `StoreUnavailable`."""
        number = checkpoint.segments[-1].number if checkpoint is not None else 0
        head = await end_of(private, told.slot, number)
        fault = shortfall(told, head, checkpoint.position.seq if checkpoint is not None else -1)
        if fault is None and head is None and checkpoint is None and (told.anchor is None or not told.anchor.accepted):
            found = (await self._who_lives_in(shared)).get(told.slot)
            fault = f"it has no journal, and the shared unit has contracts of it, {found}" if found else None
        if fault is not None:
            raise Corrupt(f"{told.slot}: {fault}; {going_on(told.slot)}")

    async def _who_lives_in(self, shared: Unit) -> Mapping[str, str]:
        """Give an identity for each slot that has contracts in a shared unit, as far as is looked; looks once."""
        found = self._inhabited.get(shared)
        if found is None:
            found = self._inhabited[shared] = await self._look(shared)
        return found


def shortfall(told: Told, head: Head | None, checkpoint_seq: int) -> str | None:
    """Say in what a journal falls short of what is known of it, None = in nothing."""
    anchor = told.anchor
    if head is None:
        absent = "the segment that its checkpoint ends in is missing" if checkpoint_seq >= 0 else "it has no journal"
        if anchor is not None and anchor.seq >= 0:
            return f"{absent}, and {anchor.where} knows group {anchor.seq}"
        accepted = anchor.epoch if anchor is not None and anchor.accepted else 0
        if told.owner_epoch > accepted:
            return f"{absent}, and its owner record is of epoch {told.owner_epoch}"
        return None
    if anchor is not None and head.seq < anchor.seq:
        return f"its journal ends at group {head.seq}, and {anchor.where} knows group {anchor.seq}"
    if anchor is not None and checkpoint_seq < anchor.checkpoint_seq:
        what = f"is of group {checkpoint_seq}" if checkpoint_seq >= 0 else "is missing"
        return f"its checkpoint {what}, and {anchor.where} knows one of group {anchor.checkpoint_seq}"
    if head.epoch < told.epoch and not (anchor is not None and anchor.accepted and anchor.epoch == told.epoch):
        return (
            f"its journal is of epoch {head.epoch}, and epoch {told.epoch} is known: an older copy was put in its place"
        )
    return None


def going_on(slot: str) -> str:
    """Say what to do about a slot that falls short."""
    return f"restore its units, or accept the loss: onetier accept-loss {slot}"


async def inhabitants(shared: Unit, slot_of: Callable[[str], str]) -> Mapping[str, str]:
    """Look through contracts of a shared unit, `CONTRACTS_LOOKED_AT_MAX` at most; gives an identity a slot."""
    found: dict[str, str] = {}
    looked = 0
    for start in range(0, contracts_of.BUCKETS, SCANS_AT_ONCE):
        buckets = range(start, min(start + SCANS_AT_ONCE, contracts_of.BUCKETS))
        for identities in await asyncio.gather(*(_some_of(shared, bucket) for bucket in buckets)):
            looked += len(identities)
            for identity in identities:
                with suppress(NotFound):  # Not served any more.
                    found.setdefault(slot_of(identity), identity)
        if looked >= CONTRACTS_LOOKED_AT_MAX:
            break
    return found


async def _some_of(shared: Unit, bucket: int) -> list[str]:
    """Give the identities of a partition's first page: an even sample of all."""
    async with aclosing(_pages(shared, bucket)) as pages:
        async for page in pages:
            return [stored.key for stored in page]
    return []


async def _pages(shared: Unit, bucket: int) -> AsyncGenerator[Sequence[Stored], None]:
    async for page in shared.scan(contracts_of.COLLECTION, contracts_of.partition_name(bucket)):
        yield page
