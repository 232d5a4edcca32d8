"""Compile bonuses and gifts."""

from fractions import Fraction

from charging.base.account import MAIN_BOOK, MONEY
from charging.base.money import MICRO, micro, quantity
from charging.catalogue.merge import MergedEntry
from charging.catalogue.rewards import Bonus, GiftRule
from charging.plans.rewards import CompiledBonus, CompiledGift, CompiledStep

GIFT_BOOK = "gift."
"""Begins the name of a book of units that a gift makes, when its rule names none."""


def compile_bonus(entry: MergedEntry[Bonus]) -> CompiledBonus:
    """Compile a bonus. Raises `ValueError` for what is no number."""
    value = entry.value
    steps = [
        CompiledStep(int(micro(step.at_least)), int(micro(step.amount)), share.numerator, share.denominator * 100)
        for step in value.steps
        for share in (Fraction(step.percent),)
    ]
    return CompiledBonus(
        name=value.id,
        label=value.name or value.id,
        steps=tuple(sorted(steps, key=lambda step: -step.at_least)),
        book=value.book,
        kinds=value.kinds,
        channels=value.channels,
        first=value.first,
        most=int(micro(value.most)),
        allowance=value.allowance,
        validity_ms=quantity(value.validity) * 1000,
        priority=value.priority,
    )


def compile_gift(entry: MergedEntry[GiftRule]) -> CompiledGift:
    """Compile a rule of gifts. Raises `ValueError` for what is no number."""
    value = entry.value
    return CompiledGift(
        name=value.id,
        label=value.name or value.id,
        unit=value.unit,
        books=value.books,
        least=amount_of(value.least, value.unit),
        most=amount_of(value.most, value.unit),
        per_day=amount_of(value.per_day, value.unit),
        per_month=amount_of(value.per_month, value.unit),
        fee=int(micro(value.fee)),
        to_book=value.to_book or (MAIN_BOOK if value.unit == MONEY else GIFT_BOOK + value.id),
        allowance=value.allowance,
        validity_ms=quantity(value.validity) * 1000,
        fee_kept=value.fee_kept,
    )


def amount_of(text: str, unit: str) -> int:
    """Give an amount of a rule: micro-units of money, base units of anything else. Raises `ValueError`."""
    return int(Fraction(text) * MICRO) if unit == MONEY else quantity(text)
