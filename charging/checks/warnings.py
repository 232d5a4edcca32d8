"""Warnings: what a catalogue may say, but hardly means. They are printed, and stop nothing.

A fault is what can't be published: something that is not there, contradicts itself or would be ignored. A warning is
what has exactly the effect that is written, where people are often surprised by it.
"""

from collections.abc import Iterator

from charging.base.money import micro, round_off, show
from charging.catalogue.document import Catalogue
from charging.catalogue.offers import Discount
from charging.catalogue.tariffs import Price, Rate, Tariff, Tier
from charging.catalogue.words import Rounding
from charging.checks.walk import Finding, Path, structs
from charging.plans.compile_tariffs import compile_rounding, increment_cost


def warn(catalogue: Catalogue, national: Catalogue | None = None) -> list[Finding]:
    """Give the warnings of a catalogue that has no faults; a regional one beside its nation."""
    rounding = catalogue.rounding or (national.rounding if national is not None else None) or Rounding()
    own = {tariff.id: tariff for tariff in (*(national.tariffs if national else ()), *catalogue.tariffs)}
    found = [*_groups(catalogue)]
    for path, node in structs(catalogue):
        if isinstance(node, Tariff):
            for index, price in enumerate(node.prices):
                found += _free(node, price, (*path, "prices", index), node.rounding or rounding)
        elif isinstance(node, Discount) and node.percent and not micro(node.percent) and not node.exclusive:
            found.append(Finding((*path, "percent"), "0 % takes nothing off"))
    for index, change in enumerate(catalogue.overrides.prices):
        tariff = own[change.tariff]
        found += _free(tariff, change.price, ("overrides", "prices", index, "price"), tariff.rounding or rounding)
    return found


def _groups(catalogue: Catalogue) -> Iterator[Finding]:
    """Find exclusive groups that no rule of the document names: a slip of the pen makes them choose the first."""
    named = {node.exclusive for _, node in structs(catalogue) if isinstance(node, Discount)}
    for index, group in enumerate(catalogue.exclusive_groups):
        if group.id not in named:
            yield Finding(("exclusive_groups", index, "id"), f"no discount here is of group {group.id!r}")


def _free(tariff: Tariff, price: Price, path: Path, rounding: Rounding) -> Iterator[Finding]:
    """Find prices whose first increment rounds to nothing: whoever uses little at a time pays nothing at all."""
    if micro(price.connect) or micro(price.minimum):
        return
    step = compile_rounding(rounding)
    for at, node in structs(price, path):
        rate = Rate(node.price, node.per, node.increment) if isinstance(node, Tier) else node
        if not isinstance(rate, Rate) or (isinstance(node, Tier) and node.rates):
            continue
        cost = increment_cost(rate)[1]
        if cost and not round_off(cost.numerator, cost.denominator, step.mode, step.step):
            what = f"{rate.increment or rate.per} of {tariff.service} costs {show(cost.numerator, cost.denominator)}"
            yield Finding(
                (*at, "increment" if rate.increment else "price"),
                f"{what}, which {step.name} makes nothing: small uses are free. Round to more places, or write a "
                "larger increment or a minimum",
            )
            return
