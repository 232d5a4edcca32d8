"""The fence: an owner is stopped, another takes over, the first goes on and tries to commit. It is refused, steps down.

The same scenario, played over a store without the condition, shows that these tests would notice: the stopped owner is
believed then, and what the new one acknowledged is gone. So it is when the literal condition is taken out of the CQL.
"""

import asyncio
import itertools
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest
from cassandra.query import BoundStatement, PreparedStatement
from msgspec import Struct
from onetier.v1.data_center_pb2 import ReplyBatch
from onetier.v1.domain_server_pb2 import ServeRequest
from onetier.v1.domain_server_pb2_grpc import DomainServerServiceStub

from charging import wire
from charging.ledger.commands.top_up import TopUp
from charging.wire import Answer, BusinessData, Done, Failed, Pull
from cluster.system import Shape
from domainservers.base.limits import Limits
from domainservers.journal.groups import unpack_entries
from domainservers.journal.journal import Position, genesis, read_chain
from domainservers.slot.recovery import recover
from domainservers.slot.slot import Slot, SlotState
from house.stores import STORES
from runtime.channel import open_channel
from runtime.telemetry import Metrics
from storage.cassandra import statements
from storage.cassandra.unit import CassandraUnit
from storage.unit import Group, Head, Record, Stored, Unit
from testkit.cassandra import LocalCluster
from tests.cluster.faults import Faults
from tests.cluster.history import read_history
from tests.cluster.small_country import OPENING, settle_country
from tests.unit.domainservers.room import ALICE, Clock, ask, charge, commit, do, opening

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
NAME = "GD/0"
CONDITION = " IF epoch = ? AND tip = ? AND sealed = ?"
_numbers = itertools.count(1)


class Way(Unit):
    """An owner's way to the store: what it sends can be held, as in a process that is stopped before it leaves.

    `conditional` False takes the condition out: a swap is done whatever head is in force.
    """

    def __init__(self, unit: Unit, *, conditional: bool) -> None:
        self.held = asyncio.Event()
        """A swap waits to leave."""
        self.open = asyncio.Event()
        self.open.set()
        self._unit = unit
        self._conditional = conditional

    async def swap(self, journal: str, segment: int, expect: Head | None, head: Head, group: Group | None) -> Head:
        if not self.open.is_set():
            self.held.set()
            await self.open.wait()
        if not self._conditional and expect is not None:
            expect = await self._unit.head(journal, segment)
        return await self._unit.swap(journal, segment, expect, head, group)

    async def put(self, records: Sequence[Record]) -> None:
        await self._unit.put(records)

    async def get(self, collection: str, partition: str, keys: Sequence[str]) -> dict[str, Stored]:
        return await self._unit.get(collection, partition, keys)

    def scan(self, collection: str, partition: str) -> AsyncIterator[Sequence[Stored]]:
        return self._unit.scan(collection, partition)

    async def head(self, journal: str, segment: int) -> Head | None:
        return await self._unit.head(journal, segment)

    def read(self, journal: str, segment: int, first_seq: int, last_seq: int) -> AsyncIterator[Sequence[Group]]:
        return self._unit.read(journal, segment, first_seq, last_seq)

    async def drop(self, journal: str, segment: int) -> None:
        await self._unit.drop(journal, segment)

    async def close(self) -> None:
        await self._unit.close()


class Outcome(Struct):
    """What came of the stopped owner's attempt."""

    late: Answer
    """What it answered its caller."""
    state: SlotState
    """Of its slot afterwards."""
    balance: int
    """What the next owner finds, after all."""
    keys: list[str]
    """In the journal, in order, as its own bytes say."""


Open = Callable[[str], Awaitable[Unit]]


async def stop_and_go_on(url: str, *, conditional: bool, opened: Open = STORES.open) -> Outcome:
    """Play the scenario over the unit: two owners with connections of their own."""
    await STORES.migrate(url)
    async with owner(url, "old", conditional, opened) as (old, way):
        assert isinstance(await do(old, "open", opening()), Done)
        assert isinstance(await do(old, "before", charge(1_000)), Done)
        way.open.clear()
        late = asyncio.create_task(ask(old, commit("late", charge(5_000))))
        await asyncio.wait_for(way.held.wait(), 20)
        async with owner(url, "new", conditional, opened) as (new, _):
            assert isinstance(await do(new, "meanwhile", charge(200)), Done)
        way.open.set()
        (answer,) = await asyncio.wait_for(late, 30)
    async with owner(url, "next", conditional, opened) as (following, _):
        (data,) = await ask(following, Pull(ALICE))
        assert isinstance(data, BusinessData)
        balance = data.account.books[0].amount
    return Outcome(answer, old.state, balance, await keys_in(url))


def hold_to_it(outcome: Outcome) -> None:
    """What must come of it."""
    assert isinstance(outcome.late, Failed), "a stopped owner told its caller that it was done"
    assert (outcome.late.kind, outcome.late.reason) == ("unavailable", "OWNER_CHANGED")
    assert outcome.state is SlotState.ENDED
    assert outcome.keys == ["open", "before", "meanwhile"]
    assert outcome.balance == 10_000_000 - 1_000 - 200


@pytest.fixture(params=["sqlite", pytest.param("cassandra", marks=pytest.mark.cassandra)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh unit, embedded or with three copies in the real Cassandra."""
    if request.param == "sqlite":
        yield f"sqlite://{tmp_path}/unit.db"
    else:
        cluster: LocalCluster = request.getfixturevalue("cassandra_three")
        yield cluster.url(f"fence_{next(_numbers)}")


async def test_a_stopped_owner_is_refused_when_it_goes_on_and_steps_down(url: str) -> None:
    hold_to_it(await stop_and_go_on(url, conditional=True))


async def test_without_the_condition_the_fence_fails_and_an_acknowledged_charge_is_lost(url: str) -> None:
    outcome = await stop_and_go_on(url, conditional=False)
    with pytest.raises(AssertionError):
        hold_to_it(outcome)
    assert "meanwhile" not in outcome.keys or "late" in outcome.keys


class Unconditional:
    """A statement of the Cassandra unit without the condition at the end of its text, and without what it binds."""

    def __init__(self, prepared: PreparedStatement) -> None:
        self._prepared = prepared

    def bind(self, values: tuple[object, ...]) -> BoundStatement:
        return self._prepared.bind(values[: -CONDITION.count("?")])


async def open_without_the_condition(url: str) -> Unit:
    """Open a Cassandra unit whose statements lack the literal `IF epoch = …`."""
    unit = await STORES.open(url)
    assert isinstance(unit, CassandraUnit)
    keyspace = url.partition("?")[0].rpartition("/")[2]
    for name, text in (("move", statements.MOVE), ("append", statements.APPEND)):
        assert text.endswith(CONDITION), "the fence has moved: this test no longer takes it out"
        plain = text.removesuffix(CONDITION).format(keyspace=keyspace)
        setattr(unit._do, name, Unconditional(await unit._link.prepare(plain)))
    return unit


@pytest.mark.cassandra
async def test_without_the_literal_condition_in_the_cql_the_fence_fails_on_the_real_server(
    cassandra_three: LocalCluster,
) -> None:
    url = cassandra_three.url(f"fence_{next(_numbers)}")
    outcome = await stop_and_go_on(url, conditional=True, opened=open_without_the_condition)
    with pytest.raises(AssertionError, match="a stopped owner told its caller that it was done"):
        hold_to_it(outcome)
    assert "late" in outcome.keys
    assert "meanwhile" not in outcome.keys


@asynccontextmanager
async def owner(url: str, name: str, conditional: bool, opened: Open) -> AsyncIterator[tuple[Slot, Way]]:
    """Take the slot over with a connection of its own; at the end of the block this owner is gone without a word."""
    way = Way(await opened(url), conditional=conditional)
    metrics, permits = Metrics("test"), asyncio.Semaphore(4)
    parts = await recover(NAME, f"{name}#1", way, way, Limits(), Clock(), permits, lambda: 1, metrics)
    slot = Slot(parts, lambda _: None)
    try:
        yield slot, way
    finally:
        slot.end()
        await way.close()


async def keys_in(url: str) -> list[str]:
    """Keys of the entries in the journal, its hash chain verified."""
    unit = await STORES.open(url)
    try:
        return [
            entry.key
            async for _, groups in read_chain(unit, NAME, Position(0, -1, genesis(NAME)))
            for group in groups
            for entry in unpack_entries(group.payload)
        ]
    finally:
        await unit.close()


@pytest.mark.processes
async def test_a_process_that_was_stopped_does_nothing_of_what_waits_for_it(tmp_path: Path) -> None:
    shape = Shape(datacenters=1, domain_servers=2, app_servers=1)
    async with settle_country(tmp_path, slots={"GD": 1}, people=1, shape=shape) as country:
        (identity,) = country.everybody
        faults = Faults(country.system, Random(0))
        (address,) = set((await faults.owners()).values())
        (old,) = (server for server in country.system.domain_servers if server.address == address)
        async with line_to(address) as tell:
            old.signal(signal.SIGSTOP)
            try:
                # Waits in the stopped process's socket: the first thing it will see.
                late = asyncio.create_task(tell(identity, "late", 7_000_000))
                await faults.wait_for_owners([NAME], other_than=address)
                done = await country.client.top_up(identity, 3_000_000, request_key="meanwhile")
            finally:
                old.signal(signal.SIGCONT)
            answer = await asyncio.wait_for(late, 20)
        assert not isinstance(answer, Done)
        assert [movement.after for movement in done.movements] == [OPENING + 3_000_000]
        await country.client.top_up(identity, 1_000_000, request_key="afterwards")
        assert (await country.client.balance(identity)).real == OPENING + 4_000_000
        await country.system.supervisor.drain()
        history = await read_history(country.journals, country.ring)
        assert set(history.effects) == {f"open-{identity}", "meanwhile", "afterwards"}
        assert history.balances[f"{NAME}:{identity}"] == OPENING + 4_000_000


@asynccontextmanager
async def line_to(address: str) -> AsyncIterator[Callable[[str, str, int], Coroutine[None, None, Answer | None]]]:
    """Give a way to make a deposit at one domain server itself, whoever owns the slot; None = it says it isn't it."""
    async with open_channel(address) as channel:
        stream = DomainServerServiceStub(channel).Serve()

        async def tell(identity: str, key: str, amount: int) -> Answer | None:
            body = wire.pack(commit(key, TopUp("", "money", amount, 0, 100, "", "deposit"), identity))
            await stream.write(
                ServeRequest(
                    batch_id=1, timeout_ms=60_000, positions=[0], slots=[NAME], bodies=[body], origin="appserver"
                )
            )
            response = await stream.read()
            bodies = ReplyBatch.FromString(response.replies).bodies
            return wire.unpack_answer(bodies[0]) if bodies else None

        await channel.channel_ready()
        yield tell
        stream.cancel()
