"""Files that come late: uses of cycles long past, and parts of a call that was charged, through the line and rated anew
by commands that are killed, once.
"""

import asyncio
import random
import sqlite3
from pathlib import Path

import msgspec
import pytest
from onetier.v1 import service_desk_pb2 as desk

from charging.base.account import Account
from charging.base.buckets import MONEY_IN
from charging.base.lateness import LATE_MS_MAX
from cluster.system import Shape
from country.offers import MOBILE_PAY_AS_YOU_GO
from testkit.rehearsal import DAY_MS, Rehearsal, rehearse
from tests.cluster.commanding import done, start
from tests.unit.mediation.test_assembling import FORMAT

pytestmark = [pytest.mark.processes, pytest.mark.timeout(480)]
SHAPE = Shape(domain_servers=1, app_servers=1, feeds=0)
LONG_AGO_MS = DAY_MS - LATE_MS_MAX - 3 * 86_400_000
SOURCE = "sources:\n  - {source: s, folder: FOLDER, format: calls, whole: {not_ending: .tmp}}\n"
ACCOUNT = desk.OpenAccount(
    payment_mode="postpaid",
    credit_limit=100_000_000,
    contract=desk.Contract(
        subscriptions=[desk.Subscription(offering=MOBILE_PAY_AS_YOU_GO, valid_from_ms=LONG_AGO_MS - 1)]
    ),
)


class Late:
    """A plant, details, and the commands of both."""

    def __init__(self, folder: Path, small: Rehearsal) -> None:
        self.files, self.plant, self.details = folder / "in", folder / "plant", folder / "details"
        self.files.mkdir()
        (self.plant / "formats").mkdir(parents=True)
        (self.plant / "formats" / "calls.yaml").write_text(FORMAT + "  wait_h: 1\n", "utf-8")
        (self.plant / "sources.yaml").write_text(SOURCE.replace("FOLDER", str(self.files)), "utf-8")
        self._desk = tuple(word for each in small.system.endpoints for word in ("--endpoint", each))
        self.where = ("--directory", small.system.layout.directory)

    def file(self, name: str, *lines: str) -> None:
        (self.files / name).write_text("".join(f"{line}\n" for line in lines), "utf-8")

    async def run(self) -> list[dict[str, object]]:
        return await done("mediation", "run", str(self.plant), *self._desk)

    def wait_no_longer(self) -> None:
        """Say that the time is up for calls that wait for parts."""
        base = sqlite3.connect(self.plant / "ledger.sqlite")
        with base:
            base.execute("UPDATE parts SET until_ms = 1 WHERE batch = 0")
        base.close()

    @property
    def rerate(self) -> tuple[str, ...]:
        return ("mediation", "rerate", str(self.details), "--late", *self.where, *self._desk)

    async def gather(self) -> None:
        await done("details", "gather", str(self.details), *self.where)


def call(number: str, serial: int, began_ms: int, seconds: int) -> str:
    return f"{number},13800000000,{serial},,{began_ms // 1_000},{seconds},released"


def part(number: str, serial: int, at: int, began_ms: int, seconds: int, *, last: bool = False) -> str:
    cause = "released" if last else "partial"
    return f"{number},13800000000,{serial},{at},{began_ms // 1_000},{seconds},{cause}"


async def owed(small: Rehearsal, number: str) -> int:
    view = await small.client.balance(f"msisdn:86{number}")
    return -next(book.amount for book in view.books if book.book_id == "main")


async def test_late_files_cost_what_one_pass_would_once(tmp_path: Path) -> None:
    async with rehearse(tmp_path / "system", SHAPE) as small:
        late = Late(tmp_path, small)
        numbers = ("18600000001", "18600000002")
        for who in numbers:
            await small.client.open_account(f"msisdn:86{who}", ACCOUNT, request_key=f"open-{who}")
        # The first half of each call is charged alone: two minutes of 0.25.
        late.file("1.csv", *(part(who, 1, 1, DAY_MS, 100) for who in numbers))
        await late.run()
        late.wait_no_longer()
        await late.run()
        assert [await owed(small, who) for who in numbers] == [500_000, 500_000]
        # The second halves come, and calls of a cycle whose counters are kept no more.
        late.file("2.csv", *(part(who, 1, 2, DAY_MS + 100_000, 200, last=True) for who in numbers))
        late.file("3.csv", *(call(who, 2, LONG_AGO_MS, 61) for who in numbers))
        (ran,) = await late.run()
        posted = ran["posted"]
        assert isinstance(posted, dict)
        assert (posted["charged"], posted["set_aside"], posted["suspended"]) == (4, 4, 0)
        assert [await owed(small, who) for who in numbers] == [500_000, 500_000], "at no price so far"
        await late.gather()
        waits = await done("mediation", "late", str(late.details))
        assert len({str(each["account_id"]) for each in waits}) == 2
        assert len(waits) == 4, "the month of the calls, and that of long ago, of each"
        chance = random.Random(55)
        for _ in range(3):
            process = await start(*late.rerate, "--json")
            try:
                await asyncio.wait_for(process.communicate(), chance.uniform(1.5, 3.5))
            except TimeoutError:
                process.kill()
                await process.communicate()
        await done(*late.rerate)
        after = [await owed(small, who) for who in numbers]
        assert await done("mediation", "late", str(late.details)) == []
        assert await done(*late.rerate) == []
        assert [await owed(small, who) for who in numbers] == after, "twice has no effect"
        proofs = await done("mediation", "proof", str(late.plant), "--details", str(late.details))
        assert sum(int(str(row["set_aside"])) for row in proofs) == 4
        await done("details", "check", str(late.details), "--journals", *late.where)
        for who, owes in zip(numbers, after, strict=True):
            # Five minutes as one call; two of a closed cycle, which stand in the open one with their origin.
            call_now, long_ago = await billed(small, who)
            assert (call_now, call_now + long_ago) == (1_250_000, owes)
            assert 0 < long_ago <= 500_000
        await taken_back(late, small, numbers[0], after[0])


async def taken_back(late: Late, small: Rehearsal, number: str, before: int) -> None:
    """What a job priced waits again when it is taken back, and the next job prices it once more."""
    late.file("4.csv", call(number, 3, LONG_AGO_MS + 600_000, 61))
    await late.run()
    told = await done(*late.rerate)
    after = await owed(small, number)
    assert after > before
    await done("mediation", "rollback", str(late.details), str(told[0]["job"]), "--reason", "wrong", *late.rerate[4:])
    assert await owed(small, number) == before
    (waiting,) = await done("mediation", "late", str(late.details))
    assert waiting["reason"] == "JOB_TAKEN_BACK"
    await done(*late.rerate)
    assert await owed(small, number) == after
    assert await done("mediation", "late", str(late.details)) == []


async def billed(small: Rehearsal, number: str) -> tuple[int, int]:
    """Give what the open cycle has of its own, and what of earlier ones."""
    account = await small.client.frozen(f"msisdn:86{number}", channel="front")
    buckets = msgspec.msgpack.decode(account.account, type=Account).buckets
    usage = [pair for pair in zip(buckets.keys, buckets.amounts, strict=True) if pair[0].item[:1] != MONEY_IN]
    return sum(amount for key, amount in usage if not key.origin), sum(amount for key, amount in usage if key.origin)
