"""The audit of what owners wrote down besides the journals: snapshots and deltas, also behind a lost beginning."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import zstandard
from msgspec import Raw
from msgspec.msgpack import encode
from msgspec.structs import replace

from charging.base.account import next_mark
from domainservers.accounts.accounts import COLLECTION, partition_of, unpack_account
from domainservers.base.limits import Limits
from domainservers.journal.journal import Position
from domainservers.snapshots.checkpoint import NEWEST, Checkpoint, load_checkpoint
from domainservers.snapshots.deltas import CHECKPOINT_COLLECTION, Delta, load_delta
from evidence.seals import open_sealed
from house.stores import STORES
from storage.unit import Record, Stored, Unit
from tests.unit.audit.forging import plant
from tests.unit.audit.sound import WEI, audited, owned, ring_of
from tests.unit.domainservers.room import ALICE, NOW_MS, Clock, charge, do, opening

OF_ALICE = f"collection = 'account' AND key = '{ALICE}'"


def richer(value: bytes) -> bytes:
    state = unpack_account(value)
    return encode(replace(state, books=(replace(state.books[0], amount=99_000_000),)))


@pytest.mark.parametrize(
    ("forge", "later", "sentence"),
    [
        (richer, 0, "its snapshot is not what the journal says"),
        (lambda value: b"\xc1", 0, "its snapshot can't be read"),
        (lambda value: value, 1, "in which the journal has no entry of it"),
        (lambda value: value, -1, "its snapshot is not what the journal says"),
    ],
)
async def test_a_snapshot_that_the_journal_does_not_give_is_found(
    url: str, forge: Callable[[bytes], bytes], later: int, sentence: str
) -> None:
    await write_alone(url)
    plant(url, OF_ALICE, lambda old: replace(old, timestamp=old.timestamp + later, value=forge(old.value or b"")))
    report = await audited(url)
    assert report.findings[0].startswith(ALICE)
    assert sentence in report.findings[0]


async def test_a_snapshot_of_an_account_that_the_journal_does_not_know_is_found(url: str) -> None:
    await write_alone(url)
    plant(url, OF_ALICE, lambda old: replace(old, key=WEI))
    assert any(finding.startswith(f"{WEI}: its snapshot") for finding in (await audited(url)).findings)


async def states_of(unit: Unit) -> AsyncIterator[tuple[Checkpoint, Delta, Stored]]:
    """Give the states in the deltas of a slot, older ones first."""
    checkpoint = await load_checkpoint(unit, "GD/0")
    assert checkpoint is not None
    for delta in checkpoint.deltas:
        async for states in load_delta(unit, "GD/0", delta):
            for stored in states:
                yield checkpoint, delta, stored


async def write_alone(url: str) -> None:
    """Write the states that are in deltas as records of their own, and name no delta any more."""
    unit = await open_sealed(STORES, url, ring_of(url))
    async for checkpoint, _, stored in states_of(unit):
        await unit.put(
            [Record(COLLECTION, partition_of("GD/0")(stored.key), stored.key, stored.value, stored.timestamp)]
        )
        alone = encode(replace(checkpoint, deltas=()))
        await unit.put([Record(CHECKPOINT_COLLECTION, "GD/0", NEWEST, alone, 1 << 60)])
    await unit.close()


async def test_a_state_in_a_delta_that_the_journal_does_not_give_is_found(url: str) -> None:
    unit = await open_sealed(STORES, url, ring_of(url))
    async for _, delta, stored in states_of(unit):
        forged = zstandard.compress(encode([(stored.key, Raw(richer(stored.value)), stored.timestamp)]))
        await unit.put([Record(CHECKPOINT_COLLECTION, "GD/0", delta.name(0), forged, 1 << 60)])
    assert f"{ALICE}: its snapshot is not what the journal says" in (await audited(url)).findings
    async for _, delta, _state in states_of(unit):
        damaged = zstandard.FRAME_HEADER + b"no frame"
        await unit.put([Record(CHECKPOINT_COLLECTION, "GD/0", delta.name(0), damaged, 1 << 60)])
    assert "can't be read" in (await audited(url)).findings[0]
    await unit.put([Record(CHECKPOINT_COLLECTION, "GD/0", delta.name(0), None, 1 << 60)])
    report = await audited(url)
    assert report.broken
    assert report.findings[0].endswith("which the checkpoint names, is missing")
    await unit.close()


async def long_journal(url: str) -> int:
    """Charge until the first segments are gone; gives how often. Wei charged once, in a segment that is gone."""
    limits = Limits(
        snapshot_entries=10, segment_groups_max=5, outcomes_keep_ms=1_000, journal_keep_ms=1_000, kept_entries_max=1
    )
    await STORES.migrate(url)
    clock, unit = Clock(), await open_sealed(STORES, url, ring_of(url))
    async with owned(unit, "GD/0", ring_of(url), limits, clock) as slot:
        await do(slot, "open", opening())
        await do(slot, "open", opening(WEI, 5_000), WEI)
        await do(slot, "once", charge(1, WEI), WEI)
        for number in range(60):
            clock.ms += 100
            await do(slot, f"k{number}", charge(1))
            await slot.parts.snapshots.settle()
    assert await unit.head("GD/0", 0) is None
    await unit.close()
    return 60


@pytest.mark.parametrize("since", [-1, 0, 1])
async def test_accounts_are_followed_though_their_beginning_is_gone(tmp_path: Path, since: int) -> None:
    """Alice's snapshot is older than what is left of the journal (-1), in its midst (0), or at its end (1)."""
    url = f"sqlite://{tmp_path}/unit.db"
    charges = await long_journal(url)
    if since < 1:
        await write_alone(url)
        await age_snapshot(url, midst=since == 0)
    report = await audited(url)
    assert report.findings == []
    assert (report.accounts, report.later, report.snapshots) == (2, 2, 0 if since < 0 else 1)
    assert report.money == 10_000_000 - charges + 5_000 - 1
    assert report.since_ms > NOW_MS


async def age_snapshot(url: str, *, midst: bool) -> None:
    """Put an older snapshot of Alice in place of the newest: that before the journal begins, or one in its midst."""
    unit = await open_sealed(STORES, url, ring_of(url))
    checkpoint = await load_checkpoint(unit, "GD/0")
    assert checkpoint is not None
    first, newest = checkpoint.segments[0].first_seq, checkpoint.position.seq
    seq = (first + newest) // 2 if midst else first - 1
    place = partition_of("GD/0")(ALICE)
    state = unpack_account((await unit.get(COLLECTION, place, [ALICE]))[ALICE].value)
    await unit.close()
    # Each later group held one charge of one micro-unit.
    for _ in range(newest - seq):
        state = replace(
            state, version=state.version - 1, books=(replace(state.books[0], amount=state.books[0].amount + 1),)
        )
    mark = 0
    for key in ("open", *(f"k{number}" for number in range(state.version - 1))):
        mark = next_mark(mark, key)
    value = encode(replace(state, mark=mark))
    plant(url, OF_ALICE, lambda old: replace(old, timestamp=seq, value=value))
    aged = replace(checkpoint, deltas=(), position=await position_of(url, checkpoint, seq))
    plant(url, f"key = '{NEWEST}'", lambda old: replace(old, value=encode(aged)))


async def position_of(url: str, checkpoint: Checkpoint, seq: int) -> Position:
    """Find a group in the journal."""
    unit, first = await STORES.open(url), checkpoint.segments[0]
    found, chain = Position(first.number, first.first_seq - 1, first.start_tip), ring_of(url).follow(first.start_tip)
    for segment in checkpoint.segments:
        async for page in unit.read("GD/0", segment.number, 0, seq):
            for group in page:
                chain.take(group.payload)
                found = Position(segment.number, group.seq, chain.tip)
    await unit.close()
    return found


async def test_damage_behind_a_lost_beginning_is_found(tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path}/unit.db"
    await long_journal(url)
    await write_alone(url)
    plant(url, OF_ALICE, lambda old: replace(old, value=richer(old.value or b"")))
    assert f"{ALICE}: its snapshot is not what the journal says" in (await audited(url)).findings
    plant(url, OF_ALICE, lambda old: replace(old, key="nobody"))
    findings = (await audited(url)).findings
    assert f"{ALICE}: neither an opening nor a snapshot shows what it began with" in findings
