"""Three nodes with three copies: one may be away, two may not, and processes that start at once agree on the schema."""

import asyncio
import subprocess
import sys
from itertools import count

import pytest

from house.stores import STORES
from storage.unit import Group, Head, Record, StoreUnavailable, Unit
from testkit.cassandra import LocalCluster

pytestmark = [pytest.mark.cassandra, pytest.mark.slow, pytest.mark.timeout(300)]

START = Head(1, "ds-1", -1, b"", sealed=False)
_numbers = count(1)

OPEN_AND_WRITE = """
import asyncio, sys
from house.stores import STORES
from storage.unit import Record

async def main(name, urls):
    units = await asyncio.gather(*[STORES.open(url) for url in urls])
    for unit in units:
        await unit.put([Record("account", "p", name, name.encode(), 1)])
    for unit in units:
        await unit.close()

asyncio.run(main(sys.argv[1], sys.argv[2:]))
"""


async def append_some(unit: Unit, head: Head, groups: int) -> Head:
    """Append, repeating the identical swap when its outcome is unknown, as an owner does."""
    for _ in range(groups):
        following = Head(head.epoch, head.owner, head.seq + 1, b"tip %d" % (head.seq + 1), sealed=False)
        async with asyncio.timeout(60):
            while True:
                try:
                    now = await unit.swap("j", 0, head, following, Group(following.seq, following.tip))
                    break
                except StoreUnavailable:
                    await asyncio.sleep(0.2)
        assert now == following
        head = following
    return head


async def test_processes_that_open_new_units_at_once_make_one_schema(cassandra_three: LocalCluster) -> None:
    state = cassandra_three.state
    names = [f"together_{number}" for number in range(3)]
    runs = []
    for item in state.nodes:  # each process talks to another coordinator first
        urls = [f"cassandra://{item.address}:{item.port}/{name}?rf=3" for name in names]
        command = [sys.executable, "-c", OPEN_AND_WRITE, f"writer{item.number}", *urls]
        runs.append(await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE))
    for run in runs:
        async with asyncio.timeout(120):
            _, said = await run.communicate()
        assert run.returncode == 0, said.decode()
    for name in names:
        unit = await STORES.open(cassandra_three.url(name))
        assert len(await unit.get("account", "p", ["writer1", "writer2", "writer3"])) == 3
        await unit.close()


async def test_one_of_three_nodes_may_be_killed_under_load_and_nothing_is_lost(
    cassandra_three: LocalCluster,
) -> None:
    unit = await STORES.open(cassandra_three.url(f"three_{next(_numbers)}"))
    head = await append_some(unit, await unit.swap("j", 0, None, START, None), 10)
    appending = asyncio.create_task(append_some(unit, head, 60))
    await asyncio.sleep(0.2)
    await asyncio.to_thread(cassandra_three.stop, 3, kill=True)
    try:
        head = await appending
        await unit.put([Record("account", "p", "a", b"with two", 1)])
        assert await unit.head("j", 0) == head
        groups = [group async for page in unit.read("j", 0, 0, 100) for group in page]
        assert groups == [Group(seq, b"tip %d" % seq) for seq in range(70)]
    finally:
        await asyncio.to_thread(cassandra_three.start)
    assert (await unit.get("account", "p", ["a"]))["a"].value == b"with two"
    await unit.close()


async def test_without_a_quorum_nothing_is_acknowledged_and_it_goes_on_when_nodes_return(
    cassandra_three: LocalCluster,
) -> None:
    unit = await STORES.open(cassandra_three.url(f"three_{next(_numbers)}"))
    head = await unit.swap("j", 0, None, START, None)
    for number in (2, 3):
        await asyncio.to_thread(cassandra_three.stop, number)
    try:
        following = Head(1, "ds-1", 0, b"tip", sealed=False)
        with pytest.raises(StoreUnavailable):
            await unit.swap("j", 0, head, following, Group(0, b"x"))
        with pytest.raises(StoreUnavailable):
            await unit.put([Record("account", "p", "a", b"x", 1)])
        with pytest.raises(StoreUnavailable):
            await unit.head("j", 0)
    finally:
        await asyncio.to_thread(cassandra_three.start)
    head = await append_some(unit, head, 5)
    assert await unit.head("j", 0) == head
    await unit.close()
