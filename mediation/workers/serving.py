"""Scheduler and worker as processes. A worker does one task at a time: a machine has as many as it has cores.

Neither serves anything but the engine's own connections: no web pages, no files of a person's settings.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import cast

import dask
import msgspec
from distributed import Scheduler, Worker, get_worker
from distributed.diagnostics.plugin import WorkerPlugin

from charging.errors import Fault
from mediation.workers.trust import OperatorsOnly

AGAIN_S = 2.0
"""Between two tries of a worker that lost its scheduler."""
DEATHS_MAX = 5
"""Workers that may die while they do a task, before it is given up."""
FAILED = "WORKER_FAILED"
OTHER_RELEASE = "WORKER_RELEASE"
RELEASE = version("onetier")
"""Of this process: who begins a job and who does it are of one."""
_HOME = "onetier"
_NO_PAGES = "127.0.0.1:0"
_OURS: dict[str, object] = {
    "distributed.comm.require-encryption": True,
    "distributed.scheduler.allowed-failures": DEATHS_MAX - 1,
    "distributed.scheduler.http.routes": [],
    "distributed.scheduler.preload": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.preload": [],
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.pause": False,
}

DoTask = Callable[[bytes], Awaitable[bytes]]
Told = Callable[[str], None]
"""Is told what people should know: where it listens, and that a scheduler is gone."""


class TaskFault(msgspec.Struct, frozen=True, array_like=True):
    """What a task raised."""

    reason: str
    message: str


class TaskEnd(msgspec.Struct, frozen=True, array_like=True):
    """What came of a task."""

    result: bytes = b""
    fault: TaskFault | None = None


ended = msgspec.msgpack.Decoder(TaskEnd).decode


async def serve_scheduler(host: str, port: int, trust: OperatorsOnly, told: Told) -> None:
    """Hand tasks out until cancelled. Raises OSError when it can't listen there."""
    with _engine_of_ours():
        scheduler = Scheduler(
            host=host, port=port, protocol="tls", security=trust, dashboard=False, dashboard_address=_NO_PAGES
        )
        async with scheduler:
            _without_pages(scheduler)
            told(scheduler.address.removeprefix("tls://"))
            await scheduler.finished()


async def serve_worker(scheduler: str, host: str, trust: OperatorsOnly, do_task: DoTask, told: Told) -> None:
    """Do tasks of a scheduler until cancelled; whoever lost it tries again."""
    with _engine_of_ours(), tempfile.TemporaryDirectory() as scratch:
        while True:
            worker = Worker(
                f"tls://{scheduler}",
                nthreads=1,
                host=host or None,
                protocol="tls",
                security=trust,
                memory_limit=0,
                local_directory=scratch,
                dashboard=False,
                dashboard_address=_NO_PAGES,
            )
            async with worker:
                _without_pages(worker)
                await worker.plugin_add(_Home(do_task), name=_HOME)
                told(f"doing work of {scheduler}")
                await worker.finished()
            told(f"{scheduler} is gone, or let this worker go: trying again")
            await asyncio.sleep(AGAIN_S)


class _Home(WorkerPlugin):
    """What tasks find in the process that does them."""

    def __init__(self, do_task: DoTask) -> None:
        self.do_task = do_task


def do(packed: bytes, release: str) -> bytes:
    """Do a task in the process of a worker; whatever goes wrong is told as bytes, too.

    A task of another release is not even read: what its fields mean may have changed.
    """
    if release != RELEASE:
        return msgspec.msgpack.encode(TaskEnd(fault=_other_release(release)))
    home = cast("_Home", get_worker().plugins[_HOME])
    try:
        end = TaskEnd(asyncio.run(_awaited(home.do_task(packed))))
    except Fault as fault:
        end = TaskEnd(fault=TaskFault(fault.reason, fault.message))
    except Exception as error:
        end = TaskEnd(fault=TaskFault(FAILED, f"{type(error).__name__}: {error}"))
    return msgspec.msgpack.encode(end)


def _other_release(release: str) -> TaskFault:
    text = f"the worker at {get_worker().address} is of release {RELEASE}, and the job was begun by {release}"
    return TaskFault(OTHER_RELEASE, text)


async def _awaited(task: Awaitable[bytes]) -> bytes:
    return await task


def _without_pages(server: Scheduler | Worker) -> None:
    server.http_server.stop()


@contextmanager
def _engine_of_ours() -> Iterator[None]:
    with dask.config.set(_OURS):
        yield
