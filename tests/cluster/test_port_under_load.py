"""Numbers move while money is paid in, over two data centers and two real domain servers: nothing lost or doubled."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from onetier.v1 import data_center_pb2 as pb
from onetier.v1.data_center_pb2 import ReplyBatch, RouteRequest
from onetier.v1.data_center_pb2_grpc import DataCenterServiceStub, DirectoryServiceStub

from charging import wire
from charging.base.account_id import compose
from charging.base.contract import Contract
from charging.ledger.command import Command
from charging.ledger.commands.open_account import OpenAccount
from charging.ledger.commands.set_contract import SetContract
from charging.ledger.commands.top_up import TopUp
from charging.ledger.kinds import Action
from datacenter import main as datacenter
from datacenter.room import PROCESS as DATACENTER
from datacenter.settings import DataCenterSettings
from directory.changes import Change, DirectoryEntry, Domain, NumberPlan, UnitAddress
from directory.directory import Directory
from domainservers import main as domainserver
from domainservers.room import PROCESS as DOMAINSERVER
from domainservers.settings import DomainServerSettings
from evidence.keyfile import key_file, ring_at
from house.stores import STORES
from runtime.channel import open_channel
from runtime.flights import parts_of
from runtime.principal import LOCAL
from runtime.server import start_tier
from runtime.settings import load

pytestmark = pytest.mark.timeout(90)
NUMBERS = [f"msisdn:861300000{number:04d}" for number in range(8)]
DEPOSITS = 150


def id_of(number: str) -> str:
    """The id of the account that was opened under a number, wherever it is now."""
    return compose("GD/0", number)


class Desk:
    """Plays the platform: one stream to one data center, one item a batch, repeated until it is done."""

    def __init__(self, address: str) -> None:
        self.channel = open_channel(address)
        self.operator = DirectoryServiceStub(self.channel)
        self._stream = DataCenterServiceStub(self.channel).Route()
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._reader = asyncio.create_task(self._read())
        self._writing = asyncio.Lock()
        self._last = 0

    async def ask(self, identity: str, question: wire.Ask) -> wire.Answer:
        while True:
            self._last += 1
            batch_id = self._last
            future = self._waiting[batch_id] = asyncio.get_running_loop().create_future()
            body = wire.pack(question)
            request = RouteRequest(batch_id=batch_id, timeout_ms=3_000, positions=[0], routes=[identity], bodies=[body])
            async with self._writing:
                await self._stream.write(request)
            answer: wire.Answer = wire.unpack_answer(await future)
            if not (isinstance(answer, wire.Failed) and answer.kind in ("unavailable", "overloaded", "expired")):
                return answer
            await asyncio.sleep(max(answer.retry_ms, 10) / 1_000)

    async def do(self, identity: str, account_id: str, key: str, action: Action) -> wire.Done:
        digest = key.encode().ljust(16, b".")[:16]
        command = Command(account_id, key, digest, "tests", "front", 1, action, LOCAL)
        answer = await self.ask(identity, wire.Commit(identity, command))
        assert isinstance(answer, wire.Done), answer
        return answer

    async def _read(self) -> None:
        while True:
            for response in parts_of(await self._stream.read()):
                bodies = ReplyBatch.FromString(response.replies).bodies
                self._waiting.pop(response.batch_id).set_result(bodies[0])

    async def close(self) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        self._stream.cancel()
        await self.channel.close()


@pytest.fixture
async def desks(tmp_path: Path) -> AsyncIterator[list[Desk]]:
    url = f"sqlite://{tmp_path}/directory.db"
    closers: list[Callable[[], Awaitable[object]]] = []
    unit = await STORES.open(url)
    directory = await Directory.open(unit, ring=ring_at(key_file(None, url), make=True))
    changes: list[Change] = [
        UnitAddress(name, f"sqlite://{tmp_path}/{name}.db") for name in ("shared", "shared-west", "south", "west")
    ]
    changes += [
        Domain("GD", "Guangdong", "Asia/Shanghai", 1, "shared", "south"),
        Domain("XJ", "Xinjiang", "Asia/Urumqi", 2, "shared-west", "west"),
        NumberPlan({"86130": "GD"}),
        DirectoryEntry("broadband:first@adsl", "GD", 0),
    ]
    await directory.amend(changes, "country", "tests")
    await directory.close()
    await unit.close()
    for server_id, domain in (("south", "GD"), ("west", "XJ")):
        settings = load(DomainServerSettings, server_id=server_id, directory=url, domains=[domain], metrics_listen="")
        closers.append((await start_tier(DOMAINSERVER, settings, domainserver.build)).stop)
    found: list[Desk] = []
    for _ in range(2):
        tier = await start_tier(
            DATACENTER, load(DataCenterSettings, directory=url, metrics_listen=""), datacenter.build
        )
        closers.append(tier.stop)
        found.append(Desk(tier.address))
        closers.append(found[-1].close)
    yield found
    for closer in reversed(closers):
        await closer()


async def open_accounts(desk: Desk) -> None:
    for number in NUMBERS:
        action = OpenAccount("", "c", "prepaid", "CNY", 0, 1, Contract(number, "", "GD"), (), {}, {}, ())
        await desk.do(number, "", f"open {number}", action)
    broadband = Contract("broadband:first@adsl", id_of(NUMBERS[0]), "GD", attributes={"speed": "100"})
    await desk.do(NUMBERS[0], id_of(NUMBERS[0]), "join", SetContract(broadband))


async def pay_in(desks: list[Desk], number: str) -> int:
    paid = 0
    for count in range(DEPOSITS):
        desk = desks[count % 2]
        done = await desk.do(
            number, id_of(number), f"pay {number} {count}", TopUp("", "money", 1, 0, 100, "", "deposit")
        )
        paid += done.amount
    return paid


async def test_deposits_during_ports_arrive_once_in_whatever_domain(desks: list[Desk]) -> None:
    await open_accounts(desks[0])

    async def move(index: int, number: str) -> None:
        for lap, domain in enumerate(("XJ", "GD", "XJ")):
            await asyncio.sleep(0.05 * index / len(NUMBERS))
            request = pb.PortRequest(identity=number, to_domain=domain, request_key=f"{number}-{lap}", actor="tests")
            response = await desks[(index + lap) % 2].operator.Port(request, timeout=30)
            assert response.from_domain == ("GD" if domain == "XJ" else "XJ")

    await asyncio.gather(
        *(pay_in(desks, number) for number in NUMBERS), *(move(index, number) for index, number in enumerate(NUMBERS))
    )
    for number in NUMBERS:
        for desk in desks:
            answer = await desk.ask(number, wire.Pull(number))
            assert isinstance(answer, wire.BusinessData)
            assert (answer.account.terms.domain, answer.contract.domain) == ("XJ", "XJ")
            assert [book.amount for book in answer.account.books] == [DEPOSITS]
            old = await desk.ask("domain:GD/0", wire.Pull(number, moved=True))
            assert isinstance(old, wire.BusinessData)
            assert old.account.terms.status == "moved"
    member = await desks[1].ask("broadband:first@adsl", wire.Pull("broadband:first@adsl"))
    assert isinstance(member, wire.BusinessData)
    assert member.contract.attributes == {"speed": "100"}
    assert member.account.account_id == id_of(NUMBERS[0])


async def test_a_key_repeated_after_the_port_is_told_its_first_outcome(desks: list[Desk]) -> None:
    await open_accounts(desks[0])
    number = NUMBERS[0]
    for lap, domain in enumerate(("XJ", "GD", "XJ")):
        deposit = TopUp("", "money", 10, 0, 100, "", "deposit")
        first = await desks[0].do(number, id_of(number), f"before port {lap}", deposit)
        request = pb.PortRequest(identity=number, to_domain=domain, request_key=f"port-{lap}", actor="tests")
        await desks[1].operator.Port(request, timeout=30)
        again = await desks[lap % 2].do(number, id_of(number), f"before port {lap}", deposit)
        assert (first.repeated, again.repeated) == (False, True)
        assert again.movements == first.movements
        assert (await desks[0].do(number, id_of(number), "before port 0", deposit)).repeated
    digest = b"another content."
    command = Command(id_of(number), "before port 1", digest, "tests", "front", 1, deposit, LOCAL)
    answer = await desks[0].ask(number, wire.Commit(number, command))
    assert isinstance(answer, wire.Failed)
    assert answer.kind == "conflict"
    pulled = await desks[1].ask(number, wire.Pull(number))
    assert isinstance(pulled, wire.BusinessData)
    assert [book.amount for book in pulled.account.books] == [30]
