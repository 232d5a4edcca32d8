"""Terms of offerings: how long they are kept at least, what it costs to end them before, how often they are taken."""

from collections.abc import Iterator

from charging.base.money import exact_quantity, micro
from charging.catalogue.document import Catalogue
from charging.catalogue.offers import Fee, Offering
from charging.checks.walk import Finding, Path, structs

LONGEST_MONTH_S = 31 * 86_400


def check_term(path: Path, offering: Offering) -> Iterator[Finding]:
    """Find terms of an offering that say nothing, or what can't be."""
    if offering.early_end and not offering.minimum_months:
        yield Finding((*path, "early_end"), "nothing ends early without a minimum term: write minimum_months too")
    if offering.early_end_by == "month" and not offering.early_end:
        yield Finding((*path, "early_end_by"), "there is no fee to be due by month: write early_end too")
    if offering.begins_period != "cycle" and not offering.begins_max:
        yield Finding((*path, "begins_period"), "nothing is counted without begins_max: write it too")
    lasts_s = exact_quantity(offering.validity) if offering.validity else 0
    if 0 < lasts_s < (offering.minimum_months - 1) * LONGEST_MONTH_S:
        yield Finding(
            (*path, "minimum_months"), f"it ends by itself after {offering.validity}, before the term is over"
        )


def check_gifts(catalogue: Catalogue, national: Catalogue | None) -> Iterator[Finding]:
    """Find offerings that may be given and yet would cost who gets them, then or later, or can't be left."""
    fees: dict[str, Fee] = {}
    for document in (national, catalogue):
        fees |= {fee.id: fee for fee in (*document.fees, *document.overrides.fees)} if document is not None else {}
    for path, node in structs(catalogue):
        if not isinstance(node, Offering):
            continue
        if not node.may_be_given:
            if micro(node.gift_fee):
                yield Finding((*path, "gift_fee"), "nobody can give it: write may_be_given too")
            continue
        if node.minimum_months:
            yield Finding((*path, "may_be_given"), "who gets it would be bound: give it no minimum_months")
        for name in node.fees:
            fee = fees.get(name)
            if fee is not None and (fee.kind != "one_time" or fee.event not in ("activation", "change")):
                text = f"fee {name!r} would be paid by who gets it: name one_time fees of activation"
                yield Finding((*path, "fees"), text)


def check_early_ends(catalogue: Catalogue, national: Catalogue | None) -> Iterator[Finding]:
    """Find fees for ending early that fall due by themselves as well, or each period."""
    fees: dict[str, Fee] = {}
    for document in (national, catalogue):
        fees |= {fee.id: fee for fee in (*document.fees, *document.overrides.fees)} if document is not None else {}
    for path, node in structs(catalogue):
        fee = fees.get(node.early_end) if isinstance(node, Offering) else None
        if fee is not None and (fee.kind != "one_time" or fee.event != "request"):
            text = f"fee {fee.id!r} is due by itself: name a one_time fee of the event request"
            yield Finding((*path, "early_end"), text)
