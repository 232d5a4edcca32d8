"""Taking over: snapshots and replay give the same state, nothing is forgotten, sessions and transfers go on."""

from charging.base.contract import Contract, OrderLine, Subscription
from charging.ledger.commands.send_transfer import SendTransfer
from charging.ledger.commands.set_contract import SetContract
from charging.wire import BusinessData, Done, Pull
from domainservers.base.limits import Limits
from domainservers.contracts.order_records import order_lines
from domainservers.slot.keeping import Keeping
from domainservers.slot.slot import Slot
from domainservers.snapshots.checkpoint import load_checkpoint
from tests.unit.domainservers.room import (
    ALICE,
    BOB,
    NOW_MS,
    Clock,
    FlakyUnit,
    ask,
    charge,
    commit,
    do,
    opening,
    own,
    session_step,
    until,
)

SMALL = Limits(
    snapshot_entries=20, segment_groups_max=7, packed_accounts_max=64, hot_accounts_max=2, kept_entries_max=5
)


async def state_of(slot: Slot, identity: str) -> BusinessData:
    (data,) = await ask(slot, Pull(identity))
    assert isinstance(data, BusinessData)
    return data


def stop(slot: Slot) -> None:
    """Crash: nothing is written any more."""
    slot.end()


async def test_state_keys_and_contracts_survive_crashes_at_any_point() -> None:
    unit = FlakyUnit()
    people = [f"msisdn:86138{number:08d}" for number in range(150)]
    slot = await own(unit, SMALL)
    await ask(slot, *(commit("open", opening(person), person) for person in people))
    balances = dict.fromkeys(people, 10_000_000)
    for step in range(12):
        some = people[step * 7 % 50 :: 3]
        answers = await ask(slot, *(commit(f"k{step}", charge(step + 1, person), person) for person in some))
        assert all(isinstance(answer, Done) for answer in answers)
        for person in some:
            balances[person] -= step + 1
        if step % 3 == 2:
            stop(slot)
            slot = await own(unit, SMALL)
    again = await ask(slot, *(commit("k0", charge(1, person), person) for person in people[0:50:3]))
    assert all(isinstance(answer, Done) and answer.repeated for answer in again)
    for person in people:
        data = await state_of(slot, person)
        assert data.account.books[0].amount == balances[person]
        assert data.contract.identity == person
    checkpoint = await load_checkpoint(unit, "GD/0")
    assert checkpoint is not None
    assert checkpoint.position.seq > 0
    await slot.close()


async def test_a_changed_contract_is_not_lost_with_its_owner() -> None:
    unit = FlakyUnit()
    slot = await own(unit)
    await do(slot, "open", opening())
    await do(slot, "member", SetContract(Contract("card:c-1", ALICE, "GD", attributes={"colour": "red"})))
    stop(slot)
    slot = await own(unit)
    data = await state_of(slot, "card:c-1")
    assert data.contract.attributes == {"colour": "red"}
    assert data.account.members == (ALICE, "card:c-1")
    await slot.close()


def member(order_id: str, *offerings: str, status: str = "active") -> SetContract:
    subscriptions = tuple(Subscription(offering) for offering in offerings)
    return SetContract(Contract("card:c-1", ALICE, "GD", 0, 0, status, subscriptions, order_id=order_id))


async def test_orders_are_records_of_the_shared_unit() -> None:
    unit = FlakyUnit()
    slot = await own(unit)
    await do(slot, "open", opening())
    await ask(slot, commit("o1", member("order-1", "plan-a")), commit("o2", member("order-2", "plan-a", "pack-b")))
    await do(slot, "o3", member("order-2", status="ended"))
    await slot.parts.contracts.flush()
    assert await order_lines(unit, "order-1") == [
        OrderLine("order-1", "card:c-1", ALICE, "GD", ("plan-a",), "active", NOW_MS, 2)
    ]
    assert await order_lines(unit, "order-2") == [OrderLine("order-2", "card:c-1", ALICE, "GD", (), "ended", NOW_MS, 4)]
    assert await order_lines(unit, "order-3") == []
    await slot.close()


async def test_no_order_is_lost_with_its_owner() -> None:
    unit, orders, clock = FlakyUnit(), ["order-1", "order-2", "order-3"], Clock()
    slot = await own(unit, clock=clock)
    await do(slot, "open", opening())
    # The contract is one record, so what is replayed must not stop at its newest state.
    await ask(slot, *(commit(order, member(order, "plan-a")) for order in orders))
    unit.away = True
    stop(slot)
    unit.away = False
    clock.ms += 60_000
    slot = await own(unit, clock=clock)
    await slot.parts.contracts.flush()
    for version, order in enumerate(orders, 2):
        (line,) = await order_lines(unit, order)
        assert (line.offerings, line.recorded_ms, line.version) == (("plan-a",), NOW_MS, version)
    assert (await state_of(slot, "card:c-1")).contract.order_id == "order-3"
    await slot.close()


async def test_an_identity_may_go_from_one_account_to_another() -> None:
    unit = FlakyUnit()
    slot = await own(unit)
    await ask(slot, commit("open", opening()), commit("open-b", opening(BOB), BOB))
    for number in range(5):
        await do(slot, f"member{number}", SetContract(Contract("card:c-1", ALICE, "GD")))
    await do(slot, "end", SetContract(Contract("card:c-1", ALICE, "GD", status="ended")))
    await slot.parts.contracts.flush()  # Only now the identity is free.
    assert isinstance(await do(slot, "take", SetContract(Contract("card:c-1", BOB, "GD")), BOB), Done)
    stop(slot)
    slot = await own(unit)
    assert (await state_of(slot, "card:c-1")).account.account_id == BOB
    await slot.parts.contracts.flush()
    stop(slot)
    slot = await own(unit)
    assert (await state_of(slot, "card:c-1")).account.account_id == BOB
    await slot.close()


async def test_a_session_survives_the_owner_and_expires_by_itself() -> None:
    unit, clock = FlakyUnit(), Clock()
    slot = await own(unit, clock=clock)
    await do(slot, "open", opening())
    assert isinstance(await do(slot, "s-0", session_step(0, 0, 500, NOW_MS + 60_000, 1)), Done)
    assert isinstance(await do(slot, "s-1", session_step(1, 200, 500, NOW_MS + 90_000, 2)), Done)
    assert (await state_of(slot, ALICE)).account.books[0].reserved == 5_000
    stop(slot)
    slot = await own(unit, clock=clock)
    keeping = Keeping(slot, None)
    clock.ms += 80_000
    keeping.sweep()
    assert (await state_of(slot, ALICE)).account.books[0].reserved == 5_000, "not due yet"
    clock.ms += 20_000
    keeping.sweep()
    await until(lambda: not slot.parts.watch.watched)
    book = (await state_of(slot, ALICE)).account.books[0]
    assert (book.amount, book.reserved) == (10_000_000 - 2_000, 0)
    await slot.close()


async def test_open_sessions_of_snapshots_are_known_after_a_restart() -> None:
    unit, clock = FlakyUnit(), Clock()
    slot = await own(unit, SMALL, clock)
    await do(slot, "open", opening())
    await do(slot, "s-0", session_step(0, 0, 500, NOW_MS + 60_000, 1))
    await slot.close()
    slot = await own(unit, SMALL, clock)
    assert slot.parts.snapshots.entries == 0
    assert list(slot.parts.watch.watched) == [ALICE]
    await slot.close()


async def test_outgoing_transfers_are_known_after_a_crash() -> None:
    unit = FlakyUnit()
    slot = await own(unit)
    await do(slot, "open", opening())
    await do(slot, "send", SendTransfer("main", BOB, "main", 1_000, "gift"))
    stop(slot)
    slot = await own(unit)
    assert list(slot.parts.watch.outgoing) == [(ALICE, "send")]
    await slot.close()


async def test_time_never_runs_backwards_in_a_journal() -> None:
    unit, clock = FlakyUnit(), Clock()
    slot = await own(unit, clock=clock)
    await do(slot, "open", opening())
    stop(slot)
    clock.ms -= 3_600_000
    slot = await own(unit, clock=clock)
    await do(slot, "k", charge(1))
    assert slot.parts.around.newest_ms == NOW_MS
    await slot.close()


async def test_old_segments_and_keys_go_when_they_need_not_be_kept() -> None:
    unit, clock = FlakyUnit(), Clock()
    limits = Limits(
        snapshot_entries=10, segment_groups_max=5, outcomes_keep_ms=1_000, journal_keep_ms=1_000, kept_entries_max=1
    )
    slot = await own(unit, limits, clock)
    await do(slot, "open", opening())
    for number in range(80):
        clock.ms += 100
        await do(slot, f"k{number}", charge(1))
        await slot.parts.snapshots.settle()
    first = slot.parts.journal.segments[0]
    assert first.number > 5
    assert await unit.head("GD/0", 0) is None
    checkpoint = await load_checkpoint(unit, "GD/0")
    assert checkpoint is not None
    assert await unit.head("GD/0", checkpoint.segments[0].number) is not None, "it names a segment that is gone"
    recent = await do(slot, "k79", charge(1))
    assert isinstance(recent, Done)
    assert recent.repeated
    await slot.close()
    slot = await own(unit, limits, clock)
    assert (await state_of(slot, ALICE)).account.books[0].amount == 10_000_000 - 80
    await slot.close()


async def test_no_key_is_forgotten_because_a_clock_was_days_ahead_for_a_moment() -> None:
    unit, clock = FlakyUnit(), Clock()
    limits = Limits(snapshot_entries=10, segment_groups_max=5, outcomes_keep_ms=24 * 3_600_000, kept_entries_max=1)
    slot = await own(unit, limits, clock)
    await do(slot, "open", opening())
    for number in range(300):
        clock.ms += 10
        await do(slot, f"k{number}", charge(1))
    clock.ahead_ms = 2 * 86_400_000
    for number in range(40):
        clock.ms += 300
        await do(slot, f"late{number}", charge(1))
    await slot.close()
    clock.ahead_ms = 0
    slot = await own(unit, limits, clock)
    again = await ask(slot, *(commit(f"k{number}", charge(1)) for number in range(300)))
    assert [answer.repeated for answer in again if isinstance(answer, Done)] == [True] * 300
    assert (await state_of(slot, ALICE)).account.books[0].amount == 10_000_000 - 340
    await slot.close()


async def test_keys_are_kept_for_as_long_as_somebody_owned_the_slot() -> None:
    unit, clock = FlakyUnit(), Clock()
    limits = Limits(snapshot_entries=1, outcomes_keep_ms=1_000, kept_entries_max=1)
    slot = await own(unit, limits, clock)
    await do(slot, "open", opening())
    await do(slot, "k0", charge(1))
    await slot.close()
    for number in range(3):
        clock.ms += 5_000  # Nobody owns it meanwhile, or only for a moment.
        slot = await own(unit, limits, clock)
        await do(slot, f"later{number}", charge(1))
        await slot.close()
    slot = await own(unit, limits, clock)
    again = await do(slot, "k0", charge(1))
    assert isinstance(again, Done)
    assert again.repeated
    await slot.close()
