"""An owner closes periods: numbers without gaps or doubles over all owners, bills for ever, who is due by state."""

import pytest
from msgspec.structs import replace

from charging.base.account import Account
from charging.bills.taxtable import TaxTable
from charging.ledger.commands.close_period import ClosePeriod
from charging.rating.closing import closing_of
from charging.wire import Answer, Bills, Commit, Done, DueAccounts, Failed, FetchBills, FetchDue, Stale
from domainservers.base.limits import Limits
from domainservers.bills.records import read_bills
from domainservers.slot.slot import Slot
from storage.memory.unit import MemoryStore
from storage.unit import StoreUnavailable
from tests.unit.domainservers.room import (
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
    until,
)

JANUARY = 2027 * 12
FEBRUARY_MS = NOW_MS + 31 * 86_400_000
PEOPLE = [f"msisdn:86138000000{number:02d}" for number in range(12)]


async def a_month(slot: Slot, clock: Clock, people: list[str] = PEOPLE) -> None:
    """Open accounts, let each use something, and let the month pass."""
    await ask(slot, *(commit("open", opening(who), who) for who in people))
    await ask(slot, *(commit("call", charge(1_230_000, who), who) for who in people))
    clock.ms = FEBRUARY_MS


async def due(slot: Slot, most: int = 500, after: str = "", month: int = JANUARY) -> DueAccounts:
    (answer,) = await ask(slot, FetchDue("GD/0", month, 1, most, after))
    assert isinstance(answer, DueAccounts)
    return answer


def closing(account: Account, key: str = "bill", now_ms: int = FEBRUARY_MS) -> Commit:
    action = closing_of(account, TaxTable(coin=10_000), account.terms.closed + 1, now_ms)
    return commit(key, action, account.account_id)


async def bills_of(slot: Slot, who: str) -> list[str]:
    (answer,) = await ask(slot, FetchBills(who, tuple(range(JANUARY, JANUARY + 3))))
    assert isinstance(answer, Bills)
    return [bill.number for bill in answer.bills]


async def numbers(slot: Slot) -> list[str]:
    return sorted([number for who in PEOPLE for number in await bills_of(slot, who)])


def expected(count: int) -> list[str]:
    return [f"GD-0-B-2027-{number:07d}" for number in range(1, count + 1)]


def reason(answer: Answer) -> str:
    assert isinstance(answer, Failed)
    return answer.reason


async def test_who_is_due_is_told_page_by_page_and_whoever_is_closed_is_due_no_more() -> None:
    clock = Clock()
    slot = await own(FlakyUnit(), clock=clock)
    await a_month(slot, clock)
    first = await due(slot, 5)
    rest = await due(slot, 500, first.next)
    assert len(first.accounts) == 5
    assert sorted(each.account_id for each in (*first.accounts, *rest.accounts)) == PEOPLE
    assert rest.next == ""
    answers = await ask(slot, *(closing(each) for each in first.accounts))
    assert all(isinstance(answer, Done) for answer in answers)
    assert {each.account_id for each in (await due(slot)).accounts} == {each.account_id for each in rest.accounts}
    assert (await due(slot, month=JANUARY - 1)).accounts == ()
    await slot.close()


async def test_accounts_in_their_snapshots_alone_are_due_too() -> None:
    clock, store = Clock(), MemoryStore()
    slot = await own(FlakyUnit(store), clock=clock)
    await a_month(slot, clock)
    await slot.close()
    new = await own(FlakyUnit(store), Limits(hot_accounts_max=1, packed_accounts_max=1), clock)
    assert sorted(each.account_id for each in (await due(new)).accounts) == PEOPLE
    await new.close()


async def test_a_page_token_of_another_list_is_refused() -> None:
    clock = Clock()
    slot = await own(FlakyUnit(), clock=clock)
    await a_month(slot, clock)
    token = (await due(slot, 5)).next
    for wrong in (token.replace("GD/0", "GD/1"), token[:9], f"x{token}", "7"):
        (answer,) = await ask(slot, FetchDue("GD/0", JANUARY, 1, 5, wrong))
        assert reason(answer) == "PAGE_TOKEN_FOREIGN"
    (answer,) = await ask(slot, FetchDue("GD/0", JANUARY + 1, 1, 5, token))
    assert reason(answer) == "PAGE_TOKEN_FOREIGN"
    await slot.close()


async def test_numbers_have_neither_gaps_nor_doubles_when_owners_die_and_refusals_take_none() -> None:
    clock, store = Clock(), MemoryStore()
    unit = FlakyUnit(store)
    slot = await own(unit, clock=clock)
    await a_month(slot, clock)
    made = [closing(each) for each in (await due(slot)).accounts]
    await ask(slot, *made[:4])
    assert await numbers(slot) == expected(4)
    early = made[4].command.action
    assert isinstance(early, ClosePeriod)
    assert reason(await do(slot, "early", ClosePeriod(JANUARY + 5, early.mark, early.bill), PEOPLE[7])) != ""
    # The owner dies with a group on its way that is never applied, and one that it was never told of.
    unit.silent_swaps, unit.vanishes = 1, True
    slot.submit(Waiting(), list(enumerate(made[4:6])))
    await until(lambda: unit.away)
    slot.submit(Waiting(), list(enumerate(made[6:8])))
    slot.end()
    new = await own(FlakyUnit(store), clock=clock)
    answers = await ask(new, *made)
    assert [isinstance(answer, Done) for answer in answers] == [True] * len(made)
    assert await numbers(new) == expected(len(PEOPLE))
    await new.close()
    last = await own(FlakyUnit(store), clock=clock)
    assert await numbers(last) == expected(len(PEOPLE)), "also once the journal was written down"
    assert (await due(last)).accounts == ()
    await last.close()


async def test_a_closing_that_is_repeated_gives_the_first_outcome_and_no_second_bill() -> None:
    clock = Clock()
    slot = await own(FlakyUnit(), clock=clock)
    await a_month(slot, clock, PEOPLE[:1])
    made = closing((await due(slot)).accounts[0])
    (first,) = await ask(slot, made)
    (again,) = await ask(slot, made)
    assert isinstance(first, Done)
    assert isinstance(again, Done)
    assert again.repeated
    assert reason(await do(slot, "other", made.command.action, PEOPLE[0])) == "BILL_PERIOD_CLOSED"
    assert await bills_of(slot, PEOPLE[0]) == expected(1)
    await slot.close()


async def test_a_bill_that_was_made_of_another_bucket_is_answered_with_the_account_as_it_is() -> None:
    clock = Clock()
    slot = await own(FlakyUnit(), clock=clock)
    await a_month(slot, clock, PEOPLE[:1])
    made = closing((await due(slot)).accounts[0])
    await do(slot, "late", charge(1, PEOPLE[0]), PEOPLE[0])
    (answer,) = await ask(slot, made)
    assert isinstance(answer, Stale)
    (done,) = await ask(slot, closing(answer.data.account, "anew"))
    assert isinstance(done, Done)
    await slot.close()


async def test_bills_are_found_while_the_store_takes_none_and_written_when_it_does() -> None:
    clock, store = Clock(), MemoryStore()
    unit = FlakyUnit(store)
    slot = await own(unit, clock=clock)
    await a_month(slot, clock, PEOPLE[:1])
    unit.refuses_puts = 1
    await ask(slot, closing((await due(slot)).accounts[0]))
    assert await bills_of(slot, PEOPLE[0]) == expected(1)
    slot.end()
    kept = await own(FlakyUnit(store), clock=clock)
    await kept.close()
    found = await read_bills(FlakyUnit(store), "GD/0", PEOPLE[0], [JANUARY])
    assert [bill.number for bill in found] == expected(1)
    assert found[0].total == 1_230_000


async def test_nobody_but_the_owner_gives_a_number() -> None:
    clock = Clock()
    slot = await own(FlakyUnit(), clock=clock)
    await a_month(slot, clock, PEOPLE[:1])
    made = closing((await due(slot)).accounts[0])
    assert isinstance(made.command.action, ClosePeriod)
    forged = replace(made, command=replace(made.command, action=made.command.action.numbered("GD-0-B-2027-0000099")))
    waiting = Waiting()
    slot.submit(waiting, [(0, forged)], "local")
    assert reason((await waiting.all(1))[0]) == "ORIGIN_NOT_ALLOWED"
    with pytest.raises(StoreUnavailable):
        await read_bills(_away(), "GD/0", PEOPLE[0], [JANUARY])
    await slot.close()


def _away() -> FlakyUnit:
    unit = FlakyUnit()
    unit.away = True
    return unit
