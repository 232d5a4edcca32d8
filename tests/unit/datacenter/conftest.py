"""A data center with real sockets, between a platform played by the test and domain servers that follow a script."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from onetier.v1.data_center_pb2 import ReplyBatch, RouteRequest, RouteResponse
from onetier.v1.data_center_pb2_grpc import DataCenterServiceStub, DirectoryServiceStub
from onetier.v1.domain_server_pb2 import ServeRequest, ServeResponse
from onetier.v1.domain_server_pb2_grpc import DomainServerServiceServicer, add_DomainServerServiceServicer_to_server

from datacenter.main import DataCenter, build
from datacenter.room import PROCESS as DATACENTER
from datacenter.settings import DataCenterSettings
from directory.changes import Change, Domain, NumberPlan, UnitAddress
from directory.directory import Directory
from directory.owners import Owner, announce_owner
from evidence.keyfile import key_file, ring_at
from house.stores import STORES
from runtime.channel import open_channel
from runtime.flights import parts_of
from runtime.server import RunningTier, start_tier
from runtime.settings import load
from runtime.stream import ReplyStream, serve_stream
from storage.unit import Unit
from tests.unit.datacenter.books import BROADBAND, MOBILE, Books

COUNTRY: tuple[Change, ...] = (
    UnitAddress("shared", "memory:shared"),
    UnitAddress("private", "memory:private"),
    Domain("GD", "Guangdong", "Asia/Shanghai", 1, "shared", "private"),
    Domain("XJ", "Xinjiang", "Asia/Urumqi", 4, "shared", "private"),
    NumberPlan({"86130": "GD", "86131": "XJ"}),
)

Script = Callable[[str, bytes], bytes | None]
"""(slot, body) → reply; None = never answered."""


def echo(slot: str, body: bytes) -> bytes:
    return slot.encode() + b":" + body


class ScriptedOwner(DomainServerServiceServicer):
    """A domain server that owns what the test says and answers as scripted."""

    def __init__(self, slots: set[str], script: Script = echo) -> None:
        self.slots = slots
        self.script = script
        self.requests: list[ServeRequest] = []
        self.address = ""
        self._drain = asyncio.Event()
        self._server: grpc.aio.Server | None = None

    async def start(self) -> None:
        self._server = grpc.aio.server()
        add_DomainServerServiceServicer_to_server(self, self._server)
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        await self._server.start()

    async def stop(self) -> None:
        assert self._server is not None
        await self._server.stop(0)

    async def Serve(self, _requests: object, context: grpc.aio.ServicerContext) -> None:
        await serve_stream(context, self.serve, drain=self._drain, items_in_flight_max=100_000)

    def serve(self, request: ServeRequest, replies: ReplyStream[ServeResponse]) -> int:
        self.requests.append(request)
        answered, misrouted = ReplyBatch(), []
        for position, slot, body in zip(request.positions, request.slots, request.bodies, strict=True):
            if slot not in self.slots:
                misrouted.append(position)
                continue
            reply = self.script(slot, body)
            if reply is not None:
                answered.positions.append(position)
                answered.bodies.append(reply)
        count = len(answered.positions)
        response = ServeResponse(
            batch_id=request.batch_id, replies=answered.SerializeToString(), answered=count, misrouted=misrouted
        )
        if count or misrouted:
            replies.send(response, count + len(misrouted))
        return len(request.positions)


class Platform:
    """One stream into the data center."""

    def __init__(self, address: str) -> None:
        self.channel = open_channel(address)
        self.call = DataCenterServiceStub(self.channel).Route()
        self._parts: deque[RouteResponse] = deque()

    async def send(self, routes: list[str], bodies: list[bytes], *, batch_id: int = 1, timeout_ms: int = 2_000) -> None:
        positions = range(len(routes))
        await self.call.write(
            RouteRequest(batch_id=batch_id, timeout_ms=timeout_ms, positions=positions, routes=routes, bodies=bodies)
        )

    async def take(self) -> tuple[int, dict[int, bytes]]:
        if not self._parts:
            response = await self.call.read()
            assert isinstance(response, RouteResponse)
            self._parts.extend(parts_of(response))
        response = self._parts.popleft()
        replies = ReplyBatch.FromString(response.replies)
        return response.batch_id, dict(zip(replies.positions, replies.bodies, strict=True))

    async def ask(self, routes: list[str], bodies: list[bytes], *, timeout_ms: int = 2_000) -> dict[int, bytes]:
        """Send one batch and gather its replies."""
        await self.send(routes, bodies, timeout_ms=timeout_ms)
        found: dict[int, bytes] = {}
        async with asyncio.timeout(10):
            while len(found) < len(routes):
                _, part = await self.take()
                assert not found.keys() & part.keys(), "an item is answered once"
                found |= part
        return found

    async def close(self) -> None:
        self.call.cancel()
        await self.channel.close()


class Rig:
    """One directory unit, domain servers, data centers."""

    def __init__(self, url: str, unit: Unit, directory: Directory) -> None:
        self.url = url
        self.unit = unit
        self.directory = directory
        self._closers: list[Callable[[], Awaitable[None]]] = []
        self._epoch = 0

    async def owner(self, *slots: str, script: Script = echo) -> ScriptedOwner:
        owner = ScriptedOwner(set(slots), script)
        await self.serve(owner, *slots)
        return owner

    async def serve(self, owner: ScriptedOwner, *slots: str) -> None:
        await owner.start()
        self._closers.append(owner.stop)
        await self.announce(owner, *slots)

    async def announce(self, owner: ScriptedOwner, *slots: str) -> None:
        self._epoch += 1
        for slot in slots:
            domain, _, number = slot.partition("/")
            await announce_owner(self.unit, domain, int(number), Owner(owner.address, self._epoch))

    async def datacenter(self, **settings: object) -> RunningTier:
        where: dict[str, object] = {"unit_hosts": ["10.0.0.0/24"], "unit_folders": ["/"]}
        own: dict[str, object] = {"directory": self.url, "metrics_listen": "", "drain_grace_ms": 1_000}
        loaded = load(DataCenterSettings, **(where | own | settings))
        tier = await start_tier(DATACENTER, loaded, build)
        self._closers.append(tier.stop)
        return tier

    async def platform(self, tier: RunningTier) -> Platform:
        platform = Platform(tier.address)
        self._closers.append(platform.close)
        return platform

    async def operator(self, tier: RunningTier) -> DirectoryServiceStub:
        channel = open_channel(tier.address)
        self._closers.append(channel.close)
        return DirectoryServiceStub(channel)

    async def close(self) -> None:
        for closer in reversed(self._closers):
            await closer()
        await self.directory.close()
        await self.unit.close()


@asynccontextmanager
async def rig_at(url: str) -> AsyncIterator[Rig]:
    unit = await STORES.open(url)
    directory = await Directory.open(unit, 50, ring=ring_at(key_file(None, url), make=True))
    await directory.amend(COUNTRY, "country", "tests")
    rig = Rig(url, unit, directory)
    try:
        yield rig
    finally:
        await rig.close()


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rig_at(f"sqlite://{tmp_path}/directory.db") as made:
        yield made


@pytest.fixture
async def books(rig: Rig) -> Books:
    books = Books()
    books.open("GD/0", MOBILE, BROADBAND)
    await rig.owner("GD/0", script=books)
    await rig.owner("XJ/0", "XJ/1", "XJ/2", "XJ/3", script=books)
    return books


def life_of(tier: RunningTier) -> DataCenter:
    life = tier.life
    assert isinstance(life, DataCenter)
    return life
