"""What a template gets of a document: texts and amounts, ready to be placed. A template computes nothing.

Detail records come as columns, one text of many lines each, because a cell a column is laid out many times as fast as
one a record; so every text of them is cut to what its column holds.
"""

from msgspec import Struct


class Owed(Struct, frozen=True):
    """The box that is read first."""

    label: str
    amount: str
    spelled: str
    until: str


class SummaryRow(Struct, frozen=True):
    """A row of the summary."""

    text: str
    amount: str
    strong: bool = False


class Bar(Struct, frozen=True):
    """One period of the chart."""

    period: str
    amount: str
    height: float
    """Millimetres."""
    now: bool


class MemberLines(Struct, frozen=True):
    """The lines of one member."""

    title: str
    gross: str
    rows: tuple[tuple[str, str, str, str], ...]
    """What for, net, tax, gross."""


class BillSheet(Struct, frozen=True):
    """All that a template places."""

    language: str
    fonts: tuple[str, ...]
    words: dict[str, str]
    operator: str
    title: str
    number: str
    account: str
    currency: str
    name: str
    address: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    payable: Owed
    summary: tuple[SummaryRow, ...]
    chart: tuple[Bar, ...]
    sections: tuple[MemberLines, ...]
    taxes: tuple[tuple[str, ...], ...]
    settled: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]
    details: tuple[tuple[str, ...], ...]
    """Page by page, column by column."""
