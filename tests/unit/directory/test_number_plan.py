"""The number plan against a naive one, and slots."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charging.errors import Invalid
from directory.number_plan import DomainPrefixes, prefix_problem
from directory.slots import parse_slot, slot_key, slot_of

digits = st.text("0123456789", min_size=1, max_size=12)
plans = st.dictionaries(st.text("012", min_size=1, max_size=6), st.sampled_from(["GD", "XJ", "BJ"]), max_size=30)


@given(plans, st.lists(st.text("012", max_size=9), max_size=20))
def test_the_longest_prefix_decides(ranges: dict[str, str], numbers: list[str]) -> None:
    table = DomainPrefixes(ranges)
    for number in numbers:
        fitting = [prefix for prefix in ranges if number.startswith(prefix)]
        longest = max(fitting, key=len, default=None)
        assert table.match(number) == (None if longest is None else (ranges[longest], longest))


@given(plans)
def test_a_plan_is_given_back_as_it_was_put_in(ranges: dict[str, str]) -> None:
    table = DomainPrefixes(ranges)
    assert table.ranges() == ranges
    assert table.size == len(ranges)


def test_only_telephone_numbers_are_in_the_plan() -> None:
    table = DomainPrefixes({"86130": "GD", "8610": "BJ"})
    assert table.match_identity("msisdn:8613000000000") == ("GD", "86130")
    assert table.match_identity("fixed:861012345678") == ("BJ", "8610")
    assert table.match_identity("card:86130") is None
    assert table.match_identity("msisdn:4412345") is None


@pytest.mark.parametrize("prefix", ["", "0755", "+86", "86 130", "1" * 16, "８６"])
def test_what_is_no_prefix_is_told(prefix: str) -> None:
    assert prefix_problem(prefix)


def test_slots_stay_where_they_are_and_spread() -> None:
    assert [slot_of("msisdn:8613000000001", slots) for slots in (1, 4, 16)] == [0, 2, 14]
    counts = [0] * 8
    for number in range(8_000):
        counts[slot_of(f"msisdn:86130{number:08d}", 8)] += 1
    assert min(counts) > 800


@given(st.sampled_from(["GD", "XJ", "a.b-c"]), st.integers(0, 4_095))
def test_a_slot_is_read_as_it_was_written(domain: str, slot: int) -> None:
    assert parse_slot(slot_key(domain, slot)) == (domain, slot)


@pytest.mark.parametrize("text", ["", "GD", "GD/", "/1", "GD/x", "GD/-1", "GD/4096", "GD/²"])
def test_what_is_no_slot_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_slot(text)
    assert caught.value.reason == "SLOT_MALFORMED"
