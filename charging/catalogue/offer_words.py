"""Entries of a merged catalogue in words for a customer: fees, free units, prices, discounts."""

from collections.abc import Iterator, Mapping
from typing import TypeVar

from charging.base.money import exact_quantity, quantity_unit
from charging.base.tongue import Tongue, marked
from charging.catalogue.merge import Merged, MergedEntry
from charging.catalogue.offers import Allowance, Discount, Fee
from charging.catalogue.tariffs import BandRates, Cap, Price, Rate, Tiers
from charging.catalogue.words import Band, Destination, PartyGroup, Service, When, Zone

LabelledT = TypeVar("LabelledT", Band, Destination, PartyGroup, Service, Zone)
HOUR, MINUTE = 3_600, 60
ONE_TIME = {
    "activation": marked("when it begins"),
    "change": marked("when it is changed to"),
    "termination": marked("when it ends"),
    "request": marked("when it is asked for"),
}
PERIOD_WORDS = {
    "call": marked("call"),
    "day": marked("day"),
    "week": marked("week"),
    "month": marked("month"),
    "cycle": marked("cycle"),
    "year": marked("year"),
    "life": marked("life"),
    "subscription": marked("subscription"),
}
CHARGED = {"advance": marked("in advance"), "arrears": marked("in arrears")}


class PriceWords:
    """Writes rates, tiers and caps in a language and a currency; `bands` have the names of time bands."""

    def __init__(self, say: Tongue, currency: str, bands: Mapping[str, MergedEntry[Band]]) -> None:
        self._say = say
        self._currency = currency
        self._bands = bands

    def band(self, band: BandRates, unit: str) -> str:
        """Say what usage costs in some bands."""
        parts = [self.rates(band.rates, band.tiers, unit)] if band.rates or band.tiers else []
        parts += self.ends(band.connect, band.minimum, band.cap)
        return f"{labels(self._bands, band.bands, self._say)}: {self._say(', ').join(parts)}"

    def ends(self, connect: str, minimum: str, cap: Cap | None) -> Iterator[str]:
        """Say what is paid to begin with, at least and at most."""
        if connect:
            yield self._say("{amount} to begin with", amount=self.money(connect))
        if minimum and exact_quantity(minimum):
            yield self._say("at least {amount}", amount=self.money(minimum))
        if cap is not None:
            yield self.cap(cap)

    def rates(self, rates: tuple[Rate, ...], tiers: Tiers | None, unit: str) -> str:
        """Say what base units cost, by rates or by tiers."""
        if tiers is None:
            return self._say(", then ").join(self._rate(each, unit) for each in rates)
        steps, period = "; ".join(self._steps(tiers, unit)), self._say(PERIOD_WORDS[tiers.over])
        return self._say("{steps} (counted over the {period})", steps=steps, period=period)

    def _steps(self, tiers: Tiers, unit: str) -> Iterator[str]:
        say = self._say
        for step in tiers.steps:
            rates = step.rates or (Rate(step.price, step.per, step.increment),)
            told = self.rates(rates, None, unit)
            if exact_quantity(step.flat):
                told += say(" and {amount} once", amount=self.money(step.flat))
            upto = units(step.upto, unit, say) if step.upto else ""
            yield (
                say("up to {quantity} {price}", quantity=upto, price=told)
                if upto
                else say("beyond {price}", price=told)
            )

    def _rate(self, rate: Rate, unit: str) -> str:
        say = self._say
        begin = say(" from {quantity} on", quantity=units(rate.start, unit, say)) if exact_quantity(rate.start) else ""
        if not exact_quantity(rate.price):
            return say("free") + begin
        steps = ""
        if rate.increment and exact_quantity(rate.increment) != exact_quantity(rate.per):
            steps = say(" in steps of {quantity}", quantity=units(rate.increment, unit, say))
        told = say("{price} for {per}", price=self.money(rate.price), per=units(rate.per, unit, say))
        return told + steps + begin

    def cap(self, cap: Cap) -> str:
        """Say how much it is at most, and what comes then."""
        then = {"free": "", "end": self._say(", then no more is granted")}[cap.then]
        period = self._say(PERIOD_WORDS[cap.over])
        return self._say("at most {amount} a {period}", amount=self.money(cap.amount), period=period) + then

    def money(self, text: str) -> str:
        """Write an amount with its currency."""
        return f"{text} {self._currency}"


class Words:
    """Writes entries in a language, in the currency and by the names of one merged catalogue."""

    def __init__(self, merged: Merged, say: Tongue) -> None:
        self._merged = merged
        self._say = say
        self._prices = PriceWords(say, merged.currency, merged.bands)

    def fee(self, fee: Fee) -> str:
        """Say how much is due, and when."""
        say, amount = self._say, self._prices.money(fee.amount)
        if fee.kind == "one_time":
            return say("{amount} once, {when}", amount=amount, when=say(ONE_TIME[fee.event]))
        period = say(PERIOD_WORDS[fee.period])
        parts = [say("{amount} a {period}", amount=amount, period=period), say(CHARGED[fee.charged])]
        if not fee.prorated:
            parts.append(say("begun periods in full"))
        elif fee.proration == "real_days":
            parts.append(say("begun periods by their days"))
        else:
            parts.append(say("begun periods by their days of 30"))
        if fee.trial_days:
            parts.append(say("{days} days of trial free", days=fee.trial_days))
        if fee.free_months:
            parts.append(say("{months} months free", months=fee.free_months))
        if fee.minus:
            least = say(
                "less what {counter} has counted: the least that a {period} costs", counter=fee.minus, period=period
            )
            parts.append(least)
        return self._joined(parts)

    def allowance(self, allowance: Allowance) -> str:
        """Say how much is free, of what, for how long, and what becomes of the rest."""
        say, unit = self._say, allowance.unit
        quota, period = units(allowance.quota, unit, say), say(PERIOD_WORDS[allowance.period])
        in_all = allowance.period in ("life", "subscription")
        over = say("{quota} in all", quota=quota) if in_all else say("{quota} a {period}", quota=quota, period=period)
        parts = [over + self.when(allowance.when)]
        if allowance.shared:
            parts.append(say("shared by all members"))
        if allowance.member_cap:
            parts.append(say("at most {quota} each", quota=units(allowance.member_cap, unit, say)))
        if allowance.roll_over is not None:
            limit = allowance.roll_over.limit
            rest = say("up to {quota} of the rest", quota=units(limit, unit, say)) if limit else say("the rest")
            parts.append(say("{rest} can be used in the next {period}", rest=rest, period=period))
        return self._joined(parts)

    def price(self, price: Price, unit: str) -> str:
        """Say what usage costs, in which bands, and how much at most."""
        say = self._say
        parts = [self._prices.rates(price.rates, price.tiers, unit)] if price.rates or price.tiers else []
        parts += [self._prices.band(each, unit) for each in price.bands]
        parts += self._prices.ends(price.connect if exact_quantity(price.connect) else "", price.minimum, price.cap)
        if exact_quantity(price.grace):
            parts.append(say("nothing up to {quantity}", quantity=units(price.grace, unit, say)))
        return "; ".join(parts) + self.dates(price.effective_from, price.effective_to)

    def discount(self, discount: Discount) -> str:
        """Say how much is taken off, of what, and for whom."""
        say = self._say
        of = (
            ""
            if discount.applies_to == ("usage",)
            else say(" each {things}", things=say(" and ").join(discount.applies_to))
        )
        parts = [self._effect(discount) + of + self.when(discount.when.usage)]
        conditions = (discount.when.subscriber, discount.when.item, discount.when.account, discount.when.customer)
        told = [f"{name} {say(' or ').join(values)}" for each in conditions for name, values in each.items()]
        if told:
            parts.append(say("where {conditions}", conditions=say(" and ").join(told)))
        for counted in discount.when.accumulators:
            upto = say(", below {mark}", mark=counted.below) if counted.below else ""
            once = say("once {counter} has reached {mark}", counter=counted.accumulator, mark=counted.at_least)
            parts.append(once + upto)
        if discount.limit is not None:
            parts.append(say("{most} off", most=self._prices.cap(discount.limit)))
        return self._joined(parts)

    def when(self, when: When) -> str:
        """Say for which usage something holds, with a space before it; "" = for all."""
        merged, say = self._merged, self._say
        attributes = [
            say("{name} is {values}", name=name, values=say(" or ").join(values))
            for name, values in when.attributes.items()
        ]
        parts = (
            (marked("for {what}"), labels(merged.services, when.services, say)),
            (marked("to {what}"), labels(merged.destinations, when.destinations, say)),
            (marked("with {what}"), labels(merged.parties, when.parties, say)),
            (marked("of {what}"), labels(merged.zones, when.home, say)),
            (marked("in {what}"), labels(merged.zones, when.visited, say)),
            (marked("during {what}"), labels(merged.bands, when.bands, say)),
            (marked("where {conditions}"), say(" and ").join(attributes)),
        )
        return "".join(f" {say(text, what=told, conditions=told)}" for text, told in parts if told)

    def dates(self, begin: str, end: str) -> str:
        """Say from when to when something holds; "" = for ever."""
        say = self._say
        since = say("; from {day} on", day=begin) if begin else ""
        return since + (say("; until {day}", day=end) if end else "")

    def _effect(self, discount: Discount) -> str:
        say = self._say
        if discount.percent:
            return say("{percent} % off", percent=discount.percent)
        if discount.amount:
            return say("{amount} off", amount=self._prices.money(discount.amount))
        if discount.total:
            return say("{amount} for the whole", amount=self._prices.money(discount.total))
        if discount.price is not None:
            return say("{price} for {per}", price=self._prices.money(discount.price.price), per=discount.price.per)
        steps = discount.thresholds.steps if discount.thresholds is not None else ()
        counted = discount.thresholds.accumulator if discount.thresholds is not None else ""
        told = [say("{percent} % off from {mark} on", percent=each.percent, mark=each.at_least) for each in steps]
        return say("{steps}, as {counter} counts", steps=self._joined(told), counter=counted)

    def _joined(self, parts: list[str]) -> str:
        return self._say(", ").join(parts)


def labels(entries: Mapping[str, MergedEntry[LabelledT]], wanted: tuple[str, ...], say: Tongue) -> str:
    """Name entries by their labels; one that is missing is its id."""
    return say(", ").join([say.label(entries[each].value.name, each) if each in entries else each for each in wanted])


def units(text: str, unit: str, say: Tongue) -> str:
    """Write a quantity as the catalogue does; bare seconds in minutes or hours where they are whole ones."""
    if quantity_unit(text):
        return text
    number = exact_quantity(text)
    if unit == "second" and number >= MINUTE and number % MINUTE == 0:
        size, short = (HOUR, "h") if number % HOUR == 0 else (MINUTE, "min")
        return f"{number // size} {short}"
    short = {"second": "s", "byte": "B"}.get(unit, "")
    return f"{text} {short}" if short else (say("one") if number == 1 else text)
