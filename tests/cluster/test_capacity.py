"""Figures measured on this machine predict what another country of another size and mix costs on it."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from capacity.measuring import measure
from capacity.proving import prove
from capacity.traffic import CountryTraffic, SubscriberHour

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(240)]
NOISE_US = 15.0
"""What ticks of the kernel's clock and others on the machine may make of a request in a run this short."""


async def test_the_model_predicts_what_a_small_country_costs(tmp_path: Path) -> None:
    figures = await measure(tmp_path / "measured", subscribers=900, items=3_000)
    for tier, kinds in figures.cpu_us.items():
        assert all(each > 0 for each in kinds.values()), tier
    assert figures.journal_bytes["query"] == 0
    assert all(figures.journal_bytes[kind] > 20 for kind in ("charge", "step", "command"))
    assert figures.account_store > 100
    traffic = replace(CountryTraffic(), busy_hour=SubscriberHour(charges=2.0, steps=1.0, queries=1.0, commands=0.5))
    found = {each.what: each for each in await prove(figures, traffic, tmp_path / "proved", 600, 3_000)}
    for each in found.values():
        if each.unit == "µs":
            assert 0.5 < each.ratio < 2.0 or abs(each.measured - each.predicted) < NOISE_US, each
    assert 0.6 < found["journal of a request"].ratio < 1.7
    assert found["throughput"].measured > 0
