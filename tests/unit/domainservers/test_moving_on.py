"""Members and money that go from one account to another, and accounts that get another customer or open again.

Whoever dies in between: nobody is lost, nothing is there twice.
"""

import pytest
from msgspec.structs import replace

from charging import wire
from charging.base.account_id import asked_for, slot_of
from charging.base.contract import Contract
from charging.errors import Unavailable
from charging.ledger.commands.join import Join
from charging.ledger.commands.leave import Leave
from charging.ledger.commands.release_number import ReleaseNumber
from charging.ledger.commands.reopen_account import Reopen
from charging.ledger.commands.send_transfer import SendTransfer
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.commands.top_up import TopUp
from charging.ledger.commands.transfer_ownership import TransferOwnership
from charging.wire import Commit, CustomerRows, Done, FetchCustomer, Pull
from domainservers.contracts.contracts import read_contracts, unpack_contract
from domainservers.slot.courier import Courier
from domainservers.slot.slot import Slot
from tests.unit.domainservers.room import ALICE, BOB, NOW_MS, Clock, FlakyUnit, ask, commit, opening, own, until
from tests.unit.domainservers.room import do as do_on
from tests.unit.domainservers.test_arrivals import OPENING, Way, account_of, findings
from tests.unit.domainservers.test_quarantine import CAROL, DAVE, UNTIL_MS, do, held, opened, reason, two_members


def joining(identity: str) -> Join:
    return Join(identity, "", "now", NOW_MS, {}, "", 0)


async def killed(unit: FlakyUnit, slot: Slot, name: str) -> Slot:
    """Let the owner die as it is, and another one take the slot over."""
    slot.end()
    return await own(unit, name=name)


async def written(slot: Slot) -> None:
    await until(lambda: not slot.parts.contracts._due)


@pytest.mark.parametrize("dies", ["none", "old", "new", "both"])
async def test_a_member_that_moves_to_another_account_is_never_lost_nor_in_both(dies: str) -> None:
    unit = FlakyUnit()
    south, north = await own(unit), await own(unit, name="GD/3")
    account_id = await two_members(south)
    other = await do(north, "open-bob", opened(BOB), BOB)
    third = await do(north, "open-dave", opened(DAVE), DAVE)
    assert isinstance(other, Done)
    assert isinstance(third, Done)
    left = Leave("moves", 0, other.account_id, await held(south, CAROL), rests_until_ms=UNTIL_MS)
    assert isinstance(await do(south, "leave", left, CAROL, account_id), Done)
    if dies in ("old", "both"):
        south = await killed(unit, south, "GD/0")
    await written(south)
    assert reason(await do(north, "not-dave", joining(CAROL), DAVE, third.account_id)) == "NUMBER_IN_QUARANTINE"
    joined = await do(north, "join", joining(CAROL), BOB, other.account_id)
    assert isinstance(joined, Done), joined
    if dies in ("new", "both"):
        north = await killed(unit, north, "GD/3")
    again = await do(north, "join", joining(CAROL), BOB, other.account_id)
    assert again == replace(joined, repeated=True)
    assert (await account_of(south, ALICE)).members == (ALICE,)
    assert (await account_of(north, BOB)).members == (BOB, CAROL)
    assert (await held(north, CAROL)).account_id == other.account_id
    await written(north)
    assert reason(await do(south, "back", joining(CAROL), ALICE, account_id)) == "IDENTITY_TAKEN"


async def test_a_member_that_moves_there_and_back_is_read_anew_by_whoever_takes_it() -> None:
    unit = FlakyUnit()
    south, north = await own(unit), await own(unit, name="GD/3")
    account_id = await two_members(south)
    other = await do(north, "open-bob", opened(BOB), BOB)
    assert isinstance(other, Done)
    for number in range(9):  # Its version is ahead of the other account's by then.
        await do(north, f"paid-{number}", TopUp("", "", 5, 0, 0, "", ""), BOB, other.account_id)
    assert reason(await do(north, "early", joining(CAROL), BOB, other.account_id)) == "IDENTITY_TAKEN"
    goes = Leave("moves", 0, other.account_id, await held(south, CAROL))
    assert isinstance(await do(south, "leave", goes, CAROL, account_id), Done)
    await written(south)
    joined = await do(north, "join", joining(CAROL), BOB, other.account_id)
    assert isinstance(joined, Done), joined
    await written(north)
    returns = Leave("moves", 0, account_id, await held(north, CAROL))
    assert isinstance(await do(north, "leave", returns, CAROL, other.account_id), Done)
    await written(north)
    assert isinstance(await do(south, "back", joining(CAROL), ALICE, account_id), Done)
    await written(south)
    stored = await read_contracts(unit, [CAROL])
    assert unpack_contract(stored[CAROL].value).account_id == account_id, "the newer contract is the one that stays"


@pytest.mark.parametrize("dies", ["none", "sender", "receiver"])
async def test_what_is_left_of_a_closed_account_arrives_at_another_one_once(dies: str) -> None:
    unit, clock = FlakyUnit(), Clock()
    sender, receiver = await own(unit, None, clock), await own(unit, None, clock, "GD/1")
    await do_on(sender, "open", opening())
    await do_on(receiver, "open", opening(BOB), BOB)
    closing = SetStatus("closed", "moves", OPENING, BOB)
    done = await do_on(sender, "close", closing)
    assert isinstance(done, Done), done
    way = Way(receiver)
    way.deaf = True
    courier = Courier(sender, way)
    courier.start()
    await until(lambda: way.offers > 0)
    courier.stop()
    if dies == "sender":
        sender.end()
        sender = await own(unit, None, clock)
        assert await do_on(sender, "close", closing) == replace(done, repeated=True)
    if dies == "receiver":
        receiver.end()
        way.receiver = receiver = await own(unit, None, clock, "GD/1")
    way.deaf = False
    courier = Courier(sender, way)
    courier.start()
    await until(lambda: not sender.parts.watch.outgoing)
    courier.stop()
    assert (await account_of(receiver, BOB)).books[0].amount == 2 * OPENING
    state = sender.parts.memory.state(sender.parts.accounts.cells[ALICE])
    assert state is not None
    assert (state.terms.status, state.books[0].amount, state.open.outgoing) == ("closed", 0, ())
    assert await findings(unit, "GD/0", ALICE) == await findings(unit, "GD/1", BOB) == ()


async def test_what_is_refused_at_the_other_account_comes_back_and_leaves_by_the_same_command() -> None:
    unit, clock = FlakyUnit(), Clock()
    sender, receiver = await own(unit, None, clock), await own(unit, None, clock, "GD/1")
    account_id = (await do(sender, "open", replace(opened(ALICE), books=opening().books), ALICE)).account_id  # type: ignore[union-attr]
    await do_on(receiver, "open", replace(opening(BOB), currency="EUR"), BOB)
    await do(sender, "close", SetStatus("closed", "moves", OPENING, BOB), ALICE, account_id)
    courier = Courier(sender, Way(receiver))
    courier.start()
    await until(lambda: not sender.parts.watch.outgoing)
    courier.stop()
    by_id = f"account:{account_id}"
    assert (await account_of(sender, by_id)).books[0].amount == OPENING
    wrong = SetStatus("closed", "paid out", 5)
    assert reason(await do(sender, "wrong", wrong, by_id, account_id)) == "PAYOUT_MISMATCH"
    await do(sender, "pay", SetStatus("closed", "paid out", OPENING), by_id, account_id)
    assert (await account_of(sender, by_id)).books[0].amount == 0
    assert reason(await do(sender, "more", SetStatus("closed", "", 5), by_id, account_id)) == "ACCOUNT_CLOSED"


@pytest.mark.parametrize("dies", [False, True])
async def test_an_account_stands_in_the_list_of_the_customer_that_it_was_given_to_and_in_no_other(dies: bool) -> None:
    unit = FlakyUnit()
    slot = await own(unit)
    for identity, customer in ((ALICE, "old"), (CAROL, "old"), (BOB, "new")):
        await ask(slot, commit(f"open-{identity}", replace(opening(identity), customer_id=customer), identity))
    if dies:
        await slot.parts.customers.flush()
    await do_on(slot, "give", TransferOwnership("new", "old", {"grade": "vip"}, False, "sold"))
    if dies:
        slot.end()
        slot = await own(unit)
    for identity, expected in ((CAROL, {CAROL}), (BOB, {ALICE, BOB}), (ALICE, {ALICE, BOB})):
        for _ in range(2):
            (page,) = await ask(slot, FetchCustomer(identity, 10))
            assert isinstance(page, CustomerRows)
            assert {row.account_id for row in page.rows} == expected
            await slot.parts.customers.flush()
    state = await account_of(slot, ALICE)
    assert (state.customer_id, state.terms.customer_attributes) == ("new", {"grade": "vip"})


async def test_a_closed_account_opens_again_with_the_number_that_rests_for_it_and_with_no_other() -> None:
    unit = FlakyUnit()
    slot = await own(unit)
    account_id = await two_members(slot)
    by_id = f"account:{account_id}"
    await do(slot, "close", SetStatus("closed", "", rests_until_ms=UNTIL_MS), ALICE, account_id)
    await written(slot)
    begins = slot.parts.around.newest_ms
    for key, number in (("stranger", BOB), ("nobody", DAVE)):
        wrong = Reopen(number, "", {}, "", from_ms=begins, closed_since_ms=0)
        assert reason(await do(slot, key, wrong, by_id, account_id)) == "NUMBER_NOT_KEPT"
    free = ReleaseNumber(CAROL, "a hospital wants it")
    made = commit("free", free, by_id)
    (done,) = await ask(slot, replace(made, command=replace(made.command, account_id=account_id, actor="li")))
    assert isinstance(done, Done), done
    await written(slot)
    assert isinstance(await do(slot, "open-carol", opened(CAROL), CAROL), Done), "the number is free at once"
    late = Reopen(ALICE, "", {}, "", from_ms=begins)
    assert reason(await do(slot, "late", late, by_id, account_id)) == "REOPENING_OVER"
    again = Reopen(ALICE, "", {}, "back", from_ms=begins, closed_since_ms=0)
    assert isinstance(await do(slot, "again", again, by_id, account_id), Done)
    slot = await killed(unit, slot, "GD/0")
    state = await account_of(slot, ALICE)
    assert (state.account_id, state.terms.status, state.members) == (account_id, "active", (ALICE,))
    (gone,) = await ask(slot, Pull(CAROL))
    assert isinstance(await held(slot, CAROL), Contract), gone


class Roads:
    """Couriers' way by number, to where that is now, and by account, to its slot; deaf, answers to offers are lost."""

    def __init__(self, homes: dict[str, Slot], slots: dict[str, Slot]) -> None:
        self.homes = homes
        self.slots = slots
        self.deaf = False
        self.offers = 0

    async def ask(self, identity: str, body: bytes, timeout_ms: int) -> bytes:
        asked = wire.unpack_ask(body)
        account_id = asked_for(identity)
        slot = self.slots[slot_of(account_id)] if account_id else self.homes[identity]
        (answer,) = await ask(slot, asked)
        if isinstance(asked, Commit):
            self.offers += 1
            if self.deaf:
                raise Unavailable.told("NO_ANSWER", "nothing came back")
        return wire.pack(answer)


@pytest.mark.parametrize("goes", ["on", "away"])
@pytest.mark.parametrize("dies", [False, True])
async def test_what_arrived_stays_where_it_arrived_though_the_number_goes_before_the_sender_hears_of_it(
    goes: str, dies: bool
) -> None:
    """The number belongs to another account then, or to none; `dies` is the sender's owner in between."""
    unit = FlakyUnit()
    south, north = await own(unit), await own(unit, name="GD/3")
    account_id = await two_members(south)
    other = await do(north, "open-bob", opened(BOB), BOB)
    sender = await do(north, "open-dave", replace(opened(DAVE), books=opening().books), DAVE)
    assert isinstance(other, Done)
    assert isinstance(sender, Done)
    money = (await account_of(south, ALICE)).books[0].amount
    roads = Roads({CAROL: south}, {"GD/0": south, "GD/3": north})
    roads.deaf = True
    courier = Courier(north, roads)
    courier.start()
    await do(north, "send", SendTransfer("main", CAROL, "main", 4_000, ""), DAVE, sender.account_id)
    await until(lambda: roads.offers > 0)
    courier.stop()
    assert (await account_of(south, ALICE)).books[0].amount == money + 4_000
    to = other.account_id if goes == "on" else ""
    left = Leave("moves", 0, to, await held(south, CAROL), rests_until_ms=UNTIL_MS)
    assert isinstance(await do(south, "leave", left, CAROL, account_id), Done)
    await written(south)
    if goes == "on":
        assert isinstance(await do(north, "join", joining(CAROL), BOB, other.account_id), Done)
        roads.homes[CAROL] = north
    if dies:
        north = roads.slots["GD/3"] = await killed(unit, north, "GD/3")
        roads.homes = {CAROL: north if goes == "on" else south}
    roads.deaf = False
    courier = Courier(north, roads)
    courier.start()
    await until(lambda: not north.parts.watch.outgoing, 40)
    courier.stop()
    assert (await account_of(north, BOB)).books[0].amount == OPENING, "it arrived once, and not here"
    assert (await account_of(north, DAVE)).books[0].amount == OPENING - 4_000, "nor came it back"
    assert (await account_of(south, ALICE)).books[0].amount == money + 4_000
