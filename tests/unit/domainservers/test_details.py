"""Pages of rated usage at the owner: whole by pages of any size, bounded work, places that are none."""

import pytest

from charging.errors import KINDS
from charging.wire import Answer, Detail, Failed, FetchDetail
from domainservers.base.limits import Limits
from domainservers.journal.frames import Frames
from domainservers.journal.keys import POSITIONS_PER_GROUP
from domainservers.reads import details
from domainservers.slot.slot import Slot
from tests.unit.domainservers.room import ALICE, BOB, FlakyUnit, ask, charge, commit, opening, own

SMALL = Limits(kept_entries_max=1)


async def opened(charges: int) -> Slot:
    slot = await own(FlakyUnit(), SMALL)
    await ask(slot, commit("open", opening()), commit("open-b", opening(BOB), BOB))
    for number in range(charges):
        await ask(slot, commit(f"k{number}", charge(1)), commit(f"b{number}", charge(1, BOB), BOB))
    return slot


def page_of(answer: Answer) -> Detail:
    assert isinstance(answer, Detail), answer
    return answer


def reason_of(answer: Answer) -> str:
    assert isinstance(answer, Failed), answer
    assert answer.kind in KINDS
    return answer.reason


async def all_pages(slot: Slot, size: int, **asked: object) -> list[Detail]:
    found: list[Detail] = []
    position = told = 0
    while True:
        (answer,) = await ask(slot, FetchDetail(ALICE, size, position=position, told=told, **asked))  # type: ignore[arg-type]
        page = page_of(answer)
        found.append(page)
        position, told = page.next_position, page.next_told
        if not position:
            return found


async def test_pages_of_any_size_tell_the_same() -> None:
    slot = await opened(20)
    wanted = [f"k{number}" for number in reversed(range(20))]
    for size in (1, 3, 7, 20, 10_000):
        pages = await all_pages(slot, size)
        assert [record.key for page in pages for record in page.records] == wanted
        assert all(len(page.records) <= size for page in pages)
        assert not pages[-1].kept_no_further
    await slot.close()


async def test_a_filter_that_fits_nothing_looks_through_so_much_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(details, "PAGE_GROUPS_MAX", 5)
    slot = await opened(30)
    reads: list[int] = []
    read = Frames.frame

    async def counted(frames: Frames, seq: int) -> object:
        reads.append(seq)
        return await read(frames, seq)

    monkeypatch.setattr(Frames, "frame", counted)
    (answer,) = await ask(slot, FetchDetail(ALICE, 100, services=("tv",)))
    page = page_of(answer)
    assert not page.records
    assert page.next_position
    assert len(reads) <= 6
    pages = await all_pages(slot, 100, services=("tv",))
    assert len(pages) > 5
    assert not any(page.records for page in pages)
    assert len([r for page in await all_pages(slot, 100) for r in page.records]) == 30
    await slot.close()


async def test_a_page_is_bounded_by_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(details, "PAGE_BYTES_MAX", 800)
    slot = await opened(30)
    pages = await all_pages(slot, 1_000)
    assert len(pages) > 3
    assert len([r for page in pages for r in page.records]) == 30
    await slot.close()


async def test_places_that_are_not_of_the_list_are_refused_whatever_they_say() -> None:
    slot = await opened(3)
    other = page_of((await ask(slot, FetchDetail(BOB, 10)))[0]).records
    assert {record.usage.identity for record in other} == {BOB}
    for position in (1 << 60, 99 * POSITIONS_PER_GROUP, -5):
        (answer,) = await ask(slot, FetchDetail(ALICE, 10, position=position))
        assert reason_of(answer) == "PAGE_FOREIGN"
    # Whatever group a made place names, nothing but the account's own usage is told from there.
    for position in range(1, 8 * POSITIONS_PER_GROUP, 977):
        (answer,) = await ask(slot, FetchDetail(ALICE, 10, position=position))
        if isinstance(answer, Detail):
            assert {record.usage.identity for record in answer.records} <= {ALICE}
        else:
            assert reason_of(answer) == "PAGE_FOREIGN"
    await slot.close()


async def test_a_page_whose_journal_is_gone_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    slot = await opened(10)
    page = page_of((await ask(slot, FetchDetail(ALICE, 3)))[0])
    read = Frames.frame
    begin = page.next_position // POSITIONS_PER_GROUP

    async def forgotten(frames: Frames, seq: int) -> object:
        return None if seq <= begin else await read(frames, seq)

    monkeypatch.setattr(Frames, "frame", forgotten)
    (answer,) = await ask(slot, FetchDetail(ALICE, 3, position=page.next_position, told=page.next_told))
    assert reason_of(answer) == "PAGE_TOO_OLD"
    (answer,) = await ask(slot, FetchDetail(ALICE, 100))
    assert page_of(answer).kept_no_further
    await slot.close()


async def test_usage_before_the_time_that_is_asked_for_ends_the_walk() -> None:
    slot = await opened(5)
    whole = page_of((await ask(slot, FetchDetail(ALICE, 100)))[0])
    starts = sorted({record.usage.start_ms for record in whole.records})
    (answer,) = await ask(slot, FetchDetail(ALICE, 100, from_ms=starts[-1] + 1))
    assert not page_of(answer).records
    (answer,) = await ask(slot, FetchDetail(ALICE, 100, to_ms=starts[0]))
    assert not page_of(answer).records
    await slot.close()
