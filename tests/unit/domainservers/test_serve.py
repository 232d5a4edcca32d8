"""A domain server on SQLite units, asked through the real gRPC stream."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import blake2b
from pathlib import Path

import pytest
from msgspec import Raw
from onetier.v1.data_center_pb2 import ReplyBatch
from onetier.v1.domain_server_pb2 import ServeRequest, ServeResponse
from onetier.v1.domain_server_pb2_grpc import DomainServerServiceStub

from charging import wire
from charging.base.account import Book
from charging.base.contract import Contract
from charging.base.usage import SealedCharge, Usage
from charging.ledger.command import Command
from charging.ledger.commands.open_account import OpenAccount
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.top_up import TopUp
from charging.wire import Answer, Ask, BusinessData, Commit, Done, Failed, FetchHistory, FetchReference, Pull
from directory.changes import Domain, UnitAddress
from directory.directory import Directory
from domainservers.main import build
from domainservers.room import PROCESS as DOMAINSERVER
from domainservers.settings import DomainServerSettings
from evidence.keyfile import key_file, ring_at
from house.stores import STORES
from runtime.channel import open_channel
from runtime.server import RunningTier, start_tier

NOW_MS = 1_800_000_000_000
IDENTITY = "msisdn:8613012345678"


class Caller:
    """One stream to a domain server."""

    def __init__(self, address: str) -> None:
        self.channel = open_channel(address)
        self.call = DomainServerServiceStub(self.channel).Serve()
        self.batches = 0

    async def ask(self, *asks: Ask, slot: str = "GD/0", origin: str = "appserver") -> list[Answer | str]:
        """Send a batch and wait for all answers; "misrouted" for what is not owned there."""
        self.batches += 1
        request = ServeRequest(
            batch_id=self.batches,
            timeout_ms=5_000,
            positions=list(range(len(asks))),
            slots=[slot] * len(asks),
            bodies=[wire.pack(ask) for ask in asks],
            origin=origin,
        )
        await self.call.write(request)
        answers: dict[int, Answer | str] = {}
        while len(answers) < len(asks):
            response: ServeResponse = await asyncio.wait_for(self.call.read(), 10)
            assert response.batch_id == self.batches
            replies = ReplyBatch.FromString(response.replies)
            assert response.answered == len(replies.positions)
            for position, body in zip(replies.positions, replies.bodies, strict=True):
                answers[position] = wire.unpack_answer(body)
            for position in response.misrouted:
                answers[position] = "misrouted"
        return [answers[index] for index in range(len(asks))]

    async def close(self) -> None:
        await self.channel.close()


def command(key: str, action: OpenAccount | PostCharge | TopUp, account_id: str = IDENTITY) -> Command:
    return Command(
        account_id, key, blake2b(key.encode(), digest_size=16).digest(), "", "front", NOW_MS, action, "local"
    )


def opening(identity: str = IDENTITY, amount: int = 10_000_000) -> OpenAccount:
    contract = Contract(identity, identity, "GD")
    return OpenAccount(identity, "c1", "prepaid", "CNY", 0, 1, contract, (Book("main", "money", amount),), {}, {}, ())


def charge(amount: int, identity: str = IDENTITY) -> PostCharge:
    usage = Usage(identity, "voice", NOW_MS, 60)
    return PostCharge(usage, SealedCharge(amount, "CNY", (), (), 1, False, Raw(b"\x90")), 1)


def settings_of(folder: Path, **given: object) -> DomainServerSettings:
    return DomainServerSettings(
        directory=f"sqlite://{folder}/directory.db",
        metrics_listen="",
        poll_ms=50,
        heartbeat_ms=50,
        server_id="one",
        **given,
    )


async def lay_out(folder: Path) -> None:
    unit = await STORES.open(f"sqlite://{folder}/directory.db")
    ring = ring_at(key_file(None, f"sqlite://{folder}/directory.db"), make=True)
    directory = await Directory.open(unit, 1_000, ring=ring)
    changes = [
        UnitAddress("shared", f"sqlite://{folder}/shared.db"),
        UnitAddress("gd", f"sqlite://{folder}/gd.db"),
        Domain("GD", "Guangdong", "Asia/Shanghai", 1, "shared", "gd"),
    ]
    await directory.amend(changes, "layout", "test")
    await directory.close()
    await unit.close()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningTier]:
    await lay_out(tmp_path)
    running = await start_tier(DOMAINSERVER, settings_of(tmp_path), build)
    yield running
    await running.stop()


async def test_opens_charges_and_pulls_through_the_stream(server: RunningTier) -> None:
    caller = Caller(server.address)
    (opened,) = await caller.ask(Commit(IDENTITY, command("open", opening())))
    assert isinstance(opened, Done)
    charged, pulled = await caller.ask(Commit(IDENTITY, command("k1", charge(1_500_000))), Pull(IDENTITY))
    assert isinstance(charged, Done)
    assert charged.amount == 1_500_000
    assert isinstance(pulled, BusinessData)
    assert pulled.account.books[0].amount == 8_500_000
    again, history = await caller.ask(Commit(IDENTITY, command("k1", charge(1_500_000))), FetchHistory(IDENTITY, 10))
    assert isinstance(again, Done)
    assert again.repeated
    assert isinstance(history, wire.History)
    assert [line.key for line in history.lines] == ["k1", "open"]
    metrics = server.booth.metrics
    assert metrics.counted("requests", "commit", "taken") == 3
    assert metrics.counted("cache", "account", "hit") > 0
    assert metrics.counted("events", "takeover") == 1
    await caller.close()


async def test_names_what_it_does_not_own_and_who_is_unknown(server: RunningTier) -> None:
    caller = Caller(server.address)
    assert await caller.ask(Pull(IDENTITY), slot="BJ/0") == ["misrouted"]
    (unknown,) = await caller.ask(Pull("msisdn:8613900000000"))
    assert isinstance(unknown, Failed)
    assert unknown.reason == "IDENTITY_UNKNOWN"
    (reference,) = await caller.ask(FetchReference("GD"))
    assert isinstance(reference, wire.Reference)
    await caller.close()


async def test_a_restart_finds_everything(tmp_path: Path) -> None:
    await lay_out(tmp_path)
    for round_no in range(3):
        running = await start_tier(DOMAINSERVER, settings_of(tmp_path), build)
        caller = Caller(running.address)
        (opened,) = await caller.ask(Commit(IDENTITY, command("open", opening())))
        assert isinstance(opened, Done)
        assert opened.repeated == (round_no > 0)
        (charged,) = await caller.ask(Commit(IDENTITY, command(f"k{round_no}", charge(1_000_000))))
        assert isinstance(charged, Done)
        (pulled,) = await caller.ask(Pull(IDENTITY))
        assert isinstance(pulled, BusinessData)
        assert pulled.account.books[0].amount == 10_000_000 - (round_no + 1) * 1_000_000
        await caller.close()
        await running.stop()


async def test_a_unit_that_is_where_the_settings_don_t_allow_is_not_opened(tmp_path: Path) -> None:
    await lay_out(tmp_path)
    running = await start_tier(DOMAINSERVER, settings_of(tmp_path, unit_folders=[str(tmp_path / "elsewhere")]), build)
    caller = Caller(running.address)
    try:
        await asyncio.sleep(0.5)
        assert await caller.ask(Commit(IDENTITY, command("open", opening()))) == ["misrouted"]
    finally:
        await caller.close()
        await running.stop()
    assert not (tmp_path / "gd.db").exists()
