"""From a document to its sheet: which facts, rows and notes there are, in whose words, cut to their columns."""

from collections.abc import Mapping
from unicodedata import east_asian_width

from charging.bills.bill import Bill, TaxedLine
from charging.bills.taxtable import rate_text
from documents.document import HISTORY_PERIODS, BillDocument, PrintedDetail
from documents.sheet import Bar, BillSheet, MemberLines, Owed, SummaryRow
from documents.words import CURRENCIES, WORDS, amount_text, identity_text, spelled

FONTS = ("WenQuanYi Micro Hei",)
CHART_MM = 14
"""Of the highest bar."""
DETAILS_A_PAGE = 60
"""Detail records that a page holds below their heading."""
WHAT_WIDTH = 58
"""Columns of Latin letters that the text of a line may have; a Chinese one counts two."""
DETAIL_WIDTHS = (20, 19, 21, 22, 15, 14)

Words = Mapping[str, str]


def sheet_of(document: BillDocument) -> BillSheet:
    """Lay out what a document says."""
    bill, words = document.bill, WORDS[document.language]
    return BillSheet(
        language=document.language,
        fonts=FONTS,
        words=dict(words),
        operator=document.operator,
        title=words[bill.kind],
        number=bill.number or words["trial"],
        account=identity_text(bill.account.partition(":")[2]) or bill.account,
        currency=CURRENCIES[document.language].get(bill.currency, bill.currency),
        name=document.name,
        address=document.address,
        facts=_facts(bill, words),
        payable=_owed(document),
        summary=_summary(bill, words),
        chart=_chart(document),
        sections=_sections(document),
        taxes=_taxes(document),
        settled=_settled(document),
        notes=_notes(bill, words),
        details=_details(document),
    )


def _facts(bill: Bill, words: Words) -> tuple[tuple[str, str], ...]:
    found = [
        ("number", bill.number or words["trial"]),
        ("of", bill.of),
        ("account", bill.account),
        ("customer", bill.customer),
        ("period", words["from_to"].format(first=bill.from_day, last=bill.to_day)),
        ("made", bill.made_day),
    ]
    return tuple((words[name], value) for name, value in found if value)


def _owed(document: BillDocument) -> Owed:
    bill, words = document.bill, WORDS[document.language]
    payable, due = bill.payable, bill.due_day
    label = words["payable"] if payable > 0 else words["credit"] if payable < 0 else words["nothing"]
    return Owed(
        label,
        amount_text(abs(payable), bill.currency),
        spelled(abs(payable), bill.currency, document.language) if payable else "",
        words["until"].format(day=due) if due else "",
    )


def _summary(bill: Bill, words: Words) -> tuple[SummaryRow, ...]:
    """Give the way from what was used to what is paid, and that of the balance; what is nothing is left out."""
    found: list[tuple[str, int, bool]] = []
    if bill.prices == "include":
        found += [("charges", bill.gross, True), ("tax_of_it", bill.tax, False)]
    else:
        found += [("net_charges", bill.net, True), ("tax_on_top", bill.tax, False)]
    found += [
        ("carried_in", bill.carried_in, False),
        ("carried_out", -bill.carried_out, False),
        ("total", bill.total, True),
        ("settled_sum", -bill.settled, False),
        ("arrears", bill.arrears, False),
    ]
    if (balance := bill.balance) is not None:
        found += [
            ("opening", balance.opening, False),
            ("money_in", balance.money_in, False),
            ("money_out", -balance.money_out, False),
            ("closing", balance.closing, False),
        ]
    always = {"charges", "net_charges", "total", "opening", "closing"}
    return tuple(
        SummaryRow(words[name], amount_text(amount, bill.currency), strong)
        for name, amount, strong in found
        if amount or name in always
    )


def _chart(document: BillDocument) -> tuple[Bar, ...]:
    newest = document.history[-HISTORY_PERIODS:]
    highest = max((past.total for past in newest), default=0)
    return tuple(
        Bar(
            past.period.partition("/")[0],
            amount_text(past.total, document.bill.currency),
            round(CHART_MM * max(0, past.total) / highest, 2) if highest > 0 else 0.0,
            past.period == document.bill.period,
        )
        for past in newest
    )


def _sections(document: BillDocument) -> tuple[MemberLines, ...]:
    by_member: dict[str, list[TaxedLine]] = {}
    for line in document.bill.lines:
        by_member.setdefault(line.member, []).append(line)
    currency, words = document.bill.currency, WORDS[document.language]
    return tuple(
        MemberLines(
            identity_text(member) if member else words["of_account"],
            amount_text(sum(line.gross for line in lines), currency),
            tuple(
                (_what(line, document.names, words), *_amounts(line.net, line.tax, line.gross, currency))
                for line in lines
            ),
        )
        for member, lines in sorted(by_member.items())
    )


def _amounts(net: int, tax: int, gross: int, currency: str) -> tuple[str, str, str]:
    return amount_text(net, currency), amount_text(tax, currency), amount_text(gross, currency)


def _what(line: TaxedLine, names: Mapping[str, str], words: Words) -> str:
    """Say what a line is for: the item, and what made it smaller or late."""
    text = names.get(line.item) or words.get(line.item.replace("-", "_")) or line.item
    notes = []
    if line.rule and line.rule != line.item:
        notes.append(names.get(line.rule, line.rule))
    if line.level:
        notes.append(words["level"].format(level=line.level))
    if line.kind in ("adjustment", "late_fee") and line.item != line.kind:
        notes.append(words[line.kind])
    if line.origin:
        notes.append(words["late_record"].format(origin=line.origin))
    return fitted(f"{text} · {', '.join(notes)}" if notes else text, WHAT_WIDTH)


def _taxes(document: BillDocument) -> tuple[tuple[str, ...], ...]:
    bill, words = document.bill, WORDS[document.language]
    return tuple(
        (
            document.names.get(group.category) or group.category or words["untaxed"],
            rate_text(group.rate),
            *_amounts(group.net, group.tax, group.gross, bill.currency),
        )
        for group in bill.groups
    )


def _settled(document: BillDocument) -> tuple[tuple[str, ...], ...]:
    bill, words = document.bill, WORDS[document.language]
    rows = [(bill.made_day, "balance", "", bill.settled)] if bill.settled else []
    rows += [(each.day, each.kind, each.reference, each.amount) for each in document.payments]
    return tuple(
        (day, fitted(words.get(kind, kind), 40), fitted(reference, 40), amount_text(amount, bill.currency))
        for day, kind, reference, amount in rows
    )


def _notes(bill: Bill, words: Words) -> tuple[str, ...]:
    taxed = words["include" if bill.prices == "include" else "exclude"]
    if bill.tax:
        taxed += (" " if taxed.isascii() else "") + words[f"by_{bill.rounding}"]
    rest = words["rest"].format(coin=amount_text(bill.coin, bill.currency))
    return (taxed, rest) if bill.carried_in or bill.carried_out else (taxed,)


def _details(document: BillDocument) -> tuple[tuple[str, ...], ...]:
    currency, names = document.bill.currency, document.names
    rows = [_detail_row(record, names, currency) for record in document.details]
    pages = (rows[first : first + DETAILS_A_PAGE] for first in range(0, len(rows), DETAILS_A_PAGE))
    return tuple(tuple("\n".join(column) for column in zip(*page, strict=True)) for page in pages)


def _detail_row(record: PrintedDetail, names: Mapping[str, str], currency: str) -> tuple[str, ...]:
    texts = (
        record.time,
        identity_text(record.member),
        names.get(record.item, record.item),
        identity_text(record.party),
        record.quantity,
        amount_text(record.amount, currency),
    )
    # A space keeps the line of a text that is empty.
    return tuple(fitted(text, width) or " " for text, width in zip(texts, DETAIL_WIDTHS, strict=True))


def fitted(text: str, width: int) -> str:
    """Cut a text to one line of so many columns; a character of Chinese takes two."""
    line = " ".join(text.split())
    if line.isascii():
        return line if len(line) <= width else line[: width - 1] + "…"
    used = 0
    for place, character in enumerate(line):
        used += 2 if east_asian_width(character) in "WF" else 1
        if used > width:
            return line[: max(0, place - 1)] + "…"
    return line
