"""What concerns a whole account and is rated on the contracts of all its members: its end, and another customer."""

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from appserver.reading.asks import Order
from appserver.reference import DomainReference
from appserver.work.revisions import rests_until_ms
from charging.base.account import Account
from charging.base.bounds import DUES_MAX
from charging.base.contract import Contract
from charging.base.due import Due
from charging.errors import Refused
from charging.ledger.command import waiting
from charging.ledger.commands.approve import Approve
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.commands.transfer_ownership import TransferOwnership
from charging.ledger.dues import Dues
from charging.ledger.revising import over
from charging.rating.due_fees import of_change
from charging.rating.ownership import costs, of_ownership
from charging.rating.terms import check_terms, counted

_pack = msgspec.msgpack.Encoder().encode
CLOSING_MEMBERS_MAX = DUES_MAX
"""Members of an account that can be closed at once, where contracts may cost something."""


def member_wanted(
    order: Order, account: Account, contracts: Mapping[str, Contract], reference: DomainReference, now_ms: int
) -> str:
    """Give a member whose contract must be at hand before an order can be rated; "" = all are that must be.

    Raises `Refused` CLOSING_TOO_LARGE or MEMBERS_TOO_MANY rather than ask for so many.
    """
    order = _meant(order, account)
    if not _of_all(order, reference, now_ms):
        return ""
    if len(account.members) > CLOSING_MEMBERS_MAX:
        raise _too_large(f"it has {len(account.members)} members", order)
    return next((member for member in account.members if member not in contracts), "")


def closed_on(
    order: SetStatus, account: Account, contracts: Mapping[str, Contract], reference: DomainReference, now_ms: int
) -> SetStatus:
    """Complete a closing by how long identities rest, and by what the end of each contract brings, credits first.

    Raises what `charging.rating.terms.check_terms` and `charging.rating.due_fees.of_change` raise, and `Refused`
    CLOSING_TOO_LARGE.
    """
    rests_ms = rests_until_ms(reference, now_ms)
    order = replace(order, rests_until_ms=rests_ms)
    if not reference.sells:
        return order
    plan_at = reference.timeline.plan_at
    due: list[Due] = []
    begun: list[tuple[str, str, int]] = []
    for member in account.members:
        before = contracts[member]
        after = over(before, now_ms, rests_ms)
        check_terms(plan_at, before, after, account, "set_account_status.status", changes=False, at_ms=now_ms)
        due += of_change(plan_at, before, after, account, now_ms, changes=False, at_ms=now_ms).fees
        begun += counted(plan_at, before, account, now_ms)
    if len(due) > DUES_MAX:
        raise _too_large(f"its end brings {len(due)} fees", order)
    due.sort(key=_taken)
    return replace(order, dues=Dues(tuple(due), account.version, account.mark), begun=tuple(begun))


def approved_on(
    order: Approve, account: Account, contracts: Mapping[str, Contract], reference: DomainReference, now_ms: int
) -> Approve:
    """Complete the approval of a closing by what the end of each contract brings by now. Raises as `closed_on`."""
    closing = _meant(order, account)
    if not isinstance(closing, SetStatus):
        return order
    return replace(order, completed=_pack(closed_on(closing, account, contracts, reference, now_ms)))


def handed_on(
    order: TransferOwnership,
    account: Account,
    contracts: Mapping[str, Contract],
    reference: DomainReference,
    now_ms: int,
) -> TransferOwnership:
    """Complete a change of customer by what the members' offerings ask for it.

    Raises what `charging.rating.ownership.of_ownership` raises.
    """
    if not _of_all(order, reference, now_ms):
        return order
    dues = of_ownership(reference.timeline.plan_at(now_ms), contracts, account, now_ms)
    return replace(order, dues=dues)


def _meant(order: Order, account: Account) -> Order:
    """Give what an order does: of the approval of a closing, that closing."""
    if isinstance(order, Approve) and not order.reject:
        found = waiting(account, order.of_key)
        return found if isinstance(found, SetStatus) and found.status == "closed" else order
    return order


def _of_all(order: Order, reference: DomainReference, now_ms: int) -> bool:
    """Say whether an order is rated on the contracts of all members."""
    if not reference.sells:
        return False
    if isinstance(order, TransferOwnership):
        return costs(reference.timeline.plan_at(now_ms))
    return isinstance(order, SetStatus) and order.status == "closed"


def _taken(due: Due) -> bool:
    return not due.credit


def _too_large(why: str, order: Order) -> Refused:
    text = f"{why}, and one entry takes in {DUES_MAX} at most: let some members leave first"
    reason = "MEMBERS_TOO_MANY" if isinstance(order, TransferOwnership) else "CLOSING_TOO_LARGE"
    return Refused(reason, text, facts={"most": str(DUES_MAX)})
