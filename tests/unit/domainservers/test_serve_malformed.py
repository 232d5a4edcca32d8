"""What can't be read on the stream that all share: refused where it is, and the stream goes on."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
from onetier.v1.data_center_pb2 import ReplyBatch
from onetier.v1.domain_server_pb2 import ServeRequest, ServeResponse

from charging import wire
from charging.wire import BusinessData, Commit, Failed, Pull
from runtime.server import RunningTier
from tests.unit.domainservers.test_serve import IDENTITY, Caller, command, opening, server

__all__ = ["server"]

NO_TEXT = msgspec.msgpack.encode(["p", "xxxx"]).replace(b"xxxx", b"\xff\xfe\xfd\xfc")
DEEP = b"\x91" * 200_000
BODIES = {"no text": NO_TEXT, "deep": DEEP, "empty": b"", "other": b"\xc1", "kind": msgspec.msgpack.encode(["?", 1])}


@pytest.fixture
async def caller(server: RunningTier) -> AsyncIterator[Caller]:
    one = Caller(server.address)
    await one.ask(Commit(IDENTITY, command("open", opening())))
    yield one
    await one.close()


async def reasons(caller: Caller, request: ServeRequest) -> dict[int, str]:
    """Send a batch as it is; the reason or the type of each answer."""
    await caller.call.write(request)
    told: dict[int, str] = {}
    response: ServeResponse = await asyncio.wait_for(caller.call.read(), 5)
    while True:
        replies = ReplyBatch.FromString(response.replies)
        for place, body in zip(replies.positions, replies.bodies, strict=True):
            answer = wire.unpack_answer(body)
            told[place] = answer.reason if isinstance(answer, Failed) else type(answer).__name__
        if len(told) == len(set(request.positions)):
            return told
        response = await asyncio.wait_for(caller.call.read(), 5)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_a_body_that_cannot_be_read_harms_its_item_alone(caller: Caller, body: bytes) -> None:
    good = wire.pack(Pull(IDENTITY))
    request = ServeRequest(
        batch_id=9, positions=[3, 4, 5], slots=["GD/0"] * 3, bodies=[good, body, good], origin="appserver"
    )
    assert await reasons(caller, request) == {3: "BusinessData", 4: "BODY_MALFORMED", 5: "BusinessData"}


@pytest.mark.parametrize(
    "request_",
    [
        ServeRequest(batch_id=9, positions=[1, 1], slots=["GD/0"] * 2, bodies=[b""] * 2),
        ServeRequest(batch_id=9, positions=[1, 2], slots=["GD/0"], bodies=[b""] * 2),
        ServeRequest(batch_id=9, positions=[1], slots=["GD/0"] * 5, bodies=[b""] * 2),
    ],
)
async def test_a_batch_that_can_be_none_is_refused_and_the_stream_goes_on(
    caller: Caller, request_: ServeRequest
) -> None:
    assert await reasons(caller, request_) == dict.fromkeys(request_.positions, "BATCH_MALFORMED")
    (data,) = await caller.ask(Pull(IDENTITY))
    assert isinstance(data, BusinessData)
