"""Numbers in names of files, and how often files are expected."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mediation.collecting.accepted import find_gap, without_accepted
from mediation.collecting.expected import BusyHours, ExpectedFiles
from mediation.collecting.sequences import SequenceRule, in_sequence, later_names
from mediation.plant.gaps import AcceptedGap

RULE = SequenceRule(r"gx_(?P<number>\d+)\.cdr", 99)
DAILY = SequenceRule(r"(?P<period>\d{8})_(?P<number>\d+)", 99, 1)


def names(*numbers: int) -> list[tuple[str, str]]:
    return [(f"gx_{number:02}.cdr", f"digest {number}") for number in numbers]


def test_a_gap_is_told_with_the_file_before_it() -> None:
    (gap,) = in_sequence(RULE, names(3, 4, 8, 9)).missing
    assert (gap.begin, gap.end, gap.files, gap.after) == (5, 7, 3, "gx_04.cdr")


def test_a_file_that_comes_late_closes_its_gap() -> None:
    assert in_sequence(RULE, names(3, 4, 6, 5)).missing == ()


def test_numbers_begin_anew_and_a_gap_may_lie_there() -> None:
    report = in_sequence(RULE, names(97, 98, 1, 2))
    assert report.wraps == 1
    assert [(gap.begin, gap.end, gap.files) for gap in report.missing] == [(99, 0, 2)]


def test_the_first_files_of_a_commit_may_be_in_any_order_over_a_wrap() -> None:
    report = in_sequence(RULE, names(0, 1, 98, 99))
    assert (report.missing, report.wraps) == ((), 1)


def test_a_number_with_another_content_is_told_and_the_same_content_is_not() -> None:
    again = [("gx_04.cdr", "digest 4"), ("gx_004.cdr", "another")]
    assert in_sequence(RULE, [*names(3, 4), *again]).twice == ("gx_004.cdr",)


def test_names_without_a_number_are_told() -> None:
    assert in_sequence(RULE, [("readme", "d"), ("gx_100.cdr", "e"), *names(5)]).unnumbered == ("readme", "gx_100.cdr")


def test_each_period_counts_for_itself() -> None:
    given_names = [(name, name) for name in ("20261125_1", "20261125_2", "20261126_1", "20261126_3")]
    (gap,) = in_sequence(DAILY, given_names).missing
    assert (gap.period, gap.begin, gap.files) == ("20261126", 2, 1)


@given(st.integers(0, 99), st.integers(3, 60), st.data())
def test_exactly_what_was_left_out_is_missing(begin: int, many: int, data: st.DataObject) -> None:
    places = range(begin, begin + many)
    out = data.draw(st.sets(st.sampled_from(places[1:-1])))
    came = [place for place in places if place not in out]
    # They come nearly in order: each at most ten places from its own.
    came.sort(key=lambda place: place + data.draw(st.integers(0, 10)))
    report = in_sequence(RULE, names(*(place % 100 for place in came)))
    assert sum(gap.files for gap in report.missing) == len(out)
    assert report.twice == ()


def test_the_newest_file_has_no_later_one_and_the_others_have() -> None:
    listed = [name for name, _ in names(98, 99, 0)]
    assert later_names(RULE, [], listed) == {"gx_98.cdr", "gx_99.cdr"}
    assert later_names(RULE, ["gx_03.cdr"], listed) == set(listed), "a later one was taken already"
    assert later_names(DAILY, [], ["20261125_7", "20261126_1"]) == {"20261125_7"}


def at(clock: str, day: int = 26) -> int:
    return int(datetime.fromisoformat(f"2026-11-{day}T{clock}:00+08:00").astimezone(UTC).timestamp() * 1_000)


BY_SIZE = ExpectedFiles(900, BusyHours("08:00", "22:00", 60, 1_000), "Asia/Shanghai")


@pytest.mark.parametrize(
    ("last", "now", "late_s"),
    [
        ((at("03:00")), at("03:15"), 0),
        ((at("03:00")), at("03:16"), 60),
        ((at("12:00")), at("12:01"), 0),
        ((at("12:00")), at("12:03"), 120),
        ((at("07:55")), at("08:05"), 0),
        ((at("21:59")), at("22:05"), 0),
        ((at("12:00")), at("11:00"), 0),
    ],
)
def test_a_file_is_late_by_the_hours_of_its_switch(last: int, now: int, late_s: int) -> None:
    assert BY_SIZE.late_s(last, now) == late_s


def test_a_file_of_busy_hours_is_full_and_one_of_idle_hours_need_not_be() -> None:
    assert [BY_SIZE.short(at(clock), size) for clock, size in (("12:00", 999), ("12:00", 1_000), ("03:00", 9))] == [
        True,
        False,
        False,
    ]
    over_midnight = BusyHours("20:00", "02:00", 60)
    assert [over_midnight.holds(clock) for clock in ("19:59", "20:00", "01:59", "02:00")] == [False, True, True, False]


def test_an_accepted_gap_is_told_no_more_and_what_is_left_beside_it_is() -> None:
    report = in_sequence(RULE, names(3, 4, 9, 10))
    gap = find_gap(report, "", 6, 7)
    assert gap is not None
    said = AcceptedGap("gx", "", gap.place, gap.files, 6, 7, "li", "the disk died", 1)
    left = without_accepted(report, [said])
    assert ([(each.begin, each.end, each.files) for each in left.missing], left.accepted) == ([(5, 5, 1), (8, 8, 1)], 2)
    assert without_accepted(report, [said, replace(said, holds=0)]).missing == report.missing, "it was taken back"
    # The numbers of the next time round are others.
    again = in_sequence(RULE, names(3, 4, 9, 10, 50, 90, 3, 4, 9))
    assert [(each.begin, each.end) for each in without_accepted(again, [said]).missing][-1] == (5, 8)


def test_only_what_is_missing_can_be_accepted() -> None:
    report = in_sequence(RULE, names(3, 4, 9, 10))
    assert find_gap(report, "", 4, 5) is None
    assert find_gap(report, "20261126", 5, 6) is None
    over = find_gap(in_sequence(RULE, names(97, 98, 2)), "", 99, 1)
    assert over is not None
    assert over.files == 3


def test_a_gap_of_more_files_than_anybody_could_count_is_accepted_as_a_whole_or_in_part() -> None:
    rule = SequenceRule(RULE.pattern, 10**12)
    report = in_sequence(rule, names(1, 4 * 10**11))
    gap = find_gap(report, "", 2, 10**11)
    assert gap is not None
    said = AcceptedGap("gx", "", gap.place, gap.files, gap.begin, gap.end, "li", "it was another switch", 1)
    left = without_accepted(report, [said])
    assert [(each.begin, each.end) for each in left.missing] == [(10**11 + 1, 4 * 10**11 - 1)]
    assert left.accepted == 10**11 - 1
