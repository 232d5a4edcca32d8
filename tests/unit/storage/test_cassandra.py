"""What is Cassandra's own: away and back again, a frozen node, many units on one link, schema versions."""

import asyncio
import gc
import os
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import msgspec
import pytest
from cassandra import AuthenticationFailed, InvalidRequest, OperationTimedOut, WriteTimeout, WriteType
from cassandra.cluster import NoHostAvailable, ResponseFuture

from house.stores import STORES
from storage.cassandra import link as cassandra_link
from storage.cassandra.link import translate
from storage.cassandra.unit import CassandraUnit
from storage.unit import Group, Head, Record, StoreRejected, StoreUnavailable, Unit
from testkit.cassandra import LocalCluster, free_network

START = Head(1, "ds-1", -1, b"", sealed=False)
_numbers = count(1)


@pytest.fixture
def url(cassandra_one: LocalCluster) -> str:
    return cassandra_one.url(f"own_{next(_numbers)}", "&timeout_ms=4000")


@pytest.fixture
async def unit(url: str) -> AsyncIterator[Unit]:
    opened = await STORES.open(url)
    yield opened
    await opened.close()


async def eventually_puts(unit: Unit, record: Record, seconds: float) -> None:
    """Repeat a put, as callers do, until it is taken."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                return await unit.put([record])
            except StoreUnavailable:
                await asyncio.sleep(0.1)


async def test_opening_while_nothing_answers_is_unavailable_at_once() -> None:
    begun = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await STORES.open(f"cassandra://{free_network(1)}.1:9042/nobody?rf=1")
    assert time.monotonic() - begun < 4


async def test_opening_when_a_listener_stays_mute_is_unavailable_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        begun = time.monotonic()
        with pytest.raises(StoreUnavailable):
            await STORES.open(f"cassandra://127.0.0.1:{mute.getsockname()[1]}/nobody?rf=1")
        assert time.monotonic() - begun < 10


@pytest.mark.cassandra
@pytest.mark.slow
async def test_a_cassandra_that_goes_away_makes_the_unit_unavailable_and_its_return_mends_it(
    unit: Unit, url: str, cassandra_one: LocalCluster
) -> None:
    head = await unit.swap("j", 0, None, START, None)
    await unit.put([Record("account", "p", "a", b"before", 1)])
    following = msgspec.structs.replace(head, seq=0, tip=b"tip")
    await asyncio.to_thread(cassandra_one.stop, 1)
    try:
        begun = time.monotonic()
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                await unit.swap("j", 0, head, following, Group(0, b"group"))
            with pytest.raises(StoreUnavailable):
                await unit.put([Record("account", "p", "a", b"during", 2)])
            with pytest.raises(StoreUnavailable):
                await unit.get("account", "p", ["a"])
        with pytest.raises(StoreUnavailable):
            await STORES.open(url + "&local_dc=datacenter1")
        assert time.monotonic() - begun < 15
    finally:
        await asyncio.to_thread(cassandra_one.start)
    await eventually_puts(unit, Record("account", "p", "a", b"after", 3), 15)
    assert (await unit.get("account", "p", ["a"]))["a"].value == b"after"
    assert await unit.swap("j", 0, head, following, Group(0, b"group")) == following
    assert await unit.head("j", 0) == following


def freeze(pid: int) -> None:
    """Stop a process and wait until the last of its threads stands still."""
    os.kill(pid, signal.SIGSTOP)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        states = {stat.read_text().rpartition(")")[2].split()[0] for stat in Path(f"/proc/{pid}/task").glob("*/stat")}
        if states == {"T"}:
            return
        time.sleep(0.01)
    raise TimeoutError(f"The threads of process {pid} do not all stop.")


@pytest.mark.cassandra
async def test_a_frozen_node_times_out_and_the_repeat_finds_what_was_applied(
    cassandra_one: LocalCluster,
) -> None:
    unit = await STORES.open(cassandra_one.url(f"own_{next(_numbers)}", "&timeout_ms=700"))
    head = await unit.swap("j", 0, None, START, None)
    following = msgspec.structs.replace(head, seq=0, tip=b"tip")
    pid = cassandra_one.state.nodes[0].pid
    await asyncio.to_thread(freeze, pid)
    try:
        begun = time.monotonic()
        with pytest.raises(StoreUnavailable):
            await unit.swap("j", 0, head, following, Group(0, b"group"))
        assert 0.5 < time.monotonic() - begun < 3
    finally:
        os.kill(pid, signal.SIGCONT)
    async with asyncio.timeout(30):
        while True:
            try:
                assert await unit.swap("j", 0, head, following, Group(0, b"group")) == following
                break
            except StoreUnavailable:
                await asyncio.sleep(0.1)
    assert [page async for page in unit.read("j", 0, 0, 9)] == [[Group(0, b"group")]]
    await unit.close()


@pytest.mark.cassandra
async def test_statements_that_ended_leave_nothing_to_the_garbage_collector(unit: Unit) -> None:
    head = await unit.swap("j", 0, None, START, None)
    gc.collect()
    gc.disable()
    try:
        for seq in range(20):
            following = msgspec.structs.replace(head, seq=seq, tip=b"tip")
            head = await unit.swap("j", 0, head, following, Group(seq, b"group"))
            await unit.put([Record("account", "p", f"a{number}", b"state", seq) for number in range(5)])
            assert len(await unit.get("account", "p", ["a1", "a2"])) == 2
        alive = [each for each in gc.get_objects() if type(each) is ResponseFuture]
    finally:
        gc.enable()
    assert len(alive) < 20  # The driver's own heartbeats and questions may be among them.


@pytest.mark.cassandra
async def test_thirty_one_units_share_one_connection(cassandra_one: LocalCluster) -> None:
    before = threading.active_count()
    urls = [cassandra_one.url(f"province_{number}") for number in range(31)]
    units = await asyncio.gather(*[STORES.open(url) for url in urls])
    try:
        links = {id(unit._link) for unit in units if isinstance(unit, CassandraUnit)}
        assert len(links) == 1
        assert threading.active_count() - before < 40  # the driver's pools and asyncio's, once
        await asyncio.gather(
            *[unit.put([Record("account", "p", "a", b"%d" % number, 1)]) for number, unit in enumerate(units)]
        )
        for number, unit in enumerate(units):
            assert (await unit.get("account", "p", ["a"]))["a"].value == b"%d" % number
    finally:
        await asyncio.gather(*[unit.close() for unit in units])
    assert not cassandra_link._links[asyncio.get_running_loop()]


@pytest.mark.cassandra
async def test_a_keyspace_written_by_a_newer_release_is_refused(unit: Unit, url: str) -> None:
    assert isinstance(unit, CassandraUnit)
    await unit._link.rows(f"INSERT INTO {unit._keyspace}.migration (scope, number, name) VALUES ('unit', 99, 'future')")
    with pytest.raises(StoreRejected, match=r"has schema 99, this release knows up to \d+: start a release"):
        await STORES.open(url)


@pytest.mark.cassandra
async def test_nagle_is_off(unit: Unit) -> None:
    assert isinstance(unit, CassandraUnit)
    pools = unit._link._session.get_pools()
    sockets = [connection._socket for pool in pools for connection in pool.get_connections()]
    assert sockets
    assert all(item.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for item in sockets)


def test_the_drivers_errors_are_translated() -> None:
    unknown = [
        OperationTimedOut(),
        WriteTimeout("late", write_type=WriteType.CAS),
        NoHostAvailable("none", {}),
        ConnectionError("gone"),
    ]
    assert all(isinstance(translate(failure), StoreUnavailable) for failure in unknown)
    mixed = NoHostAvailable("some", {"a": AuthenticationFailed("no"), "b": OSError("refused")})
    assert isinstance(translate(mixed), StoreUnavailable)
    for_good = [InvalidRequest("bad"), NoHostAvailable("all", {"a": AuthenticationFailed("no")})]
    assert all(isinstance(translate(failure), StoreRejected) for failure in for_good)
