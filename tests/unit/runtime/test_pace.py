"""What can wait takes what nobody else wants, and beside others its share."""

import asyncio

import pytest

from runtime.pace import STEP_S, RunPace


class Hand:
    """Time that passes by hand."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


async def steps(pace: RunPace, hand: Hand, many: int) -> None:
    for _ in range(many):
        async with pace.step() as step:
            while not step.over:
                hand.s += STEP_S / 4


def rested(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Note every rest, and let none take any time."""
    rests: list[float] = []
    nap = asyncio.sleep

    async def sleep(seconds: float) -> None:
        if seconds:
            rests.append(seconds)
        await nap(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return rests


async def test_a_step_ends_when_its_time_is_over() -> None:
    hand = Hand()
    await steps(RunPace(clock=hand), hand, 3)
    assert hand.s == pytest.approx(3 * STEP_S)


async def test_alone_nobody_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    hand, rests = Hand(), rested(monkeypatch)
    await steps(RunPace(0.1, hand), hand, 5)
    assert rests == []


async def test_beside_others_it_rests_until_its_share_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    hand, rests = Hand(), rested(monkeypatch)
    pace = RunPace(0.1, hand)
    loop = asyncio.get_running_loop()
    now = [0.0]
    monkeypatch.setattr(loop, "time", lambda: now[0], raising=False)
    nap = asyncio.sleep

    async def busy(seconds: float) -> None:
        now[0] += seconds
        pace.others()
        await nap(seconds)

    monkeypatch.setattr(asyncio, "sleep", busy)
    await steps(pace, hand, 3)
    assert sum(rests) == pytest.approx(2 * 9 * STEP_S)


async def test_when_the_last_of_the_others_has_asked_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    hand, rests = Hand(), rested(monkeypatch)
    pace = RunPace(0.01, hand)
    await steps(pace, hand, 1)
    pace.others()
    await steps(pace, hand, 1)
    assert len(rests) == 1


async def test_two_who_wait_take_turns() -> None:
    hand = Hand()
    pace, order = RunPace(clock=hand), []

    async def worker(name: str) -> None:
        for _ in range(3):
            async with pace.step():
                order.append(name)

    await asyncio.gather(worker("a"), worker("b"))
    assert order == ["a", "b"] * 3
