"""Accounts have one id in the nation, and an identity belongs to one of them, whoever else wants it."""

import asyncio
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from charging.base.account_id import identity_of
from charging.base.contract import Contract
from charging.ledger.commands.adjust import Adjust
from charging.ledger.commands.move_in import MoveIn
from charging.ledger.commands.move_out import MoveOut
from charging.ledger.commands.open_account import OpenAccount
from charging.ledger.commands.set_contract import SetContract
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.commands.top_up import TopUp
from charging.ledger.kinds import Action
from charging.wire import Answer, BusinessData, Commit, Done, Failed, FetchHistory, History, Lookup, Pull
from domainservers.contracts import registry
from domainservers.contracts.registry import Registry
from domainservers.slot.slot import Slot
from storage.memory.unit import MemoryStore
from tests.unit.domainservers import room
from tests.unit.domainservers.room import ALICE, BOB, Clock, FlakyUnit, ask, charge, opening, own, until

CAROL = "msisdn:8613800000003"
DEPOSIT = TopUp("main", "money", 1_000, 0, 100, "", "deposit")


def opened(own_id: str = "", identity: str = ALICE, domain: str = "GD") -> OpenAccount:
    """An opening as the platform sends it: the id is the owner's to give."""
    return replace(opening(identity, domain=domain), account_id=own_id, contract=Contract(identity, "", domain))


async def do(slot: Slot, key: str, action: Action, identity: str = ALICE, account_id: str = "") -> Answer:
    made = room.commit(key, action, identity)
    (answer,) = await ask(slot, Commit(identity, replace(made.command, account_id=account_id)))
    return answer


async def pulled(slot: Slot, identity: str) -> Answer:
    (answer,) = await ask(slot, Pull(identity))
    return answer


def id_of(answer: Answer) -> str:
    assert isinstance(answer, Done), answer
    return answer.account_id


def reason(answer: Answer) -> str:
    assert isinstance(answer, Failed), answer
    return answer.reason


async def test_one_own_id_in_two_slots_makes_two_accounts_that_nothing_mixes_up() -> None:
    unit = FlakyUnit()
    south, north = await own(unit), await own(unit, name="BJ/3")
    first = id_of(await do(south, "open", opened("1001")))
    second = id_of(await do(north, "open", opened("1001", BOB, "BJ"), BOB))
    assert (first, second) == ("GD/0:1001", "BJ/3:1001")
    for slot, identity, account_id in ((south, ALICE, first), (north, BOB, second)):
        data = await pulled(slot, identity)
        assert isinstance(data, BusinessData)
        assert data.account.account_id == data.contract.account_id == account_id


async def test_an_opening_is_repeated_under_its_key_and_refused_under_another() -> None:
    slot = await own(FlakyUnit())
    first = await do(slot, "open", opened())
    assert id_of(first) == f"GD/0:{ALICE}"
    again = await do(slot, "open", opened())
    assert isinstance(again, Done)
    assert (again.repeated, again.account_id) == (True, id_of(first))
    assert reason(await do(slot, "more", opened())) == "ACCOUNT_EXISTS"
    assert reason(await do(slot, "else", opened("1001"))) == "IDENTITY_TAKEN"


async def test_a_stranger_overwrites_no_contract() -> None:
    unit = FlakyUnit()
    south, north = await own(unit), await own(unit, name="BJ/3")
    victim = id_of(await do(south, "open", opened("1001")))
    await south.parts.contracts.flush()
    for action in (opened("1001", ALICE, "BJ"), opened("", ALICE, "BJ")):
        assert reason(await do(north, f"rob-{action.account_id}", action)) == "IDENTITY_TAKEN"
    thief = id_of(await do(north, "mine", opened("", BOB, "BJ"), BOB))
    joining = SetContract(Contract(ALICE, thief, "BJ"))
    assert reason(await do(north, "join", joining, BOB, thief)) == "IDENTITY_TAKEN"
    ending = SetContract(Contract(ALICE, thief, "BJ", status="ended"))
    assert reason(await do(north, "end", ending, BOB, thief)) in ("IDENTITY_TAKEN", "MEMBER_UNKNOWN")
    await north.parts.contracts.flush()
    fresh = await own(unit, name="GD/0")
    data = await pulled(fresh, ALICE)
    assert isinstance(data, BusinessData)
    assert data.contract.account_id == victim


@pytest.mark.parametrize("turn", range(8))
async def test_of_two_owners_who_want_one_identity_at_once_one_gets_it(turn: int) -> None:
    unit = FlakyUnit()
    south, north = await own(unit), await own(unit, name="BJ/3")
    other = id_of(await do(north, "open", opened("", BOB, "BJ"), BOB))

    async def later(turns: int, wanted: Callable[[], object]) -> Answer:
        for _ in range(turns):
            await asyncio.sleep(0)
        return await wanted()  # type: ignore[misc,no-any-return]

    one, two = await asyncio.gather(
        later(turn, lambda: do(south, "open", opened("", CAROL), CAROL)),
        later(8 - turn, lambda: do(north, "join", SetContract(Contract(CAROL, other, "BJ")), BOB, other)),
    )
    assert sorted(isinstance(answer, Done) for answer in (one, two)) == [False, True]
    lost = one if isinstance(one, Failed) else two
    assert reason(lost) in ("IDENTITY_TAKEN", "IDENTITY_CONTENDED")


async def test_a_closed_account_lets_its_identities_go_and_keeps_its_money() -> None:
    unit = FlakyUnit()
    slot, north = await own(unit), await own(unit, name="BJ/3")
    first = id_of(await do(slot, "open", opened()))
    assert isinstance(await do(slot, "join", SetContract(Contract(CAROL, first, "GD")), ALICE, first), Done)
    close = await do(slot, "close", SetStatus("closed", "left"), ALICE, first)
    assert isinstance(close, Done)
    await slot.parts.contracts.flush()
    assert reason(await pulled(slot, ALICE)) == "IDENTITY_UNKNOWN"
    assert reason(await do(slot, "pay", DEPOSIT, ALICE, first)) == "IDENTITY_UNKNOWN"
    (told,) = await ask(slot, Lookup(ALICE, "close"))
    assert isinstance(told, Done)
    second = id_of(await do(slot, "open-2", opened()))
    assert second == f"GD/0:{ALICE}/2"
    assert id_of(await do(north, "open-3", opened("", CAROL, "BJ"), CAROL)) == f"BJ/3:{CAROL}"
    data = await pulled(slot, ALICE)
    assert isinstance(data, BusinessData)
    assert (data.account.account_id, data.account.members) == (second, (ALICE,))
    old = await pulled(slot, identity_of(first))
    assert isinstance(old, BusinessData)
    assert (old.account.terms.status, old.account.members, old.account.books[0].amount) == ("closed", (), 10_000_000)


async def test_an_account_is_asked_for_by_its_id_but_not_charged_by_it() -> None:
    slot = await own(FlakyUnit())
    account_id = id_of(await do(slot, "open", opened("1001")))
    named = identity_of(account_id)
    back = await do(slot, "adjust", Adjust("main", -1, "paid out"), named, account_id)
    assert isinstance(back, Done)
    (lines,) = await ask(slot, FetchHistory(named, 10))
    assert isinstance(lines, History)
    assert [line.kind for line in lines.lines] == ["adjust", "open"]
    assert reason(await do(slot, "use", charge(5), named, account_id)) == "IDENTITY_UNKNOWN"
    assert reason(await pulled(slot, identity_of("GD/0:nobody"))) == "IDENTITY_UNKNOWN"
    other = id_of(await do(slot, "open-2", opened("1002", BOB), BOB))
    assert reason(await do(slot, "foreign", Adjust("main", -1, "x"), named, other)) == "IDENTITY_UNKNOWN"


async def test_an_account_without_members_moves_to_another_domain_under_its_id() -> None:
    unit = FlakyUnit()
    south, north = await own(unit), await own(unit, name="BJ/3")
    account_id = id_of(await do(south, "open", opened()))
    await do(south, "close", SetStatus("closed", "left"), ALICE, account_id)
    out = await do(south, "out", MoveOut("BJ"), identity_of(account_id), account_id)
    assert isinstance(out, Done)
    move = MoveIn(out.detail or b"", (), "BJ")
    assert isinstance(await do(north, "in", move, identity_of(account_id), account_id), Done)
    data = await pulled(north, identity_of(account_id))
    assert isinstance(data, BusinessData)
    assert (data.account.account_id, data.account.terms.domain) == (account_id, "BJ")


async def test_an_account_that_arrives_brings_no_identity_that_another_one_has() -> None:
    unit = FlakyUnit()
    south, north = await own(unit), await own(unit, name="BJ/3")
    account_id = id_of(await do(south, "open", opened()))
    out = await do(south, "out", MoveOut("BJ"), ALICE, account_id)
    assert isinstance(out, Done)
    assert isinstance(await do(north, "open", opened("", BOB, "BJ"), BOB), Done)
    await north.parts.contracts.flush()
    stolen = MoveIn(out.detail or b"", (Contract(ALICE, account_id, "BJ"), Contract(BOB, account_id, "BJ")), "BJ")
    assert reason(await do(north, "in", stolen, ALICE, account_id)) == "IDENTITY_TAKEN"


async def test_an_identity_that_the_directory_serves_elsewhere_is_not_taken() -> None:
    slot = await own(FlakyUnit())
    account_id = id_of(await do(slot, "open", opened()))
    slot.parts.around.domain_of = lambda identity: "BJ" if identity == BOB else "GD"
    answer = await do(slot, "join", SetContract(Contract(BOB, account_id, "GD")), ALICE, account_id)
    assert reason(answer) == "IDENTITY_ELSEWHERE"
    assert await slot.parts.registry.holder(BOB) == ""


async def test_what_is_refused_takes_nothing() -> None:
    slot = await own(FlakyUnit())
    wrong = replace(opened(), cycle_day=40)
    assert reason(await do(slot, "open", wrong)) == "CYCLE_DAY_OUT_OF_RANGE"
    assert await slot.parts.registry.holder(ALICE) == ""


async def test_a_taker_that_died_before_its_journal_holds_the_identity_for_itself_and_for_a_day() -> None:
    clock = Clock()
    holders = Registry(FlakyUnit(MemoryStore()), clock.now_ms)
    assert await holders.take([ALICE], "GD/0:a", 1) is None
    for _ in range(2):
        assert await holders.take([ALICE], "GD/0:a", 1) is None
        other = await holders.take([ALICE], "BJ/0:b", 1)
        assert other is not None
        assert (other.kind, other.reason) == ("unavailable", "IDENTITY_CONTENDED")
    clock.ms += registry.STALE_MS
    assert await holders.take([ALICE], "BJ/0:b", 1) is None
    await holders.settle([Contract(ALICE, "BJ/0:b", "BJ", version=1)])
    clock.ms += registry.STALE_MS
    taken = await holders.take([ALICE], "GD/0:a", 2)
    assert taken is not None
    assert taken.reason == "IDENTITY_TAKEN"


async def test_a_letting_go_that_comes_late_frees_nothing_that_was_taken_again() -> None:
    holders = Registry(FlakyUnit(MemoryStore()), Clock().now_ms)
    assert await holders.take([ALICE], "GD/0:a", 1) is None
    ended = Contract(ALICE, "GD/0:a", "GD", status="ended", version=3)
    assert await holders.take([ALICE], "GD/0:a", 4) is None
    await holders.settle([ended])
    assert await holders.holder(ALICE) == "GD/0:a"
    await holders.settle([replace(ended, version=5)])
    assert await holders.holder(ALICE) == ""


async def test_an_owner_that_died_before_the_registry_knew_lets_go_when_it_is_taken_over() -> None:
    unit = FlakyUnit()
    slot = await own(unit)
    account_id = id_of(await do(slot, "open", opened()))
    await slot.parts.contracts.flush()
    slot.parts.contracts._written = None  # Dies after the contract is written, before the registry is told.
    await do(slot, "close", SetStatus("closed", "left"), ALICE, account_id)
    await slot.parts.contracts.flush()
    slot.end()
    assert await slot.parts.registry.holder(ALICE) == account_id
    await own(unit)
    await until(lambda: True)
    assert await slot.parts.registry.holder(ALICE) == ""
