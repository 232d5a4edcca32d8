"""A job on two workers of which one is killed: the same result as on one machine, and each account restated once."""

import asyncio
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from cluster.system import Shape
from details.store import DetailStore
from onetier_client import requests
from testkit.certificates import authority
from testkit.rehearsal import DAY_MS, Rehearsal, rehearse
from tests.cluster import commanding
from tests.cluster.commanding import start
from tests.cluster.pricing import corrected

pytestmark = [pytest.mark.processes, pytest.mark.timeout(480)]
SHAPE = Shape(domain_servers=1, app_servers=1, feeds=0)
ROLES = ("appserver", "datacenter", "domainserver", "watch", "frontend", "operator")
CYCLE = ("--cycle", datetime.fromtimestamp(DAY_MS / 1_000, UTC).strftime("%Y-%m"))
done = partial(commanding.done, within_s=120)


async def line_of(process: Process) -> str:
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), 60)).decode().strip()


@asynccontextmanager
async def serving(*arguments: str) -> AsyncIterator[Process]:
    """A process that goes on until it is killed."""
    process = await start(*arguments)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def calls(small: Rehearsal) -> None:
    """Let everybody who may call, call twice."""
    people = [account.account_id for account in small.mobiles()]
    asked = [
        requests.charge(who, "voice", 120, channel="front", request_key=f"w-{who}-{call}",
                        event_time_ms=DAY_MS + call * 1_000, other_party="8613800000000")
        for who in people for call in range(2)
    ]  # fmt: skip
    async for _, reply in small.client.exchange(asked):
        assert reply.HasField("charge"), reply


def restated_keys(home: Path) -> dict[str, set[str]]:
    """Give the requests that restated an account, by account."""
    store = DetailStore(home)
    frame = store.frame().filter(pl.col("kind") == "restated").select("account", "key").unique().collect()
    store.close()
    found: dict[str, set[str]] = {}
    for account, key in frame.iter_rows():
        found.setdefault(account, set()).add(key)
    return found


async def test_a_job_of_which_a_worker_is_killed_costs_what_one_machine_would(tmp_path: Path) -> None:
    tls = authority(tmp_path / "tls", ROLES)
    async with rehearse(tmp_path / "system", SHAPE, tls=tls) as small:
        await calls(small)
        home, draft = str(tmp_path / "details"), corrected(tmp_path)
        where = ("--directory", small.system.layout.directory)
        desk = (*(word for each in small.system.endpoints for word in ("--endpoint", each)), "--tls", str(tls))
        await done("details", "gather", home, *where)
        alone = await done("mediation", "what-if", home, str(draft), *CYCLE, "--by", "subscriber", *where, *desk)
        async with serving("mediation", "scheduler", "--listen", "127.0.0.1:0", "--tls", str(tls)) as scheduler:
            address = await line_of(scheduler)
            at_work = ("mediation", "worker", home, "--scheduler", address, "--host", "127.0.0.1", *where, *desk)
            together = ("--workers", address, *where, *desk)
            async with serving(*at_work) as other:
                assert await line_of(other) == f"doing work of {address}"
                tried = await done("mediation", "what-if", home, str(draft), *CYCLE, "--by", "subscriber", *together)
                assert tried == alone, "a worker says what this machine says"
                center = small.system.datacenters[0].address
                publishing = await start("catalog", "publish", str(draft), "--datacenter", center, "--tls", str(tls))
                assert await publishing.wait() == 0
                async with serving(*at_work) as mortal:
                    assert await line_of(mortal) == f"doing work of {address}"
                    rerate = ("mediation", "rerate", home, *CYCLE, "--reason", "price corrected", *together)
                    job = asyncio.create_task(done(*rerate))
                    assert "accounts" in await line_of(mortal), "it began a part of the job"
                    mortal.kill()
                    told = await job
        total = alone[-1]["total"]
        assert isinstance(total, dict)
        dearer = sorted(str(row["name"]) for row in alone if row.get("difference"))
        outcomes = [row["outcome"] for row in told]
        assert len(dearer) > 3
        assert sorted(each["account_id"] for each in outcomes if each["status"] == "restated") == dearer  # type: ignore[index]
        difference = sum(each["after"] - each["before"] for each in outcomes)  # type: ignore[index]
        assert difference == total["after"] - total["before"] > 0
        again = await done("mediation", "rerate", home, *CYCLE, "--reason", "price corrected", *where, *desk)
        assert {row["outcome"]["status"] for row in again} == {"same"}  # type: ignore[index]
        await done("details", "check", home, "--journals", *where)
        restated = restated_keys(Path(home))
        assert (sorted(restated), {len(keys) for keys in restated.values()}) == (dearer, {1})
