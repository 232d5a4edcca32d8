"""Questions that the data center itself asks domain servers, on the same way as the platform's."""

import asyncio

from onetier.v1.data_center_pb2 import ReplyBatch

from charging import wire
from datacenter.dispatch import Dispatcher


class Asker:
    """Asks one question at a time; meant for what is rare, such as porting."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    async def ask(self, route: str, question: wire.Ask, timeout_ms: int) -> wire.Answer:
        """Give the owner's answer; `wire.Failed` when there is none in time."""
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def deliver(packed: bytes, _answered: int) -> None:
            if not future.done():
                future.set_result(packed)

        self._dispatcher.submit([0], [route], [wire.pack(question)], timeout_ms=timeout_ms, deliver=deliver)
        body: bytes = ReplyBatch.FromString(await future).bodies[0]
        answer: wire.Answer = wire.unpack_answer(body)
        return answer
