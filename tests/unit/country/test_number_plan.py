"""The national number plan: real data, every range in a province or reported."""

import pytest

from country.domains import REGIONS
from country.number_plan import NationalPlan, read


@pytest.fixture(scope="module")
def plan() -> NationalPlan:
    return read()


def test_real_plan_has_the_country(plan: NationalPlan) -> None:
    assert plan.seven_digit_mobile > 105_000
    assert plan.fixed > 300
    assert {domain for _, domain in plan.ranges} == {region.code for region in REGIONS}
    assert len(plan.ranges) == plan.seven_digit_mobile + plan.shorter_mobile + plan.fixed


@pytest.mark.parametrize(
    ("number", "domain"),
    [
        ("861065551234", "BJ"),
        ("862165551234", "SH"),
        ("862065551234", "GD"),
        ("869916555123", "XJ"),
        ("868916555123", "XZ"),
        ("864516555123", "HL"),
        ("864716555123", "NM"),
        ("868796555123", "YN"),
        ("8613051551234", "BJ"),
        ("8613000065123", "JS"),
        ("8613000086512", "HB"),
        ("8619212345678", ""),
    ],
)
def test_longest_prefix_gives_the_province(plan: NationalPlan, number: str, domain: str) -> None:
    assert plan.resolver().domain_of(number) == domain


def test_what_maps_to_no_province_is_reported_not_dropped() -> None:
    places = {
        "8610": {"en": "Beijing", "zh": "北京市"},
        "861301": {"en": "Simao, Yunnan"},
        "861302": {"en": "Atlantis", "zh": "亚特兰蒂斯"},
        "861303": {"en": "Nowhere"},
        "85223": {"en": "Hong Kong"},
    }
    plan = read(places)
    assert plan.ranges == (("8610", "BJ"), ("861301", "YN"))
    assert plan.by_english_only == 1
    assert plan.unmapped_places() == [("Atlantis", 1), ("Nowhere", 1)]
    assert len(plan.ranges) + len(plan.unmapped) == 4
