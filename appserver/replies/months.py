"""Months of use priced, and compared → protobuf replies."""

from collections.abc import Iterable, Mapping, Sequence

from onetier.v1 import service_desk_pb2 as desk

from appserver.replies.fill import fill_allowances
from charging.base.tongue import Tongue
from charging.base.usage import AllowanceLeft
from charging.plans.plan import Plan
from charging.rating.months import FeeOfTime


class Sum:
    """What one service came to: usages, base units, of them free ones, micro-units."""

    __slots__ = ("amount", "count", "free", "quantity")

    def __init__(self) -> None:
        self.count = self.quantity = self.free = self.amount = 0

    def add(self, quantity: int, free: int, amount: int) -> None:
        """Add a usage."""
        self.count += 1
        self.quantity += quantity
        self.free += free
        self.amount += amount


class Versus:
    """What one service, or fee, came to as it was and as it would be; micro-units."""

    __slots__ = ("after", "before", "count", "quantity", "unrated")

    def __init__(self) -> None:
        self.count = self.quantity = self.before = self.after = self.unrated = 0


def fill_month(
    view: desk.MonthView,
    plan: Plan,
    sums: Mapping[str, Sum],
    fees: Sequence[FeeOfTime],
    left: Iterable[AllowanceLeft],
    say: Tongue,
) -> None:
    """Answer with what a month comes to."""
    view.currency = plan.currency
    view.catalogue_version = plan.version
    view.amount = sum(each.amount for each in sums.values()) + sum(each.amount for each in fees)
    for service, each in sorted(sums.items()):
        view.lines.add(
            service_code=service,
            name=service_name(plan, service, say),
            count=each.count,
            quantity=each.quantity,
            free_quantity=each.free,
            amount=each.amount,
            unit=unit_of(plan, service),
        )
    for due in fees:
        view.lines.add(fee=due.fee, name=fee_name(plan, due.fee, say), count=1, amount=due.amount)
    fill_allowances(view.allowances, left, plan.merged, say)


def fill_comparison(
    view: desk.CompareView, plan: Plan, services: Mapping[str, Versus], fees: Mapping[str, Versus], say: Tongue
) -> None:
    """Answer with what was charged beside what other offerings would have charged, by service and by fee."""
    view.currency = plan.currency
    view.catalogue_version = plan.version
    for service, each in sorted(services.items()):
        name = service_name(plan, service, say)
        line = view.lines.add(service_code=service, name=name, count=each.count, quantity=each.quantity)
        line.unit, line.unrated = unit_of(plan, service), each.unrated
        _versus(line, each)
    for fee, each in sorted(fees.items()):
        _versus(view.lines.add(fee=fee, name=fee_name(plan, fee, say), count=1), each)
    everything = (*services.values(), *fees.values())
    view.before = sum(each.before for each in everything)
    view.after = sum(each.after for each in everything)
    view.difference = view.after - view.before


def _versus(line: desk.CompareLine, each: Versus) -> None:
    line.before, line.after = each.before, each.after
    line.difference = each.after - each.before


def service_name(plan: Plan, service: str, say: Tongue) -> str:
    """Give what a service is called."""
    entry = plan.merged.services.get(service)
    return say.label(entry.value.name, service) if entry is not None else service


def fee_name(plan: Plan, fee: str, say: Tongue) -> str:
    """Give what a fee is called."""
    entry = plan.merged.fees.get(fee)
    return say.label(entry.value.name, fee) if entry is not None else fee


def unit_of(plan: Plan, service: str) -> str:
    """Give the base unit of a service; "" when the catalogue has none such."""
    known = plan.services.get(service)
    return known.unit if known is not None else ""
