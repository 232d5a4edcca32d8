"""The control log when things go wrong: lost answers, a store that is away, writers that die halfway, damage."""

import asyncio
from pathlib import Path

import pytest

from charging.errors import Broken, Invalid, Unavailable
from directory import log as log_module
from directory import writer as writer_module
from directory.changes import Amendment, Change, DirectoryEntry, Domain, NumberPlan, UnitAddress, digest_of, pack_parts
from directory.directory import Directory
from directory.log import JOURNAL, SEGMENT, Assembler, Log, split
from directory.members import Member, MemberWatch, gone_record, load_members, member_record
from directory.owners import Owner, announce_owner, load_owners
from house.stores import COLLECTIONS
from storage.memory.unit import MemoryStore, MemoryUnit
from storage.sqlite.unit import open_sqlite
from storage.unit import Group, Head, StoreUnavailable

COUNTRY: list[Change] = [
    UnitAddress("u", "memory:u"),
    Domain("GD", "Guangdong", "Asia/Shanghai", 1, "u", "u"),
    NumberPlan({"86130": "GD"}),
]


class Flaky(MemoryUnit):
    """Loses the answers of swaps, or the swaps themselves, as told."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store, COLLECTIONS)
        self.lose_answers = 0
        self.lose_swaps = 0
        self.swaps = 0

    async def swap(self, journal: str, segment: int, expect: Head | None, head: Head, group: Group | None) -> Head:
        if group is not None:
            self.swaps += 1
            if self.lose_swaps:
                self.lose_swaps -= 1
                raise StoreUnavailable("lost before it was applied")
        found = await super().swap(journal, segment, expect, head, group)
        if group is not None and self.lose_answers:
            self.lose_answers -= 1
            raise StoreUnavailable("lost after it was applied")
        return found


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "RETRY_MS", 5)


async def test_an_amendment_whose_answer_is_lost_is_appended_once() -> None:
    unit = Flaky(MemoryStore())
    directory = await Directory.open(unit)
    await directory.amend(COUNTRY, "country", "tests")
    unit.lose_answers, unit.swaps = 1, 0
    revision = await directory.amend([DirectoryEntry("card:1", "GD", 0)], "k", "tests")
    assert (unit.swaps, revision, await directory.refresh()) == (1, 2, 2)
    await directory.close()


async def test_an_amendment_that_was_lost_is_tried_again() -> None:
    unit = Flaky(MemoryStore())
    directory = await Directory.open(unit)
    unit.lose_swaps = 2
    assert await directory.amend(COUNTRY, "country", "tests") == 1
    assert directory.domains["GD"].name == "Guangdong"
    await directory.close()


async def test_a_store_that_stays_away_is_told_and_the_repeat_succeeds() -> None:
    unit = Flaky(MemoryStore())
    directory = await Directory.open(unit)
    unit.lose_swaps = 1_000
    with pytest.raises(Unavailable) as caught:
        await directory.amend(COUNTRY, "country", "tests")
    assert caught.value.reason == "DIRECTORY_UNAVAILABLE"
    assert caught.value.retry_ms > 0
    unit.lose_swaps = 0
    assert await directory.amend(COUNTRY, "country", "tests") == 1
    await directory.close()


async def test_what_looks_wrong_at_an_old_state_is_checked_at_the_newest() -> None:
    store = MemoryStore()
    writer, unit = await Directory.open(MemoryUnit(store, COLLECTIONS)), MemoryUnit(store, COLLECTIONS)
    late = await Directory.open(unit, poll_ms=200)
    await writer.amend(COUNTRY, "country", "tests")
    assert await late.amend([DirectoryEntry("card:1", "GD", 0)], "k", "tests") == 2
    with pytest.raises(Invalid):
        await late.amend([DirectoryEntry("card:1", "ZZ", 0)], "zz", "tests")
    unit._closed = True
    with pytest.raises(Unavailable):
        await late.amend([DirectoryEntry("card:1", "YY", 0)], "yy", "tests")
    unit._closed = False
    await late.close()
    await writer.close()


async def test_the_tail_outlives_a_store_that_goes_away_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    writer, unit = await Directory.open(MemoryUnit(store, COLLECTIONS)), MemoryUnit(store, COLLECTIONS)
    reader = await Directory.open(unit, poll_ms=10)
    unit._closed = True
    revision = await writer.amend(COUNTRY, "country", "tests")
    await asyncio.sleep(0.1)
    assert reader.revision == 0
    assert reader.fresh_ms_ago >= 50
    known = asyncio.Event()
    reader.subscribe(lambda _: known.set())
    unit._closed = False
    async with asyncio.timeout(1):
        await known.wait()
    assert reader.revision == revision
    await reader.close()
    await writer.close()


async def test_a_large_amendment_takes_effect_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "PART_BYTES_MAX", 200)
    store = MemoryStore()
    writer, reader = (
        await Directory.open(MemoryUnit(store, COLLECTIONS)),
        await Directory.open(MemoryUnit(store, COLLECTIONS), poll_ms=10),
    )
    await writer.amend(COUNTRY, "country", "tests")
    entries = [DirectoryEntry(f"card:{number * 7919 % 10_007}", "GD", 0) for number in range(500)]
    seen: list[int] = []
    reader.subscribe(lambda _: seen.append(len(reader.state.entries)))
    first = await writer.amend(entries, "bulk", "tests")
    await reader.refresh()
    assert first > 5
    assert set(seen) == {0, 500}
    assert await writer.amend(entries, "bulk", "tests") == first
    await reader.close()
    await writer.close()


async def test_a_writer_that_dies_halfway_is_finished_by_a_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "PART_BYTES_MAX", 100)
    store = MemoryStore()
    directory = await Directory.open(MemoryUnit(store, COLLECTIONS), poll_ms=10)
    await directory.amend(COUNTRY, "country", "tests")
    entries: list[Change] = [DirectoryEntry(f"card:{number * 7919 % 10_007}", "GD", 0) for number in range(100)]
    parts = split("bulk", Amendment("tests", 1, tuple(entries)))
    assert len(parts) > 3
    dying = Log(MemoryUnit(store, COLLECTIONS))
    await dying.read_on()
    for part in parts[:2]:
        assert await dying.append((part,)) is not None
    await directory.amend([DirectoryEntry("card:between", "GD", 0)], "between", "tests")
    assert len(directory.state.entries) == 1
    await directory.amend(entries, "bulk", "tests")
    assert len(directory.state.entries) == 101
    other = await Directory.open(MemoryUnit(store, COLLECTIONS))
    assert other.state.entries.keys() == directory.state.entries.keys()
    assert other.state.keys["bulk"].digest == digest_of(tuple(entries))
    await other.close()
    await directory.close()


async def test_amendments_nobody_finishes_are_forgotten_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "PART_BYTES_MAX", 50)
    monkeypatch.setattr(log_module, "OPEN_AMENDMENTS_MAX", 3)
    assembler = Assembler()
    for number in range(10):
        part = split(f"open {number}", Amendment("tests", 1, tuple(COUNTRY)))[0]
        assert list(assembler.take(Group(number + 1, pack_parts((part,))))) == []
    assert [key for key, _ in assembler.open] == ["open 7", "open 8", "open 9"]


async def test_a_log_that_was_touched_is_not_believed() -> None:
    store = MemoryStore()
    writer = await Directory.open(MemoryUnit(store, COLLECTIONS))
    await writer.amend(COUNTRY, "country", "tests")
    await writer.amend([DirectoryEntry("card:1", "GD", 0)], "k", "tests")
    await writer.close()
    groups = store.groups[JOURNAL, SEGMENT]
    groups[1] = groups[1].replace(b"country", b"COUNTRY")
    with pytest.raises(Broken) as caught:
        await Directory.open(MemoryUnit(store, COLLECTIONS))
    assert caught.value.reason == "DIRECTORY_DAMAGED"
    del groups[1]
    with pytest.raises(Broken):
        await Directory.open(MemoryUnit(store, COLLECTIONS))


async def test_two_processes_share_one_file(tmp_path: Path) -> None:
    path = tmp_path / "directory.db"
    units = [await open_sqlite(path, COLLECTIONS), await open_sqlite(path, COLLECTIONS)]
    one, two = [await Directory.open(unit, poll_ms=20) for unit in units]
    await one.amend(COUNTRY, "country", "tests")
    await asyncio.gather(
        *(
            each.amend([DirectoryEntry(f"card:{name}-{number}", "GD", 0)], f"{name}-{number}", "tests")
            for name, each in (("a", one), ("b", two))
            for number in range(100)
        )
    )
    assert await one.refresh() == await two.refresh()
    assert len(one.state.entries) == len(two.state.entries) == 200
    for directory, unit in zip((one, two), units, strict=True):
        await directory.close()
        await unit.close()


async def test_of_two_owners_the_later_one_is_believed_and_a_slot_given_up_has_none() -> None:
    unit = MemoryUnit(MemoryStore(), COLLECTIONS)
    await announce_owner(unit, "GD", 0, Owner("new:1", 2))
    await announce_owner(unit, "GD", 0, Owner("old:1", 1))
    assert await load_owners(unit) == {"GD/0": Owner("new:1", 2)}
    await announce_owner(unit, "GD", 0, Owner("", 2))
    assert await load_owners(unit) == {}
    await announce_owner(unit, "GD", 0, Owner("next:1", 3))
    assert await load_owners(unit) == {"GD/0": Owner("next:1", 3)}


async def test_a_member_is_alive_while_its_heart_beats_by_the_readers_clock() -> None:
    unit = MemoryUnit(MemoryStore(), COLLECTIONS)
    await unit.put([member_record("a", Member("a:1", 10)), member_record("b", Member("b:1", 10, ("GD",)))])
    watch = MemberWatch(ttl_ms=1_000)
    assert set(watch.alive(await load_members(unit), 0)) == {"a", "b"}
    await unit.put([member_record("b", Member("b:1", 11, ("GD",), draining=True))])
    alive = watch.alive(await load_members(unit), 900)
    assert alive["b"].draining
    assert set(watch.alive(await load_members(unit), 1_200)) == {"b"}
    await unit.put([gone_record("b", 12)])
    assert set(watch.alive(await load_members(unit), 1_300)) == set()
