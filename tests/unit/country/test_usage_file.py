"""The usage file: shaped like real traffic, planted faults of every kind, read back as written."""

from collections import Counter
from pathlib import Path
from statistics import median

import pytest
from msgspec.structs import replace

from country import planted, population, usage, usage_file
from country.number_plan import NationalPlan, read
from country.usage_file import UnreadableLine, UsageRecord

DAY_MS = 1_760_000_000_000
EVENTS = 8_000


@pytest.fixture(scope="module")
def plan() -> NationalPlan:
    return read()


@pytest.fixture(scope="module")
def lines(plan: NationalPlan, tmp_path_factory: pytest.TempPathFactory) -> list[UsageRecord | UnreadableLine]:
    path = tmp_path_factory.mktemp("usage") / "usage.csv"
    people = population.populate(plan, 2_000, 3, DAY_MS)
    made = usage.generate(path, people, plan, EVENTS, 3, DAY_MS)
    found = list(usage_file.read(path))
    assert len(found) == made.lines == made.honest + made.duplicates + made.bad
    return found


@pytest.fixture(scope="module")
def honest(lines: list[UsageRecord | UnreadableLine]) -> list[UsageRecord]:
    return [line for line in lines if isinstance(line, UsageRecord) and not line.planted]


def test_all_kinds_of_faults_are_planted(lines: list[UsageRecord | UnreadableLine]) -> None:
    kinds = Counter(line.planted for line in lines)
    assert kinds[""] == EVENTS
    assert kinds[planted.DUPLICATE] == EVENTS * usage.DUPLICATE_SHARE
    bad = set(planted.REASONS) | set(planted.LINE_FAULTS)
    assert set(kinds) - {"", planted.DUPLICATE} == bad
    assert sum(kinds[kind] for kind in bad) == EVENTS * usage.BAD_SHARE


def test_unreadable_lines_are_told_with_number_and_reason(lines: list[UsageRecord | UnreadableLine]) -> None:
    unreadable = [line for line in lines if isinstance(line, UnreadableLine)]
    assert {(line.planted, line.reason) for line in unreadable} == {
        (planted.LINE_QUANTITY, "quantity is no whole number"),
        (planted.LINE_SHORT, "7 columns instead of 10"),
        (planted.LINE_KEYLESS, "request_key is empty"),
    }
    assert all(line.line > 1 for line in unreadable)


def test_duplicates_repeat_an_earlier_line_exactly(lines: list[UsageRecord | UnreadableLine]) -> None:
    seen: dict[str, UsageRecord] = {}
    for line in lines:
        if isinstance(line, UnreadableLine) or line.planted not in ("", planted.DUPLICATE):
            continue
        if line.planted:
            assert seen[line.request_key] == replace(line, planted="")
        seen.setdefault(line.request_key, line)


def test_reused_keys_carry_another_content(lines: list[UsageRecord | UnreadableLine]) -> None:
    records = [line for line in lines if isinstance(line, UsageRecord)]
    first = {line.request_key: line for line in records if not line.planted}
    reused = [line for line in records if line.planted == planted.KEY_REUSED]
    assert reused
    assert all(first[line.request_key].quantity != line.quantity for line in reused)


def test_a_planted_record_has_one_fault_only(lines: list[UsageRecord | UnreadableLine]) -> None:
    records = [line for line in lines if isinstance(line, UsageRecord) and not line.planted.startswith("quantity-")]
    assert all(0 < record.quantity <= 100_000 for record in records if record.service in ("voice", "fixed", "sms"))
    assert all(record.other_party == "" for record in records if record.service in ("data", "broadband"))


def test_traffic_has_the_shape_of_traffic(honest: list[UsageRecord]) -> None:
    hours = Counter((record.event_time_ms - DAY_MS) // 3_600_000 for record in honest)
    assert set(hours) <= set(range(24))
    assert hours[20] > 8 * hours[3]
    calls = [record.quantity for record in honest if record.service == "voice"]
    assert 40 < median(calls) < 75
    assert sum(calls) / len(calls) > 1.5 * median(calls)
    volumes = sorted((record.quantity for record in honest if record.service == "data"), reverse=True)
    assert sum(volumes[: len(volumes) // 10]) > sum(volumes) / 3
    assert {record.service for record in honest} == {"voice", "sms", "data", "fixed", "broadband"}
    assert 0.01 < sum(record.visited_place != "" for record in honest) / len(honest) < 0.12
    assert [record.event_time_ms for record in honest] == sorted(record.event_time_ms for record in honest)


def test_same_seed_same_file(plan: NationalPlan, tmp_path: Path) -> None:
    people = population.populate(plan, 200, 5, DAY_MS)
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        usage.generate(tmp_path / name, people, plan, 500, seed, DAY_MS)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() != (tmp_path / "c").read_bytes()


def test_a_file_with_another_header_is_no_usage_file(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n", "utf-8")
    with pytest.raises(ValueError, match="no usage file"):
        list(usage_file.read(path))
