"""A slot over a memory unit: once and only once, groups, refusals, repeats, overload, an absent store."""

import asyncio

import pytest

from charging import wire
from charging.base.contract import Contract
from charging.ledger.commands.refund import Refund
from charging.ledger.commands.set_contract import SetContract
from charging.ledger.commands.top_up import TopUp
from charging.wire import BusinessData, Done, Failed, FetchHistory, History, Lookup, Pull, Stale, Unknown
from domainservers.base.limits import Limits
from domainservers.contracts import contracts
from domainservers.journal.groups import ENTRY_BYTES_MAX
from domainservers.reads import reading
from domainservers.slot.slot import Slot, SlotState
from storage.unit import PAYLOAD_BYTES_MAX
from tests.unit.domainservers.room import (
    ALICE,
    BOB,
    Clock,
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


def reason(answer: wire.Answer) -> str:
    assert isinstance(answer, Failed), answer
    return answer.reason


async def balance(slot: Slot, identity: str = ALICE) -> int:
    (data,) = await ask(slot, Pull(identity))
    assert isinstance(data, BusinessData), data
    return data.account.books[0].amount


async def test_a_repeat_tells_the_first_outcome_and_does_nothing() -> None:
    slot = await own(FlakyUnit())
    await do(slot, "open", opening())
    first = await do(slot, "k", charge(1_000))
    again = await do(slot, "k", charge(1_000))
    assert isinstance(first, Done)
    assert isinstance(again, Done)
    assert (first.repeated, again.repeated) == (False, True)
    assert (again.version, again.movements) == (first.version, first.movements)
    assert await balance(slot) == 10_000_000 - 1_000
    await slot.close()


async def test_repeats_inside_one_batch_share_the_outcome() -> None:
    slot = await own(FlakyUnit())
    await do(slot, "open", opening())
    answers = await ask(slot, *(commit("k", charge(1_000)) for _ in range(5)))
    assert [isinstance(each, Done) and each.repeated for each in answers] == [False, True, True, True, True]
    assert await balance(slot) == 10_000_000 - 1_000
    await slot.close()


async def test_a_key_with_other_content_is_a_conflict_and_moves_nothing() -> None:
    slot = await own(FlakyUnit())
    await do(slot, "open", opening())
    await do(slot, "k", charge(1_000), content="a call")
    assert reason(await do(slot, "k", charge(2_000), content="another call")) == "REQUEST_KEY_REUSED"
    assert await balance(slot) == 10_000_000 - 1_000
    await slot.close()


async def test_refusals_are_kept_and_mistakes_are_not() -> None:
    slot = await own(FlakyUnit())
    await do(slot, "open", opening(amount=500))
    refused = await do(slot, "k", charge(1_000))
    assert reason(refused) == "INSUFFICIENT_FUNDS"
    await do(slot, "topup", TopUp("main", "money", 5_000, 0, 0, "", "deposit"))
    again = await do(slot, "k", charge(1_000))
    assert isinstance(again, Failed)
    assert (again.reason, again.repeated) == ("INSUFFICIENT_FUNDS", True)
    mistaken = await do(slot, "m", TopUp("main", "money", -1, 0, 0, "", "deposit"))
    assert isinstance(mistaken, Failed)
    assert mistaken.kind == "invalid"
    assert isinstance(await do(slot, "m", TopUp("main", "money", 1, 0, 0, "", "deposit"), content="m"), Done)
    assert await balance(slot) == 5_501
    await slot.close()


async def test_unknown_identities_and_members_of_others_get_nothing() -> None:
    slot = await own(FlakyUnit())
    await do(slot, "open", opening())
    assert reason(await do(slot, "k", charge(1), BOB)) == "IDENTITY_UNKNOWN"
    stranger = wire.Commit(BOB, commit("k2", charge(1)).command)
    assert [reason(each) for each in await ask(slot, stranger, Pull(BOB))] == ["IDENTITY_UNKNOWN"] * 2
    await do(slot, "open", opening(BOB), BOB)
    taken = await do(slot, "member", SetContract(Contract(BOB, ALICE, "GD")))
    assert reason(taken) == "IDENTITY_TAKEN"
    await slot.close()


async def test_a_charge_rated_on_an_old_state_gets_fresh_business_data() -> None:
    slot = await own(FlakyUnit())
    await do(slot, "open", opening())
    await do(slot, "k", charge(1_000))
    stale = await do(slot, "k2", charge(1_000, version=1, depends=True))
    assert isinstance(stale, Stale)
    assert stale.data.account.version == 2
    assert stale.data.revision == 7
    assert isinstance(await do(slot, "k2", charge(1_000, version=2, depends=True)), Done)
    await slot.close()


async def test_what_arrives_during_a_commit_becomes_the_next_group() -> None:
    unit = FlakyUnit()
    slot = await own(unit)
    await do(slot, "open", opening())
    await slot.parts.contracts.flush()
    unit.open.clear()
    waiting = Waiting()
    slot.submit(waiting, [(0, commit("first", charge(1)))])
    await asyncio.sleep(0.01)
    for number in range(1, 200):
        slot.submit(waiting, [(number, commit(f"k{number}", charge(1)))])
    await asyncio.sleep(0.01)
    swaps = unit.swaps
    assert waiting.answers == {}
    unit.open.set()
    assert all(isinstance(each, Done) for each in await waiting.all(200))
    assert unit.swaps == swaps + 2
    await slot.close()


async def test_reads_of_what_is_not_durable_wait_for_it() -> None:
    unit = FlakyUnit()
    slot = await own(unit)
    await ask(slot, commit("open", opening()), commit("open-b", opening(BOB), BOB))
    unit.open.clear()
    waiting = Waiting()
    slot.submit(waiting, [(0, commit("k", charge(1_000))), (1, Pull(ALICE)), (2, Pull(BOB))])
    await until(lambda: 2 in waiting.answers)
    assert 1 not in waiting.answers
    unit.open.set()
    data = (await waiting.all(3))[1]
    assert isinstance(data, BusinessData)
    assert data.account.version == 2
    await slot.close()


async def test_past_the_bound_new_commands_are_refused_and_accepted_ones_are_done() -> None:
    unit = FlakyUnit()
    slot = await own(unit, Limits(group_entries_max=10, queue_entries_max=30, lane_entries_max=20))
    await ask(slot, commit("open", opening()), commit("open-b", opening(BOB), BOB))
    unit.open.clear()
    waiting = Waiting()
    slot.submit(waiting, [(0, commit("first", charge(1)))])
    await asyncio.sleep(0.01)
    slot.submit(waiting, [(place, commit(f"a{place}", charge(1))) for place in range(1, 61)])
    slot.submit(waiting, [(place, commit(f"b{place}", charge(1, BOB), BOB)) for place in range(61, 81)])
    refused = [place for place, answer in waiting.answers.items() if reason(answer) == "SLOT_OVERLOADED"]
    fault = waiting.answers[refused[0]]
    assert isinstance(fault, Failed)
    assert fault.retry_ms > 0
    assert len(refused) == 80 - 10 - 30
    assert sum(place > 60 for place in refused) == 10, "the other account's share of the queue was taken"
    unit.open.set()
    answers = await waiting.all(81)
    assert sum(isinstance(each, Done) for each in answers) == 41
    assert slot.lanes.size == 0
    await slot.close()


async def test_one_hot_account_does_not_starve_its_slot() -> None:
    unit = FlakyUnit()
    slot = await own(unit, Limits(group_entries_max=10, queue_entries_max=2_000, lane_entries_max=1_500))
    await ask(slot, commit("open", opening()), commit("open-b", opening(BOB), BOB))
    hot, cool = Waiting(), Waiting()
    slot.submit(hot, [(place, commit(f"a{place}", charge(1))) for place in range(1_000)])
    slot.submit(cool, [(place, commit(f"b{place}", charge(1, BOB), BOB)) for place in range(5)])
    await cool.all(5)
    assert len(hot.answers) <= 40, "the cool account waited behind the hot one"
    await hot.all(1_000)
    assert await balance(slot) == 10_000_000 - 1_000
    await slot.close()


async def test_an_absent_store_is_told_and_waited_out() -> None:
    unit = FlakyUnit()
    slot = await own(unit, Limits(store_patience_ms=100, sweep_ms=20))
    await do(slot, "open", opening())
    unit.away = True
    waiting = Waiting()
    slot.submit(waiting, [(0, commit("k", charge(1_000)))])
    await asyncio.sleep(0.15)
    slot.tend()
    (first,) = await waiting.all(1)
    assert (reason(first), first.kind if isinstance(first, Failed) else "") == ("STORE_UNAVAILABLE", "unavailable")
    assert reason(await do(slot, "k2", charge(1_000))) == "STORE_UNAVAILABLE"
    unit.away = False
    await until(lambda: slot.parts.groups.flying is None)
    again = await do(slot, "k", charge(1_000))
    assert isinstance(again, Done)
    assert again.repeated, "the commit went on while the store was away"
    assert await balance(slot) == 10_000_000 - 1_000
    await slot.close()


async def test_a_fenced_slot_steps_down_and_tells_nobody_that_it_was_done() -> None:
    unit = FlakyUnit()
    old = await own(unit)
    await do(old, "open", opening())
    new = await own(unit)
    waiting = Waiting()
    old.submit(waiting, [(0, commit("k", charge(1_000))), (1, Pull(ALICE))])
    assert [reason(each) for each in await waiting.all(2)] == ["OWNER_CHANGED"] * 2
    assert old.state is SlotState.ENDED
    assert reason(await do(old, "k", charge(1_000))) == "SLOT_MOVING"
    done = await do(new, "k", charge(1_000))
    assert isinstance(done, Done)
    assert not done.repeated
    await new.close()


async def test_a_group_that_was_applied_unheard_is_told_by_the_next_owner() -> None:
    unit = FlakyUnit()
    old = await own(unit)
    await do(old, "open", opening())
    unit.silent_swaps, unit.vanishes = 1, True
    waiting = Waiting()
    old.submit(waiting, [(0, commit("k", charge(1_000)))])
    await until(lambda: unit.silent_swaps == 0)
    new = await own(FlakyUnit(unit._store))
    unit.away = False
    assert reason((await waiting.all(1))[0]) == "OWNER_CHANGED"
    again = await do(new, "k", charge(1_000))
    assert isinstance(again, Done)
    assert again.repeated
    assert await balance(new) == 10_000_000 - 1_000
    await new.close()


async def test_old_outcomes_and_charges_to_refund_come_out_of_the_journal() -> None:
    unit = FlakyUnit()
    slot = await own(unit, Limits(kept_entries_max=1, group_entries_max=5))
    await do(slot, "open", opening())
    await do(slot, "old", charge(7_000))
    for number in range(20):
        await do(slot, f"k{number}", charge(1))
    again = await do(slot, "old", charge(7_000))
    assert isinstance(again, Done)
    assert again.repeated
    refund = await do(slot, "refund", Refund("old", 0, "wrong call"))
    assert isinstance(refund, Done)
    assert refund.amount == 7_000
    assert reason(await do(slot, "refund2", Refund("old", 0, "again"))) == "REFUNDED_ALREADY"
    assert reason(await do(slot, "refund3", Refund("never", 0, "?"))) == "CHARGE_UNKNOWN"
    assert await balance(slot) == 10_000_000 - 20
    known, unknown = await ask(slot, Lookup(ALICE, "old"), Lookup(ALICE, "never"))
    assert isinstance(known, Done)
    assert isinstance(unknown, Unknown)
    await slot.close()


async def test_a_search_for_a_charge_that_is_given_up_does_not_say_that_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "CHAIN_GROUPS_MAX", 5)
    slot = await own(FlakyUnit(), Limits(kept_entries_max=1))
    await do(slot, "open", opening())
    await do(slot, "old", charge(7_000))
    for number in range(10):
        await do(slot, f"k{number}", charge(1))
    slot.parts.keys.recent.clear()
    assert reason(await do(slot, "refund", Refund("old", 0, "late"))) == "BEYOND_REACH"
    assert await balance(slot) == 10_000_000 - 7_010
    await slot.close()


async def test_history_walks_the_account_back() -> None:
    slot = await own(FlakyUnit())
    await ask(slot, commit("open", opening()), commit("open-b", opening(BOB), BOB))
    for number in range(5):
        await ask(slot, commit(f"k{number}", charge(1)), commit(f"b{number}", charge(1, BOB), BOB))
    newest, older = await ask(slot, FetchHistory(ALICE, 3), FetchHistory(ALICE, 10, 4))
    assert isinstance(newest, History)
    assert isinstance(older, History)
    assert [line.key for line in newest.lines] == ["k4", "k3", "k2"]
    assert [line.key for line in older.lines] == ["k1", "k0", "open"]
    await slot.close()


async def test_an_item_past_its_deadline_is_not_done() -> None:
    unit = FlakyUnit()
    slot = await own(unit, Limits(group_entries_max=1))
    await do(slot, "open", opening())
    unit.open.clear()
    waiting = Waiting(timeout_s=0.05)
    slot.submit(waiting, [(place, commit(f"k{place}", charge(1))) for place in range(4)])
    await asyncio.sleep(0.1)
    unit.open.set()
    answers = await waiting.all(4)
    assert [reason(each) for each in answers[2:]] == ["DEADLINE_EXCEEDED"] * 2
    assert isinstance(await do(slot, "k3", charge(1)), Done)
    await slot.close()


async def test_a_draining_slot_finishes_what_it_took_and_refuses_the_rest() -> None:
    unit = FlakyUnit()
    clock = Clock()
    slot = await own(unit, clock=clock)
    await do(slot, "open", opening())
    unit.open.clear()
    taken, late = Waiting(), Waiting()
    slot.submit(taken, [(0, commit("k", charge(1_000)))])
    await asyncio.sleep(0.01)
    closing = asyncio.create_task(slot.close())
    await asyncio.sleep(0.01)
    slot.submit(late, [(0, commit("k2", charge(1_000)))])
    assert reason((await late.all(1))[0]) == "SLOT_MOVING"
    unit.open.set()
    await closing
    assert isinstance((await taken.all(1))[0], Done)
    new = await own(unit)
    assert new.parts.snapshots.entries == 0, "nothing was left to replay"
    assert await balance(new) == 10_000_000 - 1_000
    await new.close()


async def test_what_no_group_could_hold_is_refused_alone_and_the_slot_goes_on() -> None:
    slot = await own(FlakyUnit(), Limits(group_bytes_max=PAYLOAD_BYTES_MAX * 2))
    await do(slot, "open", opening())
    most = ENTRY_BYTES_MAX - 1_000

    def deposit(key: str, size: int) -> wire.Commit:
        return commit(key, TopUp("main", "money", 1, 0, 0, "", "x" * size))

    answers = await ask(slot, *(deposit(f"k{number}", most) for number in range(3)), deposit("big", most * 2))
    assert [type(answer) for answer in answers] == [Done, Done, Done, Failed]
    assert reason(answers[3]) == "ENTRY_TOO_LARGE"
    assert isinstance(await do(slot, "k", charge(5)), Done)
    (lookup,) = await ask(slot, Lookup(ALICE, "big"))
    assert isinstance(lookup, Unknown)
    assert await balance(slot) == 10_000_000 + 3 - 5
    assert slot.state is SlotState.SERVING
    await slot.close()


async def test_contracts_are_written_once_a_right_that_was_taken_away_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contracts, "REJECTED_RETRY_MS", 10)
    unit = FlakyUnit()
    slot = await own(unit)
    unit.refuses_puts = 3
    await do(slot, "open", opening())
    async with asyncio.timeout(10):
        while not await unit.get(contracts.COLLECTION, contracts.partition_of(ALICE), [ALICE]):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert unit.refuses_puts == 0
    await slot.close()


async def test_an_account_is_opened_where_its_identity_is_served_and_nowhere_else() -> None:
    slot = await own(FlakyUnit())
    wrong = await do(slot, "open", opening(domain="XJ"))
    assert isinstance(wrong, Failed)
    assert (wrong.kind, wrong.reason) == ("invalid", "REGION_MISMATCH")
    assert "GD" in wrong.message
    assert isinstance(await do(slot, "open", opening()), Done)
    await slot.close()
