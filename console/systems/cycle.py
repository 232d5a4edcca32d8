"""The demo's cycle: bills for all accounts whose period ended with the day, made while the business goes on.

Books are backed up, runs opened in mode `staged`; then usage, top-ups, payments and ports come in beside the run; when
nobody is due any more the runs are completed, and the owners replay what was staged.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from msgspec import Struct, field
from onetier.v1 import billing_pb2 as pb
from onetier.v1 import service_desk_pb2 as desk
from onetier.v1.billing_pb2_grpc import BillingServiceStub

from business.billing.periods import Period
from charging.base.localtime import month_at
from cluster.filling import Country
from cluster.system import System
from console.operations.billing_calls import BillsCaller, run_change
from console.operations.billing_opening import RunOpening, open_runs, staged_of
from console.operations.billing_running import RunOrder, RunTotals, work
from console.systems.narrator import Narrator
from country import porting, reference, usage, usage_file
from country.domains import REGIONS, TIME_ZONE
from country.population import DAY_MS, YUAN, SampleAccount
from country.porting import Move
from country.sending import WINDOW_REQUESTS, Sent, send_usage
from country.tally import Tally
from onetier_client import AsyncClient
from runtime.channel import open_channel
from runtime.status import from_status

ACTOR = "onetier demo"
CALLER = BillsCaller(channel=reference.FRONT, actor=ACTOR)
PAGE, DOMAINS_AT_ONCE = 200, 4
EVENTS_SHARE = 20
"""Of the day's usage, one in so many comes late, while the bills are made."""
TOP_UPS, PAYMENTS, PORTS = 400, 200, 6
PAID_AT_ONCE, PAID_EVERY_S = 40, 0.5
"""Deposits and payments are spread over the run."""
REPLAY_PATIENCE_S = 60.0


class CycleRun(Struct):
    """What came of it. Amounts are micro-units."""

    period: str
    regions: dict[str, RunTotals] = field(default_factory=dict)
    seconds: float = 0.0
    usage: Sent = field(default_factory=lambda: Sent(0, 0.0, []))
    staged: dict[str, tuple[int, int]] = field(default_factory=dict)
    """What came in during the runs, by stage: how many, how much."""
    direct: int = 0
    """Deposits and payments of accounts that were closed by then, or of another cycle: they came in at once."""
    refused: list[str] = field(default_factory=list)
    """Deposits and payments that were refused, with the reason."""
    left: list[pb.StagedMoney] = field(default_factory=list)
    """What is staged at the end."""
    moves: list[Move] = field(default_factory=list)
    completed: dict[str, int] = field(default_factory=dict)
    """Runs by how they were completed."""

    @property
    def sound(self) -> bool:
        """Say whether all were billed, and all that was staged is replayed but what can't be."""
        return not self.failures and not self.refused and all(row.kept for row in self.left)

    @property
    def failures(self) -> dict[str, str]:
        """Accounts that could not be billed, and why."""
        return {account: why for each in self.regions.values() for account, why in each.failures.items()}


def cycle_day(day_ms: int) -> int:
    """Give the day of the month on which the cycle begins whose last day begins at `day_ms`, UTC."""
    return (datetime.fromtimestamp(day_ms / 1000, UTC) + timedelta(hours=8, days=1)).day


class Cycle:
    """One cycle of a running system."""

    def __init__(self, system: System, narrator: Narrator, country: Country, slots: int, folder: Path) -> None:
        """`folder` is the system's data folder; backups go below it."""
        self._system = system
        self._narrator = narrator
        self._country = country
        self._slots = range(slots)
        self.backups = folder / "backups"
        self._late = folder / "late-usage.csv"
        day = cycle_day(country.day_ms)
        self._billed = asyncio.Event()
        self._period = Period(month_at(TIME_ZONE, day, country.day_ms), day)

    async def run(self, client: AsyncClient, tally: Tally, events: int, seed: int) -> CycleRun:
        """Bill the country; `events` and `seed` are of the late usage. Raises what calls of the platform raise."""
        done = CycleRun(str(self._period))
        async with self.stub() as stub:
            await self._open(stub)
            began = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._bill(stub, done))
                group.create_task(self._use(client, tally, events, seed, done))
                group.create_task(self._pay(client, seed, done))
                group.create_task(self._port(seed, done))
            await self._complete(stub, done)
            done.seconds = time.perf_counter() - began
            await self._replayed(stub, done)
        return done

    @asynccontextmanager
    async def stub(self) -> AsyncIterator[BillingServiceStub]:
        """Give the billing service of the platform, for a block."""
        channel = open_channel(self._system.endpoints[0], self._system.tls("operator"), role="appserver")
        try:
            yield BillingServiceStub(channel)
        finally:
            await channel.close()

    async def _open(self, stub: BillingServiceStub) -> None:
        until_ms = self._country.day_ms + 3 * DAY_MS
        for region in REGIONS:
            opening = RunOpening(region.code, self._slots, str(self._period), "staged", until_ms, self.backups)
            await open_runs(stub, opening, CALLER)
        self._narrator.say(f"books of {len(REGIONS)} regions backed up to {self.backups}, runs of {self._period} open")

    async def _bill(self, stub: BillingServiceStub, done: CycleRun) -> None:
        waiting = [region.code for region in REGIONS]

        async def worker() -> None:
            while waiting:
                code = waiting.pop(0)
                order = RunOrder(code, str(self._period), self._slots, 1, PAGE, False, ACTOR, reference.FRONT)
                done.regions[code] = await work(stub, order, lambda _: None)

        async with asyncio.TaskGroup() as group:
            for _ in range(DOMAINS_AT_ONCE):
                group.create_task(worker())
        self._billed.set()

    async def _use(self, client: AsyncClient, tally: Tally, events: int, seed: int, done: CycleRun) -> None:
        country = self._country
        usage.generate(self._late, country.people, country.plan, events // EVENTS_SHARE, seed, country.day_ms)
        done.usage = await send_usage(client, usage_file.read(self._late), tally, lambda _: None, WINDOW_REQUESTS)

    async def _pay(self, client: AsyncClient, seed: int, done: CycleRun) -> None:
        """Let subscribers top up and pay, at the very accounts that are billed."""
        requests = money_in(self._country.people.accounts, seed)
        while some := list(islice(requests, PAID_AT_ONCE)):
            async for request, reply in client.exchange(some):
                self._count(request, reply, done)
            await asyncio.sleep(0 if self._billed.is_set() else PAID_EVERY_S)

    @staticmethod
    def _count(request: desk.ServiceRequest, reply: desk.ServiceReply, done: CycleRun) -> None:
        if reply.HasField("error"):
            done.refused.append(f"{request.request_key}: {reply.error.message}")
        elif "staged" in reply.command.notices:
            stage = "settlement" if request.HasField("pay") else "deposit"
            many, amount = done.staged.get(stage, (0, 0))
            done.staged[stage] = many + 1, amount + (request.pay.amount or request.top_up.amount)
        else:
            done.direct += 1

    async def _port(self, seed: int, done: CycleRun) -> None:
        done.moves = porting.choose(self._country.people, PORTS, seed)
        async with self._system.directory_of(0) as stub:
            await porting.port_all(stub, done.moves, ACTOR)

    async def _complete(self, stub: BillingServiceStub, done: CycleRun) -> None:
        """Complete the runs of regions in which nobody is due any more."""
        for code, totals in done.regions.items():
            if totals.failures:
                continue
            request = run_change(code, self._slots, str(self._period), CALLER)
            request.complete.CopyFrom(pb.CompleteBillRun())
            for outcome in (await stub.ChangeBillRuns(request, timeout=30)).outcomes:
                if outcome.HasField("error"):
                    raise from_status(outcome.error)
                done.completed[outcome.run.completion] = done.completed.get(outcome.run.completion, 0) + 1

    async def _replayed(self, stub: BillingServiceStub, done: CycleRun) -> None:
        """Wait until nothing is staged but what can't be replayed."""
        until = time.monotonic() + REPLAY_PATIENCE_S
        while True:
            done.left = []
            for region in REGIONS:
                for slot in self._slots:
                    await staged_of(stub, region.code, slot, CALLER, done.left)
            if all(row.kept for row in done.left) or time.monotonic() > until:
                return
            await asyncio.sleep(0.5)


def money_in(accounts: Sequence[SampleAccount], seed: int) -> Iterator[desk.ServiceRequest]:
    """Give deposits and payments of some accounts that are in service."""
    chance = random.Random(f"{seed}/money")
    active = [account for account in accounts if not account.suspended]
    chosen = chance.sample(active, min(len(active), TOP_UPS + PAYMENTS))
    for number, account in enumerate(chosen):
        request = desk.ServiceRequest(
            identity=account.members[0].identity,
            request_type=desk.REQUEST_TYPE_EXECUTE,
            request_key=f"money-{seed}-{number:06d}",
            channel=reference.FRONT,
            actor=ACTOR,
        )
        amount = chance.choice((10, 20, 30, 50, 100)) * YUAN
        if number % 3:
            request.top_up.amount = amount
        else:
            request.pay.amount = amount
        yield request
