"""What an item costs the data center's process with real streams: platform ─▶ data center ─▶ echoing domain servers.

    python -m bench.datacenter [items]

Each row: batch size, domain servers, items a second as the platform sees them (all processes share the machine's
cores), and the CPU time of the data center's process for an item.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import grpc
import uvloop
from onetier.v1.data_center_pb2 import ReplyBatch, RouteRequest, RouteResponse
from onetier.v1.data_center_pb2_grpc import DataCenterServiceStub
from onetier.v1.domain_server_pb2 import ServeRequest, ServeResponse
from onetier.v1.domain_server_pb2_grpc import (
    DomainServerServiceServicer,
    add_DomainServerServiceServicer_to_server,
)

from bench.router import BODY, DOMAINS, REPLY
from charging.errors import Fault
from datacenter.room import PROCESS
from directory.changes import Change, Domain, NumberPlan, UnitAddress
from directory.directory import Directory
from directory.owners import Owner, announce_owner
from evidence.keyfile import key_file, ring_at
from house.stores import STORES
from runtime.channel import open_channel, server_options
from runtime.flights import parts_of
from runtime.link import BatchLink
from runtime.stream import ReplyStream, serve_stream

BATCHES_IN_FLIGHT = 8
IDENTITIES = 100_000


class Echo(DomainServerServiceServicer):
    """Owns everything and answers at once."""

    async def Serve(self, request_iterator: object, context: grpc.aio.ServicerContext) -> None:
        """Serve one data center."""
        await serve_stream(context, answer, drain=asyncio.Event(), items_in_flight_max=100_000)


def answer(request: ServeRequest, replies: ReplyStream[ServeResponse]) -> int:
    """Give every item the same reply."""
    items = len(request.positions)
    packed = ReplyBatch(positions=request.positions, bodies=[REPLY] * items).SerializeToString()
    replies.send(ServeResponse(batch_id=request.batch_id, replies=packed, answered=items), items)
    return items


async def echo() -> None:
    """Run an echoing domain server until killed."""
    server = grpc.aio.server(options=server_options())
    add_DomainServerServiceServicer_to_server(Echo(), server)
    print(json.dumps({"address": f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"}), flush=True)
    await server.start()
    await server.wait_for_termination()


class Count:
    """Counts the answers of one batch."""

    def part(self, response: RouteResponse) -> int:
        """Count one part."""
        return len(ReplyBatch.FromString(response.replies).positions)

    def lost(self, fault: Fault) -> None:
        """No answer should be missing here."""
        raise SystemExit(f"a batch was lost: {fault}")


def start(role: str, **environment: str) -> tuple[subprocess.Popen[str], str]:
    """Start a process of this bench and give its address."""
    command = [sys.executable, "-m", "bench.datacenter", role]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | environment)
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())["address"]


def cpu_seconds(pid: int) -> float:
    """Give the CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def country(url: str, owners: list[str]) -> None:
    """Write the directory: 31 domains over the given domain servers."""
    unit = await STORES.open(url)
    directory = await Directory.open(unit, ring=ring_at(key_file(None, url), make=True))
    changes: list[Change] = [UnitAddress("u", "memory:u")]
    changes += [Domain(code, code, "Asia/Shanghai", 1, "u", "u") for code in DOMAINS]
    changes += [NumberPlan({f"86{head}": DOMAINS[head % 31] for head in range(13000, 14100)})]
    await directory.amend(changes, "country", "bench")
    for number, code in enumerate(DOMAINS):
        await announce_owner(unit, code, 0, Owner(owners[number % len(owners)], 1))
    await directory.close()
    await unit.close()


async def drive(address: str, pid: int, size: int, items: int) -> tuple[float, float]:
    """Send items and give (items a second, µs of the data center's CPU for an item)."""
    chance = random.Random(8)
    numbers = [f"msisdn:86{chance.randint(13000, 14099)}{chance.randint(0, 999_999):06d}" for _ in range(IDENTITIES)]
    await drive_once(address, numbers, size, items // 3)  # warms the caches
    began, used = time.perf_counter(), cpu_seconds(pid)
    await drive_once(address, numbers, size, items)
    spent, used = time.perf_counter() - began, cpu_seconds(pid) - used
    return items / spent, used / items * 1e6


async def drive_once(address: str, numbers: list[str], size: int, items: int) -> None:
    """Send items over one stream and wait for all answers."""
    channel = open_channel(address)
    link: BatchLink[RouteRequest, RouteResponse] = BatchLink(
        address, DataCenterServiceStub(channel).Route, batches_in_flight_max=BATCHES_IN_FLIGHT, parts=parts_of
    )
    for at in range(0, items, size):
        await link.room()
        routes = [numbers[number % IDENTITIES] for number in range(at, at + size)]
        request = RouteRequest(timeout_ms=10_000, positions=range(size), routes=routes, bodies=[BODY] * size)
        link.send(request, items=size, sink=Count(), timeout_ms=10_000)
    await link.close(grace_ms=10_000)
    await channel.close()


async def table(items: int) -> None:
    """Run and print the table."""
    print("batch  domain servers   items/s   data center µs/item")
    for servers in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite://{folder}/directory.db"
            owners = [start("echo") for _ in range(servers)]
            await country(url, [address for _, address in owners])
            center, address = start("datacenter", ONETIER_DIRECTORY=url, ONETIER_LOG_LEVEL="error")
            try:
                for size in (1, 10, 100, 1_000):
                    rate, micros = await drive(address, center.pid, size, max(items * size // 1_000, 5_000))
                    print(f"{size:>5}  {servers:>14}  {rate:>8,.0f}   {micros:>19.2f}")
            finally:
                for process in (center, *(owner for owner, _ in owners)):
                    process.kill()
                    process.wait()


def main() -> int:
    """Play the role that the command line names; the table without one."""
    role = sys.argv[1] if len(sys.argv) > 1 else "400000"
    if role == "datacenter":
        return PROCESS.serve()
    uvloop.run(echo() if role == "echo" else table(int(role)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
