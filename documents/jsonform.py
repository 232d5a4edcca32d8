"""A bill as JSON: what portals, archives and tax platforms read. Amounts are decimal texts, never floats.

`docs/bill.schema.json` is made of these classes. What is written is read back as the same document.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from charging.base.money import MICRO
from charging.bills.bill import PERCENT_PARTS, Bill, LineKind, MoneyMoved, PeriodBalance, TaxedLine, TaxGroup
from charging.bills.checking import check_bill
from charging.errors import Invalid
from documents.document import BillDocument, Language, PastPeriod, Payment, PrintedDetail

Form = Literal["onetier.bill/1"]
FORM: Form = "onetier.bill/1"
Amount = Annotated[
    str, Meta(pattern=r"^-?[0-9]{1,13}(\.[0-9]{1,6})?$", description="Decimal text in whole units of the currency")
]
Percent = Annotated[str, Meta(pattern=r"^[0-9]{1,3}(\.[0-9]{1,6})?$", description="Decimal text: 9")]
DayText = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="A date: 2026-02-01")]


class JsonForm(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What all parts share: a field that is not known is refused, one at its default is not written."""


class JsonLine(JsonForm, frozen=True):
    """A line; `gross` is net plus tax."""

    item: str
    kind: LineKind
    net: Amount
    tax: Amount
    gross: Amount
    member: str = ""
    category: str = ""
    rate: Percent = "0"
    level: str = ""
    rule: str = ""
    origin: str = ""
    count: int = 0
    bundle: str = ""
    """Item of the bundle that it is a part of."""


class JsonGroup(JsonForm, frozen=True):
    """All lines of one category and rate of tax."""

    net: Amount
    tax: Amount
    gross: Amount
    category: str = ""
    rate: Percent = "0"


class JsonMoved(JsonForm, frozen=True):
    """Money that came or left, on the balance in the period or for the bill after it."""

    day: DayText
    kind: str
    amount: Amount
    reference: str = ""


class JsonBalance(JsonForm, frozen=True):
    """The account's money over the period."""

    opening: Amount
    closing: Amount
    moved: tuple[JsonMoved, ...] = ()


class JsonPast(JsonForm, frozen=True):
    """What a period asked for."""

    period: str
    total: Amount


class JsonDetail(JsonForm, frozen=True):
    """One usage or fee."""

    time: str
    item: str
    amount: Amount
    member: str = ""
    party: str = ""
    quantity: str = ""


class JsonBill(JsonForm, frozen=True):
    """A bill or credit note, and what stands around it."""

    form: Form
    kind: Literal["bill", "credit_note"]
    account: str
    period: str
    from_day: DayText
    to_day: DayText
    made_day: DayText
    currency: str
    coin: Amount
    prices: Literal["include", "exclude"]
    rounding: Literal["bill", "line"]
    net: Amount
    tax: Amount
    gross: Amount
    total: Amount
    payable: Amount
    lines: tuple[JsonLine, ...]
    groups: tuple[JsonGroup, ...]
    number: str = ""
    customer: str = ""
    due_day: Annotated[str, Meta(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")] = ""
    carried_in: Amount = "0"
    carried_out: Amount = "0"
    settled: Amount = "0"
    minimum: Amount = "0"
    arrears: Amount = "0"
    of: str = ""
    balance: JsonBalance | None = None
    language: Language = "zh"
    operator: str = "onetier"
    name: str = ""
    address: tuple[str, ...] = ()
    names: dict[str, str] = {}
    history: tuple[JsonPast, ...] = ()
    payments: tuple[JsonMoved, ...] = ()
    details: tuple[JsonDetail, ...] = ()


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(JsonBill)


def to_json(document: BillDocument) -> bytes:
    """Write a document; equal documents give equal bytes."""
    return _encoder.encode(_written(document))


def from_json(content: bytes) -> BillDocument:
    """Read what `to_json` wrote. Raises `Invalid` DOCUMENT_UNREADABLE, or BILL_WRONG when it does not add up."""
    try:
        written = _decoder.decode(content)
    except msgspec.DecodeError as fault:
        raise Invalid("DOCUMENT_UNREADABLE", f"no bill: {fault}", fields={"document": str(fault)}) from None
    document = _read(written)
    check_bill(document.bill)
    told = (written.net, written.tax, written.gross, written.payable)
    bill = document.bill
    if [micro(text) for text in told] != [bill.net, bill.tax, bill.gross, bill.payable]:
        raise Invalid(
            "BILL_WRONG", "the sums that the document tells are not those of its lines", facts={"sum": "told"}
        )
    return document


def schema() -> dict[str, object]:
    """Give the JSON schema of a bill."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(JsonBill)}


def decimal(amount: int) -> str:
    """Write micro-units as decimal text without needless digits."""
    whole, rest = divmod(abs(amount), MICRO)
    text = f"{whole}.{rest:06d}".rstrip("0").rstrip(".")
    return f"-{text}" if amount < 0 else text


def micro(text: str) -> int:
    """Read what `decimal` wrote."""
    whole, _, rest = text.removeprefix("-").partition(".")
    amount = int(whole) * MICRO + int(f"{rest:0<6}")
    return -amount if text.startswith("-") else amount


def _rate(rate: int) -> str:
    return decimal(rate * (MICRO // PERCENT_PARTS))


def _written(document: BillDocument) -> JsonBill:
    bill = document.bill
    return JsonBill(
        form=FORM,
        kind=bill.kind,
        number=bill.number,
        account=bill.account,
        customer=bill.customer,
        period=bill.period,
        from_day=bill.from_day,
        to_day=bill.to_day,
        made_day=bill.made_day,
        due_day=bill.due_day,
        currency=bill.currency,
        coin=decimal(bill.coin),
        prices=bill.prices,
        rounding=bill.rounding,
        lines=tuple(_written_line(line) for line in bill.lines),
        groups=tuple(
            JsonGroup(decimal(one.net), decimal(one.tax), decimal(one.gross), one.category, _rate(one.rate))
            for one in bill.groups
        ),
        net=decimal(bill.net),
        tax=decimal(bill.tax),
        gross=decimal(bill.gross),
        carried_in=decimal(bill.carried_in),
        carried_out=decimal(bill.carried_out),
        total=decimal(bill.total),
        settled=decimal(bill.settled),
        payable=decimal(bill.payable),
        minimum=decimal(bill.minimum),
        arrears=decimal(bill.arrears),
        of=bill.of,
        balance=_written_balance(bill.balance),
        language=document.language,
        operator=document.operator,
        name=document.name,
        address=document.address,
        names=document.names,
        history=tuple(JsonPast(past.period, decimal(past.total)) for past in document.history),
        payments=tuple(JsonMoved(one.day, one.kind, decimal(one.amount), one.reference) for one in document.payments),
        details=tuple(
            JsonDetail(one.time, one.item, decimal(one.amount), one.member, one.party, one.quantity)
            for one in document.details
        ),
    )


def _written_line(line: TaxedLine) -> JsonLine:
    return JsonLine(
        item=line.item, kind=line.kind, net=decimal(line.net), tax=decimal(line.tax), gross=decimal(line.gross),
        member=line.member, category=line.category, rate=_rate(line.rate), level=line.level, rule=line.rule,
        origin=line.origin, count=line.count, bundle=line.bundle,
    )  # fmt: skip


def _written_balance(balance: PeriodBalance | None) -> JsonBalance | None:
    if balance is None:
        return None
    moved = tuple(JsonMoved(one.day, one.kind, decimal(one.amount), one.reference) for one in balance.moved)
    return JsonBalance(decimal(balance.opening), decimal(balance.closing), moved)


def _read(written: JsonBill) -> BillDocument:
    return BillDocument(
        bill=_read_bill(written),
        language=written.language,
        operator=written.operator,
        name=written.name,
        address=written.address,
        names=written.names,
        history=tuple(PastPeriod(past.period, micro(past.total)) for past in written.history),
        payments=tuple(Payment(one.day, one.kind, micro(one.amount), one.reference) for one in written.payments),
        details=tuple(
            PrintedDetail(one.time, one.member, one.item, one.party, one.quantity, micro(one.amount))
            for one in written.details
        ),
    )


def _read_bill(written: JsonBill) -> Bill:
    balance = written.balance
    return Bill(
        kind=written.kind,
        number=written.number,
        account=written.account,
        customer=written.customer,
        period=written.period,
        from_day=written.from_day,
        to_day=written.to_day,
        made_day=written.made_day,
        due_day=written.due_day,
        currency=written.currency,
        coin=micro(written.coin),
        prices=written.prices,
        rounding=written.rounding,
        lines=tuple(
            TaxedLine(
                one.item, one.member, one.kind, micro(one.net), micro(one.tax), one.category, micro(one.rate),
                one.level, one.rule, one.origin, one.count, one.bundle,
            )
            for one in written.lines
        ),
        groups=tuple(
            TaxGroup(one.category, micro(one.rate), micro(one.net), micro(one.tax)) for one in written.groups
        ),
        carried_in=micro(written.carried_in),
        carried_out=micro(written.carried_out),
        total=micro(written.total),
        settled=micro(written.settled),
        minimum=micro(written.minimum),
        of=written.of,
        arrears=micro(written.arrears),
        balance=None if balance is None else PeriodBalance(
            micro(balance.opening),
            tuple(MoneyMoved(one.day, one.kind, micro(one.amount), one.reference) for one in balance.moved),
            micro(balance.closing),
        ),
    )  # fmt: skip
