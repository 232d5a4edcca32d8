"""An account that would be too large to write down: it is refused what makes it so, and the slot goes on."""

import pytest
from msgspec import Raw

from charging.base.usage import SealedCharge, Usage
from charging.ledger.commands.step_session import SessionUnit, StepSession
from charging.wire import Done, Failed
from domainservers.base.limits import Limits
from domainservers.slot.slot import SlotState
from domainservers.snapshots import patience
from tests.unit.domainservers.room import ALICE, BOB, NOW_MS, FlakyUnit, ask, charge, commit, do, opening, own, until


async def test_fat_sessions_are_refused_before_they_stop_the_slot_from_being_written_down() -> None:
    unit = FlakyUnit()
    slot = await own(unit, Limits(snapshot_entries=1))
    await ask(slot, commit("open", opening()), commit("open-b", opening(BOB), BOB))
    fat = {"note": "x" * 7_000}
    reasons: set[str] = set()
    version = 1
    for number in range(240):
        usage = Usage(ALICE, f"data-{number % 16}", NOW_MS, 0, attributes=fat)
        free = SealedCharge(0, "CNY", (), (), 1, False, Raw(b"\x90"))
        unit_of_step = SessionUnit(usage, free, 1, free, False, "terminate", 0)
        operation, invocation = ("create", 0) if number % 16 == 0 else ("update", number % 16)
        step = StepSession(f"s-{number // 16}", operation, invocation, ALICE, (unit_of_step,), NOW_MS + 60_000, version)
        answer = await do(slot, f"step-{number}", step)
        if isinstance(answer, Done):
            version = answer.version
        else:
            assert isinstance(answer, Failed)
            reasons.add(answer.reason)
    assert "ACCOUNT_FULL" in reasons
    assert isinstance(await do(slot, "b", charge(1, BOB), BOB), Done)
    await slot.parts.snapshots.settle()
    await slot.close()
    slot = await own(unit)
    assert isinstance(await do(slot, "b2", charge(1, BOB), BOB), Done)
    await slot.close()


async def test_a_store_that_refuses_what_is_written_down_does_not_take_the_slot_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patience, "REJECTED_RETRY_MS", 10)
    unit = FlakyUnit()
    slot = await own(unit, Limits(snapshot_entries=1))
    await do(slot, "open", opening())
    await slot.parts.snapshots.settle()
    unit.refuses_puts = 3
    for number in range(10):
        assert isinstance(await do(slot, f"k{number}", charge(1)), Done)
    await until(lambda: unit.refuses_puts == 0)
    assert slot.state is SlotState.SERVING
    await slot.close()
    slot = await own(unit)
    assert slot.parts.snapshots.entries == 0, "it was written down after all"
    await slot.close()
