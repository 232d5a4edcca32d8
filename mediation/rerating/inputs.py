"""Rows of the details → the uses of one account as rating anew takes them, in the order of time."""

from collections.abc import Iterable, Mapping
from datetime import date

from charging.base.account import Account
from charging.base.localtime import day_of, zone_of
from charging.ledger.details import CHARGE, LATE, REFUND, RESTATED
from charging.ledger.event import Pair
from charging.rating.closing import first_day
from charging.rating.restating import PastUse
from details.rows import StoredUsage

GIVEN_BACK = "PART_GIVEN_BACK"
"""Why a call stays as it was charged: something was given back of the part that it replaces."""
PartPlace = tuple[str, str, str, int, int]
"""Of a part that was charged and is rated with its whole call: request key, identity, service, begin, quantity."""
SESSION_OPEN = "SESSION_OPEN"
"""Why a piece stays as it was: its session goes on, and its next step posts the difference to what it has posted."""


def cycle_begins_ms(account: Account, month: int) -> int:
    """Give when a cycle of an account begins, UTC; `month` counts from the year 0."""
    terms = account.terms
    first: date = first_day(month, terms.cycle_day)
    return zone_of(terms.zone).day_begins(day_of(first.isoformat())) * 1_000


def replaced_parts(rows: Iterable[StoredUsage]) -> frozenset[PartPlace]:
    """Name the parts that whole calls among rows replace."""
    return frozenset(part for row in rows if (part := _replaces(row)) is not None)


def missing_parts(rows: Iterable[StoredUsage]) -> frozenset[PartPlace]:
    """Name the parts that whole calls among rows replace and that are not among them: they can't be taken back."""
    there = list(rows)
    return replaced_parts(there) - {_place(row) for row in there if row.usage.kind in (CHARGE, LATE)}


def past_uses(
    rows: Iterable[StoredUsage], account: Account, replaced: frozenset[PartPlace] = frozenset()
) -> list[PastUse]:
    """Give each use once: the steps of one piece of a session are one, and of a part only what it was charged.

    `replaced` are `replaced_parts` of all rows that are at hand. A charge of which something was given back is left
    out, with what was: it stays as it is.
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
            uses.append(_use(row, replaced, GIVEN_BACK if told.kind == LATE and told.of_key in refunded else ""))
    uses += [_piece(steps, SESSION_OPEN if key[0] in running else "") for key, steps in pieces.items()]
    return sorted(uses, key=lambda use: use.start_ms)


def posted_total(rows: Iterable[StoredUsage]) -> int:
    """Give what rows come to, refunds included: what the account's own sums must say."""
    return sum(row.usage.amount for row in rows)


def has_refunds(rows: Iterable[StoredUsage]) -> bool:
    """Say whether something was given back, which counts in the cycle of its charge, not in its own."""
    return any(row.usage.kind == REFUND for row in rows)


def _place(row: StoredUsage) -> PartPlace:
    usage = row.usage.usage
    return row.usage.key, usage.identity, usage.service, usage.start_ms, usage.quantity


def _replaces(row: StoredUsage) -> PartPlace | None:
    told, usage = row.usage, row.usage.usage
    if told.kind != LATE or not told.of_key:
        return None
    return told.of_key, usage.identity, usage.service, told.of_start_ms, usage.quantity - told.quantity


def _use(row: StoredUsage, replaced: frozenset[PartPlace], fixed: str) -> PastUse:
    told, effect = row.usage, row.effect
    part = told.kind in (CHARGE, LATE) and _place(row) in replaced
    usage = None if part or told.kind == RESTATED else told.usage
    return PastUse(
        usage,
        row.start_ms,
        told.amount,
        effect.item,
        told.usage.identity if effect.item else "",
        effect.taxed_since,
        effect.accruals,
        effect.takes,
        fixed,
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
