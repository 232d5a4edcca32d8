"""Money that leaves an account with its end, or after it: above a limit of the grants by two principals alone."""

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from charging.base.contract import Contract
from charging.ledger.commands.approve import Approve
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.kinds import Action
from charging.ledger.permission import BUILT_IN, NO_LIMIT, Policy
from charging.wire import Answer, Commit, Done
from domainservers.contracts.contracts import read_contracts, unpack_contract
from domainservers.slot.slot import Slot
from tests.unit.domainservers.room import ALICE, BOB, FlakyUnit, Waiting, commit, do, opening, own, until
from tests.unit.domainservers.test_gate import LI, WANG, reason, send
from tests.unit.domainservers.test_quarantine import UNTIL_MS
from tests.unit.domainservers.test_quarantine import do as do_on

YUAN = 1_000_000
HELD = 5_000 * YUAN
UNNAMED = Contract(ALICE, "", "GD")


@pytest.fixture
async def slot() -> AsyncIterator[Slot]:
    """A slot with an account of 5,000 yuan."""
    slot = await own(FlakyUnit())
    await do(slot, "open", opening(amount=HELD))
    yield slot
    await slot.close()


def standing(slot: Slot) -> tuple[str, int, int]:
    state = slot.parts.memory.state(slot.parts.accounts.cells[ALICE])
    assert state is not None
    return state.terms.status, state.books[0].amount, len(state.open.outgoing)


@pytest.mark.parametrize("to", ["", BOB])
async def test_nobody_alone_closes_an_account_and_sends_away_what_is_more_than_his_limit(slot: Slot, to: str) -> None:
    closing = SetStatus("closed", "moves", HELD, to, rests_until_ms=UNTIL_MS)
    assert reason(await send(slot, "p", closing, LI)) == "APPROVAL_NEEDED"
    assert standing(slot) == ("active", HELD, 0)
    assert reason(await send(slot, "own", Approve("p", False, "seen"), LI)) == "SAME_PRINCIPAL"
    assert isinstance(await send(slot, "a", Approve("p", False, "seen"), WANG), Done)
    assert standing(slot) == ("closed", 0, 1 if to else 0)
    again = await send(slot, "p", closing, LI)
    assert isinstance(again, Done), again
    assert again.repeated
    await until(lambda: not slot.parts.contracts._due)
    stored = await read_contracts(slot.parts.shared, [ALICE])
    contract = unpack_contract(stored[ALICE].value)
    assert (contract.status, contract.rests_until_ms) == ("ended", UNTIL_MS), "the number was let go by the approval"


async def test_what_an_account_kept_when_it_closed_leaves_later_by_two_as_well() -> None:
    slot = await own(FlakyUnit())
    opened = await do_on(slot, "open", replace(opening(amount=HELD), account_id="", contract=UNNAMED), ALICE)
    assert isinstance(opened, Done)
    account_id = opened.account_id

    async def send_by_id(key: str, action: Action, principal: str) -> Answer:
        made = commit(key, action, f"account:{account_id}")
        command = replace(made.command, account_id=account_id, principal=principal)
        waiting = Waiting()
        slot.submit(waiting, [(0, Commit(made.identity, command))], "appserver")
        return (await waiting.all(1))[0]

    assert isinstance(await send_by_id("close", SetStatus("closed", "ended"), LI), Done)
    leaves = SetStatus("closed", "asked for it", HELD, BOB)
    assert reason(await send_by_id("p", leaves, LI)) == "APPROVAL_NEEDED"
    assert isinstance(await send_by_id("a", Approve("p", False, "seen"), WANG), Done)
    state = slot.parts.memory.state(slot.parts.accounts.cells[account_id])
    assert state is not None
    assert (state.terms.status, state.books[0].amount, len(state.open.outgoing)) == ("closed", 0, 1)
    await slot.close()


async def test_what_is_within_the_limit_one_alone_closes(slot: Slot) -> None:
    few = 900 * YUAN
    other = replace(opening(BOB), books=(replace(opening(BOB).books[0], amount=few),))
    await do(slot, "open-bob", other, BOB)
    done = await do(slot, "close", SetStatus("closed", "moves", few), BOB)
    assert isinstance(done, Done)


async def test_a_closing_that_nobody_approves_is_no_closing(slot: Slot) -> None:
    await send(slot, "p", SetStatus("closed", "moves", HELD), LI)
    assert isinstance(await send(slot, "no", Approve("p", True, "who asked?"), WANG), Done)
    assert standing(slot) == ("active", HELD, 0)
    assert reason(await send(slot, "p", SetStatus("closed", "moves", HELD), LI)) == "PROPOSAL_REJECTED"


def test_the_limit_is_that_of_the_grants() -> None:
    own_limit = Policy().permit("operator/li", "close_account")
    assert own_limit.allows(10**15)
    assert own_limit.alone(1_000 * YUAN)
    assert not own_limit.alone(1_000 * YUAN + 1)
    (grant,) = [each for each in BUILT_IN if each.subject == "operator" and "close_account" in each.commands]
    wide = Policy((replace(grant, alone_max=NO_LIMIT),)).permit("operator/li", "close_account")
    assert wide.alone(10**15)
