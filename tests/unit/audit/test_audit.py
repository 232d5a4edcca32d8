"""The audit of real journals in real units: what is sound has no finding, and each kind of damage is found."""

import asyncio
from pathlib import Path

import pytest
from msgspec import Raw
from msgspec.msgpack import decode, encode
from msgspec.structs import replace
from typer.testing import CliRunner

from audit import journals
from audit.journals import NEVER, audit_all, audit_journal, match_transfers, stand_of
from charging.ledger.commands.open_account import Opened
from charging.ledger.commands.post_charge import Charged
from charging.ledger.commands.receive_transfer import TransferReceived
from charging.ledger.commands.settle_transfer import TransferSettled
from charging.ledger.entry import Entry
from charging.wire import Done, Movement, pack
from console.operations.audit import app as audit_app
from directory.changes import Domain, NumberPlan, UnitAddress
from directory.directory import Directory
from domainservers.journal.groups import pack_entries, unpack_entries
from domainservers.journal.journal import Position, genesis, read_chain
from domainservers.snapshots.checkpoint import NEWEST, Checkpoint, load_checkpoint
from domainservers.snapshots.deltas import CHECKPOINT_COLLECTION
from evidence.keys import KeyRing
from evidence.seals import SealedUnit
from house.stores import STORES
from storage.unit import Group, Head, Record, Unit
from tests.unit.audit.sound import NAMES, SENT, WEI, Change, audited, ref, ring_of
from tests.unit.domainservers.room import ALICE


async def rewrite(url: str, change: Change, name: str = "GD/0") -> None:
    """Forge a journal of one segment, as somebody with the keys can: its chain is as good as new."""
    unit, ring = await STORES.open(url), ring_of(url)
    payloads: list[bytes] = []
    async for _, groups in read_chain(unit, name, Position(0, -1, genesis(name)), ring):
        for group in groups:
            changed = [change(entry) for entry in unpack_entries(group.payload)]
            payloads.append(pack_entries([encode(entry) for entry in changed if entry is not None]))
    await write(unit, name, payloads, ring)
    await unit.close()


async def write(unit: Unit, name: str, payloads: list[bytes], ring: KeyRing, *, tip: bytes = b"") -> None:
    """Write a journal of one segment anew; `tip` is what its head says in the end, if not the truth.

    Its checkpoint is made to fit, as somebody with the keys can.
    """
    await unit.drop(name, 0)
    checkpoint = await load_checkpoint(SealedUnit(unit, ring), name)
    fitting = min(checkpoint.position.seq, len(payloads) - 1) if checkpoint is not None else NEVER
    head = Head(9, "forger", -1, genesis(name), False)
    assert await unit.swap(name, 0, None, head, None) == head
    for seq, payload in enumerate(payloads):
        stored = ring.stored(payload)
        after = ring.current.next_tip(head.tip, stored)
        wanted = Head(9, "forger", seq, tip if tip and seq == len(payloads) - 1 else after, False)
        assert await unit.swap(name, 0, head, wanted, Group(seq, stored)) == wanted
        head = wanted
        if seq == fitting:
            await put_checkpoint(unit, name, ring, seq, after)


async def put_checkpoint(unit: Unit, name: str, ring: KeyRing, seq: int, tip: bytes) -> None:
    sealing = SealedUnit(unit, ring)
    stored = (await sealing.get(CHECKPOINT_COLLECTION, name, [NEWEST]))[NEWEST]
    changed = replace(decode(stored.value, type=Checkpoint), position=Position(0, seq, tip))
    await sealing.put([Record(CHECKPOINT_COLLECTION, name, NEWEST, encode(changed), stored.timestamp)])


async def payloads_of(unit: Unit, name: str, ring: KeyRing) -> list[bytes]:
    found: list[bytes] = []
    async for _, groups in read_chain(unit, name, Position(0, -1, genesis(name)), ring):
        found += [group.payload for group in groups]
    return found


async def test_sound_journals_have_no_finding_and_add_up(url: str) -> None:
    south, north = await audited(url), await audited(url, "GD/1")
    assert (south.findings, north.findings) == ([], [])
    assert (south.accounts, south.entries, south.refusals, south.snapshots) == (1, 8, 1, 1)
    assert (south.revenue, south.money) == (300 - 100 + 2_000, 10_000_000 - 2_200 - 7_000)
    assert north.money == 10_000_000 + 7_000
    one = await audit_journal(ref(url, "GD/0"), ALICE, lambda _: None, lines_max=2)
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
    unit, ring = await STORES.open(url), ring_of(url)
    payloads = await payloads_of(unit, "GD/0", ring)
    await write(unit, "GD/0", [*payloads[:-1], payloads[0]], ring, tip=b"t" * 32)
    assert any("does not add up to its tip" in finding for finding in (await audited(url)).findings)
    await write(unit, "GD/0", [*payloads[:3], b"\x91\xa4oops"], ring)
    assert "group 3 can't be read" in (await audited(url)).findings[0]
    await unit.drop("GD/0", 0)
    lost = await audited(url)
    assert (lost.broken, lost.groups) == (True, 0)
    assert "segment 0 is missing" in lost.findings[0]
    await unit.close()


async def test_a_slot_in_which_nothing_was_ever_done_is_sound(url: str) -> None:
    report = await audited(url, "GD/7")
    assert (report.findings, report.groups, report.accounts) == ([], 0, 0)


def half(entry: Entry, amount: int) -> Entry:
    (event,) = entry.events
    assert isinstance(event, TransferReceived)
    outcome = Done(WEI, 2, amount, (Movement("main", "money", 10_000_000, 10_000_000 + amount),))
    return replace(entry, events=(replace(event, amount=amount),), outcome=Raw(pack(outcome)))


@pytest.mark.parametrize(
    ("name", "which", "forge", "sentence"),
    [
        ("GD/1", SENT, lambda entry: None, "is told to have arrived; no journal has it"),
        ("GD/1", SENT, lambda entry: half(entry, 7_001), "of 7000 CNY arrived as 7001 CNY"),
        ("GD/0", "send", lambda entry: None, "of 7000 arrived and was never sent"),
        ("GD/1", SENT, lambda entry: entry, ""),
    ],
)
async def test_half_a_transfer_is_found_over_journals_that_are_sound_each(
    url: str, name: str, which: str, forge: Change, sentence: str
) -> None:
    await rewrite(url, lambda entry: forge(entry) if entry.key == which else entry, name)
    refs, groups = await stand_of([ref(url, each) for each in NAMES])
    assert groups == 7 + 2 + 1
    slots = [(await audit_journal(one, "", lambda _: None)).report for one in refs]
    match_transfers(slots)
    findings = [finding for slot in slots for finding in slot.findings if finding.startswith("transfer ")]
    assert bool(findings) == bool(sentence)
    assert not sentence or any(sentence in finding for finding in findings), findings


@pytest.fixture
async def directory(url: str, tmp_path: Path) -> str:
    """A directory in which the unit is the private one of a domain of two slots."""
    found = f"sqlite://{tmp_path}/directory.db"
    await STORES.migrate(found)
    unit = await STORES.open(found)
    log = await Directory.open(unit, ring=ring_of(found))
    domain = Domain("GD", "Guangdong", "Asia/Shanghai", 2, "private", "private")
    await log.amend([UnitAddress("private", url), domain, NumberPlan({"86138": "GD"})], "country", "test")
    await log.close()
    await unit.close()
    return found


def onetier_audit(status: int, *arguments: str) -> str:
    result = CliRunner().invoke(audit_app, arguments)
    assert result.exit_code == status, result.output
    return result.output


def test_the_command_tells_an_account_with_its_movements_and_why(directory: str) -> None:
    out = onetier_audit(0, "13800000001", "--directory", directory, "--lines", "9")
    assert f"account {ALICE} in GD/0: 8 entries, 1 refusals" in out
    assert "hash chain of 8 groups holds" in out
    assert "refund bad line  0.0001 in the account's currency by clerk by way of front  refund" in out
    assert "10.00 → 9.9997" in out
    assert "has no account" in onetier_audit(1, "13800000007", "--directory", directory)


def test_the_command_audits_a_domain_in_parallel_with_its_progress(directory: str, url: str) -> None:
    out = onetier_audit(0, "--all", "--directory", directory, "--workers", "2")
    assert "GD/0" in out
    assert "GD/1" in out
    read: list[int] = []
    refs, groups = asyncio.run(stand_of([ref(url, name) for name in NAMES]))
    assert [report.findings for report in audit_all(refs, 2, read.append)] == [[], []]
    assert sum(read) == groups
    assert "no such domain" in onetier_audit(1, "--all", "--domain", "XX", "--directory", directory)


def test_the_command_fails_with_a_line_for_each_finding(directory: str, url: str) -> None:
    asyncio.run(rewrite(url, lambda entry: None if entry.key == SENT else entry, "GD/1"))
    out = onetier_audit(1, "--all", "--directory", directory)
    assert f"transfer {SENT} of 7000 is told to have arrived; no journal has it" in out
    assert f"{WEI}: its snapshot is said to be of group 1, in which the journal has no entry of it" in out
    assert "snapshot" in onetier_audit(1, WEI, "--directory", directory)
    assert onetier_audit(0, ALICE, "--directory", directory)


def test_journals_are_read_in_processes_that_have_nothing_of_this_one(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a caller of gRPC leaves to be collected waits for ever for its threads in a fork, which has none."""
    monkeypatch.setattr(journals, "audit_journal", lambda *_: pytest.fail("the worker is a fork"))
    assert [report.findings for report in audit_all([ref(url, "GD/0")] * 2, 2, lambda _: None)] == [[], []]
