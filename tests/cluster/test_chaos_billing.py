"""A billing run on the real Cassandra, three nodes: its worker, and owners, are killed twenty times, business goes on.

What is wanted in the end: everybody has exactly one bill of the period, the journals reconcile without a difference,
and nothing that callers asked for was refused because of billing.
"""

import asyncio
import os
import secrets
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from onetier.v1 import service_desk_pb2 as desk

from audit.national import Sources, audit_country
from business.billing.periods import Period, ends_ms
from charging.base.localtime import LocalTime
from cluster.system import Shape
from country import offers, reference
from onetier_client import requests
from testkit.cassandra import LocalCluster
from tests.cluster.callers import Callers
from tests.cluster.faults import Faults
from tests.cluster.small_country import SmallCountry, call, deposit, settle_country, transfer

SEED = int(os.environ.get("ONETIER_CHAOS_SEED", "0")) or secrets.randbelow(1_000_000)
SLOTS = {"GD": 2, "XJ": 1}
PEOPLE = 240
KILLS = 20
"""Of a run in mode staged, which has more to lose; one in mode direct has a quarter of them here, to bound the time."""
CROWD = 8
CREDIT = MONEY = 10_000_000_000
DAY_MS = 86_400_000
ROOT = Path(__file__).parents[2]
BEFORE = datetime.now(UTC) - timedelta(days=1)
LAST = Period(BEFORE.year * 12 + BEFORE.month - 2, 1)
"""The newest period that is surely over in every region."""
OVER_MS = ends_ms(LAST, LocalTime("Asia/Shanghai"))
RUN_TIMEOUT_S = 240

pytestmark = [pytest.mark.cassandra, pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.mark.parametrize(("mode", "kills"), [("staged", KILLS), ("direct", KILLS // 4)])
async def test_everybody_is_billed_once_though_worker_and_owners_are_killed_twenty_times(
    cassandra_three: LocalCluster, tmp_path: Path, mode: str, kills: int
) -> None:
    print(f"\nchaos seed {SEED}")
    random = Random(SEED)
    async with settle_country(
        tmp_path,
        slots=SLOTS,
        people=4,
        shape=Shape(datacenters=1, domain_servers=2, app_servers=1),
        base=cassandra_three.url(f"bills_{mode}", "&timeout_ms=3000"),
    ) as country:
        payers = await open_payers(country)
        callers = Callers(country.client, lambda number: business(payers, number), CROWD, 5_000)
        faults = Faults(country.system, random)
        until = (datetime.now(UTC) + timedelta(hours=6)).isoformat(timespec="seconds")
        await billing(country, "open", "GD", str(LAST), "--mode", mode, "--until", until)
        began = time.monotonic()
        try:
            workers = await kill(country, faults, random, kills)
            told = await billing(country, "run", "GD", str(LAST), "--page", "40")
        finally:
            await callers.stop(120)
        assert "completed" in told, told
        assert callers.complaints == []
        assert callers.refused == {}, "because of billing nothing is refused"
        await country.system.supervisor.drain()
        sources = Sources(country.system.layout.directory, country.ring, None)
        found = await asyncio.to_thread(audit_country, sources, "", 1)
        assert found.sentences == []
        bills = sum(slot.bills for slot in found.slots)
        assert bills == PEOPLE
        print(
            f"mode {mode}: {workers} workers and {faults.counts.total()} owners killed, {bills} bills, "
            f"{len(callers.told)} acknowledged in {time.monotonic() - began:.0f} s, "
            f"longest wait {callers.longest_s:.1f} s"
        )


async def open_payers(country: SmallCountry) -> list[str]:
    """Open accounts that pay by bills, since the last month, in which each called."""
    payers = [f"msisdn:86130{number:08d}" for number in range(5_000, 5_000 + PEOPLE)]
    since_ms = OVER_MS - 20 * DAY_MS

    def opening(identity: str) -> desk.ServiceRequest:
        held = desk.Subscription(offering=offers.MOBILE_SMALL, valid_from_ms=since_ms)
        command = desk.OpenAccount(
            account_id=identity,
            payment_mode="postpaid",
            credit_limit=CREDIT,
            books=[desk.BalanceBook(book_id="main", amount=MONEY)],
            contract=desk.Contract(identity=identity, valid_from_ms=since_ms, subscriptions=[held]),
        )
        facts: requests.Facts = {"request_key": f"open-{identity}", "channel": reference.FRONT}
        return requests.execute(identity, command, **facts)

    def late_call(identity: str) -> desk.ServiceRequest:
        facts: requests.Facts = {"request_key": "late", "channel": reference.FRONT}
        facts["event_time_ms"] = OVER_MS - DAY_MS
        return requests.charge(identity, offers.VOICE, 61, other_party="8613800000000", **facts)

    for asked in ([opening(payer) for payer in payers], [late_call(payer) for payer in payers]):
        async for request, reply in country.client.exchange(asked, timeout_ms=120_000):
            assert not reply.HasField("error"), f"{request.request_key}: {reply.error.message}"
    return payers


def business(payers: list[str], number: int) -> list[desk.ServiceRequest]:
    """Give the request of a number: calls, some of the billed month, deposits and transfers."""
    identity = payers[number * 7 % len(payers)]
    match number % 5:
        case 1:
            return [deposit(identity, number)]
        case 2:
            return [transfer(identity, payers[(number * 7 + 1) % len(payers)], number)]
        case 3:
            late = call(identity, number)
            late.event_time_ms = OVER_MS - DAY_MS + number
            return [late]
    return [call(identity, number)]


async def kill(country: SmallCountry, faults: Faults, random: Random, kills: int) -> int:
    """Kill the worker, in two of five turns an owner with it; gives how many workers died at work."""
    died = 0
    for turn in range(kills):
        worker = await start_worker(country)
        await asyncio.sleep(random.uniform(0.8, 2.0))
        if turn % 5 in (1, 3):
            await faults.kill_owner()
        if worker.returncode is None:
            worker.kill()
            died += 1
        await worker.wait()
    return died


async def start_worker(country: SmallCountry) -> Process:
    """Start a worker that bills one account a page, so that it is in the midst of its work for long."""
    return await _start(country, "run", "GD", str(LAST), "--page", "1", "--workers", "1", quiet=True)


async def billing(country: SmallCountry, *arguments: str) -> str:
    """Run `onetier billing` until it succeeds."""
    async with asyncio.timeout(RUN_TIMEOUT_S):
        while True:
            process = await _start(country, *arguments)
            out, _ = await process.communicate()
            if process.returncode == 0:
                return out.decode()
            await asyncio.sleep(1)


async def _start(country: SmallCountry, *arguments: str, quiet: bool = False) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "console.main", "billing", *arguments, "--endpoint", country.system.endpoints[0]),
        stdout=DEVNULL if quiet else PIPE,
        stderr=DEVNULL if quiet else STDOUT,
        cwd=ROOT,
    )
