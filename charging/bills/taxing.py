"""Taxes of a bill: exact per line, rounded to the coin per group or per line, spread so that both agree.

The exact tax of an amount a at a rate r is a·r ÷ (1 + r) when the price has it in it, else a·r. It is rounded half up,
away from zero, so that what is taken back has exactly the tax that was charged.
"""

from collections.abc import Iterable, Sequence

from charging.base.money import HALF_UP, round_off
from charging.bills.bill import WHOLE, TaxedLine, TaxGroup
from charging.bills.spreading import spread
from charging.bills.sums import BillSum, TaxKey
from charging.bills.taxtable import TaxTable


def fraction_of(rate: int, *, include: bool) -> tuple[int, int]:
    """Give the part of a price that is tax: numerator and denominator."""
    return rate, WHOLE + rate if include else WHOLE


def tax_of(amount: int, rate: int, coin: int, *, include: bool) -> int:
    """Give the tax of an amount, a multiple of the coin, half up, away from zero."""
    part, whole = fraction_of(rate, include=include)
    exact = amount * part
    return round_off(exact, whole, HALF_UP, coin) if exact >= 0 else -round_off(-exact, whole, HALF_UP, coin)


def taxed(sums: Iterable[BillSum], taxes: TaxTable, coin: int) -> tuple[TaxedLine, ...]:
    """Give the lines of a bill, in the order of their sums, bundles split. Raises `Invalid` TAX_ITEM_UNKNOWN."""
    heads: list[BillSum] = []
    items: list[str] = []
    amounts: list[int] = []
    keys: list[TaxKey] = []
    for each in sums:
        item, day = each.item, each.day
        for part, amount in taxes.of_bundle(item, each.amount) if item in taxes.parts else [(item, each.amount)]:
            heads.append(each)
            items.append(part)
            amounts.append(amount)
            keys.append(taxes.tax(part, day))
    include = taxes.include
    spread = _by_line if taxes.by_line else _by_group
    lines: list[TaxedLine] = []
    for head, item, amount, key, tax in zip(
        heads, items, amounts, keys, spread(amounts, keys, coin, include), strict=True
    ):
        lines.append(
            TaxedLine(
                item, head.member, head.kind, amount - tax if include else amount, tax, key[0], key[1],
                head.level, head.rule, head.origin, head.count, head.item if head.item != item else "",
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


def _by_line(amounts: Sequence[int], keys: Sequence[TaxKey], coin: int, include: bool) -> list[int]:
    return [tax_of(amount, key[1], coin, include=include) for amount, key in zip(amounts, keys, strict=True)]


def _by_group(amounts: Sequence[int], keys: Sequence[TaxKey], coin: int, include: bool) -> list[int]:
    groups = set(keys)
    if len(groups) == 1:
        return group_taxes(amounts, keys[0][1], coin, include)
    taxes = [0] * len(amounts)
    for group in groups:
        places = [place for place, key in enumerate(keys) if key == group]
        shares = group_taxes([amounts[place] for place in places], group[1], coin, include)
        for place, tax in zip(places, shares, strict=True):
            taxes[place] = tax
    return taxes


def group_taxes(amounts: Sequence[int], rate: int, coin: int, include: bool) -> list[int]:
    """Round the tax of a group once, and spread it over its lines."""
    part, whole = fraction_of(rate, include=include)
    total = tax_of(sum(amounts), rate, coin, include=include)
    return spread(total, [amount * part for amount in amounts], whole, coin)
