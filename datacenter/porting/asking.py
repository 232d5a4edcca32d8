"""Questions that the data center itself asks domain servers, on the same way as the platform's."""

import asyncio
from collections.abc import Sequence

from onetier.v1.data_center_pb2 import ReplyBatch

from charging import wire
from datacenter.routing.dispatch import Dispatcher

ORIGIN = "datacenter"
"""Role that the owners see for what the data center asks by itself."""


class Asker:
    """Asks a few questions at a time; meant for what is rare, such as porting."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    async def ask(self, route: str, questions: Sequence[wire.Ask], timeout_ms: int) -> list[wire.Answer]:
        """Give the owner's answers, in the order of the questions; `wire.Failed` where there is none in time."""
        answers: dict[int, wire.Answer] = {}
        complete: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def deliver(packed: bytes, _answered: int) -> None:
            batch = ReplyBatch.FromString(packed)
            for position, body in zip(batch.positions, batch.bodies, strict=True):
                answers[position] = wire.unpack_answer(body)
            if len(answers) == len(questions) and not complete.done():
                complete.set_result(None)

        bodies = [wire.pack(question) for question in questions]
        routes = [route] * len(questions)
        self._dispatcher.submit(
            range(len(questions)), routes, bodies, timeout_ms=timeout_ms, deliver=deliver, origin=ORIGIN
        )
        await complete
        return [answers[position] for position in range(len(questions))]
