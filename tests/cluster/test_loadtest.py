"""Every scenario of the load test, for a few seconds, against real processes: it moves something, all of it right."""

from pathlib import Path

import pytest

from cluster.loadresult import SCENARIOS
from tests.cluster.commands import run_to_end

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(300)]
SECONDS = 4
AMONG = ("--seconds", str(SECONDS), "--users", "3", "--batch", "50", "--subscribers", "400")


async def test_every_scenario_runs_is_checked_and_proved(tmp_path: Path) -> None:
    folders = ("--data", str(tmp_path / "data"), "--reports", str(tmp_path))
    text = await run_to_end("console.main", "loadtest", *AMONG, *folders, timeout_s=240)
    assert "audit of 31 slots: 0 findings" in text
    assert "0 / 0 / 0" in text, "lost, doubled, different"
    for name in SCENARIOS:
        assert f"│ {name} " in text
        assert "<html" in (tmp_path / f"loadtest-{name}.html").read_text("utf-8").lower()
    repeated = [
        line for line in (tmp_path / "loadtest-OwnerKilled_told.csv").read_text().splitlines() if line[-1] == "1"
    ]
    assert repeated, "the owner was killed, and nobody had to repeat a key"
