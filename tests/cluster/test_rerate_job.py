"""A catalogue is corrected: what if, rated anew by commands that are killed anywhere, twice, and taken back."""

import asyncio
import random
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from cluster.system import Shape
from details.store import DetailStore
from onetier_client import requests
from testkit.rehearsal import DAY_MS, Rehearsal, rehearse
from tests.cluster.commanding import done, start
from tests.cluster.pricing import corrected

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]
SHAPE = Shape(domain_servers=1, app_servers=1, feeds=0)


async def main_book(small: Rehearsal, identity: str) -> int:
    view = await small.client.balance(identity)
    return int(next(book.amount for book in view.books if book.book_id == "main"))


async def test_a_corrected_catalogue_costs_what_one_pass_would(tmp_path: Path) -> None:
    async with rehearse(tmp_path / "system", SHAPE) as small:
        people = [account.account_id for account in small.mobiles()][:8]
        asked = [
            requests.charge(who, "voice", 120, channel="front", request_key=f"c-{who}-{call}",
                            event_time_ms=DAY_MS + call * 1_000, other_party="8613800000000")
            for who in people for call in range(3)
        ]  # fmt: skip
        for request in asked:
            assert (await small.client.ask(request)).HasField("charge")
        before = {who: await main_book(small, who) for who in people}
        home, draft = str(tmp_path / "details"), corrected(tmp_path)
        where = ("--directory", small.system.layout.directory)
        desk = tuple(word for each in small.system.endpoints for word in ("--endpoint", each))
        cycle = ("--cycle", datetime.fromtimestamp(DAY_MS / 1_000, UTC).strftime("%Y-%m"))
        await done("details", "gather", home, *where)
        tried = await done("mediation", "what-if", home, str(draft), *cycle, "--by", "region", *where, *desk)
        total = tried[-1]["total"]
        assert isinstance(total, dict)
        assert tried[-1]["left_out"] == 0
        assert {who: await main_book(small, who) for who in people} == before, "nothing was posted"
        publishing = await start("catalog", "publish", str(draft), "--datacenter", small.system.datacenters[0].address)
        assert await publishing.wait() == 0
        job = ("mediation", "rerate", home, *cycle, "--reason", "price corrected", *where, *desk)
        chance = random.Random(3)
        for _ in range(3):
            process = await start(*job)
            try:
                await asyncio.wait_for(process.communicate(), chance.uniform(2.0, 4.0))
            except TimeoutError:
                process.kill()
                await process.communicate()
        await done(*job)
        after = {who: await main_book(small, who) for who in people}
        assert sum(before.values()) - sum(after.values()) == total["after"] - total["before"] > 0
        again = await done(*job)
        assert {row["outcome"]["status"] for row in again} == {"same"}, again  # type: ignore[index]
        assert {who: await main_book(small, who) for who in people} == after
        await done("details", "check", home, "--journals", *where)
        for number in jobs_of(home):
            await done("mediation", "rollback", home, str(number), "--reason", "was right before", *where, *desk)
            await done("mediation", "rollback", home, str(number), "--reason", "was right before", *where, *desk)
        assert {who: await main_book(small, who) for who in people} == before


def jobs_of(home: str) -> list[int]:
    """Find the jobs that restated somebody."""
    store = DetailStore(Path(home))
    keys = store.frame().filter(pl.col("kind") == "restated").select("key").unique().collect()["key"].to_list()
    store.close()
    return sorted({int(key.split(":")[1]) for key in keys})
