"""Thousands of seeded worlds with the real domain-server code: slow and silent stores, paused, cut-off, killed owners.

Bills are made, paid, passed on and staged meanwhile, and accounts ported between domains.

`ONETIER_SIMULATION_SEED=371 pytest tests/simulation` replays one seed exactly; `ONETIER_SIMULATION_SEEDS=20000` plays
more.
"""

import os
import re
import subprocess
import sys
from collections import Counter

import pytest

from tests.simulation.books import Wrong
from tests.simulation.loop import Stuck
from tests.simulation.world import Report, run

SEEDS = int(os.environ.get("ONETIER_SIMULATION_SEEDS", "2000"))
ONE_SEED = os.environ.get("ONETIER_SIMULATION_SEED", "")
CHUNKS = 4
UNFENCED_SEEDS = 12
SUMMED = tuple(name for name in Report.__struct_fields__ if name not in ("seed", "past"))
ANOTHER_PROCESS = "from tests.simulation.world import run; print(run(77).past)"


def play(seeds: range, *, fenced: bool = True) -> Counter[str]:
    """Play seeds and add their reports up; the first that fails is named."""
    sums: Counter[str] = Counter()
    for seed in seeds:
        try:
            report = run(seed, fenced=fenced)
        except BaseException as error:
            print(
                f"\nseed {seed} fails; replay it: ONETIER_SIMULATION_SEED={seed} pytest tests/simulation",
                file=sys.stderr,
            )
            raise AssertionError(f"seed {seed}: {type(error).__name__}: {error}") from error
        for field in SUMMED:
            sums[field] += getattr(report, field)
    return sums


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_acknowledgement_happens_exactly_once_whatever_fails(chunk: int) -> None:
    share = SEEDS // CHUNKS
    seeds = range(int(ONE_SEED), int(ONE_SEED) + 1) if ONE_SEED else range(chunk * share, (chunk + 1) * share)
    sums = play(seeds)
    print(f"\nseeds {seeds.start}…{seeds.stop - 1}: lost 0, doubled 0, {dict(sums)}")
    assert sums["told"] > 0
    if not ONE_SEED:
        assert sums["runs"] > share // 2, f"too few bill runs were completed: {sums['runs']}"
        assert sums["bills"] > share, f"too few accounts were billed: {sums['bills']}"
        assert sums["carried"] > 0, "nobody took staged money along to another domain"
        for what in ("crashes", "pauses", "takeovers", "faults", "fenced", "ports", "staged", "passed"):
            assert sums[what] > share // 10, f"the simulation is too gentle: {what} {sums[what]}"


def test_a_few_seeds_hold_quickly() -> None:
    sums = play(range(5_000, 5_020))
    assert sums["told"] > 500
    assert sums["runs"] > 20
    assert sums["bills"] > 20
    assert sums["ports"] > 20
    assert sums["staged"] > 5


def test_a_seed_replays_exactly_also_in_another_process() -> None:
    report = run(77)
    assert run(77) == report
    # With another order of sets, which differs from process to process.
    environment = os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)}
    other = subprocess.run(
        [sys.executable, "-c", ANOTHER_PROCESS], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert other.stdout.strip() == report.past


def test_a_seed_that_fails_is_printed_and_fails_again_in_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AssertionError) as first:
        play(range(UNFENCED_SEEDS), fenced=False)
    printed = re.search(r"ONETIER_SIMULATION_SEED=(\d+) pytest tests/simulation", capsys.readouterr().err)
    assert printed is not None
    seed = int(printed[1])
    with pytest.raises(AssertionError) as again:
        play(range(seed, seed + 1), fenced=False)
    assert str(again.value) == str(first.value)
    assert f"seed {seed}: " in str(first.value)


def test_without_the_condition_in_the_store_the_simulation_fails() -> None:
    broken = 0
    for seed in range(UNFENCED_SEEDS):
        try:
            run(seed, fenced=False)
        except (Wrong, TimeoutError, Stuck):
            broken += 1
    assert broken >= UNFENCED_SEEDS // 3, f"only {broken} of {UNFENCED_SEEDS} worlds noticed that nothing was fenced"
