"""Questions in one batch: each is answered or lost once, to whoever asked, whatever comes back."""

from onetier.v1.data_center_pb2 import ReplyBatch, RouteRequest, RouteResponse

from appserver.uplink.outgoing import BYTES_MAX, ITEMS_MAX, Outbox, SentBatch, Taker
from charging.errors import Fault, Unavailable
from charging.wire import Answer, Unchanged, pack

LOST = Unavailable.told("LINK_LOST", "the link broke")


class Asker(Taker[str]):
    """Hears answers; one of the name `bad` makes it fail."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    def take(self, asked: str, answer: Answer, size: int) -> None:
        if asked == "bad":
            raise RuntimeError("a defect")
        self.heard.append((asked, type(answer).__name__))

    def lose(self, asked: str, fault: Fault) -> None:
        self.heard.append((asked, fault.reason))


def sent(outbox: Outbox, news: list[tuple[str, int]], settled: list[int]) -> tuple[RouteRequest, SentBatch]:
    return outbox.depart(10.0, lambda domain, revision: news.append((domain, revision)), lambda: settled.append(1))


def part(*answers: tuple[int, bytes]) -> RouteResponse:
    batch = ReplyBatch(positions=[at for at, _ in answers], bodies=[body for _, body in answers])
    batch.domains.append("GD")
    batch.revisions.append(7)
    return RouteResponse(replies=batch.SerializeToString())


def test_each_question_is_answered_once_and_the_rest_is_lost_once() -> None:
    outbox, one, other = Outbox(), Asker(), Asker()
    for number in range(3):
        assert outbox.add("r", b"ask", one if number % 2 else other, f"q{number}", 11.0) == number
    news: list[tuple[str, int]] = []
    settled: list[int] = []
    request, batch = sent(outbox, news, settled)
    assert (list(request.positions), request.timeout_ms) == ([0, 1, 2], 1_001)
    body = pack(Unchanged(1))
    assert batch.part(part((1, body), (1, body), (9, body))) == 1
    assert (one.heard, other.heard, news) == ([("q1", "Unchanged")], [], [("GD", 7)])
    batch.lost(LOST)
    assert batch.part(part((0, body))) == 0, "after the end nothing is answered any more"
    assert other.heard == [("q0", "LINK_LOST"), ("q2", "LINK_LOST")]
    assert len(settled) == 3


def test_what_can_not_be_read_and_a_defect_harm_only_whom_they_concern() -> None:
    outbox, asker = Outbox(), Asker()
    for asked in ("bad", "torn", "good"):
        outbox.add("r", b"ask", asker, asked, 11.0)
    _, batch = sent(outbox, [], [])
    body = pack(Unchanged(1))
    assert batch.part(part((0, body), (1, b"\xff"), (2, body))) == 3
    assert asker.heard == [("bad", "INTERNAL"), ("torn", "ANSWER_MALFORMED"), ("good", "Unchanged")]


def test_a_batch_is_full_by_number_or_by_bytes_and_the_next_begins_empty() -> None:
    outbox, asker = Outbox(), Asker()
    number = outbox.number
    for _ in range(ITEMS_MAX - 1):
        outbox.add("r", b"", asker, "q", 10.0)
    assert not outbox.is_full
    outbox.add("r", b"", asker, "q", 10.0)
    assert outbox.is_full
    request, _ = sent(outbox, [], [])
    assert request.timeout_ms == 1, "a batch lives as long as its last question, and never less than a moment"
    assert (outbox.items, outbox.is_full, outbox.number) == (0, False, number + 1)
    outbox.add("r", bytes(BYTES_MAX), asker, "q", 10.0)
    assert outbox.is_full
