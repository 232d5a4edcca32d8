"""A scripted service desk on a real socket: it drops, refuses, dawdles and kills streams as a test tells it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import grpc
import pytest
from onetier.v1.service_desk_pb2 import ChargeResult, ExchangeRequest, ExchangeResponse, ServiceReply, ServiceRequest
from onetier.v1.service_desk_pb2_grpc import ServiceDeskServiceServicer, add_ServiceDeskServiceServicer_to_server

from runtime.stream import ReplyStream, serve_stream

Script = Callable[[ServiceRequest, int], ServiceReply | None]


def charged(request: ServiceRequest) -> ServiceReply:
    """What the desk says when all is well: the amount is the quantity."""
    return ServiceReply(charge=ChargeResult(amount=request.quantity, currency="CNY", domain="GD"))


class ScriptedDesk(ServiceDeskServiceServicer):
    """Answers what `script(request, times seen)` says; None = no answer at all."""

    def __init__(self) -> None:
        self.script: Script = lambda request, _seen: charged(request)
        self.refuse_batch: Callable[[ExchangeRequest], ExchangeResponse | None] = lambda _batch: None
        self.seen: Counter[str] = Counter()
        self.batches: list[int] = []
        self.timeouts_ms: list[int] = []
        self.kill_after_parts = 0
        self.delay_s = 0.0
        self.heard = asyncio.Event()
        self.drain = asyncio.Event()
        self.address = ""
        self.server: grpc.aio.Server = grpc.aio.server()
        self.killed = asyncio.Event()

    async def Exchange(self, _requests: object, context: grpc.aio.ServicerContext) -> None:
        serving = asyncio.create_task(serve_stream(context, self.batch, drain=self.drain, items_in_flight_max=100_000))
        killed = asyncio.create_task(self.killed.wait())
        try:
            await asyncio.wait((serving, killed), return_when=asyncio.FIRST_COMPLETED)
        finally:
            serving.cancel()
            killed.cancel()
            await asyncio.gather(serving, killed, return_exceptions=True)
        if self.killed.is_set():
            self.killed.clear()
            await context.abort(grpc.StatusCode.UNKNOWN, "killed")

    def batch(self, request: ExchangeRequest, replies: ReplyStream[ExchangeResponse]) -> int:
        self.heard.set()
        self.batches.append(len(request.requests))
        self.timeouts_ms.append(request.timeout_ms)
        refused = self.refuse_batch(request)
        if refused is not None:
            refused.batch_id = request.batch_id
            replies.send(refused, len(request.requests))
            return len(request.requests)
        asyncio.get_running_loop().call_later(self.delay_s, self.answer, request, replies)
        return len(request.requests)

    def answer(self, request: ExchangeRequest, replies: ReplyStream[ExchangeResponse]) -> None:
        """Answer in parts of seven, in reverse order, so that callers can't rely on one part or on order."""
        found: list[tuple[int, ServiceReply]] = []
        for position, item in enumerate(request.requests):
            self.seen[item.request_key or item.identity] += 1
            reply = self.script(item, self.seen[item.request_key or item.identity])
            if reply is not None:
                found.append((position, reply))
        found.reverse()
        parts = [found[start : start + 7] for start in range(0, len(found), 7)]
        if self.kill_after_parts:
            parts = parts[: self.kill_after_parts]
        for part in parts:
            response = ExchangeResponse(batch_id=request.batch_id, positions=[at for at, _reply in part])
            response.replies.extend(reply for _at, reply in part)
            replies.send(response, len(part))
        if self.kill_after_parts:
            self.kill_after_parts = 0
            asyncio.get_running_loop().call_later(0.05, self.killed.set)

    async def start(self, listen: str = "127.0.0.1:0") -> None:
        self.server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        add_ServiceDeskServiceServicer_to_server(self, self.server)
        port = self.server.add_insecure_port(listen)
        self.address = f"127.0.0.1:{port}"
        await self.server.start()

    async def stop(self) -> None:
        await self.server.stop(0)


@pytest.fixture
async def open_desk() -> AsyncIterator[Callable[[], Awaitable[ScriptedDesk]]]:
    """Give a maker of desks; all are stopped at the end."""
    desks: list[ScriptedDesk] = []

    async def make() -> ScriptedDesk:
        desk = ScriptedDesk()
        await desk.start()
        desks.append(desk)
        return desk

    yield make
    for desk in desks:
        await desk.stop()


@pytest.fixture
async def desk(open_desk: Callable[[], Awaitable[ScriptedDesk]]) -> ScriptedDesk:
    """Give one desk."""
    return await open_desk()
