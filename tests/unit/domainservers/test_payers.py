"""A bill goes from the owner that made it to that of its payer, in whatever slot: whoever dies, it is owed once."""

import pytest
from msgspec.structs import replace

from charging.base.account import Account
from charging.base.receivables import open_of
from charging.bills.taxtable import TaxTable
from charging.ledger.commands.set_payee import SetPayee
from charging.ledger.commands.set_payer import SetPayer
from charging.rating.closing import closing_of
from charging.wire import Done
from domainservers.slot.courier import Courier
from domainservers.slot.slot import Slot
from tests.unit.domainservers.room import ALICE, BOB, Clock, FlakyUnit, charge, own, until
from tests.unit.domainservers.test_arrivals import Way, account_of, findings
from tests.unit.domainservers.test_quarantine import do, opened

MONTH_MS = 31 * 86_400_000
COSTS = 1_230_000


async def open_at(slot: Slot, identity: str) -> str:
    """Open an account that pays by bills."""
    command = replace(opened(identity), payment_mode="postpaid", credit_limit=100_000_000, books=())
    done = await do(slot, "open", command, identity)
    assert isinstance(done, Done), done
    return done.account_id


async def billed(slot: Slot, clock: Clock, identity: str, key: str) -> None:
    account = await account_of(slot, identity)
    action = closing_of(account, TaxTable(coin=10_000), account.terms.closed + 1, clock.ms)
    done = await do(slot, key, action, identity, account.account_id)
    assert isinstance(done, Done), done


@pytest.mark.parametrize("agreed", [True, False])
@pytest.mark.parametrize("dies", ["none", "made", "payer"])
async def test_a_bill_is_owed_once_by_its_payer_or_where_it_was_made(dies: str, agreed: bool) -> None:
    unit, clock = FlakyUnit(), Clock()
    made, payer = await own(unit, None, clock), await own(unit, None, clock, "GD/1")
    child, firm = await open_at(made, ALICE), await open_at(payer, BOB)
    assert isinstance(await do(made, "payer", SetPayer(firm, "works there"), ALICE, child), Done)
    if agreed:
        assert isinstance(await do(payer, "payee", SetPayee(child, "yes", "works here"), BOB, firm), Done)
    clock.ms += MONTH_MS
    await billed(made, clock, ALICE, "january")
    call = replace(charge(COSTS, ALICE, 1), usage=replace(charge(COSTS, ALICE).usage, start_ms=clock.ms))
    version = (await account_of(made, ALICE)).version
    assert isinstance(await do(made, "call", replace(call, base_version=version), ALICE, child), Done)
    clock.ms += MONTH_MS
    await billed(made, clock, ALICE, "february")
    way = Way(payer)
    way.deaf = True
    courier = Courier(made, way)
    courier.start()
    await until(lambda: way.offers > 0)
    courier.stop()
    if dies == "made":
        made.end()
        made = await own(unit, None, clock)
    if dies == "payer":
        payer.end()
        way.receiver = payer = await own(unit, None, clock, "GD/1")
    way.deaf = False
    courier = Courier(made, way)
    courier.start()
    await until(lambda: not made.parts.watch.outgoing)
    courier.stop()
    here, there = await account_of(made, ALICE), await account_of(payer, BOB)
    assert (open_of(here), taken_over(there)) == ((0, COSTS) if agreed else (COSTS, 0))
    assert await findings(unit, "GD/0", child) == await findings(unit, "GD/1", firm) == ()


def taken_over(account: Account) -> int:
    pairs = zip(account.buckets.keys, account.buckets.amounts, strict=True)
    return sum(amount for key, amount in pairs if key.kind == "payee")
