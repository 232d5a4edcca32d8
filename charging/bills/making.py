"""Making a bill of sums: taxes, coins, what is carried, what the balance pays. Pure: a trial is the real thing."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache

from charging.bills.bill import BILL, CARRIED, Bill, PeriodBalance, TaxedLine
from charging.bills.coins import coin_of
from charging.bills.spreading import split
from charging.bills.sums import BillFrame, BillSum
from charging.bills.taxing import grouped, taxed
from charging.bills.taxtable import TaxTable


def make_bill(
    frame: BillFrame,
    sums: Sequence[BillSum],
    taxes: TaxTable,
    *,
    carried_in: int = 0,
    available: int = 0,
    arrears: int = 0,
    balance: PeriodBalance | None = None,
) -> Bill:
    """Make the bill of one account and period. Its number is the owner's to give.

    `available` is what of the account's balance may settle it at once. Raises `Invalid` TAX_ITEM_UNKNOWN when the
    catalogue taxes but not an item of the sums.
    """
    coin = taxes.coin or coin_of(frame.currency)
    lines = taxed(sums, taxes, coin)
    total, carried_out = due_of(lines, carried_in, coin, taxes.minimum)
    settled = max(0, min(total, available // coin * coin))
    return Bill(
        kind=BILL,
        number="",
        account=frame.account,
        customer=frame.customer,
        period=frame.period,
        from_day=frame.from_day,
        to_day=frame.to_day,
        made_day=frame.made_day,
        due_day=_later(frame.made_day, taxes.due_days) if total > settled else "",
        currency=frame.currency,
        coin=coin,
        prices="include" if taxes.include else "exclude",
        rounding="line" if taxes.by_line else "bill",
        lines=lines,
        groups=grouped(lines),
        carried_in=carried_in,
        carried_out=carried_out,
        total=total,
        settled=settled,
        minimum=taxes.minimum,
        arrears=arrears,
        balance=balance,
    )


def owed_items(bill: Bill) -> tuple[tuple[str, int], ...]:
    """Give what is left to pay by item, in the order of the lines: multiples of the coin that add up to `payable`.

    What discounts take off an item is taken off it; what is credit in the end has no part in what is owed.
    """
    payable = bill.payable
    if payable <= 0:
        return ()
    gross: dict[str, int] = {}
    for line in bill.lines:
        gross[line.item] = gross.get(line.item, 0) + line.net + line.tax
    owed = [item for item, amount in gross.items() if amount > 0]
    if not owed:
        # Only what earlier bills carried has reached the minimum.
        return ((next(iter(gross), CARRIED), payable),)
    shares = split(payable, [gross[item] for item in owed], bill.coin)
    return tuple([pair for pair in zip(owed, shares, strict=True) if pair[1]])


def due_of(lines: Sequence[TaxedLine], carried_in: int, coin: int, minimum: int) -> tuple[int, int]:
    """Give what a bill asks, a multiple of the coin, and what it carries to the next one.

    What is carried is never negative: of -0.004 a coin of 0.01 is given back and 0.006 carried. Below the minimum
    all of it is carried.
    """
    open_amount = carried_in + sum([line.net + line.tax for line in lines])
    if 0 < open_amount < minimum:
        return 0, open_amount
    carried = open_amount % coin
    return open_amount - carried, carried


@lru_cache(maxsize=1_000)
def _later(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
