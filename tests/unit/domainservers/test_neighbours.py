"""What is wrong with one account, one read or one slot's load does not hurt its neighbours."""

import asyncio
from collections.abc import Sequence

from msgspec.structs import replace

from business.billing.actions import CompleteRun, OpenRun
from business.billing.periods import Period
from charging.ledger.commands.send_transfer import SendTransfer
from charging.ledger.commands.top_up import TopUp
from charging.wire import Answer, Commit, Done, Failed, Inspect, Pull
from domainservers.accounts.accounts import partition_of
from domainservers.base.limits import Limits
from domainservers.slot.keeping import Keeping
from domainservers.slot.recovery import recover
from domainservers.slot.slot import Slot
from runtime.telemetry import Metrics
from storage.unit import Head, Record
from tests.unit.domainservers.room import (
    ALICE,
    BOB,
    NOW_MS,
    Clock,
    FlakyUnit,
    Waiting,
    ask,
    charge,
    commit,
    do,
    opening,
    own,
    session_step,
    until,
)
from tests.unit.domainservers.subjects_room import HOUR_MS, RUNS, instruct, own_with

OPEN = OpenRun(Period(2026 * 12 + 8, 1), "direct", NOW_MS - HOUR_MS, NOW_MS + HOUR_MS)
UNREADABLE = b"\xc1"


class Asked(FlakyUnit):
    """A unit whose head is read when it is let go, or fails in a way that nobody expected."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()
        self.fails = False
        self.asked = asyncio.Event()

    async def head(self, journal: str, segment: int) -> Head | None:
        self.asked.set()
        await self.gate.wait()
        if self.fails:
            raise ValueError("a head of another version")
        return await super().head(journal, segment)


async def own_stale(unit: FlakyUnit) -> Slot:
    """Take a slot over whose reads always ask the journal first."""
    parts = await recover(
        "GD/0", "test#stale", unit, unit, Limits(), Clock(), asyncio.Semaphore(4), lambda: 7, Metrics("test")
    )
    return Slot(parts, lambda _: None, fresh=lambda: False)


def _reasons(answers: Sequence[Answer]) -> list[str]:
    return [each.reason for each in answers if isinstance(each, Failed)]


async def test_an_unreadable_account_does_not_keep_the_sessions_of_others_open() -> None:
    unit, clock = FlakyUnit(), Clock()
    slot = await own(unit, clock=clock)
    await ask(slot, commit("open", opening()), commit("open-b", opening(BOB), BOB))
    step = session_step(0, 0, 500, NOW_MS + 60_000, 1)
    assert isinstance(await do(slot, "s-0", step), Done)
    units = tuple(replace(each, usage=replace(each.usage, identity=BOB)) for each in step.units)
    theirs = replace(step, identity=BOB, units=units)
    assert isinstance(await do(slot, "s-b", theirs, BOB), Done)
    slot.parts.accounts.cells[ALICE].state = UNREADABLE
    clock.ms += 80_000
    Keeping(slot, None).sweep()
    await until(lambda: BOB not in slot.parts.watch.watched)
    await slot.close()


async def test_a_transfer_of_an_unreadable_account_waits_until_it_is_served_again() -> None:
    slot = await own(FlakyUnit())
    await do(slot, "open", opening())
    assert isinstance(await do(slot, "t", SendTransfer("main", BOB, "main", 1_000_000, "gift")), Done)
    ((name, row),) = slot.transfers.under_way()
    assert slot.transfers.offer(ALICE, row) is not None
    slot.parts.accounts.cells[ALICE].state = UNREADABLE
    assert slot.transfers.offer(ALICE, row) is None
    assert await slot.transfers.settle(ALICE, row, "") is None
    assert slot.transfers.is_under_way(name)
    await slot.close()


async def test_reads_that_wait_for_the_journal_are_answered_when_their_slot_ends() -> None:
    unit = Asked()
    slot = await own_stale(unit)
    await do(slot, "open", opening())
    unit.gate.clear()
    unit.asked.clear()
    waiting = Waiting()
    slot.submit(waiting, [(0, Pull(ALICE))])
    await unit.asked.wait()
    slot.submit(waiting, [(1, Inspect(RUNS))])
    slot.end()
    answers = await waiting.all(2)
    assert [each.reason for each in answers if isinstance(each, Failed)] == ["OWNER_CHANGED", "OWNER_CHANGED"]


async def test_a_displaced_owner_calls_nothing_a_mistake_that_its_successor_may_have_done() -> None:
    unit = Asked()
    displaced = await own_stale(unit)
    complete, top_up = (
        CompleteRun(OPEN.period),
        commit("k-2", TopUp("main", "money", 5_000_000, 0, 100, "", "deposit"), BOB),
    )
    by_identity = Commit(BOB, replace(top_up.command, account_id=""))
    assert _reasons(await ask(displaced, instruct("k-1", complete), top_up)) == ["RUN_UNKNOWN", "IDENTITY_UNKNOWN"]
    successor = await own_with(unit)
    await do(successor, "open", opening(BOB), BOB)
    for done in await ask(successor, instruct("k-0", OPEN), instruct("k-1", complete), top_up):
        assert isinstance(done, Done), done
    told = await ask(displaced, instruct("k-1", complete), top_up, by_identity)
    assert _reasons(told) == ["OWNER_CHANGED"] * 3
    await successor.close()


async def test_a_journal_that_answers_nonsense_once_does_not_silence_later_reads() -> None:
    unit = Asked()
    slot = await own_stale(unit)
    await do(slot, "open", opening())
    unit.fails = True
    (answer,) = await ask(slot, Pull(ALICE))
    assert isinstance(answer, Failed)
    assert answer.reason == "READ_FAILED"
    unit.fails = False
    (answer,) = await ask(slot, Pull(ALICE))
    assert not isinstance(answer, Failed)
    await slot.close()


async def test_an_instruction_has_its_turn_however_many_charges_wait() -> None:
    unit = FlakyUnit()
    slot = await own_with(unit, limits=Limits(group_entries_max=4))
    people = [f"msisdn:86138{number:08d}" for number in range(40)]
    await ask(slot, *(commit("open", opening(person), person) for person in people))
    await ask(slot, Inspect(RUNS))
    unit.open.clear()
    waiting = Waiting()
    charges = [(place, commit("c", charge(1, person), person)) for place, person in enumerate(people)]
    slot.submit(waiting, charges)
    slot.submit(waiting, [(len(people), instruct("k-1", OPEN))])
    unit.open.set()
    async with asyncio.timeout(20):
        while len(people) not in waiting.answers:
            waiting.changed.clear()
            await waiting.changed.wait()
    assert len(waiting.answers) < len(people), "and not after the last of them"
    await waiting.all(len(people) + 1)
    await slot.close()


async def test_an_opening_for_an_unreadable_account_is_refused_and_its_neighbours_are_read() -> None:
    unit = FlakyUnit()
    slot = await own(unit)
    await do(slot, "open", opening())
    del slot.parts.accounts.cells[ALICE]
    await unit.put([Record("account", partition_of("GD/0")(ALICE), ALICE, UNREADABLE, 1)])
    again = commit("again", opening())
    unnamed = replace(again, command=replace(again.command, account_id=""))
    answers = await ask(slot, unnamed, commit("c", charge(1, BOB), BOB))
    told = [answer.reason for answer in answers if isinstance(answer, Failed)]
    assert told == ["ACCOUNT_DAMAGED", "IDENTITY_UNKNOWN"]
    await slot.close()
