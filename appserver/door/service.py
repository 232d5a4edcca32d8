"""The front end's contract over gRPC: one long stream of batches, and unary calls that join the same batches inside."""

import asyncio

import grpc
from onetier.v1 import service_desk_pb2 as desk
from onetier.v1.service_desk_pb2_grpc import ServiceDeskServiceServicer

from appserver.batches.batch import CallerSink, RequestBatch, RequestSource
from appserver.door.admission import BatchAdmission
from appserver.door.clients import Clients, QuotaClient
from appserver.door.sampling import Sampler
from appserver.settings import AppServerSettings
from appserver.work.engine import Engine
from charging.errors import Invalid
from runtime.intercept import MESSAGE_MALFORMED
from runtime.pace import RunPace
from runtime.principal import principal_of
from runtime.status import from_status, to_status
from runtime.stream import ReplyStream, serve_stream
from runtime.telemetry import Metrics

Replies = ReplyStream[desk.ExchangeResponse]

TIMEOUT_MS_MAX = 600_000
REFUSED_UNREAD_MAX = 4
"""A stream is refused beyond `stream_items_max`, and not read any more at so many times of it: a client that sends
and doesn't read fills its own pipe only."""


class _StreamReplies:
    """Gives parts of replies to the stream they belong to."""

    __slots__ = ("_replies",)

    def __init__(self, replies: Replies) -> None:
        self._replies = replies

    def deliver(self, _batch: RequestBatch, response: desk.ExchangeResponse) -> None:
        self._replies.send(response, len(response.positions))


class _CallReply:
    """Gives the reply of a unary call to whoever awaits it."""

    __slots__ = ("future",)

    def __init__(self, future: "asyncio.Future[desk.ServiceReply]") -> None:
        self.future = future

    def deliver(self, _batch: RequestBatch, response: desk.ExchangeResponse) -> None:
        if not self.future.done():
            self.future.set_result(response.replies[0])


class ServiceDesk(ServiceDeskServiceServicer):
    """Serves the front ends until `ended` is set."""

    def __init__(
        self,
        engine: Engine,
        clients: Clients,
        admission: BatchAdmission,
        settings: AppServerSettings,
        metrics: Metrics,
        sampler: Sampler,
        pace: RunPace,
    ) -> None:
        """`pace` is of what can wait beside those that are served here."""
        self.ended = asyncio.Event()
        """The streams end once it is set."""
        self._engine = engine
        self._clients = clients
        self._admission = admission
        self._settings = settings
        self._metrics = metrics
        self._sampler = sampler
        self._pace = pace
        self._loop = asyncio.get_running_loop()
        metrics.gauge("clients_known", lambda: len(clients))

    async def Exchange(self, request_iterator: object, context: grpc.aio.ServicerContext) -> None:
        """Serve a stream of batches until the client leaves or this instance ends; replies come in no order."""
        client = self._clients.of(context)
        self._clients.open_stream(client)
        principal = principal_of(context).name
        source = RequestSource(client.caller)

        def take(request: desk.ExchangeRequest, replies: Replies) -> int:
            return self._take(client, source, request, replies, principal)

        try:
            await serve_stream(
                context,
                take,
                drain=self.ended,
                items_in_flight_max=self._settings.stream_items_max * REFUSED_UNREAD_MAX,
                unreadable=_tell_unreadable,
                pause_s=lambda: client.pause_s(self._loop.time()),
                metrics=self._metrics,
            )
        finally:
            client.streams -= 1

    def _take(
        self,
        client: QuotaClient,
        source: RequestSource,
        request: desk.ExchangeRequest,
        replies: Replies,
        principal: str,
    ) -> int:
        requests = request.requests
        size, octets = len(requests), request.ByteSize()
        refusal = self._admission.refusal(client, size, octets, replies.items_in_flight)
        if refusal is not None:
            self._metrics.requests("any", refusal.reason, max(size, 1))
            client.refused(self._loop.time(), refusal.retry_ms)
            # At least one is owed, so that batches without requests are bounded too.
            size = max(size, 1)
            replies.send(desk.ExchangeResponse(batch_id=request.batch_id, error=to_status(refusal)), size)
            return size
        client.take(max(size, 1), octets)
        if not size:
            replies.send(desk.ExchangeResponse(batch_id=request.batch_id), 1)
            return 1
        self._pace.others()
        now = self._loop.time()
        timeout_ms = min(request.timeout_ms or self._settings.timeout_ms, TIMEOUT_MS_MAX)
        deadline = now + timeout_ms / 1000
        back: CallerSink = _StreamReplies(replies)
        back, followed = self._sampler.follow(requests, request.traceparent, request.traced, back)
        batch = RequestBatch(back, request.batch_id, requests, now, deadline, octets, principal)
        batch.followed = followed
        self._engine.submit(source, batch)
        return size

    async def Charge(self, request: desk.ChargeRequest, context: grpc.aio.ServicerContext) -> desk.ChargeResponse:
        """Rate an event and take it from the balance."""
        reply = await self._call(request.request, desk.REQUEST_TYPE_CHARGE, context)
        return desk.ChargeResponse(charge=reply.charge)

    async def Quote(self, request: desk.QuoteRequest, context: grpc.aio.ServicerContext) -> desk.QuoteResponse:
        """Say what an event would cost, and why; or what a command would do."""
        reply = await self._call(request.request, desk.REQUEST_TYPE_QUOTE, context)
        name = reply.WhichOneof("result")
        return desk.QuoteResponse(**{name: getattr(reply, name)})

    async def Query(self, request: desk.QueryRequest, context: grpc.aio.ServicerContext) -> desk.QueryResponse:
        """Tell balance, usage, contract or history."""
        reply = await self._call(request.request, desk.REQUEST_TYPE_QUERY, context)
        name = reply.WhichOneof("result")
        return desk.QueryResponse(**{name: getattr(reply, name)})

    async def Execute(self, request: desk.ExecuteRequest, context: grpc.aio.ServicerContext) -> desk.ExecuteResponse:
        """Do a command, or a step of a session."""
        reply = await self._call(request.request, desk.REQUEST_TYPE_EXECUTE, context)
        name = reply.WhichOneof("result")
        return desk.ExecuteResponse(**{name: getattr(reply, name)})

    async def _call(
        self, request: desk.ServiceRequest, wanted: desk.RequestType, context: grpc.aio.ServicerContext
    ) -> desk.ServiceReply:
        """Send one request the way of all; its fault is raised."""
        if request.request_type not in (desk.REQUEST_TYPE_UNSPECIFIED, wanted):
            text = "unset, or that of the call"
            raise Invalid("REQUEST_TYPE_MISMATCH", "the request type is not the call's", fields={"request_type": text})
        request.request_type = wanted
        client, octets = self._clients.of(context), request.ByteSize()
        refusal = self._admission.refusal(client, 1, octets, 0)
        if refusal is not None:
            self._metrics.requests("any", refusal.reason)
            # Whoever floods with calls waits for each refusal, as one that floods a stream isn't read.
            client.refused(self._loop.time(), refusal.retry_ms)
            await asyncio.sleep(client.pause_s(self._loop.time()))
            raise refusal
        client.take(1, octets)
        self._pace.others()
        left_s = context.time_remaining()
        timeout_s = self._settings.timeout_ms / 1000 if left_s is None else min(left_s, TIMEOUT_MS_MAX / 1000)
        future: asyncio.Future[desk.ServiceReply] = self._loop.create_future()
        now = self._loop.time()
        principal = principal_of(context).name
        traceparent = _traceparent(context) if self._sampler.on else ""
        back, followed = self._sampler.follow((request,), traceparent, 0, _CallReply(future))
        batch = RequestBatch(back, 0, (request,), now, now + timeout_s, octets, principal)
        batch.followed = followed
        self._engine.submit(client.calls, batch)
        reply = await future
        if reply.HasField("error"):
            raise from_status(reply.error)
        return reply


def _traceparent(context: grpc.aio.ServicerContext) -> str:
    """Give the trace context that a unary call has in its metadata, "" when it has none."""
    return next((str(value) for name, value in context.invocation_metadata() or () if name == "traceparent"), "")


def _tell_unreadable(replies: Replies) -> int:
    fault = Invalid(MESSAGE_MALFORMED, "a message can't be read: it is no ExchangeRequest; nothing of it was done")
    replies.send(desk.ExchangeResponse(error=to_status(fault)), 1)
    return 1
