"""`onetier up`: the same system kept running for clients, on the data of the folder or on a country made for it."""

import asyncio
import signal
from collections.abc import Coroutine
from itertools import islice
from pathlib import Path

from rich.console import Console

from cluster.filling import load_country, make_units, open_accounts, settle, yesterday_ms
from cluster.folder import (
    FolderMark,
    Options,
    access_settings,
    check_units,
    clear,
    fresh_base,
    keep,
    read_mark,
    sole_use,
    voucher_settings,
    write_mark,
)
from cluster.layout import lay_out
from cluster.supervisor import ProcessDied, Supervisor
from cluster.system import System
from console.systems.narrator import Narrator
from country import usage, usage_file
from country.sending import WINDOW_REQUESTS, send_usage
from country.tally import Tally
from mediation.samples.plant import play, sample_plant, sample_switches
from onetier_client import AsyncClient

MSISDN = "msisdn:"
SWITCHES_PORT = 22
"""Above the first app server's."""


async def run(options: Options, out: Console, *, fresh: bool, switches: bool) -> int:
    """Serve until Ctrl-C or SIGTERM, then drain; with `switches`, three of them write files beside it.

    Returns 0 after a clean drain, 1 when a process died or was killed.

    Raises `FolderInUse`, `CatalogueFaulty`, `SendingFailed`.
    """
    with sole_use(options.folder):
        mark = None if fresh else read_mark(options.folder)
        if mark is None:
            clear(options.folder)
        else:
            check_units(mark, options)
            keep(options.folder, mark)
        return await _serve_until_told(options, Narrator(out), mark, switches=switches)


async def _serve_until_told(options: Options, narrator: Narrator, mark: FolderMark | None, *, switches: bool) -> int:
    layout = lay_out(mark.base if mark is not None else fresh_base(options))
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Supervisor(options.folder / "logs") as supervisor:
        own = access_settings(options.folder) | voucher_settings(options.folder)
        system = System(supervisor, layout, own, tls=options.tls)
        fault = await _until(stop, _serve(narrator, system, options, mark, switches=switches), supervisor.watch())
        narrator.say(fault or "draining")
        statuses = await supervisor.drain()
    narrator.say("drained: " + ", ".join(f"{name} {status}" for name, status in statuses.items()))
    return 1 if fault or any(statuses.values()) else 0


async def _serve(
    narrator: Narrator, system: System, options: Options, mark: FolderMark | None, *, switches: bool
) -> None:
    """Start, load what is not there, say where to call, and go on until cancelled."""
    if mark is None:
        await make_units(narrator, system.layout)
    await system.start(options.shape)
    for process in system.supervisor.processes:
        narrator.say(f"{process.name:15} {process.address:22} metrics {process.metrics:22} pid {process.pid}")
    if mark is None:
        await _load(narrator, system, options)
    else:
        narrator.say(
            f"serving the {mark.subscribers:,} subscribers that are in {options.folder}; --fresh makes new ones"
        )
    narrator.say(f"front ends call {' or '.join(system.endpoints)}")
    narrator.say(f"operators call {' or '.join(process.address for process in system.datacenters)}")
    narrator.say(f"subscribers are listed in {options.folder / 'subscribers.csv'}; Ctrl-C drains")
    if switches:
        await _play_switches(narrator, options)
    await asyncio.Event().wait()


async def _play_switches(narrator: Narrator, options: Options) -> None:
    """Let the sample plant's switches write until cancelled."""
    port = options.shape.first_port + SWITCHES_PORT if options.shape.first_port else 0
    switches = sample_switches(options.folder, _mobile_numbers(options.folder), options.seed)
    async with sample_plant(options.folder, port) as found:
        plant = options.folder / "plant"
        narrator.say(f"four switches write files behind SFTP at 127.0.0.1:{found}: onetier mediation run {plant}")
        await play(switches)


def _mobile_numbers(folder: Path) -> list[str]:
    """Give national numbers of some of the subscribers that the folder lists."""
    head = f"{MSISDN}86"
    with (folder / "subscribers.csv").open(encoding="utf-8") as file:
        identities = (line.partition(",")[0] for line in file)
        return [each.removeprefix(head) for each in islice(filter(lambda each: each.startswith(head), identities), 500)]


async def _load(narrator: Narrator, system: System, options: Options) -> None:
    country = settle(options.subscribers, options.seed, yesterday_ms())
    await load_country(narrator, system, system.layout, country, options)
    async with AsyncClient(system.endpoints, tls=system.tls("frontend")) as client:
        await open_accounts(narrator, system, client, country.people)
        if options.events:
            path = options.folder / "usage.csv"
            made = usage.generate(path, country.people, country.plan, options.events, options.seed, country.day_ms)
            tally = Tally({})
            await narrator.with_bar(
                "usage sent",
                made.lines,
                lambda advance: send_usage(client, usage_file.read(path), tally, advance, WINDOW_REQUESTS),
            )
    mark = FolderMark(system.layout.base, options.subscribers, options.seed, options.slots, country.day_ms, kept=True)
    write_mark(options.folder, mark, country.people)


async def _until(stop: asyncio.Event, *works: Coroutine[None, None, None]) -> str:
    """Run the works until told to stop, or until one fails. Returns the fault of a process that died, "" without."""
    tasks = [asyncio.ensure_future(work) for work in works]
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                task.result()
    except ProcessDied as died:
        return str(died)
    finally:
        for waiting in (stopping, *tasks):
            waiting.cancel()
        await asyncio.gather(stopping, *tasks, return_exceptions=True)
    return ""
