"""An owner lets all others go before a billing run: closes stand in a line of their own, short steps at a time."""

import pytest

from charging.wire import Commit, Done, Failed
from domainservers.base.limits import Limits
from domainservers.slot.slot import Slot
from tests.unit.domainservers.room import Clock, FlakyUnit, Waiting, ask, charge, commit, opening, own
from tests.unit.domainservers.test_closing import PEOPLE, a_month, closing, due, reason

OTHER = "msisdn:8613800000099"


async def a_slot_in_which_all_are_due(limits: Limits | None = None) -> tuple[Slot, list[Commit]]:
    clock = Clock()
    slot = await own(FlakyUnit(), limits, clock)
    await a_month(slot, clock)
    return slot, [closing(each) for each in (await due(slot)).accounts]


async def test_a_charge_is_decided_before_the_closes_that_came_before_it() -> None:
    slot, closes = await a_slot_in_which_all_are_due()
    await ask(slot, commit("open", opening(OTHER), OTHER))
    waiting = Waiting()
    slot.submit(waiting, list(enumerate(closes)))
    slot.submit(waiting, [(len(closes), commit("call", charge(1_000, OTHER), OTHER))])
    answers = await waiting.all(len(closes) + 1)
    assert all(isinstance(answer, Done) for answer in answers)
    assert next(iter(waiting.answers)) == len(closes)
    await slot.close()


async def test_closes_that_find_no_room_in_the_line_are_told_to_come_again() -> None:
    slot, closes = await a_slot_in_which_all_are_due(Limits(patient_max=5))
    answers = await ask(slot, *closes)
    refused = [close for close, answer in zip(closes, answers, strict=True) if not isinstance(answer, Done)]
    assert {reason(answer) for answer in answers if not isinstance(answer, Done)} == {"SLOT_OVERLOADED"}
    assert len(refused) == len(PEOPLE) - 5
    again = await ask(slot, *refused[:5])
    assert all(isinstance(answer, Done) and not answer.repeated for answer in again)
    await slot.close()


@pytest.mark.parametrize("given_up", ["in order", "at once"])
async def test_a_slot_that_is_given_up_answers_those_in_the_line(given_up: str) -> None:
    slot, closes = await a_slot_in_which_all_are_due()
    waiting = Waiting()
    slot.submit(waiting, list(enumerate(closes)))
    if given_up == "in order":
        await slot.close()
    else:
        slot.end()
    answers = await waiting.all(len(closes))
    assert all(isinstance(answer, Failed) and answer.kind == "unavailable" for answer in answers)


async def test_a_close_whose_caller_has_gone_is_not_done() -> None:
    slot, closes = await a_slot_in_which_all_are_due()
    late = Waiting(timeout_s=-1.0)
    slot.submit(late, list(enumerate(closes)))
    assert {reason(answer) for answer in await late.all(len(closes))} == {"DEADLINE_EXCEEDED"}
    assert len((await due(slot)).accounts) == len(PEOPLE)
    await slot.close()
