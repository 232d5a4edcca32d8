"""One long Exchange stream under gevent: what a regional front end keeps open, as a blocking call for locust users.

gRPC's own threads must become greenlets before the first channel is made, which is why this module patches on import
(locust documents the same).
"""

import itertools
import queue
from collections.abc import Iterator, Sequence

import gevent
import gevent.event
import grpc
from grpc.experimental import gevent as grpc_gevent
from onetier.v1 import service_desk_pb2 as desk
from onetier.v1 import service_desk_pb2_grpc as desk_grpc

from runtime.loopback import numeric, shown_to

grpc_gevent.init_gevent()

CHANNEL_OPTIONS = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", 64 << 20)]


class StreamBroken(Exception):
    """The stream ended before the batch was answered: each item is done or not; its key tells on repeat."""


class _Batch:
    """A batch under way: fills as parts of the reply come."""

    def __init__(self, size: int) -> None:
        self.replies: list[desk.ServiceReply | None] = [None] * size
        self.missing = size
        self.done: gevent.event.AsyncResult[None] = gevent.event.AsyncResult()

    def take(self, part: desk.ExchangeResponse) -> None:
        """Fit one part of the reply in."""
        if part.HasField("error"):
            self.replies = [desk.ServiceReply(error=part.error)] * len(self.replies)
            self.missing = 0
        for position, reply in zip(part.positions, part.replies, strict=True):
            self.missing -= self.replies[position] is None
            self.replies[position] = reply
        if self.missing == 0:
            self.done.set(None)


class DeskConnection:
    """A channel, its stub, and one Exchange stream that is opened again when it breaks."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._channel = grpc.insecure_channel(numeric(endpoint), options=CHANNEL_OPTIONS)
        self._stub = desk_grpc.ServiceDeskServiceStub(self._channel)
        self._numbers = itertools.count(1)
        self._waiting: dict[int, _Batch] = {}
        self._outgoing: queue.Queue[desk.ExchangeRequest | None] | None = None

    def exchange(self, requests: Sequence[desk.ServiceRequest], timeout_s: float = 10.0) -> list[desk.ServiceReply]:
        """Send one batch and wait for all of its replies, in order.

        Raises `StreamBroken` when the stream ends first, `gevent.Timeout` when it takes longer than `timeout_s`.
        """
        batch_id, batch = next(self._numbers), _Batch(len(requests))
        self._waiting[batch_id] = batch
        if self._outgoing is None:
            self._open()
        assert self._outgoing is not None
        self._outgoing.put(desk.ExchangeRequest(batch_id=batch_id, timeout_ms=int(timeout_s * 1000), requests=requests))
        try:
            batch.done.get(timeout=timeout_s)
        finally:
            self._waiting.pop(batch_id, None)
        return [reply for reply in batch.replies if reply is not None]

    def charge(self, request: desk.ServiceRequest, timeout_s: float = 5.0) -> desk.ServiceReply:
        """Send one charge as a call of its own, beside the stream. Raises `grpc.RpcError` with whatever was refused."""
        call = desk.ChargeRequest(request=request)
        response = self._stub.Charge(call, timeout=timeout_s, metadata=shown_to(self._endpoint))
        return desk.ServiceReply(charge=response.charge)

    def close(self) -> None:
        """End the stream and the channel."""
        if self._outgoing is not None:
            self._outgoing.put(None)
        self._channel.close()

    def _open(self) -> None:
        outgoing: queue.Queue[desk.ExchangeRequest | None] = queue.Queue()
        self._outgoing = outgoing
        gevent.spawn(
            self._receive, self._stub.Exchange(iter(outgoing.get, None), metadata=shown_to(self._endpoint)), outgoing
        )

    def _receive(
        self, parts: Iterator[desk.ExchangeResponse], outgoing: "queue.Queue[desk.ExchangeRequest | None]"
    ) -> None:
        reason = "the server ended the stream"
        try:
            for part in parts:
                batch = self._waiting.get(part.batch_id)
                if batch is not None:
                    batch.take(part)
        except grpc.RpcError as error:
            reason = str(error)
        if self._outgoing is outgoing:
            self._outgoing = None
        for batch in list(self._waiting.values()):
            batch.done.set_exception(StreamBroken(reason))
