"""Two data centers as processes over one directory: a port is seen by both, and survives the death of one."""

import asyncio
import json
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest
from onetier.v1 import data_center_pb2 as pb
from onetier.v1.data_center_pb2_grpc import DirectoryServiceStub

from charging import wire
from runtime.channel import open_channel
from tests.unit.datacenter.books import MOBILE, Books
from tests.unit.datacenter.conftest import Platform, Rig

pytestmark = pytest.mark.processes

PROGRAM = """
import sys
from datacenter.room import PROCESS
sys.exit(PROCESS.serve())
"""
PULL = wire.pack(wire.Pull(MOBILE))
REQUEST = pb.PortRequest(identity=MOBILE, to_domain="XJ", request_key="port-1", actor="tests")


@asynccontextmanager
async def datacenter(url: str) -> AsyncIterator[tuple[Process, str]]:
    environment = os.environ | {"ONETIER_DIRECTORY": url, "ONETIER_METRICS_LISTEN": "", "ONETIER_LOG_LEVEL": "error"}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, stdout=PIPE, env=environment)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            ready = json.loads(await process.stdout.readline())
        yield process, ready["address"]
    finally:
        if process.returncode is None:
            process.terminate()
            async with asyncio.timeout(10):
                await process.wait()


async def pulled_from(platform: Platform) -> str:
    """Give the domain that serves the number now, or the reason why none does."""
    answer = wire.unpack_answer((await platform.ask([MOBILE], [PULL]))[0])
    if isinstance(answer, wire.Failed):
        assert answer.kind == "unavailable"
        return answer.reason
    assert isinstance(answer, wire.BusinessData)
    return answer.account.terms.domain


async def test_a_port_is_served_by_the_new_domain_everywhere_within_a_second(rig: Rig, books: Books) -> None:
    async with datacenter(rig.url) as (_, first), datacenter(rig.url) as (_, second):
        platforms = [Platform(first), Platform(second)]
        assert [await pulled_from(platform) for platform in platforms] == ["GD", "GD"]
        channel = open_channel(first)
        await DirectoryServiceStub(channel).Port(REQUEST, timeout=10)
        ported = time.monotonic()
        for platform in platforms:
            while await pulled_from(platform) != "XJ":
                assert time.monotonic() - ported < 1.0
        assert time.monotonic() - ported < 1.0
        await channel.close()
        for platform in platforms:
            await platform.close()


async def test_a_killed_data_center_loses_no_port(rig: Rig, books: Books) -> None:
    books.hold.add("MoveIn")
    async with datacenter(rig.url) as (process, first), datacenter(rig.url) as (_, second):
        channels = [open_channel(address) for address in (first, second)]
        port = asyncio.ensure_future(DirectoryServiceStub(channels[0]).Port(REQUEST, timeout=20))
        async with asyncio.timeout(10):
            while "MoveIn" not in " ".join(books.calls):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        with pytest.raises(grpc.aio.AioRpcError):
            await port
        books.hold.clear()
        platform = Platform(second)
        assert await pulled_from(platform) == "ACCOUNT_MOVED"
        response = await DirectoryServiceStub(channels[1]).Port(REQUEST, timeout=20)
        assert response.from_domain == "GD"
        assert await pulled_from(platform) == "XJ"
        assert sum(call.startswith("MoveIn") for call in books.calls) == 2
        assert [account.terms.status for _, account in sorted(books.accounts.items())] == ["moved", "active"]
        await platform.close()
        for channel in channels:
            await channel.close()
