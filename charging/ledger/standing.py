"""The standing of an account: who may be served, notices when marks are crossed, suspension when money ends.

An account whose attribute `auto_suspend` is "yes" is suspended by the mutation that uses up its money and credit, and
resumed by the one that brings some back. A suspension by staff is never undone by itself.
"""

from charging.base import accumulators
from charging.base.account import Account
from charging.base.contract import Contract
from charging.base.dunning import RESTRICT, SUSPEND_ALL, SUSPEND_OUTGOING, Dunned
from charging.base.receivables import kept_for_bills
from charging.base.usage import Usage
from charging.errors import Refused
from charging.ledger import funds, spending
from charging.ledger.events import Noticed, StatusSet

FUNDS_ENDED = "FUNDS_ENDED"
DUNNING = "DUNNING"
"""Why an account is limited or suspended about money that is overdue; the payment of it undoes it."""
LIMITED = "limited"
"""Status of an account of which only some use is stopped, by the steps of dunning that hold (`Open.dunned`)."""
DIRECTION, INCOMING = "direction", "incoming"
"""Attribute of a usage that its subscriber received, which a stop of what goes out leaves alone."""
AUTO_SUSPEND = "auto_suspend"


def moved_on(account: Account, version: int, mark: int) -> bool:
    """Say whether an account is in another state than the one that something was rated on.

    The mark tells states of one version apart that came about by other commands, as where the platform has predicted
    what the owner then decided otherwise; 0 = it is not known.
    """
    return version != account.version or (mark != 0 and mark != account.mark)


def stopped_by_staff(account: Account) -> tuple[str, ...]:
    """Give the reason for which staff suspended an account; () = it is not suspended, or by itself."""
    terms = account.terms
    by_itself = terms.status_reason in (FUNDS_ENDED, DUNNING)
    return (terms.status_reason,) if terms.status == "suspended" and not by_itself else ()


def require_here(account: Account) -> None:
    """Refuse ACCOUNT_MOVED: the account has moved to another domain, which the message names."""
    terms = account.terms
    if terms.status == "moved":
        raise Refused("ACCOUNT_MOVED", f"account {account.account_id} moved to {terms.status_reason}")


def require_open(account: Account) -> None:
    """Refuse ACCOUNT_CLOSED, or ACCOUNT_MOVED, what a closed or moved account may not do."""
    require_here(account)
    if account.terms.status == "closed":
        raise Refused("ACCOUNT_CLOSED", f"account {account.account_id} is closed")


def require_active(account: Account) -> None:
    """Refuse service on an account that is not active: ACCOUNT_SUSPENDED, ACCOUNT_CLOSED or ACCOUNT_MOVED."""
    require_open(account)
    terms = account.terms
    if terms.status != "active":
        raise Refused(
            "ACCOUNT_SUSPENDED",
            f"account {account.account_id} is suspended",
            facts={"why": terms.status_reason},
        )


def require_serving(contract: Contract, time_ms: int) -> None:
    """Refuse CONTRACT_SUSPENDED what a contract does not serve at a moment, since it is suspended or paused."""
    if not contract.serves_at(time_ms):
        raise Refused(
            "CONTRACT_SUSPENDED",
            f"the contract of {contract.identity} is {'paused' if contract.status == 'active' else contract.status}",
            facts={"from_ms": str(contract.paused_from_ms), "until_ms": str(contract.paused_to_ms)},
        )


def serving_until(contract: Contract, now_ms: int, until_ms: int) -> int:
    """Give until when quota may hold that would hold until a moment: no longer than until a pause that is ahead."""
    begins_ms = contract.paused_from_ms
    return begins_ms if now_ms < begins_ms < until_ms else until_ms


def served(account: Account, usage: Usage) -> bool:
    """Say whether an account may have a usage: active, or limited by steps of dunning that don't concern it."""
    status = account.terms.status
    return status == "active" or (status == LIMITED and _stopping(account, usage) is None)


def require_served(account: Account, usage: Usage) -> None:
    """Refuse a usage that an account may not have: as `require_active`, and SERVICE_STOPPED by dunning."""
    if account.terms.status != LIMITED:
        require_active(account)
        return
    row = _stopping(account, usage)
    if row is not None:
        text = f"{usage.service} is stopped until what is overdue is paid"
        raise Refused("SERVICE_STOPPED", text, facts={"step": row.step.step_id, "service": row.service})


def _stopping(account: Account, usage: Usage) -> Dunned | None:
    for row in account.open.dunned:
        if row.service not in ("", usage.service):
            continue
        action = row.step.action
        if (
            action == SUSPEND_ALL
            or (action == RESTRICT and usage.visited)
            or (action == SUSPEND_OUTGOING and usage.attributes.get(DIRECTION) != INCOMING)
        ):
            return row
    return None


def consequences(before: Account | None, after: Account, now_ms: int) -> tuple[StatusSet | Noticed, ...]:
    """Say what a change of books and accumulators entails: suspension or resumption, and notices, in this order.

    `before` None = the account has just been made, and crosses nothing. `now_ms` is the owner's, UTC.
    """
    events: list[StatusSet | Noticed] = []
    notices: list[str] = []
    terms = after.terms
    if before is not None and terms.thresholds:
        notices += _crossed(before, after, now_ms)
    if before is not None and terms.limits:
        notices += spending.warned(before, after)
    if terms.attributes and terms.attributes.get(AUTO_SUSPEND) == "yes":
        left = funds.money(after.books, now_ms) + terms.credit_limit - kept_for_bills(after)
        if left <= 0:
            left += funds.bound_money(after.books, now_ms)  # As long as something can still be paid, it goes on.
        if terms.status == "active" and left <= 0 and before is not None and before.terms.status == "active":
            events.append(StatusSet("suspended", FUNDS_ENDED, after.terms.status))
            notices.append("suspended")
        elif terms.status == "suspended" and terms.status_reason == FUNDS_ENDED and left > 0:
            events.append(StatusSet("active", "", after.terms.status))
            notices.append("resumed")
    if notices:
        events.append(Noticed(tuple(notices)))
    return tuple(events)


def _crossed(before: Account, after: Account, now_ms: int) -> list[str]:
    notices: list[str] = []
    old_money, new_money = funds.money(before.books, now_ms), funds.money(after.books, now_ms)
    for threshold in after.terms.thresholds:
        mark = threshold.mark
        if threshold.watches == "balance":
            if old_money >= mark > new_money:
                notices.append(f"low-balance:{threshold.threshold_id}")
        elif after.accumulators is not before.accumulators and _risen(before, after, threshold.watches, mark):
            notices.append(f"usage:{threshold.threshold_id}")
    return notices


def _risen(before: Account, after: Account, accumulator: str, mark: int) -> bool:
    for key, quantity in after.accumulators.items():
        if before.accumulators.get(key, 0) < mark <= quantity and accumulators.name_of(key) == accumulator:
            return True
    return False
