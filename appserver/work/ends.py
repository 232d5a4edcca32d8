"""The end of an account: what its members' contracts give back and cost as they end, rated on all of them."""

from collections.abc import Mapping

from msgspec.structs import replace

from appserver.reading.asks import Order
from appserver.reference import DomainReference
from appserver.work.revisions import rests_until_ms
from charging.base.account import Account
from charging.base.bounds import DUES_MAX
from charging.base.contract import Contract
from charging.errors import Invalid, Refused
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.dues import Due, Dues
from charging.ledger.revising import over
from charging.rating.due_fees import of_change
from charging.rating.terms import check_terms

CLOSING_MEMBERS_MAX = DUES_MAX
"""Members of an account that can be closed at once, where contracts may cost something."""


def member_wanted(order: Order, account: Account, contracts: Mapping[str, Contract], reference: DomainReference) -> str:
    """Give a member whose contract must be at hand before an order can be rated; "" = all are that must be.

    Raises `Refused` CLOSING_TOO_LARGE rather than ask for so many.
    """
    if not isinstance(order, SetStatus) or order.status != "closed" or not _sold(reference):
        return ""
    if len(account.members) > CLOSING_MEMBERS_MAX:
        raise _too_large(f"it has {len(account.members)} members")
    return next((member for member in account.members if member not in contracts), "")


def closed_on(
    order: SetStatus, account: Account, contracts: Mapping[str, Contract], reference: DomainReference, now_ms: int
) -> SetStatus:
    """Complete a closing by how long identities rest, and by what the end of each contract brings, credits first.

    Raises `Invalid` PREVIEW_IMPOSSIBLE when a contract is not at hand, what `charging.rating.terms.check_terms` and
    `charging.rating.due_fees.of_change` raise, and `Refused` CLOSING_TOO_LARGE.
    """
    rests_ms = rests_until_ms(reference, now_ms)
    order = replace(order, rests_until_ms=rests_ms)
    if not _sold(reference):
        return order
    if member_wanted(order, account, contracts, reference):
        text = "a closing by the identity of the only member"
        fields = {"set_account_status": text}
        raise Invalid("PREVIEW_IMPOSSIBLE", f"what several contracts cost can't be told: give {text}", fields=fields)
    plan_at = reference.timeline.plan_at
    due: list[Due] = []
    for member in account.members:
        before = contracts[member]
        after = over(before, now_ms, rests_ms)
        check_terms(plan_at, before, after, account, "set_account_status.status", changes=False, at_ms=now_ms)
        due += of_change(plan_at, before, after, account, now_ms, changes=False, at_ms=now_ms).fees
    if len(due) > DUES_MAX:
        raise _too_large(f"its end brings {len(due)} fees")
    due.sort(key=_taken)
    return replace(order, dues=Dues(tuple(due), account.version, account.mark))


def _taken(due: Due) -> bool:
    return not due.credit


def _sold(reference: DomainReference) -> bool:
    return any(not catalogue.domain for catalogue in reference.told.catalogues)


def _too_large(why: str) -> Refused:
    text = f"{why}, and at most {DUES_MAX} are ended by one entry: let some members leave first"
    return Refused("CLOSING_TOO_LARGE", text, facts={"most": str(DUES_MAX)})
