"""Compile what a merged catalogue says of bills. It spans all days: a bill may have lines of two rates."""

from fractions import Fraction

from charging.base.localtime import LocalTime
from charging.base.money import micro
from charging.bills.bill import PERCENT_PARTS
from charging.bills.taxtable import TaxSpan, TaxTable
from charging.catalogue.merge import Merged
from charging.catalogue.taxes import Tax

FIRST_DAY, LAST_DAY = -1_000_000, 1 << 30
"""Before and after every day."""


def compile_taxes(merged: Merged, local: LocalTime) -> TaxTable:
    """Make the table of taxes of a region; days are those of its clock."""
    spans: dict[str, list[TaxSpan]] = {}
    for entry in merged.taxes.values():
        for item in entry.value.items:
            spans.setdefault(item, []).append(_span(entry.value, local))
    rules = merged.bills
    found = {day for some in spans.values() for span in some for day in (span.from_day, span.to_day)}
    return TaxTable(
        spans={item: tuple(sorted(some, key=_begins)) for item, some in spans.items()},
        parts={
            name: tuple((part.item, _whole(part.price)) for part in entry.value.parts)
            for name, entry in merged.splits.items()
        },
        include=rules.prices == "include_tax",
        by_line=rules.tax_rounding == "line",
        coin=_whole(rules.coin),
        minimum=_whole(rules.minimum),
        zero=rules.zero == "made",
        due_days=rules.due_days,
        changes=tuple(sorted(found - {FIRST_DAY, LAST_DAY})),
    )


def tax_days(tax: Tax, local: LocalTime) -> tuple[int, int]:
    """Give the local days on which a tax holds: the first, and the first on which it does not."""
    first = local.day(local.moment_ms(tax.effective_from) // 1000) if tax.effective_from else FIRST_DAY
    last = local.day(local.moment_ms(tax.effective_to) // 1000) if tax.effective_to else LAST_DAY
    return first, last


def _span(tax: Tax, local: LocalTime) -> TaxSpan:
    return TaxSpan(*tax_days(tax, local), tax.category or tax.id, int(Fraction(tax.percent) * PERCENT_PARTS))


def _begins(span: TaxSpan) -> int:
    return span.from_day


def _whole(text: str) -> int:
    """Give whole micro-units; parts of them have no meaning on a bill and are cut off."""
    return int(micro(text))
