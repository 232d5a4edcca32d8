"""Batches to the data center: one that fills, and those on their way, whose answers find whoever asked.

Nothing here knows what is asked. A question comes with the part of the platform that hears its answer (`Taker`) and
with what that part wants to see again then.
"""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar, cast

from onetier.v1.data_center_pb2 import ReplyBatch, RouteRequest, RouteResponse

from charging.errors import Broken, Fault, internal
from charging.wire import Answer, unpack_answer
from runtime.telemetry import logger

log = logger("appserver.uplink")

ITEMS_MAX = 1_000
"""In one batch: bounds how long the loop is busy without looking up. What is over it waits for the next."""
BYTES_MAX = 4_000_000
"""Of the bodies of one batch, likewise."""

Question = TypeVar("Question", contravariant=True)


class Taker(Generic[Question]):
    """A part of the platform that asks, and hears each answer with what it asked it for.

    For each question exactly one of both is called. What `take` raises is a defect, told as BROKEN to that one alone.
    """

    def take(self, asked: Question, answer: Answer, size: int) -> None:
        """Take one answer, of `size` bytes as it came. Must not block: all other answers of the part wait."""
        raise NotImplementedError

    def lose(self, asked: Question, fault: Fault) -> None:
        """There will be no answer: whether it happened is unknown."""
        raise NotImplementedError


class SentBatch:
    """A batch under way, answered in parts: the sink of `runtime.link.BatchLink`."""

    __slots__ = ("_asked", "_hear", "_settled", "_takers")

    def __init__(
        self,
        takers: "list[Taker[object] | None]",
        asked: list[object],
        hear: Callable[[str, int], None],
        settled: Callable[[], None],
    ) -> None:
        """`hear` is told the revision of each domain's reference data with each part, `settled` when a part is over."""
        self._takers = takers
        """By position; None once it has its answer."""
        self._asked = asked
        self._hear = hear
        self._settled = settled

    def part(self, response: RouteResponse, /) -> int:
        """Hand on a part of the answers; gives how many there were."""
        replies = ReplyBatch.FromString(response.replies)
        for domain, revision in zip(replies.domains, replies.revisions, strict=False):
            self._hear(domain, revision)
        takers, everything = self._takers, self._asked
        sent, count = len(takers), 0
        # What is there too much or too little of is nobody's answer: who waits for it hears at the deadline.
        # One answer can't harm another: what can't be read, or fails its taker, is told to that taker alone. A position
        # is struck off first, so a second answer to it finds nobody.
        for position, body in zip(replies.positions, replies.bodies, strict=False):
            taker = takers[position] if position < sent else None
            if taker is None:
                continue
            takers[position] = None
            count += 1
            asked = everything[position]
            try:
                answer = unpack_answer(body)
            except Exception:
                log.exception("an answer can't be read", asked=type(asked).__name__)
                taker.lose(asked, Broken("ANSWER_MALFORMED", "the answer can't be read; it is in the log"))
                continue
            try:
                taker.take(asked, answer, len(body))
            except Exception:
                log.exception("answer failed", asked=type(asked).__name__, answer=type(answer).__name__)
                taker.lose(asked, internal())
        self._settled()
        return count

    def lost(self, fault: Fault, /) -> None:
        """Hand on that the rest has no answer."""
        takers, self._takers = self._takers, []
        for taker, asked in zip(takers, self._asked, strict=False):
            if taker is not None:
                taker.lose(asked, fault)
        self._settled()


class Outbox:
    """The batch that fills until there is room on a link."""

    def __init__(self) -> None:
        self.number = 1
        """Of the batch, counted up with each."""
        self.items = 0
        """Questions in it."""
        self._weight = 0
        """What they are counted for beside that."""
        self._deadline = 0.0
        self._size = 0
        """Bytes of the bodies."""
        self._routes: list[str] = []
        self._bodies: list[bytes] = []
        self._takers: list[Taker[object] | None] = []
        self._asked: list[object] = []
        self._traced: list[int] = []
        self._traceparents: list[str] = []

    @property
    def is_full(self) -> bool:
        """Say whether the rest must wait for the next batch."""
        return self.items + self._weight >= ITEMS_MAX or self._size >= BYTES_MAX

    def add(self, route: str, body: bytes, taker: Taker[Question], asked: Question, deadline: float) -> int:
        """Add a question; gives its position. `deadline` is loop time, seconds: the batch lives as long as its last."""
        place = self.items
        self.items = place + 1
        self._routes.append(route)
        self._bodies.append(body)
        # Each taker hears of its own only: both lists go together.
        self._takers.append(cast("Taker[object]", taker))
        self._asked.append(asked)
        self._size += len(body)
        if deadline > self._deadline:
            self._deadline = deadline
        return place

    def weigh(self, items: int) -> None:
        """Count what was added last for so many items more, since making it took the time of as many."""
        self._weight += items

    def trace(self, place: int, traceparent: str) -> None:
        """Tell the tiers below that the question at a place is traced, and by what context."""
        self._traced.append(place)
        self._traceparents.append(traceparent)

    def keep_until(self, deadline: float) -> None:
        """Let the batch live until `deadline`, loop time: somebody else waits for a question in it."""
        if deadline > self._deadline:
            self._deadline = deadline

    def depart(
        self, now: float, hear: Callable[[str, int], None], settled: Callable[[], None]
    ) -> tuple[RouteRequest, SentBatch]:
        """Give the message of what was filled, and who takes its answers (see `SentBatch`); begin the next batch.

        `now` is loop time. The batch id of the message is the link's to set.
        """
        timeout_ms = max(int((self._deadline - now) * 1000) + 1, 1)
        request = RouteRequest(
            timeout_ms=timeout_ms, positions=range(self.items), routes=self._routes, bodies=self._bodies
        )
        if self._traced:
            request.traced.extend(self._traced)
            request.traceparents.extend(self._traceparents)
            self._traced, self._traceparents = [], []
        sent = SentBatch(self._takers, self._asked, hear, settled)
        self.number += 1
        self.items = self._size = self._weight = 0
        self._deadline = 0.0
        self._routes, self._bodies, self._takers, self._asked = [], [], [], []
        return request, sent


class Sender(Protocol):
    """What takes batches; see `runtime.link.BatchLink`."""

    def send(self, request: RouteRequest, *, items: int, sink: SentBatch, timeout_ms: int) -> None:
        """Send a batch. Never raises: the sink hears what comes of it."""
        ...


class Way(Protocol):
    """How the engine finds a link."""

    def pick(self) -> Sender | None:
        """Give the link for the next batch; None while all are full."""
        ...
