"""A data center on a real socket before an `OwnerInMemory`, and a front end that sends requests."""

import asyncio
import itertools
import time
from collections.abc import Mapping

import grpc
from google.protobuf.message import Message
from onetier.v1 import service_desk_pb2 as pb
from onetier.v1.data_center_pb2 import ReplyBatch, RouteRequest, RouteResponse
from onetier.v1.data_center_pb2_grpc import DataCenterServiceServicer, add_DataCenterServiceServicer_to_server
from onetier.v1.service_desk_pb2_grpc import ServiceDeskServiceStub

from charging.errors import Fault
from runtime.channel import open_channel
from runtime.status import from_status
from runtime.stream import ReplyStream, serve_stream
from testkit.owner import DOMAINS, OwnerInMemory

A = "msisdn:8613000000001"
B = "msisdn:8613000000002"


class DataCenterInMemory(DataCenterServiceServicer):
    """A data center that asks the owners in memory. Routes in `stuck` are never answered; each part may be delayed."""

    def __init__(self, owner: OwnerInMemory) -> None:
        self.owner = owner
        self.stuck: set[str] = set()
        self.requests: list[RouteRequest] = []
        self.gate: asyncio.Event | None = None
        """While set and not open, whole batches wait."""
        self.address = ""
        self._drain = asyncio.Event()
        self._server: grpc.aio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, address: str = "127.0.0.1:0") -> None:
        """Serve on an address."""
        self._server = grpc.aio.server()
        add_DataCenterServiceServicer_to_server(self, self._server)
        port = self._server.add_insecure_port(address)
        self.address = f"127.0.0.1:{port}"
        await self._server.start()

    async def stop(self) -> None:
        """Stop at once, as a crash would."""
        if self._server is not None:
            await self._server.stop(0)
        for task in self._tasks:
            task.cancel()

    async def Route(self, request_iterator: object, context: grpc.aio.ServicerContext) -> None:
        """Serve a platform's stream."""
        await serve_stream(context, self.route, drain=self._drain, items_in_flight_max=100_000)

    def route(self, request: RouteRequest, replies: ReplyStream[RouteResponse]) -> int:
        """Take a batch."""
        self.requests.append(request)
        if self.gate is not None and not self.gate.is_set():
            task = asyncio.create_task(self._later(self.gate, request, replies))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._answer(request, replies)
        return len(request.positions)

    async def _later(self, gate: asyncio.Event, request: RouteRequest, replies: ReplyStream[RouteResponse]) -> None:
        await gate.wait()
        self._answer(request, replies)

    def _answer(self, request: RouteRequest, replies: ReplyStream[RouteResponse]) -> None:
        batch = ReplyBatch(domains=DOMAINS, revisions=[self.owner.revision] * len(DOMAINS))
        for position, route, body in zip(request.positions, request.routes, request.bodies, strict=True):
            if route not in self.stuck:
                batch.positions.append(position)
                batch.bodies.append(self.owner.answer(body))
        if batch.positions:
            response = RouteResponse(batch_id=request.batch_id, replies=batch.SerializeToString())
            replies.send(response, len(batch.positions))


class Requests:
    """Makes requests with keys of their own."""

    def __init__(self) -> None:
        self._keys = itertools.count(1)

    def charge(self, identity: str = A, **fields: object) -> pb.ServiceRequest:
        """Make a charge of a call of a minute; `fields` replace what it has."""
        given: dict[str, object] = {
            "identity": identity,
            "request_type": pb.REQUEST_TYPE_CHARGE,
            "service_code": "voice",
            "request_key": f"k-{next(self._keys)}",
            "event_time_ms": int(time.time() * 1000),
            "quantity": 60,
            "channel": "front",
        }
        return _made(given | fields)

    def quote(self, identity: str = A, **fields: object) -> pb.ServiceRequest:
        """Make a dry run."""
        return self.charge(identity, **({"request_type": pb.REQUEST_TYPE_QUOTE, "request_key": ""} | fields))

    def query(self, identity: str = A, view: str = "balance", **fields: object) -> pb.ServiceRequest:
        """Make a query."""
        given: dict[str, object] = {
            "identity": identity,
            "request_type": pb.REQUEST_TYPE_QUERY,
            "service_code": view,
            "channel": "front",
        }
        return _made(given | fields)

    def execute(self, identity: str = A, **fields: object) -> pb.ServiceRequest:
        """Make a command, given as a field."""
        given: dict[str, object] = {
            "identity": identity,
            "request_type": pb.REQUEST_TYPE_EXECUTE,
            "request_key": f"k-{next(self._keys)}",
            "channel": "front",
        }
        return _made(given | fields)

    def opening(
        self, identity: str = A, money: int = 100_000_000, offering: str = "plan", **fields: object
    ) -> pb.ServiceRequest:
        """Make the command that opens an account."""
        command = pb.OpenAccount(
            payment_mode="prepaid",
            contract=pb.Contract(domain="GD", subscriptions=[pb.Subscription(offering=offering)], valid_from_ms=1_000),
            books=[pb.BalanceBook(book_id="main", amount=money)],
        )
        return self.execute(identity, **({"open_account": command} | fields))


class Front(Requests):
    """A front end: makes requests, and sends them on a stream or one by one."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address
        self.channel = open_channel(address)
        self.stub = ServiceDeskServiceStub(self.channel)
        self._batches = itertools.count(1)

    async def open(self, identity: str = A, money: int = 100_000_000, offering: str = "plan") -> None:
        """Open an account, and expect that it works."""
        reply = await self.one(self.opening(identity, money, offering))
        if reply.HasField("error"):
            raise from_status(reply.error)

    def stream(self) -> "Stream":
        """Open a stream."""
        return Stream(self.stub.Exchange(), self._batches)

    async def exchange(self, *requests: pb.ServiceRequest, timeout_ms: int = 5_000) -> list[pb.ServiceReply]:
        """Send one batch on a stream of its own and give the replies in order; a refused batch raises its fault."""
        stream = self.stream()
        try:
            return await stream.exchange(*requests, timeout_ms=timeout_ms)
        finally:
            stream.call.cancel()

    async def one(self, request: pb.ServiceRequest) -> pb.ServiceReply:
        """Send one request on a stream of its own."""
        return (await self.exchange(request))[0]


def _made(fields: Mapping[str, object]) -> pb.ServiceRequest:
    request = pb.ServiceRequest()
    for name, value in fields.items():
        if isinstance(value, Message):
            getattr(request, name).CopyFrom(value)
        elif isinstance(value, dict):
            getattr(request, name).update(value)
        else:
            setattr(request, name, value)
    return request


class Stream:
    """One open Exchange stream."""

    def __init__(self, call: grpc.aio.StreamStreamCall, batches: "itertools.count[int]") -> None:
        self.call = call
        self._batches = batches

    async def send(self, *requests: pb.ServiceRequest, timeout_ms: int = 5_000) -> int:
        """Send a batch; gives its id."""
        number = next(self._batches)
        await self.call.write(pb.ExchangeRequest(batch_id=number, timeout_ms=timeout_ms, requests=requests))
        return number

    async def exchange(self, *requests: pb.ServiceRequest, timeout_ms: int = 5_000) -> list[pb.ServiceReply]:
        """Send a batch and give its replies in order; a refused batch raises its fault."""
        number = await self.send(*requests, timeout_ms=timeout_ms)
        found: dict[int, pb.ServiceReply] = {}
        async with asyncio.timeout(20):
            while len(found) < len(requests):
                response = await self.call.read()
                if response is grpc.aio.EOF:
                    raise EOFError("the stream ended")
                if response.HasField("error"):
                    raise from_status(response.error)
                if response.batch_id != number:
                    raise ValueError(f"answered batch {response.batch_id} instead of {number}")
                for position, reply in zip(response.positions, response.replies, strict=True):
                    if position in found:
                        raise ValueError(f"position {position} was answered twice")
                    found[position] = reply
        return [found[position] for position in range(len(requests))]


def fault_of(reply: pb.ServiceReply) -> Fault:
    """The fault of a reply; it has one."""
    if not reply.HasField("error"):
        raise ValueError(f"no fault: {reply}")
    return from_status(reply.error)
