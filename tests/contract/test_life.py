"""Opening, closing, reopening, several units at once, schema versions: on every store."""

import asyncio
from collections.abc import Callable

import pytest

from house.stores import STORES
from storage.unit import Group, Head, Record, Stored, StoreUnavailable

HEAD = Head(epoch=1, owner="ds-1", seq=0, tip=b"tip", sealed=False)


async def test_what_was_written_is_there_after_reopening(url: str) -> None:
    unit = await STORES.open(url)
    await unit.put([Record("account", "p", "a", b"kept", 3)])
    await unit.swap("j", 0, None, HEAD, Group(0, b"group"))
    await unit.close()
    unit = await STORES.open(url)
    assert await unit.get("account", "p", ["a"]) == {"a": Stored("a", b"kept", 3)}
    assert await unit.head("j", 0) == HEAD
    assert [page async for page in unit.read("j", 0, 0, 9)] == [[Group(0, b"group")]]
    await unit.close()


async def test_two_that_open_one_unit_see_each_other(url: str) -> None:
    first, second = await asyncio.gather(STORES.open(url), STORES.open(url))
    await first.put([Record("account", "p", "a", b"from the first", 1)])
    assert (await second.get("account", "p", ["a"]))["a"].value == b"from the first"
    assert await first.swap("j", 0, None, HEAD, None) == HEAD
    moved = Head(2, "ds-2", 0, b"tip", sealed=False)
    assert await second.swap("j", 0, HEAD, moved, None) == moved
    assert await first.head("j", 0) == moved
    await first.close()
    assert (await second.get("account", "p", ["a"]))["a"].value == b"from the first"
    await second.close()


async def test_several_units_at_once_are_apart(urls: Callable[[], str]) -> None:
    units = await asyncio.gather(*[STORES.open(urls()) for _ in range(4)])
    await asyncio.gather(
        *[unit.put([Record("account", "p", "a", b"%d" % number, 1)]) for number, unit in enumerate(units)]
    )
    for number, unit in enumerate(units):
        assert (await unit.get("account", "p", ["a"]))["a"].value == b"%d" % number
    await asyncio.gather(*[unit.close() for unit in units])


async def test_a_closed_unit_says_so(url: str) -> None:
    unit = await STORES.open(url)
    await unit.close()
    await unit.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        await unit.put([Record("account", "p", "a", b"x", 1)])
    with pytest.raises(StoreUnavailable, match="closed"):
        await unit.get("account", "p", ["a"])
    with pytest.raises(StoreUnavailable, match="closed"):
        await unit.swap("j", 0, None, HEAD, None)
    with pytest.raises(StoreUnavailable, match="closed"):
        await unit.head("j", 0)
    with pytest.raises(StoreUnavailable, match="closed"):
        _ = [page async for page in unit.scan("account", "p")]


async def test_closing_finishes_what_was_accepted(url: str) -> None:
    unit = await STORES.open(url)
    puts = [asyncio.create_task(unit.put([Record("account", "p", f"k{n}", b"x", 1)])) for n in range(20)]
    await asyncio.sleep(0)
    await asyncio.gather(*puts, unit.close())
    again = await STORES.open(url)
    assert len(await again.get("account", "p", [f"k{n}" for n in range(20)])) == 20
    await again.close()


async def test_migrating_again_does_no_harm(url: str) -> None:
    await STORES.migrate(url)
    unit = await STORES.open(url)
    await unit.put([Record("account", "p", "a", b"x", 1)])
    await asyncio.gather(STORES.migrate(url), STORES.migrate(url))
    assert (await unit.get("account", "p", ["a"]))["a"].value == b"x"
    await unit.close()
