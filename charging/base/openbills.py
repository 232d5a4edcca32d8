"""Bills that are not paid: what an account still owes of each, item by item, and the late fee of it.

A bill is opened when it is closed for lines, with what of it its money books had not paid already. Until then a
subscriber's debt is a main book below zero; from then on it is here, and the books begin anew: new money is never
mixed up with old debt. What is overdue is a matter of the owner's clock: nothing has to run for it.
"""

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from charging.base.money import HALF_UP, round_off

DAY_MS = 86_400_000
LATE_FEE = "late-fee"
"""Bill item of what is asked for paying late."""
LATE_DAYS_MAX = 1_825
"""Days for which a late fee grows: beyond five years a debt is settled, written off, or in court."""
PPM = 1_000_000
BILLS_MAX = 60
"""Open bills of one account: five years of months."""
ITEMS_MAX = 64
"""Items of one bill that is open; whoever makes the bill puts what is beyond together."""
INSTALMENTS_MAX = 36
SETTLED_KEPT_MAX = 12
"""Newest bills without debt that an account remembers, so that they can be credited, or owed again."""

Pair = tuple[str, int]


class OpenItem(Struct, frozen=True, array_like=True, gc=False):
    """What is owed of one item of a bill. Item and service name it within the bill."""

    item: str
    """Of the bill, as the catalogue has it; `LATE_FEE` for what was asked for paying earlier bills late."""
    service: str
    """What it is dunned with: "voice", "broadband"; empty = of the whole account."""
    billed: int
    """Micro-units, tax included."""
    open: int
    """Of it, neither paid, credited nor written off."""
    disputed: int = 0
    """Of what is open: held, until somebody decides."""


class LateRule(Struct, frozen=True, array_like=True, gc=False):
    """What paying late costs, as it was when the bill was made."""

    ppm_a_day: int
    """Of what is overdue, parts in a million a day: 3,000 = 3 per mille."""
    grace_days: int = 0
    """Paid within so many days after the due date, it costs nothing; later it counts from the due date on."""
    cap_ppm: int = PPM
    """It never gets larger than this part of the bill, in parts of a million."""
    step: int = 10_000
    """It is rounded to a multiple of this, half up, micro-units."""
    first: bool = False
    """Late fees that a bill asks for are settled before its other items, else after them."""


NEVER_LATE = LateRule(0)


class OpenBill(Struct, frozen=True, array_like=True, gc=False):
    """A bill of an account, as far as something of it is still to come."""

    number: str
    period: str
    """As people write it: "2026-10/1"."""
    due_ms: int
    """When it is overdue, UTC: the end of its last day to pay."""
    billed: int
    """All of it, tax included, micro-units: what is credited never gets beyond it."""
    items: tuple[OpenItem, ...]
    """In the order in which they are settled, late fees aside."""
    late: LateRule = NEVER_LATE
    credited: int = 0
    notes: int = 0
    """Credit notes of it."""
    written_off: int = 0
    """Given up, and not recovered."""
    late_billed: int = 0
    """Late fee of it that later bills have asked for."""
    overdue_days: int = 0
    """What was overdue, added up day by day: micro-units times days, until `counted_ms`."""
    counted_ms: int = 0
    """0 = from the due date."""
    instalments: tuple[tuple[int, int], ...] = ()
    """What was agreed to be paid later: (when it is overdue, micro-units); the rest is due as ever."""

    @property
    def open(self) -> int:
        """What is neither paid, credited nor written off, micro-units."""
        return sum([row.open for row in self.items])

    @property
    def disputed(self) -> int:
        """What of it is held by a dispute."""
        return sum([row.disputed for row in self.items])

    @property
    def owed(self) -> int:
        """What is to be paid: open, and not disputed."""
        return self.open - self.disputed


class Share(Struct, frozen=True, array_like=True, gc=False):
    """A part of an item of a bill: paid, given back, credited, disputed or written off."""

    number: str
    item: str
    service: str
    amount: int
    """Micro-units, more than zero."""


def owed(bills: Iterable[OpenBill]) -> int:
    """Add up what is to be paid of bills, disputes aside, micro-units."""
    return sum([bill.owed for bill in bills])


def find(bills: Iterable[OpenBill], number: str) -> OpenBill | None:
    """Find a bill that is open by its number."""
    return next((bill for bill in bills if bill.number == number), None)


def allocate(
    bills: Sequence[OpenBill], amount: int, number: str = "", service: str = "", item: str = ""
) -> tuple[Share, ...]:
    """Say what an amount settles: the oldest due first, of each its items in order, disputes left out.

    `number`, `service` and `item` narrow it. Never gives more than is owed: what the shares leave of the amount is
    nobody's yet.
    """
    shares: list[Share] = []
    left = amount
    for bill in sorted(bills, key=lambda each: (each.due_ms, each.number)):
        if number not in ("", bill.number):
            continue
        for row in in_order(bill):
            if service not in ("", row.service) or item not in ("", row.item):
                continue
            part = min(left, row.open - row.disputed)
            if part > 0:
                shares.append(Share(bill.number, row.item, row.service, part))
                left -= part
    return tuple(shares)


def in_order(bill: OpenBill) -> Sequence[OpenItem]:
    """Give the items in the order in which they are settled."""
    late = [row for row in bill.items if row.item == LATE_FEE]
    if not late:
        return bill.items
    others = [row for row in bill.items if row.item != LATE_FEE]
    return [*late, *others] if bill.late.first else [*others, *late]


def changed(
    bills: tuple[OpenBill, ...], shares: Iterable[Share], now_ms: int, open_: int, disputed: int
) -> tuple[OpenBill, ...]:
    """Give bills with shares added to what is open and to what is disputed, `open_` and `disputed` times each.

    What was overdue until now is counted first, so no late fee is lost or found. Shares of bills that are not there
    change nothing.
    """
    of: dict[tuple[str, str, str], int] = {}
    for share in shares:
        key = (share.number, share.item, share.service)
        of[key] = of.get(key, 0) + share.amount
    numbers = {number for number, _, _ in of}
    return tuple([_changed(bill, of, now_ms, open_, disputed) if bill.number in numbers else bill for bill in bills])


def _changed(bill: OpenBill, of: dict[tuple[str, str, str], int], now_ms: int, open_: int, disputed: int) -> OpenBill:
    rows: list[OpenItem] = []
    for row in bill.items:
        part = of.get((bill.number, row.item, row.service), 0)
        rows.append(
            OpenItem(row.item, row.service, row.billed, row.open + open_ * part, row.disputed + disputed * part)
            if part
            else row
        )
    return replace(counted(bill, now_ms), items=tuple(rows))


def overdue(bill: OpenBill, now_ms: int, service: str = "") -> int:
    """Give what is overdue of a bill at a moment, or of one service of it: owed, and not agreed for later."""
    return _overdue(bill, [row for row in bill.items if service in ("", row.service)], now_ms)


def _overdue(bill: OpenBill, rows: Iterable[OpenItem], now_ms: int) -> int:
    if now_ms < bill.due_ms:
        return 0
    later = sum([amount for due_ms, amount in bill.instalments if due_ms > now_ms])
    return max(0, sum([row.open - row.disputed for row in rows]) - later)


def _bearing(bill: OpenBill, now_ms: int) -> int:
    """Give what a late fee is asked for: what is overdue, late fees aside, for they bear none."""
    return _overdue(bill, [row for row in bill.items if row.item != LATE_FEE], now_ms)


def overdue_since(bill: OpenBill, now_ms: int) -> int:
    """Give the moment since which something of a bill is overdue, UTC; 0 = nothing is."""
    if not overdue(bill, now_ms):
        return 0
    moments = sorted({bill.due_ms, *[max(due_ms, bill.due_ms) for due_ms, _ in bill.instalments]})
    return next((moment for moment in moments if moment <= now_ms and overdue(bill, moment)), bill.due_ms)


def counted(bill: OpenBill, now_ms: int) -> OpenBill:
    """Give a bill with what is overdue counted up to now, in whole days since it was due."""
    begin = max(bill.counted_ms, bill.due_ms)
    days = (now_ms - begin) // DAY_MS
    if days <= 0 or not bill.late.ppm_a_day:
        return bill
    count = min(days, max(0, LATE_DAYS_MAX - (begin - bill.due_ms) // DAY_MS))
    if bill.instalments:
        more = sum([_bearing(bill, begin + day * DAY_MS) for day in range(count)])
    else:
        more = count * _bearing(bill, begin)
    return replace(bill, overdue_days=bill.overdue_days + more, counted_ms=begin + days * DAY_MS)


def late_fee(bill: OpenBill, now_ms: int) -> int:
    """Give the whole late fee of a bill until a moment, micro-units, of which `late_billed` was asked for before.

    Rounded once, over the whole: what bills ask for one after the other adds up to it. It never falls below what was
    asked for.
    """
    rule = bill.late
    if not rule.ppm_a_day or now_ms < bill.due_ms + rule.grace_days * DAY_MS:
        return bill.late_billed
    until = counted(bill, now_ms)
    whole = round_off(until.overdue_days * rule.ppm_a_day, PPM, HALF_UP, rule.step)
    cap = bill.billed * rule.cap_ppm // PPM // rule.step * rule.step
    return max(bill.late_billed, min(whole, cap))


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(tuple[OpenBill, ...]).decode


def settled_bills(packed: bytes) -> tuple[OpenBill, ...]:
    """Read the bills without debt that an account remembers, oldest first."""
    return _unpack(packed) if packed else ()


def pack_settled(bills: Sequence[OpenBill]) -> bytes:
    """Pack the newest of them: they are seldom looked at, and each account has some."""
    return _pack(tuple(bills[-SETTLED_KEPT_MAX:])) if bills else b""
