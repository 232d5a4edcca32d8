"""The line is killed at every stage, at points drawn by chance: nothing lost or charged twice, and the proof holds.

`ONETIER_KILLS=200` asks for more deaths than the suite has time for (`make chaos-mediation`), `ONETIER_SEED` for those
of another run.
"""

import asyncio
import json
import os
import random
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from shutil import copytree
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from onetier.v1 import service_desk_pb2 as desk

from cluster.system import Shape
from country.offers import MOBILE_PAY_AS_YOU_GO
from mediation.plant.plant import Plant
from testkit.rehearsal import DAY_MS, rehearse
from tests.unit.mediation import charging_files as cdr

pytestmark = [pytest.mark.slow, pytest.mark.processes, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("ONETIER_KILLS", "25"))
STRANGERS_UNTIL = 0.6
"""Of the deaths: then the subscriber is opened whose records wait in suspense."""
SHAPE = Shape(domain_servers=1, app_servers=1, feeds=0)
ZONE = ZoneInfo("Asia/Shanghai")
ACCOUNT = desk.OpenAccount(
    payment_mode="postpaid",
    credit_limit=100_000_000,
    contract=desk.Contract(subscriptions=[desk.Subscription(offering=MOBILE_PAY_AS_YOU_GO, valid_from_ms=DAY_MS - 1)]),
)
SOURCES = """
sources:
  - {source: gx, folder: FOLDER/gx, files: "*.cdr", format: gx-voice, whole: {companion: .ok}}
  - {source: msc, folder: FOLDER/msc, files: "*.ber", format: msc, whole: {trailer: true}}
"""


class Mortals:
    """Commands that die where they are told to."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.deaths = 0
        self.stages: Counter[str] = Counter()

    async def run(self, words: list[str], kind: str = "", at: int = 0) -> dict[str, int]:
        """Run one; it dies at the point of a kind, or ends by itself."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"words": words, "kind": kind, "at": at}).encode() + b"\n")
        ended: dict[str, int] = json.loads(await asyncio.wait_for(self._process.stdout.readline(), 120))
        if ended["killed"]:
            self.deaths += 1
            self.stages[f"{words[0]} {words[1]}: {kind}"] += 1
        return ended


@asynccontextmanager
async def mortals(log: Path) -> AsyncIterator[Mortals]:
    environment = {**os.environ, "GRPC_ENABLE_FORK_SUPPORT": "0"}
    command = (sys.executable, "-m", "tests.cluster.mortal", str(log))
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, cwd=ROOT, env=environment)
    try:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 60) == b"ready\n"
        yield Mortals(process)
    finally:
        process.kill()
        await process.wait()


class Writers:
    """A switch of lines, which writes some twice, and one of BER records, whose calls have two parts in two files."""

    def __init__(self, folder: Path, numbers: list[str], stranger: str) -> None:
        self._folder = folder
        self._numbers = numbers
        self._stranger = stranger
        self._serial = 0
        self._last: list[str] = []
        self._half: list[bytes] = []
        self.uses = 0
        """Different ones that were written whole."""
        self.strange = 0
        for name in ("gx", "msc"):
            (folder / name).mkdir()

    def write(self) -> None:
        """Write a file each."""
        self._serial += 1
        name = f"{self._serial:05}"
        lines = [self._line(f"{self._serial}{at}", self._numbers[at % len(self._numbers)]) for at in range(5)]
        lines.append(self._line(f"{self._serial}9", self._stranger))
        text = "\n".join(("# calls", *self._last, *lines, f"END {len(lines) + len(self._last):06}", ""))
        (self._folder / "gx" / f"{name}.cdr").write_text(text, encoding="gb18030")
        (self._folder / "gx" / f"{name}.cdr.ok").touch()
        self._last = lines[3:]
        self.uses, self.strange = self.uses + 6, self.strange + 1
        first, second = (self._part(part) for part in (1, 2))
        self._put_ber(name, [*self._half, first])
        self.uses += bool(self._half)
        self._half = [second]

    def end(self) -> None:
        """Write the last half call."""
        self._put_ber("last", self._half)
        self.uses += 1

    def _put_ber(self, name: str, records: list[bytes]) -> None:
        (self._folder / "msc" / f"{name}.ber").write_bytes(cdr.framed(records))

    def _line(self, serial: str, number: str) -> str:
        began = datetime.fromtimestamp(DAY_MS / 1_000 + self._serial, ZONE).strftime("%Y%m%d%H%M%S")
        return f"{serial},{number},13800000000,{began},61,released"

    def _part(self, part: int) -> bytes:
        began = datetime.fromtimestamp(DAY_MS / 1_000 + self._serial + 60 * (part - 1), ZONE).strftime("%y%m%d%H%M%S")
        number = f"86{self._numbers[self._serial % len(self._numbers)]}"
        more = {"answerTime": cdr.moment(began), "sequenceNumber": part, "causeForTerm": 1 if part == 1 else 0}
        return cdr.call(self._serial, number, 60, **more)


async def test_a_line_that_is_killed_at_every_stage_loses_and_doubles_nothing(tmp_path: Path) -> None:
    seed = int(os.environ.get("ONETIER_SEED", "0")) or random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}")
    chance = random.Random(seed)
    log, home, details = tmp_path / "log", tmp_path / "plant", tmp_path / "details"
    async with rehearse(tmp_path / "system", SHAPE) as small, mortals(log) as dying:
        copytree(ROOT / "mediation" / "samples" / "formats", home / "formats")
        (home / "sources.yaml").write_text(SOURCES.replace("FOLDER", str(tmp_path)), encoding="utf-8")
        numbers = [account.account_id.removeprefix("msisdn:86") for account in small.mobiles()[:5]]
        stranger = f"{numbers[0][:-4]}9999"
        writers = Writers(tmp_path, numbers, stranger)
        endpoints = [word for each in small.system.endpoints for word in ("--endpoint", each)]
        commands = {
            "run": ["mediation", "run", str(home), *endpoints],
            "recycle": ["mediation", "recycle", str(home), *endpoints],
            "gather": ["details", "gather", str(details), "--directory", small.system.layout.directory],
        }
        points: dict[str, dict[str, int]] = {}
        for name, words in commands.items():
            writers.write()
            points[name] = await dying.run(words)
            assert points[name]["status"] == 0, log.read_text()
        opened = False
        while dying.deaths < KILLS:
            if chance.random() < 0.5:
                writers.write()
            name = chance.choices(("run", "recycle", "gather"), (5, 1, 2))[0]
            kind = chance.choice(("edge", "edge", "step"))
            ended = await dying.run(commands[name], kind, chance.randint(1, points[name][f"{kind}s"]))
            assert ended["killed"] or ended["status"] == 0, log.read_text()
            if not opened and dying.deaths >= KILLS * STRANGERS_UNTIL:
                await small.client.open_account(f"msisdn:86{stranger}", ACCOUNT)
                opened = True
        writers.end()
        for name in ("run", "recycle", "gather"):
            ended = await dying.run(commands[name])
            assert ended["status"] == 0, log.read_text()
        proof = ["mediation", "proof", str(home), "--details", str(details)]
        assert (await dying.run(proof))["status"] == 0, log.read_text()[-4_000:]
        check = ["details", "check", str(details), "--journals", "--directory", small.system.layout.directory]
        assert (await dying.run(check))["status"] == 0, log.read_text()[-4_000:]
        print(f"{dying.deaths} deaths: {dict(sorted(dying.stages.items()))}")
        told = charged(home)
        assert sum(count for count, _ in told.values()) == writers.uses
        verdict = await small.verdict({key: amount for key, (_, amount) in told.items()})
        assert verdict.holds, verdict


def charged(home: Path) -> dict[str, tuple[int, int]]:
    """Give what the plant says was charged: request key → uses and amount."""
    plant = Plant(home)
    found: dict[str, tuple[int, int]] = {}
    for batch in plant.work.batches("charged"):
        details = pl.read_parquet(plant.folder.details(batch.number))
        for key, amount in zip(details["request_key"], details["amount"], strict=True):
            count, sum_of = found.get(key, (0, 0))
            found[key] = (count + 1, sum_of + amount)
    plant.close()
    return found
