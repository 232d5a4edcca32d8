"""Figures measured on this machine predict what another country of another size and mix costs on it."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from capacity.measuring import measure
from capacity.proving import prove
from capacity.traffic import CountryTraffic, SubscriberHour

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(240)]


async def test_the_model_predicts_what_a_small_country_costs(tmp_path: Path) -> None:
    figures = await measure(tmp_path / "measured", subscribers=900, items=3_000)
    for tier, kinds in figures.cpu_us.items():
        assert sum(kinds.values()) > 0, tier
    assert figures.journal_bytes["query"] == 0
    assert all(figures.journal_bytes[kind] > 20 for kind in ("charge", "step", "command"))
    assert figures.account_store > 100
    traffic = replace(CountryTraffic(), busy_hour=SubscriberHour(charges=2.0, steps=1.0, queries=1.0, commands=0.5))
    found = {each.what: each for each in await prove(figures, traffic, tmp_path / "proved", 600, 3_000)}
    # How near CPU comes is told by `onetier capacity prove` on a quiet machine; here it is told at all.
    assert {each.what for each in found.values() if each.unit == "µs"} >= {
        f"CPU of a request, {tier}" for tier in figures.cpu_us
    }
    # A loaded machine writes smaller groups, in which each entry weighs more: units are held here, not nearness.
    assert 0.2 < found["journal of a request"].ratio < 5
    assert found["throughput"].measured > 0
