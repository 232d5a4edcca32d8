"""A page of accounts is closed by one ask: each is an entry of its own, and all are answered together, in order."""

from collections.abc import Sequence

import pytest
from msgspec import Raw
from msgspec.structs import replace

from charging.base.account import Account
from charging.bills.taxtable import TaxTable
from charging.errors import Invalid
from charging.ledger.commands.close_period import ClosePeriod
from charging.rating.closing import closing_of
from charging.wire import (
    CLOSES_MAX,
    AccountClose,
    AccountsClosed,
    CloseAccounts,
    Done,
    DueAccounts,
    Failed,
    FetchDue,
    PackedClosings,
    Pull,
    Stale,
    pack,
    read_ask,
)
from domainservers.reads import due as due_reads
from domainservers.slot.slot import Slot
from storage.memory.unit import MemoryStore
from tests.unit.domainservers.room import Clock, FlakyUnit, Waiting, ask, charge, do, own, until
from tests.unit.domainservers.test_closing import FEBRUARY_MS, JANUARY, PEOPLE, a_month, due, expected, numbers, reason

DIGEST = b"d" * 16


def page_of(accounts: Sequence[Account]) -> CloseAccounts:
    people = sorted(accounts, key=lambda each: each.account_id)
    made = [closing_of(each, TaxTable(coin=10_000), each.terms.closed + 1, FEBRUARY_MS) for each in people]
    closes = [AccountClose(each.account_id, DIGEST, action) for each, action in zip(people, made, strict=True)]
    return CloseAccounts("anna", "front", FEBRUARY_MS, "run", tuple(closes))


async def closed(slot: Slot, page: CloseAccounts) -> AccountsClosed:
    (answer,) = await ask(slot, page)
    assert isinstance(answer, AccountsClosed)
    return answer


async def test_a_page_is_closed_in_its_order_and_a_repeat_tells_what_was_done() -> None:
    clock = Clock()
    slot = await own(FlakyUnit(), clock=clock)
    await a_month(slot, clock)
    page = page_of((await due(slot)).accounts)
    told = await closed(slot, page)
    assert [each.account_id for each in told.answers if isinstance(each, Done)] == PEOPLE
    assert await numbers(slot) == expected(len(PEOPLE))
    again = await closed(slot, page)
    assert [each.repeated for each in again.answers if isinstance(each, Done)] == [True] * len(PEOPLE)
    later = await closed(slot, replace(page, time_ms=FEBRUARY_MS + 1))
    assert {reason(each) for each in later.answers} == {"BILL_PERIOD_CLOSED"}
    assert await numbers(slot) == expected(len(PEOPLE))
    await slot.close()


async def test_what_can_t_be_closed_as_it_was_made_keeps_no_other_account_of_the_page_from_it() -> None:
    clock = Clock()
    slot = await own(FlakyUnit(), clock=clock)
    await a_month(slot, clock)
    page = page_of((await due(slot)).accounts)
    await do(slot, "late", charge(1, PEOPLE[2]), PEOPLE[2])
    ahead = replace(page.closes[4], action=replace(page.closes[4].action, month=JANUARY + 5))
    nobody = replace(page.closes[5], account_id="msisdn:8613899999999")
    told = await closed(slot, replace(page, closes=(*page.closes[:4], ahead, nobody, *page.closes[6:])))
    stale, refused, unknown = told.answers[2], told.answers[4], told.answers[5]
    assert isinstance(stale, Stale)
    assert stale.data.account.account_id == PEOPLE[2]
    assert (reason(refused), reason(unknown)) == ("BILL_PERIOD_AHEAD", "IDENTITY_UNKNOWN")
    assert sum(isinstance(each, Done) for each in told.answers) == len(PEOPLE) - 3
    assert sorted(each.account_id for each in (await due(slot)).accounts) == [PEOPLE[2], PEOPLE[4], PEOPLE[5]]
    await slot.close()


async def test_an_owner_that_dies_in_a_page_leaves_each_account_closed_or_due_and_no_number_open() -> None:
    clock, store = Clock(), MemoryStore()
    unit = FlakyUnit(store)
    slot = await own(unit, clock=clock)
    await a_month(slot, clock)
    page = page_of((await due(slot)).accounts)
    unit.silent_swaps, unit.vanishes = 1, True
    waiting = Waiting()
    slot.submit(waiting, [(0, page)])
    await until(lambda: unit.away)
    slot.end()
    new = await own(FlakyUnit(store), clock=clock)
    left = {each.account_id for each in (await due(new)).accounts}
    told = await closed(new, page)
    assert {each.account_id for each in told.answers if isinstance(each, Done) and not each.repeated} == left
    assert await numbers(new) == expected(len(PEOPLE))
    await new.close()


async def test_only_the_platform_closes_pages_and_none_of_them_brings_a_number() -> None:
    clock = Clock()
    slot = await own(FlakyUnit(), clock=clock)
    await a_month(slot, clock)
    page = page_of((await due(slot)).accounts)
    forged = replace(page.closes[3], action=page.closes[3].action.numbered("GD-0-B-2027-0000099"))
    for origin, asked in (
        ("datacenter", page),
        ("platform", replace(page, closes=(*page.closes[:3], forged))),
    ):
        waiting = Waiting()
        slot.submit(waiting, [(0, asked)], origin)
        assert reason((await waiting.all(1))[0]) == "ORIGIN_NOT_ALLOWED"
    assert await numbers(slot) == []
    await slot.close()


@pytest.mark.parametrize("many", [0, CLOSES_MAX + 1])
def test_a_page_has_some_accounts_and_not_too_many(many: int) -> None:
    action = Raw(pack(ClosePeriod(JANUARY, b"", None)))
    with pytest.raises(Invalid) as met:
        read_ask(pack(PackedClosings("", "front", 1, "", [("a", DIGEST, action)] * many)))
    assert met.value.reason == "BODY_MALFORMED"


def test_what_the_platform_packs_is_what_the_owner_reads() -> None:
    action = ClosePeriod(JANUARY, b"mark", None)
    read = read_ask(pack(PackedClosings("anna", "front", 7, "run", [("a", DIGEST, Raw(pack(action)))])))
    assert read == CloseAccounts("anna", "front", 7, "run", (AccountClose("a", DIGEST, action),))
    assert isinstance(read, CloseAccounts)
    assert read.command(read.closes[0]).key == f"bill-{DIGEST.hex()}-7"


async def test_who_is_due_comes_with_the_contracts_that_a_pull_would_tell() -> None:
    clock, store = Clock(), MemoryStore()
    slot = await own(FlakyUnit(store), clock=clock)
    await a_month(slot, clock)
    await slot.close()
    # The new owner has none of them in memory.
    new = await own(FlakyUnit(store), clock=clock)
    (answer,) = await ask(new, FetchDue("GD/0", JANUARY, 1, 500, contracts=True))
    assert isinstance(answer, DueAccounts)
    assert (await due(new)).contracts == ()
    for account, contracts in zip(answer.accounts, answer.contracts, strict=True):
        (pulled,) = await ask(new, Pull(account.account_id))
        assert not isinstance(pulled, Failed)
        assert contracts == (pulled.contract,)  # type: ignore[union-attr]
    await new.close()


async def test_a_page_that_no_tier_passes_on_is_told_without_contracts_then_with_fewer_accounts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    slot = await own(FlakyUnit(), clock=clock)
    await a_month(slot, clock)

    async def told(after: str = "") -> DueAccounts:
        (answer,) = await ask(slot, FetchDue("GD/0", JANUARY, 1, 500, after, contracts=True))
        assert isinstance(answer, DueAccounts)
        return answer

    whole = await told()
    bare = len(pack(replace(whole, contracts=())))
    monkeypatch.setattr(due_reads, "ANSWER_BYTES_MAX", bare)
    assert await told() == replace(whole, contracts=())
    monkeypatch.setattr(due_reads, "ANSWER_BYTES_MAX", bare - 1)
    found, page = list[str](), await told()
    while True:
        assert 0 < len(page.accounts) < len(PEOPLE)
        found += [each.account_id for each in page.accounts]
        if not page.next:
            break
        page = await told(page.next)
    assert sorted(found) == PEOPLE
    monkeypatch.setattr(due_reads, "ANSWER_BYTES_MAX", 1)
    assert len((await told()).accounts) == 1
    await slot.close()
