"""The audit of real journals in real units: what is sound has no finding, and each kind of damage is found."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
import zstandard
from msgspec import Raw
from msgspec.msgpack import encode
from msgspec.structs import replace
from typer.testing import CliRunner

from charging.account import Account, next_mark
from charging.commands import Refund, SendTransfer
from charging.entry import Entry
from charging.events import Charged, Opened, TransferReceived, TransferSettled
from charging.transfer_commands import receive_command, settle_command
from charging.wire import BusinessData, Done, Movement, Pull, pack
from console import operate
from console.audit import JournalRef, SlotReport, audit_all, audit_journal, match_transfers, stand_of
from directory.changes import Domain, NumberPlan, UnitAddress
from directory.directory import Directory
from domainservers.accounts import COLLECTION, partition_of, unpack_account
from domainservers.deltas import Delta, load_delta
from domainservers.groups import pack_entries, unpack_entries
from domainservers.journal import Position, genesis, next_tip, read_chain
from domainservers.limits import Limits
from domainservers.recovery import recover
from domainservers.slot import Slot
from domainservers.snapshots import CHECKPOINT_COLLECTION, NEWEST, Checkpoint, load_checkpoint
from runtime.telemetry import Metrics
from storage.open import migrate, open_unit
from storage.unit import Group, Head, Record, Unit
from tests.unit.domainservers.room import ALICE, NOW_MS, Clock, ask, charge, do, opening, session_step

WEI = "msisdn:8613800000004"
SENT = f"~receive~{ALICE}~send"
NAMES = ("GD/0", "GD/1")
Change = Callable[[Entry], Entry | None]


@asynccontextmanager
async def owned(unit: Unit, name: str, limits: Limits | None = None, clock: Clock | None = None) -> AsyncIterator[Slot]:
    """Own a slot, and give it up in order."""
    permits, metrics = asyncio.Semaphore(1), Metrics("test")
    parts = await recover(name, "one#1", unit, unit, limits or Limits(), clock or Clock(), permits, lambda: 1, metrics)
    slot = Slot(parts, lambda _: None)
    yield slot
    await slot.close()


async def account_of(slot: Slot, identity: str) -> Account:
    (data,) = await ask(slot, Pull(identity))
    assert isinstance(data, BusinessData)
    return data.account


@pytest.fixture
async def url(tmp_path: Path) -> str:
    """A unit in which Alice and Wei, of two slots, have had about everything happen to them."""
    found = f"sqlite://{tmp_path}/unit.db"
    await migrate(found)
    unit = await open_unit(found)
    async with owned(unit, "GD/0") as south, owned(unit, "GD/1") as north:
        await do(south, "open", opening())
        await do(north, "open", opening(WEI), WEI)
        await do(south, "call", charge(300))
        await do(south, "refund", Refund("call", 100, "bad line"))
        await do(south, "dear", charge(99_000_000))
        await do(south, "s-0", session_step(0, 0, 500, NOW_MS + 60_000, 3))
        await do(south, "s-1", session_step(1, 200, 500, NOW_MS + 60_000, 4))
        await do(south, "send", SendTransfer("main", WEI, "main", 7_000, "gift"))
        sender = await account_of(south, ALICE)
        received = receive_command(sender, sender.outgoing[0], WEI, NOW_MS)
        assert isinstance(await do(north, received.key, received.action, WEI), Done)
        settled = settle_command(sender, sender.outgoing[0], "", NOW_MS)
        assert isinstance(await do(south, settled.key, settled.action), Done)
    await unit.close()
    return found


async def audited(url: str, name: str = "GD/0", only: str = "") -> SlotReport:
    return (await audit_journal(JournalRef(url, name), only, lambda _: None)).report


async def rewrite(url: str, change: Change, name: str = "GD/0") -> None:
    """Forge a journal of one segment: its entries changed or left out, its chain as good as new."""
    unit = await open_unit(url)
    payloads: list[bytes] = []
    async for _, groups in read_chain(unit, name, Position(0, -1, genesis(name))):
        for group in groups:
            changed = [change(entry) for entry in unpack_entries(group.payload)]
            payloads.append(pack_entries([encode(entry) for entry in changed if entry is not None]))
    await write(unit, name, payloads)
    await unit.close()


async def write(unit: Unit, name: str, payloads: list[bytes], *, tip: bytes = b"") -> None:
    """Write a journal of one segment anew; `tip` is what its head says in the end, if not the truth."""
    await unit.drop(name, 0)
    head = Head(9, "forger", -1, genesis(name), False)
    assert await unit.swap(name, 0, None, head, None) == head
    for seq, payload in enumerate(payloads):
        after = next_tip(head.tip, payload)
        wanted = Head(9, "forger", seq, tip if tip and seq == len(payloads) - 1 else after, False)
        assert await unit.swap(name, 0, head, wanted, Group(seq, payload)) == wanted
        head = wanted


async def payloads_of(unit: Unit, name: str) -> list[bytes]:
    found: list[bytes] = []
    async for _, groups in read_chain(unit, name, Position(0, -1, genesis(name))):
        found += [group.payload for group in groups]
    return found


async def test_sound_journals_have_no_finding_and_add_up(url: str) -> None:
    south, north = await audited(url), await audited(url, "GD/1")
    assert (south.findings, north.findings) == ([], [])
    assert (south.accounts, south.entries, south.refusals, south.snapshots) == (1, 8, 1, 1)
    assert (south.revenue, south.money) == (300 - 100 + 2_000, 10_000_000 - 2_200 - 7_000)
    assert north.money == 10_000_000 + 7_000
    one = await audit_journal(JournalRef(url, "GD/0"), ALICE, lambda _: None, lines_max=2)
    assert [line.key for line in one.lines] == ["send", "~settle~send"]
    assert one.account is not None
    state = one.account.report().account
    assert state is not None
    assert (state.version, state.books[0].amount, state.books[0].reserved) == (7, south.money, 5_000)


def first_book(entry: Entry, **change: int) -> Opened:
    """The opening of an account with another main book."""
    (event, *_) = entry.events
    assert isinstance(event, Opened)
    (book,) = event.account.books
    return Opened(replace(event.account, books=(replace(book, **change),)))


def cheaper(entry: Entry) -> Charged:
    (event,) = entry.events
    assert isinstance(event, Charged)
    return replace(event, postings=(("main", 200),))


def told(after: int) -> Raw:
    return Raw(pack(Done(ALICE, 2, 300, (Movement("main", "money", 10_000_000, after),))))


@pytest.mark.parametrize(
    ("which", "forge", "sentence"),
    [
        ("call", lambda entry: None, "says version 3 where 2 follows"),
        ("call", lambda entry: replace(entry, version=9), "says version 9"),
        ("refund", lambda entry: replace(entry, key="call"), "key call has two entries"),
        ("call", lambda entry: replace(entry, events=(cheaper(entry),)), "do not add up to zero"),
        ("call", lambda entry: replace(entry, outcome=told(7)), "tells movements that its events do not make"),
        ("call", lambda entry: replace(entry, outcome=Raw(b"\xc0")), "the outcome of entry call can't be read"),
        ("open", lambda entry: None, "its first entry call is not its opening"),
        (
            "~settle~send",
            lambda entry: replace(entry, events=(TransferSettled("send", True, "main", 6_999, ""),)),
            "settles a transfer of 6999 that is not under way",
        ),
        ("open", lambda entry: replace(entry, events=(first_book(entry, amount=299),)), "below its floor"),
        ("open", lambda entry: replace(entry, events=(first_book(entry, reserved=1),)), "what no open session keeps"),
    ],
)
async def test_a_forged_entry_is_found_though_the_chain_was_made_anew(
    url: str, which: str, forge: Change, sentence: str
) -> None:
    await rewrite(url, lambda entry: forge(entry) if entry.key == which else entry)
    report = await audited(url)
    assert any(sentence in finding for finding in report.findings), report.findings
    assert all(finding.startswith(ALICE) for finding in report.findings), report.findings


async def test_a_broken_chain_is_found(url: str) -> None:
    unit = await open_unit(url)
    payloads = await payloads_of(unit, "GD/0")
    await write(unit, "GD/0", [*payloads[:-1], payloads[0]], tip=b"t" * 32)
    assert any("does not add up to its tip" in finding for finding in (await audited(url)).findings)
    await write(unit, "GD/0", [*payloads[:3], b"\x91\xa4oops"])
    assert "group 3 can't be read" in (await audited(url)).findings[0]
    await unit.drop("GD/0", 0)
    lost = await audited(url)
    assert (lost.broken, lost.groups) == (True, 0)
    assert "segment 0 is missing" in lost.findings[0]
    await unit.close()


async def test_a_slot_in_which_nothing_was_ever_done_is_sound(url: str) -> None:
    report = await audited(url, "GD/7")
    assert (report.findings, report.groups, report.accounts) == ([], 0, 0)


def richer(value: bytes) -> bytes:
    state = unpack_account(value)
    return encode(replace(state, books=(replace(state.books[0], amount=99_000_000),)))


@pytest.mark.parametrize(
    ("forge", "later", "sentence"),
    [
        (richer, 0, "its snapshot is not what the journal says"),
        (lambda value: b"\xc1", 0, "its snapshot can't be read"),
        (lambda value: value, 1, "in which the journal has no entry of it"),
        (lambda value: value, -1, "its snapshot is not what the journal says"),
    ],
)
async def test_a_snapshot_that_the_journal_does_not_give_is_found(
    url: str, forge: Callable[[bytes], bytes], later: int, sentence: str
) -> None:
    await write_alone(url)
    plant(url, f"UPDATE record SET stamp = stamp + {later}, value = forge(value) WHERE key = '{ALICE}'", forge)
    report = await audited(url)
    assert report.findings[0].startswith(ALICE)
    assert sentence in report.findings[0]


async def test_a_snapshot_of_an_account_that_the_journal_does_not_know_is_found(url: str) -> None:
    await write_alone(url)
    plant(url, f"UPDATE record SET key = '{WEI}' WHERE key = '{ALICE}'", bytes)
    (finding,) = (await audited(url)).findings
    assert finding.startswith(WEI)


async def states_of(unit: Unit) -> AsyncIterator[tuple[Checkpoint, Delta, tuple[str, bytes, int]]]:
    """Give the states in the deltas of a slot, older ones first."""
    checkpoint = await load_checkpoint(unit, "GD/0")
    assert checkpoint is not None
    for delta in checkpoint.deltas:
        async for states in load_delta(unit, CHECKPOINT_COLLECTION, "GD/0", delta):
            for state in states:
                yield checkpoint, delta, state


async def write_alone(url: str) -> None:
    """Write the states that are in deltas as records of their own, and name no delta any more."""
    unit = await open_unit(url)
    async for checkpoint, _, (account_id, state, seq) in states_of(unit):
        await unit.put([Record(COLLECTION, partition_of("GD/0")(account_id), account_id, state, seq)])
        alone = encode(replace(checkpoint, deltas=()))
        await unit.put([Record(CHECKPOINT_COLLECTION, "GD/0", NEWEST, alone, 1 << 60)])
    await unit.close()


async def test_a_state_in_a_delta_that_the_journal_does_not_give_is_found(url: str) -> None:
    unit = await open_unit(url)
    async for _, delta, (account_id, state, seq) in states_of(unit):
        forged = zstandard.compress(encode([(account_id, richer(state), seq)]))
        await unit.put([Record(CHECKPOINT_COLLECTION, "GD/0", delta.name(0), forged, 1 << 60)])
    assert f"{ALICE}: its snapshot is not what the journal says" in (await audited(url)).findings
    async for _, delta, _state in states_of(unit):
        await unit.put([Record(CHECKPOINT_COLLECTION, "GD/0", delta.name(0), None, 1 << 60)])
    report = await audited(url)
    assert report.broken
    assert report.findings[0].endswith("which the checkpoint names, is missing")
    await unit.close()


def plant(url: str, statement: str, forge: Callable[[bytes], bytes]) -> None:
    """Change the file of a unit behind everybody's back."""
    with closing(sqlite3.connect(url.removeprefix("sqlite://"))) as file:
        file.create_function("forge", 1, forge)
        assert file.execute(f"{statement} AND collection = 'account'").rowcount == 1
        file.commit()


async def long_journal(url: str) -> int:
    """Charge until the first segments are gone; gives how often. Wei charged once, in a segment that is gone."""
    limits = Limits(
        snapshot_entries=10, segment_groups_max=5, outcomes_keep_ms=1_000, journal_keep_ms=1_000, kept_entries_max=1
    )
    await migrate(url)
    clock, unit = Clock(), await open_unit(url)
    async with owned(unit, "GD/0", limits, clock) as slot:
        await do(slot, "open", opening())
        await do(slot, "open", opening(WEI, 5_000), WEI)
        await do(slot, "once", charge(1, WEI), WEI)
        for number in range(60):
            clock.ms += 100
            await do(slot, f"k{number}", charge(1))
        await slot.parts.snapshots.settle()
    assert await unit.head("GD/0", 0) is None
    await unit.close()
    return 60


@pytest.mark.parametrize("since", [-1, 0, 1])
async def test_accounts_are_followed_though_their_beginning_is_gone(tmp_path: Path, since: int) -> None:
    """Alice's snapshot is older than what is left of the journal (-1), in its midst (0), or at its end (1)."""
    url = f"sqlite://{tmp_path}/unit.db"
    charges = await long_journal(url)
    if since < 1:
        await write_alone(url)
        await age_snapshot(url, midst=since == 0)
    report = await audited(url)
    assert report.findings == []
    assert (report.accounts, report.later, report.snapshots) == (2, 2, 0 if since < 0 else 1)
    assert report.money == 10_000_000 - charges + 5_000 - 1
    assert report.since_ms > NOW_MS


async def age_snapshot(url: str, *, midst: bool) -> None:
    """Put an older snapshot of Alice in place of the newest: that before the journal begins, or one in its midst."""
    unit = await open_unit(url)
    checkpoint = await load_checkpoint(unit, "GD/0")
    assert checkpoint is not None
    first, newest = checkpoint.segments[0].first_seq, checkpoint.position.seq
    seq = (first + newest) // 2 if midst else first - 1
    place = partition_of("GD/0")(ALICE)
    state = unpack_account((await unit.get(COLLECTION, place, [ALICE]))[ALICE].value)
    await unit.close()
    # Each later group held one charge of one micro-unit.
    for _ in range(newest - seq):
        state = replace(
            state, version=state.version - 1, books=(replace(state.books[0], amount=state.books[0].amount + 1),)
        )
    mark = 0
    for key in ("open", *(f"k{number}" for number in range(state.version - 1))):
        mark = next_mark(mark, key)
    value = encode(replace(state, mark=mark))
    plant(url, f"UPDATE record SET stamp = {seq}, value = forge(value) WHERE key = '{ALICE}'", lambda _: value)


async def test_damage_behind_a_lost_beginning_is_found(tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path}/unit.db"
    await long_journal(url)
    await write_alone(url)
    plant(url, f"UPDATE record SET value = forge(value) WHERE key = '{ALICE}'", richer)
    assert f"{ALICE}: its snapshot is not what the journal says" in (await audited(url)).findings
    plant(url, f"UPDATE record SET key = 'nobody' WHERE key = '{ALICE}'", bytes)
    findings = (await audited(url)).findings
    assert f"{ALICE}: neither an opening nor a snapshot shows what it began with" in findings


def half(entry: Entry, amount: int) -> Entry:
    (event,) = entry.events
    assert isinstance(event, TransferReceived)
    outcome = Done(WEI, 2, amount, (Movement("main", "money", 10_000_000, 10_000_000 + amount),))
    return replace(entry, events=(replace(event, amount=amount),), outcome=Raw(pack(outcome)))


@pytest.mark.parametrize(
    ("name", "which", "forge", "sentence"),
    [
        ("GD/1", SENT, lambda entry: None, "is told to have arrived; no journal has it"),
        ("GD/1", SENT, lambda entry: half(entry, 7_001), "of 7000 arrived as 7001"),
        ("GD/0", "send", lambda entry: None, "of 7000 arrived and was never sent"),
        ("GD/1", SENT, lambda entry: entry, ""),
    ],
)
async def test_half_a_transfer_is_found_over_journals_that_are_sound_each(
    url: str, name: str, which: str, forge: Change, sentence: str
) -> None:
    await rewrite(url, lambda entry: forge(entry) if entry.key == which else entry, name)
    refs, groups = await stand_of([JournalRef(url, each) for each in NAMES])
    assert groups == 7 + 2 + 1
    slots = [(await audit_journal(ref, "", lambda _: None)).report for ref in refs]
    match_transfers(slots)
    findings = [finding for slot in slots for finding in slot.findings if finding.startswith("transfer ")]
    assert bool(findings) == bool(sentence)
    assert not sentence or any(sentence in finding for finding in findings), findings


@pytest.fixture
async def directory(url: str, tmp_path: Path) -> str:
    """A directory in which the unit is the private one of a domain of two slots."""
    found = f"sqlite://{tmp_path}/directory.db"
    await migrate(found)
    unit = await open_unit(found)
    log = await Directory.open(unit)
    domain = Domain("GD", "Guangdong", "Asia/Shanghai", 2, "private", "private")
    await log.amend([UnitAddress("private", url), domain, NumberPlan({"86138": "GD"})], "country", "test")
    await log.close()
    await unit.close()
    return found


def onetier_audit(status: int, *arguments: str) -> str:
    result = CliRunner().invoke(operate.app, ["audit", *arguments])
    assert result.exit_code == status, result.output
    return result.output


def test_the_command_tells_an_account_with_its_movements_and_why(directory: str) -> None:
    out = onetier_audit(0, "13800000001", "--directory", directory, "--lines", "9")
    assert f"account {ALICE} in GD/0: 8 entries, 1 refusals" in out
    assert "hash chain of 8 groups holds" in out
    assert "refund bad line  0.0001 yuan by clerk  refund" in out
    assert "10.00 → 9.9997" in out
    assert "has no account" in onetier_audit(1, "13800000007", "--directory", directory)


def test_the_command_audits_a_domain_in_parallel_with_its_progress(directory: str, url: str) -> None:
    out = onetier_audit(0, "--all", "--directory", directory, "--workers", "2")
    assert "GD/0" in out
    assert "GD/1" in out
    read: list[int] = []
    refs, groups = asyncio.run(stand_of([JournalRef(url, name) for name in NAMES]))
    assert [report.findings for report in audit_all(refs, 2, read.append)] == [[], []]
    assert sum(read) == groups
    assert "no such domain" in onetier_audit(2, "--all", "--domain", "XX", "--directory", directory)


def test_the_command_fails_with_a_line_for_each_finding(directory: str, url: str) -> None:
    asyncio.run(rewrite(url, lambda entry: None if entry.key == SENT else entry, "GD/1"))
    out = onetier_audit(1, "--all", "--directory", directory)
    assert f"transfer {SENT} of 7000 is told to have arrived; no journal has it" in out
    assert f"{WEI}: its snapshot is said to be of group 1, in which the journal has no entry of it" in out
    assert "snapshot" in onetier_audit(1, WEI, "--directory", directory)
    assert onetier_audit(0, ALICE, "--directory", directory)
