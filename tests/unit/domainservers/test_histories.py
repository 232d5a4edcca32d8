"""Histories: pages by a cursor, bounded work, blocks opened for their account alone, charges that go on meanwhile."""

import asyncio
import gc
import warnings

import pytest

from charging.errors import Expired, Overloaded
from charging.wire import Answer, Done, Failed, FetchHistory, History
from domainservers.base.limits import Limits
from domainservers.journal.frames import Frames
from domainservers.reads import histories, turns
from domainservers.reads.turns import Turns
from domainservers.slot.slot import Slot
from tests.unit.domainservers.room import ALICE, BOB, FlakyUnit, Waiting, ask, charge, commit, do, opening, own

SMALL = Limits(kept_entries_max=1)


async def opened(charges: int) -> tuple[FlakyUnit, Slot]:
    unit = FlakyUnit()
    slot = await own(unit, SMALL)
    await ask(slot, commit("open", opening()), commit("open-b", opening(BOB), BOB))
    for number in range(charges):
        await ask(slot, commit(f"k{number}", charge(1)), commit(f"b{number}", charge(1, BOB), BOB))
    return unit, slot


def page_of(answer: Answer) -> History:
    assert isinstance(answer, History), answer
    return answer


async def test_pages_follow_each_other_without_gap_or_repetition() -> None:
    _, slot = await opened(20)
    await ask(slot, *(commit(f"together{number}", charge(1)) for number in range(9)))
    (whole,) = await ask(slot, FetchHistory(ALICE, 1_000))
    keys = [line.key for line in page_of(whole).lines]
    assert len(keys) == 30
    assert page_of(whole).next_position == 0
    for size in (1, 4, 7, 30):
        found: list[str] = []
        cursor = 0
        while True:
            (answer,) = await ask(slot, FetchHistory(ALICE, size, 0, cursor))
            page = page_of(answer)
            found += [line.key for line in page.lines]
            cursor = page.next_position
            if not cursor:
                break
            await do(slot, f"new-{size}-{cursor}", charge(1))
        assert [key for key in found if not key.startswith("new")] == keys
    await slot.close()


async def test_a_page_is_bounded_by_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(histories, "HISTORY_BYTES_MAX", 500)
    _, slot = await opened(40)
    (answer,) = await ask(slot, FetchHistory(ALICE, 1_000))
    page = page_of(answer)
    assert 2 <= len(page.lines) < 30
    assert page.next_position > 0
    await slot.close()


async def test_the_line_of_a_key_is_found_without_a_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    _, slot = await opened(30)
    reads: list[int] = []
    read = Frames.frame

    async def counted(frames: Frames, seq: int) -> object:
        reads.append(seq)
        return await read(frames, seq)

    monkeypatch.setattr(Frames, "frame", counted)
    (answer,) = await ask(slot, FetchHistory(ALICE, 1, key="k3"))
    assert [line.key for line in page_of(answer).lines] == ["k3"]
    assert len(reads) <= 1
    (answer,) = await ask(slot, FetchHistory(ALICE, 1, key="b3"))
    assert page_of(answer).lines == ()
    await slot.close()


async def test_groups_that_are_open_are_shared_and_bounded() -> None:
    unit, slot = await opened(30)
    frames = Frames(unit, slot.parts.journal, bytes_max=1_000)
    first, again = await asyncio.gather(frames.frame(5), frames.frame(5))
    assert first is again
    assert first is not None
    for seq in range(1, 30):
        await frames.frame(seq)
    assert frames._bytes <= 2_000
    assert await frames.frame(5) is not first
    await slot.close()


async def test_reads_wait_in_a_line_of_bounded_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LINE_MAX", 3)
    line = Turns()
    loop = asyncio.get_running_loop()
    gate = asyncio.Event()

    async def read() -> None:
        async with line.reader(loop.time() + 30):
            await gate.wait()

    tasks = [asyncio.create_task(read()) for _ in range(turns.READERS_MAX + 3)]
    await asyncio.sleep(0.01)
    with pytest.raises(Overloaded, match="wait already"):
        await read()
    gate.set()
    await asyncio.gather(*tasks)
    with pytest.raises(Expired):
        async with line.reader(loop.time() - 1):
            raise AssertionError("nobody waits for it any more")


async def test_charges_go_on_while_histories_are_asked_for_by_the_hundred() -> None:
    _, slot = await opened(60)
    waiting = Waiting()
    slot.submit(waiting, [(place, FetchHistory(ALICE, 60)) for place in range(700)])
    begin = asyncio.get_running_loop().time()
    for number in range(50):
        assert isinstance(await do(slot, f"meanwhile{number}", charge(1, BOB), BOB), Done)
    took = asyncio.get_running_loop().time() - begin
    assert len(waiting.answers) < 650, "the histories were told first"
    assert took < 5.0
    refused = [answer for answer in waiting.answers.values() if isinstance(answer, Failed)]
    assert {answer.reason for answer in refused} <= {"HISTORY_BUSY"}
    slot.end()


async def test_a_read_that_is_given_up_before_it_began_leaves_nothing_behind() -> None:
    _, slot = await opened(1)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        slot.submit(Waiting(1), [(0, FetchHistory(ALICE, 5))])
        slot.end()
        await asyncio.sleep(0.01)
        gc.collect()
    assert [str(each.message) for each in told if "never awaited" in str(each.message)] == []
