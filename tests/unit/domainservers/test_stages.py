"""An owner stages money while its slot is billed in mode staged, and replays it once after it, whatever happens."""

import asyncio

import pytest
from msgspec.structs import replace

from business.billing.actions import CancelRun, CompleteRun, OpenRun
from business.billing.periods import Period
from charging.base.account import Account
from charging.base.account_id import identity_of
from charging.base.contract import Contract
from charging.base.staged import STAGED_MAX
from charging.bills.taxtable import TaxTable
from charging.ledger import funds
from charging.ledger.commands.move_in import MoveIn
from charging.ledger.commands.move_out import MoveOut
from charging.ledger.commands.pay import Pay
from charging.ledger.commands.reverse_payment import ReversePayment
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.commands.top_up import TopUp
from charging.rating.closing import closing_of
from charging.wire import BusinessData, Commit, Done, DueAccounts, Failed, FetchDue, Pull
from domainservers.base.limits import Limits
from domainservers.slot.slot import Slot
from tests.unit.domainservers.room import (
    ALICE,
    BOB,
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
from tests.unit.domainservers.subjects_room import tell
from tests.unit.domainservers.test_closing import FEBRUARY_MS, JANUARY, Clock

PERIOD = Period(JANUARY, 1)
RUN = OpenRun(PERIOD, "staged", FEBRUARY_MS - 1, FEBRUARY_MS + 86_400_000)
MONEY = 5_000_000


async def state(slot: Slot, who: str = ALICE) -> Account:
    (answer,) = await ask(slot, Pull(who, moved=True))
    assert isinstance(answer, BusinessData)
    return answer.account


async def balance(slot: Slot, who: str = ALICE) -> int:
    book = funds.book_of(await state(slot, who), "main")
    assert book is not None
    return book.amount


def paid_in(key: str, who: str = ALICE, amount: int = MONEY) -> Commit:
    return commit(key, TopUp("", "", amount, 0, 0, "", "cash"), who)


async def notices(slot: Slot, asked: Commit) -> tuple[str, ...]:
    (answer,) = await ask(slot, asked)
    assert isinstance(answer, Done), answer
    return answer.notices


async def in_run(clock: Clock, unit: FlakyUnit | None = None, limits: Limits | None = None) -> Slot:
    """Give a slot with two accounts in their billing period."""
    slot = await own(unit or FlakyUnit(), limits, clock)
    for who in (ALICE, BOB):
        await do(slot, "open", opening(who), who)
    clock.ms = FEBRUARY_MS
    assert isinstance(await tell(slot, "run", RUN), Done)
    return slot


async def swept(slot: Slot) -> None:
    """Let the owner look after its stages until nothing is under way."""
    for _ in range(3):
        slot.stages.sweep()
        await ask(slot, Pull(ALICE, moved=True), Pull(BOB, moved=True))
        await until(lambda: not slot.stages.busy)


async def test_money_that_comes_in_the_run_waits_until_the_run_is_over() -> None:
    clock = Clock()
    slot = await in_run(clock)
    before = await balance(slot)
    assert await notices(slot, paid_in("k")) == ("staged",)
    await swept(slot)
    assert await balance(slot) == before
    await tell(slot, "over", CompleteRun(PERIOD))
    await swept(slot)
    assert (await balance(slot), (await state(slot)).open.staged) == (before + MONEY, ())
    assert await notices(slot, paid_in("later")) == ()


async def test_a_repeat_of_a_staged_deposit_is_told_the_same_and_stages_nothing_more() -> None:
    clock = Clock()
    slot = await in_run(clock)
    before = await balance(slot)
    first = await ask(slot, paid_in("k"))
    again = await ask(slot, paid_in("k"))
    assert [replace(answer, repeated=True) for answer in first] == again
    await tell(slot, "over", CompleteRun(PERIOD))
    await swept(slot)
    assert (await ask(slot, paid_in("k"))) == again
    assert await balance(slot) == before + MONEY


async def test_an_account_that_is_closed_for_the_period_takes_money_at_once() -> None:
    clock = Clock()
    slot = await in_run(clock)
    account = await state(slot)
    bill = closing_of(account, TaxTable(coin=10_000), account.terms.closed + 1, clock.ms)
    await do(slot, "bill", bill)
    if (await state(slot)).terms.closed < JANUARY:
        account = await state(slot)
        await do(slot, "bill-2", closing_of(account, TaxTable(coin=10_000), JANUARY, clock.ms))
    assert (await state(slot)).terms.closed == JANUARY
    assert await notices(slot, paid_in("k")) == ()
    assert await notices(slot, paid_in("k", BOB)) == ("staged",)


async def test_packs_and_bound_money_are_no_part_of_a_run() -> None:
    slot = await in_run(Clock())
    pack = commit("pack", TopUp("minutes", "second", 60, 0, 0, "voice", "pack"), ALICE)
    bound = commit("bound", TopUp("games", "money", 60, 0, 0, "games", "voucher"), ALICE)
    assert [await notices(slot, each) for each in (pack, bound)] == [(), ()]


async def test_a_run_that_is_given_up_replays_its_stage_too() -> None:
    slot = await in_run(Clock())
    before = await balance(slot)
    await notices(slot, commit("k", Pay(MONEY, "", "", "", "bank", ""), ALICE))
    await tell(slot, "no", CancelRun(PERIOD, "wrong catalogue"))
    await swept(slot)
    assert await balance(slot) == before + MONEY


@pytest.mark.parametrize("limits", [Limits(), Limits(snapshot_entries=1, hot_accounts_max=1, packed_accounts_max=1)])
@pytest.mark.parametrize("given_up", [True, False])
async def test_the_next_owner_stages_and_replays_whether_the_last_one_was_killed_or_gave_the_slot_up(
    limits: Limits, given_up: bool
) -> None:
    clock, unit = Clock(), FlakyUnit()
    slot = await in_run(clock, unit, limits)
    before = await balance(slot)
    await notices(slot, paid_in("k"))
    for key in ("second", "third"):
        slot.tend()
        if given_up:
            await slot.close()
        slot = await own(unit, limits, clock)
        assert await notices(slot, paid_in(key)) == ("staged",)
    await tell(slot, "over", CompleteRun(PERIOD))
    slot = await own(unit, limits, clock)
    await until(lambda: bool(slot.parts.watch.staged))
    await swept(slot)
    await swept(slot)
    assert await balance(slot) == before + 3 * MONEY
    slot = await own(unit, limits, clock)
    await swept(slot)
    assert await balance(slot) == before + 3 * MONEY


async def test_what_is_staged_moves_with_its_account_and_stays_listed_where_it_was() -> None:
    clock = Clock()
    slot, other = await in_run(clock), await own(FlakyUnit(), clock=clock, name="BJ/0")
    before = await balance(slot)
    await notices(slot, paid_in("k"))
    moved = await do(slot, "out", MoveOut("BJ"))
    assert isinstance(moved, Done)
    contract = Contract(ALICE, ALICE, "BJ")
    assert isinstance(await do(other, "in", MoveIn(moved.detail or b"", (contract,), "BJ")), Done)
    await tell(slot, "over", CompleteRun(PERIOD))
    await swept(slot)
    await until(lambda: bool(other.parts.watch.staged))
    other.stages.sweep()
    await until(lambda: not other.stages.busy)
    assert await balance(other) == before + MONEY
    left = await state(slot)
    assert (left.terms.status, [row.key for row in left.open.staged]) == ("moved", ["k"])


async def test_a_staged_deposit_is_reversed_by_its_key_before_and_after_the_replay() -> None:
    slot = await in_run(Clock())
    before = await balance(slot)
    await notices(slot, paid_in("one"))
    await notices(slot, paid_in("two"))
    assert isinstance(await do(slot, "back-1", ReversePayment("one", "chargeback")), Done)
    assert [row.key for row in (await state(slot)).open.staged] == ["two"]
    await tell(slot, "over", CompleteRun(PERIOD))
    await swept(slot)
    assert isinstance(await do(slot, "back-2", ReversePayment("two", "chargeback")), Done)
    assert await balance(slot) == before


async def test_a_session_goes_on_with_money_that_is_staged() -> None:
    slot = await in_run(Clock())
    spent = await balance(slot)
    await do(slot, "spent", charge(spent, version=(await state(slot)).version))
    await notices(slot, paid_in("k"))
    version = (await state(slot)).version
    step = session_step(0, 0, 100, FEBRUARY_MS + 3_600_000, version, price=1_000)
    granted = await do(slot, "step", step)
    assert isinstance(granted, Done), granted
    await tell(slot, "over", CompleteRun(PERIOD))
    await swept(slot)
    account = await state(slot)
    assert (account.open.staged, await balance(slot), len(account.open.sessions)) == ((), MONEY, 1)


async def test_a_closed_account_takes_no_deposit_staged_or_not() -> None:
    slot = await in_run(Clock())
    await do(slot, "shut", SetStatus("closed", "moves abroad"))
    (answer,) = await ask(slot, Commit(identity_of(ALICE), paid_in("k").command))
    assert isinstance(answer, Failed)
    assert answer.reason == "ACCOUNT_CLOSED"
    assert (await state(slot, identity_of(ALICE))).open.staged == ()


async def test_more_rows_than_an_account_keeps_come_in_at_once() -> None:
    slot = await in_run(Clock())
    told = [await notices(slot, paid_in(f"k-{number}")) for number in range(STAGED_MAX + 1)]
    assert told == [("staged",)] * STAGED_MAX + [()]
    await tell(slot, "over", CompleteRun(PERIOD))
    await swept(slot)
    assert (await state(slot)).open.staged == ()


async def test_a_backup_tells_nothing_that_is_not_in_the_journal_yet() -> None:
    unit, clock = FlakyUnit(), Clock()
    slot = await in_run(clock, unit)
    version = (await state(slot)).version
    unit.open.clear()
    deposit, backup = Waiting(), Waiting()
    slot.submit(deposit, [(0, paid_in("k"))])
    slot.submit(backup, [(0, FetchDue("GD/0", 0, 0, 10, "", every=True))])
    for _ in range(200):
        await asyncio.sleep(0)
    assert (deposit.answers, backup.answers) == ({}, {})
    unit.open.set()
    (told,) = await backup.all(1)
    assert isinstance(told, DueAccounts)
    assert {each.account_id: each.version for each in told.accounts}[ALICE] == version + 1
    assert deposit.answers
