"""Taxes of a bill: exact per line, rounded to the coin per group or per line, spread so that both agree.

The exact tax of an amount a at a rate r is a·r ÷ (1 + r) when the price has it in it, else a·r. It is rounded half up,
away from zero, so that what is taken back has exactly the tax that was charged.
"""

from collections.abc import Iterable, Sequence

from charging.base.money import HALF_UP, round_off
from charging.bills.bill import WHOLE, TaxedLine, TaxGroup
from charging.bills.spreading import spread
from charging.bills.sums import BillSum, Priced, TaxKey
from charging.bills.taxtable import TaxTable


def fraction_of(rate: int, *, include: bool) -> tuple[int, int]:
    """Give the part of a price that is tax: numerator and denominator."""
    return rate, WHOLE + rate if include else WHOLE


def tax_of(amount: int, rate: int, coin: int, *, include: bool) -> int:
    """Give the tax of an amount, a multiple of the coin, half up, away from zero."""
    part, whole = fraction_of(rate, include=include)
    exact = amount * part
    return round_off(exact, whole, HALF_UP, coin) if exact >= 0 else -round_off(-exact, whole, HALF_UP, coin)


def priced(sums: Iterable[BillSum], taxes: TaxTable) -> list[Priced]:
    """Give each sum its tax, bundles split. Raises `Invalid` TAX_ITEM_UNKNOWN."""
    found: list[Priced] = []
    for each in sums:
        item = each.item
        if item in taxes.parts:
            for part, amount in taxes.of_bundle(item, each.amount):
                found.append(Priced(each, part, amount, taxes.tax(part, each.day)))
        else:
            found.append(Priced(each, item, each.amount, taxes.tax(item, each.day)))
    return found


def taxed(sums: Sequence[Priced], coin: int, *, include: bool, by_line: bool) -> tuple[TaxedLine, ...]:
    """Give the lines of a bill, in the order of their sums."""
    taxes = _by_line(sums, coin, include) if by_line else _by_group(sums, coin, include)
    lines: list[TaxedLine] = []
    for each, tax in zip(sums, taxes, strict=True):
        head, (category, rate) = each.head, each.key
        net = each.amount - tax if include else each.amount
        bundle = head.item if head.item != each.item else ""
        lines.append(
            TaxedLine(
                each.item, head.member, head.kind, net, tax, category, rate,
                head.level, head.rule, head.origin, head.count, bundle,
            )
        )  # fmt: skip
    return tuple(lines)


def grouped(lines: Iterable[TaxedLine]) -> tuple[TaxGroup, ...]:
    """Sum lines by category and rate, in that order."""
    sums: dict[TaxKey, list[int]] = {}
    for line in lines:
        key = line.category, line.rate
        known = sums.get(key)
        if known is None:
            sums[key] = [line.net, line.tax]
        else:
            known[0] += line.net
            known[1] += line.tax
    return tuple([TaxGroup(*key, *sums[key]) for key in sorted(sums)])


def _by_line(sums: Iterable[Priced], coin: int, include: bool) -> list[int]:
    return [tax_of(each.amount, each.key[1], coin, include=include) for each in sums]


def _by_group(sums: Sequence[Priced], coin: int, include: bool) -> list[int]:
    places: dict[TaxKey, list[int]] = {}
    for place, each in enumerate(sums):
        places.setdefault(each.key, []).append(place)
    if len(places) == 1:
        return group_taxes([each.amount for each in sums], sums[0].key[1], coin, include)
    taxes = [0] * len(sums)
    for (_, rate), members in places.items():
        shares = group_taxes([sums[place].amount for place in members], rate, coin, include)
        for place, tax in zip(members, shares, strict=True):
            taxes[place] = tax
    return taxes


def group_taxes(amounts: Sequence[int], rate: int, coin: int, include: bool) -> list[int]:
    """Round the tax of a group once, and spread it over its lines."""
    part, whole = fraction_of(rate, include=include)
    total = tax_of(sum(amounts), rate, coin, include=include)
    return spread(total, [amount * part for amount in amounts], whole, coin)
