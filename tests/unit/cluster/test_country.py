"""What is loaded and opened: units of each region, entries only where needed, commands that the contracts allow."""

import asyncio
from pathlib import Path

import pytest
from rich.console import Console

from authoring.files import read_folder
from cluster import folder as data_folder
from cluster import loading
from cluster.filling import settle
from cluster.folder import FolderInUse, FolderMark, Options, check_forgettable, keep, read_mark, sole_use, write_mark
from cluster.layout import lay_out
from console.systems.demo import Demo
from country import offers, openings, population, porting
from country.domains import REGIONS
from country.number_plan import NationalPlan, read
from country.population import Population
from directory.slots import slot_of

DAY_MS = 1_760_000_000_000
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def plan() -> NationalPlan:
    return read()


@pytest.fixture(scope="module")
def people(plan: NationalPlan) -> Population:
    return population.populate(plan, 1_000, 2, DAY_MS)


def test_a_country_that_is_kept_is_not_wiped_by_a_demo(tmp_path: Path) -> None:
    mark = FolderMark("sqlite:///data/units", 20, 1, 1, 0)
    people = settle(20, 1, 0).people
    write_mark(tmp_path, mark, people)
    check_forgettable(tmp_path)  # Of an earlier demo.
    keep(tmp_path, mark)
    assert read_mark(tmp_path) == FolderMark("sqlite:///data/units", 20, 1, 1, 0, kept=True)
    with pytest.raises(FolderInUse, match="that `onetier up` keeps: give another --data, or forget it with --fresh"):
        asyncio.run(Demo(Options(tmp_path), Console(quiet=True)).run())
    assert read_mark(tmp_path) is not None


def test_sqlite_has_a_private_unit_for_each_province_and_two_shared() -> None:
    layout = lay_out("sqlite:///data/units")
    assert len(set(layout.private_of.values())) == 31
    assert set(layout.shared_of.values()) == {"shared-north", "shared-south"}
    assert layout.units["private-gd"] == "sqlite:///data/units/private-gd.db"
    assert layout.directory == "sqlite:///data/units/directory.db"


def test_cassandra_has_a_keyspace_for_each_great_area() -> None:
    layout = lay_out("cassandra://10.0.0.1,10.0.0.2/billing?rf=3")
    assert len(set(layout.private_of.values())) == 6
    assert layout.units["private-east"] == "cassandra://10.0.0.1,10.0.0.2/billing_private_east?rf=3"


def test_units_elsewhere_are_refused() -> None:
    with pytest.raises(ValueError, match="sqlite:///folder or cassandra://"):
        lay_out("postgres://x/y")


def test_each_run_on_cassandra_has_keyspaces_of_its_own(tmp_path: Path) -> None:
    options = Options(tmp_path, "cassandra://127.0.0.1/demo?rf=1")
    one, two = data_folder.fresh_base(options), data_folder.fresh_base(options)
    assert one != two
    assert one.startswith("cassandra://127.0.0.1/demo_")
    assert one.endswith("?rf=1")


def test_each_run_on_sqlite_elsewhere_has_a_folder_of_its_own(tmp_path: Path) -> None:
    options = Options(tmp_path, "sqlite:///data/units/")
    one, two = data_folder.fresh_base(options), data_folder.fresh_base(options)
    assert one != two
    assert one.startswith("sqlite:///data/units/")
    assert lay_out(one).directory == f"{one}/directory.db"


def test_a_folder_serves_the_units_it_holds_and_no_others(tmp_path: Path) -> None:
    for units in ("cassandra://127.0.0.1/demo?rf=1", "sqlite:///data/units"):
        mark = FolderMark(data_folder.fresh_base(Options(tmp_path, units)), 1_000, 2, 1, DAY_MS)
        data_folder.check_units(mark, Options(tmp_path, units))
        data_folder.check_units(mark, Options(tmp_path))
        for other in ("cassandra://127.0.0.1/dem", "sqlite:///data/unit"):
            with pytest.raises(FolderInUse, match="--fresh"):
                data_folder.check_units(mark, Options(tmp_path, other))


def test_one_system_at_a_time_runs_on_a_data_folder(tmp_path: Path) -> None:
    with (
        sole_use(tmp_path),
        pytest.raises(FolderInUse, match="another --data"),
        sole_use(tmp_path),
    ):
        raise AssertionError("two at once")
    with sole_use(tmp_path):
        data_folder.clear(tmp_path)


def test_the_country_has_all_domains_units_and_ranges(plan: NationalPlan) -> None:
    layout = lay_out("sqlite:///data")
    changes = loading.country(layout, plan, slots=2)
    kinds = [change.WhichOneof("change") for change in changes]
    assert kinds.count("domain") == 31
    assert kinds.count("unit") == len(layout.units)
    assert kinds.index("unit") < kinds.index("domain") < kinds.index("number_plan")
    assert len(changes[-1].number_plan.ranges) == len(plan.ranges) > 130_000


@pytest.mark.parametrize("slots", [1, 4])
def test_entries_are_explicit_only_where_the_plan_or_the_hash_would_be_wrong(
    plan: NationalPlan, people: Population, slots: int
) -> None:
    entries = {entry.identity: entry for entry in loading.explicit_entries(people, plan, slots)}
    for account in people.accounts:
        for member in account.members:
            entry = entries.get(member.identity)
            slot = slot_of(account.account_id, slots)
            if member.kind == population.BROADBAND:
                assert entry is not None
            if entry is not None:
                assert (entry.domain, entry.slot) == (account.domain, slot)
            else:
                assert slot_of(member.identity, slots) == slot
    packs = list(loading.packs_of(list(entries.values())))
    assert sum(len(pack) for pack in packs) == len(entries)


def test_every_account_is_opened_and_every_further_member_joins(people: Population) -> None:
    opened = list(openings.openings(people))
    joined = list(openings.joins(people))
    assert len(opened) == len(people.accounts)
    contracts = [request for request in joined if request.HasField("set_contract")]
    assert len(opened) + len(contracts) == sum(1 for _ in people.subscribers())
    keys = [request.request_key for request in (*opened, *joined)]
    assert len(set(keys)) == len(keys)
    assert max(len(key) for key in keys) <= 64
    assert sum(request.HasField("set_account_status") for request in joined) == sum(
        a.suspended for a in people.accounts
    )


def test_numbers_move_to_another_domain(people: Population) -> None:
    moves = porting.choose(people, 20, seed=1)
    assert len({move.identity for move in moves}) == 20
    assert all(move.from_domain != move.to_domain for move in moves)
    assert moves == porting.choose(people, 20, seed=1)


def test_the_sample_catalogue_offers_what_people_hold() -> None:
    found = read_folder(ROOT / "catalogues")
    assert [str(fault) for fault in found.faults] == []
    national = next(one for one in found.catalogues if not one.domain)
    assert set(offers.ALL_OFFERINGS) <= {offering.id for offering in national.offerings}
    assert {service.id for service in national.services} >= set(offers.SERVICES)
    assert offers.AGREEMENT_CORPORATE in {agreement.id for agreement in national.agreements}
    regional = {one.domain for one in found.catalogues if one.domain}
    assert len(regional) >= 6
    assert regional <= {region.code for region in REGIONS}


def test_a_mark_is_read_back_and_cleared(tmp_path: Path, people: Population) -> None:
    mark = FolderMark("sqlite:///x", 1_000, 2, 1, DAY_MS)
    data_folder.clear(tmp_path)
    (tmp_path / "mine.txt").write_text("keep", "utf-8")
    first, second = list(people.subscribers())[:2]
    write_mark(tmp_path, mark, people, {second.identity: "XZ"})
    assert read_mark(tmp_path) == mark
    lines = (tmp_path / "subscribers.csv").read_text("utf-8").splitlines()
    assert len(lines) == 1_001
    assert lines[1] == f"{first.identity},{first.domain},{first.account_id}"
    assert lines[2] == f"{second.identity},XZ,{second.account_id}"
    data_folder.clear(tmp_path)
    assert read_mark(tmp_path) is None
    assert (tmp_path / "mine.txt").exists()
