"""Hands tasks to the workers of a scheduler, some at a time, and gives what came of each as it comes."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager

from distributed import Client, Future
from distributed.client import FutureCancelledError
from distributed.scheduler import KilledWorker

from charging.errors import Fault, Unavailable
from mediation.workers.serving import FAILED, RELEASE, TaskFault, do, ended
from mediation.workers.trust import OperatorsOnly

CONNECT_S = 15.0
WORKERS_GONE_S = 60.0
"""Without any worker for so long, the rest is given up."""
AGAIN_MS = 60_000
"""What a scheduler and its workers take to be started anew."""
_LOOK_S = 1.0
_WAITING_OF_WORKER = 4
"""Tasks that wait for each worker, so that none is idle."""
WORKER_LOST = "WORKER_LOST"

TaskResult = bytes | TaskFault


@asynccontextmanager
async def workers_at(scheduler: str, trust: OperatorsOnly) -> AsyncIterator["WorkerPool"]:
    """Connect to a scheduler. Raises `Unavailable` WORKERS_UNREACHABLE."""
    try:
        client = await Client(f"tls://{scheduler}", security=trust, asynchronous=True, timeout=CONNECT_S)
    except (OSError, TimeoutError) as error:
        why = f"nobody answers as a scheduler at {scheduler}: {error}"
        raise Unavailable("WORKERS_UNREACHABLE", why, retry_ms=AGAIN_MS) from error
    try:
        yield WorkerPool(client, scheduler)
    finally:
        await client.close()


class WorkerPool:
    """The workers of one scheduler."""

    def __init__(self, client: Client, scheduler: str) -> None:
        self._client = client
        self._scheduler = scheduler

    async def done(self, tasks: Iterator[bytes]) -> AsyncGenerator[tuple[int, TaskResult]]:
        """Give what came of tasks, by their numbers, the first being 0, in the order in which they end.

        A task whose worker dies is done again by another one, maybe for the second time; one at which several died is
        told as WORKER_LOST. Raises `Unavailable` WORKERS_UNREACHABLE when the scheduler is gone, or all workers are.
        """
        under_way: dict[asyncio.Task[bytes], int] = {}
        number, alone_s = 0, 0.0
        try:
            while True:
                room = _WAITING_OF_WORKER * max(1, self._workers()) - len(under_way)
                for _, packed in zip(range(room), tasks, strict=False):
                    under_way[asyncio.create_task(self._sent(packed))] = number
                    number += 1
                if not under_way:
                    return
                finished, _ = await asyncio.wait(under_way, timeout=_LOOK_S, return_when=asyncio.FIRST_COMPLETED)
                alone_s = 0.0 if finished or self._workers() else alone_s + _LOOK_S
                if alone_s >= WORKERS_GONE_S:
                    raise self._unreachable(f"it has had no worker for {WORKERS_GONE_S:.0f} s")
                for each in finished:
                    yield under_way.pop(each), self._result(each)
        finally:
            for each in under_way:
                each.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _sent(self, packed: bytes) -> bytes:
        future: Future[bytes] = self._client.submit(do, packed, RELEASE, pure=False)
        return bytes(await future)

    def _result(self, finished: asyncio.Task[bytes]) -> TaskResult:
        if finished.cancelled():
            raise self._unreachable("it is gone")
        error = finished.exception()
        if isinstance(error, KilledWorker):
            return TaskFault(WORKER_LOST, "the workers that did it died, one after the other")
        if isinstance(error, FutureCancelledError):
            raise self._unreachable("it is gone") from error
        if error is not None:
            return TaskFault(FAILED, f"{type(error).__name__}: {error}")
        end = ended(finished.result())
        return end.result if end.fault is None else end.fault

    def _workers(self) -> int:
        return len(self._client.scheduler_info(n_workers=-1)["workers"])

    def _unreachable(self, why: str) -> Fault:
        return Unavailable("WORKERS_UNREACHABLE", f"the scheduler at {self._scheduler}: {why}", retry_ms=AGAIN_MS)
