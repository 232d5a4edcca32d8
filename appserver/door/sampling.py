"""Which requests are traced: one in so many, and those whose callers trace them; of all, only so many a second."""

from collections.abc import Callable, Sequence

from onetier.v1 import service_desk_pb2 as desk

from appserver.batches.batch import CallerSink, RequestBatch
from appserver.batches.followed import FollowedItem
from runtime.quota import Bucket
from runtime.tracing import Tracing, is_sampled


class FollowedReplies:
    """The way back of a batch with a traced item."""

    __slots__ = ("_followed", "_sink")

    def __init__(self, sink: CallerSink, followed: FollowedItem) -> None:
        self._sink = sink
        self._followed = followed

    def deliver(self, batch: RequestBatch, response: desk.ExchangeResponse, /) -> None:
        """Give a part on; end the trace when it has the item's reply."""
        for position, reply in zip(response.positions, response.replies, strict=True):
            if position == self._followed.position:
                self._followed.end(reply)
        self._sink.deliver(batch, response)


class Sampler:
    """Follows a few of the requests of a process. Counts batches, never looks at an item."""

    def __init__(self, tracing: Tracing, every: int, per_s_max: int, clock: Callable[[], float]) -> None:
        """`every` = one in so many requests; 0 = only those that callers trace. `clock` in seconds."""
        self.on = tracing.on
        self._tracing = tracing
        self._every = every if tracing.on else 0
        self._left = every
        self._clock = clock
        self._quota = Bucket(per_s_max, clock())

    def follow(
        self, requests: Sequence[desk.ServiceRequest], traceparent: str, traced: int, sink: CallerSink
    ) -> tuple[CallerSink, FollowedItem | None]:
        """Give the way back of a batch, and its item that is followed, None for nearly all.

        `traceparent` is that of the caller for the request at `traced`, "" = it gave none.
        """
        position = -1
        if self._every:
            self._left -= len(requests)
            if self._left <= 0:
                self._left = self._every
                position = len(requests) - 1
        if traceparent and self.on and traced < len(requests) and is_sampled(traceparent):
            position = traced
        else:
            traceparent = ""
        if position < 0 or self._quota.wait_ms(self._clock()):
            return sink, None
        self._quota.take(1)
        door = self._tracing.begin("door", traceparent)
        followed = FollowedItem(position, door)
        return FollowedReplies(sink, followed), followed
