"""Tasks on workers: done whoever does them, told when they fail, and only among operators."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from charging.errors import Fault, Refused, Unavailable
from cluster.roles import read_role
from mediation.workers import pool, serving
from mediation.workers.pool import WorkerPool, workers_at
from mediation.workers.serving import TaskFault, serve_scheduler, serve_worker
from mediation.workers.trust import OperatorsOnly
from runtime.certificates import read_certificate
from runtime.settings import BadSettings
from testkit.certificates import authority

pytestmark = pytest.mark.filterwarnings("default")


def trust(folder: Path, role: str = "operator", revoked: Path | None = None) -> OperatorsOnly:
    return OperatorsOnly(read_role(folder, role), revoked)


async def shouted(task: bytes) -> bytes:
    if task == b"no":
        raise Refused("INSUFFICIENT_FUNDS", "there is nothing left")
    if task == b"oh":
        raise ZeroDivisionError("of a library")
    return task.upper()


@asynccontextmanager
async def scheduled(trusted: OperatorsOnly) -> AsyncIterator[str]:
    here: asyncio.Queue[str] = asyncio.Queue()
    serving = asyncio.create_task(serve_scheduler("127.0.0.1", 0, trusted, here.put_nowait))
    try:
        yield await asyncio.wait_for(here.get(), 120)
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


@asynccontextmanager
async def at_work(scheduler: str, trusted: OperatorsOnly) -> AsyncIterator[None]:
    here: asyncio.Queue[str] = asyncio.Queue()
    serving = asyncio.create_task(serve_worker(scheduler, "127.0.0.1", trusted, shouted, here.put_nowait))
    try:
        await asyncio.wait_for(here.get(), 120)
        yield
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def results(workers: WorkerPool, *tasks: bytes) -> dict[int, bytes | TaskFault]:
    return {number: result async for number, result in workers.done(iter(tasks))}


async def test_tasks_are_done_and_what_they_raise_is_told(tmp_path: Path) -> None:
    ours = authority(tmp_path / "tls", ["operator/li"])
    async with (
        scheduled(trust(ours)) as scheduler,
        at_work(scheduler, trust(ours)),
        workers_at(scheduler, trust(ours)) as workers,
    ):
        found = await results(workers, *(b"task %d" % number for number in range(50)), b"no", b"oh")
    assert [found[number] for number in range(50)] == [b"TASK %d" % number for number in range(50)]
    assert found[50] == TaskFault("INSUFFICIENT_FUNDS", "there is nothing left")
    assert found[51] == TaskFault("WORKER_FAILED", "ZeroDivisionError: of a library")


async def test_a_worker_of_another_release_reads_no_task_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "RELEASE", "0.0.9")  # Of whoever begins the job; the worker keeps its own.
    ours = authority(tmp_path / "tls", ["operator/li"])
    async with (
        scheduled(trust(ours)) as scheduler,
        at_work(scheduler, trust(ours)),
        workers_at(scheduler, trust(ours)) as workers,
    ):
        (end,) = (await results(workers, b"task")).values()
    assert isinstance(end, TaskFault)
    assert end.reason == "WORKER_RELEASE"
    assert f"is of release {serving.RELEASE}, and the job was begun by 0.0.9" in end.message


async def test_only_operators_of_this_authority_are_talked_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = authority(tmp_path / "tls", ["operator/li", "frontend/hall"])
    theirs = authority(tmp_path / "others", ["operator/li"])
    serial = read_certificate((ours / "operator.pem").read_bytes()).serial
    revoked = tmp_path / "revoked"
    revoked.write_text("# nobody\n", encoding="utf-8")
    async with scheduled(trust(ours, revoked=revoked)) as scheduler:
        async with workers_at(scheduler, trust(ours)):
            pass
        monkeypatch.setattr(pool, "CONNECT_S", 2.0)  # Whom nobody answers need not wait for longer.
        with pytest.raises(Unavailable, match="nobody answers"):
            async with workers_at(scheduler, trust(theirs)):
                pass
        revoked.write_text(f"{serial:x}\n", encoding="utf-8")
        with pytest.raises(Unavailable, match="nobody answers"):
            async with workers_at(scheduler, trust(ours)):
                pass
        await front_end_is_hung_up_on(scheduler, ours)
    for role, why in (("frontend", "no operator's certificate"), ("", "needs certificates")):
        with pytest.raises(BadSettings, match=why):
            OperatorsOnly(read_role(ours, role) if role else None, None)


async def front_end_is_hung_up_on(scheduler: str, ours: Path) -> None:
    """A front end's certificate is of our authority, and gets no word of the engine's."""
    context = ssl.create_default_context(cafile=ours / "ca.pem")
    context.check_hostname = False
    context.load_cert_chain(ours / "frontend.pem", ours / "frontend.key")
    host, _, port = scheduler.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), ssl=context)
    try:
        said = await asyncio.wait_for(reader.read(), 120)
    except OSError:
        said = b""
    assert said == b""
    writer.close()


async def test_a_job_without_workers_ends_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "WORKERS_GONE_S", 1.0)
    ours = authority(tmp_path / "tls", ["operator/li"])
    async with scheduled(trust(ours)) as scheduler, workers_at(scheduler, trust(ours)) as workers:
        with pytest.raises(Fault, match="has had no worker"):
            await results(workers, b"task")


async def test_a_job_whose_scheduler_goes_ends_with_a_sentence(tmp_path: Path) -> None:
    ours = authority(tmp_path / "tls", ["operator/li"])
    async with AsyncExitStack() as scheduling:
        scheduler = await scheduling.enter_async_context(scheduled(trust(ours)))
        async with workers_at(scheduler, trust(ours)) as workers:
            waiting = asyncio.create_task(results(workers, b"task"))
            await asyncio.sleep(0)
            await scheduling.aclose()
            with pytest.raises(Fault, match="it is gone"):
                await asyncio.wait_for(waiting, 90)
