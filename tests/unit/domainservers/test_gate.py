"""The owner refuses what platform and data center let pass: forged messages, principals without grants."""

from collections.abc import AsyncIterator
from hashlib import blake2b

import pytest

from charging import wire
from charging.base.account import MAIN_BOOK, MONEY, Book
from charging.base.contract import Contract
from charging.ledger.command import Command
from charging.ledger.commands.address_transfer import AddressTransfer
from charging.ledger.commands.adjust import Adjust
from charging.ledger.commands.approve import Approve
from charging.ledger.commands.expire_session import ExpireSession
from charging.ledger.commands.move_in import MoveIn
from charging.ledger.commands.move_out import MoveOut
from charging.ledger.commands.open_account import OpenAccount
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.propose import Propose
from charging.ledger.commands.receive_transfer import ReceiveTransfer
from charging.ledger.commands.refund import Refund
from charging.ledger.commands.remember import Remember
from charging.ledger.commands.set_credit_limit import SetCreditLimit
from charging.ledger.commands.settle_transfer import SettleTransfer
from charging.ledger.kinds import Action
from charging.ledger.outcome import ChargedFact
from charging.wire import (
    AccountNamed,
    Answer,
    Ask,
    BusinessData,
    Commit,
    Done,
    Failed,
    FetchHistory,
    FetchOutcomes,
    Locate,
    Lookup,
    Pull,
)
from domainservers.base.limits import Limits
from domainservers.journal.keys import fingerprint
from domainservers.slot.slot import Slot
from tests.unit.domainservers.room import ALICE, NOW_MS, Clock, FlakyUnit, Waiting, charge, do, opening, own

YUAN = 1_000_000
LI, WANG, HALL = "operator/li", "operator/wang", "frontend/web-hall"
PLATFORM, CENTER, SERVER = "appserver", "datacenter", "domainserver"


@pytest.fixture
async def slot() -> AsyncIterator[Slot]:
    slot = await own(FlakyUnit())
    await do(slot, "open", opening(amount=100 * YUAN))
    yield slot
    await slot.close()


async def ask(slot: Slot, origin: str, question: Ask) -> Answer:
    waiting = Waiting()
    slot.submit(waiting, [(0, question)], origin)
    return (await waiting.all(1))[0]


async def send(
    slot: Slot, key: str, action: Action, principal: str, origin: str = PLATFORM, actor: str = "CEO"
) -> Answer:
    digest = blake2b(wire.pack(action), digest_size=16).digest()
    command = Command(ALICE, key, digest, actor, "front", NOW_MS, action, principal)
    return await ask(slot, origin, Commit(ALICE, command))


def reason(answer: Answer) -> str:
    assert isinstance(answer, Failed), answer
    return answer.reason


async def main_book(slot: Slot) -> int:
    data = await ask(slot, PLATFORM, Pull(ALICE))
    assert isinstance(data, BusinessData)
    return data.account.books[0].amount


@pytest.mark.parametrize(
    ("action", "tier"),
    [
        (MoveOut("BJ"), CENTER),
        (MoveIn(b"", ()), CENTER),
        (Remember(wire.pack(Done(ALICE, 1, 0, ()))), CENTER),
        (ReceiveTransfer("stranger", MAIN_BOOK, 10**9 * YUAN, "forged"), SERVER),
        (SettleTransfer("k", False, "forged"), ""),
        (AddressTransfer("k", "forged"), ""),
        (ExpireSession("s", 0), ""),
        (Propose("adjust", b"", 0), ""),
    ],
)
async def test_commands_of_the_tiers_come_from_that_tier_alone(slot: Slot, action: Action, tier: str) -> None:
    for origin in (PLATFORM, CENTER, SERVER, "frontend", "operator", "nobody"):
        answer = await send(slot, f"~{origin}", action, LI, origin)
        refused = isinstance(answer, Failed) and answer.reason == "ORIGIN_NOT_ALLOWED"
        assert refused == (origin != tier), (origin, answer)


async def test_what_an_owner_gives_itself_never_comes_over_the_wire_not_even_without_tls(slot: Slot) -> None:
    for action in (SettleTransfer("k", False, ""), ExpireSession("s", 0), Propose("adjust", b"", 0)):
        assert reason(await send(slot, "forged", action, "local", "local")) == "ORIGIN_NOT_ALLOWED"


@pytest.mark.parametrize("origin", [CENTER, SERVER, "frontend", "operator", "nobody"])
async def test_commands_of_callers_come_from_a_platform_alone(slot: Slot, origin: str) -> None:
    for action in (charge(YUAN), Adjust(MAIN_BOOK, YUAN, "forged")):
        assert reason(await send(slot, "forged", action, LI, origin)) == "ORIGIN_NOT_ALLOWED"
    assert await main_book(slot) == 100 * YUAN


async def test_a_platform_can_t_use_keys_of_the_tiers(slot: Slot) -> None:
    assert reason(await send(slot, "~receive~x~y", charge(YUAN), HALL)) == "ORIGIN_NOT_ALLOWED"


async def test_reads_of_a_port_are_the_data_center_s_and_the_search_for_an_account_is_the_owners(slot: Slot) -> None:
    for question in (Pull(ALICE, moved=True), FetchOutcomes(ALICE, 5)):
        assert reason(await ask(slot, PLATFORM, question)) == "ORIGIN_NOT_ALLOWED"
        assert not isinstance(await ask(slot, CENTER, question), Failed)
    for origin in (PLATFORM, CENTER, "frontend", "operator", "nobody"):
        assert reason(await ask(slot, origin, Locate(ALICE))) == "ORIGIN_NOT_ALLOWED"
    assert await ask(slot, SERVER, Locate(ALICE)) == AccountNamed(ALICE)
    for question in (Pull(ALICE), FetchHistory(ALICE, 5), Lookup(ALICE, "open")):
        for origin in ("frontend", "operator", SERVER, "nobody"):
            assert reason(await ask(slot, origin, question)) == "ORIGIN_NOT_ALLOWED"
        assert not isinstance(await ask(slot, PLATFORM, question), Failed)


@pytest.mark.parametrize(
    "action",
    [
        Adjust(MAIN_BOOK, 10**9 * YUAN, "bonus"),
        SetCreditLimit(10**9 * YUAN, "trust"),
        Refund("x", 1, ""),
        Approve("x", False, ""),
    ],
)
async def test_a_front_end_gets_no_money_however_the_platform_forgets_to_check(slot: Slot, action: Action) -> None:
    assert reason(await send(slot, "forged", action, HALL)) == "COMMAND_NOT_GRANTED"
    assert await main_book(slot) == 100 * YUAN


async def test_a_command_without_a_principal_is_refused(slot: Slot) -> None:
    for action in (charge(YUAN), Adjust(MAIN_BOOK, YUAN, "who?")):
        assert reason(await send(slot, "forged", action, "")) == "COMMAND_NOT_GRANTED"


async def test_a_front_end_charges_and_its_name_is_in_the_entry(slot: Slot) -> None:
    assert isinstance(await send(slot, "call", charge(YUAN), HALL), Done)
    lines = await ask(slot, PLATFORM, FetchHistory(ALICE, 1))
    assert isinstance(lines, wire.History)
    assert (lines.lines[0].principal, lines.lines[0].actor) == (HALL, "CEO")


async def test_an_adjustment_over_the_limit_waits_for_another_operator(slot: Slot) -> None:
    large = Adjust(MAIN_BOOK, 2_000 * YUAN, "error of May")
    assert isinstance(await send(slot, "small", Adjust(MAIN_BOOK, 1_000 * YUAN, "error"), LI), Done)
    assert reason(await send(slot, "large", large, LI)) == "APPROVAL_NEEDED"
    assert reason(await send(slot, "large", large, LI)) == "APPROVAL_NEEDED"
    assert await main_book(slot) == 1_100 * YUAN
    approval = Approve("large", False, "seen")
    assert reason(await send(slot, "mine", approval, LI)) == "SAME_PRINCIPAL"
    assert reason(await send(slot, "hall", approval, HALL)) == "COMMAND_NOT_GRANTED"
    assert isinstance(await send(slot, "yes", approval, WANG), Done)
    assert await main_book(slot) == 3_100 * YUAN
    assert reason(await send(slot, "yes again", approval, WANG)) == "PROPOSAL_UNKNOWN"
    repeat = await send(slot, "large", large, LI)
    assert isinstance(repeat, Done)
    assert (repeat.repeated, repeat.amount) == (True, 2_000 * YUAN)
    digest = blake2b(wire.pack(large), digest_size=16).digest()
    looked = await ask(slot, PLATFORM, Lookup(ALICE, "large", digest))
    assert isinstance(looked, Done)
    assert await main_book(slot) == 3_100 * YUAN


async def test_a_proposal_outlives_the_journal_s_memory_of_its_key_and_so_does_its_outcome() -> None:
    unit, clock = FlakyUnit(), Clock()
    limits = Limits(
        snapshot_entries=10, segment_groups_max=5, outcomes_keep_ms=1_000, journal_keep_ms=1_000, kept_entries_max=1
    )
    slot = await own(unit, limits, clock)
    await do(slot, "open", opening(amount=5_000 * YUAN))
    large = Adjust(MAIN_BOOK, 2_000 * YUAN, "complaint")
    assert reason(await send(slot, "large", large, LI)) == "APPROVAL_NEEDED"
    for number in range(80):
        clock.ms += 100
        await do(slot, f"k{number}", charge(0))
        await slot.parts.snapshots.settle()
    await slot.close()
    slot = await own(unit, limits, clock)
    assert slot.parts.keys.find(fingerprint(ALICE, "large")) < 0
    assert reason(await send(slot, "large", Adjust(MAIN_BOOK, 3, "another"), LI)) == "REQUEST_KEY_REUSED"
    assert reason(await send(slot, "large", large, LI)) == "APPROVAL_NEEDED"
    assert isinstance(await send(slot, "yes", Approve("large", False, "seen"), WANG), Done)
    repeat = await send(slot, "large", large, LI)
    assert isinstance(repeat, Done)
    assert (repeat.repeated, repeat.amount) == (True, 2_000 * YUAN)
    assert isinstance(await ask(slot, PLATFORM, Lookup(ALICE, "large", b"")), Done)
    assert reason(await send(slot, "yes too", Approve("large", False, "seen"), WANG)) == "PROPOSAL_UNKNOWN"
    assert await main_book(slot) == 7_000 * YUAN
    await slot.close()


async def test_a_full_refund_is_held_against_what_its_charge_took(slot: Slot) -> None:
    await send(slot, "more", Adjust(MAIN_BOOK, 1_000 * YUAN, "float"), LI)
    await send(slot, "more2", Adjust(MAIN_BOOK, 1_000 * YUAN, "float"), LI)
    dear = PostCharge(charge(1_500 * YUAN).usage, charge(1_500 * YUAN).charge, 3)
    assert isinstance(await send(slot, "dear", dear, HALL), Done)
    refund = Refund("dear", 0, "not theirs")
    assert reason(await send(slot, "back", refund, LI)) == "APPROVAL_NEEDED"
    assert await main_book(slot) == 600 * YUAN
    await send(slot, "yes", Approve("back", False, ""), WANG)
    assert await main_book(slot) == 2_100 * YUAN


@pytest.mark.parametrize("key", ["call", "no such charge"])
async def test_what_a_charge_took_is_the_journal_s_to_say_not_a_platform_s(slot: Slot, key: str) -> None:
    assert isinstance(await send(slot, "call", charge(YUAN), HALL), Done)
    forged = Refund(key, 0, "", ChargedFact(900 * YUAN, ((MAIN_BOOK, 900 * YUAN),), (), (), NOW_MS))
    for principal in (LI, "local"):
        origin = PLATFORM if principal == LI else "local"
        assert reason(await send(slot, "forged", forged, principal, origin)) == "ORIGIN_NOT_ALLOWED"
    assert await main_book(slot) == 99 * YUAN


async def test_credit_always_needs_two_and_an_opening_gives_nothing_alone(slot: Slot) -> None:
    assert reason(await send(slot, "credit", SetCreditLimit(YUAN, "trust"), LI)) == "APPROVAL_NEEDED"
    contract = Contract("msisdn:8613800000009", "msisdn:8613800000009", "GD")
    for money, credit in ((YUAN, 0), (0, YUAN)):
        books = (Book(MAIN_BOOK, MONEY, money),)
        action = OpenAccount(contract.account_id, "c", "prepaid", "CNY", credit, 1, contract, books, {}, {}, ())
        for principal, expected in ((LI, "OPENING_NEEDS_APPROVAL"), (HALL, "AMOUNT_NOT_GRANTED")):
            command = Command(contract.account_id, f"o{money}{principal}", b"d", "", "front", NOW_MS, action, principal)
            assert reason(await ask(slot, PLATFORM, Commit(contract.identity, command))) == expected
