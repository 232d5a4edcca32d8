"""What sessions charged is given back by the keys of their steps: once they have ended, and no more than is left."""

import pytest

from charging.ledger.commands.refund import Refund
from charging.wire import Answer, BusinessData, Done, Failed, Pull
from domainservers.base.limits import Limits
from domainservers.slot.slot import Slot
from tests.unit.domainservers.room import ALICE, NOW_MS, FlakyUnit, ask, do, opening, own, session_step


def reason(answer: Answer) -> str:
    assert isinstance(answer, Failed), answer
    return answer.reason


async def balance(slot: Slot) -> int:
    (data,) = await ask(slot, Pull(ALICE))
    assert isinstance(data, BusinessData)
    return data.account.books[0].amount


async def test_what_a_session_has_charged_can_be_refunded_by_the_key_of_its_step() -> None:
    slot = await own(FlakyUnit())
    await do(slot, "open", opening())
    await do(slot, "s-0", session_step(0, 0, 500, NOW_MS + 60_000, 1))
    await do(slot, "s-1", session_step(1, 200, 500, NOW_MS + 60_000, 2))
    assert reason(await do(slot, "grant", Refund("s-0", 0, "kept, not charged"))) == "CHARGE_UNKNOWN"
    assert reason(await do(slot, "early", Refund("s-1", 0, "it goes on"))) == "SESSION_OPEN"
    await do(slot, "s-2", session_step(2, 200, 0, 0, 3, operation="release"))
    assert reason(await do(slot, "more", Refund("s-1", 2_001, "too much"))) == "REFUND_EXCEEDS_CHARGE"
    refund = await do(slot, "refund", Refund("s-1", 0, "bad line"))
    assert isinstance(refund, Done)
    assert refund.amount == 2_000
    assert reason(await do(slot, "again", Refund("s-1", 0, "bad line"))) == "REFUNDED_ALREADY"
    (data,) = await ask(slot, Pull(ALICE))
    assert isinstance(data, BusinessData)
    assert (data.account.books[0].amount, data.account.books[0].reserved) == (10_000_000, 0)
    await slot.close()


@pytest.mark.parametrize("kept", [1, 1_000])
async def test_a_step_of_a_session_that_became_cheaper_gives_back_no_more_than_is_left_of_it(kept: int) -> None:
    slot = await own(FlakyUnit(), Limits(kept_entries_max=kept, group_entries_max=5))
    await do(slot, "open", opening())
    await do(slot, "s-0", session_step(0, 100, 0, NOW_MS + 60_000, 1))
    await do(slot, "s-1", session_step(1, 200, 0, NOW_MS + 60_000, 2, price=4))
    await do(slot, "s-2", session_step(2, 250, 0, 0, 3, operation="release", price=4))
    assert await balance(slot) == 10_000_000 - 1_000
    assert reason(await do(slot, "more", Refund("s-0", 801, "more than is left"))) == "REFUND_EXCEEDS_CHARGE"
    assert reason(await do(slot, "fall", Refund("s-1", 0, "it gave back"))) == "CHARGE_UNKNOWN"
    for step, left in (("s-0", 800), ("s-2", 200)):
        refund = await do(slot, f"refund-{step}", Refund(step, 0, "bad line"))
        assert isinstance(refund, Done)
        assert refund.amount == left
    assert await balance(slot) == 10_000_000
    await slot.close()
