"""The replies of one batch: answers that get ready together leave as one part."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from onetier.v1.data_center_pb2 import ReplyBatch
from onetier.v1.domain_server_pb2 import ServeResponse

from charging.errors import Expired, Fault
from domainservers.desk.answers import pack_fault
from runtime.stream import ReplyStream
from runtime.telemetry import Metrics


def _unknown(_domain: str) -> int:
    return 0


class ServedBatch:
    """A `domainservers.journal.groups.ReplySink`. What is open at the deadline is answered then."""

    __slots__ = (
        "_batch_id",
        "_bodies",
        "_domains",
        "_loop",
        "_metrics",
        "_open",
        "_places",
        "_replies",
        "_revision_of",
        "_started",
        "_timer",
        "deadline",
        "items",
    )

    def __init__(
        self,
        batch_id: int,
        places: Iterable[int],
        timeout_s: float,
        replies: ReplyStream[ServeResponse],
        metrics: Metrics,
        domains: Sequence[str] = (),
        revision_of: Callable[[str], int] = _unknown,
    ) -> None:
        """`domains` are those whose revisions the answers carry."""
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self.deadline = self._started + timeout_s
        self._batch_id = batch_id
        self._domains = domains
        self._revision_of = revision_of
        self._open = dict.fromkeys(places)
        self.items = len(self._open)
        """Places that are answered, each once."""
        self._replies = replies
        self._metrics = metrics
        self._places: list[int] = []
        self._bodies: list[bytes] = []
        self._timer = self._loop.call_at(self.deadline, self._expire)

    def answer(self, position: int, body: bytes) -> None:
        """Answer one item; the part leaves when this turn of the event loop is over."""
        if position not in self._open:
            return
        del self._open[position]
        if not self._places:
            self._loop.call_soon(self._flush)
        self._places.append(position)
        self._bodies.append(body)

    def _flush(self) -> None:
        if not self._places:
            return
        replies = ReplyBatch(
            positions=self._places,
            bodies=self._bodies,
            domains=self._domains,
            revisions=[self._revision_of(domain) for domain in self._domains],
        ).SerializeToString()
        answered = len(self._places)
        self._places, self._bodies = [], []
        if not self._open:
            self._timer.cancel()
        self._metrics.latency("serve", self._loop.time() - self._started, answered)
        self._replies.send(ServeResponse(batch_id=self._batch_id, replies=replies, answered=answered), answered)

    def misroute(self, places: Sequence[int]) -> None:
        """Name items that belong to another owner; nothing was done for them."""
        for place in places:
            self._open.pop(place, None)
        if not self._open:
            self._timer.cancel()
        self._replies.send(ServeResponse(batch_id=self._batch_id, misrouted=places), len(places))

    def _expire(self) -> None:
        self.refuse(
            Expired("DEADLINE_EXCEEDED", "the deadline passed before the journal answered; repeat the same request key")
        )

    def refuse(self, fault: Fault) -> None:
        """Answer all that is open with one fault."""
        body = pack_fault(fault)
        for place in list(self._open):
            self.answer(place, body)
