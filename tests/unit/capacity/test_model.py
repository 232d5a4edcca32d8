"""The capacity model, by figures that are round: each number can be worked out by hand."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from capacity.figures import CostFigures, FiguresUnreadable, StoreFigures, read_figures, write_figures
from capacity.model import breaking, cpu_of_mix, plan
from capacity.traffic import (
    CountryTraffic,
    Machines,
    Retention,
    Spread,
    SubscriberHour,
    TrafficUnreadable,
    read_traffic,
)
from console.main import mounted

KINDS = {"charge": 100.0, "step": 100.0, "query": 100.0, "command": 100.0}
FIGURES = CostFigures(
    measured_at="2026-11-26T08:00:00+00:00",
    machine="a round one",
    cores=2,
    compiled=True,
    cpu_us={"appserver": KINDS, "datacenter": dict.fromkeys(KINDS, 10.0), "domainserver": dict.fromkeys(KINDS, 50.0)},
    idle_cores={"appserver": 0.0, "datacenter": 0.0, "domainserver": 0.0},
    client_us=10.0,
    journal_bytes={"charge": 100.0, "step": 200.0, "query": 0.0, "command": 50.0},
    account_memory=1_000.0,
    account_store=2_000.0,
    key_memory=16.0,
    entry_memory=100.0,
    process_memory={"appserver": 1e8, "datacenter": 1e8, "domainserver": 1e8},
    store=StoreFigures(100.0, 10.0, "round"),
)
TRAFFIC = CountryTraffic(
    subscribers=3_600_000,
    busy_hour=SubscriberHour(charges=1.0, steps=0.0, queries=1.0, commands=0.0, peak=1.0),
    kept=Retention(journal_days=10, replicas=3, headroom=2.0),
    people=Spread(domains=10, largest_domain=0.5, subscribers_per_account=1.0, active=0.5, ported=0.01),
    machines=Machines(cores=10, memory_gb=40.0, disk_gb=1_000.0, busy=0.5),
)


def needed(what: str, traffic: CountryTraffic = TRAFFIC) -> int:
    return next(line.needed for line in plan(FIGURES, traffic).lines if line.what == what)


def test_processes_are_cores_at_the_peak_over_how_busy_one_may_be() -> None:
    # 3,600,000 subscribers, 1 charge and 1 query an hour: 2,000 a second; 100 µs each are 0.2 cores.
    assert needed("requests at the peak") == 2_000
    assert (needed("appserver"), needed("datacenter"), needed("domainserver")) == (1, 1, 1)
    larger = replace(TRAFFIC, subscribers=360_000_000)
    assert (needed("appserver", larger), needed("datacenter", larger), needed("domainserver", larger)) == (40, 4, 20)


def test_a_large_domain_needs_slots_for_one_core_owns_one() -> None:
    # 10 cores of domain servers, half of it in one domain, half a core a slot.
    assert needed("slots") == 10
    assert needed("slots", replace(TRAFFIC, subscribers=360_000_000)) == 20


def test_nodes_are_for_groups_or_disks_or_replicas_whichever_is_most() -> None:
    # 1,000 charges a second in at most 10 slots × 100 groups a second, three times written, 500 a second a node.
    assert needed("Cassandra") == 6
    # Ten days × 9 busy hours × 100 bytes, and 2,000 an account: 39.6 GB, six times that is a quarter of a disk.
    assert needed("disks") == 3_600_000 * (10 * 9 * 100 + 2_000) * 6
    assert needed("Cassandra", replace(TRAFFIC, subscribers=360_000_000)) == 24


def test_what_every_process_knows_is_paid_by_every_process() -> None:
    # A hundredth of the numbers, 100 bytes each, in the one process.
    assert needed("memory of datacenter") == 100_000_000 + 3_600_000
    assert needed("memory of datacenter", replace(TRAFFIC, subscribers=360_000_000)) == 4 * (100_000_000 + 360_000_000)


def test_what_breaks_is_told_first_things_first_and_where_growth_ends() -> None:
    breaks = plan(FIGURES, TRAFFIC).breaks
    found = [each.at_subscribers for each in breaks]
    assert found == sorted(found)
    at = {each.what: each.at_subscribers for each in breaks}
    # Half a core of an app server at 100 µs a request, two requests an hour.
    assert at["one appserver"] == 9_000_000
    assert at["one slot of the largest domain"] == 36_000_000
    assert at["4096 slots of the largest domain"] == 36_000_000 * 4_096
    assert all(each.why and each.helps for each in breaks)


def test_a_bound_is_where_the_plan_says_that_one_is_no_longer_enough() -> None:
    for each in breaking(FIGURES, TRAFFIC):
        if each.what in ("one appserver", "one datacenter", "one domainserver"):
            tier = each.what.removeprefix("one ")
            assert needed(tier, replace(TRAFFIC, subscribers=each.at_subscribers - 1_000)) == 1
            assert needed(tier, replace(TRAFFIC, subscribers=each.at_subscribers + 1_000)) == 2


def test_a_mix_costs_what_its_kinds_do_by_their_weights() -> None:
    dear = replace(FIGURES, cpu_us={**FIGURES.cpu_us, "appserver": {**KINDS, "step": 400.0}})
    mix = {"charge": 1.0, "step": 2.0, "query": 0.0, "command": 0.0}
    assert cpu_of_mix(dear, mix)["appserver"] == pytest.approx(300.0)


def test_figures_are_kept_in_a_file(tmp_path: Path) -> None:
    write_figures(tmp_path / "figures.json", FIGURES)
    assert read_figures(tmp_path / "figures.json") == FIGURES
    (tmp_path / "other.json").write_text('{"cores": 2}')
    with pytest.raises(FiguresUnreadable, match="holds no figures of `onetier capacity measure`"):
        read_figures(tmp_path / "other.json")


def test_traffic_is_a_file_whose_every_key_has_a_default_and_an_unknown_one_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "country.toml"
    file.write_text("subscribers = 5\n[busy_hour]\nsteps = 2\n")
    assert read_traffic(file) == replace(CountryTraffic(), subscribers=5, busy_hour=SubscriberHour(steps=2.0))
    for wrong, told in (("[busy_hour]\nstep = 2\n", "step"), ("subscribers = 0\n", "subscribers"), ("x", "no TOML")):
        file.write_text(wrong)
        with pytest.raises(TrafficUnreadable, match=told):
            read_traffic(file)


def test_the_command_plans_a_million_and_a_billion_when_nobody_says_how_many(tmp_path: Path) -> None:
    write_figures(tmp_path / "figures.json", FIGURES)
    told = CliRunner().invoke(mounted(), ["capacity", "plan", "--figures", str(tmp_path / "figures.json")])
    assert told.exit_code == 0
    assert "1,000,000 subscribers" in told.output
    assert "1,000,000,000 subscribers" in told.output
    assert "What breaks, first things first" in told.output


def test_the_example_of_the_manual_is_the_default(tmp_path: Path) -> None:
    manual = (Path(__file__).parents[3] / "docs" / "capacity.md").read_text("utf-8")
    (tmp_path / "country.toml").write_text(manual.partition("```toml\n")[2].partition("```")[0])
    assert read_traffic(tmp_path / "country.toml") == CountryTraffic()
