"""`onetier demo`: the main job end to end on this machine, ending with a proof.

start the tiers → load the country → open accounts → move some numbers → send a day's usage → ask and explain → bill the
cycle in mode `staged` while the business goes on → drain → count the journals, reconcile and compare. Exit status 0
only when everything holds.
"""

import asyncio
import os
from collections.abc import Sequence
from itertools import islice

from rich.console import Console

from cluster.filling import Country, load_country, make_units, open_accounts, settle, yesterday_ms
from cluster.folder import (
    FolderMark,
    Options,
    access_settings,
    check_forgettable,
    clear,
    fresh_base,
    sole_use,
    voucher_settings,
    write_mark,
)
from cluster.layout import journals_of, lay_out
from cluster.supervisor import Supervisor
from cluster.system import System
from console import report
from console.systems.cycle import Cycle, cycle_day
from console.systems.cycle_report import CycleTold, document_lines, told_of
from console.systems.narrator import Narrator
from console.systems.proving import audited, prove
from country import porting, usage, usage_file
from country.population import Population
from country.porting import Move
from country.sending import WINDOW_REQUESTS, Sent, send_usage
from country.tally import Tally
from onetier_client import AsyncClient

ACTOR = "onetier demo"
ONE_AT_A_TIME = 500
"""Lines at the end of the file that are sent one by one, to see what a single caller waits."""
SHOWN_CANDIDATES = 12
LATE_SEED = 1_000
"""Added to the seed for the usage that comes in while bills are made: its request keys are others."""


class Demo:
    """One run, step by step."""

    def __init__(self, options: Options, out: Console) -> None:
        self._options = options
        self._narrator = Narrator(out)
        self._out = out

    async def run(self, *, fresh: bool = False) -> int:
        """Run it, with `fresh` also in place of a country that is kept; returns the exit status.

        Raises `FolderInUse`, `ProcessDied`, `SendingFailed`, `CatalogueFaulty`.
        """
        with sole_use(self._options.folder):
            if not fresh:
                check_forgettable(self._options.folder)
            return await self._run()

    async def _run(self) -> int:
        options, narrator = self._options, self._narrator
        clear(options.folder)
        layout = lay_out(fresh_base(options))
        day_ms = yesterday_ms()
        country = settle(options.subscribers, options.seed, day_ms, cycle_day(day_ms))
        moves = porting.choose(country.people, options.ported, options.seed)
        homes = _homes(country.people, moves)
        tally = Tally(homes)
        async with Supervisor(options.folder / "logs") as supervisor:
            own = access_settings(options.folder) | voucher_settings(options.folder)
            system = System(supervisor, layout, own, tls=options.tls)
            await make_units(narrator, layout)
            await system.start(options.shape)
            narrator.say(_started(system))
            await load_country(narrator, system, layout, country, options)
            bulk, single = await self._traffic(system, country, moves, tally)
            cycle = Cycle(system, narrator, country, options.slots, options.folder)
            billed = await self._bill(cycle, system, country, tally)
            mark = FolderMark(layout.base, options.subscribers, options.seed, options.slots, country.day_ms)
            write_mark(options.folder, mark, country.people, homes)
            statuses = await supervisor.drain()
        narrator.say("drained: " + ", ".join(f"{name} {status}" for name, status in statuses.items()))
        self._print_counts(tally, bulk, single)
        for line in await asyncio.to_thread(document_lines, self._out, billed, options.folder):
            narrator.say(line)
        journals = journals_of(layout, options.slots)
        status = await prove(narrator, journals, tally, clean=not any(statuses.values()))
        # The proof counts what was told; the audit asks keys, anchors and seals whether anybody wrote it over.
        workers = os.cpu_count() or 1
        sound = await asyncio.to_thread(audited, self._out, layout, options.folder, workers, cycle.backups)
        return status if sound and billed.run.sound else 1

    async def _bill(self, cycle: Cycle, system: System, country: Country, tally: Tally) -> CycleTold:
        """Bill the cycle that ended with the day, while more usage comes in, and choose one bill to show."""
        options, narrator = self._options, self._narrator
        async with AsyncClient(system.endpoints, tls=system.tls("frontend")) as client:
            run = await cycle.run(client, tally, options.events, options.seed + LATE_SEED)
        bills = sum(totals.bills for totals in run.regions.values())
        narrator.say(
            f"{bills:,} bills made in {run.seconds:.1f} s beside {run.usage.requests:,} usages, stages replayed"
        )
        return await told_of(cycle, system, country.people, run)

    async def _traffic(
        self, system: System, country: Country, moves: Sequence[Move], tally: Tally
    ) -> tuple[Sent, Sent]:
        options, narrator = self._options, self._narrator
        async with AsyncClient(system.endpoints, tls=system.tls("frontend")) as client:
            await open_accounts(narrator, system, client, country.people)
            async with system.directory_of(0) as stub:
                await porting.port_all(stub, moves, ACTOR)
            narrator.say(f"{len(moves)} numbers moved to another domain")
            path = options.folder / "usage.csv"
            made = usage.generate(path, country.people, country.plan, options.events, options.seed, country.day_ms)
            narrator.say(
                f"{path}: {made.lines:,} lines, {made.duplicates:,} duplicates and {made.bad:,} bad records among them"
            )
            lines = usage_file.read(path)
            last = min(ONE_AT_A_TIME, made.lines // 10)
            head = islice(lines, made.lines - last)
            bulk = await narrator.with_bar(
                "usage sent",
                made.lines - last,
                lambda advance: send_usage(client, head, tally, advance, WINDOW_REQUESTS),
            )
            single = await narrator.with_bar(
                "usage sent one at a time", last, lambda advance: send_usage(client, lines, tally, advance, 1)
            )
            await self._ask(client, country.people)
        return bulk, single

    async def _ask(self, client: AsyncClient, people: Population) -> None:
        """Query one subscriber, one of whose charges has the most to explain."""
        chosen = None
        candidates = [account for account in people.accounts if len(account.members) > 1 and not account.suspended]
        for account in candidates[:: max(1, len(candidates) // SHOWN_CANDIDATES)]:
            line = report.longest_explained(await client.history(account.account_id, 200, explain=True))
            if line is not None and (chosen is None or len(line.steps) > len(chosen.steps)):
                chosen = line
        if chosen is None:
            return
        out = self._out
        out.rule("one subscriber", align="left")
        balance = await client.balance(chosen.identity)
        for lines in (
            report.balance_lines(balance),
            report.usage_lines(await client.usage(chosen.identity)),
            report.contract_lines(await client.contract(chosen.identity)),
            report.explanation_lines(chosen, balance.currency),
        ):
            for text in lines:
                out.print(text, highlight=False, markup=False, soft_wrap=True)

    def _print_counts(self, tally: Tally, bulk: Sent, single: Sent) -> None:
        out = self._out
        out.print(report.regions_table(tally))
        for table in report.refusal_tables(tally):
            out.print(table)
        out.print(report.speed_table(bulk, single))
        if tally.surprise_count:
            out.print(f"[red]{tally.surprise_count} outcomes were not as planted:[/]")
            for text in tally.surprises:
                out.print(f"  {text}", highlight=False, markup=False)


def _homes(people: Population, moves: Sequence[Move]) -> dict[str, str]:
    homes = {member.identity: member.domain for member in people.subscribers()}
    return homes | {move.identity: move.to_domain for move in moves}


def _started(system: System) -> str:
    tiers = (system.datacenters, system.domain_servers, system.app_servers)
    processes = [process for tier in tiers for process in tier]
    return "started " + ", ".join(f"{process.name} {process.address}" for process in processes)
