"""The accounts of a customer: found from any of them, by pages, also before they are written and after a takeover."""

from msgspec.structs import replace

from charging.wire import Answer, CustomerRow, CustomerRows, FetchCustomer, pack
from domainservers.base.limits import Limits
from domainservers.contracts.customers import COLLECTION
from domainservers.slot.slot import Slot
from storage.unit import Record
from tests.unit.domainservers.room import ALICE, FlakyUnit, ask, commit, opening, own


def member(number: int) -> str:
    return f"msisdn:86130{number:08}"


async def opened(unit: FlakyUnit, count: int, customer: str = "acme") -> Slot:
    slot = await own(unit, Limits())
    for number in range(count):
        command = replace(opening(member(number)), customer_id=customer)
        await ask(slot, commit(f"open-{number}", command, member(number)))
    return slot


def rows_of(answer: Answer) -> CustomerRows:
    assert isinstance(answer, CustomerRows), answer
    return answer


async def all_rows(slot: Slot, identity: str, size: int) -> list[str]:
    found: list[str] = []
    after = ""
    while True:
        page = rows_of((await ask(slot, FetchCustomer(identity, size, after)))[0])
        assert len(page.rows) <= size
        found += [row.account_id for row in page.rows]
        if not page.more:
            return found
        after = found[-1]


async def test_all_accounts_of_a_customer_are_found_from_any_of_them() -> None:
    slot = await opened(FlakyUnit(), 9)
    await ask(slot, commit("other", replace(opening(), customer_id="another")))
    for size in (1, 4, 9, 1_000):
        assert len(await all_rows(slot, member(3), size)) == 9
    page = rows_of((await ask(slot, FetchCustomer(ALICE, 10)))[0])
    assert (page.customer_id, len(page.rows)) == ("another", 1)
    await slot.close()


async def test_an_account_without_customer_has_none() -> None:
    slot = await opened(FlakyUnit(), 2, "")
    page = rows_of((await ask(slot, FetchCustomer(member(0), 10)))[0])
    assert page == CustomerRows("", (), False)
    await slot.close()


async def test_rows_are_there_after_the_owner_died_before_it_wrote_them() -> None:
    unit = FlakyUnit()
    slot = await opened(unit, 3)
    slot.end()
    later = await own(unit, Limits())
    assert len(await all_rows(later, member(0), 10)) == 3
    await later.close()


async def test_ten_thousand_accounts_are_told_page_by_page() -> None:
    unit = FlakyUnit()
    slot = await opened(unit, 1)
    many = [
        Record(COLLECTION, "acme", f"GD/0:{n:05}", pack(CustomerRow(f"GD/0:{n:05}", "GD", n)), 1) for n in range(10_000)
    ]
    await unit.put(many)
    found = await all_rows(slot, member(0), 1_000)
    assert len(found) == len(set(found)) == 10_001
    await slot.close()
