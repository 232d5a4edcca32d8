"""Journals: compare-and-set of a segment's head with the group's row, on every store."""

import asyncio
import hashlib

import msgspec
import pytest

from storage.unit import ABSENT, PAYLOAD_BYTES_MAX, Group, Head, StoreRejected, Unit

START = Head(epoch=1, owner="ds-1", seq=-1, tip=b"", sealed=False)


def after(head: Head, payload: bytes, owner: str | None = None) -> tuple[Head, Group]:
    """The head that follows when that payload is appended, and its group."""
    tip = hashlib.blake2b(head.tip + payload, digest_size=16).digest()
    group = Group(head.seq + 1, payload)
    return Head(head.epoch, owner or head.owner, group.seq, tip, sealed=False), group


async def append(unit: Unit, head: Head, payload: bytes, journal: str = "j") -> Head:
    following, group = after(head, payload)
    assert await unit.swap(journal, 0, head, following, group) == following
    return following


async def groups(unit: Unit, first: int = 0, last: int = 1 << 40, journal: str = "j") -> list[Group]:
    return [group async for page in unit.read(journal, 0, first, last) for group in page]


async def test_a_segment_is_created_once(unit: Unit) -> None:
    assert await unit.head("j", 0) is None
    assert await unit.swap("j", 0, None, START, None) == START
    assert await unit.head("j", 0) == START
    other = msgspec.structs.replace(START, owner="ds-2")
    assert await unit.swap("j", 0, None, other, None) == START
    assert await groups(unit) == []


async def test_a_segment_may_be_created_with_its_first_group(unit: Unit) -> None:
    head, group = after(START, b"first")
    assert await unit.swap("j", 0, None, head, group) == head
    assert await unit.head("j", 0) == head
    assert await groups(unit) == [group]


async def test_appended_groups_are_read_in_order(unit: Unit) -> None:
    head = await unit.swap("j", 0, None, START, None)
    for number in range(70):
        head = await append(unit, head, b"payload %d" % number)
    assert await unit.head("j", 0) == head
    assert [(group.seq, group.payload) for group in await groups(unit)] == [
        (number, b"payload %d" % number) for number in range(70)
    ]
    assert [group.seq for group in await groups(unit, 10, 50)] == list(range(10, 51))
    assert await groups(unit, 71, 80) == []


async def test_a_repeat_after_it_was_applied_finds_its_own_head(unit: Unit) -> None:
    start = await unit.swap("j", 0, None, START, None)
    assert await unit.swap("j", 0, None, START, None) == START
    head, group = after(start, b"x")
    for _ in range(3):
        assert await unit.swap("j", 0, start, head, group) == head
    assert await groups(unit) == [group]


async def test_a_foreign_epoch_fences_the_former_owner(unit: Unit) -> None:
    old = await append(unit, await unit.swap("j", 0, None, START, None), b"mine")
    taken = msgspec.structs.replace(old, epoch=2, owner="ds-2")
    assert await unit.swap("j", 0, old, taken, None) == taken
    late, group = after(old, b"too late")
    assert await unit.swap("j", 0, old, late, group) == taken
    assert [kept.payload for kept in await groups(unit)] == [b"mine"]


async def test_two_that_take_over_to_the_same_epoch_are_told_apart(unit: Unit) -> None:
    start = await unit.swap("j", 0, None, START, None)
    first, second = (msgspec.structs.replace(start, epoch=2, owner=owner) for owner in ("ds-2", "ds-3"))
    assert await unit.swap("j", 0, start, first, None) == first
    assert await unit.swap("j", 0, start, second, None) == first


async def test_a_wrong_tip_changes_nothing(unit: Unit) -> None:
    head = await append(unit, await unit.swap("j", 0, None, START, None), b"x")
    stale, group = after(START, b"y")
    assert await unit.swap("j", 0, START, stale, group) == head
    assert [kept.payload for kept in await groups(unit)] == [b"x"]


async def test_a_sealed_segment_takes_no_more(unit: Unit) -> None:
    head = await append(unit, await unit.swap("j", 0, None, START, None), b"x")
    sealed = msgspec.structs.replace(head, sealed=True)
    assert await unit.swap("j", 0, head, sealed, None) == sealed
    more, group = after(head, b"more")
    assert await unit.swap("j", 0, head, more, group) == sealed
    assert await unit.head("j", 0) == sealed
    assert len(await groups(unit)) == 1


async def test_of_racing_swaps_exactly_one_wins_each_step(unit: Unit) -> None:
    head = await unit.swap("j", 0, None, START, None)
    for step in range(8):
        rivals = [after(head, b"%d by %d" % (step, rival)) for rival in range(12)]
        answers = await asyncio.gather(*[unit.swap("j", 0, head, mine, group) for mine, group in rivals])
        assert len(set(answers)) == 1
        winners = [group for mine, group in rivals if mine == answers[0]]
        assert len(winners) == 1
        head = answers[0]
        assert (await groups(unit))[-1] == winners[0]
    assert [group.seq for group in await groups(unit)] == list(range(8))


async def test_racing_creations_have_one_winner(unit: Unit) -> None:
    rivals = [msgspec.structs.replace(START, owner=f"ds-{number}") for number in range(10)]
    answers = await asyncio.gather(*[unit.swap("j", 0, None, rival, None) for rival in rivals])
    assert len(set(answers)) == 1
    assert answers[0] in rivals


async def test_journals_and_segments_are_apart_and_go_on_at_once(unit: Unit) -> None:
    async def fill(journal: str) -> Head:
        head = await unit.swap(journal, 0, None, START, None)
        for number in range(10):
            head = await append(unit, head, f"{journal} {number}".encode(), journal)
        return head

    names = [f"GD/{number}" for number in range(12)]
    heads = await asyncio.gather(*[fill(name) for name in names])
    assert len({head.tip for head in heads}) == len(names)
    for name, head in zip(names, heads, strict=True):
        assert await unit.head(name, 0) == head
        assert [group.payload.decode() for group in await groups(unit, journal=name)] == [
            f"{name} {number}" for number in range(10)
        ]
    assert await unit.head(names[0], 1) is None


async def test_a_payload_may_be_large(unit: Unit) -> None:
    payload = bytes(range(256)) * (PAYLOAD_BYTES_MAX // 256)
    head = await append(unit, await unit.swap("j", 0, None, START, None), payload)
    assert (await groups(unit))[0].payload == payload
    too_much, group = after(head, payload + b"x" * 256)
    with pytest.raises(StoreRejected, match="at most 4000000"):
        await unit.swap("j", 0, head, too_much, group)
    assert await unit.head("j", 0) == head


async def test_a_dropped_segment_is_gone_and_takes_no_late_swap(unit: Unit) -> None:
    head = await unit.swap("j", 0, None, START, None)
    for number in range(5):
        head = await append(unit, head, b"%d" % number)
    kept = await unit.swap("j", 1, None, START, None)
    await unit.drop("j", 0)
    await unit.drop("j", 0)
    assert await unit.head("j", 0) is None
    assert await groups(unit) == []
    late, group = after(head, b"late")
    assert await unit.swap("j", 0, head, late, group) == ABSENT
    assert await groups(unit) == []
    assert await unit.head("j", 1) == kept


async def test_a_segment_can_be_made_anew_after_it_was_dropped(unit: Unit) -> None:
    await append(unit, await unit.swap("j", 0, None, START, None), b"old")
    await unit.drop("j", 0)
    head = await append(unit, await unit.swap("j", 0, None, START, None), b"new")
    assert await unit.head("j", 0) == head
    assert [group.payload for group in await groups(unit)] == [b"new"]


async def test_a_cancelled_swap_is_applied_whole_or_not_at_all(unit: Unit) -> None:
    head = await unit.swap("j", 0, None, START, None)
    following, group = after(head, b"perhaps")
    task = asyncio.create_task(unit.swap("j", 0, head, following, group))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await unit.swap("j", 0, head, following, group) == following
    assert await groups(unit) == [group]


async def test_a_swap_of_what_was_never_created_finds_it_absent(unit: Unit) -> None:
    following, group = after(START, b"x")
    assert await unit.swap("j", 0, START, following, group) == ABSENT
    assert await unit.head("j", 0) is None
    assert await groups(unit) == []
