"""The directory over the real Cassandra: many writers, tailing in the promised time, a plan of the country's size."""

import asyncio
import time

import pytest

from directory.changes import Change, DirectoryEntry, Domain, NumberPlan, UnitAddress
from directory.directory import Directory
from house.stores import STORES
from testkit.cassandra import LocalCluster

pytestmark = [pytest.mark.cassandra, pytest.mark.timeout(180)]


async def test_processes_amend_and_follow_one_log(cassandra_one: LocalCluster) -> None:
    url = cassandra_one.url("directory_test")
    units = [await STORES.open(url) for _ in range(2)]
    one, two = [await Directory.open(unit, poll_ms=200) for unit in units]
    country: list[Change] = [UnitAddress("u", "memory:u")]
    country += [Domain(code, code, "Asia/Shanghai", 1, "u", "u") for code in ("GD", "XJ")]
    country += [NumberPlan({f"86{head}{tail:04d}": "GD" for head in range(130, 141) for tail in range(10_000)})]
    await one.amend(country, "country", "tests")
    await two.refresh()
    await asyncio.gather(
        *(
            each.amend([DirectoryEntry(f"card:{name}-{number}", "GD", 0)], f"{name}-{number}", "tests")
            for name, each in (("a", one), ("b", two))
            for number in range(100)
        )
    )
    assert await one.refresh() == await two.refresh()
    assert len(one.state.entries) == len(two.state.entries) == 200

    known = asyncio.Event()
    two.subscribe(lambda _: known.set())
    started = time.monotonic()
    await one.amend([DirectoryEntry("msisdn:8613000000001", "XJ", 0)], "port", "tests")
    async with asyncio.timeout(2):
        await known.wait()
    assert time.monotonic() - started < 1.0
    assert two.resolve("msisdn:8613000000001").domain == "XJ"

    late = await Directory.open(units[0])
    assert late.state.entries == one.state.entries
    assert late.state.plan.size == 110_000
    for each in (one, two, late):
        await each.close()
    for unit in units:
        await unit.close()
