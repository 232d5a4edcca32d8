"""Records: last write wins by timestamp, on every store."""

import asyncio

import pytest

from storage.unit import RECORDS_PER_PUT_MAX, VALUE_BYTES_MAX, Record, Stored, StoreRejected, Unit


def record(key: str, value: bytes | None, timestamp: int, partition: str = "p") -> Record:
    return Record("account", partition, key, value, timestamp)


async def everything(unit: Unit, partition: str = "p") -> list[Stored]:
    return [stored async for page in unit.scan("account", partition) for stored in page]


async def test_a_written_record_is_read_back_with_its_timestamp(unit: Unit) -> None:
    await unit.put([record("a", b"one", 7), record("b", b"", 8)])
    assert await unit.get("account", "p", ["a", "b", "absent"]) == {
        "a": Stored("a", b"one", 7),
        "b": Stored("b", b"", 8),
    }


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1)])
async def test_the_highest_timestamp_stays_whichever_arrives_last(unit: Unit, order: tuple[int, ...]) -> None:
    for timestamp in order:
        await unit.put([record("a", b"at %d" % timestamp, timestamp)])
    assert await unit.get("account", "p", ["a"]) == {"a": Stored("a", b"at 3", 3)}


async def test_a_late_stale_write_does_not_bring_back_what_was_deleted(unit: Unit) -> None:
    await unit.put([record("a", b"old", 5)])
    await unit.put([record("a", None, 10)])
    await unit.put([record("a", b"stale", 9)])
    assert await unit.get("account", "p", ["a"]) == {}
    assert await everything(unit) == []


async def test_a_stale_deletion_removes_nothing(unit: Unit) -> None:
    await unit.put([record("a", b"new", 10)])
    await unit.put([record("a", None, 9)])
    assert await unit.get("account", "p", ["a"]) == {"a": Stored("a", b"new", 10)}


async def test_a_deleted_key_can_be_written_again_later(unit: Unit) -> None:
    await unit.put([record("a", None, 10)])
    await unit.put([record("a", b"again", 11)])
    assert await unit.get("account", "p", ["a"]) == {"a": Stored("a", b"again", 11)}


async def test_of_one_put_the_highest_timestamp_stays(unit: Unit) -> None:
    await unit.put([record("a", b"2", 2), record("a", b"3", 3), record("a", b"1", 1)])
    assert await unit.get("account", "p", ["a"]) == {"a": Stored("a", b"3", 3)}


async def test_a_repeated_put_changes_nothing(unit: Unit) -> None:
    records = [record("a", b"x", 1), record("b", None, 2), record("c", b"y", 3)]
    await unit.put(records)
    before = await everything(unit)
    await unit.put(records)
    assert await everything(unit) == before == [Stored("a", b"x", 1), Stored("c", b"y", 3)]


async def test_timestamps_have_the_whole_range_of_a_journal_sequence(unit: Unit) -> None:
    for timestamp in (0, 1, (1 << 63) - 1):
        await unit.put([record("a", b"%d" % timestamp, timestamp)])
        assert (await unit.get("account", "p", ["a"]))["a"].timestamp == timestamp


async def test_partitions_and_collections_are_apart(unit: Unit) -> None:
    await unit.put([record("a", b"p", 1), record("a", b"q", 1, partition="q"), Record("order", "p", "a", b"o", 1)])
    assert (await unit.get("account", "p", ["a"]))["a"].value == b"p"
    assert (await unit.get("account", "q", ["a"]))["a"].value == b"q"
    assert (await unit.get("order", "p", ["a"]))["a"].value == b"o"
    assert await unit.get("contract", "p", ["a"]) == {}


async def test_a_scan_gives_a_whole_partition_in_pages_ordered_by_key(unit: Unit) -> None:
    keys = [f"k{number:05d}" for number in range(1_234)] + ["中文", "é", "Z", "z", "~"]
    await unit.put([record(key, key.encode(), 1) for key in reversed(keys)])
    await unit.put([record("k00500", None, 2), record("elsewhere", b"", 1, partition="q")])
    pages = [page async for page in unit.scan("account", "p")]
    assert len(pages) > 1
    found = [stored.key for page in pages for stored in page]
    assert found == sorted(set(keys) - {"k00500"}, key=lambda key: key.encode())


async def test_a_scan_of_an_empty_partition_ends_at_once(unit: Unit) -> None:
    assert [page async for page in unit.scan("account", "nobody")] == []


async def test_a_put_may_have_many_records_of_many_partitions(unit: Unit) -> None:
    records = [
        record(f"k{number}", b"v%d" % number, number, partition=f"p{number % 7}")
        for number in range(RECORDS_PER_PUT_MAX)
    ]
    await unit.put(records)
    for partition in range(7):
        wanted = [item for item in records if item.partition == f"p{partition}"]
        assert len(await everything(unit, f"p{partition}")) == len(wanted)
    some = await unit.get("account", "p3", [f"k{number}" for number in range(3, 3_500, 7)])
    assert len(some) == 500
    assert some["k3"].value == b"v3"


async def test_concurrent_puts_all_arrive(unit: Unit) -> None:
    await asyncio.gather(*[unit.put([record(f"k{number}", b"x" * number, number)]) for number in range(300)])
    assert len(await everything(unit)) == 300


async def test_a_value_may_be_large(unit: Unit) -> None:
    values = {f"k{number}": bytes([number]) * VALUE_BYTES_MAX for number in range(5)}
    await unit.put([record(key, value, 1) for key, value in values.items()])
    assert {stored.key: stored.value for stored in await everything(unit)} == values


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([record("a", b"x" * (VALUE_BYTES_MAX + 1), 1)], "at most 1000000"),
        ([record("a", b"x", 1)] * (RECORDS_PER_PUT_MAX + 1), "at most 10000"),
        ([Record("nonsense", "p", "a", b"x", 1)], "No collection"),
        ([record("", b"x", 1)], "1 to 1024"),
        ([record("k" * 1_025, b"x", 1)], "1 to 1024"),
        ([record("\ud800", b"x", 1)], "Unicode"),
        ([record("a", b"x", 1 << 63)], "64 bits"),
    ],
)
async def test_what_no_store_keeps_is_refused_and_leaves_its_neighbours_alone(
    unit: Unit, records: list[Record], said: str
) -> None:
    neighbour = asyncio.create_task(unit.put([record("n", b"neighbour", 1)]))
    with pytest.raises(StoreRejected, match=said):
        await unit.put(records)
    await neighbour
    assert await everything(unit) == [Stored("n", b"neighbour", 1)]


async def test_nothing_to_do_is_done(unit: Unit) -> None:
    await unit.put([])
    assert await unit.get("account", "p", []) == {}
