"""The feed of a whole system: nothing that callers were told is missing, all in order, whatever process dies."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest
from onetier.v1 import data_center_pb2 as dc
from onetier.v1 import watch_pb2 as pb

from cluster.supervisor import Running
from cluster.system import Shape
from onetier_client import Watch
from testkit.rehearsal import DAY_MS, Rehearsal, rehearse

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]
ROUNDS = 12
PEOPLE = 6


class Reader:
    """A webhook as one would write it: deals with each event; the watch goes on through whatever breaks."""

    def __init__(self, address: Callable[[], str]) -> None:
        self.events: list[pb.AccountEvent] = []
        self._watch = Watch(address, pb.WatchRequest(from_oldest=True, events_max=7))

    @property
    def resumed(self) -> int:
        """How many streams went on where another ended."""
        return self._watch.streams - 1

    async def follow(self) -> None:
        """Follow until cancelled."""
        async with self._watch:
            async for event, _cursor in self._watch:
                self.events.append(event)


@asynccontextmanager
async def following(small: Rehearsal) -> AsyncIterator[Reader]:
    """Give a reader that follows the feed of whatever process serves it now."""
    reader = Reader(lambda: small.system.running["watch"][0].address)
    task = asyncio.create_task(reader.follow())
    try:
        yield reader
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def kill(small: Rehearsal, role: str) -> None:
    """Kill the first process of a role, and start another in its place."""
    running: list[Running] = small.system.running[role]
    running[0].kill()
    await running[0].wait()
    running[0] = await small.system.start_process(role, 0)


async def until_told(work: Callable[[], Awaitable[object]]) -> None:
    """Repeat a request under its key until somebody answers."""
    async with asyncio.timeout(60):
        while True:
            try:
                await work()
                return
            except Exception as error:
                if getattr(error, "kind", "") not in ("unavailable", "expired", "overloaded"):
                    raise
                await asyncio.sleep(0.1)


async def live(small: Rehearsal, identity: str, told: dict[str, list[str]]) -> None:
    """Charge, pay, suspend and resume one account, again and again; notes the keys in the order of their answers."""
    client = small.client

    async def do(name: str, work: Callable[[str], Awaitable[object]]) -> None:
        key = f"{identity[-6:]}-{name}"
        await until_told(lambda: work(key))
        told[identity].append(key)

    for turn in range(ROUNDS):
        at = {"event_time_ms": DAY_MS + turn, "other_party": "8613800000000"}
        await do(f"pay-{turn}", lambda key: client.top_up(identity, 10_000_000, request_key=key))
        await do(f"call-{turn}", lambda key, at=at: client.charge(identity, "voice", 61, request_key=key, **at))
        await do(f"stop-{turn}", lambda key: client.set_account_status(identity, "suspended", "lost", request_key=key))
        await do(f"go-{turn}", lambda key: client.set_account_status(identity, "active", "found", request_key=key))


async def test_a_reader_that_keeps_the_cursor_misses_nothing_whoever_dies(tmp_path: Path) -> None:
    async with rehearse(tmp_path, Shape(domain_servers=2, app_servers=1, feeds=1)) as small, following(small) as reader:
        told: dict[str, list[str]] = defaultdict(list)
        people = [account.account_id for account in small.mobiles()[:PEOPLE]]

        async def deaths() -> None:
            for role in ("watch", "domainserver", "watch"):
                await asyncio.sleep(1.0)
                await kill(small, role)

        await asyncio.gather(deaths(), *(live(small, identity, told) for identity in people))
        wanted = {key for keys in told.values() for key in keys}
        async with asyncio.timeout(30):
            while not wanted <= {event.request_key for event in reader.events}:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert reader.resumed >= 2
        once = {event.position: event for event in reader.events}
        for keys in told.values():
            found = [event for event in once.values() if event.request_key in set(keys)]
            assert [event.request_key for event in found] == keys
            assert [event.version for event in found] == sorted(event.version for event in found)
            kinds = [fact.kind for event in found for fact in event.facts]
            counts = {kind: kinds.count(kind) for kind in ("paid", "charged", "suspended", "resumed")}
            assert counts == dict.fromkeys(counts, ROUNDS)
            assert {event.account_id for event in found} == {found[0].account_id}


class Store(Protocol):
    """What is needed of the suite's Cassandra."""

    def url(self, keyspace: str, options: str = "") -> str: ...


@pytest.mark.slow
@pytest.mark.cassandra
@pytest.mark.timeout(400)
async def test_on_a_real_cassandra_the_feed_tells_all_in_order_and_resumes(
    cassandra_one: Store, tmp_path: Path
) -> None:
    shape = Shape(datacenters=1, domain_servers=1, app_servers=1, feeds=1)
    async with (
        rehearse(tmp_path, shape, cassandra_one.url("feed"), subscribers=62) as small,
        following(small) as reader,
    ):
        told: dict[str, list[str]] = defaultdict(list)
        people = [account.account_id for account in small.mobiles()[:2]]

        async def death() -> None:
            await asyncio.sleep(1.0)
            await kill(small, "watch")

        await asyncio.gather(death(), *(live(small, identity, told) for identity in people))
        await all_told(reader, {key for keys in told.values() for key in keys})
        assert reader.resumed >= 1
        for keys in told.values():
            check_order(reader, keys)


async def test_an_account_that_is_ported_goes_on_in_another_region_in_the_order_of_its_versions(tmp_path: Path) -> None:
    async with rehearse(tmp_path, Shape(domain_servers=2, app_servers=1, feeds=1)) as small, following(small) as reader:
        client, account = small.client, small.mobiles()[0]
        identity = account.account_id
        away = next(code for code in ("GD", "XJ") if code != account.domain)
        keys = [f"port-{number}" for number in range(12)]
        for key in keys[:6]:
            await client.top_up(identity, 1_000_000, request_key=key)
        async with small.system.directory_of(0) as stub:
            await stub.Port(
                dc.PortRequest(identity=identity, to_domain=away, request_key="moves", actor="tests"), timeout=30
            )
        for key in keys[6:]:
            await until_told(lambda key=key: client.top_up(identity, 1_000_000, request_key=key))
        await all_told(reader, set(keys))
        # The keys that the account brings along are journaled in its new region, too; nothing is paid by that.
        once = {event.position: event for event in reader.events if "paid" in {fact.kind for fact in event.facts}}
        paid = sorted(once.values(), key=lambda event: event.version)
        paid = [event for event in paid if event.request_key in keys]
        assert [event.request_key for event in paid] == keys
        assert [event.region for event in paid] == [account.domain] * 6 + [away] * 6
        assert len({event.version for event in paid}) == 12
        for region in (account.domain, away):
            seen = [event.version for event in once.values() if event.region == region]
            assert seen == sorted(seen)


async def all_told(reader: Reader, wanted: set[str]) -> None:
    """Wait until the reader has heard of all keys."""
    async with asyncio.timeout(60):
        while not wanted <= {event.request_key for event in reader.events}:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


def check_order(reader: Reader, keys: list[str]) -> None:
    """The events of one account come once by position, in the order in which its requests were answered."""
    once = {event.position: event for event in reader.events}
    found = [event for event in once.values() if event.request_key in set(keys)]
    assert [event.request_key for event in found] == keys
    assert [event.version for event in found] == sorted(event.version for event in found)
