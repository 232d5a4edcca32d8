"""A plan: one domain's compiled catalogue for a stretch of time in which no entry begins or ends to be in force.

It therefore asks no dates. What a list of subscriptions means for a service, and which discount rules may hold for
it, is worked out once and remembered.
"""

from dataclasses import dataclass, field

from charging.base import consumption
from charging.base.account import Account
from charging.base.contract import Contract, Subscription
from charging.base.localtime import CALL, LocalTime
from charging.base.unit_key import NONE, QuotaTerms, unit_key
from charging.base.usage import SealedCharge, Step
from charging.bills.taxtable import TaxTable
from charging.catalogue.characteristics import Characteristic
from charging.catalogue.merge import Merged
from charging.catalogue.offers import Fee
from charging.plans.alike import PlanMemory
from charging.plans.compiled import (
    CompiledAccumulator,
    CompiledAllowance,
    CompiledFee,
    CompiledOffering,
    CompiledRounding,
    CompiledRule,
    CompiledService,
    CompiledTariff,
    GrantedAllowance,
)
from charging.plans.dunning import CompiledDunning
from charging.plans.rewards import CompiledBonus, CompiledGift

CACHE_MAX = 16_384
"""Entries of a plan's own memo tables; beyond, they begin anew."""


@dataclass(slots=True, eq=False)
class Profile:
    """What a list of valid subscriptions means for one service."""

    tariffs: tuple[CompiledTariff, ...]
    grants: tuple[GrantedAllowance, ...]
    """In order of consumption."""
    open: bool
    """Some offering opens the service."""
    held: frozenset[str]
    """All offerings, bundles opened."""
    offering_of: dict[str, str]
    """tariff → the offering that brought it."""
    regional: tuple[Step, ...]
    """Says which offerings the region made, of those that have a part in what the service costs."""


@dataclass(slots=True, eq=False)
class Plan:
    """One domain's catalogue for a stretch of time."""

    merged: Merged
    domain: str
    currency: str
    version: int
    """Of the national catalogue."""
    regional_version: int
    """Of the domain's overrides; 0 = it has none."""
    from_ms: int
    """UTC, inclusive."""
    to_ms: int
    """UTC, exclusive."""
    local: LocalTime
    rounding: CompiledRounding
    services: dict[str, CompiledService]
    tariffs: dict[str, CompiledTariff]
    standard: dict[str, tuple[CompiledTariff, ...]]
    """By service."""
    allowances: dict[str, CompiledAllowance]
    offerings: dict[str, CompiledOffering]
    limited: dict[str, int]
    """Offerings whose subscriptions end by themselves: validity in milliseconds."""
    given: dict[str, int]
    """Offerings that subscribers may buy for others, and what that costs beside, micro-units."""
    rules: dict[str, CompiledRule]
    agreements: dict[str, tuple[str, ...]]
    counting: dict[str, tuple[CompiledAccumulator, ...]]
    """Accumulators by service; services that nothing counts are left out."""
    fees: dict[str, CompiledFee]
    taxes: TaxTable
    dunning: tuple[CompiledDunning, ...]
    """In the order in which they are tried."""
    dunned_with: dict[str, str]
    """By item of bills: the service that is stopped when it is not paid."""
    """Of all days, for bills."""
    quotas: dict[str, QuotaTerms]
    """By the key of a unit of sessions; of a rating group one without identifier stands for all that have none."""
    bonuses: tuple[CompiledBonus, ...]
    """On top-ups, in the order of the catalogue."""
    gifts: dict[str, CompiledGift]
    characteristics: dict[str, Characteristic]
    """What of contracts may be changed where they are sold."""
    counted: frozenset[str] = frozenset()
    """See `counters`; empty until it is asked for."""
    profiles: dict[tuple[str, tuple[str, ...]], Profile] = field(default_factory=dict)
    rule_sets: dict[tuple[str, str, tuple[str, ...], tuple[str, ...], tuple[str, ...]], tuple[CompiledRule, ...]] = (
        field(default_factory=dict)
    )
    plain_fees: dict[tuple[str, str, int, int, int, int], SealedCharge] = field(default_factory=dict)
    """Charges that all who pay a fee have in common: by fee, offering, quantity, cycle day, and their time."""
    memory: PlanMemory = field(default_factory=PlanMemory)
    """Of uses that were rated."""
    fee_ends: dict[tuple[str, int, int], int] = field(default_factory=dict)
    """When the time of a recurring fee is over that begins, or goes on, at a moment: by fee, moment and cycle day."""
    fees_sold: dict[str, tuple[tuple[str, Fee], ...]] = field(default_factory=dict)
    """By offering, its fees by id as the catalogue has them."""
    discounted: frozenset[str] | None = None
    """See `discounts`; None until it is asked for."""

    def discounts(self, target: str) -> bool:
        """Say whether any rule takes something off a target: usage, fee or bill."""
        if self.discounted is None:
            self.discounted = frozenset([each for rule in self.rules.values() for each in rule.targets])
        return target in self.discounted

    def is_plain(self, fee_id: str) -> bool:
        """Say whether a fee costs all the same for the same time: nothing counts in it, is free of it or lowers it."""
        fee = self.fees[fee_id]
        return not (self.discounts("fee") or fee.minus is not None or fee.trial_days or fee.free_months)

    def counters(self) -> frozenset[str]:
        """Give the names under which something counts: accumulators, allowances, tiers, caps and budgets."""
        if not self.counted:
            accumulators = (each.counter for some in self.counting.values() for each in some)
            lasting = [each for each in self.allowances.values() if not each.per_call]
            free = (each.counter for each in lasting)
            members = (each.member_counter for each in lasting if each.member_cap)
            rolled = (each.roll_counter for each in lasting)
            limits = (rule.limit_counter for rule in self.rules.values())
            prices = [price for tariff in self.tariffs.values() for price in tariff.prices]
            caps = (each.cap_counter for price in prices for each in price.bounds)
            tiers = (each.counter for price in prices for each in price.schedules if each is not None)
            found = (*accumulators, *free, *members, *rolled, *limits, *caps, *tiers)
            self.counted = frozenset([each.name for each in found if each is not None and each.period != CALL])
        return self.counted

    def valid_subscriptions(self, contract: Contract, time_ms: int) -> list[Subscription]:
        """Give the subscriptions of a contract that hold at a moment, in its order, unknown offerings left out.

        The end is exclusive, that of an offering with a validity of its own too.
        """
        offerings = self.offerings
        limited = self.limited
        found = []
        for held in contract.subscriptions:
            if held.valid_from_ms > time_ms or (held.valid_to_ms and time_ms >= held.valid_to_ms):
                continue
            name = held.offering
            if name not in offerings:
                continue
            if limited and not held.valid_to_ms and name in limited and time_ms >= held.valid_from_ms + limited[name]:
                continue
            found.append(held)
        return found

    def profile(self, service: str, names: tuple[str, ...]) -> Profile:
        """Give what subscriptions mean for a service; kept for the next time."""
        found = self.profiles.get((service, names))
        if found is None:
            if len(self.profiles) >= CACHE_MAX:
                self.profiles.clear()
            found = self.profiles[service, names] = _profile(self, service, names)
        return found

    def rules_for(
        self, target: str, service: str, names: tuple[str, ...], contract: Contract, account: Account
    ) -> tuple[CompiledRule, ...]:
        """Give the discount rules that may hold, in order; `target` is usage, fee or bill."""
        key = (target, service, names, contract.agreements, account.terms.agreements)
        found = self.rule_sets.get(key)
        if found is None:
            if len(self.rule_sets) >= CACHE_MAX:
                self.rule_sets.clear()
            found = self.rule_sets[key] = _rules(self, target, service, names, contract, account)
        return found

    def quota_terms(self, service: str, group: int, identifier: int) -> QuotaTerms | None:
        """Give what is said of a unit of sessions or events: of the service when one is named; None = nothing is."""
        if service:
            return self.quotas.get(service)
        exact = self.quotas.get(unit_key("", group, identifier))
        if exact is None and group != NONE and identifier != NONE:
            return self.quotas.get(unit_key("", group))
        return exact

    def opened_names(self, names: tuple[str, ...]) -> list[str]:
        """Give all offerings that come with these, bundles opened, by priority."""
        return [offering.name for _, offering in _opened(self, names)]


def _opened(plan: Plan, names: tuple[str, ...]) -> list[tuple[int, CompiledOffering]]:
    """Open bundles: (place of the subscription, offering), by priority and then as listed."""
    found: list[tuple[int, CompiledOffering]] = []
    for place, name in enumerate(names):
        pending, seen = [name], set()
        while pending:
            current = pending.pop(0)
            offering = plan.offerings.get(current)
            if offering is None or current in seen:
                continue
            seen.add(current)
            found.append((place, offering))
            pending.extend(offering.includes)
    return sorted(found, key=lambda entry: entry[1].priority)


def _profile(plan: Plan, service: str, names: tuple[str, ...]) -> Profile:
    opened = _opened(plan, names)
    unit = plan.services[service].unit
    tariffs: dict[str, CompiledTariff] = {}
    offering_of: dict[str, str] = {}
    places: dict[str, list[int]] = {}
    is_open = False
    for place, offering in opened:
        is_open = is_open or service in offering.services
        for name in offering.tariffs:
            tariff = plan.tariffs.get(name)
            if tariff is not None and tariff.service == service:
                tariffs.setdefault(name, tariff)
                offering_of.setdefault(name, offering.name)
                is_open = True
        for name in offering.allowances:
            if name in plan.allowances and plan.allowances[name].unit == unit:
                places.setdefault(name, []).append(place)
    if is_open:
        for tariff in plan.standard.get(service, ()):
            tariffs.setdefault(tariff.name, tariff)
    granted = sorted(
        (plan.allowances[name] for name in places), key=lambda a: consumption.of_allowance(a.priority, a.name)
    )
    return Profile(
        tariffs=tuple(tariffs.values()),
        grants=tuple(_grant(a, places[a.name]) for a in granted if a.quota),
        open=is_open,
        held=frozenset(offering.name for _, offering in opened),
        offering_of=offering_of,
        regional=tuple(
            regional_step(offering)
            for offering in {offering.name: offering for _, offering in opened}.values()
            if offering.origin and _concerns(plan, offering, service)
        ),
    )


def regional_step(offering: CompiledOffering) -> Step:
    """Make the step that costs nothing and says that a region made an offering, or put its own in its place."""
    detail = f"{offering.label}, as {offering.origin} sells it"
    return Step("offering", offering.name, offering.origin, 0, "", 0, 1, detail)


def _concerns(plan: Plan, offering: CompiledOffering, service: str) -> bool:
    """Say whether an offering opens a service, prices it, grants units of it or takes something off."""
    unit = plan.services[service].unit
    return (
        service in offering.services
        or any(name in plan.tariffs and plan.tariffs[name].service == service for name in offering.tariffs)
        or any(name in plan.allowances and plan.allowances[name].unit == unit for name in offering.allowances)
        or any(
            name in plan.rules and (not plan.rules[name].services or service in plan.rules[name].services)
            for name in offering.discounts
        )
    )


def _grant(allowance: CompiledAllowance, places: list[int]) -> GrantedAllowance:
    if allowance.counter.shared:
        places = places[:1]
    plain = not (allowance.roll_counter or allowance.prorated or allowance.by_subscription)
    return GrantedAllowance(allowance, tuple(places), allowance.quota * len(places), plain)


def _rules(
    plan: Plan, target: str, service: str, names: tuple[str, ...], contract: Contract, account: Account
) -> tuple[CompiledRule, ...]:
    by_offering = {name for _, offering in _opened(plan, names) for name in offering.discounts}
    agreed = {
        2: {rule for name in contract.agreements for rule in plan.agreements.get(name, (name,))},
        3: {rule for name in account.terms.agreements for rule in plan.agreements.get(name, (name,))},
    }
    found = []
    for rule in plan.rules.values():
        if target not in rule.targets or (target == "usage" and rule.services and service not in rule.services):
            continue
        stage = rule.order[0]
        if stage == 0 or (stage == 1 and rule.name in by_offering) or (stage > 1 and rule.name in agreed[stage]):
            found.append(rule)
    return tuple(sorted(found, key=lambda rule: rule.order))
