"""Taking a slot over: claim its journal, load the newest checkpoint, replay what came after it.

Accounts are loaded as the replay meets them, a window of groups at a time, so memory holds what the replay touched
and the rest stays in its snapshots.
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from business.kinds import KINDS
from business.subjects import Kinds
from charging.ledger.permission import Policy, built_in_policy
from domainservers.base.clock import Clock
from domainservers.base.limits import Limits
from domainservers.journal.groups import unpack_group
from domainservers.journal.journal import Corrupt, Fenced, Position, claim, read_chain
from domainservers.slot.healing import Healing
from domainservers.slot.parts import SlotParts, nowhere
from domainservers.slot.replaying import ReplayedContracts, Replayer
from domainservers.slot.witness import NOTHING_TOLD, Told, Witness
from domainservers.snapshots.checkpoint import Checkpoint, load_checkpoint, load_watched
from domainservers.snapshots.key_records import load_keys
from evidence.keys import PROCESS_RING, KeyRing
from runtime.telemetry import Metrics, logger
from storage.unit import Unit

log = logger("domainservers.slot.recovery")


async def always() -> bool:
    """Take a slot over whatever is announced."""
    return True


async def recover(
    name: str,
    owner: str,
    shared: Unit,
    private: Unit,
    limits: Limits,
    clock: Clock,
    permits: asyncio.Semaphore,
    revision: Callable[[], int],
    metrics: Metrics,
    ring: KeyRing = PROCESS_RING,
    witness: Witness | None = None,
    policy: Callable[[], Policy] = built_in_policy,
    domain_of: Callable[[str], str] = nowhere,
    national: Unit | None = None,
    kinds: Kinds = KINDS,
    due: Callable[[], Awaitable[bool]] = always,
) -> SlotParts:
    """Own slot `name` and stand where its journal stands; `ring` holds the keys of its chain.

    What `witness` knows of it is asked first: a journal that falls short of that is not taken over.

    `owner` is unique to this call. `due` is asked just before the claim: an owner that announced itself while units
    were opened and the checkpoint was read answers from its lease, and must not lose the slot unnoticed.

    Raises `Fenced`, `JournalMoved`, `Corrupt`, `StoreUnavailable`.
    """
    told = await witness.told(name) if witness is not None else NOTHING_TOLD
    checkpoint = await load_checkpoint(private, name)
    if witness is not None:
        await witness.vet(told, shared, private, checkpoint)
    known = checkpoint.segments if checkpoint is not None else ()
    age_ms = checkpoint.age_ms if checkpoint is not None else 0
    if not await due():
        raise Fenced(f"{name}: another server announced itself meanwhile")
    journal = await claim(private, name, owner, known, age_ms, ring, told.epoch)
    stores = (shared, private, journal, checkpoint)
    parts = SlotParts(name, *stores, limits, clock, permits, revision, metrics, policy, domain_of, national, kinds)
    entries = await _stand_up(parts, checkpoint, ring, told)
    if not await journal.still_owned():
        # What was read may be another owner's already: keys and entries beyond our own head.
        raise Fenced(f"{name}: taken over by another server during recovery")
    if entries:
        log.info("recovered", slot=name, entries=entries, seq=journal.head.seq, epoch=journal.head.epoch)
    return parts


async def _stand_up(parts: SlotParts, checkpoint: Checkpoint | None, ring: KeyRing, told: Told) -> int:
    """Bring memory to where the journal stands; gives how many entries were replayed."""
    name, private, journal = parts.name, parts.private, parts.journal
    keys = await load_keys(private, name, checkpoint)
    await parts.keys.load(list(keys.named.values()))
    parts.key_records.forgotten += keys.forgotten
    start = Position(0, -1, journal.segments[0].start_tip)
    if checkpoint is not None:
        start = checkpoint.position
        parts.around.newest_ms = checkpoint.newest_ms
    parts.accounts.pinned = True
    await parts.deltas.load(parts.accounts)
    contracts = ReplayedContracts(parts.shared, parts.contracts, parts.registry)
    states = (parts.accounts, parts.memory, parts.subjects)
    replayer = Replayer(
        name,
        private,
        *states,
        parts.keys,
        parts.quarantine,
        parts.around,
        contracts,
        parts.bills,
        parts.customers,
        start.seq,
    )
    if checkpoint is not None:
        await replayer.load(await load_watched(private, name, checkpoint), watch=True)
    async for segment, groups in read_chain(private, name, start, ring, told.marks):
        if segment.number == journal.segments[-1].number:
            journal.segment_bytes += sum(len(group.payload) for group in groups)
        for group in groups:
            try:
                entries, aside = unpack_group(group.payload)
            except msgspec.DecodeError as error:
                raise Corrupt(f"{name}: group {group.seq} can't be opened: {error}") from error
            await replayer.take(group.seq, entries, aside)
    await replayer.replay()
    runs = parts.bills.stages.subject_id
    await replayer.load([runs])
    parts.subjects.look(runs)
    await contracts.write()
    healing = Healing(name, private, journal, *states, parts.keys, parts.quarantine, parts.metrics)
    # What was healed is to be said by a checkpoint, though nothing was replayed.
    parts.snapshots.entries = replayer.entries + await healing.heal(checkpoint.set_aside if checkpoint else ())
    parts.accounts.pinned = False
    return replayer.entries
