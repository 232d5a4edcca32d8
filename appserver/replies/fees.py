"""Fees that come → reply."""

from collections.abc import Sequence

from onetier.v1 import service_desk_pb2 as desk

from appserver.replies.months import fee_name
from charging.base.account import Account
from charging.base.due import Due
from charging.base.localtime import cycle_month, month_text
from charging.base.tongue import Tongue
from charging.ledger.feerun import fee_parts
from charging.plans.plan import Plan
from charging.rating.fee_schedule import falls_due_ms


def fill_fees(view: desk.FeesView, plan: Plan, account: Account, dues: Sequence[Due], say: Tongue) -> None:
    """Tell fees in the order in which they fall due, each with the bill that it will be on."""
    view.currency = plan.currency
    view.catalogue_version = plan.version
    view.amount = sum(due.charge.amount for due in dues)
    cycle_day, oldest = account.terms.cycle_day, account.terms.closed + 1
    timed = [(falls_due_ms(plan, due), due) for due in dues]
    for due_ms, due in sorted(timed, key=lambda pair: (pair[0], pair[1].offering, pair[1].fee)):
        # What is of a closed period goes to the oldest bill that is still to be made.
        month = max(oldest, cycle_month(plan.local.day(due.from_ms // 1000), cycle_day))
        price, *_ = fee_parts(due.from_ms, due.item, due.identity, due.fee, due.charge)
        view.fees.add(
            member=due.identity,
            offering=due.offering,
            fee=due.fee,
            name=fee_name(plan, due.fee, say),
            item=due.item,
            from_ms=due.from_ms,
            to_ms=due.to_ms,
            due_ms=due_ms,
            period=f"{month_text(month)}/{cycle_day}",
            before=price.amount,
            amount=due.charge.amount,
        )
