"""A system under locust: started with accounts that can pay, one scenario after another, drained in the end."""

import asyncio
import sys
import time
from pathlib import Path
from typing import BinaryIO

from msgspec.structs import replace

from cluster.filling import Teller, load_country, open_accounts, settle, yesterday_ms
from cluster.folder import FolderMark, Options, clear, fresh_base, write_mark
from cluster.layout import Layout, lay_out
from cluster.loadresult import OWNER_KILLED, SCENARIOS, LoadResult, lines_of, result_of
from cluster.supervisor import Supervisor
from cluster.system import System
from country.population import Population
from onetier_client import AsyncClient

LOCUSTFILE = Path(__file__).resolve().parents[1] / "loadtest" / "locustfile.py"
OPENING = 10**14
"""Micro-units in each account: so that the load is charged, never refused."""
FINISH_S = 40
"""For users to learn the outcome of what they sent: longer than they repeat a key."""
GRACE_S = FINISH_S + 30.0
LOAD_BEGINS_S = 60.0


class LoadRun:
    """One system, and the scenarios that run against it one after another."""

    def __init__(self, teller: Teller, options: Options, reports: Path, seconds: int, how: tuple[str, ...]) -> None:
        self.results: list[tuple[str, LoadResult]] = []
        self._teller = teller
        self._options = options
        self._reports = reports
        self._seconds = seconds
        self._how = how

    async def all_of(self, chosen: list[str]) -> Layout:
        """Start, load, run, drain."""
        options, teller = self._options, self._teller
        clear(options.folder)
        country = settle(options.subscribers, options.seed, yesterday_ms())
        rich = replace(country, people=_with_money(country.people))
        async with Supervisor(options.folder / "logs") as supervisor:
            system = System(supervisor, lay_out(fresh_base(options)), {})
            await system.start(options.shape)
            await load_country(teller, system, system.layout, rich, options)
            async with AsyncClient(system.endpoints) as client:
                await open_accounts(teller, system, client, rich.people)
            mark = FolderMark(system.layout.base, options.subscribers, options.seed, options.slots, country.day_ms)
            write_mark(options.folder, mark, rich.people)
            domains = {account.domain for account in rich.people.accounts}
            for number, name in enumerate(chosen):
                teller.say(f"scenario {name}, {self._seconds} s")
                self.results.append((name, await self._scenario(name, number, system, domains)))
            await supervisor.drain()
        return system.layout

    async def _scenario(self, name: str, number: int, system: System, domains: set[str]) -> LoadResult:
        stem = self._reports / f"loadtest-{name}"
        told = _cleared(stem)
        with _log_of(stem) as log:
            locust = await asyncio.create_subprocess_exec(
                sys.executable, *self._arguments(name, stem, system), stdout=log, stderr=log
            )
            try:
                killed_at = await self._kill(number, told, system) if name == OWNER_KILLED else None
                await asyncio.wait_for(locust.wait(), self._seconds + GRACE_S)
            finally:
                if locust.returncode is None:
                    locust.kill()
                    await locust.wait()
        return result_of(name, stem, domains, killed_at)

    def _arguments(self, name: str, stem: Path, system: System) -> list[str]:
        return [
            *("-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--only-summary", "--loglevel", "WARNING"),
            *("-r", "100", "-t", f"{self._seconds}s", "--stop-timeout", str(FINISH_S)),
            *("--host", ",".join(system.endpoints), "--directory", system.datacenters[0].address),
            *("--subscribers", str(self._options.folder / "subscribers.csv"), "--told", f"{stem}_told.csv"),
            "--refusals-fail",
            *("--html", f"{stem}.html", "--csv", str(stem), *self._how),
            "BusyHour" if name == OWNER_KILLED else name,
        ]

    async def _kill(self, number: int, told: Path, system: System) -> int:
        """Kill a domain server in the middle of the load, start another; gives how much had been told by then."""
        began = time.monotonic()
        while not lines_of(told) and time.monotonic() < began + LOAD_BEGINS_S:  # noqa: ASYNC110 - locust tells nobody
            await asyncio.sleep(0.1)
        await asyncio.sleep(self._seconds / 2)
        system.domain_servers.pop(0).kill()
        lines = len(lines_of(told))
        await system.start_process("domainserver", len(SCENARIOS) + number)
        return lines


def _with_money(people: Population) -> Population:
    accounts = (replace(one, opening=OPENING, payment_mode="prepaid", suspended=False) for one in people.accounts)
    return Population(tuple(accounts))


def _cleared(stem: Path) -> Path:
    """Forget an earlier run; gives the path of what will be told."""
    for end in ("_stats.csv", "_exceptions.csv", "_told.csv"):
        Path(f"{stem}{end}").unlink(missing_ok=True)
    return Path(f"{stem}_told.csv")


def _log_of(stem: Path) -> BinaryIO:
    return Path(f"{stem}.log").open("wb")
