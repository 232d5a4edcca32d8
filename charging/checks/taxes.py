"""Taxes: every item has one, and only one, on every day; bundles are split over what can be taxed."""

from collections.abc import Iterator
from itertools import pairwise

from charging.base.money import MICRO, micro
from charging.bills.bill import HOUSE_ITEMS
from charging.bills.taxtable import ANY_ITEM
from charging.catalogue.document import Catalogue
from charging.catalogue.taxes import Split, Tax
from charging.checks.items import known_items
from charging.checks.references import nearest
from charging.checks.values import LOCAL, moment_ms
from charging.checks.walk import Finding, structs
from charging.plans.compile_taxes import FIRST_DAY, LAST_DAY, tax_days

Days = tuple[int, int]


def check_taxes(catalogue: Catalogue, national: Catalogue | None) -> Iterator[Finding]:
    """Find items that nothing books under, splits that split nothing, coins that are none."""
    documents = (*((national,) if national else ()), catalogue)
    booked = known_items(*documents)["item"]
    parts = {part.item for document in documents for _, node in structs(document) if isinstance(node, Split)
             for part in node.parts}  # fmt: skip
    taxable = booked | parts | HOUSE_ITEMS | {ANY_ITEM}
    for path, node in structs(catalogue):
        if isinstance(node, Tax):
            for index, item in enumerate(node.items):
                if item not in taxable:
                    yield Finding(
                        (*path, "items", index),
                        f"no service, tariff or fee books under item {item!r}{nearest(item, taxable)}",
                    )
        elif isinstance(node, Split):
            if node.id not in booked:
                yield Finding((*path, "id"), f"no fee books under item {node.id!r}{nearest(node.id, booked)}")
            if not any(micro(part.price) for part in node.parts):
                yield Finding((*path, "parts"), "parts that cost nothing alone split nothing: give their prices")
    rules = catalogue.bills
    if rules is not None and rules.coin and (micro(rules.coin) < 1 or micro(rules.coin).denominator != 1):
        yield Finding(("bills", "coin"), f"{rules.coin} is no coin: write a millionth of the currency or more")
    if rules is not None and micro(rules.minimum) > 1000 * MICRO:
        yield Finding(("bills", "minimum"), f"a bill of {rules.minimum} would never be asked for: write at most 1000")


def check_taxed(whole: Catalogue, _national: Catalogue | None) -> Iterator[Finding]:
    """Find items that have no tax on some day, or two."""
    if not whole.taxes:
        return
    spans: dict[str, list[tuple[Days, int]]] = {}
    for index, tax in enumerate(whole.taxes):
        if tax.effective_from and moment_ms(tax.effective_from) is None:
            return
        if tax.effective_to and moment_ms(tax.effective_to) is None:
            return
        for item in tax.items:
            spans.setdefault(item, []).append((tax_days(tax, LOCAL), index))
    for item, found in spans.items():
        ordered = sorted(found)
        for ((_, ends), _), ((begins, _), index) in pairwise(ordered):
            if begins < ends:
                yield Finding(("taxes", index, "items"), f"item {item!r} has another tax at the same time")
    if not _gapless([days for days, _ in spans.get(ANY_ITEM, ())]):
        split = {one.id: [part.item for part in one.parts] for one in whole.splits}
        for item in sorted({part for name in known_items(whole)["item"] for part in split.get(name, [name])}):
            if not _gapless([days for name in (item, ANY_ITEM) for days, _ in spans.get(name, ())]):
                yield Finding(("taxes", 0), f"item {item!r} has no tax on some days: name it, or give '*' one")


def _gapless(days: list[Days]) -> bool:
    until = FIRST_DAY
    for first, last in sorted(days):
        if first > until:
            return False
        until = max(until, last)
    return until >= LAST_DAY
