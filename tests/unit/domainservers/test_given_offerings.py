"""Offerings that go from one slot to another: begun once with their money, or back with a reason, whoever dies."""

import pytest
from msgspec.structs import replace

from charging.base.contract import Subscription
from charging.ledger.commands.give_offering import GiveOffering
from charging.ledger.commands.set_contract import SetContract
from charging.wire import Done, FetchHistory, History
from domainservers.slot.courier import Courier
from domainservers.slot.slot import Slot
from testkit.examples import pack_terms
from tests.simulation.callers import sealed
from tests.unit.domainservers.room import ALICE, NOW_MS, FlakyUnit, ask, opening, own, until
from tests.unit.domainservers.test_arrivals import OPENING, account_of
from tests.unit.domainservers.test_moving_on import Roads, killed
from tests.unit.domainservers.test_quarantine import CAROL, DAVE, do, held, opened, two_members

PRICE, FEE = 9_000, 500


async def decided(slot: Slot, identity: str) -> GiveOffering:
    """Decide a pack for somebody, as the platform does."""
    account, contract = await account_of(slot, identity), await held(slot, identity)
    added = Subscription("pack", NOW_MS, NOW_MS + 1_000_000)
    terms = pack_terms(account, contract, added, sealed(PRICE), FEE, DAVE)
    return GiveOffering(identity, "pack", {}, 1, "main", terms)


@pytest.mark.parametrize("dies", ["none", "giver", "receiver"])
@pytest.mark.parametrize("meanwhile", ["nothing", "other contract"])
async def test_an_offering_begins_once_or_its_money_comes_back_with_the_fee(dies: str, meanwhile: str) -> None:
    unit = FlakyUnit()
    south, north = await own(unit), await own(unit, name="GD/3")
    account_id = await two_members(south)
    giver = await do(north, "open-dave", replace(opened(DAVE), books=opening().books), DAVE)
    assert isinstance(giver, Done)
    gift = await decided(south, CAROL)
    assert isinstance(await do(north, "give", gift, DAVE, giver.account_id), Done)
    if meanwhile == "other contract":
        other = replace(await held(south, CAROL), subscriptions=(Subscription("plan", NOW_MS, 0),))
        assert isinstance(await do(south, "set", SetContract(other), ALICE, account_id), Done)
    roads = Roads({CAROL: south}, {"GD/0": south, "GD/3": north})
    roads.deaf = True
    courier = Courier(north, roads)
    courier.start()
    await until(lambda: roads.offers > 0)
    courier.stop()
    if dies == "giver":
        north = roads.slots["GD/3"] = await killed(unit, north, "GD/3")
    if dies == "receiver":
        south = roads.slots["GD/0"] = roads.homes[CAROL] = await killed(unit, south, "GD/0")
    roads.deaf = False
    courier = Courier(north, roads)
    courier.start()
    await until(lambda: not north.parts.watch.outgoing)
    courier.stop()
    begun = meanwhile == "nothing"
    assert (await account_of(north, DAVE)).books[0].amount == OPENING - (PRICE + FEE if begun else 0)
    assert sum(book.amount for book in (await account_of(south, ALICE)).books) == OPENING
    names = [each.offering for each in (await held(south, CAROL)).subscriptions]
    assert names == (["pack"] if begun else ["plan"])
    (told,) = await ask(north, FetchHistory(DAVE, 10))
    assert isinstance(told, History)
    settled = next(line.reason for line in told.lines if line.kind == "settle")
    assert settled.startswith("arrived" if begun else "GIFT_OUTDATED")
