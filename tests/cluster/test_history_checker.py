"""The history checker finds what it is there to find: a proof that can't fail proves nothing."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from charging.wire import Answer, Done
from domainservers.limits import Limits
from domainservers.recovery import recover
from domainservers.slot import Slot
from runtime.telemetry import Metrics
from storage.open import migrate, open_unit
from tests.cluster.callers import Told
from tests.cluster.history import Figures, History, check_history, read_history
from tests.unit.domainservers.room import ALICE, Clock, charge, do, opening

NAME = "GD/0"
LEFT = 10_000_000 - 300 - 70


def told_by(answer: Answer, amount: int) -> Told:
    assert isinstance(answer, Done)
    movements = tuple((movement.book_id, movement.before, movement.after) for movement in answer.movements)
    return Told(ALICE, amount, answer.version, movements)


@pytest.fixture
async def past(tmp_path: Path) -> tuple[dict[str, Told], History]:
    """Two charges in a real journal, and what their caller was told."""
    url = f"sqlite://{tmp_path}/unit.db"
    await migrate(url)
    unit = await open_unit(url)
    permits, metrics = asyncio.Semaphore(1), Metrics("test")
    slot = Slot(
        await recover(NAME, "one#1", unit, unit, Limits(), Clock(), permits, lambda: 1, metrics), lambda _: None
    )
    await do(slot, f"open-{ALICE}", opening())
    told = {"a": told_by(await do(slot, "a", charge(300)), 300), "b": told_by(await do(slot, "b", charge(70)), 70)}
    slot.end()
    await unit.close()
    return told, await read_history({url: [NAME]})


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
