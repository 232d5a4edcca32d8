"""A private unit moves to another address while its subscribers are charged: nothing lost, nothing doubled."""

import asyncio
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import pytest

from audit import proof
from audit.national import Sources, audit_country
from cluster.layout import journals_of, keys_of
from cluster.system import Shape
from evidence.keyfile import ring_at
from evidence.places import anchors_folder
from onetier_client import requests
from testkit.rehearsal import DAY_MS, rehearse

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]
ROOT = Path(__file__).parents[2]


async def test_a_private_unit_moves_under_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONETIER_UNIT_FOLDERS", str(tmp_path))
    async with rehearse(tmp_path, Shape()) as small:
        identity = next(account for account in small.mobiles() if account.domain == "GD").account_id
        await small.client.top_up(identity, 10_000_000_000)
        told: dict[str, int] = {}
        stop = asyncio.Event()

        async def keep_charging() -> None:
            number = 0
            while not stop.is_set():
                facts = {
                    "request_key": f"move-{number}",
                    "event_time_ms": DAY_MS + number,
                    "other_party": "8613800000000",
                }
                request = requests.charge(identity, "voice", 61, channel="front", **facts)
                told[request.request_key] = (await small.client.ask(request)).charge.amount
                number += 1

        charging = asyncio.create_task(keep_charging())
        await asyncio.sleep(0.5)
        before = len(told)
        moved_to = f"sqlite://{tmp_path}/elsewhere.db"
        mover = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "console.main", "unit", "move", "private-gd", moved_to),
            *("--directory", small.system.layout.directory),
            stdout=PIPE,
            stderr=STDOUT,
            cwd=ROOT,
        )
        out, _ = await asyncio.wait_for(mover.communicate(), 60)
        assert mover.returncode == 0, out.decode()
        during = len(told)
        await asyncio.sleep(1.0)
        stop.set()
        await asyncio.wait_for(charging, 30)
        assert 0 < before < during < len(told)
        await small.client.close()
        await small.system.supervisor.drain()
        layout = small.system.layout
        old = layout.units["private-gd"]
        before_move = await proof.count({old: ["GD/0"]})
        layout.units["private-gd"] = moved_to
        verdict = proof.compare(told, await proof.count(journals_of(layout, 1)))
        assert verdict.holds, verdict.complaints
        assert len(before_move.charged) < len(told)
        keys = keys_of(layout, small.system.supervisor.folder)
        sources = Sources(layout.directory, ring_at(keys, make=False), anchors_folder(None, keys))
        assert (await asyncio.to_thread(audit_country, sources, "", 2)).sentences == []
