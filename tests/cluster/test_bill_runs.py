"""Bill runs as operators run them, on separate processes: by the console, through kills and a move, and audited."""

import asyncio
import sys
from asyncio.subprocess import PIPE, STDOUT
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from onetier.v1 import billing_pb2 as pb
from onetier.v1.billing_pb2_grpc import BillingServiceStub

from appserver.billing.bills import bill_told
from audit.journals import JournalRef, audit_journal
from audit.national import Audited, Sources, audit_country
from business.billing.kind import BILL_RUNS, subject_of
from business.billing.periods import Period
from cluster.layout import keys_of
from cluster.system import Shape
from console.operations.billing_calls import BillsCaller
from console.operations.billing_opening import RunOpening, open_runs
from documents.jsonform import from_json
from evidence.keyfile import ring_at
from evidence.places import anchors_folder
from onetier_client.requests import top_up
from runtime.channel import open_channel
from testkit.rehearsal import Rehearsal, rehearse

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]
ROOT = Path(__file__).parents[2]
TODAY = datetime.now(UTC) - timedelta(days=1)
LAST = Period(TODAY.year * 12 + TODAY.month - 2, 1)
"""The newest period that is surely over in every region."""
UNTIL = (datetime.now(UTC) + timedelta(hours=6)).isoformat(timespec="seconds")
LATER = (datetime.now(UTC) + timedelta(hours=7)).isoformat(timespec="seconds")


async def billing(small: Rehearsal, *arguments: str, status: int = 0) -> str:
    """Run `onetier billing`, and expect an exit status."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "console.main", "billing", *arguments, "--endpoint", small.system.endpoints[0]),
        stdout=PIPE,
        stderr=STDOUT,
        cwd=ROOT,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == status, out.decode()
    return out.decode()


async def kill_all_owners(small: Rehearsal, first: int = 7) -> None:
    """Kill every domain server, and start as many again, numbered from `first`: each is another process."""
    servers = small.system.domain_servers
    for process in servers:
        process.kill()
        await process.wait()
    servers[:] = [await small.system.start_process("domainserver", first + number) for number in range(len(servers))]


async def test_a_run_outlives_its_owners_and_a_move_and_is_audited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONETIER_UNIT_FOLDERS", str(tmp_path))
    run = f"GD/0:{LAST}"
    async with rehearse(tmp_path, Shape(datacenters=1, domain_servers=2, app_servers=1)) as small:
        opened = await billing(small, "open", "GD", str(LAST), "--mode", "direct", "--until", UNTIL, "--key", "open-1")
        assert run in opened
        assert "done in 1 of 1 slots; request key open-1" in opened
        assert "RUN_OPEN" in await billing(small, "open", "GD", str(LAST), "--until", UNTIL, status=1)
        early = await billing(small, "open", "GD", str(LAST.next.next), "--until", UNTIL, status=1)
        assert "PERIOD_NOT_OVER" in early or "CYCLE_BUSY" in early
        assert "RUN_UNKNOWN" in await billing(small, "complete", "BJ", str(LAST), status=1)
        await kill_all_owners(small)
        again = await billing(small, "open", "GD", str(LAST), "--mode", "direct", "--until", UNTIL, "--key", "open-1")
        assert "1 of them as told before" in again
        assert "REQUEST_KEY_REUSED" in await billing(
            small, "open", "GD", str(LAST), "--until", UNTIL, "--key", "open-1", status=1
        )
        await move(small, tmp_path)
        trial = await billing(small, "run", "GD", str(LAST), "--trial")
        running = asyncio.create_task(billing(small, "run", "GD", str(LAST), "--page", "3"))
        await asyncio.sleep(1.5)
        await kill_all_owners(small, 11)
        completed = await running
        assert "completed, early" in completed
        assert sums(completed) == sums(trial)
        assert "RUN_COMPLETED" in await billing(small, "run", "GD", str(LAST), status=1)
        assert run in await billing(small, "list", "GD")
        shown = await billing(small, "show", run)
        assert f"run of {LAST} completed, early" in shown
        assert f"run of {LAST} opened, direct" in shown
        assert "open_bill_run refused: RUN_OPEN" in shown
        await print_one(small)
        await small.client.close()
        await small.system.supervisor.drain()
        await audit(small, tmp_path)


def sums(told: str) -> list[str]:
    """The amounts that a run tells."""
    return [line for line in told.splitlines() if "to pay" in line]


async def print_one(small: Rehearsal) -> None:
    """Print the first bill that an account of GD got: with names of the catalogue and all that was charged."""
    channel = open_channel(small.system.endpoints[0])
    stub = BillingServiceStub(channel)
    found: list[pb.Bill] = []
    for account in small.country.people.accounts:
        if account.domain == "GD" and not found:
            request = pb.ReadBillsRequest(identity=account.members[0].identity, channel="front")
            found += (await stub.ReadBills(request)).bills
    await channel.close()
    bill = found[0]
    places = ["--datacenter", small.system.datacenters[0].address, "--directory", small.system.layout.directory]
    told = await billing(small, "document", bill.account_id, bill.period, "--details", "--json", *places)
    made = from_json(told.encode())
    assert bill_told(made.bill) == bill
    assert made.names["voice"] == "移动语音"
    assert made.details
    assert sum(each.amount for each in made.details) == bill.gross


async def move(small: Rehearsal, folder: Path) -> None:
    """Move the private unit of GD while its slots are served."""
    mover = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "console.main", "unit", "move", "private-gd", f"sqlite://{folder}/elsewhere.db"),
        *("--directory", small.system.layout.directory),
        stdout=PIPE,
        stderr=STDOUT,
        cwd=ROOT,
    )
    out, _ = await asyncio.wait_for(mover.communicate(), 60)
    assert mover.returncode == 0, out.decode()


async def audit(small: Rehearsal, folder: Path) -> None:
    """Audit the whole country, then the runs of one slot."""
    layout, keys = small.system.layout, keys_of(small.system.layout, small.system.supervisor.folder)
    ring = ring_at(keys, make=False)
    sources = Sources(layout.directory, ring, anchors_folder(None, keys))
    found = await asyncio.to_thread(audit_country, sources, "", 1)
    assert found.sentences == []
    assert {slot.name: slot.subjects for slot in found.slots if slot.subjects} == {"GD/0": 1}
    ref = JournalRef(f"sqlite://{folder}/elsewhere.db", "GD/0", ring=ring)
    followed = await audit_journal(ref, subject_of("GD/0"), lambda _: None, 10)
    assert followed.report.findings == []
    assert followed.subject is not None
    assert followed.subject.state is not None
    state = BILL_RUNS.state(followed.subject.state)
    assert state is not None
    assert [(run.period, run.state, run.mode) for run in state.runs] == [(LAST, "completed", "direct")]
    assert [line.kind for line in followed.lines].count("open_bill_run") >= 3


async def test_money_waits_in_a_staged_run_and_the_books_are_held_to_their_backup(tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    until = ("--until", UNTIL)
    async with rehearse(tmp_path / "data", Shape(datacenters=1, domain_servers=1, app_servers=1)) as small:
        payer = next(one for one in small.mobiles() if one.domain == "GD" and one.cycle_day == 1).members[0].identity
        await billing(small, "plan", "GD", str(LAST), "--from", UNTIL, "--until", LATER, "--mode", "staged")
        unknown = await billing(small, "open", "GD", str(LAST), *until, "--mode", "overnight", status=1)
        assert "RUN_MODE_UNKNOWN" in unknown
        channel = open_channel(small.system.endpoints[0])
        until_ms = int(datetime.fromisoformat(UNTIL).timestamp() * 1000)
        opening = RunOpening("GD", [0], str(LAST), "", until_ms, folder)
        await open_runs(BillingServiceStub(channel), opening, BillsCaller(channel="front"))
        await channel.close()
        before = await small.client.balance(payer)
        done = await small.client.execute(payer, top_up(30_000_000), request_key="in-the-run")
        assert list(done.notices) == ["staged"]
        during = await small.client.balance(payer)
        assert (during.real, during.staged) == (before.real, 30_000_000)
        assert during.available == before.available + 30_000_000
        assert "in-the-run" in await billing(small, "staged", "GD")
        billed = await billing(small, "run", "GD", str(LAST), "--backup", str(folder))
        assert "completed, early" in billed
        assert len(list(folder.iterdir())) == 1
        while "nothing waits" not in await billing(small, "staged", "GD"):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
        assert (await small.client.balance(payer)).staged == 0
        await small.client.close()
        await small.system.supervisor.drain()
        assert (await reconciled(small, folder)).sentences == []
        (file,) = folder.iterdir()
        file.chmod(0o600)
        file.write_bytes(file.read_bytes().replace(b'"money",', b'"money",1', 1))
        told = (await reconciled(small, folder)).sentences
        assert any("no run was opened with the backup" in each for each in told)
        assert any("is missing" in each for each in told)
        assert any("were moved since" in each for each in told)


async def reconciled(small: Rehearsal, folder: Path) -> Audited:
    """Reconcile the country with the backups of a folder."""
    layout = small.system.layout
    ring = ring_at(keys_of(layout, small.system.supervisor.folder), make=False)
    sources = Sources(layout.directory, ring, None, backups=folder)
    return await asyncio.to_thread(audit_country, sources, "GD", 1)
