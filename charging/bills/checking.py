"""Does a bill add up? Asked by its maker, by the owner before it closes it, and by every audit after.

Everything is worked out again from the lines, to the micro-unit: a bill that passes can be trusted without the
catalogue it was made from, but for the choice of its rates.
"""

from collections.abc import Sequence

from charging.base.bounds import BOOK_MAX
from charging.bills.bill import BILL, CREDIT_NOTE, LINES_MAX, WHOLE, Bill, TaxedLine
from charging.bills.making import due_of
from charging.bills.spreading import is_spread
from charging.bills.taxing import fraction_of, grouped, tax_of
from charging.errors import Invalid


def check_bill(bill: Bill) -> None:
    """Raise `Invalid` BILL_WRONG when the bill does not add up; `facts` name the first sum that is wrong."""
    name = _lines_wrong(bill) or _sums_wrong(bill)
    if name:
        raise Invalid(
            "BILL_WRONG",
            f"the {name} of bill {bill.number or bill.period!r} of {bill.account} does not add up",
            facts={"sum": name},
        )


def _lines_wrong(bill: Bill) -> str:
    """Name what is wrong of lines and their taxes; "" = nothing is."""
    lines = bill.lines
    if len(lines) > LINES_MAX:
        return "number of lines"
    if bill.coin <= 0 or bill.minimum < 0:
        return "coin"
    if not all(0 <= line.rate <= WHOLE for line in lines):
        return "tax rate"
    if any(abs(line.net) + abs(line.tax) > BOOK_MAX for line in lines):
        return "size of the amounts"
    if bill.groups != grouped(lines):
        return "sum of groups"
    return "" if _taxes_agree(bill) else "tax of lines"


def _sums_wrong(bill: Bill) -> str:
    """Name what is wrong of what is asked; "" = nothing is."""
    total, carried_out = due_of(bill.lines, bill.carried_in, bill.coin, bill.minimum)
    if bill.total != total:
        return "total"
    if bill.carried_out != carried_out or bill.carried_in < 0:
        return "carried rest"
    if not 0 <= bill.settled <= max(0, total) or bill.settled % bill.coin:
        return "settled part"
    is_bill = bill.kind == BILL
    if bool(bill.due_day) != (is_bill and total > bill.settled):
        return "due day"
    if bool(bill.of) != (bill.kind == CREDIT_NOTE):
        return "reference to another bill"
    return "" if balance_agrees(bill) else "balance"


def balance_agrees(bill: Bill) -> bool:
    """Say whether closing = opening + in − charged − out; a bill without a balance has nothing to agree."""
    balance = bill.balance
    if balance is None:
        return True
    agreed = balance.opening - balance.closing
    for each in balance.moved:
        agreed += each.amount
    for group in bill.groups:
        agreed -= group.net + group.tax
    return agreed == 0


def _taxes_agree(bill: Bill) -> bool:
    lines, coin = bill.lines, bill.coin
    if any(line.tax % coin for line in lines):
        return False
    if bill.kind != BILL:
        return all(_tax_is_near(bill, line) for line in lines)
    include = bill.prices == "include"
    if bill.rounding == "line":
        return all(line.tax == tax_of(_price(line, include), line.rate, coin, include=include) for line in lines)
    return all(_group_agrees(lines, group.category, group.rate, coin, include) for group in bill.groups)


def _group_agrees(lines: Sequence[TaxedLine], category: str, rate: int, coin: int, include: bool) -> bool:
    prices: list[int] = []
    taxes: list[int] = []
    for line in lines:
        if line.rate == rate and line.category == category:
            prices.append(_price(line, include))
            taxes.append(line.tax)
    part, whole = fraction_of(rate, include=include)
    total = tax_of(sum(prices), rate, coin, include=include)
    return is_spread(taxes, total, [price * part for price in prices], whole, coin)


def _price(line: TaxedLine, include: bool) -> int:
    """Give what the catalogue's prices came to."""
    return line.net + line.tax if include else line.net


def _tax_is_near(bill: Bill, line: TaxedLine) -> bool:
    """Of a credit note, whose taxes follow from the notes before it: within two coins of the exact tax."""
    part, whole = fraction_of(line.rate, include=True)
    return abs(line.tax * whole - line.gross * part) <= 2 * bill.coin * whole
