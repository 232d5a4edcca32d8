"""What request keys did goes along with a ported account: real slots, real ledger, the porter between them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from charging import wire
from charging.base.account_id import compose
from charging.bills.taxtable import TaxTable
from charging.errors import Fault, Invalid
from charging.ledger.auditing import audit
from charging.ledger.commands.open_account import OpenAccount
from charging.ledger.commands.pay import Pay
from charging.ledger.commands.refund import Refund
from charging.ledger.commands.reverse_payment import ReversePayment
from charging.ledger.commands.top_up import TopUp
from charging.ledger.entry import Entry
from charging.ledger.kinds import Action
from charging.rating.closing import closing_of, ended_ms
from charging.wire import Answer, Ask, BusinessData, Commit, Done, Failed, FetchOutcomes, Pull
from datacenter.porting.port import Porter
from directory.changes import Change, Domain, NumberPlan, UnitAddress
from directory.directory import Directory
from domainservers.base.limits import Limits
from domainservers.journal.groups import unpack_entries
from domainservers.journal.journal import Position, genesis, read_chain
from domainservers.reads import outcomes
from domainservers.slot.slot import Slot
from house.stores import COLLECTIONS
from runtime.telemetry import Metrics
from storage.memory.unit import MemoryStore, MemoryUnit
from tests.unit.domainservers import room
from tests.unit.domainservers.room import ALICE, Clock, FlakyUnit, ask, charge, opening, own

ACCOUNT = compose("GD/0", ALICE)
OPENING = 100_000_000
HOUR_MS = 3_600_000
COUNTRY: tuple[Change, ...] = (
    UnitAddress("shared", "memory:shared"),
    UnitAddress("private", "memory:private"),
    *(Domain(code, code, "Asia/Shanghai", 1, "shared", "private") for code in ("GD", "XJ", "BJ")),
    NumberPlan({"86138": "GD"}),
)


def commit(key: str, action: Action, content: str = "") -> Commit:
    """Make a commit for the account; its opening names none, since the owner gives the id."""
    made = room.commit(key, action, ALICE, content)
    account_id = "" if isinstance(action, OpenAccount) else ACCOUNT
    return replace(made, command=replace(made.command, account_id=account_id))


async def do(slot: Slot, key: str, action: Action, content: str = "") -> Answer:
    """Commit one command."""
    (answer,) = await ask(slot, commit(key, action, content))
    return answer


class Country:
    """Three domains of one slot each, on one unit, and a porter."""

    def __init__(self, directory: Directory, unit: FlakyUnit, slots: dict[str, Slot], clock: Clock) -> None:
        self.slots = slots
        self.clock = clock
        self.pages = 0
        self.fails: Fault | None = None
        """What the next page is answered with instead."""
        self._unit = unit
        self._porter = Porter(directory, self._ask, Metrics("test"))

    async def port(self, to_domain: str, key: str = "") -> None:
        await asyncio.wait_for(self._porter.port(ALICE, to_domain, key or f"to-{to_domain}", "tests"), 30)

    async def _ask(self, route: str, asks: Sequence[Ask], timeout_ms: int) -> list[Answer]:
        if isinstance(asks[0], FetchOutcomes):
            self.pages += 1
            fault, self.fails = self.fails, None
            if fault is not None:
                return [wire.failed(fault)]
        return await ask(self.slots[route.removeprefix("domain:").partition("/")[0]], *asks)

    async def charges(self, first: int, count: int) -> None:
        """Charge 1, 2, 3, … micro-units under keys of their own."""
        numbers = range(first, first + count)
        answers = await ask(self.slots["GD"], *(commit(f"k{number}", charge(number)) for number in numbers))
        assert all(isinstance(answer, Done) for answer in answers)

    async def write_down(self) -> None:
        """Let a round of snapshots pass, which forgets the keys that are old."""
        parts = self.slots["GD"].parts
        parts.snapshots.begin(parts.snapshots.capture(), lambda: None)
        parts.snapshots.captured_at = 0.0
        await parts.snapshots.settle()

    async def balance(self, domain: str) -> int:
        (data,) = await ask(self.slots[domain], Pull(ALICE))
        assert isinstance(data, BusinessData)
        return data.account.books[0].amount

    async def audit(self, domain: str) -> tuple[str, ...]:
        """Findings in the journal of a domain."""
        name = f"{domain}/0"
        entries: list[Entry] = []
        async for _, groups in read_chain(self._unit, name, Position(0, -1, genesis(name))):
            entries += [entry for group in groups for entry in unpack_entries(group.payload)]
        return audit(entries, ACCOUNT).findings


@asynccontextmanager
async def country(group_entries_max: int = 2_000) -> AsyncIterator[Country]:
    clock, unit = Clock(), FlakyUnit()
    directory = await Directory.open(MemoryUnit(MemoryStore(), COLLECTIONS), 50)
    await directory.amend(COUNTRY, "country", "tests")
    limits = Limits(group_entries_max=group_entries_max, kept_entries_max=1)
    slots = {code: await own(unit, limits, clock, f"{code}/0") for code in ("GD", "XJ", "BJ")}
    await do(slots["GD"], "open", opening(amount=OPENING))
    yield Country(directory, unit, slots, clock)
    for slot in slots.values():
        await slot.close()
    await directory.close()


@pytest.mark.parametrize("groups", [250, 3])
async def test_every_key_that_is_still_promised_goes_along_page_by_page(
    groups: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes, "PAGE_GROUPS_MAX", groups)
    count = 4_500
    async with country(group_entries_max=200) as home:
        await home.charges(1, count)
        await home.port("XJ")
        assert home.pages > 2, "one page is no proof"
        left = OPENING - count * (count + 1) // 2
        assert await home.balance("XJ") == left
        repeats = [commit(f"k{number}", charge(number)) for number in range(1, count + 1)]
        for answer in await ask(home.slots["XJ"], *repeats):
            assert isinstance(answer, Done)
            assert answer.repeated
        other = await do(home.slots["XJ"], "k1", charge(1), content="another")
        assert isinstance(other, Failed)
        assert other.reason == "REQUEST_KEY_REUSED"
        assert await home.balance("XJ") == left
        assert await home.audit("XJ") == ()


async def test_an_account_that_was_billed_a_moment_ago_can_be_ported() -> None:
    async with country() as home:
        (data,) = await ask(home.slots["GD"], Pull(ALICE))
        assert isinstance(data, BusinessData)
        month = data.account.terms.closed + 1
        await do(home.slots["GD"], "used", charge(OPENING))
        home.clock.ms = ended_ms(data.account, month)
        (data,) = await ask(home.slots["GD"], Pull(ALICE))
        assert isinstance(data, BusinessData)
        bill = closing_of(data.account, TaxTable(), month, home.clock.ms)
        told = await do(home.slots["GD"], "bill", bill)
        assert isinstance(told, Done)
        assert told.detail
        await home.port("XJ")
        assert await do(home.slots["XJ"], "bill", bill) == replace(told, repeated=True)
        assert [await home.audit(domain) for domain in ("GD", "XJ")] == [(), ()]


async def test_a_charge_of_before_a_port_is_refunded_once_also_after_the_next_port() -> None:
    async with country() as home:
        await home.charges(5_000, 2)
        await home.port("XJ")
        part = await do(home.slots["XJ"], "part", Refund("k5000", 2_000, "sorry"))
        assert isinstance(part, Done)
        await home.port("BJ")
        rest = await do(home.slots["BJ"], "rest", Refund("k5000", 0, "sorry"))
        assert isinstance(rest, Done)
        assert (part.amount, rest.amount) == (2_000, 3_000)
        for key, wanted in (("k5000", "REFUNDED_ALREADY"), ("open", "CHARGE_UNKNOWN")):
            refusal = await do(home.slots["BJ"], f"refund-{key}", Refund(key, 0, "sorry"))
            assert isinstance(refusal, Failed)
            assert refusal.reason == wanted
        assert await home.balance("BJ") == OPENING - 5_001
        assert [await home.audit(domain) for domain in home.slots] == [(), (), ()]


@pytest.mark.parametrize("paid", [Pay(5_000_000, "", "", "", "cash", ""), TopUp("", "", 5_000_000, 0, 0, "", "cash")])
async def test_a_payment_of_before_a_port_is_charged_back_once_also_after_the_next_port(paid: Action) -> None:
    async with country() as home:
        told = await do(home.slots["GD"], "paid", paid)
        refused = await do(home.slots["GD"], "refused", Pay(1, "no such bill", "", "", "cash", ""))
        assert isinstance(refused, Failed)
        await home.charges(7, 1)
        await home.port("XJ")
        await home.port("BJ")
        assert isinstance(told, Done)
        assert await do(home.slots["BJ"], "paid", paid) == replace(told, repeated=True)
        back = await do(home.slots["BJ"], "back", ReversePayment("paid", "chargeback"))
        assert isinstance(back, Done), back
        assert (back.amount, await home.balance("BJ")) == (5_000_000, OPENING - 7)
        for key, wanted in (("paid", "REVERSED_ALREADY"), ("k7", "NOT_A_PAYMENT"), ("before", "CHARGE_BEFORE_PORT")):
            failed = await do(home.slots["BJ"], f"back-{key}", ReversePayment(key, "chargeback"))
            assert isinstance(failed, Failed)
            assert failed.reason == wanted
        refund = await do(home.slots["BJ"], "refund", Refund("paid", 0, "no charge"))
        assert isinstance(refund, Failed)
        assert refund.reason == "CHARGE_UNKNOWN"
        assert isinstance(await do(home.slots["BJ"], "tombstone", ReversePayment("refused", "it never came")), Done)
        assert [await home.audit(domain) for domain in home.slots] == [(), (), ()]


async def test_a_charge_whose_key_was_not_promised_any_more_is_refused_with_what_to_do() -> None:
    async with country() as home:
        await home.charges(7, 1)
        await home.write_down()
        home.clock.ms += 25 * HOUR_MS
        await home.charges(8, 1)
        await home.write_down()
        await home.port("XJ")
        refusal = await do(home.slots["XJ"], "refund", Refund("k7", 0, "late"))
        assert isinstance(refusal, Failed)
        assert (refusal.kind, refusal.reason) == ("not_found", "CHARGE_BEFORE_PORT")
        assert "adjustment" in refusal.message
        assert isinstance(await do(home.slots["XJ"], "refund-8", Refund("k8", 0, "in time")), Done)
        assert await home.balance("XJ") == OPENING - 7


async def test_a_port_whose_keys_can_not_go_along_stays_open_until_they_do() -> None:
    async with country() as home:
        await home.charges(7, 1)
        home.fails = Invalid.told("SOMETHING_WRONG", "a page can't be told")
        with pytest.raises(Fault) as caught:
            await home.port("XJ")
        assert caught.value.reason == "KEYS_LEFT_BEHIND"
        home.clock.ms += 30 * HOUR_MS
        await home.port("XJ")
        again = await do(home.slots["XJ"], "k7", charge(7))
        assert isinstance(again, Done)
        assert again.repeated
        assert await home.balance("XJ") == OPENING - 7


async def test_a_number_that_comes_home_remembers_what_was_done_in_both_domains() -> None:
    async with country() as home:
        await home.charges(7, 1)
        await home.port("XJ", "there")
        assert isinstance(await do(home.slots["XJ"], "away", charge(9, version=4)), Done)
        home.slots["GD"].parts.keys.recent.clear()  # As after a day: only the journal still has them.
        await home.port("GD", "back")
        for key, amount in (("k7", 7), ("away", 9)):
            again = await do(home.slots["GD"], key, charge(amount))
            assert isinstance(again, Done)
            assert (again.repeated, again.amount) == (True, amount)
        assert await home.balance("GD") == OPENING - 16
        assert [await home.audit(domain) for domain in home.slots] == [(), (), ()]
