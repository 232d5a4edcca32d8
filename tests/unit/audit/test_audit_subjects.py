"""The audit of what a slot holds besides accounts: what is sound has no finding, and each kind of forgery is found."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import Raw
from msgspec.msgpack import encode
from msgspec.structs import replace
from typer.testing import CliRunner

from audit.journals import audit_journal
from business.billing.actions import CompleteRun, OpenRun
from business.billing.events import RunCompleted
from business.billing.kind import BILL_RUNS
from business.billing.periods import Period
from business.subjects import pack_subject, unpack_subject
from charging.ledger.entry import Entry
from charging.ledger.outcome import Done, unpack_outcome
from charging.wire import pack
from console.operations.audit import app as audit_app
from directory.changes import Domain, NumberPlan, UnitAddress
from directory.directory import Directory
from domainservers.base.limits import Limits
from domainservers.slot.slot import Slot
from evidence.seals import open_sealed
from house.stores import STORES
from tests.unit.audit.forging import plant
from tests.unit.audit.sound import audited, owned, ref, ring_of
from tests.unit.audit.test_audit import rewrite
from tests.unit.domainservers.room import ALICE, NOW_MS, Clock, charge, do, opening, until
from tests.unit.domainservers.subjects_room import HOUR_MS, RUNS, tell

PERIOD = Period(2026 * 12 + 8, 1)
ALONE = Limits(snapshot_entries=1, deltas_max=0)
"""Each state is written as a record of its own."""


def written_down(slot: Slot) -> bool:
    """Go on writing snapshots; gives whether all of them are there."""
    slot.tend()
    return slot.parts.writing.durable_seq == slot.parts.journal.head.seq


async def billed(folder: Path) -> str:
    """Make a unit in which runs were opened, refused and completed beside an account."""
    url = f"sqlite://{folder}/unit.db"
    await STORES.migrate(url)
    unit = await open_sealed(STORES, url, ring_of(url))
    async with owned(unit, "GD/0", ring_of(url), ALONE, Clock()) as slot:
        await do(slot, "open", opening())
        for period, key in ((PERIOD, "1"), (PERIOD.next, "2")):
            until_ms = NOW_MS + HOUR_MS
            await tell(slot, f"open-{key}", OpenRun(period, "direct", 1, until_ms))
            await tell(slot, f"again-{key}", OpenRun(period, "direct", 1, until_ms))
            await tell(slot, f"done-{key}", CompleteRun(period))
            slot.tend()
        await until(lambda: written_down(slot))
        await do(slot, "call", charge(300))  # The round of it writes alone what those before it had together.
        await until(lambda: written_down(slot))
    await unit.close()
    return url


async def test_sound_runs_have_no_finding_and_are_counted(tmp_path: Path) -> None:
    url = await billed(tmp_path)
    report = await audited(url)
    assert report.findings == []
    assert (report.accounts, report.subjects, report.refusals) == (1, 1, 2)
    assert report.snapshots >= 2
    followed = await audit_journal(ref(url, "GD/0"), RUNS, lambda _: None, 10)
    assert followed.account is None
    assert followed.subject is not None
    assert (followed.subject.entries, followed.subject.refusals) == (6, 2)
    assert followed.lines[-1].notices == ("run of 2026-10/1 completed, early",)
    assert (await audited(url, only=ALICE)).subjects == 0


def late(entry: Entry) -> Entry:
    facts = (Raw(encode(RunCompleted(PERIOD, "late", NOW_MS))),)
    return replace(entry, facts=facts) if entry.key == "done-1" else entry


def told_otherwise(entry: Entry) -> Entry:
    if entry.key != "done-1":
        return entry
    done = unpack_outcome(entry.outcome)
    assert isinstance(done, Done)
    subject = unpack_subject(done.detail or b"")
    other = pack_subject(replace(subject, version=9))
    return replace(entry, outcome=Raw(pack(replace(done, detail=other))))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (late, "entry done-1 tells another state than it leads to"),
        (told_otherwise, "entry done-1 tells another state than it leads to"),
        (lambda entry: None if entry.key == "done-1" else entry, "entry open-2 says version 3 where 1 was before"),
        (lambda entry: replace(entry, key="open-1") if entry.key == "done-1" else entry, "key open-1 has two entries"),
        (lambda entry: replace(entry, facts=()) if entry.key == "done-1" else entry, "yet tells a refusal"),
        (
            lambda entry: replace(entry, facts=(Raw(encode(["merged", 1])),)) if entry.key == "done-1" else entry,
            "entry done-1 can't be replayed",
        ),
        (
            lambda entry: replace(entry, account_id="tickets:GD/0") if entry.key == "done-1" else entry,
            "this version knows no such kind of subject",
        ),
    ],
)
async def test_a_forged_entry_of_runs_is_found(
    tmp_path: Path, change: Callable[[Entry], Entry | None], sentence: str
) -> None:
    url = await billed(tmp_path)
    await rewrite(url, change)
    findings = (await audited(url)).findings
    assert any(sentence in finding for finding in findings), findings
    assert not any(finding.startswith(ALICE) for finding in findings)


async def test_a_forged_snapshot_of_runs_is_found(tmp_path: Path) -> None:
    url = await billed(tmp_path)
    where = f"collection = 'account' AND key = '{RUNS}'"

    def forged(value: bytes) -> bytes:
        subject = unpack_subject(value)
        state = BILL_RUNS.state(subject)
        assert state is not None
        return pack_subject(replace(subject, state=Raw(encode(replace(state, runs=state.runs[:1])))))

    plant(url, where, lambda old: replace(old, value=forged(old.value or b"")))
    assert f"{RUNS}: its snapshot is not what the journal says" in (await audited(url)).findings


async def test_the_command_audits_the_runs_of_a_slot_and_shows_what_happened(tmp_path: Path) -> None:
    url = await billed(tmp_path)
    where = f"sqlite://{tmp_path}/directory.db"
    await STORES.migrate(where)
    unit = await STORES.open(where)
    log = await Directory.open(unit, ring=ring_of(where))
    domain = Domain("GD", "Guangdong", "Asia/Shanghai", 1, "private", "private")
    await log.amend([UnitAddress("private", url), domain, NumberPlan({"86138": "GD"})], "country", "test")
    await log.close()
    await unit.close()
    result = await asyncio.to_thread(CliRunner().invoke, audit_app, (RUNS, "--lines", "9", "--directory", where))
    assert result.exit_code == 0, result.output
    assert "subject billruns:GD/0 in GD/0: 6 entries, 2 refusals" in result.output
    assert "version 4; " in result.output
    assert "run of 2026-10/1 completed, early" in result.output
    assert "RUN_OPEN" in result.output
