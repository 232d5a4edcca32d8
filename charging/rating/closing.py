"""The bill of a period, made of an account's bucket: what the platform asks an owner to close, or shows as a trial.

The same for both: a trial is what the owner is not asked to keep.
"""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from charging.base import openbills
from charging.base.account import MONEY, Account
from charging.base.localtime import day_of, month_text, zone_of
from charging.base.openbills import ITEMS_MAX, NEVER_LATE, LateRule, OpenItem, owed
from charging.base.receivables import late_fees
from charging.bills.bill import LATE_FEE, PAYEE, USAGE, Bill, LineKind, MoneyMoved, PeriodBalance
from charging.bills.making import make_bill, owed_items
from charging.bills.sums import BillFrame, BillSum
from charging.bills.taxtable import TaxTable
from charging.ledger.commands.close_period import ClosePeriod
from charging.ledger.period_closing import bucket_mark, is_money, opening_of
from charging.ledger.staging import reckoned
from charging.rating.bill_discounts import NO_DISCOUNTS, BillDiscounts

OTHER_ITEMS = "~other"
"""Item of an open bill for all that it has no room for one by one; no item of a catalogue is called so."""
EPOCH = date(1970, 1, 1).toordinal()
DAYS_KNOWN_MAX = 1_000
_pack = msgspec.msgpack.Encoder().encode
_KINDS: dict[str, LineKind] = {
    "": USAGE,
    "fee": "fee",
    "discount": "discount",
    "adjustment": "adjustment",
    "late_fee": LATE_FEE,
    PAYEE: PAYEE,
}


def closing_of(
    account: Account,
    taxes: TaxTable,
    month: int,
    now_ms: int,
    late: LateRule = NEVER_LATE,
    discounts: BillDiscounts = NO_DISCOUNTS,
    services: Mapping[str, str] = {},
) -> ClosePeriod:
    """Make the command that closes a period of an account, with what is staged as if it had come in.

    `month` counts from the year 0, `now_ms` is UTC; `discounts` are what the bill adds to what was posted; `services`
    says what each item is dunned with (`charging.plans.dunning`). Raises `Invalid` TAX_ITEM_UNKNOWN.
    """
    account = reckoned(account)
    mark = bucket_mark(account, month)
    fees = late_fees(account, now_ms)
    sums = sums_of(account, month)
    today = zone_of(account.terms.zone).day(now_ms // 1000)
    sums += [BillSum(openbills.LATE_FEE, "", LATE_FEE, today, amount, rule=number) for number, amount in fees]
    sums += discounts.lines
    carried = account.open.carried
    if not sums and not taxes.zero:
        return ClosePeriod(month, mark, None, discounted=discounts.seen)
    bill = _bill(account, sums, taxes, month, carried, now_ms)
    steps = _pack(discounts.steps) if discounts.steps else b""
    if bill.payable <= 0:
        return ClosePeriod(
            month, mark, bill, late_fees=fees, accruals=discounts.accruals, steps=steps, discounted=discounts.seen
        )
    items = tuple([OpenItem(item, services.get(item, ""), amount, amount) for item, amount in _few(owed_items(bill))])
    due_ms = zone_of(account.terms.zone).day_begins(day_of(bill.due_day) + 1) * 1000
    return ClosePeriod(
        month, mark, bill, due_ms, items, late, fees, discounts.accruals, steps, discounted=discounts.seen
    )


def _idle(account: Account, now_ms: int) -> int:
    """Give the money that pays for nothing now, for it is over or not valid yet: it settles no bill either."""
    found = [book for book in account.books if book.unit == MONEY and not book.allowance and not book.valid_at(now_ms)]
    return sum([book.amount for book in found])


def _few(owed: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
    """Put together what is beyond the items that an open bill can have: the bill itself has all of its lines."""
    if len(owed) <= ITEMS_MAX:
        return owed
    return (*owed[: ITEMS_MAX - 1], (OTHER_ITEMS, sum(amount for _, amount in owed[ITEMS_MAX - 1 :])))


def sums_of(account: Account, month: int) -> list[BillSum]:
    """Give what was posted in a period and charges, as bills sum it; what adds up to nothing is no line."""
    sums: list[BillSum] = []
    for key, amount in zip(account.buckets.keys, account.buckets.amounts, strict=True):
        if amount and key.month == month and not is_money(key):
            origin = _days(key.origin, account.terms.cycle_day).period if key.origin else ""
            kind = _KINDS[key.kind]
            sums.append(BillSum(key.item, key.member, kind, key.since, amount, key.level, key.rule, origin))
    return sums


def first_day(month: int, cycle_day: int) -> date:
    """Give the day on which a period begins."""
    year, number = month // 12, month % 12 + 1
    return date(year, number, min(cycle_day, monthrange(year, number)[1]))


def begins_ms(account: Account, month: int) -> int:
    """Give when a period of an account begins, UTC."""
    return ended_ms(account, month - 1)


def ended_ms(account: Account, month: int) -> int:
    """Give when a period of an account is over, UTC: its first moment after."""
    terms = account.terms
    return zone_of(terms.zone).day_begins(_days(month, terms.cycle_day).ends_day) * 1000


class _Days(NamedTuple):
    """What a bill of a period calls it."""

    period: str
    first: str
    last: str
    ends_day: int
    """Days since 1970-01-01: the first one after."""


@lru_cache(maxsize=DAYS_KNOWN_MAX)
def _days(month: int, cycle_day: int) -> _Days:
    after = first_day(month + 1, cycle_day)
    last = after - timedelta(days=1)
    return _Days(
        f"{month_text(month)}/{cycle_day}",
        first_day(month, cycle_day).isoformat(),
        last.isoformat(),
        after.toordinal() - EPOCH,
    )


@lru_cache(maxsize=DAYS_KNOWN_MAX)
def _day_text(day: int) -> str:
    return date.fromordinal(EPOCH + day).isoformat()


def _bill(account: Account, sums: Sequence[BillSum], taxes: TaxTable, month: int, carried: int, now_ms: int) -> Bill:
    terms = account.terms
    days = _days(month, terms.cycle_day)
    made_day = _day_text(zone_of(terms.zone).day(now_ms // 1000))
    frame = BillFrame(
        account.account_id, account.customer_id, days.period, days.first, days.last, made_day, terms.currency
    )
    opening = opening_of(account, month)
    moved = tuple(
        [
            MoneyMoved(days.last, key.item[1:], amount)
            for key, amount in zip(account.buckets.keys, account.buckets.amounts, strict=True)
            if is_money(key) and amount and key.month == month
        ]
    )
    came = sum([each.amount for each in moved])
    bill = make_bill(
        frame,
        sums,
        taxes,
        carried_in=carried,
        available=max(0, opening + came + carried - _idle(account, now_ms)),
        arrears=owed(account.open.bills),
    )
    balance = PeriodBalance(opening, moved, opening + came - bill.gross)
    return replace(bill, balance=balance)
