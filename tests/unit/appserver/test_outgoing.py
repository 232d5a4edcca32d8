"""Questions in one batch: each is answered or lost once, to whoever asked, whatever comes back.

Who asks is the library here: for each region one item waits, and is refused for what its question met.
"""

from collections import deque

from onetier.v1 import service_desk_pb2 as pb
from onetier.v1.data_center_pb2 import ReplyBatch, RouteResponse

from appserver.batches.batch import Caller, RequestBatch
from appserver.batches.item import WorkItem
from appserver.batches.pending import Pending
from appserver.reading.request import QueryRequest
from appserver.uplink.outgoing import BYTES_MAX, ITEMS_MAX, Outbox
from appserver.work.library import FETCH_S, Library
from charging.errors import NotFound, Unavailable
from charging.wire import CatalogueRef, Reference, failed, pack
from runtime.status import from_status
from runtime.telemetry import Metrics
from testkit.front import A

REFUSED = pack(failed(NotFound("DOMAIN_UNKNOWN", "there is none")))
FAULTY = pack(Reference("GD", 1, "Asia/Shanghai", (), (), (CatalogueRef("", 1, 0, b"\xff"),), ("GD",)))
"""Compiling it raises what nobody expects."""


class Asking:
    """An outbox, the library that asks by it, and what its items were told."""

    def __init__(self, *domains: str) -> None:
        self.outbox = Outbox()
        self.told: list[tuple[str, str]] = []
        self.news: list[tuple[str, int]] = []
        self.settled = 0
        self._domains = domains
        self._pending = Pending(Metrics("test"), lambda: 0.0)
        library = Library(self.outbox, deque(), self._pending, lambda: 0.0, 1.0)
        batch = RequestBatch(self, 1, [pb.ServiceRequest()] * len(domains), 0.0, 9.0)
        if domains:
            self._pending.enter(batch, Caller())
        for position, domain in enumerate(domains):
            request = QueryRequest(A, "front", "", "", "", 1, False, "balance", 0, 0)
            library.want(domain, 0, [WorkItem(request, batch, position)])
        self.request, self.sent = self.outbox.depart(0.0, self._hear, self._settle)

    def deliver(self, _batch: RequestBatch, response: pb.ExchangeResponse) -> None:
        for position, reply in zip(response.positions, response.replies, strict=True):
            self.told.append((self._domains[position], from_status(reply.error).reason))

    def part(self, *answers: tuple[int, bytes]) -> int:
        batch = ReplyBatch(positions=[at for at, _ in answers], bodies=[body for _, body in answers])
        batch.domains.append("GD")
        batch.revisions.append(7)
        return self.sent.part(RouteResponse(replies=batch.SerializeToString()))

    def _hear(self, domain: str, revision: int) -> None:
        self.news.append((domain, revision))

    def _settle(self) -> None:
        self.settled += 1
        self._pending.flush()


def test_each_question_is_answered_once_and_the_rest_is_lost_once() -> None:
    asking = Asking("GD", "BJ", "XJ")
    assert (list(asking.request.positions), asking.request.timeout_ms) == ([0, 1, 2], FETCH_S * 1_000 + 1)
    assert asking.part((1, REFUSED), (1, REFUSED), (9, REFUSED)) == 1
    assert (asking.told, asking.news) == ([("BJ", "REGION_UNKNOWN")], [("GD", 7)])
    asking.sent.lost(Unavailable.told("LINK_LOST", "the link broke"))
    assert asking.part((0, REFUSED)) == 0, "after the end nothing is answered any more"
    assert asking.told[1:] == [("GD", "LINK_LOST"), ("XJ", "LINK_LOST")]
    assert asking.settled == 3


def test_what_can_not_be_read_and_a_defect_harm_only_whom_they_concern() -> None:
    asking = Asking("GD", "BJ", "XJ")
    assert asking.part((0, FAULTY), (1, b"\xff"), (2, REFUSED)) == 3
    assert asking.told == [("GD", "INTERNAL"), ("BJ", "ANSWER_MALFORMED"), ("XJ", "REGION_UNKNOWN")]


def test_a_batch_is_full_by_number_or_by_bytes_and_the_next_begins_empty() -> None:
    asking = Asking()
    outbox, library = (
        asking.outbox,
        Library(asking.outbox, deque(), Pending(Metrics("test"), lambda: 0.0), lambda: 0.0, 1),
    )
    number = outbox.number
    for item in range(ITEMS_MAX - 1):
        library.want(f"R{item}", 0, [])
    assert not outbox.is_full
    library.want("LAST", 0, [])
    assert outbox.is_full
    request, _ = outbox.depart(60.0, lambda domain, revision: None, lambda: None)
    assert request.timeout_ms == 1, "a batch lives as long as its last question, and never less than a moment"
    assert (outbox.items, outbox.is_full, outbox.number) == (0, False, number + 1)
    library.want("X" * BYTES_MAX, 0, [])
    assert outbox.is_full
    outbox.depart(60.0, lambda domain, revision: None, lambda: None)
    library.want("ONE", 0, [])
    outbox.weigh(ITEMS_MAX - 2)
    assert (outbox.items, outbox.is_full) == (1, False)
    outbox.weigh(1)
    assert outbox.is_full, "one that took the time of many"
    outbox.depart(60.0, lambda domain, revision: None, lambda: None)
    assert not outbox.is_full
