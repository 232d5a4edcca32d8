"""Does a bill add up? Asked by its maker, by the owner before it closes it, and by every audit after.

Everything is worked out again from the lines, to the micro-unit: a bill that passes can be trusted without the
catalogue it was made from, but for the choice of its rates.
"""

from collections.abc import Iterator

from charging.base.bounds import BOOK_MAX
from charging.bills.bill import BILL, CREDIT_NOTE, LINES_MAX, WHOLE, Bill, TaxedLine
from charging.bills.making import due_of
from charging.bills.taxing import fraction_of, group_taxes, grouped, tax_of
from charging.errors import Invalid


def check_bill(bill: Bill) -> None:
    """Raise `Invalid` BILL_WRONG when the bill does not add up; `facts` name the first sum that is wrong."""
    for name, holds in _sums(bill):
        if not holds:
            raise Invalid(
                "BILL_WRONG",
                f"the {name} of bill {bill.number or bill.period!r} of {bill.account} does not add up",
                facts={"sum": name},
            )


def _sums(bill: Bill) -> Iterator[tuple[str, bool]]:
    yield "number of lines", len(bill.lines) <= LINES_MAX
    yield "coin", bill.coin > 0 and bill.minimum >= 0
    yield "tax rate", all(0 <= line.rate <= WHOLE for line in bill.lines)
    yield "size of the amounts", all(abs(line.net) + abs(line.tax) <= BOOK_MAX for line in bill.lines)
    yield "sum of groups", bill.groups == grouped(bill.lines)
    yield "tax of lines", _taxes_agree(bill)
    total, carried_out = due_of(bill.lines, bill.carried_in, bill.coin, bill.minimum)
    yield "total", bill.total == total
    yield "carried rest", bill.carried_out == carried_out and bill.carried_in >= 0
    yield "settled part", 0 <= bill.settled <= max(0, bill.total) and bill.settled % bill.coin == 0
    yield "due day", bool(bill.due_day) == (bill.payable > 0 and bill.kind == BILL)
    yield "reference to another bill", bool(bill.of) == (bill.kind == CREDIT_NOTE)
    yield "balance", balance_agrees(bill)


def balance_agrees(bill: Bill) -> bool:
    """Say whether closing = opening + in − charged − out; a bill without a balance has nothing to agree."""
    balance = bill.balance
    if balance is None:
        return True
    return balance.opening + balance.money_in - bill.gross - balance.money_out == balance.closing


def _taxes_agree(bill: Bill) -> bool:
    if any(line.tax % bill.coin for line in bill.lines):
        return False
    if bill.kind != BILL:
        return all(_tax_is_near(bill, line) for line in bill.lines)
    include = bill.prices == "include"
    if bill.rounding == "line":
        return all(line.tax == tax_of(_price(bill, line), line.rate, bill.coin, include=include) for line in bill.lines)
    return all(_group_agrees(bill, group.category, group.rate, include) for group in bill.groups)


def _group_agrees(bill: Bill, category: str, rate: int, include: bool) -> bool:
    lines = [line for line in bill.lines if (line.category, line.rate) == (category, rate)]
    wanted = group_taxes([_price(bill, line) for line in lines], rate, bill.coin, include)
    return wanted == [line.tax for line in lines]


def _price(bill: Bill, line: TaxedLine) -> int:
    """Give what the catalogue's prices came to."""
    return line.gross if bill.prices == "include" else line.net


def _tax_is_near(bill: Bill, line: TaxedLine) -> bool:
    """Of a credit note, whose taxes follow from the notes before it: within two coins of the exact tax."""
    part, whole = fraction_of(line.rate, include=True)
    return abs(line.tax * whole - line.gross * part) <= 2 * bill.coin * whole
