"""A few questions to the owners of slots, awaited: for what comes a few times a day and not a thousand times a second.

What is frequent goes through `appserver.work`, where a request costs no task and no future.
"""

import asyncio
from collections.abc import Callable, Sequence

from msgspec import MsgspecError, Struct
from onetier.v1.data_center_pb2 import ReplyBatch, RouteRequest, RouteResponse

from charging.errors import Broken, Fault, Overloaded
from charging.wire import Answer, Ask, PackedClosings, failed, pack, unpack_answer
from runtime.link import BatchLink

PAUSE_S = 0.01
"""Between two looks for a link that has room."""

PickLink = Callable[[], BatchLink[RouteRequest, RouteResponse] | None]
"""`Uplink.pick`: None while all links are full."""


class Question(Struct, frozen=True):
    """An ask, and the route by which the data center finds who answers it."""

    route: str
    ask: Ask | PackedClosings


async def ask_all(pick: PickLink, questions: Sequence[Question], timeout_s: float) -> list[Answer]:
    """Give the answers in the order of the questions; `Failed` where there is none in time.

    Raises `Overloaded` PLATFORM_FULL when no link has room.
    """
    if not questions:
        return []
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    while (link := pick()) is None:
        if loop.time() >= deadline:
            raise Overloaded("PLATFORM_FULL", "no link to a data center has room", retry_ms=50)
        await asyncio.sleep(PAUSE_S)
    batch = _AskedBatch(len(questions), loop.create_future())
    timeout_ms = max(int((deadline - loop.time()) * 1000), 1)
    request = RouteRequest(
        timeout_ms=timeout_ms,
        positions=range(len(questions)),
        routes=[question.route for question in questions],
        bodies=[pack(question.ask) for question in questions],
    )
    link.send(request, items=len(questions), sink=batch, timeout_ms=timeout_ms)
    return await batch.complete


class _AskedBatch:
    """Where the answers go; see `runtime.flights.LinkSink`."""

    def __init__(self, items: int, complete: "asyncio.Future[list[Answer]]") -> None:
        self.complete = complete
        self._answers: list[Answer | None] = [None] * items

    def part(self, response: RouteResponse, /) -> int:
        """Take some answers."""
        replies = ReplyBatch.FromString(response.replies)
        count = 0
        for position, body in zip(replies.positions, replies.bodies, strict=False):
            if position < len(self._answers) and self._answers[position] is None:
                self._answers[position] = _read(body)
                count += 1
        self._look()
        return count

    def lost(self, fault: Fault, /) -> None:
        """Let the fault stand for what has no answer."""
        self._answers = [failed(fault) if each is None else each for each in self._answers]
        self._look()

    def _look(self) -> None:
        answers = [each for each in self._answers if each is not None]
        if len(answers) == len(self._answers) and not self.complete.done():
            self.complete.set_result(answers)


def _read(body: bytes) -> Answer:
    try:
        answer: Answer = unpack_answer(body)
    except (MsgspecError, ValueError):
        return failed(Broken("ANSWER_MALFORMED", "the answer can't be read"))
    return answer
