"""The fenced journal over a memory unit: claims, commits, unknown outcomes, rolling, proof of the chain."""

import asyncio

import pytest
from msgspec.structs import replace

from domainservers.journal.journal import (
    MOVED,
    Corrupt,
    Fenced,
    JournalMoved,
    Position,
    claim,
    genesis,
    read_chain,
)
from evidence.keys import PROCESS_RING
from storage.unit import Head
from tests.unit.domainservers.room import FlakyUnit

NAME = "GD/0"


async def payloads(unit: FlakyUnit) -> list[bytes]:
    found: list[bytes] = []
    async for _, groups in read_chain(unit, NAME, Position(0, -1, genesis(NAME))):
        found += [group.payload for group in groups]
    return found


async def test_commits_follow_each_other_and_are_read_back() -> None:
    unit = FlakyUnit()
    journal = await claim(unit, NAME, "a", (), 0)
    assert [await journal.commit(b"one"), await journal.commit(b"two")] == [0, 1]
    key = PROCESS_RING.current
    first = key.next_tip(genesis(NAME), PROCESS_RING.stored(b"one"))
    assert journal.position.tip == key.next_tip(first, PROCESS_RING.stored(b"two"))
    assert await payloads(unit) == [b"one", b"two"]


async def test_an_unknown_outcome_is_resolved_by_the_identical_repeat() -> None:
    unit = FlakyUnit()
    journal = await claim(unit, NAME, "a", (), 0)
    unit.silent_swaps = 2
    assert await journal.commit(b"one") == 0
    assert await journal.commit(b"two") == 1
    assert await payloads(unit) == [b"one", b"two"]


async def test_a_fenced_owner_commits_nothing_any_more() -> None:
    unit = FlakyUnit()
    old = await claim(unit, NAME, "old", (), 0)
    await old.commit(b"one")
    new = await claim(unit, NAME, "new", (), 0)
    assert new.head.epoch == old.head.epoch + 1
    with pytest.raises(Fenced):
        await old.commit(b"late")
    with pytest.raises(Fenced):
        await old.roll(0)
    assert not await old.still_owned()
    assert await new.still_owned()
    await new.commit(b"two")
    assert await payloads(unit) == [b"one", b"two"]


async def test_of_two_claims_at_once_only_one_stays() -> None:
    unit = FlakyUnit()
    journals = await asyncio.gather(*(claim(unit, NAME, f"o{n}", (), 0) for n in range(5)), return_exceptions=True)
    alive = []
    for journal in journals:
        if not isinstance(journal, BaseException) and await journal.still_owned():
            alive.append(journal)
    assert len(alive) == 1
    for journal in journals:
        if not isinstance(journal, BaseException) and journal is not alive[0]:
            with pytest.raises(Fenced):
                await journal.commit(b"x")


async def test_a_chain_goes_on_over_segments_and_takeovers() -> None:
    unit = FlakyUnit()
    journal = await claim(unit, NAME, "a", (), 0)
    await journal.commit(b"one")
    await journal.roll(5)
    await journal.commit(b"two")
    journal = await claim(unit, NAME, "b", journal.segments[:1], 0)
    assert [segment.number for segment in journal.segments] == [0, 1]
    assert await journal.commit(b"three") == 2
    assert await payloads(unit) == [b"one", b"two", b"three"]
    assert await journal.still_owned()


async def test_who_takes_over_between_sealing_and_opening_opens_the_next_segment() -> None:
    unit = FlakyUnit()
    old = await claim(unit, NAME, "old", (), 0)
    await old.commit(b"one")
    await unit.swap(NAME, 0, old.head, replace(old.head, sealed=True), None)
    new = await claim(unit, NAME, "new", (), 0)
    assert (new.segments[-1].number, new.head.epoch) == (1, old.head.epoch + 1)
    with pytest.raises(Fenced):
        await old.roll(0)
    await new.commit(b"two")
    assert await payloads(unit) == [b"one", b"two"]


async def test_a_changed_or_missing_group_is_found() -> None:
    unit = FlakyUnit()
    journal = await claim(unit, NAME, "a", (), 0)
    for payload in (b"one", b"two", b"three"):
        await journal.commit(payload)
    rows = unit._store.groups[NAME, 0]
    rows[1] = rows[1][:-3] + b"TWO"
    with pytest.raises(Corrupt, match="does not add up"):
        await payloads(unit)
    del rows[1]
    with pytest.raises(Corrupt, match=r"group 1 .* missing"):
        await payloads(unit)


async def test_a_journal_that_moved_can_not_be_claimed_here() -> None:
    unit = FlakyUnit()
    journal = await claim(unit, NAME, "a", (), 0)
    head = journal.head
    await unit.swap(NAME, 0, head, Head(head.epoch + 1, f"{MOVED}sqlite:///new.db", head.seq, head.tip, True), None)
    with pytest.raises(JournalMoved, match="goes on at sqlite"):
        await claim(unit, NAME, "b", (), 0)
    with pytest.raises(Fenced):
        await journal.commit(b"x")


async def test_a_lost_segment_of_the_checkpoint_is_no_empty_journal() -> None:
    unit = FlakyUnit()
    journal = await claim(unit, NAME, "a", (), 0)
    await journal.commit(b"one")
    await unit.drop(NAME, 0)
    with pytest.raises(Corrupt, match="missing"):
        await claim(unit, NAME, "b", journal.segments, 0)


async def test_old_segments_are_dropped_whole() -> None:
    unit = FlakyUnit()
    journal = await claim(unit, NAME, "a", (), 0)
    for payload in (b"one", b"two", b"three"):
        await journal.commit(payload)
        await journal.roll(0)
    await journal.drop_before(2)
    assert [segment.number for segment in journal.segments] == [2, 3]
    assert await unit.head(NAME, 0) is None
    assert await unit.head(NAME, 2) is not None


async def test_what_an_owner_died_over_is_dropped_by_the_next() -> None:
    unit = FlakyUnit()
    journal = await claim(unit, NAME, "a", (), 0)
    for payload in (b"one", b"two", b"three"):
        await journal.commit(payload)
        await journal.roll(0)
    # The checkpoint names what stays; its writer died before, or while, it dropped the rest.
    following = await claim(unit, NAME, "b", journal.segments[2:], 0)
    await following.drop_before(2)
    assert [await unit.head(NAME, number) for number in (0, 1)] == [None, None]
    assert [segment.number for segment in following.segments] == [2, 3]
