"""Usage that no rule prices: refused with a reason and the nearest rule that failed, never priced zero.

Reasons: CATALOGUE_MISSING, SERVICE_UNKNOWN, UNIT_KEY_UNKNOWN, QUANTITY_INVALID, AMOUNT_INVALID, SUBSCRIPTION_MISSING,
SERVICE_NOT_SUBSCRIBED, USAGE_UNRATED, BAND_UNRATED, FEE_UNKNOWN.
"""

from charging.base.account import Account
from charging.base.bounds import AMOUNT_MAX
from charging.base.contract import Contract
from charging.base.money import show
from charging.base.unit_key import is_numbered
from charging.base.usage import Usage
from charging.catalogue.tariffs import Price
from charging.errors import Invalid
from charging.plans.compiled import CompiledTariff
from charging.plans.conditions import prefix_table, usage_tests
from charging.plans.plan import Plan, Profile
from charging.plans.prefixes import digits_of


class Unrated(Invalid):
    """No rule of the catalogue prices this. `facts["nearest"]` names the rule that came closest."""


def unknown_service(plan: Plan, usage: Usage) -> Unrated:
    """The catalogue has no such service."""
    known = ", ".join(sorted(plan.services))
    return Unrated(
        "SERVICE_UNKNOWN",
        f"service {usage.service!r} is not in the catalogue: give one of {known}",
        fields={"service_code": f"one of {known}"},
        facts={"nearest": f"services: {known}"},
    )


def unknown_unit(plan: Plan, key: str) -> Unrated:
    """The catalogue says nothing of a rating group and service identifier."""
    known = ", ".join(sorted(key for key in plan.quotas if is_numbered(key))) or "none"
    return Unrated(
        "UNIT_KEY_UNKNOWN",
        f"the catalogue does not say of what service {key} is",
        fields={"unit_key": f"a rating group of the catalogue: {known}"[:200]},
        facts={"nearest": f"rating groups: {known}"[:200]},
    )


def absurd_quantity(plan: Plan, usage: Usage) -> Unrated:
    """The quantity, in base units, is negative or beyond the service's limit: QUANTITY_INVALID."""
    service = plan.services[usage.service]
    wanted = f"0 to {service.quantity_max} {service.unit}"
    return Unrated(
        "QUANTITY_INVALID",
        f"quantity {usage.quantity} of {usage.service} is not possible in one usage",
        fields={"quantity": wanted},
        facts={"nearest": f"service {service.name}: quantity_max {service.quantity_max}"},
    )


def absurd_amount(usage: Usage, rule: str, amount: int) -> Unrated:
    """The charge, in micro-units, is beyond any that is meant: AMOUNT_INVALID."""
    return Unrated(
        "AMOUNT_INVALID",
        f"{usage.quantity} of {usage.service} would cost {show(amount)}: a single usage costs at most "
        f"{show(AMOUNT_MAX)}, look at price and quantity",
        facts={"nearest": rule},
    )


def unpriced(
    plan: Plan, profile: Profile, names: tuple[str, ...], usage: Usage, contract: Contract, account: Account
) -> Unrated:
    """Find out why nothing prices a usage: the first of these that is so.

    SUBSCRIPTION_MISSING, SERVICE_NOT_SUBSCRIBED, USAGE_UNRATED, the last with the price that missed fewest conditions
    as `nearest`. `names` are the offerings held at the time. Made only for a refusal: it compiles anew.
    """
    if not names:
        held = ", ".join(s.offering for s in contract.subscriptions) or "none at all"
        return Unrated(
            "SUBSCRIPTION_MISSING",
            "no subscription of the contract was valid when the event began",
            facts={"nearest": f"subscriptions of the contract: {held}"},
        )
    if not profile.open:
        standard = plan.standard.get(usage.service, ())
        nearest = f"tariff {standard[0].name}" if standard else f"offerings {', '.join(sorted(profile.held))}"
        return Unrated(
            "SERVICE_NOT_SUBSCRIBED",
            f"no offering of the contract opens service {usage.service!r}",
            facts={
                "nearest": nearest,
                "failed": f"offerings {', '.join(sorted(profile.held))} do not open the service",
            },
        )
    best: tuple[int, str, str] | None = None
    for tariff in profile.tariffs:
        for met, rule, why in _attempts(plan, tariff, usage, contract, account):
            if best is None or met > best[0]:
                best = (met, rule, why)
    if best is None:
        best = (0, f"service {usage.service}", "no tariff prices the service at that time")
    return Unrated(
        "USAGE_UNRATED",
        f"no price of {usage.service} holds for this usage: {best[2]}",
        facts={"nearest": best[1], "failed": best[2]},
    )


def outside_bands(rule: str, origin: str) -> Unrated:
    """A price has no rate for a part of the call."""
    return Unrated(
        "BAND_UNRATED",
        f"price {rule} has no rate for a part of the call: none of its bands contains it",
        facts={"nearest": rule, "failed": "bands", "origin": origin or "national"},
    )


def _attempts(
    plan: Plan, tariff: CompiledTariff, usage: Usage, contract: Contract, account: Account
) -> list[tuple[int, str, str]]:
    """Say of each price of a tariff how many conditions held and which failed first."""
    entry = plan.merged.tariffs[tariff.name].value
    in_force = {price.price for price in tariff.prices}
    found: list[tuple[int, str, str]] = []
    for price in entry.prices:
        rule = f"{tariff.name}/{price.id}"
        if price.id not in in_force:
            until = f"{price.effective_from or '…'} to {price.effective_to or '…'}"
            found.append((0, rule, f"not in force at the event (effective {until})"))
            continue
        failed = _failed(plan, tariff, price, usage, contract, account)
        if failed:
            found.append((-len(failed), rule, "; ".join(failed)))
    return found


def _failed(
    plan: Plan, tariff: CompiledTariff, price: Price, usage: Usage, contract: Contract, account: Account
) -> list[str]:
    failed = []
    when = price.when
    if when.destinations:
        number = digits_of(usage.other_party)
        table = tariff.table or prefix_table(plan.merged, when.destinations)
        found = table.find(number)
        if set(found).isdisjoint(when.destinations):
            shown = number[:4] + "…" if len(number) > 4 else number
            failed.append(
                f"destination of {shown} is {', '.join(found) or 'unknown'}, not {', '.join(when.destinations)}"
                if number
                else f"there is no other party, and its destination has to be {' or '.join(when.destinations)}"
            )
    tests = usage_tests(when, plan.merged, plan.local, destinations=False, bands=False)
    words = []
    if when.services:
        words.append("services")
    if when.parties:
        words.append(f"the other party is in none of: {', '.join(when.parties)}")
    if when.home:
        words.append(f"home {contract.domain} is in none of the zones: {', '.join(when.home)}")
    if when.visited:
        place = usage.visited or contract.domain
        words.append(f"visited {place} is in none of the zones: {', '.join(when.visited)}")
    words.extend(f"attribute {name} is none of: {', '.join(values)}" for name, values in when.attributes.items())
    failed.extend(word for word, test in zip(words, tests, strict=True) if not test(usage, contract, account))
    return failed
