"""What a printed bill needs of a running system: bills by the platform, names by a data center, records by the journal.

Detail records come straight from the journal, as `onetier billing explain` has them.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Literal

import msgspec
from msgspec import Struct
from onetier.v1 import billing_pb2 as pb
from onetier.v1 import data_center_pb2 as dc
from onetier.v1 import data_center_pb2_grpc as dc_grpc
from onetier.v1.billing_pb2_grpc import BillingServiceStub

from audit.explaining import LinePart, PeriodExplained
from charging.base.localtime import LocalTime, day_of, zone_of
from charging.base.money import BYTE_UNITS, SECOND_UNITS
from charging.base.money import quantity as base_units
from charging.base.tongue import label_of
from charging.base.usage import Usage
from charging.bills.bill import BILL, Bill, LineKind, MoneyMoved, PeriodBalance, TaxedLine, TaxGroup
from charging.bills.checking import check_bill
from charging.catalogue.document import Catalogue, unpack
from charging.errors import Broken
from console.operations.directory_call import CALL_TIMEOUT_S, patiently
from documents.document import HISTORY_PERIODS, PastPeriod, PrintedDetail

PAGE_PERIODS = 24
_DAY_MS = 86_400_000
_NOON_MS = _DAY_MS // 2
_UNITS_WITHIN = {"second": SECOND_UNITS, "byte": BYTE_UNITS}


class BillsRead(Struct, frozen=True):
    """A closed bill, and what it and those before it asked for, oldest first."""

    bill: Bill
    history: tuple[PastPeriod, ...]


class Called(Struct, frozen=True):
    """What catalogues call things in one language, and in which unit each service is counted."""

    names: dict[str, str] = {}
    units: dict[str, str] = {}


async def read_bill(stub: BillingServiceStub, asked: pb.ReadBillsRequest, period: str) -> BillsRead | None:
    """Read pages of bills until the one of a period is found, with those before it; None = the period has none.

    `period` is 2026-10/15, or 2026-10 for the cycle day that the account has.
    """
    found: list[pb.Bill] = []
    request = pb.ReadBillsRequest()
    request.CopyFrom(asked)
    request.periods_max = PAGE_PERIODS
    while True:
        told: pb.ReadBillsResponse = await patiently(lambda left_s: stub.ReadBills(request, timeout=left_s))
        for each in told.bills:
            if each.kind == BILL and (found or period in (each.period, each.period.partition("/")[0])):
                found.append(each)
        if len(found) >= HISTORY_PERIODS or not told.next_page:
            break
        request.page = told.next_page
    if not found:
        return None
    past = [PastPeriod(each.period, each.total) for each in found[:HISTORY_PERIODS]]
    return BillsRead(bill_read(found[0]), tuple(reversed(past)))


def bill_read(told: pb.Bill) -> Bill:
    """Read a bill as the platform tells it, and add it up again.

    Raises `Invalid` BILL_WRONG, and `Broken` ANSWER_UNEXPECTED for words that are not known here.
    """
    money = tuple(MoneyMoved(each.day, each.kind, each.amount) for each in told.money)
    has_balance = bool(money or told.opening or told.closing)
    try:
        bill = Bill(
            kind=msgspec.convert(told.kind, Literal["bill", "credit_note"]),
            number=told.number,
            account=told.account_id,
            customer=told.customer_id,
            period=told.period,
            from_day=told.from_day,
            to_day=told.to_day,
            made_day=told.made_day,
            due_day=told.due_day,
            currency=told.currency,
            coin=told.coin,
            prices=msgspec.convert(told.prices, Literal["include", "exclude"]),
            rounding=msgspec.convert(told.rounding, Literal["bill", "line"]),
            lines=tuple(map(_line_read, told.lines)),
            groups=tuple(TaxGroup(each.category, each.rate, each.net, each.tax) for each in told.taxes),
            carried_in=told.carried_in,
            carried_out=told.carried_out,
            total=told.total,
            settled=told.settled,
            minimum=told.minimum,
            of=told.of,
            arrears=told.arrears,
            balance=PeriodBalance(told.opening, money, told.closing) if has_balance else None,
        )
    except msgspec.ValidationError as fault:
        raise Broken("ANSWER_UNEXPECTED", f"bill {told.number} is told in words not known here: {fault}") from fault
    check_bill(bill)
    return bill


def _line_read(told: pb.BillLine) -> TaxedLine:
    return TaxedLine(
        told.item, told.member, msgspec.convert(told.kind, LineKind), told.net, told.tax, told.tax_category,
        told.tax_rate, told.level, told.rule, told.origin, told.count, told.bundle,
    )  # fmt: skip


async def read_catalogues(stub: dc_grpc.DirectoryServiceStub, domain: str, to_day: str) -> list[Catalogue]:
    """Read what is in force in a domain on a day: the nation's catalogue, then the region's."""
    # Noon of UTC is the same day nearly everywhere.
    at_ms = day_of(to_day) * _DAY_MS + _NOON_MS
    newest: dict[str, dc.CatalogueVersion] = {}
    for each in (await stub.Describe(dc.DescribeRequest(), timeout=CALL_TIMEOUT_S)).catalogues:
        if each.domain in ("", domain) and each.effective_from_ms <= at_ms:
            before = newest.get(each.domain)
            if before is None or _rank(before) < _rank(each):
                newest[each.domain] = each
    found = []
    for code in sorted(newest):
        request = dc.ReadCatalogueRequest(domain=code, version=newest[code].version)
        response = await stub.ReadCatalogue(request, timeout=CALL_TIMEOUT_S)
        found.append(unpack(response.catalogue.content))
    return found


def called(catalogues: Iterable[Catalogue], language: str) -> Called:
    """Collect what catalogues call items, rules and categories of tax; a later one's word counts."""
    names: dict[str, str] = {}
    units: dict[str, str] = {}
    for catalogue in catalogues:
        own = catalogue.overrides
        named = [(each.item or each.id, each.name) for each in catalogue.services]
        for fee in (*catalogue.fees, *own.fees):
            named += [(fee.item or fee.id, fee.name), (fee.id, fee.name)]
        named += [(each.id, each.name) for each in (*catalogue.discounts, *own.discounts)]
        named += [(each.category or each.id, each.name) for each in (*catalogue.taxes, *own.taxes)]
        names.update((key, label_of(name, key, language)) for key, name in named if name)
        units.update((each.id, each.unit) for each in catalogue.services)
    return Called(names, units)


def details_of(found: PeriodExplained, units: Mapping[str, str]) -> Iterator[PrintedDetail]:
    """Give a record for each part of a period, in the order of the journal, by the clock of the account."""
    clock = zone_of(found.zone)
    for part in found.parts:
        usage = _usage_of(part)
        entry = part.at.entry
        yield PrintedDetail(
            time=_clock_text(usage.start_ms if usage else entry.time_ms, clock),
            member=part.head.member,
            item=part.head.item,
            party=usage.other_party if usage else "",
            quantity=quantity_text(usage.quantity, units.get(usage.service, "")) if usage else "",
            amount=part.amount,
        )


def quantity_text(quantity: int, unit: str) -> str:
    """Write a quantity in the largest unit that leaves nothing over; in one that is not known, the number alone."""
    within = _UNITS_WITHIN.get(unit)
    if within is None or not quantity:
        return f"{quantity:,}"
    sizes = {base_units(f"1 {name}"): name for name in within}
    size = max(size for size in sizes if quantity % size == 0)
    return f"{quantity // size:,} {sizes[size]}"


def _usage_of(part: LinePart) -> Usage | None:
    """Find the use behind a part; None where there is none, or several that the part is the sum of."""
    charged = [pair for event in part.at.entry.events for pair in event.charges()]
    fitting = [usage for usage, charge in charged if (charge.item or usage.service) == part.head.item]
    return fitting[0] if len(fitting) == 1 else None


def _clock_text(time_ms: int, clock: LocalTime) -> str:
    utc_s = time_ms // 1_000
    return datetime.fromtimestamp(utc_s + clock.offset(utc_s), UTC).strftime("%Y-%m-%d %H:%M:%S")


def _rank(version: dc.CatalogueVersion) -> tuple[int, int]:
    return version.effective_from_ms, version.version
