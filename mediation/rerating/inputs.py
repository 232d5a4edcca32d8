"""Rows of the details → the uses of one account as rating anew takes them, in the order of time."""

from collections.abc import Iterable, Mapping
from datetime import date

from charging.base.account import Account
from charging.base.localtime import day_of, zone_of
from charging.ledger.details import REFUND, RESTATED
from charging.ledger.event import Pair
from charging.rating.closing import first_day
from charging.rating.restating import PastUse
from details.rows import StoredUsage

SESSION_OPEN = "SESSION_OPEN"
"""Why a piece stays as it was: its session goes on, and its next step posts the difference to what it has posted."""


def cycle_begins_ms(account: Account, month: int) -> int:
    """Give when a cycle of an account begins, UTC; `month` counts from the year 0."""
    terms = account.terms
    first: date = first_day(month, terms.cycle_day)
    return zone_of(terms.zone).day_begins(day_of(first.isoformat())) * 1_000


def past_uses(rows: Iterable[StoredUsage], account: Account) -> list[PastUse]:
    """Give each use once: the steps of one piece of a session are one.

    A charge of which something was given back is left out, with what was: it stays as it is.
    """
    ordered = sorted(rows, key=lambda row: (row.start_ms, row.position, row.nth))
    refunded = {row.usage.of_key for row in ordered if row.usage.kind == REFUND}
    running = {session.session_id for session in account.open.sessions}
    uses: list[PastUse] = []
    pieces: dict[tuple[str, str, int], list[StoredUsage]] = {}
    for row in ordered:
        told = row.usage
        if told.kind == REFUND or told.key in refunded:
            continue
        if told.session_id:
            pieces.setdefault((told.session_id, told.usage.service, row.start_ms), []).append(row)
        else:
            uses.append(_use(row))
    uses += [_piece(steps, SESSION_OPEN if key[0] in running else "") for key, steps in pieces.items()]
    return sorted(uses, key=lambda use: use.start_ms)


def posted_total(rows: Iterable[StoredUsage]) -> int:
    """Give what rows come to, refunds included: what the account's own sums must say."""
    return sum(row.usage.amount for row in rows)


def has_refunds(rows: Iterable[StoredUsage]) -> bool:
    """Say whether something was given back, which counts in the cycle of its charge, not in its own."""
    return any(row.usage.kind == REFUND for row in rows)


def _use(row: StoredUsage) -> PastUse:
    told, effect = row.usage, row.effect
    usage = None if told.kind == RESTATED else told.usage
    return PastUse(
        usage,
        row.start_ms,
        told.amount,
        effect.item,
        told.usage.identity if effect.item else "",
        effect.taxed_since,
        effect.accruals,
        effect.takes,
    )


def _piece(steps: list[StoredUsage], fixed: str) -> PastUse:
    last = max(steps, key=lambda row: (row.usage.usage.quantity, row.position))
    usage, effect = last.usage.usage, last.effect
    accruals, takes = _sum(row.effect.accruals for row in steps), _sum(row.effect.takes for row in steps)
    amount = sum(row.usage.amount for row in steps)
    return PastUse(
        usage, last.start_ms, amount, effect.item, usage.identity, effect.taxed_since, accruals, takes, fixed
    )


def _sum(rows: Iterable[tuple[Pair, ...]]) -> tuple[Pair, ...]:
    sums: dict[str, int] = {}
    for pairs in rows:
        for key, quantity in pairs:
            sums[key] = sums.get(key, 0) + quantity
    return _pairs(sums)


def _pairs(sums: Mapping[str, int]) -> tuple[Pair, ...]:
    return tuple((key, quantity) for key, quantity in sums.items() if quantity)
