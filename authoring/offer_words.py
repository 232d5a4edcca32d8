"""Entries of a merged catalogue in words for a customer: fees, free units, prices, discounts."""

from collections.abc import Iterator, Mapping
from typing import TypeVar

from charging.base.money import exact_quantity, quantity_unit
from charging.catalogue.merge import Merged, MergedEntry
from charging.catalogue.offers import Allowance, Discount, Fee
from charging.catalogue.tariffs import BandRates, Cap, Price, Rate, Tiers
from charging.catalogue.words import Band, Destination, PartyGroup, Service, When, Zone

LabelledT = TypeVar("LabelledT", Band, Destination, PartyGroup, Service, Zone)
HOUR, MINUTE = 3_600, 60
ONE_TIME = {
    "activation": "when it begins",
    "change": "when it is changed to",
    "termination": "when it ends",
    "request": "when it is asked for",
}


class Words:
    """Writes entries in the currency and by the names of one merged catalogue; a name that is missing is the id."""

    def __init__(self, merged: Merged) -> None:
        self._merged = merged

    def fee(self, fee: Fee) -> str:
        """Say how much is due, and when."""
        if fee.kind == "one_time":
            return self._money(fee.amount) + f" once, {ONE_TIME[fee.event]}"
        parts = [self._money(fee.amount) + f" a {fee.period}", f"in {fee.charged}"]
        parts.append("begun periods by their days" if fee.prorated else "begun periods in full")
        if fee.minus:
            parts.append(f"less what {fee.minus} has counted: the least that a {fee.period} costs")
        return ", ".join(parts)

    def allowance(self, allowance: Allowance) -> str:
        """Say how much is free, of what, for how long, and what becomes of the rest."""
        over = "in all" if allowance.period in ("life", "subscription") else f"a {allowance.period}"
        parts = [f"{units(allowance.quota, allowance.unit)} {over}{self.when(allowance.when)}"]
        if allowance.shared:
            parts.append("shared by all members")
        if allowance.member_cap:
            parts.append(f"at most {units(allowance.member_cap, allowance.unit)} each")
        if allowance.roll_over is not None:
            limit = allowance.roll_over.limit
            rest = f"up to {units(limit, allowance.unit)} of the rest" if limit else "the rest"
            parts.append(f"{rest} can be used in the next {allowance.period}")
        return ", ".join(parts)

    def price(self, price: Price, unit: str) -> str:
        """Say what usage costs, in which bands, and how much at most."""
        parts = [self._rates(price.rates, price.tiers, unit)] if price.rates or price.tiers else []
        parts += [self._band(each, unit) for each in price.bands]
        if exact_quantity(price.connect):
            parts.append(f"{self._money(price.connect)} to begin with")
        if exact_quantity(price.minimum):
            parts.append(f"at least {self._money(price.minimum)}")
        if price.cap is not None:
            parts.append(self._cap(price.cap))
        if exact_quantity(price.grace):
            parts.append(f"nothing up to {units(price.grace, unit)}")
        return "; ".join(parts) + dates(price.effective_from, price.effective_to)

    def discount(self, discount: Discount) -> str:
        """Say how much is taken off, of what, and for whom."""
        of = "" if discount.applies_to == ("usage",) else f" each {' and '.join(discount.applies_to)}"
        parts = [self._effect(discount) + of + self.when(discount.when.usage)]
        conditions = (discount.when.subscriber, discount.when.item, discount.when.account, discount.when.customer)
        told = [f"{name} {' or '.join(values)}" for each in conditions for name, values in each.items()]
        if told:
            parts.append(f"where {' and '.join(told)}")
        for counted in discount.when.accumulators:
            upto = f", below {counted.below}" if counted.below else ""
            parts.append(f"once {counted.accumulator} has reached {counted.at_least}{upto}")
        if discount.limit is not None:
            parts.append(self._cap(discount.limit) + " off")
        return ", ".join(parts)

    def when(self, when: When) -> str:
        """Say for which usage something holds, with a space before it; "" = for all."""
        merged = self._merged
        parts = (
            ("for", names(merged.services, when.services)),
            ("to", names(merged.destinations, when.destinations)),
            ("with", names(merged.parties, when.parties)),
            ("of", names(merged.zones, when.home)),
            ("in", names(merged.zones, when.visited)),
            ("during", names(merged.bands, when.bands)),
            ("where", " and ".join(f"{name} is {' or '.join(values)}" for name, values in when.attributes.items())),
        )
        return "".join(f" {word} {told}" for word, told in parts if told)

    def _effect(self, discount: Discount) -> str:
        if discount.percent:
            return f"{discount.percent} % off"
        if discount.amount:
            return f"{self._money(discount.amount)} off"
        if discount.total:
            return f"{self._money(discount.total)} for the whole"
        if discount.price is not None:
            return f"{self._money(discount.price.price)} for {discount.price.per}"
        steps = discount.thresholds.steps if discount.thresholds is not None else ()
        counted = discount.thresholds.accumulator if discount.thresholds is not None else ""
        told = ", ".join(f"{step.percent} % off from {step.at_least} on" for step in steps)
        return f"{told}, as {counted} counts"

    def _band(self, band: BandRates, unit: str) -> str:
        parts = [self._rates(band.rates, band.tiers, unit)] if band.rates or band.tiers else []
        if band.connect:
            parts.append(f"{self._money(band.connect)} to begin with")
        if band.minimum:
            parts.append(f"at least {self._money(band.minimum)}")
        if band.cap is not None:
            parts.append(self._cap(band.cap))
        return f"{names(self._merged.bands, band.bands)}: {', '.join(parts)}"

    def _rates(self, rates: tuple[Rate, ...], tiers: Tiers | None, unit: str) -> str:
        if tiers is None:
            return ", then ".join(self._rate(each, unit) for each in rates)
        return f"{'; '.join(self._steps(tiers, unit))} (counted over the {tiers.over})"

    def _steps(self, tiers: Tiers, unit: str) -> Iterator[str]:
        for step in tiers.steps:
            rates = step.rates or (Rate(step.price, step.per, step.increment),)
            told = self._rates(rates, None, unit)
            flat = f" and {self._money(step.flat)} once" if exact_quantity(step.flat) else ""
            yield (f"up to {units(step.upto, unit)} " if step.upto else "beyond ") + told + flat

    def _rate(self, rate: Rate, unit: str) -> str:
        begin = f" from {units(rate.start, unit)} on" if exact_quantity(rate.start) else ""
        if not exact_quantity(rate.price):
            return f"free{begin}"
        steps = ""
        if rate.increment and exact_quantity(rate.increment) != exact_quantity(rate.per):
            steps = f" in steps of {units(rate.increment, unit)}"
        return f"{self._money(rate.price)} for {units(rate.per, unit)}{steps}{begin}"

    def _cap(self, cap: Cap) -> str:
        then = {"free": "", "end": ", then no more is granted"}[cap.then]
        return f"at most {self._money(cap.amount)} a {cap.over}{then}"

    def _money(self, text: str) -> str:
        return f"{text} {self._merged.currency}"


def units(text: str, unit: str) -> str:
    """Write a quantity as the catalogue does; bare seconds in minutes or hours where they are whole ones."""
    if quantity_unit(text):
        return text
    number = exact_quantity(text)
    if unit == "second" and number >= MINUTE and number % MINUTE == 0:
        size, short = (HOUR, "h") if number % HOUR == 0 else (MINUTE, "min")
        return f"{number // size} {short}"
    short = {"second": "s", "byte": "B"}.get(unit, "")
    return f"{text} {short}" if short else ("one" if number == 1 else text)


def dates(begin: str, end: str) -> str:
    """Say from when to when something holds; "" = for ever."""
    return (f"; from {begin} on" if begin else "") + (f"; until {end}" if end else "")


def names(entries: Mapping[str, MergedEntry[LabelledT]], wanted: tuple[str, ...]) -> str:
    """Name entries by their labels."""
    return ", ".join(entries[each].value.name or each if each in entries else each for each in wanted)
