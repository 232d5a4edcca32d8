"""The owner of accounts, in memory and as a domain server: both keep the same promises, in the same words."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from charging.base.contract import Contract
from charging.ledger.commands.adjust import Adjust
from charging.ledger.commands.refund import Refund
from charging.ledger.commands.set_contract import SetContract
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.commands.subscribe import Subscribe
from charging.ledger.commands.unsubscribe import Unsubscribe
from charging.wire import (
    Answer,
    Ask,
    BusinessData,
    Done,
    Failed,
    FetchHistory,
    FetchOutcomes,
    FetchReference,
    History,
    Lookup,
    Movement,
    Pull,
    Reference,
    Stale,
    Unchanged,
    Unknown,
)
from tests.contract.owners import (
    ALICE,
    BOB,
    MISROUTED,
    NOW_MS,
    AnyOwner,
    DomainServer,
    KeptInMemory,
    charge,
    commit,
    opening,
    session_step,
    top_up,
)


@pytest.fixture(params=["in memory", "domain server"])
async def owner(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AnyOwner]:
    """An owner with the account of Alice, who has ten."""
    started: AnyOwner = KeptInMemory() if request.param == "in memory" else await DomainServer.start(tmp_path)
    assert isinstance(await one(started, commit("open", opening())), Done)
    yield started
    await started.close()


async def one(owner: AnyOwner, ask: Ask) -> Answer | str:
    (answer,) = await owner.ask(ask)
    return answer


async def done(owner: AnyOwner, ask: Ask) -> Done:
    answer = await one(owner, ask)
    assert isinstance(answer, Done), answer
    return answer


async def failed(owner: AnyOwner, ask: Ask) -> Failed:
    answer = await one(owner, ask)
    assert isinstance(answer, Failed), answer
    return answer


async def data_of(owner: AnyOwner, identity: str = ALICE) -> BusinessData:
    data = await one(owner, Pull(identity))
    assert isinstance(data, BusinessData), data
    return data


async def money(owner: AnyOwner) -> int:
    return (await data_of(owner)).account.books[0].amount


async def test_an_outcome_tells_the_version_and_what_moved(owner: AnyOwner) -> None:
    told = await done(owner, commit("k", charge(1_500_000)))
    assert (told.account_id, told.version, told.amount) == (ALICE, 2, 1_500_000)
    assert told.movements == (Movement("main", "money", 10_000_000, 8_500_000),)
    assert told.revision > 0
    assert (told.repeated, told.told) == (False, None)


async def test_a_repeat_is_told_the_first_outcome_and_does_nothing(owner: AnyOwner) -> None:
    first = await done(owner, commit("k", charge(1_500_000)))
    await done(owner, commit("later", top_up(7)))
    for ask in (commit("k", charge(1_500_000)), commit("k", charge(9, version=3)), Lookup(ALICE, "k")):
        again = await done(owner, ask)
        assert again.repeated
        assert (again.version, again.amount, again.movements, again.revision) == (
            first.version,
            first.amount,
            first.movements,
            first.revision,
        )
        assert again.told is not None
        assert (again.told.currency, again.told.domain, again.told.catalogue) == ("CNY", "GD", 3)
    assert await money(owner) == 8_500_007


async def test_a_repeat_of_anything_but_a_charge_has_no_more_to_tell(owner: AnyOwner) -> None:
    await done(owner, commit("in", top_up(7)))
    again = await done(owner, commit("in", top_up(7)))
    assert (again.repeated, again.told, again.amount) == (True, None, 7)


async def test_a_key_with_other_content_is_a_conflict_and_does_nothing(owner: AnyOwner) -> None:
    await done(owner, commit("k", charge(5)))
    for ask in (commit("k", charge(6), content="another call"), Lookup(ALICE, "k", b"0" * 16)):
        conflict = await failed(owner, ask)
        assert (conflict.kind, conflict.reason) == ("conflict", "REQUEST_KEY_REUSED")
        assert conflict.fields == {"request_key": "a new key for another intent"}
        assert not conflict.repeated
    assert await money(owner) == 9_999_995


async def test_a_refusal_is_kept_under_its_key_and_repeated(owner: AnyOwner) -> None:
    first = await failed(owner, commit("k", charge(11_000_000)))
    assert (first.kind, first.reason, first.repeated) == ("refused", "INSUFFICIENT_FUNDS", False)
    assert first.facts == {"amount": "11000000", "available": "10000000", "currency": "CNY"}
    await done(owner, commit("in", top_up(50_000_000)))
    for ask in (commit("k", charge(11_000_000)), Lookup(ALICE, "k")):
        again = await failed(owner, ask)
        assert (again.reason, again.facts, again.repeated) == (first.reason, first.facts, True)


async def test_a_mistake_is_not_kept_so_its_key_can_be_used(owner: AnyOwner) -> None:
    mistake = await failed(owner, commit("k", top_up(-5)))
    assert (mistake.kind, mistake.reason) == ("invalid", "TOP_UP_NOT_POSITIVE")
    assert await one(owner, Lookup(ALICE, "k")) == Unknown("k")
    assert (await done(owner, commit("k", top_up(5), content="mended"))).repeated is False


async def test_a_charge_that_depends_on_an_older_state_is_stale_and_not_kept(owner: AnyOwner) -> None:
    await done(owner, commit("meanwhile", top_up(7)))
    stale = await one(owner, commit("k", charge(5, version=1, depends=True)))
    assert isinstance(stale, Stale)
    assert stale.data == await data_of(owner)
    assert stale.data.account.version == 2
    assert await one(owner, Lookup(ALICE, "k")) == Unknown("k")
    assert (await done(owner, commit("k", charge(5, version=2, depends=True)))).version == 3


async def test_a_charge_that_depends_on_nothing_holds_on_any_later_state_of_the_same_terms(owner: AnyOwner) -> None:
    await done(owner, commit("meanwhile", top_up(7)))
    assert (await done(owner, commit("k", charge(5, version=1)))).version == 3
    await done(owner, commit("terms", SetContract(Contract(ALICE, ALICE, "GD"))))
    assert isinstance(await one(owner, commit("late", charge(5, version=3))), Stale)


async def test_nobody_is_known_before_an_account_is_opened(owner: AnyOwner) -> None:
    asks = (
        Pull(BOB),
        commit("k", charge(5, identity=BOB), BOB, account_id=BOB),
        commit("k", top_up(5), BOB, account_id=BOB),
        Lookup(BOB, "k"),
        FetchHistory(BOB, 10),
        FetchHistory(BOB, 10, key="k"),
        Pull("account:GD/0:1001"),
    )
    for ask in asks:
        unknown = await failed(owner, ask)
        assert (unknown.kind, unknown.reason) == ("not_found", "IDENTITY_UNKNOWN"), ask
        assert (unknown.fields, unknown.facts) == ({}, {})
        assert BOB not in unknown.message, "numbers are masked in what is told"


async def test_who_is_no_member_charges_nothing(owner: AnyOwner) -> None:
    assert (await failed(owner, commit("k", charge(5, identity=BOB), BOB))).reason == "IDENTITY_UNKNOWN"
    await done(owner, commit("join", SetContract(Contract(BOB, ALICE, "GD"))))
    assert (await data_of(owner, BOB)).account.members == (ALICE, BOB)
    assert (await data_of(owner, BOB)).contract.version == 2
    await done(owner, commit("k", charge(5, version=2, identity=BOB), BOB))
    await done(owner, commit("leave", SetContract(Contract(BOB, ALICE, "GD", status="ended"))))
    for ask in (Pull(BOB), commit("k2", charge(5, version=4, identity=BOB), BOB)):
        assert (await failed(owner, ask)).reason == "IDENTITY_UNKNOWN"
    assert await money(owner) == 9_999_995
    assert (await done(owner, Lookup(BOB, "k"))).amount == 5, "what was done can be asked when the contract has ended"
    assert history_lines(await one(owner, FetchHistory(BOB, 9))) == ["leave", "k", "join", "open"]


async def test_a_command_that_names_the_identity_alone_is_for_its_account(owner: AnyOwner) -> None:
    assert (await done(owner, commit("in", top_up(5), account_id=""))).account_id == ALICE
    assert (await done(owner, commit("in", top_up(5)))).repeated
    assert (await failed(owner, commit("in", top_up(5), BOB, account_id=""))).reason == "IDENTITY_UNKNOWN"


async def test_an_account_is_asked_for_by_its_id_but_uses_nothing_by_it(owner: AnyOwner) -> None:
    by_id = f"account:{ALICE}"
    data = await data_of(owner, by_id)
    assert (data.contract.identity, data.account.account_id) == (by_id, ALICE)
    await done(owner, commit("in", top_up(5), by_id))
    assert (await failed(owner, commit("k", charge(5, identity=by_id), by_id))).reason == "IDENTITY_UNKNOWN"


async def test_an_account_is_opened_once_and_an_identity_is_one_accounts(owner: AnyOwner) -> None:
    again = await done(owner, commit("open", opening()))
    assert again.repeated
    assert (await failed(owner, commit("another", opening()))).reason == "ACCOUNT_EXISTS"
    await done(owner, commit("join", SetContract(Contract(BOB, ALICE, "GD"))))
    taken = await failed(owner, commit("own", opening(BOB, account_id=BOB), BOB, account_id=BOB))
    assert (taken.kind, taken.reason, taken.facts) == ("refused", "IDENTITY_TAKEN", {"account": ALICE})


async def test_an_opening_without_an_id_is_given_one(owner: AnyOwner) -> None:
    ask = commit("own", opening(BOB, account_id=""), BOB, account_id="")
    first, again = await done(owner, ask), await done(owner, ask)
    assert (first.repeated, again.repeated) == (False, True)
    assert first.account_id
    data = await data_of(owner, BOB)
    assert data.account.account_id == data.contract.account_id == first.account_id == again.account_id
    other = commit("other", opening(BOB, account_id=""), BOB, account_id="")
    assert (await failed(owner, other)).reason == "ACCOUNT_EXISTS"


async def test_an_account_is_opened_where_it_is_served(owner: AnyOwner) -> None:
    elsewhere = commit("own", opening(BOB, domain="BJ", account_id=BOB), BOB, account_id=BOB)
    refused = await failed(owner, elsewhere)
    assert (refused.kind, refused.reason) == ("invalid", "REGION_MISMATCH")
    assert refused.fields == {"open_account.contract.domain": "GD, where the identity is served, or nothing"}


async def test_a_contract_written_for_an_older_one_is_refused_and_kept(owner: AnyOwner) -> None:
    await done(owner, commit("first", SetContract(Contract(ALICE, ALICE, "GD"), expected_version=1)))
    late = commit("late", SetContract(Contract(ALICE, ALICE, "GD"), expected_version=1))
    for repeated in (False, True):
        refused = await failed(owner, late)
        assert (refused.kind, refused.reason, refused.repeated) == ("refused", "CONTRACT_CHANGED", repeated)
        assert refused.facts == {"version": "2"}


async def test_a_change_that_was_decided_on_another_contract_is_rated_again(owner: AnyOwner) -> None:
    known = (await data_of(owner)).contract
    now_ms = time.time_ns() // 1_000_000
    other = replace(known, order_id="another")
    stale = await one(owner, commit("more", Subscribe("pack", "now", now_ms, 0, {}, 0, 1, other)))
    assert isinstance(stale, Stale)
    assert stale.data.contract == known
    await done(owner, commit("more", Subscribe("pack", "now", now_ms, 0, {}, known.version, 1, known)))
    newest = (await data_of(owner)).contract
    assert [each.offering for each in newest.subscriptions] == ["pack"]
    late = commit("late", Unsubscribe("pack", "now", now_ms, known.version, known))
    for repeated in (False, True):
        refused = await failed(owner, late)
        assert (refused.reason, refused.repeated) == ("CONTRACT_CHANGED", repeated)
        assert refused.facts == {"version": str(newest.version)}
    twice = commit("twice", Subscribe("pack", "now", now_ms, 0, {}, 0, 1, newest))
    assert [(await failed(owner, twice)).reason for _ in range(2)] == ["SUBSCRIBED_ALREADY"] * 2


async def test_a_suspended_account_refuses_charges(owner: AnyOwner) -> None:
    await done(owner, commit("off", SetStatus("suspended", "unpaid")))
    refused = await failed(owner, commit("k", charge(5, version=2)))
    assert (refused.kind, refused.reason, refused.facts) == ("refused", "ACCOUNT_SUSPENDED", {"why": "unpaid"})
    await done(owner, commit("on", SetStatus("active", "paid")))
    assert (await failed(owner, commit("k", charge(5, version=2)))).repeated
    assert (await done(owner, commit("k2", charge(5, version=3)))).amount == 5


async def test_a_refund_is_held_against_the_charge_in_the_journal(owner: AnyOwner) -> None:
    await done(owner, commit("k", charge(1_500_000)))
    assert (await done(owner, commit("back", Refund("k", 0, "sorry")))).amount == 1_500_000
    twice = await failed(owner, commit("twice", Refund("k", 0, "sorry")))
    assert (twice.kind, twice.reason) == ("refused", "REFUNDED_ALREADY")
    nothing = await failed(owner, commit("nothing", Refund("never", 0, "sorry")))
    assert (nothing.kind, nothing.reason) == ("not_found", "CHARGE_UNKNOWN")
    assert await one(owner, Lookup(ALICE, "nothing")) == Unknown("nothing")


async def test_a_session_reserves_charges_and_gives_back(owner: AnyOwner) -> None:
    until_ms = NOW_MS + 3_600_000
    created = await done(owner, commit("s0", session_step(0, 0, 100, until_ms, 1)))
    assert created.detail is not None
    assert (await data_of(owner)).account.books[0].reserved == 1_000
    repeated = await done(owner, commit("s0", session_step(0, 0, 100, until_ms, 1)))
    assert (repeated.detail, repeated.repeated) == (created.detail, True)
    assert isinstance(await one(owner, commit("s1", session_step(1, 60, 0, until_ms, 1))), Stale)
    ended = await done(owner, commit("s1", session_step(1, 60, 0, until_ms, 2, operation="release")))
    assert ended.amount == 600
    assert (await data_of(owner)).account.books[0].reserved == 0
    assert await money(owner) == 9_999_400


async def test_the_asks_of_one_account_are_answered_in_their_order(owner: AnyOwner) -> None:
    asks: list[Ask] = [commit(f"k{number}", charge(1)) for number in range(20)]
    *told, data = await owner.ask(*asks, Pull(ALICE))
    assert [answer.version for answer in told if isinstance(answer, Done)] == list(range(2, 22))
    assert isinstance(data, BusinessData)
    assert (data.account.version, data.account.books[0].amount) == (21, 9_999_980)


async def test_two_of_one_key_in_one_batch_do_it_once(owner: AnyOwner) -> None:
    first, again = await owner.ask(commit("k", charge(5)), commit("k", charge(5)))
    assert isinstance(first, Done)
    assert isinstance(again, Done)
    assert (first.repeated, again.repeated, again.version) == (False, True, first.version)


async def test_the_history_is_read_newest_first_with_refusals_and_without_repeats(owner: AnyOwner) -> None:
    await done(owner, commit("k", charge(5)))
    await done(owner, commit("k", charge(5)))
    await failed(owner, commit("poor", charge(11_000_000)))
    await done(owner, commit("fix", Adjust("main", -7, "typing error")))
    history = await one(owner, FetchHistory(ALICE, 10))
    assert isinstance(history, History)
    told = [(line.key, line.kind, line.version, line.amount, line.reason) for line in history.lines]
    assert told == [
        ("fix", "adjust", 3, -7, "typing error"),
        ("poor", "c", 2, 0, "INSUFFICIENT_FUNDS"),
        ("k", "c", 2, 5, ""),
        ("open", "open", 1, 10_000_000, ""),
    ]
    newest = history.lines[0]
    assert newest.movements == (Movement("main", "money", 9_999_995, 9_999_988),)
    assert (newest.identity, newest.actor, newest.channel, newest.principal) == (ALICE, "clerk", "front", "local")
    assert history.next_position == 0


async def test_the_history_is_read_in_pages_and_by_key(owner: AnyOwner) -> None:
    for number in range(7):
        await done(owner, commit(f"k{number}", charge(1)))
    found: list[str] = []
    position = 0
    while True:
        page = await one(owner, FetchHistory(ALICE, 3, before_position=position))
        assert isinstance(page, History)
        assert len(page.lines) <= 3
        found += [line.key for line in page.lines]
        position = page.next_position
        if not position:
            break
    assert found == [*(f"k{number}" for number in range(6, -1, -1)), "open"]
    older = await one(owner, FetchHistory(ALICE, 2, before_version=4))
    assert isinstance(older, History)
    assert [line.key for line in older.lines] == ["k1", "k0"]
    (line,) = history_lines(await one(owner, FetchHistory(ALICE, 9, key="k3")))
    assert line == "k3"
    assert history_lines(await one(owner, FetchHistory(ALICE, 9, key="never"))) == []


def history_lines(answer: Answer | str) -> list[str]:
    assert isinstance(answer, History), answer
    return [line.key for line in answer.lines]


async def test_reference_data_comes_once_for_each_revision(owner: AnyOwner) -> None:
    reference = await one(owner, FetchReference("GD"))
    assert isinstance(reference, Reference)
    assert (reference.domain, reference.time_zone, reference.domains) == ("GD", "Asia/Shanghai", ("GD",))
    assert await one(owner, FetchReference("")) == reference
    assert await one(owner, FetchReference("GD", reference.revision)) == Unchanged(reference.revision)
    assert (await data_of(owner)).revision == reference.revision
    unknown = await failed(owner, FetchReference("XX"))
    assert (unknown.kind, unknown.reason, unknown.facts) == ("not_found", "DOMAIN_UNKNOWN", {"domain": "XX"})


async def test_what_is_for_the_tiers_behind_the_platform_is_denied_to_it(owner: AnyOwner) -> None:
    for ask in (FetchOutcomes(ALICE, 10), Pull(ALICE, moved=True)):
        denied = await failed(owner, ask)
        assert (denied.kind, denied.reason) == ("denied", "ORIGIN_NOT_ALLOWED")


async def test_what_is_not_owned_there_is_named_and_not_done(owner: AnyOwner) -> None:
    assert await owner.ask(commit("k", charge(5)), Pull(ALICE), slot="BJ/0") == [MISROUTED, MISROUTED]
    assert await one(owner, Lookup(ALICE, "k")) == Unknown("k")


async def test_another_owner_knows_all_that_was_told_and_nothing_is_done_again(owner: AnyOwner) -> None:
    first = await done(owner, commit("k", charge(5)))
    await failed(owner, commit("poor", charge(11_000_000)))
    before = (await data_of(owner)).account
    await owner.take_over()
    assert (await data_of(owner)).account == before
    again = await done(owner, commit("k", charge(5)))
    assert (again.version, again.movements, again.repeated) == (first.version, first.movements, True)
    assert (await failed(owner, commit("poor", charge(11_000_000)))).repeated
    assert (await failed(owner, commit("k", charge(6), content="another"))).reason == "REQUEST_KEY_REUSED"
    assert history_lines(await one(owner, FetchHistory(ALICE, 9))) == ["poor", "k", "open"]
