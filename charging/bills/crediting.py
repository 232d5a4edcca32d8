"""Credit notes: lines of a bill taken back, in part or whole, as often as there is something left.

The tax of the n-th note of a line is the tax of all credited of it so far, rounded, less what the notes before had: so
notes never add up to a coin more or less than the bill had, however a line is cut up. The coin of the whole note is
that of any bill: what is below is carried, so a bill credited whole leaves nothing behind.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from charging.base.money import HALF_UP, round_off
from charging.bills.bill import CREDIT_NOTE, Bill, TaxedLine
from charging.bills.making import due_of
from charging.bills.taxing import grouped
from charging.errors import Refused


class Credited(Struct, frozen=True, array_like=True, gc=False):
    """What was taken back of one line by all notes before."""

    gross: int = 0
    tax: int = 0


def credit_note(
    bill: Bill, credits: Mapping[int, int], before: Mapping[int, Credited], *, day: str, carried_in: int
) -> Bill:
    """Take back of some lines (by their index) some of their gross, micro-units with the sign of the line.

    `before` is what earlier notes of this bill took back, `carried_in` what the account carries now. Raises `Refused`
    CREDIT_ABOVE_BILL when more would be taken back of a line than is left, or of a line there isn't.
    """
    lines = tuple(
        _taken_back(bill, index, amount, before.get(index, Credited())) for index, amount in sorted(credits.items())
    )
    total, carried_out = due_of(lines, carried_in, bill.coin, 0)
    return msgspec.structs.replace(
        bill, kind=CREDIT_NOTE, number="", of=bill.number, made_day=day, due_day="", lines=lines, groups=grouped(lines),
        carried_in=carried_in, carried_out=carried_out, total=total, settled=0, minimum=0, arrears=0,
        balance=None,
    )  # fmt: skip


def all_left(bill: Bill, before: Mapping[int, Credited]) -> dict[int, int]:
    """Give the credits that take back all that is left of a bill."""
    left = {index: line.gross - before.get(index, Credited()).gross for index, line in enumerate(bill.lines)}
    return {index: amount for index, amount in left.items() if amount}


def credited(before: Mapping[int, Credited], credits: Mapping[int, int], note: Bill) -> dict[int, Credited]:
    """Give what is taken back of each line after a note."""
    after = dict(before)
    for index, line in zip(sorted(credits), note.lines, strict=True):
        old = after.get(index, Credited())
        after[index] = Credited(old.gross - line.gross, old.tax - line.tax)
    return after


def _taken_back(bill: Bill, index: int, amount: int, before: Credited) -> TaxedLine:
    line = bill.lines[index] if 0 <= index < len(bill.lines) else None
    gross = line.gross if line is not None else 0
    so_far = before.gross + amount
    if line is None or not amount or (amount > 0) != (gross > 0) or abs(so_far) > abs(gross):
        raise Refused(
            "CREDIT_ABOVE_BILL",
            f"line {index + 1} of bill {bill.number} has not so much left to take back",
            facts={"line": str(index + 1), "left_micro": str(gross - before.gross)},
        )
    tax = _share(line.tax, so_far, gross, bill.coin) - before.tax
    return msgspec.structs.replace(line, net=-(amount - tax), tax=-tax, count=0)


def _share(tax: int, part: int, whole: int, coin: int) -> int:
    """Give the tax of a part of a line, half up to the coin, away from zero; of all of it exactly its tax."""
    numerator, denominator = tax * part, whole
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    sign = -1 if numerator < 0 else 1
    return sign * round_off(sign * numerator, denominator, HALF_UP, coin)
