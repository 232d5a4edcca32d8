"""Numbers that are let go rest before another account has them, wherever it is; and a member's new number."""

import pytest
from msgspec.structs import replace

from charging.base.account import Account, SpendingLimit
from charging.base.contract import Contract
from charging.base.feemark import FeeMark
from charging.ledger.action import BaseAction
from charging.ledger.commands.change_identity import ChangeIdentity, IdentityChanged
from charging.ledger.commands.leave import Leave
from charging.ledger.commands.open_account import OpenAccount
from charging.ledger.commands.set_contract import SetContract
from charging.ledger.commands.set_status import SetStatus
from charging.wire import Answer, BusinessData, Commit, Done, Failed, Pull
from domainservers.contracts import registry
from domainservers.contracts.registry import Registry
from domainservers.slot.slot import Slot
from testkit.ledger import an_account
from tests.unit.domainservers import room
from tests.unit.domainservers.room import ALICE, BOB, FlakyUnit, ask, opening, own, until

CAROL, DAVE = "msisdn:8613800000003", "msisdn:8613800000004"
UNTIL_MS = 1 << 50
"""Far ahead of any clock."""


def opened(identity: str, domain: str = "GD") -> OpenAccount:
    return replace(opening(identity, domain=domain), account_id="", contract=Contract(identity, "", domain))


async def do(slot: Slot, key: str, action: BaseAction, identity: str, account_id: str = "") -> Answer:
    made = room.commit(key, action, identity)  # type: ignore[arg-type]
    (answer,) = await ask(slot, Commit(identity, replace(made.command, account_id=account_id)))
    return answer


async def held(slot: Slot, identity: str) -> Contract:
    (answer,) = await ask(slot, Pull(identity))
    assert isinstance(answer, BusinessData), answer
    return answer.contract


def reason(answer: Answer) -> str:
    return answer.reason if isinstance(answer, Failed) else ""


async def two_members(slot: Slot) -> str:
    """Open the account of ALICE with CAROL as its second member, and give its id."""
    done = await do(slot, "open", opened(ALICE), ALICE)
    assert isinstance(done, Done)
    await do(slot, "add", SetContract(Contract(CAROL, done.account_id, "GD")), ALICE, done.account_id)
    return done.account_id


async def test_a_number_that_was_let_go_rests_for_all_but_the_account_that_it_was_of() -> None:
    unit = FlakyUnit()
    south, north = await own(unit), await own(unit, name="BJ/3")
    account_id = await two_members(south)
    left = Leave("", 0, "", await held(south, CAROL), rests_until_ms=UNTIL_MS)
    assert isinstance(await do(south, "leave", left, CAROL, account_id), Done)
    await until(lambda: not south.parts.contracts._due)
    refused = await do(north, "open-2", opened(CAROL, "BJ"), CAROL)
    assert (reason(refused), refused.facts) == ("NUMBER_IN_QUARANTINE", {"until_ms": str(UNTIL_MS)})  # type: ignore[union-attr]
    back = SetContract(Contract(CAROL, account_id, "GD"))
    assert isinstance(await do(south, "back", back, ALICE, account_id), Done)
    assert (await held(south, CAROL)).status == "active"


async def test_a_number_is_free_when_its_rest_is_over() -> None:
    unit = FlakyUnit()
    slot = await own(unit)
    account_id = await two_members(slot)
    left = Leave("", 0, "", await held(slot, CAROL), rests_until_ms=1)
    await do(slot, "leave", left, CAROL, account_id)
    await until(lambda: not slot.parts.contracts._due)
    assert isinstance(await do(slot, "open-2", opened(CAROL), CAROL), Done)


async def test_a_number_is_kept_for_the_account_that_its_subscriber_goes_to() -> None:
    unit = FlakyUnit()
    slot = await own(unit)
    account_id = await two_members(slot)
    other = await do(slot, "open-bob", opened(BOB), BOB)
    third = await do(slot, "open-dave", opened(DAVE), DAVE)
    assert isinstance(other, Done)
    assert isinstance(third, Done)
    left = Leave("", 0, other.account_id, await held(slot, CAROL), rests_until_ms=UNTIL_MS)
    await do(slot, "leave", left, CAROL, account_id)
    await until(lambda: not slot.parts.contracts._due)
    stranger = SetContract(Contract(CAROL, third.account_id, "GD"))
    assert reason(await do(slot, "not-dave", stranger, DAVE, third.account_id)) == "NUMBER_IN_QUARANTINE"
    joined = SetContract(Contract(CAROL, other.account_id, "GD"))
    assert isinstance(await do(slot, "join", joined, BOB, other.account_id), Done)
    assert (await held(slot, CAROL)).account_id == other.account_id


async def test_all_numbers_of_an_account_that_closes_rest() -> None:
    unit = FlakyUnit()
    slot = await own(unit)
    account_id = await two_members(slot)
    await do(slot, "close", SetStatus("closed", "", rests_until_ms=UNTIL_MS), ALICE, account_id)
    await until(lambda: not slot.parts.contracts._due)
    for number, identity in enumerate((ALICE, CAROL)):
        assert reason(await do(slot, f"again-{number}", opened(identity), identity)) == "NUMBER_IN_QUARANTINE"


async def test_a_member_goes_on_under_a_new_number_and_the_old_one_rests() -> None:
    unit = FlakyUnit()
    slot = await own(unit)
    account_id = await two_members(slot)
    before = await held(slot, CAROL)
    change = ChangeIdentity(DAVE, "lost", 0, before, UNTIL_MS)
    done = await do(slot, "change", change, CAROL, account_id)
    assert isinstance(done, Done)
    assert await do(slot, "change", change, CAROL, account_id) == replace(done, repeated=True)
    after = await held(slot, DAVE)
    assert after == replace(before, identity=DAVE, version=done.version)
    assert reason((await ask(slot, Pull(CAROL)))[0]) == "IDENTITY_UNKNOWN"
    await until(lambda: not slot.parts.contracts._due)
    assert reason(await do(slot, "open-2", opened(CAROL), CAROL)) == "NUMBER_IN_QUARANTINE"
    stale = ChangeIdentity(BOB, "", 5, after)
    assert reason(await do(slot, "stale", stale, DAVE, account_id)) == "CONTRACT_CHANGED"


async def test_nobody_gets_a_number_that_another_account_has_and_nothing_changes() -> None:
    unit = FlakyUnit()
    slot = await own(unit)
    account_id = await two_members(slot)
    await do(slot, "open-bob", opened(BOB), BOB)
    taken = ChangeIdentity(BOB, "", 0, await held(slot, CAROL))
    assert reason(await do(slot, "taken", taken, CAROL, account_id)) == "IDENTITY_TAKEN"
    own_one = ChangeIdentity(ALICE, "", 0, await held(slot, CAROL))
    assert reason(await do(slot, "own", own_one, CAROL, account_id)) == "MEMBER_KNOWN"
    assert (await held(slot, CAROL)).status == "active"


async def test_two_owners_who_want_a_number_whose_rest_is_over_are_told_apart() -> None:
    unit = FlakyUnit()
    registry_of = Registry(unit)
    over = Contract(CAROL, "GD/0:a", "GD", status="ended", version=2, rests_until_ms=1, kept_for="GD/0:b")
    await registry_of.take((CAROL,), "GD/0:a", 1)
    await registry_of.settle((over,))
    assert await registry_of.holder(CAROL) == ""
    assert await registry_of.take((CAROL,), "GD/0:c", 1) is None
    fault = await registry_of.take((CAROL,), "BJ/0:d", 1)
    assert fault is not None
    assert fault.reason in ("IDENTITY_CONTENDED", "IDENTITY_TAKEN")


async def test_a_number_rests_on_when_its_account_took_it_back_and_died_before_its_journal() -> None:
    now_ms = registry.STALE_MS
    registry_of = Registry(FlakyUnit(), lambda: now_ms)
    until_ms = 9 * registry.STALE_MS
    over = Contract(CAROL, "GD/0:a", "GD", status="ended", version=2, rests_until_ms=until_ms)
    await registry_of.take((CAROL,), "GD/0:a", 1)
    await registry_of.settle((over,))
    assert await registry_of.take((CAROL,), "GD/0:a", 3) is None
    now_ms += 2 * registry.STALE_MS
    fault = await registry_of.take((CAROL,), "GD/0:c", 1)
    assert fault is not None
    assert (fault.reason, fault.facts) == ("NUMBER_IN_QUARANTINE", {"until_ms": str(until_ms)})
    assert await registry_of.take((CAROL,), "GD/0:a", 4) is None
    now_ms = until_ms + registry.STALE_MS
    assert await registry_of.take((CAROL,), "GD/0:c", 1) is None


def test_what_is_counted_limited_and_posted_for_the_old_number_is_for_the_new_one() -> None:
    state: Account = an_account(
        "a", 3, "GD", members=(ALICE, CAROL), accumulators={f"free|{CAROL}@20261101": 7, f"free|{ALICE}@20261101": 2},
        fees=(FeeMark(CAROL, "plan", "rent", 1, 9, 5),), limits=(SpendingLimit("l", CAROL, "day", 5, (), "", 0),),
        feeds=(("plant", CAROL, 7), ("plant", DAVE, 3), ("plant", ALICE, 9)),
    )  # fmt: skip
    after = IdentityChanged(CAROL, DAVE, "").apply(state)
    assert after.members == (ALICE, DAVE)
    assert after.accumulators == {f"free|{DAVE}@20261101": 7, f"free|{ALICE}@20261101": 2}
    assert (after.open.fees[0].identity, after.terms.limits[0].member) == (DAVE, DAVE)
    assert after.open.feeds == (("plant", DAVE, 7), ("plant", ALICE, 9)), "no batch is taken again of the new number"


@pytest.mark.parametrize("held_by", ["", "rests 5", "rests soon a", "GD/0:rests 5 a"])
def test_only_what_says_so_wholly_is_a_rest(held_by: str) -> None:
    assert registry._rest_of(held_by) is None
