"""Bonuses and gifts: each gives something, in amounts that there are, into books that can hold it."""

from collections.abc import Iterator
from fractions import Fraction

from charging.base.account import MAIN_BOOK, MONEY
from charging.base.bounds import AMOUNT_MAX
from charging.base.money import MICRO, exact_quantity, micro, quantity_unit
from charging.catalogue.document import Catalogue
from charging.catalogue.rewards import Bonus, BonusStep, GiftRule
from charging.checks.walk import Finding, Path, structs

BONUSES_MAX = 8
"""Of one catalogue: all may be met by one top-up."""


def check_rewards(catalogue: Catalogue, national: Catalogue | None) -> Iterator[Finding]:
    """Find bonuses and gifts that give nothing, too much, or what their scope does not fit."""
    documents = (*((national,) if national else ()), catalogue)
    units = {each.id: each.unit for one in documents for each in (*one.allowances, *one.overrides.allowances)}
    known = {bonus.id for one in documents for bonus in one.bonuses}
    if len(known) > BONUSES_MAX:
        yield Finding(("bonuses",), f"{len(known)} bonuses could come with one top-up: write at most {BONUSES_MAX}")
    for path, node in structs(catalogue):
        if isinstance(node, Bonus):
            yield from _bonus(path, node)
            yield from _scoped(path, node.allowance, MONEY, units)
        elif isinstance(node, GiftRule):
            yield from _gift(path, node)
            yield from _scoped(path, node.allowance, node.unit, units)


def _scoped(path: Path, allowance: str, unit: str, units: dict[str, str]) -> Iterator[Finding]:
    found = units.get(allowance, unit)
    if found != unit:
        yield Finding((*path, "allowance"), f"allowance {allowance!r} is for books in {found}, this one is in {unit}")


def _bonus(path: Path, bonus: Bonus) -> Iterator[Finding]:
    if bonus.book == MAIN_BOOK:
        yield Finding((*path, "book"), "in the main book it could not be told from what was paid: name another one")
    if not bonus.steps:
        yield Finding((*path, "steps"), "a bonus without a step gives nothing: write one, or take the bonus away")
    amounts = [step.at_least for step in bonus.steps]
    if len({micro(each) for each in amounts}) < len(amounts):
        yield Finding((*path, "steps"), "two steps begin at one amount: write one of them")
    yield from _whole(path, bonus.most, "most")
    yield from _lasts(path, bonus.validity)
    for index, step in enumerate(bonus.steps):
        yield from _step((*path, "steps", index), step)


def _step(path: Path, step: BonusStep) -> Iterator[Finding]:
    if not micro(step.amount) and not Fraction(step.percent):
        yield Finding(path, "this step gives nothing: write its amount or its percent")
    for name in ("at_least", "amount"):
        yield from _whole(path, getattr(step, name), name)


def _gift(path: Path, gift: GiftRule) -> Iterator[Finding]:
    named = {name: getattr(gift, name) for name in ("least", "most", "per_day", "per_month")}
    for name, text in named.items():
        if gift.unit == MONEY:
            if quantity_unit(text):
                yield Finding((*path, name), f"{text!r} is no amount of money: write 99.5")
                return
            yield from _whole(path, text, name)
        elif quantity_unit(text) not in ("", gift.unit) or exact_quantity(text).denominator != 1:
            yield Finding((*path, name), f"{text!r} is no whole number of {gift.unit}s, the unit of {gift.id!r}")
            return
    least, most = exact_quantity(gift.least), exact_quantity(gift.most)
    if not most or least > most:
        yield Finding((*path, "most"), f"nothing lies from {gift.least} to {gift.most}: mend one of them")
    for name in ("per_day", "per_month"):
        bound = exact_quantity(named[name])
        if bound and bound < least:
            yield Finding((*path, name), f"{named[name]} is less than the least gift: nothing could be given")
    if gift.to_book == MAIN_BOOK and (gift.unit != MONEY or gift.allowance):
        yield Finding((*path, "to_book"), "the main book is money without a scope: name another one")
    yield from _whole(path, gift.fee, "fee")
    yield from _lasts(path, gift.validity)


def _whole(path: Path, text: str, name: str) -> Iterator[Finding]:
    exact = Fraction(text) * MICRO
    if exact.denominator != 1 or exact > AMOUNT_MAX:
        yield Finding((*path, name), f"{text} has parts of a micro-unit, or is more than ever moves: write another one")


def _lasts(path: Path, validity: str) -> Iterator[Finding]:
    if quantity_unit(validity) not in ("", "second"):
        yield Finding((*path, "validity"), f"{validity!r} is no time: write 30 d")
