"""Compile a merged catalogue to a `Plan` for the stretch of time around a moment."""

from collections.abc import Container, Iterator, Mapping
from typing import Protocol, TypeVar

from charging.base import bounds
from charging.base.localtime import LocalTime
from charging.base.money import micro, quantity
from charging.catalogue.characteristics import Characteristic
from charging.catalogue.merge import Merged
from charging.catalogue.tariffs import Tariff
from charging.catalogue.words import Service
from charging.errors import Invalid
from charging.plans.compile_dunning import compile_dunning, services_by_item
from charging.plans.compile_offers import (
    compile_accumulator,
    compile_allowance,
    compile_fee,
    compile_offering,
    compile_rule,
)
from charging.plans.compile_quotas import compile_quota_terms
from charging.plans.compile_rewards import compile_bonus, compile_gift
from charging.plans.compile_tariffs import compile_rounding, compile_tariff, tier_counters
from charging.plans.compile_taxes import compile_taxes
from charging.plans.compiled import CompiledService, CompiledTariff
from charging.plans.plan import Plan

FOREVER_MS = 1 << 60
E = TypeVar("E")


class Dated(Protocol):
    """An entry with effective dates."""

    @property
    def effective_from(self) -> str:
        """Its first moment; "" = since ever."""

    @property
    def effective_to(self) -> str:
        """The first moment at which it is over; "" = never."""


def in_force(entry: Dated, time_ms: int, local: LocalTime) -> bool:
    """Say whether an entry's effective dates contain a moment, UTC; the end is exclusive, none named = open."""
    if entry.effective_from and local.moment_ms(entry.effective_from) > time_ms:
        return False
    return not entry.effective_to or time_ms < local.moment_ms(entry.effective_to)


def boundaries(merged: Merged, local: LocalTime) -> list[int]:
    """Give all moments (UTC, ms) at which some entry begins or ends to be in force, in order, each once."""
    dated: list[Dated] = [price for tariff in merged.tariffs.values() for price in tariff.value.prices]
    for section in (
        merged.tariffs,
        merged.allowances,
        merged.fees,
        merged.offerings,
        merged.discounts,
        merged.agreements,
        merged.accumulators,
        merged.taxes,
        merged.bonuses,
        merged.gifts,
        merged.characteristics,
    ):
        dated.extend(entry.value for entry in section.values())
    texts = {text for entry in dated for text in (entry.effective_from, entry.effective_to) if text}
    return sorted({local.moment_ms(text) for text in texts})


def compile_plan(merged: Merged, local: LocalTime, time_ms: int = 0, from_ms: int = 0, to_ms: int = FOREVER_MS) -> Plan:
    """Compile what is in force at `time_ms`; it must be the same all through [from_ms, to_ms).

    Raises `Invalid` CATALOGUE_FAULTY for what a checked catalogue does not contain.
    """
    tariffs, standard = _tariffs(merged, local, time_ms)
    accumulators = {
        name: compile_accumulator(entry, merged, local)
        for name, entry in merged.accumulators.items()
        if in_force(entry.value, time_ms, local)
    }
    counters = {**tier_counters(merged), **{name: done.counter for name, done in accumulators.items()}}
    rules = {
        name: compile_rule(entry, merged, local, counters)
        for name, entry in merged.discounts.items()
        if in_force(entry.value, time_ms, local)
    }
    offerings = {
        name: compile_offering(entry)
        for name, entry in merged.offerings.items()
        if in_force(entry.value, time_ms, local)
    }
    return Plan(
        merged=merged,
        domain=merged.domain,
        currency=merged.currency,
        version=merged.national_version,
        regional_version=merged.regional_version,
        from_ms=from_ms,
        to_ms=to_ms,
        local=local,
        rounding=compile_rounding(merged.rounding),
        services={name: _compiled_service(name, entry.value) for name, entry in merged.services.items()},
        tariffs=tariffs,
        standard=standard,
        allowances={
            name: compile_allowance(entry, merged, local)
            for name, entry in merged.allowances.items()
            if in_force(entry.value, time_ms, local)
        },
        offerings=offerings,
        limited={name: done.validity_ms for name, done in offerings.items() if done.validity_ms},
        given=_given(merged, offerings),
        rules=rules,
        agreements={
            name: entry.value.discounts
            for name, entry in merged.agreements.items()
            if in_force(entry.value, time_ms, local)
        },
        counting={
            service: tuple(a for a in accumulators.values() if not a.services or service in a.services)
            for service in merged.services
            if any(not a.services or service in a.services for a in accumulators.values())
        },
        fees={
            name: compile_fee(entry, merged)
            for name, entry in merged.fees.items()
            if in_force(entry.value, time_ms, local)
        },
        taxes=compile_taxes(merged, local),
        quotas=compile_quota_terms(merged),
        dunning=compile_dunning(merged, local),
        bonuses=tuple(
            compile_bonus(entry) for entry in merged.bonuses.values() if in_force(entry.value, time_ms, local)
        ),
        gifts={name: compile_gift(one) for name, one in merged.gifts.items() if in_force(one.value, time_ms, local)},
        characteristics=_characteristics(merged, local, time_ms),
        dunned_with=services_by_item(merged),
    )


def _characteristics(merged: Merged, local: LocalTime, time_ms: int) -> dict[str, Characteristic]:
    found = merged.characteristics
    return {name: entry.value for name, entry in found.items() if in_force(entry.value, time_ms, local)}


def _given(merged: Merged, sold: Container[str]) -> dict[str, int]:
    found = [entry.value for name, entry in merged.offerings.items() if name in sold]
    return {value.id: int(micro(value.gift_fee)) for value in found if value.may_be_given}


def compile_all(merged: Merged, local: LocalTime, wanted: Container[tuple[str, str]] | None = None) -> None:
    """Compile entries (section, id) once each, whenever they are in force; None = all. Nothing is kept.

    Raises `Invalid` CATALOGUE_FAULTY when some `compile_plan` of the catalogue would.
    """

    def entries(section: str, found: Mapping[str, E]) -> Iterator[E]:
        return (entry for name, entry in found.items() if wanted is None or (section, name) in wanted)

    for tariff in entries("tariffs", merged.tariffs):
        _service(tariff.value, merged)
        compile_tariff(tariff, tariff.value.prices, merged, local)
    counters = {name: compile_accumulator(one, merged, local).counter for name, one in merged.accumulators.items()}
    counters = {**tier_counters(merged), **counters}
    for rule in entries("discounts", merged.discounts):
        compile_rule(rule, merged, local, counters)
    for allowance in entries("allowances", merged.allowances):
        compile_allowance(allowance, merged, local)
    for offering in entries("offerings", merged.offerings):
        compile_offering(offering)
    for fee in entries("fees", merged.fees):
        compile_fee(fee, merged)
    for service in merged.services.values():
        quantity(service.value.quantity_max)
    compile_taxes(merged, local)
    compile_quota_terms(merged)
    for bonus in entries("bonuses", merged.bonuses):
        compile_bonus(bonus)
    for gift in entries("gifts", merged.gifts):
        compile_gift(gift)


def _service(tariff: Tariff, merged: Merged) -> None:
    if tariff.service not in merged.services:
        raise Invalid("CATALOGUE_FAULTY", f"tariff {tariff.id!r} prices a service that is not there")


def _compiled_service(name: str, service: Service) -> CompiledService:
    time = service.session_time or ("report" if service.unit == "byte" else "start")
    return CompiledService(name, service.unit, _quantity_max(service), time == "report")


def _quantity_max(service: Service) -> int:
    """Give the largest quantity of one usage: what the catalogue says, else what is believable of its unit."""
    return quantity(service.quantity_max) or bounds.QUANTITY_DEFAULTS.get(service.unit, bounds.QUANTITY_DEFAULT)


def _tariffs(
    merged: Merged, local: LocalTime, time_ms: int
) -> tuple[dict[str, CompiledTariff], dict[str, tuple[CompiledTariff, ...]]]:
    """Compile the tariffs in force; those that are standard also by service."""
    tariffs: dict[str, CompiledTariff] = {}
    standard: dict[str, list[CompiledTariff]] = {}
    for tariff in merged.tariffs.values():
        _service(tariff.value, merged)
        if in_force(tariff.value, time_ms, local):
            prices = [price for price in tariff.value.prices if in_force(price, time_ms, local)]
            done = tariffs[tariff.value.id] = compile_tariff(tariff, prices, merged, local)
            if tariff.value.standard:
                standard.setdefault(done.service, []).append(done)
    return tariffs, {service: tuple(found) for service, found in standard.items()}
