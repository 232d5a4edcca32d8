"""Batches through a data center with real sockets: replies, misrouted slots, stuck and dead owners, bounds."""

import asyncio
import random
import time

import grpc
import pytest
from onetier.v1.data_center_pb2 import ReplyBatch, RouteRequest
from onetier.v1.domain_server_pb2 import ServeRequest, ServeResponse

from charging import wire
from directory.changes import DirectoryEntry
from runtime.stream import ReplyStream
from tests.unit.datacenter.conftest import Platform, Rig, ScriptedOwner, echo, life_of

GD = "msisdn:8613000000001"
XJ = "msisdn:8613100000000"


def failed(body: bytes) -> wire.Failed:
    answer = wire.unpack_answer(body)
    assert isinstance(answer, wire.Failed)
    return answer


async def test_each_item_is_answered_by_the_owner_of_its_slot(rig: Rig) -> None:
    await rig.owner("GD/0")
    await rig.owner("XJ/0", "XJ/1", "XJ/2", "XJ/3")
    platform = await rig.platform(await rig.datacenter())
    slot = rig.directory.resolve(XJ).key.encode()
    replies = await platform.ask(
        [GD, XJ, GD, "domain:XJ/3", "domain:XJ", "tv:nobody"], [b"a", b"b", b"c", b"d", b"e", b"f"]
    )
    assert replies[0] == b"GD/0:a"
    assert replies[1] == slot + b":b"
    assert replies[2] == b"GD/0:c"
    assert replies[3] == b"XJ/3:d"
    assert replies[4] == b"XJ/0:e"
    assert failed(replies[5]).reason == "IDENTITY_UNROUTED"


async def test_bodies_are_forwarded_as_they_came(rig: Rig) -> None:
    await rig.owner("GD/0")
    platform = await rig.platform(await rig.datacenter())
    body = b"\x00\xff no message of any kind \xc1"
    assert (await platform.ask([GD], [body]))[0] == b"GD/0:" + body


async def test_a_misrouted_item_finds_its_new_owner(rig: Rig) -> None:
    old = await rig.owner("GD/0")
    tier = await rig.datacenter(poll_ms=60_000)
    life = life_of(tier)
    life.owners._poll_s = 60.0
    platform = await rig.platform(tier)
    assert (await platform.ask([GD], [b"1"]))[0] == b"GD/0:1"
    old.slots.clear()
    new = await rig.owner("GD/0")
    assert (await platform.ask([GD, GD], [b"2", b"3"])) == {0: b"GD/0:2", 1: b"GD/0:3"}
    assert sum(len(request.positions) for request in new.requests) == 2
    assert tier.booth.metrics.counted("events", "misrouted") == 2


async def test_what_nobody_admits_to_own_is_sent_at_most_three_times(rig: Rig) -> None:
    owner = await rig.owner("GD/0")
    owner.slots.clear()
    platform = await rig.platform(await rig.datacenter())
    answer = failed((await platform.ask([GD], [b"x"]))[0])
    assert (answer.kind, answer.reason) == ("unavailable", "SLOT_MOVING")
    assert answer.retry_ms > 0
    assert len(owner.requests) == 3


async def test_a_slot_without_owner_is_unavailable_until_it_has_one(rig: Rig) -> None:
    platform = await rig.platform(await rig.datacenter())
    answer = failed((await platform.ask([GD], [b"x"]))[0])
    assert (answer.kind, answer.reason) == ("unavailable", "SLOT_UNOWNED")
    await rig.owner("GD/0")
    await asyncio.sleep(0.4)
    assert (await platform.ask([GD], [b"x"]))[0] == b"GD/0:x"


async def test_a_stuck_owner_holds_up_nobody_else(rig: Rig) -> None:
    await rig.owner("GD/0", script=lambda slot, body: None)
    await rig.owner("XJ/0", "XJ/1", "XJ/2", "XJ/3")
    platform = await rig.platform(await rig.datacenter(batches_in_flight_max=2))
    for batch_id in range(1, 31):
        await platform.send([GD, XJ], [b"stuck", b"fine"], batch_id=batch_id, timeout_ms=1_500)
    started = time.monotonic()
    fine: set[int] = set()
    expired: set[int] = set()
    async with asyncio.timeout(10):
        while len(fine) < 30:
            batch_id, part = await platform.take()
            fine |= {batch_id} if 1 in part else set()
        assert time.monotonic() - started < 1.0
        while len(expired) < 30:
            batch_id, part = await platform.take()
            assert failed(part[0]).kind == "expired"
            expired.add(batch_id)
    assert time.monotonic() - started < 3.0


async def test_the_time_left_is_handed_on(rig: Rig) -> None:
    owner = await rig.owner("GD/0")
    platform = await rig.platform(await rig.datacenter())
    await platform.ask([GD], [b"x"], timeout_ms=700)
    assert 500 < owner.requests[0].timeout_ms <= 700


async def test_when_an_owner_dies_only_open_items_are_lost_and_each_is_answered_once(rig: Rig) -> None:
    owner = await rig.owner("GD/0", script=lambda slot, body: None if body == b"open" else echo(slot, body))
    platform = await rig.platform(await rig.datacenter())
    await platform.send([GD, GD, GD], [b"a", b"open", b"b"], timeout_ms=5_000)
    _, first = await platform.take()
    assert set(first) == {0, 2}
    await owner.stop()
    _, second = await platform.take()
    assert set(second) == {1}
    assert failed(second[1]).kind == "unavailable"


async def test_a_dead_owner_is_answered_for_at_once(rig: Rig) -> None:
    owner = await rig.owner("GD/0")
    platform = await rig.platform(await rig.datacenter())
    await platform.ask([GD], [b"x"])
    await owner.stop()
    started = time.monotonic()
    answer = failed((await platform.ask([GD], [b"y"], timeout_ms=5_000))[0])
    assert answer.kind == "unavailable"
    assert answer.retry_ms > 0
    assert time.monotonic() - started < 4.0


async def test_more_than_the_bound_is_refused_with_a_retry(rig: Rig) -> None:
    await rig.owner("GD/0", script=lambda slot, body: None)
    platform = await rig.platform(await rig.datacenter(items_in_flight_max=10))
    await platform.send([GD] * 8, [b"x"] * 8, batch_id=1, timeout_ms=1_000)
    await platform.send([GD] * 8, [b"x"] * 8, batch_id=2, timeout_ms=1_000)
    batch_id, part = await platform.take()
    assert batch_id == 2
    assert {failed(body).kind for body in part.values()} == {"overloaded"}
    assert {failed(body).reason for body in part.values()} == {"DATACENTER_BUSY"}


async def test_the_queue_of_one_owner_is_bounded(rig: Rig) -> None:
    await rig.owner("GD/0", script=lambda slot, body: None)
    platform = await rig.platform(await rig.datacenter(stream_items_max=40, batches_in_flight_max=1))
    for batch_id in (1, 2, 3):
        await platform.send([GD] * 12, [b"x"] * 12, batch_id=batch_id, timeout_ms=1_000)
    batch_id, part = await platform.take()
    assert batch_id == 3
    assert {failed(body).reason for body in part.values()} == {"OWNER_BUSY"}


MALFORMED = [
    RouteRequest(batch_id=7, positions=[0, 1], routes=[GD, GD], bodies=[b"x"]),
    RouteRequest(batch_id=7, positions=[4], routes=[GD, GD], bodies=[b"x", b"y"]),
    RouteRequest(batch_id=7, positions=[0, 0], routes=[GD, GD], bodies=[b"x", b"y"]),
    RouteRequest(batch_id=7, positions=[2**32 - 1] * 9, routes=[GD] * 9, bodies=[b"x"] * 9),
]


@pytest.mark.parametrize("request_", MALFORMED)
async def test_a_batch_that_can_be_none_is_refused_where_it_is_and_the_stream_goes_on(
    rig: Rig, request_: RouteRequest
) -> None:
    await rig.owner("GD/0")
    tier = await rig.datacenter()
    platform = await rig.platform(tier)
    await platform.call.write(request_)
    batch_id, part = await platform.take()
    assert batch_id == 7
    assert part.keys() == set(request_.positions)
    assert {failed(body).reason for body in part.values()} == {"BATCH_MALFORMED"}
    assert (await platform.ask([GD], [b"x"]))[0] == b"GD/0:x"
    assert life_of(tier).servicer.items_in_flight == 0


async def test_a_route_without_bound_is_refused_before_it_is_a_key(rig: Rig) -> None:
    await rig.owner("GD/0")
    tier = await rig.datacenter()
    platform = await rig.platform(tier)
    long = "msisdn:86130" + "0" * 1_000_000
    answers = await platform.ask([long, GD, "domain:" + long], [b"x", b"y", b"z"])
    assert answers[1] == b"GD/0:y"
    assert {failed(answers[0]).reason, failed(answers[2]).reason} == {"ROUTE_TOO_LONG"}
    assert len(life_of(tier)._directory.routes) == 1


async def test_more_bytes_than_the_bound_are_refused_with_a_retry(rig: Rig) -> None:
    await rig.owner("GD/0", script=lambda slot, body: None)
    tier = await rig.datacenter(bytes_in_flight_max=1_000)
    platform = await rig.platform(tier)
    await platform.send([GD] * 2, [bytes(300)] * 2, batch_id=1, timeout_ms=500)
    await platform.send([GD] * 2, [bytes(300)] * 2, batch_id=2, timeout_ms=500)
    batch_id, part = await platform.take()
    assert (batch_id, {failed(body).kind for body in part.values()}) == (2, {"overloaded"})
    batch_id, part = await platform.take()
    assert (batch_id, {failed(body).kind for body in part.values()}) == (1, {"expired"})
    assert life_of(tier).servicer.bytes_in_flight == 0


def deranged(slot: str, body: bytes) -> bytes | None:
    """Answers some, and some never."""
    return None if body[:1] == b"n" else body


class Liar(ScriptedOwner):
    """A domain server that says anything about how much it answered, and of whom."""

    def __init__(self, slots: set[str], chance: random.Random) -> None:
        super().__init__(slots)
        self.chance = chance

    def serve(self, request: ServeRequest, replies: ReplyStream[ServeResponse]) -> int:
        chance = self.chance
        positions = [chance.choice([*request.positions, 0, 2**32 - 1]) for _ in range(chance.randrange(6))]
        garbage = ReplyBatch(positions=positions, bodies=[b"?"] * chance.randrange(6)).SerializeToString()
        response = ServeResponse(
            batch_id=request.batch_id,
            replies=chance.choice([b"", b"\xff\xff", garbage]),
            answered=chance.choice([0, 1, len(positions), 2**32 - 1]),
            misrouted=[chance.choice([*request.positions, 77]) for _ in range(chance.randrange(4))],
        )
        replies.send(response, len(request.positions))
        return len(request.positions)


@pytest.mark.parametrize("lying", [False, True])
async def test_whatever_comes_in_and_back_nothing_stays_counted(rig: Rig, lying: bool) -> None:
    """Batches of any shape, to owners that answer in part, or lie: the counters come back to zero."""
    seed = time.time_ns()
    print(f"seed {seed}")
    chance = random.Random(seed)
    owner = Liar({"GD/0"}, chance) if lying else ScriptedOwner({"GD/0"}, deranged)
    await rig.serve(owner, "GD/0")
    tier = await rig.datacenter()
    servicer = life_of(tier).servicer
    platform = await rig.platform(tier)
    for number in range(200):
        size = chance.choice([0, 1, 2, 5])
        request = RouteRequest(
            batch_id=number,
            timeout_ms=chance.choice([1, 50, 200]),
            positions=[chance.choice([0, 1, 2, 3, number, 2**32 - 1]) for _ in range(chance.choice([size, size, 3]))],
            routes=[chance.choice([GD, XJ, "domain:GD", "domain:", "", "\x00", "x" * 9_999]) for _ in range(size)],
            bodies=[chance.choice([b"a", b"n", b"", bytes(50_000)]) for _ in range(chance.choice([size, size, 3]))],
        )
        await platform.call.write(request)
    fine = await rig.platform(tier)
    if not lying:
        assert (await fine.ask([GD], [b"a"]))[0] == b"a"
    async with asyncio.timeout(10):
        while servicer.items_in_flight or servicer.bytes_in_flight or life_of(tier).links.items:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await asyncio.wait_for(servicer.idle(), 1)


async def test_large_batches_reach_the_owner_in_pieces_it_takes(rig: Rig) -> None:
    owner = await rig.owner("GD/0")
    platform = await rig.platform(await rig.datacenter(batch_items_max=100))
    replies = await platform.ask([GD] * 1_050, [b"%d" % number for number in range(1_050)])
    assert replies == {number: b"GD/0:%d" % number for number in range(1_050)}
    assert [len(request.positions) for request in owner.requests] == [100] * 10 + [50]


async def test_a_drain_answers_what_is_in_flight(rig: Rig) -> None:
    release = asyncio.Event()
    await rig.owner("GD/0", script=lambda slot, body: echo(slot, body) if release.is_set() else None)
    tier = await rig.datacenter()
    platform = await rig.platform(tier)
    await platform.send([GD], [b"late"], timeout_ms=400)
    await asyncio.sleep(0.1)
    stopping = asyncio.create_task(tier.stop())
    _, part = await platform.take()
    assert failed(part[0]).kind == "expired"
    await stopping
    rig._closers = [closer for closer in rig._closers if closer != tier.stop]
    assert await platform.call.read() is grpc.aio.EOF


async def test_an_entry_is_followed_by_a_running_data_center(rig: Rig) -> None:
    await rig.owner("GD/0")
    await rig.owner("XJ/0", "XJ/1", "XJ/2", "XJ/3")
    platform = await rig.platform(await rig.datacenter())
    assert (await platform.ask([GD], [b"x"]))[0] == b"GD/0:x"
    started = time.monotonic()
    await rig.directory.amend([DirectoryEntry(GD, "XJ", 2)], "move", "tests")
    while (await platform.ask([GD], [b"x"]))[0] != b"XJ/2:x":
        assert time.monotonic() - started < 1.0


async def test_two_streams_do_not_mix_their_answers(rig: Rig) -> None:
    await rig.owner("GD/0")
    tier = await rig.datacenter()
    platforms: list[Platform] = [await rig.platform(tier) for _ in range(2)]
    first, second = await asyncio.gather(
        platforms[0].ask([GD] * 50, [b"one"] * 50), platforms[1].ask([GD] * 50, [b"two"] * 50)
    )
    assert set(first.values()) == {b"GD/0:one"}
    assert set(second.values()) == {b"GD/0:two"}
