"""The commands as people run them: the demo with its proof, the system that stays up, Ctrl-C, a killed console."""

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from country.population import share_out
from evidence.keyfile import add_key

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]
ROOT = Path(__file__).parents[2]
SMALL = ("--subscribers", "310", "--events", "2000")


async def run(*arguments: str, timeout_s: float = 120) -> tuple[int, str]:
    process = await onetier(*arguments)
    try:
        out, _ = await asyncio.wait_for(process.communicate(), timeout_s)
    except TimeoutError:
        process.kill()
        raise
    return int(process.returncode or 0), out.decode()


async def onetier(*arguments: str) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "console.main", *arguments, stdout=PIPE, stderr=STDOUT, cwd=ROOT, start_new_session=True
    )


@contextlib.asynccontextmanager
async def up(folder: Path, *more: str) -> AsyncIterator[tuple[Process, dict[str, str], list[int]]]:
    """`onetier up` until it serves: the process, the first endpoint of each tier, the children's process ids."""
    process = await onetier("up", "--data", str(folder), "--port", "0", *more)
    assert process.stdout is not None
    addresses: dict[str, str] = {}
    pids: list[int] = []
    try:
        async with asyncio.timeout(90):
            while b"Ctrl-C drains" not in (line := await process.stdout.readline()):
                assert line, "onetier up ended before it served"
                match = re.search(rb"(\w+)-\d+ +(127\.0\.0\.1:\d+) .* pid (\d+)", line)
                if match is not None:
                    addresses.setdefault(match[1].decode(), match[2].decode())
                    pids.append(int(match[3]))
        yield process, addresses, pids
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def gone(pids: list[int], within_s: float) -> bool:
    """Wait until none of the processes is there."""
    for _ in range(int(within_s / 0.05)):
        if not any(_alive(pid) for pid in pids):
            return True
        await asyncio.sleep(0.05)
    return False


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


async def test_demo_proves_itself_on_sqlite(tmp_path: Path) -> None:
    status, out = await run("demo", "--data", str(tmp_path), *SMALL)
    assert status == 0, out
    assert "the proof holds" in out
    assert "audit of 31 slots: 0 findings" in out
    assert "0 ranges map to no province" in out
    assert all(code in out for code in share_out(310))
    for told in (
        "INSUFFICIENT_FUNDS",
        "REQUEST_KEY_REUSED",
        "IDENTITY_MALFORMED",
        "p99 ms",
        "balance of account",
        "because",
        "runs of 20",
        "by region, yuan",
        "deposit stage: ",
        "settlement stage: ",
        "after the runs all was replayed but ",
        "the same bill as its customer gets it: ",
        "bills agree with the postings of their periods",
        "books of 31 backups + what the journals moved since = books now",
    ):
        assert told in out
    status, out = await run("audit", "--all", "--data", str(tmp_path))
    assert status == 0, out
    assert "GD/0" in out


async def test_ctrl_c_drains_and_the_data_is_served_again(tmp_path: Path) -> None:
    async with up(tmp_path, "--subscribers", "62") as (process, addresses, pids):
        identity = (tmp_path / "subscribers.csv").read_text().splitlines()[1].partition(",")[0]
        status, out = await run("top-up", identity, "12.5", "--endpoint", addresses["appserver"])
        assert status == 0, out
        status, out = await run("demo", "--data", str(tmp_path), *SMALL)
        assert (status, "runs on" in out) == (1, True), out
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 30) == 0
        assert await gone(pids, 5)
    async with up(tmp_path) as (process, addresses, pids):
        status, out = await run("history", identity, "--endpoint", addresses["appserver"])
        assert status == 0, out
        assert "12.50" in out
        status, out = await run("resolve", identity, "--datacenter", addresses["datacenter"])
        assert status == 0, out
        status, out = await run(
            "quote", identity, "voice", "61", "--to", "13800000000", "--endpoint", addresses["appserver"]
        )
        assert status == 0, out
        status, out = await run("balance", "msisdn:1", "--endpoint", addresses["appserver"])
        assert status == 1
        assert "IDENTITY_MALFORMED" in out
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 30) == 0
    status, out = await run("audit", identity, "--data", str(tmp_path))
    assert status == 0, out
    assert "hash chain" in out


async def test_units_other_than_those_of_the_folder_are_refused(tmp_path: Path) -> None:
    async with up(tmp_path, "--subscribers", "31") as (process, _, _):
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 30) == 0
    status, out = await run("up", "--data", str(tmp_path), "--units", "cassandra://127.0.0.1/onetier")
    assert status == 1, out
    assert "--fresh" in out


async def test_nothing_outlives_a_console_that_is_killed(tmp_path: Path) -> None:
    async with up(tmp_path, "--subscribers", "31") as (process, _, pids):
        assert len(pids) == 6  # A data center, two domain servers, two platforms, the feed.
        process.kill()
        await process.wait()
        assert await gone(pids, 20)


async def test_a_tier_that_dies_ends_up_with_its_log(tmp_path: Path) -> None:
    async with up(tmp_path, "--subscribers", "31") as (process, _, pids):
        assert process.stdout is not None
        os.kill(pids[0], signal.SIGKILL)
        out = (await asyncio.wait_for(process.stdout.read(), 60)).decode()
        assert await asyncio.wait_for(process.wait(), 60) == 1
        assert "ended with -9" in out
        assert await gone(pids, 5)


async def test_wrong_settings_end_with_one_sentence(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "console.main", "serve", "datacenter"),
        stdout=PIPE,
        stderr=PIPE,
        cwd=ROOT,
        env={**os.environ, "ONETIER_DIRECTORY": f"sqlite://{tmp_path}/d.db", "ONETIER_POLL_MS": "soon"},
    )
    out, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 2
    assert out == b""
    assert errors.decode().count("\n") == 1
    assert "ONETIER_POLL_MS" in errors.decode()


@pytest.mark.parametrize("tier", ["datacenter", "domainserver"])
async def test_a_tier_waits_for_a_store_that_is_not_up_yet(tier: str, tmp_path: Path) -> None:
    keys = tmp_path / "chain.keys"
    add_key(keys)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "console.main", "serve", tier),
        stdout=PIPE,
        stderr=PIPE,
        cwd=ROOT,
        env={
            **os.environ,
            "ONETIER_DIRECTORY": "cassandra://127.0.0.1:1/nobody",
            "ONETIER_CHAIN_KEYS": str(keys),
        },
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(60):
            for _ in range(2):
                while b"trying again" not in (line := await process.stderr.readline()):
                    assert line, "it ended instead of waiting"
            process.terminate()
            await process.communicate()
        assert process.returncode == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_serve_says_when_it_is_ready(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "console.main", "serve", "datacenter"),
        stdout=PIPE,
        stderr=PIPE,
        cwd=ROOT,
        env={**os.environ, "ONETIER_DIRECTORY": f"sqlite://{tmp_path}/d.db"},
    )
    assert process.stdout is not None
    ready = json.loads(await asyncio.wait_for(process.stdout.readline(), 30))
    assert (ready["event"], ready["tier"]) == ("ready", "datacenter")
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 30) == 0


async def test_up_plays_switches_whose_files_are_charged(tmp_path: Path) -> None:
    async with up(tmp_path, "--subscribers", "200", "--switches") as (process, addresses, _):
        assert process.stdout is not None
        while b"four switches write files" not in (line := await asyncio.wait_for(process.stdout.readline(), 60)):
            assert line
        charged = 0
        async with asyncio.timeout(120):
            while not charged:
                endpoint = ("--endpoint", addresses["appserver"])
                status, out = await run("mediation", "run", str(tmp_path / "plant"), "--json", *endpoint)
                assert status == 0, out
                charged = json.loads(out.splitlines()[0])["posted"]["charged"]
        status, out = await run("mediation", "proof", str(tmp_path / "plant"))
        assert status == 0, out
        assert "the proof holds" in out
        status, out = await run("mediation", "sources", str(tmp_path / "plant"))
        assert status == 0, out
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 30) == 0
