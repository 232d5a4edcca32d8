"""The golden bills: files a billing analyst can read, each case with its arithmetic, run against the real functions.

A case posts sums, `item amount` and then what it needs of: `on 2025-12-20` (the day; 10 January 2026 where none is
said), `of 2025-11/1` (the period of a late record), `by 2` (the member), a kind, and of a discount its level and rule.
`held` says who has what of the catalogue's discounts on bills: `by 1: {offers, agreements}` of a member, `account:
[agreements]`, `grade: gold` of the customer; their lines follow the posted ones, in `off` as `rule level amount`.
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

from charging.base.contract import Contract, Subscription
from charging.base.localtime import LocalTime, day_of
from charging.bills.bill import FEE, Bill, LineKind
from charging.bills.checking import check_bill
from charging.bills.crediting import Credited, credit_note, credited
from charging.bills.making import make_bill, owed_items
from charging.bills.sums import BillFrame, BillSum
from charging.bills.taxtable import TaxTable
from charging.catalogue.document import Catalogue, from_plain, pack
from charging.catalogue.merge import merge
from charging.checks.check import check
from charging.errors import Invalid, Refused
from charging.plans.compile_taxes import compile_taxes
from charging.plans.timeline import Timeline
from charging.rating.bill_discounts import bill_discounts
from charging.wire import CatalogueRef
from testkit.ledger import an_account

FOLDER = Path(__file__).parent / "bills"
LOCAL = LocalTime("Asia/Shanghai")
MADE = "2026-02-01"
LAST_MS = LOCAL.moment_ms("2026-01-31T23:59:59")
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
    sums += off(document, case, sums)
    carried, available = micro(case.get("carried_in", "0")), micro(case.get("available", "0"))
    return make_bill(frame, sums, taxes, carried_in=carried, available=available)


def off(document: dict, case: dict, sums: list[BillSum]) -> tuple[BillSum, ...]:
    """Give the lines of discounts on the bill; of each, `off` says rule, level and amount in all."""
    held = case.get("held")
    if held is None:
        return ()
    refs = [CatalogueRef(one.domain, one.version, 0, pack(one)) for one in catalogues(document, "") if one is not None]
    plan = Timeline.build(refs, "GD", "Asia/Shanghai").plan_at(LAST_MS)
    contracts = [
        Contract(
            name.removeprefix("by "),
            "acc",
            "GD",
            subscriptions=tuple(Subscription(offer, 0) for offer in given.get("offers", [])),
            agreements=tuple(given.get("agreements", [])),
        )
        for name, given in held.items()
        if name.startswith("by ")
    ]
    account = an_account(
        "acc",
        1,
        "GD",
        members=tuple(each.identity for each in contracts),
        agreements=tuple(held.get("account", [])),
        customer_attributes={"grade": held.get("grade", "")},
        accumulators={key: micro(value) for key, value in held.get("counted", {}).items()},
    )
    found = bill_discounts(plan, contracts, account, sums, LAST_MS)
    taken: dict[tuple[str, str], int] = {}
    for each in found.lines:
        assert each.kind == "discount"
        assert each.amount < 0
        taken[each.rule, each.level] = taken.get((each.rule, each.level), 0) - each.amount
    wanted = {(rule, level): micro(amount) for rule, level, amount in map(str.split, case["off"])}
    assert taken == wanted
    assert dict(found.accruals) == {key: micro(value) for key, value in case.get("counts", {}).items()}
    return found.lines


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
    if "lines" in case or "held" not in case:
        assert lines_of(bill) == [line(text) for text in case["lines"]]
        groups = [(each.category or "untaxed", each.net, each.tax, each.rate) for each in bill.groups]
        assert groups == [line(text) for text in case["groups"]]
    assert bill.total == micro(case["total"])
    assert bill.carried_out == micro(case.get("carried_out", "0"))
    assert [each.origin for each in bill.lines if each.origin and each.kind != "discount"] == origins(case)
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
