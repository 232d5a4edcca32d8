"""The supervisor, with toy processes: ready, death, drain, and the bound after which it kills."""

import asyncio
import signal
from pathlib import Path

import pytest

from cluster.supervisor import ProcessDied, Supervisor

SAY = "print('hello');print(json.dumps({'event':'ready','address':'127.0.0.1:1'}),flush=True);"
READY = "import json,sys,time,signal;" + SAY
OBEDIENT = "import sys,signal;signal.signal(signal.SIGTERM,lambda *_:sys.exit(0));" + READY + "time.sleep(60)"
STUBBORN = "import signal;signal.signal(signal.SIGTERM,signal.SIG_IGN);" + READY + "time.sleep(60)"
FAILING = "import sys;print('no such unit',file=sys.stderr);sys.exit(3)"
ORPHAN = READY + "sys.stdin.read()"


async def test_waits_for_ready_and_drains_in_order(tmp_path: Path) -> None:
    async with Supervisor(tmp_path) as supervisor:
        first = await supervisor.start("datacenter-0", ["-c", OBEDIENT], {})
        await supervisor.start("appserver-0", ["-c", OBEDIENT], {})
        assert first.address == "127.0.0.1:1"
        assert first.returncode is None
        statuses = await supervisor.drain()
    assert statuses == {"appserver-0": 0, "datacenter-0": 0}
    assert next(iter(statuses)) == "appserver-0"


async def test_a_failed_start_tells_the_log(tmp_path: Path) -> None:
    async with Supervisor(tmp_path) as supervisor:
        with pytest.raises(ProcessDied, match=r"ended with 3(.|\n)*no such unit"):
            await supervisor.start("datacenter-0", ["-c", FAILING], {})
        assert supervisor.processes == []


async def test_a_silent_start_is_ended(tmp_path: Path) -> None:
    async with Supervisor(tmp_path) as supervisor:
        with pytest.raises(ProcessDied, match="did not get ready in time"):
            await supervisor.start("datacenter-0", ["-c", "import time;time.sleep(60)"], {}, ready_timeout_s=0.3)


async def test_watch_reports_a_death_that_nobody_asked_for(tmp_path: Path) -> None:
    async with Supervisor(tmp_path) as supervisor:
        process = await supervisor.start("domainserver-1", ["-c", OBEDIENT], {})
        watch = asyncio.create_task(supervisor.watch())
        await asyncio.sleep(0.05)
        process.signal(signal.SIGKILL)
        with pytest.raises(ProcessDied, match="domainserver-1"):
            await asyncio.wait_for(watch, 5)


async def test_past_the_bound_it_kills(tmp_path: Path) -> None:
    async with Supervisor(tmp_path) as supervisor:
        process = await supervisor.start("appserver-0", ["-c", STUBBORN], {})
        assert await process.drain(timeout_s=0.3) == -signal.SIGKILL


async def test_a_child_hears_that_its_parent_is_gone(tmp_path: Path) -> None:
    async with Supervisor(tmp_path) as supervisor:
        process = await supervisor.start("appserver-0", ["-c", ORPHAN], {})
        process.draining = True
        process.close_input()
        assert await asyncio.wait_for(process.wait(), 5) == 0
