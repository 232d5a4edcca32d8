"""Subjects of a slot: decided once, journaled with the accounts, there again after whatever happens to their owner."""

import pytest
from msgspec.structs import replace

from business.billing.actions import CancelRun, CompleteRun, OpenRun
from business.billing.kind import BILL_RUNS
from business.billing.periods import Period
from business.kinds import KINDS
from business.subjects import unpack_subject
from charging.base.subject import PackedSubject, compose
from charging.wire import Answer, BusinessData, Done, Failed, FetchHistory, History, Inspect, Pull
from domainservers.base.limits import Limits
from domainservers.slot.slot import Slot
from tests.unit.domainservers.room import (
    ALICE,
    NOW_MS,
    FlakyUnit,
    Waiting,
    ask,
    charge,
    commit,
    do,
    opening,
    own,
    until,
)
from tests.unit.domainservers.subjects_room import (
    HOUR_MS,
    OLDER,
    RUNS,
    TICKETS,
    Shut,
    Ticket,
    Write,
    instruct,
    own_with,
    tell,
)

PERIOD = Period(2026 * 12 + 8, 1)
OPEN = OpenRun(PERIOD, "direct", NOW_MS - HOUR_MS, NOW_MS + HOUR_MS)
DONE = CompleteRun(PERIOD)
HASTY = Limits(snapshot_entries=1)


def runs_of(answer: Answer) -> dict[str, str]:
    """Give the runs that an answer tells: period → state."""
    if isinstance(answer, Done):
        assert answer.detail is not None
        answer = unpack_subject(answer.detail)
    assert isinstance(answer, PackedSubject), answer
    state = BILL_RUNS.state(answer)
    return {str(run.period): run.state for run in state.runs} if state is not None else {}


def written_down(slot: Slot) -> bool:
    slot.tend()
    return slot.parts.writing.durable_seq == slot.parts.journal.head.seq


def reason(answer: Answer) -> str:
    assert isinstance(answer, Failed), answer
    return answer.reason


async def test_a_run_is_opened_once_whatever_repeats_and_told_as_it_was_then() -> None:
    slot = await own(FlakyUnit())
    assert runs_of((await ask(slot, Inspect(RUNS)))[0]) == {}
    first = await tell(slot, "k-1", OPEN)
    assert isinstance(first, Done)
    assert (first.account_id, first.version, first.repeated) == (RUNS, 1, False)
    assert runs_of(first) == {"2026-09/1": "open"}
    done = await tell(slot, "k-2", DONE)
    assert runs_of(done) == {"2026-09/1": "completed"}
    assert await tell(slot, "k-1", OPEN) == replace(first, repeated=True)
    assert reason(await tell(slot, "k-1", CancelRun(PERIOD, "no"))) == "REQUEST_KEY_REUSED"
    assert runs_of((await ask(slot, Inspect(RUNS)))[0]) == {"2026-09/1": "completed"}
    # The same key of an account is another intent.
    await do(slot, "open", opening())
    assert isinstance(await do(slot, "k-1", charge(5)), Done)
    await slot.close()


async def test_a_refusal_is_kept_under_its_key_and_a_mistake_is_not() -> None:
    slot = await own(FlakyUnit())
    await tell(slot, "k-1", OPEN)
    refused = await tell(slot, "k-2", OPEN)
    assert reason(refused) == "RUN_OPEN"
    await tell(slot, "k-3", CancelRun(PERIOD, "a wrong tariff"))
    again = await tell(slot, "k-2", OPEN)
    assert isinstance(again, Failed)
    assert (again.reason, again.repeated) == ("RUN_OPEN", True)
    assert reason(await tell(slot, "k-4", replace(OPEN, until_ms=0))) == "WINDOW_EMPTY"
    assert isinstance(await tell(slot, "k-4", OPEN), Done)
    await slot.close()


@pytest.mark.parametrize("limits", [Limits(), HASTY], ids=["by the journal alone", "by snapshots"])
async def test_the_next_owner_has_the_runs_and_knows_the_keys(limits: Limits) -> None:
    unit = FlakyUnit()
    slot = await own(unit, limits)
    await do(slot, "open", opening())
    first = await tell(slot, "k-1", OPEN)
    assert reason(await tell(slot, "k-2", OPEN)) == "RUN_OPEN"
    await do(slot, "charge", charge(5))
    await until(lambda: limits is not HASTY or written_down(slot))
    slot.end()  # As a kill does: nothing is settled.
    heir = await own(unit, limits)
    assert await tell(heir, "k-1", OPEN) == replace(first, repeated=True)
    assert reason(await tell(heir, "k-2", OPEN)) == "RUN_OPEN"
    assert runs_of(await tell(heir, "k-3", DONE)) == {"2026-09/1": "completed"}
    (data,) = await ask(heir, Pull(ALICE))
    assert isinstance(data, BusinessData)
    assert data.account.version == 2
    await heir.close()
    last = await own(unit, limits)
    assert last.parts.snapshots.entries == 0, "a slot that was closed in order needs no replay"
    assert runs_of((await ask(last, Inspect(RUNS)))[0]) == {"2026-09/1": "completed"}
    await last.close()


async def test_what_was_decided_and_not_applied_was_told_to_nobody_and_is_void() -> None:
    unit = FlakyUnit()
    slot = await own(unit)
    await ask(slot, Inspect(RUNS))
    unit.open.clear()
    waiting = Waiting()
    slot.submit(waiting, [(0, instruct("k-1", OPEN)), (1, Inspect(RUNS))])
    slot.end()
    assert [reason(each) for each in await waiting.all(2)] == ["OWNER_CHANGED", "OWNER_CHANGED"]
    unit.open.set()
    heir = await own(unit)
    assert runs_of((await ask(heir, Inspect(RUNS)))[0]) == {}
    assert isinstance(await tell(heir, "k-1", OPEN), Done)
    await heir.close()


async def test_an_owner_that_was_fenced_can_not_open_a_run() -> None:
    unit = FlakyUnit()
    old, new = await own(unit), await own(unit)
    assert reason(await tell(old, "k-1", OPEN)) == "OWNER_CHANGED"
    assert runs_of(await tell(new, "k-1", OPEN)) == {"2026-09/1": "open"}
    await new.close()


async def test_the_history_of_runs_is_readable_refusals_and_all() -> None:
    slot = await own(FlakyUnit())
    await tell(slot, "k-1", OPEN)
    await tell(slot, "k-2", OPEN)
    await tell(slot, "k-3", DONE)
    (answer,) = await ask(slot, FetchHistory(RUNS, 10))
    assert isinstance(answer, History)
    told = [(line.key, line.kind, line.version, line.reason, *line.notices) for line in answer.lines]
    assert told == [
        ("k-3", "complete_bill_run", 2, "", "run of 2026-09/1 completed, early"),
        ("k-2", "open_bill_run", 1, "RUN_OPEN"),
        ("k-1", "open_bill_run", 1, "", "run of 2026-09/1 opened, direct, until 2027-01-15T09:00+00:00"),
    ]
    (one,) = await ask(slot, FetchHistory(RUNS, 10, key="k-1"))
    assert isinstance(one, History)
    assert [line.notices for line in one.lines] == [("run of 2026-09/1 opened, direct, until 2027-01-15T09:00+00:00",)]
    await slot.close()


async def test_a_key_that_left_memory_is_found_in_the_journal() -> None:
    unit = FlakyUnit()
    slot = await own(unit, Limits(kept_entries_max=1))
    first = await tell(slot, "k-1", OPEN)
    await tell(slot, "k-2", DONE)
    await do(slot, "open", opening())
    assert slot.parts.groups.entry_at(0) is None
    assert await tell(slot, "k-1", OPEN) == replace(first, repeated=True)
    unit.away = True
    slot.end()


async def test_a_subject_of_another_slot_or_of_no_kind_is_refused() -> None:
    slot = await own(FlakyUnit())
    assert reason(await tell(slot, "k-1", OPEN, "billruns:GD/1")) == "SUBJECT_ELSEWHERE"
    assert reason(await tell(slot, "k-1", OPEN, "billruns:BJ/0")) == "SUBJECT_ELSEWHERE"
    assert reason(await tell(slot, "k-1", OPEN, "ticket:GD/0:1")) == "SUBJECT_UNKNOWN"
    assert reason(await tell(slot, "k-1", OPEN, ALICE)) == "SUBJECT_UNKNOWN"
    assert [reason(each) for each in await ask(slot, Inspect("billruns:GD/1"), Inspect("nothing"))] == [
        "SUBJECT_ELSEWHERE",
        "SUBJECT_UNKNOWN",
    ]
    assert reason(await tell(slot, "k-1", Write("x"))) == "ACTION_MALFORMED"
    await slot.close()


async def test_a_subject_can_not_be_taken_for_an_account() -> None:
    slot = await own(FlakyUnit())
    await tell(slot, "k-1", OPEN)
    aimed = commit("k-2", charge(5), RUNS)
    assert isinstance((await ask(slot, aimed))[0], Failed)
    assert isinstance((await ask(slot, Pull(RUNS)))[0], Failed)
    assert isinstance((await ask(slot, commit("k-3", opening("billruns:GD/0"), RUNS)))[0], Failed)
    assert isinstance((await ask(slot, commit("k-4", opening("ticket:GD/0:1"), "ticket:GD/0:1")))[0], Failed)
    assert runs_of(await tell(slot, "k-5", DONE)) == {"2026-09/1": "completed"}
    assert slot.parts.quarantine.rows == []
    await slot.close()


async def test_a_slot_holds_more_subjects_than_fit_its_memory() -> None:
    unit = FlakyUnit()
    limits = Limits(snapshot_entries=50, packed_accounts_max=64, deltas_max=1, kept_entries_max=1)
    slot = await own_with(unit, limits=limits)
    names = [compose("ticket", "GD/0", str(number)) for number in range(400)]
    for round_ in range(2):
        for name in names:
            answer = await tell(slot, f"{name}/{round_}", Write(str(round_)), name)
            assert isinstance(answer, Done)
            assert answer.version == round_ + 1
            await slot.parts.snapshots.settle()
    assert len(slot.parts.accounts.cells) < 400
    heir = await own_with(unit, limits=limits)
    for name in names:
        (told,) = await ask(heir, Inspect(name))
        assert isinstance(told, PackedSubject)
        assert TICKETS.state(told) == Ticket(("0", "1"))
    await heir.close()


async def test_instructions_wait_for_a_group_with_room_in_their_order() -> None:
    slot = await own_with(FlakyUnit(), limits=Limits(group_entries_max=7))
    waiting = Waiting()
    ticket = compose("ticket", "GD/0", "1")
    slot.submit(waiting, [(number, instruct(f"k-{number}", Write(str(number)), ticket)) for number in range(100)])
    answers = await waiting.all(100)
    assert [answer.version for answer in answers if isinstance(answer, Done)] == list(range(1, 101))
    waiting = Waiting()
    slot.submit(waiting, [(number, instruct(f"n-{number}", Write("x"), ticket)) for number in range(3_000)])
    told = await waiting.all(3_000)
    assert {each.reason for each in told if isinstance(each, Failed)} == {"SLOT_OVERLOADED"}
    assert sum(isinstance(each, Done) for each in told) >= 1_000
    await slot.close()


async def test_a_kind_that_a_version_does_not_know_is_set_aside_and_served_again_by_one_that_does() -> None:
    unit = FlakyUnit()
    ticket = compose("ticket", "GD/0", "1")
    slot = await own_with(unit)
    await do(slot, "open", opening())
    await tell(slot, "k-1", Write("hello"), ticket)
    await tell(slot, "k-2", OPEN)
    slot.end()
    without = await own_with(unit, KINDS)
    assert reason(await tell(without, "k-3", Write("more"), ticket)) == "SUBJECT_UNKNOWN"
    assert without.parts.quarantine.holds(ticket)
    assert isinstance(await do(without, "charge", charge(5)), Done), "all others are served"
    assert runs_of(await tell(without, "k-4", DONE)) == {"2026-09/1": "completed"}
    await without.close()
    again = await own_with(unit)
    assert not again.parts.quarantine.rows
    told = await tell(again, "k-3", Write("more"), ticket)
    assert isinstance(told, Done)
    assert TICKETS.state(unpack_subject(told.detail or b"")) == Ticket(("hello", "more"))
    repeated = await tell(again, "k-1", Write("hello"), ticket)
    assert isinstance(repeated, Done)
    assert repeated.repeated
    await again.close()


async def test_an_event_that_an_older_version_does_not_know_keeps_its_subject_back_until_a_newer_one_serves_it() -> (
    None
):
    unit = FlakyUnit()
    one, other = (compose("ticket", "GD/0", name) for name in ("1", "2"))
    slot = await own_with(unit)
    await tell(slot, "k-1", Write("hello"), one)
    await tell(slot, "k-2", Shut(), one)
    assert reason(await tell(slot, "k-3", Write("late"), one)) == "RUN_COMPLETED"
    await tell(slot, "k-4", Write("hello"), other)
    slot.end()
    older = await own_with(unit, OLDER)
    assert reason(await tell(older, "k-5", Write("more"), one)) == "SUBJECT_DAMAGED"
    assert reason((await ask(older, Inspect(one)))[0]) == "SUBJECT_DAMAGED"
    assert isinstance(await tell(older, "k-5", Write("more"), other), Done)
    (history,) = await ask(older, FetchHistory(one, 10))
    assert isinstance(history, Failed) or [line.kind for line in history.lines][-1] == "write_ticket"
    await older.close()
    newer = await own_with(unit)
    assert reason(await tell(newer, "k-5", Write("more"), one)) == "RUN_COMPLETED"
    assert not newer.parts.quarantine.rows
    await newer.close()


async def test_an_instruction_needs_a_grant_and_comes_through_a_platform() -> None:
    slot = await own(FlakyUnit())
    cases = {
        ("appserver", "frontend/web-hall"): "COMMAND_NOT_GRANTED",
        ("domainserver", "operator/li"): "ORIGIN_NOT_ALLOWED",
        ("nobody", "operator/li"): "ORIGIN_NOT_ALLOWED",
        ("appserver", "operator/li"): "",
    }
    for number, ((origin, principal), wanted) in enumerate(cases.items()):
        waiting = Waiting()
        slot.submit(waiting, [(0, instruct(f"k-{number}", OPEN, principal=principal))], origin)
        (answer,) = await waiting.all(1)
        assert (answer.reason if isinstance(answer, Failed) else "") == wanted
    waiting = Waiting()
    slot.submit(waiting, [(0, instruct("~receive~x", DONE, principal="operator/li")), (1, Inspect(RUNS))], "appserver")
    assert reason((await waiting.all(2))[0]) == "ORIGIN_NOT_ALLOWED"
    await slot.close()
