"""The feed of a whole system: nothing that callers were told is missing, all in order, whatever process dies."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from onetier.v1 import watch_pb2 as pb
from onetier.v1.watch_pb2_grpc import WatchServiceStub

from cluster.supervisor import Running
from cluster.system import Shape
from runtime.channel import open_channel
from testkit.rehearsal import DAY_MS, Rehearsal, rehearse

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]
ROUNDS = 12
PEOPLE = 6


class Reader:
    """A webhook as one would write it: deals with a batch, keeps its cursor, resumes by it."""

    def __init__(self, address: Callable[[], str]) -> None:
        self.events: list[pb.AccountEvent] = []
        self.resumed = 0
        self._address = address
        self._cursor = ""

    async def follow(self) -> None:
        """Follow for ever."""
        while True:
            channel = open_channel(self._address(), None, role="watch")
            try:
                request = pb.WatchRequest(cursor=self._cursor, from_oldest=not self._cursor, events_max=7)
                async for batch in WatchServiceStub(channel).Watch(request):
                    self.events += batch.events
                    self._cursor = batch.cursor
            except grpc.aio.AioRpcError as error:
                if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
                    raise
                self.resumed += 1
                await asyncio.sleep(0.05)
            finally:
                await channel.close()


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
