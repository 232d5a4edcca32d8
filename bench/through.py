"""The whole line: files of a switch → journals → details, beside the same records charged one by one.

Both go through the front door of one system of one region; both begin with the file and end with details that are
gathered from the journals. CPU is that of all processes, this one's included.

    python -m bench.through [--records N] [--subscribers N]
"""

import argparse
import asyncio
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import Struct, field
from onetier.v1 import service_desk_pb2 as desk

from bench.system import cpu_seconds, out, running
from bench.table import Aim, Bench, Row
from cluster.system import Shape, System
from country import reference
from country.population import Population
from details.store import DetailStore
from evidence.keyfile import file_beside, read_ring
from mediation.decoding.decoded import Decoded
from mediation.decoding.decoder import Decoder
from mediation.formats.reading import read_format
from mediation.gathering import Gatherer, journals_of
from mediation.line import MediationLine, read_rules
from mediation.plant.plant import Plant
from mediation.posting.poster import Poster
from mediation.samples.plant import FORMATS
from onetier_client import AsyncClient
from runtime.server import calm_collector

DOMAIN = "GD"
PAGE = FORMATS / "gx-voice.yaml"
STRIDE = 7_919
_SOURCES = "sources:\n  - {source: gx, folder: FOLDER, format: gx-voice, whole: {not_ending: .tmp}}\n"


class Stages(Struct):
    """Seconds of each stage."""

    collect: float = 0.0
    decode: float = 0.0
    post: float = 0.0
    gather: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)
    """By tier; `here` is this process."""

    @property
    def all(self) -> float:
        """From the file to the details."""
        return self.collect + self.decode + self.post + self.gather


def write_file(path: Path, population: Population, records: int, run: int) -> None:
    """Write calls of some subscribers, all of the last hour."""
    zone, now_s = ZoneInfo("Asia/Shanghai"), int(time.time())
    accounts = population.accounts
    with path.open("w", encoding="gb18030") as file:
        for number in range(records):
            caller = accounts[number * STRIDE % len(accounts)].account_id.removeprefix("msisdn:86")
            began = datetime.fromtimestamp(now_s - 7_200 + number % 3_600, zone).strftime("%Y%m%d%H%M%S")
            file.write(f"{run:04}{number:08},{caller},13900139000,{began},{30 + number % 600},released\n")
        file.write(f"END {records:06}\n")


async def by_line(system: System, client: AsyncClient, home: Path, population: Population, records: int) -> Stages:
    """Take a file through the line, as `onetier mediation run` and `onetier details gather` do."""
    (home / "in").mkdir()
    (home / "formats").mkdir()
    shutil.copy(PAGE, home / "formats")
    (home / "sources.yaml").write_text(_SOURCES.replace("FOLDER", str(home / "in")), encoding="utf-8")
    write_file(home / "in" / "1.cdr", population, records, 1)
    plant, told = Plant(home), Stages()
    line = MediationLine(plant, read_rules(home))
    begin = _Clock(system)
    await line.collect(_now_ms())
    told.collect = begin.lap()
    line.decode(_now_ms())
    told.decode = begin.lap()
    posted = await Poster(plant, client, {"gx": reference.FRONT}).post_batches(_now_ms())
    told.post = begin.lap()
    await _gather(system, home / "gathered", records)
    told.gather = begin.lap()
    told.cpu = begin.cpu()
    plant.close()
    if posted.charged != records:
        raise RuntimeError(f"{posted.charged} of {records} records were charged: {posted}")
    return told


async def one_by_one(system: System, client: AsyncClient, home: Path, population: Population, records: int) -> Stages:
    """Charge each record of such a file by a request of its own."""
    write_file(home / "2.cdr", population, records, 2)
    told, begin = Stages(), _Clock(system)
    found = list(Decoder(read_format(PAGE)).decode((home / "2.cdr").read_bytes()))
    told.decode = begin.lap()
    charged = 0
    async for _, reply in client.exchange(_charges(found)):
        charged += not reply.HasField("error")
    told.post = begin.lap()
    await _gather(system, home / "gathered", records)
    told.gather = begin.lap()
    told.cpu = begin.cpu()
    if charged != records:
        raise RuntimeError(f"{charged} of {records} records were charged")
    return told


def _charges(found: Sequence[object]) -> Iterator[desk.ServiceRequest]:
    for each in found:
        assert isinstance(each, Decoded)
        record = each.record
        yield desk.ServiceRequest(
            identity=record.identity,
            request_type=desk.REQUEST_TYPE_CHARGE,
            service_code=record.service,
            request_key=".".join(each.key),
            event_time_ms=record.start_ms,
            quantity=record.quantity,
            channel=reference.FRONT,
            other_party=record.other_party,
        )


async def _gather(system: System, home: Path, records: int) -> None:
    store, keys = DetailStore(home), file_beside(system.layout.directory)
    assert keys is not None
    ring = read_ring(keys)
    gatherer = Gatherer(store, ring)
    for journal in await journals_of(system.layout.directory, ring, DOMAIN):
        await gatherer.gather(journal)
    rows = sum(part.rows for part in store.manifest.parts())
    store.close()
    if rows < records:
        raise RuntimeError(f"{rows} rows were gathered of {records} records")


class _Clock:
    """Tells the seconds of stages, and the CPU of all of them."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._cpu, self._here = cpu_seconds(system), time.process_time()
        self._at = time.perf_counter()

    def lap(self) -> float:
        """Give the seconds since the last lap."""
        before, self._at = self._at, time.perf_counter()
        return self._at - before

    def cpu(self) -> dict[str, float]:
        """Give CPU seconds by tier since it began."""
        used = {tier: seconds - self._cpu[tier] for tier, seconds in cpu_seconds(self._system).items()}
        return {**used, "here": time.process_time() - self._here}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


async def measure(base: str, folder: Path, records: int, subscribers: int) -> tuple[Stages, Stages]:
    """Give the stages of the line, and of the record-by-record path."""
    async with (
        running(base, folder, [DOMAIN], subscribers, Shape(1, 1, 1)) as (system, population),
        AsyncClient(system.endpoints) as client,
    ):
        # Both find warm processes: the first requests of a system compile plans and read contracts.
        await one_by_one(system, client, _fresh(folder / "warm"), population, subscribers)
        ours = await by_line(system, client, _fresh(folder / "line"), population, records)
        alone = await one_by_one(system, client, _fresh(folder / "alone"), population, records)
    return ours, alone


def _fresh(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


async def through(bench: Bench) -> None:
    """Add the row of the table."""
    calm_collector()
    records, people = bench.scale.items, bench.scale.items // 100
    ours, alone = await measure(bench.base(), bench.folder / "through", records, people)
    row = Row("files → journals → details, all of it", f"{records / ours.all:,.0f} records/s")
    row.limit, row.ratio = f"one by one {records / alone.all:,.0f}/s", f"{alone.all / ours.all:.1f} times"
    row.how = told(ours, records)
    bench.add(row, Aim("≥ 150,000/s", 150_000), records / ours.all)


def told(stages: Stages, records: int) -> str:
    """Say where the time went."""
    parts = (("collect", stages.collect), ("decode", stages.decode), ("post", stages.post), ("gather", stages.gather))
    seconds = ", ".join(f"{name} {seconds / records * 1e6:.1f}" for name, seconds in parts)
    cpu = ", ".join(f"{tier} {used / records * 1e6:.1f}" for tier, used in stages.cpu.items())
    return f"µs a record: {seconds}; CPU: {cpu}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--subscribers", type=int, default=1_000)
    arguments = parser.parse_args()
    calm_collector()
    with tempfile.TemporaryDirectory(prefix="onetier-bench-") as name:
        (Path(name) / "units").mkdir()
        base = f"sqlite://{name}/units"
        ours, alone = asyncio.run(measure(base, Path(name), arguments.records, arguments.subscribers))
    for title, stages in (("line", ours), ("one by one", alone)):
        out.print(f"{title}: {arguments.records / stages.all:,.0f} records/s; {told(stages, arguments.records)}")


if __name__ == "__main__":
    main()
