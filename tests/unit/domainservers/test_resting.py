"""The list of a region's resting numbers: what rests stands in it, what is free or taken does not, whoever dies."""

import asyncio
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from charging.ledger.commands.join import Join
from charging.ledger.commands.leave import Leave
from charging.ledger.commands.move_in import MoveIn
from charging.ledger.commands.move_out import MoveOut
from charging.ledger.commands.release_number import ReleaseNumber
from charging.wire import Commit, Done, FetchResting, RestingRow, RestingRows, pack
from domainservers.contracts import resting
from domainservers.contracts.resting import BUCKETS, COLLECTION, partition_name, partition_of
from domainservers.slot.slot import Slot
from storage.unit import Record, StoreUnavailable
from tests.unit.domainservers import room
from tests.unit.domainservers.room import ALICE, BOB, NOW_MS, Clock, FlakyUnit, ask, own, until
from tests.unit.domainservers.test_quarantine import CAROL, UNTIL_MS, do, held, opened, two_members


async def listed(slot: Slot, size: int = 100) -> list[RestingRow]:
    """Read the whole list of a slot's region."""
    found: list[RestingRow] = []
    bucket, after = 0, ""
    while True:
        (page,) = await ask(slot, FetchResting(slot.parts.name, size, bucket, after))
        assert isinstance(page, RestingRows), page
        assert len(page.rows) <= size
        found += page.rows
        bucket, after = page.next_bucket, page.next_after
        if not bucket and not after:
            return found


async def numbers(slot: Slot) -> list[str]:
    return [row.number for row in await listed(slot)]


async def written(slot: Slot) -> None:
    await until(lambda: not slot.parts.contracts._due)


async def away(_: Sequence[Record]) -> None:
    raise StoreUnavailable("away")


async def leaves(slot: Slot, account_id: str, until_ms: int = UNTIL_MS, to: str = "") -> None:
    left = Leave("", 0, to, await held(slot, CAROL), rests_until_ms=until_ms)
    assert isinstance(await do(slot, "leave", left, CAROL, account_id), Done)


async def test_a_number_that_was_let_go_is_listed_in_its_region_by_every_slot_and_in_no_other() -> None:
    unit = FlakyUnit()
    slot, other, north = await own(unit), await own(unit, name="GD/2"), await own(unit, name="BJ/0")
    account_id = await two_members(slot)
    assert await numbers(slot) == []
    await leaves(slot, account_id)
    await written(slot)
    (row,) = await listed(other)
    assert (row.number, row.account_id, row.rests_until_ms, row.kept_for) == (CAROL, account_id, UNTIL_MS, "")
    assert row.since_ms >= NOW_MS
    assert await numbers(north) == []


@pytest.mark.parametrize("lost", ["contract and row", "contract alone"])
async def test_an_owner_that_dies_between_journal_and_list_leaves_it_to_the_next(
    lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = FlakyUnit()
    slot = await own(unit)
    account_id = await two_members(slot)
    await written(slot)
    put, tried = unit.put, asyncio.Event()

    async def cut(records: Sequence[Record]) -> None:
        if lost == "contract and row" or any(each.collection == "contract" for each in records):
            tried.set()
            raise StoreUnavailable("away")
        await put(records)

    monkeypatch.setattr(unit, "put", cut)
    await leaves(slot, account_id)
    await tried.wait()
    slot.end()
    monkeypatch.setattr(unit, "put", put)
    assert bool(await unit.get(COLLECTION, partition_of("GD", CAROL), [CAROL])) == (lost == "contract alone")
    later = await own(unit)
    await written(later)
    assert await numbers(later) == [CAROL]


async def test_a_released_number_is_listed_no_more() -> None:
    unit = FlakyUnit()
    slot = await own(unit)
    account_id = await two_members(slot)
    await leaves(slot, account_id)
    await written(slot)
    made = room.commit("free", ReleaseNumber(CAROL, "a hospital"), ALICE)
    (done,) = await ask(slot, Commit(ALICE, replace(made.command, account_id=account_id, actor="li")))
    assert isinstance(done, Done), done
    await written(slot)
    assert await numbers(slot) == []
    assert not await unit.get(COLLECTION, partition_of("GD", CAROL), [CAROL]), "its record is gone, too"


@pytest.mark.parametrize("domain", ["GD", "BJ"])
async def test_a_number_that_another_account_takes_is_listed_no_more_wherever_it_is(domain: str) -> None:
    unit = FlakyUnit()
    slot, taker = await own(unit), await own(unit, name=f"{domain}/3")
    account_id = await two_members(slot)
    other = await do(taker, "open-bob", opened(BOB, domain), BOB)
    assert isinstance(other, Done)
    await leaves(slot, account_id, to=other.account_id)
    await written(slot)
    assert [row.kept_for for row in await listed(slot)] == [other.account_id]
    joins = Join(CAROL, "", "now", NOW_MS, {}, "", 0)
    assert isinstance(await do(taker, "join", joins, BOB, other.account_id), Done)
    await written(taker)
    assert await numbers(slot) == []
    assert not await unit.get(COLLECTION, partition_of("GD", CAROL), [CAROL])


async def test_a_number_that_leaves_and_comes_back_before_anything_is_written_is_not_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unit = FlakyUnit()
    slot = await own(unit)
    account_id = await two_members(slot)
    await written(slot)
    put = unit.put
    monkeypatch.setattr(unit, "put", away)
    await leaves(slot, account_id)
    assert isinstance(await do(slot, "back", Join(CAROL, "", "now", NOW_MS, {}, "", 0), ALICE, account_id), Done)
    monkeypatch.setattr(unit, "put", put)
    await written(slot)
    assert await numbers(slot) == []


async def test_a_record_that_the_registry_does_not_bear_out_is_never_told() -> None:
    unit = FlakyUnit()
    slot = await own(unit)
    await do(slot, "open", opened(ALICE), ALICE)
    await written(slot)
    stale = RestingRow(ALICE, "GD/0:9", NOW_MS, UNTIL_MS)
    await unit.put([Record(COLLECTION, partition_of("GD", ALICE), ALICE, pack(stale), 5)])
    assert await numbers(slot) == []


async def test_what_rests_no_more_by_time_is_not_told_and_cleared_away() -> None:
    unit, clock = FlakyUnit(), Clock()
    slot = await own(unit, None, clock)
    account_id = await two_members(slot)
    await leaves(slot, account_id, until_ms=NOW_MS + 1_000)
    await written(slot)
    assert await numbers(slot) == [CAROL]
    clock.ms += 1_000
    assert await numbers(slot) == []
    assert not await unit.get(COLLECTION, partition_of("GD", CAROL), [CAROL])


async def test_a_long_list_is_told_page_by_page_each_number_once(monkeypatch: pytest.MonkeyPatch) -> None:
    unit = FlakyUnit()
    slot = await own(unit)
    rows = [RestingRow(f"msisdn:86139{n:08}", "GD/0:1", NOW_MS, UNTIL_MS) for n in range(3_000)]
    await unit.put([Record(COLLECTION, partition_of("GD", r.number), r.number, pack(r), 1) for r in rows])
    monkeypatch.setattr(resting, "_agree", lambda row, rest: True)
    for size in (7, 500):
        found = [row.number for row in await listed(slot, size)]
        assert len(found) == len(set(found)) == 3_000


def test_partitions_are_named_for_good() -> None:
    assert partition_name("GD", 7) == "GD/007"
    assert BUCKETS == 256


async def test_a_number_rests_in_its_region_while_its_account_is_ported_until_that_takes_it_back() -> None:
    unit = FlakyUnit()
    south, north = await own(unit), await own(unit, name="BJ/3")
    account_id = await two_members(south)
    await leaves(south, account_id)
    await written(south)
    alice = await held(south, ALICE)
    out = await do(south, "out", MoveOut("BJ"), ALICE, account_id)
    assert isinstance(out, Done)
    arriving = MoveIn(out.detail or b"", (alice,), "BJ")
    arrived = await do(north, "in", arriving, ALICE, account_id)
    assert isinstance(arrived, Done), arrived
    await written(north)
    assert [row.account_id for row in await listed(south)] == [account_id]
    assert await numbers(north) == []
    back = await do(north, "back", Join(CAROL, "", "now", NOW_MS, {}, "", 0), ALICE, account_id)
    assert isinstance(back, Done), back
    await written(north)
    assert await numbers(south) == await numbers(north) == []
