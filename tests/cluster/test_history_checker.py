"""The history checker finds what it is there to find: a proof that can't fail proves nothing."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from charging.ledger.commands.refund import Refund
from charging.wire import Answer, Done
from domainservers.base.limits import Limits
from domainservers.slot.keeping import Keeping
from domainservers.slot.recovery import recover
from domainservers.slot.slot import Slot
from house.stores import STORES
from runtime.telemetry import Metrics
from tests.cluster.callers import Told
from tests.cluster.history import Figures, History, check_history, read_history, take
from tests.unit.domainservers.room import ALICE, NOW_MS, Clock, charge, do, opening, session_step, until

NAME = "GD/0"
LEFT = 10_000_000 - 300 - 70


def told_by(answer: Answer, amount: int) -> Told:
    assert isinstance(answer, Done)
    movements = tuple((movement.book_id, movement.before, movement.after) for movement in answer.movements)
    return Told(ALICE, amount, answer.version, movements)


Deeds = Callable[[Slot, Clock], Awaitable[None]]


async def history_of(folder: Path, deeds: Deeds) -> History:
    """Do something in a real slot, and read its journal."""
    url = f"sqlite://{folder}/unit.db"
    await STORES.migrate(url)
    unit = await STORES.open(url)
    permits, metrics = asyncio.Semaphore(1), Metrics("test")
    clock = Clock()
    slot = Slot(await recover(NAME, "one#1", unit, unit, Limits(), clock, permits, lambda: 1, metrics), lambda _: None)
    await do(slot, f"open-{ALICE}", opening())
    await deeds(slot, clock)
    slot.end()
    await unit.close()
    return await read_history({url: [NAME]})


@pytest.fixture
async def past(tmp_path: Path) -> tuple[dict[str, Told], History]:
    """Two charges in a real journal, and what their caller was told."""
    told: dict[str, Told] = {}

    async def charges(slot: Slot, _: Clock) -> None:
        told["a"] = told_by(await do(slot, "a", charge(300)), 300)
        told["b"] = told_by(await do(slot, "b", charge(70)), 70)

    return told, await history_of(tmp_path, charges)


@pytest.fixture
async def sessions(tmp_path: Path) -> History:
    """A session that charges, expires, and of which a step is given back."""

    async def steps(slot: Slot, clock: Clock) -> None:
        await do(slot, "s0", session_step(0, 0, 500, NOW_MS + 60_000, 1))
        await do(slot, "s1", session_step(1, 200, 500, NOW_MS + 60_000, 2))
        clock.ms += 60_000
        keeping = Keeping(slot, None)
        keeping.sweep()
        await until(lambda: slot.parts.groups.applied >= 3)
        assert isinstance(await do(slot, "t0", Refund("s1", 0, "bad line")), Done)

    return await history_of(tmp_path, steps)


def figures(told: dict[str, Told], history: History, balance: int = LEFT, sent: str = "ab") -> Figures:
    return check_history(dict.fromkeys(sent), told, {ALICE: balance}, history)


async def test_a_history_as_told_has_no_findings(past: tuple[dict[str, Told], History]) -> None:
    told, history = past
    found = figures(told, history)
    assert (found.acknowledged, found.journaled) == (2, 2)
    assert (found.lost, found.doubled, found.unbalanced, found.findings) == (0, 0, 0, ())


async def test_what_was_told_and_is_not_there_is_lost(past: tuple[dict[str, Told], History]) -> None:
    told, history = past
    assert figures({**told, "c": told["b"]}, history, sent="abc").lost == 1
    assert figures({**told, "b": replace(told["b"], amount=71)}, history).lost == 1
    assert figures({**told, "b": replace(told["b"], version=2)}, history).lost == 1


async def test_an_effect_twice_or_unasked_is_doubled(past: tuple[dict[str, Told], History]) -> None:
    told, history = past
    assert figures(told, history, sent="a").doubled == 1
    history.effects["a"] *= 2
    assert figures(told, history).doubled == 1


async def test_a_balance_that_is_not_the_sum_is_found(past: tuple[dict[str, Told], History]) -> None:
    told, history = past
    assert figures(told, history, balance=LEFT + 1).unbalanced == 1
    history.balances[ALICE] -= 70
    assert figures(told, history).unbalanced == 1


async def test_a_refusal_that_no_journal_has_is_lost(past: tuple[dict[str, Told], History]) -> None:
    told, history = past
    history.refused.add("kept")
    refused = {"kept": "INSUFFICIENT_FUNDS", "gone": "INSUFFICIENT_FUNDS"}
    assert check_history(dict.fromkeys("ab"), told, {ALICE: LEFT}, history, refused).lost == 1


async def test_a_session_that_hangs_or_steps_twice_is_found(sessions: History) -> None:
    held = check_history(dict.fromkeys(("s0", "s1", "t0")), {}, {}, sessions)
    assert (held.hanging, held.overspent, held.doubled, held.findings) == (0, 0, 0, ())
    sessions.steps[ALICE, "s-1", 1] += 1
    sessions.ended[ALICE, "s-1"] += 1
    assert check_history(dict.fromkeys(("s0", "s1", "t0")), {}, {}, sessions).doubled == 2
    sessions.ended.clear()
    sessions.kept[ALICE]["s-1"] = 1
    assert check_history(dict.fromkeys(("s0", "s1", "t0")), {}, {}, sessions).hanging == 2


async def test_what_is_spent_beyond_the_credit_or_given_back_beyond_the_charge_is_found(sessions: History) -> None:
    assert sessions.refunded["s1"] == 2_000
    sessions.refunded["s1"] += 1
    sent = dict.fromkeys(("s0", "s1", "t0"))
    assert check_history(sent, {}, {}, sessions).overspent == 1
    entries = [entry for key in ("s0", "s1") for entry in sessions.effects[key]]
    again = History(refused=set(), balances=Counter({ALICE: 6_999}))
    for entry in entries:
        take(again, entry)
    assert again.overspent == {ALICE: "s1"}, "2,000 were charged and 5,000 kept where 6,999 were"


async def test_half_a_transfer_is_lost_and_one_that_arrives_twice_is_doubled(
    past: tuple[dict[str, Told], History],
) -> None:
    told, history = past
    history.effects["transfer-1"] = history.effects["a"]
    told["transfer-1"] = told["a"]
    history.transfers["sent", "transfer-1"] = 1
    assert figures(told, history, sent="ab").lost == 1
    history.transfers["received", "transfer-1"] = 2
    history.transfers["settled", "transfer-1"] = 1
    found = check_history(dict.fromkeys(("a", "b", "transfer-1")), told, {ALICE: LEFT}, history)
    assert (found.lost, found.doubled) == (0, 1)
