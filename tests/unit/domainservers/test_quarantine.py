"""One entry that can't be used takes one account away, not the slot; a version that can read it brings it back."""

from collections.abc import Callable

import msgspec
import pytest

from charging import wire
from charging.ledger.commands.remember import Remember
from charging.ledger.entry import Entry
from charging.wire import BusinessData, Done, Failed, FetchHistory, History, Pull
from domainservers.base.limits import Limits
from domainservers.journal import groups
from domainservers.journal.groups import DEFECTS
from domainservers.journal.journal import Corrupt
from domainservers.journal.quarantine import ROWS_MAX
from domainservers.slot import committing
from domainservers.slot.keeping import Keeping
from domainservers.slot.slot import Slot
from domainservers.snapshots.checkpoint import load_checkpoint
from tests.unit.domainservers.room import (
    ALICE,
    BOB,
    NOW_MS,
    FlakyUnit,
    ask,
    charge,
    commit,
    do,
    opening,
    own,
    session_step,
)

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Entry).decode
CUT_OFF = "an entry that is cut off"
NOTHING_OF_IT = "an entry of which nothing can be read"
GAP = "an entry whose version does not follow"

Writes = Callable[[str, str], None]


@pytest.fixture
def writes_badly(monkeypatch: pytest.MonkeyPatch) -> Writes:
    """Give an owner a defect: the entry under a key is written in a way that can't be used."""
    bad: dict[str, str] = {}

    def packed(entry: Entry) -> bytes:
        part = _pack(entry)
        if entry.key not in bad:
            return part
        if bad[entry.key] == GAP:
            return _pack(msgspec.structs.replace(entry, version=entry.version + 5))
        return part[: len(part) // 2] if bad[entry.key] == CUT_OFF else b"\xc1\xc1"

    monkeypatch.setattr(groups, "_pack_entry", packed)
    monkeypatch.setattr(committing, "read_back", lambda payload, parts: None)
    return lambda key, how: bad.update({key: how})


async def money(slot: Slot, identity: str) -> int:
    (data,) = await ask(slot, Pull(identity))
    assert isinstance(data, BusinessData)
    return data.account.books[0].amount


def reason(answer: object) -> str:
    assert isinstance(answer, Failed)
    return answer.reason


@pytest.mark.parametrize("how", [CUT_OFF, NOTHING_OF_IT, GAP])
async def test_one_bad_entry_keeps_one_account_back_and_serves_all_others(how: str, writes_badly: Writes) -> None:
    unit = FlakyUnit()
    slot = await own(unit)
    await ask(slot, commit("open", opening()), commit("open-b", opening(BOB), BOB))
    writes_badly("bad", how)
    await ask(
        slot,
        commit("k1", charge(1)),
        commit("bad", charge(10)),
        commit("k2", charge(2)),
        commit("b1", charge(5, BOB), BOB),
    )
    slot.end()
    slot = await own(unit)
    assert await money(slot, BOB) == 10_000_000 - 5
    (told,) = await ask(slot, Pull(ALICE))
    assert reason(told) == "ACCOUNT_DAMAGED"
    assert reason(await do(slot, "k3", charge(1))) == "ACCOUNT_DAMAGED"
    assert reason(await do(slot, "k1", charge(1))) == "ACCOUNT_DAMAGED"
    assert slot.parts.metrics.counted("events", "set_aside") >= 2
    assert isinstance(await do(slot, "b2", charge(7, BOB), BOB), Done)
    await slot.close()
    checkpoint = await load_checkpoint(unit, "GD/0")
    assert checkpoint is not None
    assert {row.position % 4_096 for row in checkpoint.set_aside} >= {1, 2}
    slot = await own(unit)
    assert reason(await do(slot, "k3", charge(1))) == "ACCOUNT_DAMAGED", "the checkpoint forgot it"
    assert await money(slot, BOB) == 10_000_000 - 12
    await slot.close()


async def test_a_version_that_can_read_what_was_set_aside_serves_the_account_again(
    writes_badly: Writes, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = FlakyUnit()
    slot = await own(unit)
    await ask(slot, commit("open", opening()), commit("k1", charge(1)))
    await do(slot, "bad", charge(10))
    await do(slot, "k2", charge(2))
    slot.end()

    def too_old(part: bytes) -> Entry:
        entry = _unpack(part)
        if entry.key == "bad":
            raise msgspec.ValidationError("an event that this version does not know")
        return entry

    monkeypatch.setattr(groups, "_unpack_entry", too_old)
    slot = await own(unit)
    assert reason(await do(slot, "k3", charge(1))) == "ACCOUNT_DAMAGED"
    await slot.close()
    monkeypatch.setattr(groups, "_unpack_entry", _unpack)
    slot = await own(unit)
    assert await money(slot, ALICE) == 10_000_000 - 13
    again = await do(slot, "bad", charge(10))
    assert isinstance(again, Done)
    assert again.repeated
    assert isinstance(await do(slot, "k3", charge(1)), Done)
    await slot.close()
    slot = await own(unit)
    assert slot.parts.quarantine.rows == []
    assert await money(slot, ALICE) == 10_000_000 - 14
    await slot.close()


async def test_what_was_healed_is_said_by_a_checkpoint_though_nothing_else_happens(
    writes_badly: Writes, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = FlakyUnit()
    slot = await own(unit)
    await do(slot, "open", opening())
    await do(slot, "bad", charge(10))
    slot.end()

    def too_old(part: bytes) -> Entry:
        entry = _unpack(part)
        if entry.key == "bad":
            raise msgspec.ValidationError("an event that this version does not know")
        return entry

    monkeypatch.setattr(groups, "_unpack_entry", too_old)
    await (await own(unit)).close()
    checkpoint = await load_checkpoint(unit, "GD/0")
    assert checkpoint is not None
    assert len(checkpoint.set_aside) == 1
    monkeypatch.setattr(groups, "_unpack_entry", _unpack)
    await (await own(unit)).close()
    checkpoint = await load_checkpoint(unit, "GD/0")
    assert checkpoint is not None
    assert checkpoint.set_aside == ()


async def test_the_history_of_an_account_that_is_kept_back_tells_what_came_before(writes_badly: Writes) -> None:
    unit = FlakyUnit()
    slot = await own(unit)
    await do(slot, "open", opening())
    await do(slot, "k1", charge(1))
    writes_badly("bad", CUT_OFF)
    await do(slot, "bad", charge(1))
    slot.end()
    slot = await own(unit)
    (told,) = await ask(slot, FetchHistory(ALICE, 10))
    assert isinstance(told, History)
    assert [line.key for line in told.lines] == ["k1", "open"]
    await slot.close()


async def test_a_snapshot_that_cannot_be_read_keeps_its_account_back() -> None:
    unit = FlakyUnit()
    limits = Limits(deltas_max=1)
    slot = await own(unit, limits)
    await ask(slot, commit("open", opening()), commit("open-b", opening(BOB), BOB))
    await slot.close()
    slot = await own(unit, limits)
    slot.parts.accounts.cells[ALICE].state = b"\xc1"
    assert reason(await do(slot, "k1", charge(1))) == "ACCOUNT_DAMAGED"
    (told,) = await ask(slot, Pull(ALICE))
    assert reason(told) == "ACCOUNT_DAMAGED"
    assert isinstance(await do(slot, "b1", charge(1, BOB), BOB), Done)
    await slot.close()
    slot = await own(unit, limits)
    assert reason(await do(slot, "k1", charge(1))) == "ACCOUNT_DAMAGED"
    assert await money(slot, BOB) == 10_000_000 - 1
    await slot.close()


async def test_sessions_of_an_account_that_is_kept_back_wait(writes_badly: Writes) -> None:
    unit = FlakyUnit()
    slot = await own(unit)
    await do(slot, "open", opening())
    await do(slot, "s-0", session_step(0, 0, 500, NOW_MS - 1, 1))
    writes_badly("bad", NOTHING_OF_IT)
    await do(slot, "bad", charge(1, version=2))
    slot.end()
    slot = await own(unit)
    Keeping(slot, None).sweep()
    assert slot.parts.groups.open.parts == []
    await slot.close()


async def test_a_journal_that_nobody_here_can_read_is_not_taken_over(
    writes_badly: Writes, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = FlakyUnit()
    slot = await own(unit)
    people = [f"msisdn:86138{number:08d}" for number in range(ROWS_MAX + 1)]
    await ask(slot, *(commit("open", opening(person), person) for person in people))
    slot.end()

    def unreadable(part: bytes) -> Entry:
        raise msgspec.ValidationError("another version's")

    monkeypatch.setattr(groups, "_unpack_entry", unreadable)
    with pytest.raises(Corrupt, match="newer version"):
        await own(unit)
    monkeypatch.setattr(groups, "_unpack_entry", _unpack)
    slot = await own(unit)
    assert await money(slot, people[-1]) == 10_000_000
    await slot.close()


@pytest.mark.parametrize("outcome", [b"", b"\xc1", _pack("done"), wire.pack(wire.Unknown("k"))])
async def test_an_outcome_that_cannot_be_read_is_never_remembered(outcome: bytes) -> None:
    unit = FlakyUnit()
    slot = await own(unit)
    await do(slot, "open", opening())
    assert reason(await do(slot, "told", Remember(outcome))) == "ENTRY_UNREADABLE"
    assert isinstance(await do(slot, "told", charge(3)), Done), "the key is free"
    slot.end()
    slot = await own(unit)
    assert await money(slot, ALICE) == 10_000_000 - 3
    await slot.close()


def test_what_reading_raises_is_told_apart_from_other_faults() -> None:
    for bad in (b"\xc1", b"", b"\x91" * 5_000, b"\x9f\xa1\xff" + b"\xc0" * 14):
        with pytest.raises(DEFECTS):
            _unpack(bad)
    assert not issubclass(Corrupt, DEFECTS)
