"""Explanations: a charge's steps as sentences, and the check that they add up. Made on demand; rating never formats."""

from collections.abc import Iterable
from fractions import Fraction

from charging.base.money import MICRO, show
from charging.base.usage import Charge, Step
from charging.rating.bound import MICRO_UNIT

_LEVELS = {"S": "subscriber", "I": "account item", "A": "account", "C": "customer"}


def sentence(step: Step) -> str:
    """Say in one sentence what a step did, with its value in the currency; "…" ends what is not exact."""
    value = show(step.numerator, step.denominator)
    who = f" [{step.origin}]" if step.origin else ""
    detail = f" ({step.detail})" if step.detail else ""
    if step.kind == "offering":
        return f"Offering {step.rule}{who}{detail}"
    if step.kind == "allowance":
        return f"Allowance {step.rule}{who}: {amount_of(step)} free{detail}"
    if step.kind == "book" and step.unit == MICRO_UNIT:
        return f"Book {step.rule}{who}: pays {show(step.quantity)} of it{detail}"
    if step.kind == "book":
        return f"Book {step.rule}{who}: {amount_of(step)} taken"
    if step.kind == "tariff":
        units = f"{amount_of(step)} " if step.quantity else ""
        return f"Tariff {step.rule}{who}: {units}cost {value}{detail}"
    if step.kind == "connect":
        return f"Tariff {step.rule}{who}: connect fee {value}"
    if step.kind == "minimum":
        return f"Tariff {step.rule}{who}: raised by {value} to the minimum"
    if step.kind == "cap":
        return f"Tariff {step.rule}{who}: cut by {show(-step.numerator, step.denominator)} at the cap{detail}"
    if step.kind == "discount":
        level = f"{step.level} ({_LEVELS.get(step.level, step.level)})"
        return f"Discount {step.rule}{who} at level {level}: {value}{detail}"
    if step.kind == "rounding":
        exact = show(step.quantity * step.denominator - step.numerator, step.denominator)
        return f"Rounded once, {step.rule}{who}: {exact} becomes {show(step.quantity)}"
    return f"Fee {step.rule}{who}: {value}{detail}"


def amount_of(step: Step) -> str:
    """Write the quantity of a step for people."""
    plural = "" if step.quantity == 1 else "s"
    return f"{step.quantity} {step.unit}{plural}"


def lines(charge: Charge) -> list[str]:
    """Give the sentences of a charge, in order, each with the running total before and after it; last the charge."""
    found = []
    total = Fraction(0)
    for step in charge.steps:
        before = total
        total += Fraction(step.numerator, step.denominator)
        change = f": {_exact(before)} → {_exact(total)}" if step.numerator else ""
        found.append(sentence(step) + change)
    found.append(f"Charge: {show(charge.amount)} {charge.currency} (catalogue version {charge.catalogue})")
    return found


def total(steps: Iterable[Step]) -> Fraction:
    """Add up the exact values of steps, in micro-units."""
    return sum((Fraction(step.numerator, step.denominator) for step in steps), Fraction(0))


def adds_up(charge: Charge) -> bool:
    """Check that the steps of a charge are the charge."""
    return total(charge.steps) == charge.amount


def _exact(value: Fraction) -> str:
    """Write an exact value: decimal where it ends, else with its fraction of a currency unit."""
    text = show(value.numerator, value.denominator)
    if not text.endswith("…"):
        return text
    whole = value / MICRO
    return f"{text} ({whole.numerator}/{whole.denominator})"
