"""Rounds of changed accounts: what they write alone and what not, crashes in their midst, late owners."""

import asyncio
from collections.abc import Sequence
from random import Random

import pytest

from charging.wire import Done
from domainservers.accounts.accounts import COLLECTION, partition_of, partitions
from domainservers.base.limits import Limits
from domainservers.journal.journal import Corrupt
from domainservers.slot.moving import fence
from domainservers.slot.slot import Slot
from domainservers.snapshots.checkpoint import Checkpoint, load_checkpoint
from domainservers.snapshots.deltas import CHECKPOINT_COLLECTION, ORPHAN_EPOCHS_MAX
from storage.memory.unit import MemoryStore
from storage.unit import Record
from tests.unit.domainservers.room import ALICE, BOB, FlakyUnit, ask, charge, commit, do, opening, own, until
from tests.unit.domainservers.test_recovery import state_of

PEOPLE = [f"msisdn:86138{number:08d}" for number in range(100, 400)]
LIMITS = Limits(
    snapshot_entries=30,
    segment_groups_max=9,
    hot_accounts_max=3,
    packed_accounts_max=64,
    kept_entries_max=5,
    deltas_max=4,
)


class GatedUnit(FlakyUnit):
    """A unit whose plain writes can be held up."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store)
        self.gate = asyncio.Event()
        self.gate.set()
        self.waiting = 0

    async def put(self, records: Sequence[Record]) -> None:
        self.waiting += 1
        await self.gate.wait()
        self.waiting -= 1
        await super().put(records)


async def alone(unit: FlakyUnit, account_id: str) -> bool:
    """Say whether an account has a record of its own."""
    return account_id in await unit.get(COLLECTION, partition_of("GD/0")(account_id), [account_id])


async def names(unit: FlakyUnit) -> set[str]:
    """Names of all parts of deltas that are there."""
    found = [stored.key async for page in unit.scan(CHECKPOINT_COLLECTION, "GD/0") for stored in page]
    return {name for name in found if name.startswith("delta/")}


async def checkpoint_of(unit: FlakyUnit) -> Checkpoint:
    checkpoint = await load_checkpoint(unit, "GD/0")
    assert checkpoint is not None
    return checkpoint


def named(checkpoint: Checkpoint) -> set[str]:
    return {delta.name(part) for delta in checkpoint.deltas for part in range(delta.parts)}


async def round_of(slot: Slot, key: str, people: Sequence[str]) -> None:
    """Charge these people until a round of the slot is over."""
    await slot.parts.snapshots.settle()
    answers = await ask(slot, *(commit(f"{key}-{n}", charge(1, one), one) for n, one in enumerate(people)))
    assert all(isinstance(answer, Done) for answer in answers)
    await slot.parts.snapshots.settle()


async def test_only_accounts_that_rest_for_long_are_written_alone() -> None:
    unit = FlakyUnit()
    slot = await own(unit, LIMITS)
    await ask(slot, commit("open", opening(ALICE), ALICE), commit("open", opening(BOB), BOB))
    await ask(slot, *(commit("open", opening(one), one) for one in PEOPLE[:30]))
    busy = [ALICE] * 10 + PEOPLE[:20]
    for number in range(3):
        await round_of(slot, f"r{number}", busy)
    assert not await alone(unit, BOB)
    for number in range(3, 9):
        await round_of(slot, f"r{number}", busy)
    assert await alone(unit, BOB), "it rests since the first round"
    assert await alone(unit, PEOPLE[25])
    assert not await alone(unit, ALICE)
    checkpoint = await checkpoint_of(unit)
    assert len(checkpoint.deltas) == LIMITS.deltas_max
    assert named(checkpoint) <= await names(unit)
    assert len(await names(unit)) <= LIMITS.deltas_max + 2, "what the newest two checkpoints don't name is gone"
    slot.end()
    slot = await own(unit, LIMITS)
    assert (await state_of(slot, ALICE)).account.books[0].amount == 10_000_000 - 90
    assert (await state_of(slot, BOB)).account.books[0].amount == 10_000_000
    await slot.close()


async def test_states_in_all_deltas_are_bounded() -> None:
    unit = FlakyUnit()
    limits = Limits(snapshot_entries=30, deltas_max=100, delta_states_max=90)
    slot = await own(unit, limits)
    for start in range(0, 300, 30):
        await ask(slot, *(commit("open", opening(one), one) for one in PEOPLE[start : start + 30]))
        await slot.parts.snapshots.settle()
    assert len((await checkpoint_of(unit)).deltas) == 3
    rows = [stored.key for name in partitions("GD/0") async for page in unit.scan(COLLECTION, name) for stored in page]
    assert sorted(rows) == sorted(PEOPLE[:210])
    await slot.close()


@pytest.mark.parametrize("seed", range(6))
async def test_nothing_is_lost_or_left_behind_wherever_an_owner_dies(seed: int) -> None:
    random, unit = Random(seed), FlakyUnit()
    slot = await own(unit, LIMITS)
    await ask(slot, *(commit("open", opening(one), one) for one in PEOPLE))
    balances = dict.fromkeys(PEOPLE, 10_000_000)
    for step in range(60):
        some = random.sample(PEOPLE[:100] if step % 3 else PEOPLE, 25)
        answers = await ask(slot, *(commit(f"k{step}", charge(step + 1, one), one) for one in some))
        assert all(isinstance(answer, Done) for answer in answers)
        for one in some:
            balances[one] -= step + 1
        if random.random() < 0.3:
            for _ in range(random.randrange(12)):
                await asyncio.sleep(0)  # Into the midst of a round.
            slot.end()
            slot = await own(unit, LIMITS)
    for one in random.sample(PEOPLE, 100):
        assert (await state_of(slot, one)).account.books[0].amount == balances[one]
    for number in range(3):  # What the owners before left unfinished goes a round later than what is named no more.
        await round_of(slot, f"last-{number}", PEOPLE[:30])
    checkpoint = await checkpoint_of(unit)
    assert await names(unit) - named(checkpoint) <= {d.name(n) for d in checkpoint.gone for n in range(max(d.parts, 1))}
    assert len(checkpoint.gone) <= 2
    await slot.close()


@pytest.mark.parametrize("lets", range(4))
async def test_a_late_write_of_an_old_owner_harms_nothing(lets: int) -> None:
    """The old owner stands still after so many writes of a round; the new one stands at the same group."""
    store = MemoryStore()
    old_unit, unit = GatedUnit(store), FlakyUnit(store)
    old = await own(old_unit, LIMITS)
    await ask(old, *(commit("open", opening(one), one) for one in PEOPLE[:60]))
    for number in range(5):
        await round_of(old, f"r{number}", PEOPLE[:30])
    old_unit.gate.clear()
    await ask(old, *(commit(f"stop-{n}", charge(1, one), one) for n, one in enumerate(PEOPLE[:30])))
    for _ in range(lets):
        while not old_unit.waiting:  # noqa: ASYNC110
            await asyncio.sleep(0)
        old_unit.gate.set()
        await asyncio.sleep(0)
        old_unit.gate.clear()
    new = await own(unit, LIMITS)
    new.tend()
    await round_of(new, "new", PEOPLE[:3])
    old_unit.gate.set()
    await asyncio.sleep(0.05)
    new.end()
    third = await own(unit, LIMITS)
    for index, one in enumerate(PEOPLE[:60]):
        spent = (6 if index < 30 else 0) + (1 if index < 3 else 0)
        assert (await state_of(third, one)).account.books[0].amount == 10_000_000 - spent
    old.end()
    await third.close()


async def test_a_part_that_is_missing_is_damage() -> None:
    unit = FlakyUnit()
    slot = await own(unit, LIMITS)
    await do(slot, "open", opening())
    await slot.close()
    (delta,) = (await checkpoint_of(unit)).deltas
    await unit.put([Record(CHECKPOINT_COLLECTION, "GD/0", delta.name(0), None, 1 << 60)])
    with pytest.raises(Corrupt, match=r"GD/0: delta/.* is missing"):
        await own(unit, LIMITS)


async def test_parts_of_a_round_whose_owner_died_are_deleted() -> None:
    unit = FlakyUnit()
    slot = await own(unit, LIMITS)
    await do(slot, "open", opening())
    await slot.close()
    (delta,) = (await checkpoint_of(unit)).deltas
    epochs = (delta.epoch, delta.epoch + 1)
    left = [f"delta/{epoch:010d}/{delta.number + 1:010d}/{part:04d}" for epoch in epochs for part in range(10)]
    await unit.put([Record(CHECKPOINT_COLLECTION, "GD/0", name, b"", 0) for name in left])
    (await own(unit, LIMITS)).end()
    slot = await own(unit, LIMITS)
    assert slot.parts.journal.head.epoch - delta.epoch < ORPHAN_EPOCHS_MAX
    await round_of(slot, "call", [ALICE] * 30)
    # Not yet: an owner that was fenced unawares writes one round, and its successor may stand on what was thought dead.
    assert set(left) <= await names(unit)
    await round_of(slot, "again", [ALICE] * 30)
    await slot.close()
    assert await names(unit) == named(await checkpoint_of(unit))


async def test_a_round_that_a_fence_overtakes_is_testified_by_no_anchor_and_deletes_nothing() -> None:
    unit = GatedUnit(MemoryStore())
    slot = await own(unit, LIMITS)
    await ask(slot, commit("open", opening(ALICE), ALICE))
    for number in range(3):  # the newest checkpoint is of one of these
        await round_of(slot, f"r{number}", [ALICE] * LIMITS.snapshot_entries)
    before, segments, parts = slot.anchor(0), list(slot.parts.journal.segments), await names(unit)
    unit.gate.clear()
    charges = [commit(f"last-{n}", charge(1, ALICE), ALICE) for n in range(LIMITS.snapshot_entries)]
    await ask(slot, *charges)
    await until(lambda: unit.waiting > 0)
    assert await fence(unit, "GD/0", "memory://elsewhere")  # what is copied from here on lacks the round
    unit.gate.set()
    await slot.parts.snapshots.settle()
    assert before.checkpoint_seq > 0
    assert slot.anchor(0).checkpoint_seq == before.checkpoint_seq
    assert segments == slot.parts.journal.segments[: len(segments)]
    assert parts <= await names(unit)
    slot.end()
