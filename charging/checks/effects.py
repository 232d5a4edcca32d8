"""Effects: what is written in a catalogue changes something, or it is refused where it stands.

A key that is taken and then ignored is a price that nobody meant. The rules below are those of keys that have an effect
only beside others; that every key has one at all is held by a test, field by field.
"""

from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from charging.base.account import MONEY
from charging.base.bounds import PRIORITY_DEFAULT
from charging.base.fields import PAYMENT_MODE, STATUS
from charging.base.money import exact_quantity, micro
from charging.catalogue.document import Catalogue
from charging.catalogue.offers import Accumulator, Agreement, Allowance, Discount, Fee, Offering, Thresholds
from charging.catalogue.tariffs import Cap, Price, PriceOverride, Tariff, Tiers
from charging.catalogue.words import Calendar, Destination, PartyGroup, Service, When, Zone
from charging.checks.references import BUILT_IN
from charging.checks.terms import check_term
from charging.checks.walk import Finding, Path, structs

FILLED: Mapping[type[Struct], Mapping[str, str]] = {
    Calendar: {"days": "a calendar without a day holds on none"},
    Destination: {"prefixes": "a destination without a prefix is met by no number"},
    Zone: {"places": "a zone without a place is nowhere"},
    Tariff: {"prices": "a tariff without a price refuses every usage"},
    Agreement: {"discounts": "an agreement without a rule takes nothing off"},
    Discount: {"applies_to": "a rule that applies to nothing takes nothing off"},
}
"""Lists that are of no use empty, and why."""
OF_USAGE = ("services", "destinations", "parties", "attributes")
"""Conditions that only a usage can meet."""
OF_ACCOUNT = {"payment_mode": PAYMENT_MODE.words, "status": STATUS.words}
"""What an account can be, of what isn't up to whoever opens it."""
ONCE = ("call", "life", "subscription")

Rule = Callable[[Path, Struct], Iterator[Finding]]


def check_effects(catalogue: Catalogue, national: Catalogue | None) -> Iterator[Finding]:
    """Find what is written and would be ignored."""
    units = {service.id: service.unit for service in (*(national.services if national else ()), *catalogue.services)}
    services = {tariff.id: tariff.service for tariff in (*(national.tariffs if national else ()), *catalogue.tariffs)}
    for path, node in structs(catalogue):
        for name, why in FILLED.get(type(node), {}).items():
            if not getattr(node, name):
                yield Finding((*path, name), f"{why}: write one, or take it away")
        if isinstance(node, Price):
            yield from _price(path, node)
        elif isinstance(node, Tariff):
            for index, price in enumerate(node.prices):
                yield from _timed((*path, "prices", index), price, units.get(node.service, ""))
        elif isinstance(node, PriceOverride):
            yield from _timed((*path, "price"), node.price, units.get(services.get(node.tariff, ""), ""))
        elif isinstance(node, Cap):
            yield from _cap(path, node)
        elif isinstance(node, Tiers) and node.shared and node.over == "call":
            yield Finding((*path, "shared"), "one call is nobody else's: shared is for what counts over a period")
        elif isinstance(node, When):
            yield from _values(path, node.attributes, "attributes")
        elif isinstance(node, Zone | PartyGroup):
            yield from _reserved(path, node)
        else:
            yield from _offered(path, node)


def _offered(path: Path, node: Struct) -> Iterator[Finding]:
    if isinstance(node, Allowance):
        yield from _allowance(path, node)
    elif isinstance(node, Fee):
        yield from _fee(path, node)
    elif isinstance(node, Discount):
        yield from _discount(path, node)
    elif isinstance(node, Accumulator) and node.period == "call":
        yield Finding((*path, "period"), "what counts over one call is never asked: count over a day or longer")
    elif isinstance(node, Thresholds):
        seen = set()
        for index, step in enumerate(node.steps):
            if (least := exact_quantity(step.at_least)) in seen:
                yield Finding((*path, "steps", index, "at_least"), f"two steps begin at {step.at_least}: keep one")
            seen.add(least)
    elif isinstance(node, Offering):
        for name in set(node.requires) & set(node.excludes):
            yield Finding((*path, "excludes"), f"{name!r} is required and excluded: nobody could hold this offering")
        if node.validity and not exact_quantity(node.validity):
            yield Finding((*path, "validity"), "a subscription of no time: leave validity out for one without end")
        yield from check_term(path, node)
    elif isinstance(node, Service) and node.quantity_max != "0" and not exact_quantity(node.quantity_max):
        yield Finding((*path, "quantity_max"), "a usage of nothing: leave quantity_max out for the default of the unit")


def _price(path: Path, price: Price) -> Iterator[Finding]:
    if price.when.services:
        yield Finding((*path, "when", "services"), "a tariff has one service: leave services out of its prices")
    if price.band_switch != "second" and not price.bands:
        yield Finding((*path, "band_switch"), "there are no bands to switch between: leave band_switch out")
    if price.grace_free and not exact_quantity(price.grace):
        yield Finding((*path, "grace_free"), "nothing is free without a grace: write grace too")
    parts = [(path, price.connect, price.minimum, price.cap)]
    for index, part in enumerate(price.bands):
        own = part.connect or price.connect, part.minimum or price.minimum, part.cap or price.cap
        parts.append(((*path, "bands", index), *own))
    if price.connect_always and not any(micro(connect) or micro(least) for _, connect, least, _ in parts):
        yield Finding((*path, "connect_always"), "nothing is due always without connect or minimum: write one of them")
    for at, _, least, cap in parts:
        if cap is not None and cap.over == "call" and micro(least) > micro(cap.amount):
            yield Finding(
                (*at, "minimum"), f"the minimum {least} is over the cap {cap.amount}: the cap would always win"
            )


def _timed(path: Path, price: Price, unit: str) -> Iterator[Finding]:
    if unit not in ("", "second") and price.bands and price.band_switch != "second":
        yield Finding(
            (*path, "band_switch"), f"{unit}s take no time, the band of their beginning counts: leave band_switch out"
        )


def _cap(path: Path, cap: Cap) -> Iterator[Finding]:
    if cap.over == "call":
        for name, given in (("accumulator", cap.accumulator), ("shared", cap.shared)):
            if given:
                yield Finding((*path, name), f"a cap of one call keeps no sum: leave {name} out, or write over")
    elif micro(cap.amount).denominator != 1:
        yield Finding((*path, "amount"), f"{cap.amount} has parts of a micro-unit, which no period's sum has: round it")
    if path[-1] == "limit" and cap.then != "free":
        yield Finding((*path, "then"), "the limit of a discount ends no call: leave then out")


def _scope(path: Path, allowance: Allowance) -> Iterator[Finding]:
    """Find what a scope of books of money says besides: it is one, and gives nothing."""
    given = (
        ("quota", exact_quantity(allowance.quota) != 0),
        ("period", allowance.period != "cycle"),
        ("priority", allowance.priority != PRIORITY_DEFAULT),
        ("increment", allowance.increment != "1"),
        ("shared", allowance.shared),
        ("member_cap", bool(allowance.member_cap)),
        ("roll_over", allowance.roll_over is not None),
        ("prorated", allowance.prorated),
    )
    for name, found in given:
        if found:
            yield Finding((*path, name), f"money is no quota, it is in books that name {allowance.id!r}: leave it out")


def _allowance(path: Path, allowance: Allowance) -> Iterator[Finding]:
    if allowance.unit == MONEY:
        yield from _scope(path, allowance)
        return
    if allowance.blocks and exact_quantity(allowance.quota):
        yield Finding((*path, "blocks"), "a quota blocks nothing, only books do: write quota 0, or leave blocks out")
    if not exact_quantity(allowance.increment):
        yield Finding((*path, "increment"), "increment is 0: units are taken in steps of at least one")
    if allowance.member_cap and not exact_quantity(allowance.member_cap):
        yield Finding((*path, "member_cap"), "no member could use it: leave member_cap out for no cap")
    if allowance.member_cap and allowance.period == "call":
        yield Finding((*path, "member_cap"), "a call is one member's: leave member_cap out, or write a longer period")
    roll = allowance.roll_over
    if roll is not None and allowance.period in ONCE:
        yield Finding((*path, "roll_over"), f"nothing follows a period of one {allowance.period}: leave roll_over out")
    if roll is not None and roll.limit and not exact_quantity(roll.limit):
        yield Finding((*path, "roll_over", "limit"), "nothing would roll over: leave roll_over out")
    if allowance.prorated and allowance.period in (*ONCE, "day"):
        yield Finding((*path, "prorated"), f"a {allowance.period} has no part by days: leave prorated out")
    if not exact_quantity(allowance.quota):
        for name, given in (("roll_over", roll), ("prorated", allowance.prorated)):
            if given:
                yield Finding((*path, name), f"there is no quota: leave {name} out")


def _fee(path: Path, fee: Fee) -> Iterator[Finding]:
    given: list[tuple[str, object]] = [
        ("period", "cycle"), ("prorated", True), ("charged", "advance"), ("minus", ""), ("proration", "real_days"),
        ("trial_days", 0), ("free_months", 0),
    ]  # fmt: skip
    if fee.kind == "recurring":
        if fee.proration != "real_days" and (fee.period == "day" or not fee.prorated):
            yield Finding((*path, "proration"), "only a part of a month is counted by days: leave proration out")
        given = [("event", "activation")]
        if fee.minus and fee.charged != "arrears":
            yield Finding((*path, "minus"), "what a period costs is known at its end: write charged: arrears too")
    for name, default in given:
        if getattr(fee, name) != default:
            yield Finding((*path, name), f"a {fee.kind} fee has no {name}: leave it out")


def _discount(path: Path, rule: Discount) -> Iterator[Finding]:
    when = (*path, "when")
    for name in ("subscriber", "item", "account", "customer"):
        yield from _values(when, getattr(rule.when, name), name)
    for name, known in OF_ACCOUNT.items():
        for value in rule.when.account.get(name, ()):
            if value not in known:
                yield Finding((*when, "account", name), f"no account has {name} {value!r}: write {' or '.join(known)}")
    if rule.price is not None and exact_quantity(rule.price.start):
        yield Finding((*path, "price", "from"), "the price of a discount holds for the whole quantity: leave from out")
    if "usage" in rule.applies_to or not rule.applies_to:
        return
    what = " and ".join(rule.applies_to)
    for name in OF_USAGE:
        if getattr(rule.when.usage, name):
            yield Finding((*when, "usage", name), f"a {what} has no {name}, so the rule would never hold: leave it out")
    if rule.when.tariffs:
        yield Finding((*when, "tariffs"), f"a {what} has no tariff, so the rule would never hold: leave it out")
    if exact_quantity(rule.when.quantity_min) > 1:
        yield Finding((*when, "quantity_min"), f"a {what} is one, so the rule would never hold: leave it out")


def _values(path: Path, conditions: Mapping[str, tuple[str, ...]], name: str) -> Iterator[Finding]:
    for attribute, values in conditions.items():
        if not values:
            yield Finding((*path, name, attribute), "no value is ever met: write those that are, or leave it out")


def _reserved(path: Path, node: Zone | PartyGroup) -> Iterator[Finding]:
    words = BUILT_IN["visited" if isinstance(node, Zone) else "parties"]
    if node.id in words:
        yield Finding((*path, "id"), f"{node.id!r} has a meaning of its own in conditions: choose another id")
