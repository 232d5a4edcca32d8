"""What may be sold and set, against the catalogue: offerings of a contract, agreements of contracts and accounts, books
bound to an allowance, marks on accumulators. A name that nothing answers to would have no effect, unnoticed."""

from collections.abc import Callable, Sequence
from typing import Literal

from msgspec.structs import replace

from charging.base.contract import Contract
from charging.errors import Invalid
from charging.plans.plan import Plan

NAMES_SHOWN_MAX = 12
BALANCE = "balance"
"""What a threshold watches when it is money."""


SUBSCRIPTIONS = "contract.subscriptions"


def check_change(
    plan_at: Callable[[int], Plan], contract: Contract, added: str, from_ms: int, now_ms: int, path: str
) -> None:
    """Check a contract that is to hold from a moment on: then, and whenever something in it begins later.

    `added` is sold at both moments; "" = nothing is added. What is in the contract besides need not be sold any more.
    `path` names the field that is told. Raises `Invalid` OFFERING_NOT_SOLD, and as `check_offerings`.
    """
    for moment_ms in sorted({now_ms, from_ms}) if added else ():
        plan = plan_at(moment_ms)
        if added in plan.merged.offerings and added not in plan.offerings:
            text = "one that is sold now and then"
            raise Invalid("OFFERING_NOT_SOLD", f"offering {added!r} is not sold: give {text}", fields={path: text})
    for moment_ms in sorted({from_ms, *[s.valid_from_ms for s in contract.subscriptions if s.valid_from_ms > from_ms]}):
        plan = plan_at(moment_ms)
        known = {*plan.merged.offerings, added}
        held = [each for each in contract.subscriptions if each.valid_at(moment_ms) and each.offering in known]
        check_offerings(plan, replace(contract, subscriptions=tuple(held)), moment_ms, path)


def check_offerings(plan: Plan, contract: Contract, time_ms: int, path: str = SUBSCRIPTIONS) -> None:
    """Check the subscriptions that have not ended: known, not excluded by each other, with what they require.

    Raises `Invalid` OFFERING_UNKNOWN, OFFERING_REQUIRES or OFFERING_EXCLUDED.
    """
    names = [s.offering for s in contract.subscriptions if s.valid_to_ms == 0 or time_ms < s.valid_to_ms]
    known = plan.merged.offerings
    for name in names:
        if name not in known:
            text = f"one of {', '.join(sorted(known)[:NAMES_SHOWN_MAX])}"
            raise _invalid("OFFERING_UNKNOWN", f"there is no offering {name[:64]!r} here: give {text}", text, path)
    held = set(plan.opened_names(tuple(names)))
    for name in names:
        offering = known[name].value
        if offering.requires and not held & set(offering.requires):
            text = f"subscribe to one of {', '.join(offering.requires)} too"
            raise _invalid("OFFERING_REQUIRES", f"offering {name!r} is sold only with another: {text}", text, path)
        clash = sorted(held & set(offering.excludes))
        if clash:
            text = f"keep either {name} or {clash[0]}"
            raise _invalid(
                "OFFERING_EXCLUDED", f"offering {name!r} is not sold beside {clash[0]!r}: {text}", text, path
            )


def check_agreements(
    plan: Plan, agreements: Sequence[str], stage: Literal["subscriber", "account"], field: str
) -> None:
    """Check what a contract ("subscriber") or an account has agreed: agreements, or rules of that stage by their id.

    A name that nothing answers to would take nothing off, and nobody would notice. Raises `Invalid` AGREEMENT_UNKNOWN.
    """
    known, rules = plan.merged.agreements, plan.merged.discounts
    for name in agreements:
        if name not in known and (name not in rules or rules[name].value.stage != stage):
            own = [rule for rule, entry in rules.items() if entry.value.stage == stage]
            text = f"one of {', '.join(sorted({*known, *own})[:NAMES_SHOWN_MAX]) or 'none: the catalogue has none'}"
            what = f"rule {name!r} is of stage {rules[name].value.stage!r}" if name in rules else ""
            message = f"{what or f'there is no agreement {name[:64]!r} here'}: give {text}"
            raise Invalid("AGREEMENT_UNKNOWN", message, fields={field: text})


def check_scope(plan: Plan, unit: str, allowance: str, field: str) -> None:
    """Check that a book may be bound to an allowance: it is known, and of that unit, money among them.

    Raises `Invalid` ALLOWANCE_UNKNOWN, ALLOWANCE_UNIT.
    """
    if not allowance:
        return
    known = plan.allowances.get(allowance)
    if known is None:
        raise _no_allowance(plan, allowance, field)
    if known.unit != unit:
        text = f"an allowance of unit {unit}, or a book of unit {known.unit}"
        message = f"allowance {allowance!r} has the unit {known.unit}, the book {unit}: give {text}"
        raise Invalid("ALLOWANCE_UNIT", message, fields={field: text})


def check_watched(plan: Plan, watches: str, field: str) -> None:
    """Check what a threshold watches: the balance, or something that counts. Raises `Invalid` ACCUMULATOR_UNKNOWN."""
    if watches == BALANCE or watches in plan.counters():
        return
    text = f"{BALANCE}, or one of {', '.join(sorted(plan.counters())[:NAMES_SHOWN_MAX])}"
    message = f"nothing counts under {watches[:64]!r} here: give {text}"
    raise Invalid("ACCUMULATOR_UNKNOWN", message, fields={field: text})


def check_spending(plan: Plan, services: Sequence[str], scope: str, path: str) -> None:
    """Check what a spending limit is for: services and a scope that there are, of whatever unit.

    Raises `Invalid` SERVICE_UNKNOWN, ALLOWANCE_UNKNOWN.
    """
    for service in services:
        if service not in plan.services:
            text = f"one of {', '.join(sorted(plan.services)[:NAMES_SHOWN_MAX])}"
            raise _invalid("SERVICE_UNKNOWN", f"there is no service {service[:64]!r}: {text}", text, f"{path}.services")
    if scope and scope not in plan.allowances:
        raise _no_allowance(plan, scope, f"{path}.scope")


def _no_allowance(plan: Plan, allowance: str, field: str) -> Invalid:
    text = f"one of {', '.join(sorted(plan.allowances)[:NAMES_SHOWN_MAX]) or 'none: the catalogue has none'}"
    return _invalid("ALLOWANCE_UNKNOWN", f"there is no allowance {allowance[:64]!r} here: give {text}", text, field)


def _invalid(reason: str, message: str, text: str, path: str) -> Invalid:
    return Invalid(reason, message, fields={path: text})
