"""Taxes that can't be published: each fault is found with its place and what to write."""

import pytest

from charging.base.localtime import LocalTime, day_of
from charging.catalogue.document import from_plain
from charging.catalogue.merge import merge
from charging.checks.check import check
from charging.checks.walk import shown
from charging.plans.compile import boundaries
from charging.plans.compile_taxes import compile_taxes

PLAIN = {
    "catalogue": "taxes",
    "version": "1",
    "services": [{"id": "voice", "unit": "second"}, {"id": "data", "unit": "byte"}],
    "fees": [{"id": "bundle", "amount": "100"}],
}
DATA = {"id": "data", "percent": "6", "items": ["data"], "effective_to": "2026-01-01"}
NEW = {"id": "data-2026", "percent": "9", "items": ["data"], "effective_from": "2026-01-01"}
REST = {"id": "rest", "percent": "9", "items": ["*"]}
SPLIT = {"id": "bundle", "parts": [{"item": "data", "price": "60"}, {"item": "tv", "price": "40"}]}


def findings(**sections: object) -> list[str]:
    return [f"{shown(found.path)}: {found.message}" for found in check(from_plain({**PLAIN, **sections}))]


@pytest.mark.parametrize(
    ("sections", "wanted"),
    [
        ({"taxes": [{"id": "t", "percent": "9", "items": ["voise", "*"]}]}, "taxes[0].items[0]: no service"),
        ({"taxes": [DATA, REST, {**NEW, "effective_from": "2025-12-31"}]}, "item 'data' has another tax"),
        ({"taxes": [REST, {**REST, "id": "again"}]}, "item '*' has another tax at the same time"),
        ({"taxes": [DATA, NEW]}, "item 'bundle' has no tax on some days"),
        ({"taxes": [DATA, {**REST, "items": ["voice", "bundle"]}]}, "item 'data' has no tax on some days"),
        ({"taxes": [{**REST, "items": ["voice", "data"]}], "splits": [SPLIT]}, "item 'tv' has no tax on some days"),
        ({"taxes": [REST], "splits": [{**SPLIT, "id": "bumdle"}]}, "splits[0].id: no fee books under item 'bumdle'"),
        ({"splits": [{"id": "bundle", "parts": [{"item": "data", "price": "0"}]}]}, "parts that cost nothing"),
        ({"taxes": [{**DATA, "effective_to": "2026-02-30"}]}, "there is no 2026-02-30"),
        ({"taxes": [REST, REST]}, "is there already"),
        ({"bills": {"coin": "0.0000001"}}, "bills.coin: 0.0000001 is no coin"),
        ({"bills": {"minimum": "5000"}}, "bills.minimum: a bill of 5000 would never be asked for"),
        ({"services": [{"id": "voice", "unit": "second", "name": {"fr": "voix"}}]}, "told in en and zh, not 'fr'"),
        ({"services": [{"id": "voice", "unit": "second", "name": "x" * 101}]}, "at most 100 characters"),
    ],
)  # fmt: skip
def test_a_fault_is_found(sections: dict[str, object], wanted: str) -> None:
    found = findings(**sections)
    assert any(wanted in finding for finding in found), found


def test_what_has_a_tax_on_every_day_is_sound() -> None:
    assert findings(taxes=[DATA, NEW, REST], splits=[SPLIT]) == []
    assert findings() == []


def test_a_region_takes_a_tax_away_and_is_told_what_has_none_then() -> None:
    nation = from_plain({**PLAIN, "taxes": [REST]})
    region = from_plain({"catalogue": "r", "version": "1", "domain": "GD", "withdrawn": {"taxes": ["rest"]},
                         "taxes": [{"id": "own", "percent": "3", "items": ["voice"]}]})  # fmt: skip
    assert any("in GD: item 'bundle' has no tax" in finding.message for finding in check(region, nation))


def test_taxes_hold_by_the_days_of_the_region_and_cut_its_plans() -> None:
    local = LocalTime("Asia/Shanghai")
    merged = merge(from_plain({**PLAIN, "taxes": [DATA, NEW, REST]}))
    table, new_year = compile_taxes(merged, local), day_of("2026-01-01")
    assert table.tax("data", new_year - 1) == ("data", 6_000_000)
    assert table.tax("data", new_year) == ("data-2026", 9_000_000)
    assert table.tax("voice", new_year) == ("rest", 9_000_000)
    assert (table.since(new_year - 1), table.since(new_year), table.changes) == (0, new_year, (new_year,))
    assert local.moment_ms("2026-01-01") in boundaries(merged, local)


def test_a_split_that_stands_there_twice_is_told_once() -> None:
    told = findings(taxes=[DATA, NEW, REST], splits=[SPLIT, SPLIT])
    assert len(told) == len(set(told)) > 0
