"""Long lists of segments: their older part stands beside the checkpoint, which stays small."""

import msgspec
import pytest

from charging.wire import Done
from domainservers.base.limits import Limits
from domainservers.journal.journal import Corrupt, Segment
from domainservers.snapshots import segment_lists
from domainservers.snapshots.checkpoint import NEWEST, load_checkpoint
from domainservers.snapshots.deltas import CHECKPOINT_COLLECTION
from domainservers.snapshots.segment_lists import SegmentLists, pack_name
from storage.unit import VALUE_BYTES_MAX, Record
from tests.unit.domainservers.room import Clock, FlakyUnit, charge, do, opening, own

LIMITS = Limits(snapshot_entries=4, segment_groups_max=1, outcomes_keep_ms=1_000, journal_keep_ms=100_000)


@pytest.fixture(autouse=True)
def short_packs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_lists, "PACK_SEGMENTS", 5)


async def names_of(unit: FlakyUnit) -> list[str]:
    found = [stored.key async for page in unit.scan(CHECKPOINT_COLLECTION, "GD/0") for stored in page]
    return [name for name in found if name.startswith("segments/")]


async def test_a_journal_of_many_segments_is_taken_over_and_forgets_old_packs() -> None:
    unit, clock = FlakyUnit(), Clock()
    slot = await own(unit, LIMITS, clock)
    await do(slot, "open", opening())
    for number in range(60):
        await do(slot, f"k{number}", charge(1))
    await slot.close()
    slot = await own(unit, LIMITS, clock)
    checkpoint = await load_checkpoint(unit, "GD/0")
    assert checkpoint is not None
    assert [each.number for each in checkpoint.segments] == list(range(len(checkpoint.segments)))
    assert len(checkpoint.segments) > 50
    stored = (await unit.get(CHECKPOINT_COLLECTION, "GD/0", [NEWEST]))[NEWEST]
    assert len(stored.value) < 1_500
    assert len(await names_of(unit)) >= 10
    clock.ms += 200_000
    for number in range(60, 90):
        clock.ms += 100
        await do(slot, f"k{number}", charge(1))
        await slot.parts.snapshots.settle()
    await slot.close()
    assert len(await names_of(unit)) < 10
    slot = await own(unit, LIMITS, clock)
    again = await do(slot, "k89", charge(1))
    assert isinstance(again, Done)
    assert again.repeated
    await slot.close()


async def test_a_pack_that_is_named_and_missing_is_damage() -> None:
    unit = FlakyUnit()
    slot = await own(unit, LIMITS)
    await do(slot, "open", opening())
    for number in range(30):
        await do(slot, f"k{number}", charge(1))
    await slot.close()
    await unit.put([Record(CHECKPOINT_COLLECTION, "GD/0", pack_name(1), None, 1 << 60)])
    with pytest.raises(Corrupt, match="segments/00000001"):
        await own(unit, LIMITS)


def test_months_of_a_busy_slot_fit_their_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_lists, "PACK_SEGMENTS", 1_000)
    lists = SegmentLists("GD/0", (0, 0))
    segments = [Segment(number, number * 5_000, b"t" * 32, number * 40_000) for number in range(200_000)]
    older, named = lists.split(segments)
    assert len(msgspec.msgpack.encode(named)) < VALUE_BYTES_MAX // 10
    records = lists.records(segments[:5_000], (0, 5_000), 1)
    assert all(len(record.value or b"") < VALUE_BYTES_MAX // 10 for record in records)
    assert older == (0, 199_000)
    lists.waste((0, 5_000), 1)
    assert lists.records(segments[:5_000], (0, 5_000), 2) == []
