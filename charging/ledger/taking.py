"""What a rated charge takes from an account: the frequent case, kept cheap."""

from charging.base.account import Account
from charging.base.lateness import refuse_late
from charging.base.usage import SealedCharge, Usage
from charging.errors import Invalid, Refused
from charging.ledger import funds, spending
from charging.ledger.effect import VersionMoved
from charging.ledger.standing import moved_on, require_served

Taking = tuple[tuple[tuple[str, int], ...], tuple[tuple[str, int], ...]]


def taken(
    account: Account, charge: SealedCharge, usage: Usage, base_version: int, base_mark: int, now_ms: int
) -> Taking:
    """Say what a charge of a usage takes that was rated on the account as it was at `base_version`.

    Raises `VersionMoved` when it was rated on another state and depends on it; Refused ACCOUNT_SUSPENDED,
    ACCOUNT_CLOSED, ACCOUNT_MOVED, SERVICE_STOPPED, SPENDING_LIMIT_REACHED, CURRENCY_MISMATCH, INSUFFICIENT_FUNDS,
    BUDGET_SPENT, UNITS_MISSING; Invalid USAGE_TOO_LATE.
    """
    if account.terms.status != "active":
        require_served(account, usage)
    if base_version < account.terms_version:
        raise VersionMoved
    if charge.depends and moved_on(account, base_version, base_mark):
        raise VersionMoved
    refuse_late(charge, usage.start_ms, now_ms)
    if account.terms.limits:
        spending.hold(account, charge.accruals)
    return take(account, charge, usage.start_ms)


def take(account: Account, charge: SealedCharge, time_ms: int) -> Taking:
    """Say what a charge takes from money books and from books of free units, or refuse it: all of it or nothing.

    Books must be valid at `time_ms`, when the usage began. Refused CURRENCY_MISMATCH, INSUFFICIENT_FUNDS,
    BUDGET_SPENT, UNITS_MISSING; Invalid CHARGE_NEGATIVE, TAKES_EXCEED_CHARGE.
    """
    terms = account.terms
    if charge.currency != terms.currency:
        raise funds.other_currency("charge", charge.currency, account)
    if charge.amount < 0:
        raise Invalid("CHARGE_NEGATIVE", "a charge is never negative; use a refund or an adjustment")
    if not charge.takes:
        postings = funds.draw(account.books, charge.amount, terms.credit_limit, time_ms)
        if postings is None:
            raise _no_funds(account, charge.amount, time_ms)
        return postings, ()
    paid, units, left = funds.named(account, charge.takes, time_ms)
    postings = funds.draw(left, funds.unpaid(charge.amount, paid), terms.credit_limit, time_ms)
    if postings is None:
        raise _no_funds(account, charge.amount, time_ms)
    return (*paid, *postings), units


def _no_funds(account: Account, amount: int, time_ms: int) -> Refused:
    terms = account.terms
    return funds.no_funds(amount, funds.affordable(account.books, terms.credit_limit, time_ms), terms.currency)
