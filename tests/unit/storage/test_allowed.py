"""Where units may be: hosts, folders and variables, as a process's own settings say."""

from pathlib import Path

import pytest

from storage.allowed import EVERYWHERE, allowed_beside
from storage.unit import StoreRejected

CLUSTER = "cassandra://10.0.9.1:9042,10.0.9.2/onetier_directory?rf=3&user=onetier&password_env=CQL_SECRET"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("cassandra://10.0.9.1/unit", ""),
        ("cassandra://10.0.9.1:9999,10.0.9.2/unit?password_env=ONETIER_CQL_PASSWORD", ""),
        ("cassandra://10.0.9.1/unit?password_env=CQL_SECRET", ""),
        ("cassandra://10.0.9.1,evil.example/unit", "evil.example is none of the hosts that unit_hosts allows"),
        ("cassandra://10.0.9.11/unit", "10.0.9.11 is none of the hosts"),
        ("cassandra://10.0.9.1/unit?password_env=AWS_SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY is none"),
        ("cassandra://10.0.9.1/unit?passw%6Frd_env=HOME", "HOME is none"),
        ("sqlite:///etc/unit.db", "is in none of the folders that unit_folders allows"),
        ("memory:unit", "memory: is not allowed here"),
    ],
)
def test_without_lists_units_are_where_the_directory_is(url: str, said: str) -> None:
    problem = allowed_beside(CLUSTER, [], [], []).problem(url)
    assert said in problem
    assert bool(problem) == bool(said)


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("sqlite:///data/units/gd.db", True),
        ("sqlite:///data/units/below/gd.db", True),
        ("sqlite:///data/units/../secret.db", False),
        ("sqlite:///data/units-of-others/gd.db", False),
        ("sqlite:///data/gd.db", False),
        ("cassandra://127.0.0.1/unit", False),
    ],
)
def test_files_are_in_the_directory_s_folder_or_below(url: str, may: bool) -> None:
    assert (allowed_beside("sqlite:///data/units/directory.db", [], [], []).problem(url) == "") is may


def test_a_link_out_of_a_folder_is_not_in_it(tmp_path: Path) -> None:
    (tmp_path / "units").mkdir()
    (tmp_path / "units" / "link").symlink_to("/etc")
    allowed = allowed_beside(f"sqlite://{tmp_path}/units/directory.db", [], [], [])
    assert "/etc/unit.db is in none of the folders" in allowed.problem(f"sqlite://{tmp_path}/units/link/unit.db")


@pytest.mark.parametrize(
    ("host", "may"),
    [
        ("10.1.2.3", True),
        ("10.2.0.1", False),
        ("c1.db.internal", True),
        ("C2.DB.Internal", True),
        ("db.internal.evil", False),
        ("10.9.0.7", True),
        ("10.9.evil.example", False),
        ("0x0a010203", False),
    ],
)
def test_hosts_are_addresses_networks_or_names(host: str, may: bool) -> None:
    allowed = allowed_beside(CLUSTER, ["10.1.0.0/16", "*.db.internal", "10.9.*"], [], [])
    assert (allowed.problem(f"cassandra://{host}:9042/unit") == "") is may


def test_lists_stand_in_place_of_the_directory_s_own() -> None:
    allowed = allowed_beside(CLUSTER, ["10.1.0.1"], ["/srv/units"], ["GD_*"])
    assert allowed.problem("cassandra://10.0.9.1/unit")
    assert allowed.problem("cassandra://10.1.0.1/unit?password_env=CQL_SECRET")
    assert not allowed.problem("cassandra://10.1.0.1/unit?password_env=GD_SECRET")
    assert not allowed.problem("sqlite:///srv/units/gd.db")


@pytest.mark.parametrize("url", ["sqlite:///data/units/a%00b.db", "cassandra://[::1/unit", "memory:%00"])
def test_what_is_no_address_is_told_in_one_sentence(url: str) -> None:
    with pytest.raises(StoreRejected, match=r"no address|zero byte") as told:
        allowed_beside(CLUSTER, [], [], []).problem(url)
    assert "\n" not in str(told.value)


def test_what_is_opened_is_checked_too() -> None:
    allowed = allowed_beside(CLUSTER, [], [], [])
    assert allowed.checked("cassandra://10.0.9.2/unit") == "cassandra://10.0.9.2/unit"
    with pytest.raises(StoreRejected, match="none of the hosts"):
        allowed.checked("cassandra://evil.example/unit?password=s3cret")


def test_a_directory_in_memory_is_a_test_s() -> None:
    assert allowed_beside("memory:directory", [], [], []) == EVERYWHERE
