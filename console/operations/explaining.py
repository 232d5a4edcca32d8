"""`onetier billing explain` and `onetier billing charge`: why a bill says what it says, straight from the journal."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from audit.explaining import (
    ChargeExplained,
    LinePart,
    Located,
    PeriodExplained,
    explain_charge,
    explain_period,
    month_of_bill,
)
from audit.journals import JournalRef
from business.billing.periods import read_period
from charging.base.account_id import asked_for, slot_of
from charging.base.buckets import SumKey
from charging.base.localtime import month_text
from charging.base.usage import Step
from charging.bills.bill import PAYEE
from charging.rating.explain import sentence
from console.operations.keys import ChainKeys, ring_for
from console.operations.operate import FOLDER, DirectoryUrl, Folder, directory_url, journals
from console.report import major, moment
from console.views import Json, Row, View, print_view

AccountId = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Id of the account, as its bill has it: GD/3:….")]
Slot = Annotated[str, typer.Option("--slot", help="Where it is now, when it was ported: GD/0.")]


def explain(
    account: AccountId,
    period: Annotated[str, typer.Argument(help="2026-10, or 2026-10/15 as its bill has it.")],
    item: Annotated[str, typer.Option("--item", help="Only lines of this account item.")] = "",
    payees: Annotated[
        bool, typer.Option("--payees", help="Also the lines of the bills that it pays for others, with what is behind.")
    ] = False,
    slot: Slot = "",
    folder: Folder = FOLDER,
    directory: DirectoryUrl = "",
    keys: ChainKeys = None,
    as_json: Json = False,
) -> None:
    """Go from the lines of a bill to the charges behind them, each with its place in the journal. Changes nothing."""
    month = read_period(period if "/" in period else f"{period}/1").month
    ref = journal_of(account, slot, folder, directory, keys)
    found = asyncio.run(explain_period(ref, account, month))
    shown = found.of_item(item) if item else found
    rows = [*_part_rows(shown.parts), *_discount_rows(shown.discounts)]
    lines = list(_period_lines(shown))
    for number, payee in _paid_bills(shown) if payees else ():
        behind = _explained_bill(number, payee, folder, directory, keys)
        rows += [{**row, "payee": payee, "bill": number} for row in _part_rows(behind.parts)]
        rows += [{**row, "payee": payee, "bill": number} for row in _discount_rows(behind.discounts)]
        lines += ["", f"behind bill {number} of {payee}:", *_period_lines(behind)]
    print_view(View(rows, lines), as_json)


def _paid_bills(found: PeriodExplained) -> list[tuple[str, str]]:
    """Name the bills of others among lines: (number, account id)."""
    heads = dict.fromkeys(part.head for part in found.parts if part.head.kind == PAYEE)
    return [(head.rule, asked_for(head.member) or head.member) for head in heads]


def _explained_bill(number: str, account: str, folder: Folder, directory: str, keys: ChainKeys) -> PeriodExplained:
    ref = journal_of(account, "", folder, directory, keys)
    month = asyncio.run(month_of_bill(ref, account, number))
    return asyncio.run(explain_period(ref, account, month))


def charge(
    account: AccountId,
    key: Annotated[str, typer.Argument(help="The request key of the charge.")],
    slot: Slot = "",
    folder: Folder = FOLDER,
    directory: DirectoryUrl = "",
    keys: ChainKeys = None,
    as_json: Json = False,
) -> None:
    """Go from a charge to its tariff, its discounts, its postings and its journal entry. Changes nothing."""
    found = asyncio.run(explain_charge(journal_of(account, slot, folder, directory, keys), account, key))
    print_view(View([_charge_row(found)], _charge_lines(found)), as_json)


def journal_of(account: str, slot: str, folder: Folder, directory: str, keys: ChainKeys) -> JournalRef:
    """Find the journal that has an account. Raises `typer.BadParameter` when its id names no slot of the country."""
    where = directory_url(folder, directory)
    name = slot or slot_of(account)
    refs = asyncio.run(journals(where, ring_for(where, keys), name.partition("/")[0])) if name else []
    for ref in refs:
        if ref.name == name:
            return ref
    raise typer.BadParameter(f"{account} names no slot of this country: give the account's id, or --slot")


def _period_lines(found: PeriodExplained) -> Iterator[str]:
    for head, amount in found.sums().items():
        yield f"{_head(head)}: {major(amount)}"
        for part in found.parts:
            if part.head == head:
                entry = part.at.entry
                yield f"  {moment(entry.time_ms)}  {major(part.amount):>14}  {entry.key}  {_place(part.at)}"
    if found.discounts:
        yield "discounts of the whole bill:"
        yield from (f"  {sentence(step)}" for step in found.discounts)
    if found.closed_by is not None:
        number = found.bill.number if found.bill is not None else "no bill"
        yield f"closed: {number}, {_place(found.closed_by)}"
    elif not found.parts:
        yield "nothing was posted in this period"
    else:
        yield "the period is open"


def _charge_lines(found: ChargeExplained) -> Iterator[str]:
    entry = found.at.entry
    yield f"{entry.kind} {entry.key} at {moment(entry.time_ms)}, version {entry.version} of {entry.account_id}"
    yield f"journal: {_place(found.at)}, by {entry.principal or 'the house'}"
    for step in found.steps:
        yield f"  {sentence(step)}"
    for leg in found.legs:
        yield f"  posted {leg.place} {major(leg.delta) if 'book' not in leg.place else leg.delta}"
    for head, amount in found.heads:
        yield f"  billed in {month_text(head.month)}, {_head(head)}: {major(amount)}"


def _head(head: SumKey) -> str:
    words = [head.item, head.kind or "usage"]
    words += [head.rule] if head.rule else []
    words += [f"level {head.level}"] if head.level else []
    words += [f"of {month_text(head.origin)}"] if head.origin else []
    words += [f"for {head.member}"] if head.member else []
    return " ".join(words)


def _place(at: Located) -> str:
    return f"{at.slot} group {at.group} place {at.place}"


def _part_rows(parts: Iterable[LinePart]) -> Iterator[Row]:
    for part in parts:
        yield {**_where(part.at), "amount": part.amount, **_head_row(part.head)}


def _discount_rows(steps: Iterable[Step]) -> Iterator[Row]:
    for step in steps:
        if step.kind == "discount":
            exact = step.numerator // step.denominator
            yield {
                "line_kind": "discount",
                "rule": step.rule,
                "level": step.level,
                "amount": exact,
                "of": sentence(step),
            }


def _charge_row(found: ChargeExplained) -> Row:
    return {
        **_where(found.at),
        "kind": found.at.entry.kind,
        "version": found.at.entry.version,
        "steps": [sentence(step) for step in found.steps],
        "legs": [{"place": leg.place, "delta": leg.delta} for leg in found.legs],
        "lines": [{"amount": amount, **_head_row(head)} for head, amount in found.heads],
    }


def _where(at: Located) -> dict[str, object]:
    entry = at.entry
    where = {"slot": at.slot, "group": at.group, "place": at.place}
    return {"request_key": entry.key, "time_ms": entry.time_ms, **where}


def _head_row(head: SumKey) -> dict[str, object]:
    return {
        "period": month_text(head.month),
        "item": head.item,
        "member": head.member,
        "line_kind": head.kind or "usage",
        "rule": head.rule,
        "level": head.level,
        "origin": month_text(head.origin) if head.origin else "",
    }
