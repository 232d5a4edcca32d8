"""The golden cases: files a billing analyst can read, each with its arithmetic, run against the engine.

A file has a catalogue snippet and cases; one with a `folder` runs on the catalogues there. `offers` are the
subscriptions of the case; `tariff: x` instead stands for an offering made of tariff x alone. Amounts and step values
are in yuan, exact (decimal or n/d). "ME" in an accumulator key is the subscriber. `says` are words of the explanation.
Times without offset are local. What a case doesn't name is not compared; that each step is worth what its own words say
is checked always.
"""

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from authoring.files import read_folder
from charging.base.account import Account, Book
from charging.base.contract import Contract, Subscription
from charging.base.localtime import LocalTime
from charging.base.money import exact_quantity, quantity
from charging.base.usage import Charge, Step, Usage
from charging.catalogue.document import Catalogue, from_plain, pack
from charging.plans.plan import Plan
from charging.plans.timeline import Timeline
from charging.rating import explain
from charging.rating.rating import Unrated, bill, fee, rate
from charging.wire import CatalogueRef
from testkit.ledger import an_account

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
ME = "msisdn:8613012345678"
NOON = "2026-03-02T12:00"
RATE = re.compile(r"(?P<price>[0-9.]+) per (?P<per>[^,]+), by (?P<by>[^;]+)")
FLAT = re.compile(r"; flat (?P<flat>[0-9.]+)")
PERCENT = re.compile(r": (?P<percent>[0-9.]+) % off")
FREE = ("within the grace", "nothing used", "grace at the beginning")


def files() -> Iterator[tuple[str, dict]]:
    for path in sorted(FOLDER.glob("*.yaml")):
        yield path.stem, YAML(typ="base").load(path)


def cases() -> Iterator[object]:
    for stem, document in files():
        for case in document["cases"]:
            yield pytest.param(document, case, id=f"{stem}: {case['name']}")


@cache
def published(folder: str) -> tuple[CatalogueRef, ...]:
    found = read_folder(ROOT / folder)
    assert not found.faults, "\n".join(str(fault) for fault in found.faults)
    return tuple(ref(catalogue) for catalogue in found.catalogues)


def timeline(document: dict, case: dict) -> tuple[Timeline, LocalTime]:
    zone = case.get("zone", "Asia/Shanghai")
    if "folder" in document:
        return Timeline.build(published(document["folder"]), case.get("domain", "GD"), zone), LocalTime(zone)
    snippet = {"catalogue": document["title"], "version": "1", **document["catalogue"]}
    alone = [{"id": f"only.{tariff['id']}", "tariffs": [tariff["id"]]} for tariff in snippet["tariffs"]]
    snippet["offerings"] = [*snippet.get("offerings", []), *alone]
    domain = case.get("domain", case.get("contract", {}).get("domain", "GD"))
    refs = [ref(from_plain(snippet))]
    if domain in document.get("regions", {}):
        refs.append(ref(from_plain({"catalogue": domain, "version": "1", **document["regions"][domain]})))
    return Timeline.build(refs, domain, zone), LocalTime(zone)


def ref(catalogue: Catalogue) -> CatalogueRef:
    return CatalogueRef(catalogue.domain, catalogue.version, 0, pack(catalogue))


def contract_of(case: dict, local: LocalTime) -> Contract:
    given = case.get("contract", {})
    offers = case.get("offers") or [f"only.{case['tariff']}"]
    since = local.moment_ms(case["since"]) if "since" in case else 0
    until = local.moment_ms(case["until"]) if "until" in case else 0
    return Contract(
        ME,
        "acc",
        case.get("domain", given.get("domain", "GD")),
        subscriptions=tuple(Subscription(offer, since, until) for offer in offers),
        attributes=given.get("attributes", {}),
        groups={name: tuple(numbers) for name, numbers in given.get("groups", {}).items()},
        agreements=tuple(given.get("agreements", [])),
    )


def account_of(case: dict, local: LocalTime) -> Account:
    given = case.get("account", {})
    books = [
        Book(
            book["id"],
            book["unit"],
            int(book["amount"]),
            priority=int(book.get("priority", 100)),
            valid_to_ms=local.moment_ms(book["to"]) if "to" in book else 0,
            allowance=book.get("allowance", ""),
        )
        for book in given.get("books", [])
    ]
    return an_account(
        "acc",
        7,
        case.get("domain", "GD"),
        customer_id=given.get("customer_id", ""),
        payment_mode=given.get("payment_mode", "prepaid"),
        cycle_day=int(given.get("cycle_day", 1)),
        members=(ME, *given.get("members", [])),
        books=tuple(books),
        accumulators={key.replace("ME", ME): int(value) for key, value in given.get("accumulators", {}).items()},
        attributes=given.get("attributes", {}),
        customer_attributes=given.get("customer_attributes", {}),
        agreements=tuple(given.get("agreements", [])),
    )


def run(document: dict, case: dict) -> Charge:
    line, local = timeline(document, case)
    contract, account = contract_of(case, local), account_of(case, local)
    if "fee" in case:
        asked = case["fee"]
        start = local.moment_ms(asked["from"])
        end = local.moment_ms(asked["to"]) if "to" in asked else 0
        began = local.moment_ms(asked["began"]) if "began" in asked else 0
        times = int(asked.get("times", 1))
        offering = asked.get("offering", "")
        return fee(line.plan_at(start), asked["id"], contract, account, start, end, offering, times, began)
    if "bill" in case:
        now = local.moment_ms(NOON)
        asked = case["bill"]
        return bill(line.plan_at(now), contract, account, now, asked["item"], int(micro(asked["amount"])))
    return rate_of(line, local, case["use"], contract, account)


def rate_of(line: Timeline, local: LocalTime, use: dict, contract: Contract, account: Account) -> Charge:
    usage = usage_of(use, local)
    plan: Plan = line.plan_at(usage.start_ms)
    return rate(plan, usage, contract, account)


def usage_of(use: dict, local: LocalTime) -> Usage:
    return Usage(
        ME,
        use["service"],
        local.moment_ms(use.get("at", NOON)),
        int(use["quantity"]),
        use.get("to", ""),
        use.get("visited", ""),
        use.get("attributes", {}),
    )


def micro(text: str) -> Fraction:
    return Fraction(text) * 1_000_000


def shown(step: Step) -> tuple[str, ...]:
    """Give a step as the files write it."""
    value = Fraction(step.numerator, step.denominator) / 1_000_000
    rule = f"{step.rule}@{step.origin}" if step.origin else step.rule
    if step.kind == "rounding":
        before = Fraction(step.quantity, 1_000_000) - value
        return (
            f"rounding@{step.origin}" if step.origin else "rounding",
            str(before),
            "becomes",
            str(Fraction(step.quantity, 1_000_000)),
        )
    if step.kind in ("connect", "minimum", "cap"):
        return (step.kind, rule, str(value))
    if step.kind == "discount":
        return (step.kind, rule, step.level, str(value))
    return (step.kind, rule, str(step.quantity), str(value))


def written(text: str) -> tuple[str, ...]:
    """Read a step of a file into the same form."""
    words = text.split()
    if words[0].startswith("rounding"):
        return (words[0], str(Fraction(words[1])), "becomes", str(Fraction(words[3])))
    assert words[-2] == "=", f"a step is written `kind rule quantity = value`: {text}"
    return (*words[:-2], str(Fraction(words[-1])))


def says_so(document: dict, charge: Charge) -> None:
    """Follow an explanation by its words alone: unit price, increment, percentage; each gives the step's value."""
    limited = {rule["id"] for rule in document.get("catalogue", {}).get("discounts", []) if "limit" in rule}
    running = Fraction(0)
    for step in charge.steps:
        value = Fraction(step.numerator, step.denominator)
        if step.kind == "tariff" and not step.detail.startswith(FREE):
            flat = FLAT.search(step.detail)
            rate = RATE.search(step.detail)
            if flat is not None:
                assert value == micro(flat["flat"]), step
            else:
                assert rate is not None, step
                assert value == micro(rate["price"]) * step.quantity / exact_quantity(rate["per"]), step
                assert step.quantity % quantity(rate["by"]) == 0, step
        elif step.kind == "discount" and step.rule not in limited and (off := PERCENT.search(step.detail)):
            assert -value == running * Fraction(off["percent"]) / 100, step
        elif step.kind in ("allowance", "book"):
            assert value == 0, step
            assert step.quantity > 0, step
        running += value


@pytest.mark.parametrize(("document", "case"), list(cases()))
def test_golden(document: dict, case: dict) -> None:
    if "refused" in case:
        with pytest.raises(Unrated) as caught:
            run(document, case)
        assert caught.value.reason == case["refused"]
        assert caught.value.facts.get("nearest")
        if "nearest" in case:
            assert caught.value.facts["nearest"] == case["nearest"]
        return
    charge = run(document, case)
    assert Fraction(charge.amount) == micro(case["charge"]), "\n".join(explain.lines(charge))
    assert explain.adds_up(charge)
    assert [shown(step) for step in charge.steps] == [written(text) for text in case["steps"]]
    says_so(document, charge)
    sentences = "\n".join(explain.lines(charge))
    for words in case.get("says", []):
        assert words in sentences
    if "accruals" in case:
        wanted = {key.replace("ME", ME): int(value) for key, value in case["accruals"].items()}
        assert dict(charge.accruals) == wanted
    if "takes" in case:
        assert dict(charge.takes) == {book: int(units) for book, units in case["takes"].items()}
    if "depends" in case:
        assert charge.depends == (case["depends"] == "true")


def test_there_are_enough_and_each_shows_its_arithmetic() -> None:
    count = 0
    for path in sorted(FOLDER.glob("*.yaml")):
        lines = path.read_text(encoding="utf-8").splitlines()
        names = [index for index, line in enumerate(lines) if line.startswith("- name: ")]
        for index in names:
            assert lines[index + 1].strip().startswith("#"), f"{path.name}: {lines[index]} lacks its arithmetic"
        count += len(names)
    assert count >= 150


def test_published_amounts_are_there() -> None:
    published = [case for _, document in files() for case in document["cases"] if case["name"].startswith("published")]
    assert {case["charge"] for case in published} >= {
        "0.7167", "2701", "0.17", "0.3", "115.5", "55.5", "1300", "1200", "102", "110", "115",
    }  # fmt: skip
