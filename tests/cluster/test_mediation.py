"""The mediation line on a whole system: files of switches, with all that goes wrong in them, each use charged once."""

import asyncio
import json
import random
import sys
from asyncio.subprocess import PIPE, Process
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
from testkit.rehearsal import DAY_MS, Rehearsal, rehearse
from testkit.switchyard import Faults, sftp_yard

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]
ROOT = Path(__file__).parents[2]
FORMATS = ROOT / "mediation" / "samples" / "formats"
SHAPE = Shape(domain_servers=1, app_servers=1, feeds=0)
ACCOUNT = desk.OpenAccount(
    payment_mode="postpaid",
    credit_limit=100_000_000,
    contract=desk.Contract(subscriptions=[desk.Subscription(offering=MOBILE_PAY_AS_YOU_GO, valid_from_ms=DAY_MS - 1)]),
)
SOURCES = """
sources:
  - {source: gx, folder: FOLDER/gx, files: "*.cdr", format: gx-voice, whole: {companion: .ok}}
  - {source: pgw, folder: FOLDER/pgw, files: "*.json", format: pgw-data, whole: {not_ending: .tmp}}
"""


class Switches:
    """Writes files as switches do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plant = folder / "plant"
        copytree(FORMATS, self.plant / "formats")
        (self.plant / "sources.yaml").write_text(SOURCES.replace("FOLDER", str(folder)), encoding="utf-8")
        for name in ("gx", "pgw"):
            (folder / name).mkdir()

    def gx(self, name: str, lines: list[str], count: int | None = None, *, finished: bool = True) -> None:
        """Write a file of calls, and beside it what says that it is finished."""
        text = "\n".join(("# calls", *lines, f"END {len(lines) if count is None else count:06}", ""))
        (self.folder / "gx" / name).write_text(text, encoding="gb18030")
        if finished:
            (self.folder / "gx" / f"{name}.ok").touch()

    def pgw(self, name: str, lines: list[str]) -> None:
        """Write a file of data volumes."""
        (self.folder / "pgw" / name).write_text("\n".join(lines), encoding="utf-8")


def call(serial: int, number: str, seconds: int = 61, cause: str = "released") -> str:
    """One line of a finished call."""
    began = datetime.fromtimestamp(DAY_MS / 1_000 + serial, ZoneInfo("Asia/Shanghai")).strftime("%Y%m%d%H%M%S")
    return f"{serial},{number},13800000000,{began},{seconds},{cause}"


def volume(serial: int, number: str, kib: int) -> str:
    opened = str(DAY_MS + serial)
    return json.dumps({
        "subscriber": {"msisdn": f"86{number}F"},
        "opened": opened,
        "volume": {"kib": kib},
        "charging_id": serial,
        "sequence": 1,
    })  # fmt: skip


async def start(small: Rehearsal, *arguments: str) -> Process:
    endpoints = [word for each in small.system.endpoints for word in ("--endpoint", each)]
    asked = [*arguments, *(endpoints if arguments[0] in ("run", "recycle") else ()), "--json"]
    command = (sys.executable, "-m", "console.main", "mediation", *asked)
    return await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, cwd=ROOT)


async def mediation(small: Rehearsal, *arguments: str, status: int = 0) -> list[dict[str, object]]:
    process = await start(small, *arguments)
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == status, (out + err).decode()
    return [json.loads(line) for line in out.splitlines()]


def charged(plant_home: Path) -> dict[str, int]:
    """Give what the plant says was charged: request key → amount."""
    plant = Plant(plant_home)
    found: dict[str, int] = {}
    for batch in plant.work.batches("charged"):
        details = pl.read_parquet(plant.folder.details(batch.number))
        for key, amount in zip(details["request_key"], details["amount"], strict=True):
            found[key] = found.get(key, 0) + amount
    plant.close()
    return found


def uses(plant_home: Path) -> int:
    """Count what the plant says was charged."""
    plant = Plant(plant_home)
    count = sum(batch.charged for batch in plant.work.batches("charged"))
    plant.close()
    return count


async def test_every_use_in_the_files_is_charged_once_whatever_the_files_do(tmp_path: Path) -> None:
    async with rehearse(tmp_path / "system", SHAPE) as small:
        switches = Switches(tmp_path)
        home = str(switches.plant)
        numbers = [account.account_id.removeprefix("msisdn:86") for account in small.mobiles()[:4]]
        stranger = f"{numbers[0][:-4]}9999"
        assert f"msisdn:86{stranger}" not in {each.identity for each in small.country.people.subscribers()}
        calls = [call(serial, numbers[serial % 4]) for serial in range(40)]
        switches.gx("1.cdr", [*calls, calls[3], call(90, numbers[0], cause="busy")])
        switches.gx("2.cdr", [*calls, calls[3], call(90, numbers[0], cause="busy")])
        switches.gx("3.cdr", [calls[5], call(5, numbers[1], seconds=600), call(91, numbers[0])])
        switches.gx("4.cdr", [call(92, numbers[0])], count=2)
        switches.gx("5.cdr", [call(93, numbers[0])], finished=False)
        switches.pgw("1.json", [volume(1, numbers[2], 4096), volume(2, stranger, 100), "{nonsense"])
        await mediation(small, "check", home)
        (first,) = await mediation(small, "run", home)
        assert first["posted"]["charged"] == 42
        waiting = await mediation(small, "suspense", home)
        assert sorted((row["file"], row["reason"]) for row in waiting) == [
            ("1.json", "IDENTITY_UNKNOWN"),
            ("1.json", "RECORD_MALFORMED"),
            ("3.cdr", "RECORD_CONFLICT"),
        ]
        proofs = {row["file"]["name"]: row for row in await mediation(small, "proof", home)}
        one, three, four = proofs["1.cdr"], proofs["3.cdr"], proofs["4.cdr"]
        assert "2.cdr" not in proofs, "the same bytes under another name are the same file"
        assert (one["records"], one["charged"], one["duplicates"], one["dropped"]) == (42, 40, 1, 1)
        assert (three["charged"], three["duplicates"], three["suspended"]) == (1, 1, 1)
        assert (four["file"]["state"], four["file"]["reason"]) == ("held", "FILE_NOT_WHOLE")
        # A second look takes nothing and charges nothing.
        (second,) = await mediation(small, "run", home)
        assert (second["posted"]["charged"], second["decoded"]) == (0, 0)
        # The subscriber was opened, and the switch writes the file that it cut short again.
        await small.client.open_account(f"msisdn:86{stranger}", ACCOUNT)
        switches.gx("4.cdr", [call(92, numbers[0])])
        switches.gx("5.cdr", [call(93, numbers[0])])
        (again,) = await mediation(small, "recycle", home)
        assert (again["again"], again["posted"]["charged"]) == (1, 1)
        (third,) = await mediation(small, "run", home)
        assert third["posted"]["charged"] == 2
        await mediation(small, "proof", home)
        assert uses(switches.plant) == 45
        verdict = await small.verdict(charged(switches.plant))
        assert verdict.holds, verdict


async def test_a_line_that_is_killed_anywhere_loses_and_doubles_nothing(tmp_path: Path) -> None:
    async with rehearse(tmp_path / "system", SHAPE) as small:
        switches = Switches(tmp_path)
        home = str(switches.plant)
        numbers = [account.account_id.removeprefix("msisdn:86") for account in small.mobiles()[:20]]
        for name in range(10):
            serials = range(name * 200, name * 200 + 220)  # The last twenty come again in the next file.
            switches.gx(f"{name}.cdr", [call(serial, numbers[serial % 20]) for serial in serials])
        chance = random.Random(17)
        deaths = 0
        for _ in range(12):
            process = await start(small, "run", home)
            try:
                await asyncio.wait_for(process.communicate(), chance.uniform(0.6, 2.0))
            except TimeoutError:
                process.kill()
                await process.communicate()
                deaths += 1
        await mediation(small, "run", home)
        await mediation(small, "proof", home)
        assert (uses(switches.plant), deaths > 2) == (2_020, True)
        await gathered_by_the_dying(small, tmp_path, chance)
        await mediation(small, "proof", home, "--details", str(tmp_path / "details"))
        verdict = await small.verdict(charged(switches.plant))
        assert verdict.holds, verdict


async def gathered_by_the_dying(small: Rehearsal, folder: Path, chance: random.Random) -> None:
    """Gather details by commands that are killed anywhere, and find them to be what was journaled."""
    home, data = str(folder / "details"), ("--directory", small.system.layout.directory)
    for _ in range(3):
        process = await details("gather", home, *data)
        try:
            await asyncio.wait_for(process.communicate(), chance.uniform(1.0, 2.5))
        except TimeoutError:
            process.kill()
            await process.communicate()
    for asked in (("gather", home), ("check", home, "--journals")):
        process = await details(*asked, *data)
        out, err = await process.communicate()
        assert process.returncode == 0, (out + err).decode()
    process = await details("sums", home, "--by", "service")
    out, _ = await process.communicate()
    (row,) = [json.loads(line) for line in out.splitlines()]
    assert (row["service"], row["rows"], row["currency"]) == ("voice", 2_020, "CNY")


async def details(*arguments: str) -> Process:
    command = (sys.executable, "-m", "console.main", "details", *arguments, "--json")
    return await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, cwd=ROOT)


async def test_files_behind_a_server_that_breaks_and_a_line_that_is_killed_are_charged_once(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}")
    chance = random.Random(seed)
    faults = Faults()
    async with rehearse(tmp_path / "system", SHAPE) as small, sftp_yard(tmp_path, faults) as yard:
        switches = Switches(tmp_path)
        home = str(switches.plant)
        source = SOURCES.replace("FOLDER", "").replace("{source:", f"{{server: {yard.written(switches.plant)}, source:")
        (switches.plant / "sources.yaml").write_text(source, encoding="utf-8")
        numbers = [account.account_id.removeprefix("msisdn:86") for account in small.mobiles()[:20]]
        for name in range(8):
            serials = range(name * 60, name * 60 + 70)  # The last ten come again in the next file.
            # Two of them are large enough to be gone on with.
            unanswered = [call(10_000 + name, numbers[0], cause="busy")] * (30_000 if name % 4 == 1 else 1)
            switches.gx(f"{name}.cdr", [*unanswered, *(call(serial, numbers[serial % 20]) for serial in serials)])
        for _ in range(8):
            faults.break_after, faults.times = chance.randrange(1_500_000), chance.randrange(4)
            process = await start(small, "run", home)
            try:
                await asyncio.wait_for(process.communicate(), chance.uniform(0.6, 3.0))
            except TimeoutError:
                process.kill()
                await process.communicate()
        faults.times = 0
        await mediation(small, "run", home)
        await mediation(small, "proof", home)
        (row,) = [row for row in await mediation(small, "sources", home) if row["source"] == "gx"]
        assert (row["state"], row["files"]) == ("well", 8)
        assert uses(switches.plant) == 490
        verdict = await small.verdict(charged(switches.plant))
        assert verdict.holds, verdict
