"""The golden bills: files a billing analyst can read, each case with its arithmetic, run against the real functions.

A case posts sums, `item amount` and then what it needs of: `on 2025-12-20` (the day; 10 January 2026 where none is
said), `of 2025-11/1` (the period of a late record), `by 2` (the member), a kind, and of a discount its level and rule.
Lines are written `item net + tax at percent`, groups likewise by category. `notes` are the credit notes of the bill,
one after the other: `take` says how much of which line, 1 the first.
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import cast

import msgspec
import pytest
from ruamel.yaml import YAML

from charging.base.localtime import LocalTime, day_of
from charging.bills.bill import FEE, Bill, LineKind
from charging.bills.checking import check_bill
from charging.bills.crediting import Credited, credit_note, credited
from charging.bills.making import BillFrame, make_bill, owed_items
from charging.bills.taxing import BillSum
from charging.bills.taxtable import TaxTable
from charging.catalogue.document import Catalogue, from_plain
from charging.catalogue.merge import merge
from charging.checks.check import check
from charging.errors import Invalid, Refused
from charging.plans.compile_taxes import compile_taxes

FOLDER = Path(__file__).parent / "bills"
LOCAL = LocalTime("Asia/Shanghai")
MADE = "2026-02-01"
KINDS = ("usage", "fee", "discount", "adjustment", "late_fee")


def files() -> Iterator[tuple[str, dict]]:
    for path in sorted(FOLDER.glob("*.yaml")):
        yield path.stem, YAML(typ="base").load(path)


def cases() -> Iterator[object]:
    for stem, document in files():
        for case in document["cases"]:
            yield pytest.param(document, case, id=f"{stem}: {case['name']}")


def catalogues(document: dict, domain: str) -> tuple[Catalogue, Catalogue | None]:
    nation = from_plain({"catalogue": document["title"], "version": "1", **document["catalogue"]})
    region = document.get("regions", {}).get(domain)
    if region is None:
        return nation, None
    return nation, from_plain({"catalogue": domain, "version": "1", "domain": domain, **region})


def micro(text: str) -> int:
    found = Fraction(text) * 1_000_000
    assert found.denominator == 1, text
    return int(found)


def posted(text: str) -> BillSum:
    item, amount, *words = text.split()
    kind, level, rule, day, origin, member = FEE, "", "", "2026-01-10", "", "1"
    while words:
        word = words.pop(0)
        if word == "on":
            day = words.pop(0)
        elif word == "of":
            origin = words.pop(0)
        elif word == "by":
            member = words.pop(0)
        else:
            assert word in KINDS, text
            kind = word
            level, rule = (words.pop(0), words.pop(0)) if word == "discount" else ("", "")
    return BillSum(item, member, cast(LineKind, kind), day_of(day), micro(amount), level, rule, origin)


def made(document: dict, case: dict) -> Bill:
    nation, region = catalogues(document, case.get("domain", ""))
    taxes: TaxTable = compile_taxes(merge(nation, region), LOCAL)
    frame = BillFrame("acc", "cus", "2026-01/1", "2026-01-01", "2026-01-31", MADE, nation.currency or "XXX")
    sums = [posted(text) for text in case["posted"]]
    carried, available = micro(case.get("carried_in", "0")), micro(case.get("available", "0"))
    return make_bill(frame, sums, taxes, carried_in=carried, available=available)


def line(text: str) -> tuple[str, int, int, int]:
    """Read `item net + tax at percent`."""
    name, net, plus, tax, at, percent = text.split()
    assert (plus, at) == ("+", "at"), text
    return name, micro(net), micro(tax), micro(percent)


def lines_of(bill: Bill) -> list[tuple[str, int, int, int]]:
    return [(each.item, each.net, each.tax, each.rate) for each in bill.lines]


@pytest.mark.parametrize(("document", "case"), list(cases()))
def test_golden_bill(document: dict, case: dict) -> None:
    if "refused" in case:
        with pytest.raises(Invalid) as caught:
            made(document, case)
        assert caught.value.reason == case["refused"]
        return
    bill = made(document, case)
    check_bill(bill)
    assert lines_of(bill) == [line(text) for text in case["lines"]]
    groups = [(each.category or "untaxed", each.net, each.tax, each.rate) for each in bill.groups]
    assert groups == [line(text) for text in case["groups"]]
    assert bill.total == micro(case["total"])
    assert bill.carried_out == micro(case.get("carried_out", "0"))
    assert [each.origin for each in bill.lines if each.origin] == origins(case)
    if "settled" in case:
        assert (bill.settled, bill.payable) == (micro(case["settled"]), micro(case["payable"]))
    if "due" in case:
        assert bill.due_day == ("" if case["due"] == "none" else case["due"])
    if "owed" in case:
        assert [f"{item} {Fraction(amount, 1_000_000)}" for item, amount in owed_items(bill)] == [
            f"{text.split()[0]} {Fraction(text.split()[1])}" for text in case["owed"]
        ]
    credit(bill, case)


def origins(case: dict) -> list[str]:
    return [text.split(" of ")[1].split()[0] for text in case["posted"] if " of " in text]


def credit(bill: Bill, case: dict) -> None:
    bill = msgspec.structs.replace(bill, number="1")
    before: dict[int, Credited] = {}
    carried = bill.carried_out
    for wanted in case.get("notes", []):
        take = {int(text.split()[0]) - 1: micro(text.split()[1]) for text in wanted["take"]}
        if "refused" in wanted:
            with pytest.raises(Refused) as caught:
                credit_note(bill, take, before, day=MADE, carried_in=carried)
            assert caught.value.reason == wanted["refused"]
            continue
        note = credit_note(bill, take, before, day=MADE, carried_in=carried)
        check_bill(note)
        assert lines_of(note) == [line(text) for text in wanted["lines"]]
        assert (note.total, note.carried_out) == (micro(wanted["total"]), micro(wanted["carried_out"]))
        before, carried = credited(before, take, note), note.carried_out


@pytest.mark.parametrize("document", [document for _, document in files()], ids=[stem for stem, _ in files()])
def test_the_catalogues_of_golden_bills_could_be_published(document: dict) -> None:
    nation, _ = catalogues(document, "")
    # Nothing here is sold or rated: an item without a tariff is no fault of a bill.
    assert [finding.message for finding in check(nation)] == []
    for domain in document.get("regions", {}):
        _, region = catalogues(document, domain)
        assert region is not None
        assert [finding.message for finding in check(region, nation)] == []


def test_there_are_enough_and_each_shows_its_arithmetic() -> None:
    count = 0
    for path in sorted(FOLDER.glob("*.yaml")):
        lines = path.read_text(encoding="utf-8").splitlines()
        names = [index for index, each in enumerate(lines) if each.startswith("- name: ")]
        for index in names:
            assert lines[index + 1].strip().startswith("#"), f"{path.name}: {lines[index]} lacks its arithmetic"
        count += len(names)
    assert count >= 100
