"""`onetier audit`: whether the evidence of a country holds, from its units, keys and anchors alone."""

import asyncio
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from onetier.v1 import service_desk_pb2 as desk
from rich.progress import Progress, TextColumn

from appserver.replies.fill import fill_history
from audit.following import SlotReport
from audit.journals import Advance, JournalRef, audit_journal
from audit.national import Sources, audit_country, survey
from audit.vouchers import joined
from business.auditing import SubjectAudit
from charging.base.account_id import identity_of, slot_of
from charging.base.subject import kind_of
from charging.errors import Fault
from charging.ledger.auditing import Audit
from console import report
from console.numbers import read_identity
from console.operations.keys import Anchors, ChainKeys, evidence_for
from console.operations.operate import DirectoryUrl, Folder, directory_url
from console.views import Json, Row, View, print_view
from storage.unit import StoreRejected, StoreUnavailable

app = typer.Typer()
FOLDER = Path(".onetier")
COUNTED = (
    "groups",
    "entries",
    "refusals",
    "accounts",
    "subjects",
    "snapshots",
    "revenue",
    "money",
    "rerated",
    "left_out",
    "findings",
)
"""What is told of a slot as data."""


@app.command()
def audit(
    account: Annotated[str, typer.Argument(help="Account id or identity; empty with --all.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="All accounts of --domain, or of the country.")] = False,
    domain: Annotated[str, typer.Option(help="Domain code, for example GD.")] = "",
    folder: Folder = FOLDER,
    directory: DirectoryUrl = "",
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = os.cpu_count() or 1,
    lines: Annotated[int, typer.Option(min=0, help="Of one account: show so many of its newest changes.")] = 0,
    keys: ChainKeys = None,
    anchors: Anchors = None,
    second: Annotated[str, typer.Option("--anchors-unit", help="URL of the second party's unit.")] = "",
    rerate: Annotated[bool, typer.Option("--re-rate", help="Rate every charge again on the replayed account.")] = False,
    as_json: Json = False,
) -> None:
    """Verify chains, seals and anchors, and that movements add up to balances, from the units themselves."""
    if everything == bool(account):
        raise typer.BadParameter("name an account, or give --all")
    where = directory_url(folder, directory)
    evidence = evidence_for(where, keys, anchors, folder)
    sources = Sources(where, evidence.ring, evidence.anchors, second, rerate)
    try:
        sound = (
            _all(sources, domain, workers, as_json)
            if everything
            else asyncio.run(_one(sources, account, lines, as_json))
        )
    except (Fault, StoreUnavailable, StoreRejected) as fault:
        typer.echo(f"onetier: {fault}", err=True)
        raise typer.Exit(1) from fault
    raise typer.Exit(0 if sound else 1)


def _all(sources: Sources, domain: str, workers: int, as_json: bool) -> bool:
    out = report.console()
    counted = TextColumn("{task.completed:,} of {task.total:,} groups")
    with Progress(*Progress.get_default_columns(), counted, console=out, transient=True, disable=as_json) as bar:

        def begin(slots: int, groups: int) -> Advance:
            task = bar.add_task(f"auditing {slots} slots", total=groups)
            return lambda read: bar.advance(task, read)

        found = audit_country(sources, domain, workers, begin)
    text = [*voucher_lines(found.slots), *(rerated_lines(found.slots) if sources.rerate else [])]
    whole = {"findings": found.findings, "notes": found.notes}
    print_view(View([*map(_slot, found.slots), whole], [report.audit_table(found.slots), *text]), as_json)
    return _told(found.sentences, [] if as_json else found.notes)


def _slot(found: SlotReport) -> dict[str, object]:
    return {"slot": found.name} | {name: getattr(found, name) for name in COUNTED}


async def _one(sources: Sources, account: str, lines_max: int, as_json: bool) -> bool:
    named = account if kind_of(account) else identity_of(account) if slot_of(account) else read_identity(account)
    country = await survey(sources, account=named, contracts=False)
    if not country.refs:
        return _told(country.findings, country.notes)
    (ref,) = country.refs
    followed = await audit_journal(ref, country.account_id, lambda _: None, lines_max)
    text: list[str] = []
    row = _slot(followed.report)
    row["notes"] = country.notes
    if followed.account is not None:
        text = _account_lines(ref, followed.report, followed.account)
        row |= _account(followed.account)
    if followed.subject is not None:
        text += _subject_lines(ref, followed.report, followed.subject)
        row |= {"subject_id": followed.subject.subject_id, "subject_entries": followed.subject.entries}
    if text:
        view = desk.HistoryView()
        fill_history(view.lines, followed.lines, explain=True)
        text += [line for shown in view.lines for line in report.history_lines(shown)]
        print_view(View([row | {"lines": list(view.lines)}], text), as_json)
    elif not followed.report.findings:
        typer.echo(
            f"{ref.name} has no account {country.account_id}: give its id, or a number that it has now", err=True
        )
        return False
    return _told([*country.findings, *followed.report.findings], [] if as_json else country.notes)


def _account(followed: Audit) -> Row:
    told = followed.report()
    row: dict[str, object] = {"account_id": told.account_id, "account_entries": told.entries, "totals": told.totals}
    if told.account is not None:
        row["currency"] = told.account.terms.currency
        row["version"] = told.account.version
        row["books"] = [
            {"book_id": book.book_id, "unit": book.unit, "amount": book.amount} for book in told.account.books
        ]
    return row


def rerated_lines(slots: Sequence[SlotReport]) -> list[str]:
    """Tell how many charges were rated again, and why others were not, in order of the reasons."""
    left_out: Counter[str] = Counter()
    for slot in slots:
        left_out.update(slot.left_out)
    lines = [f"{sum(slot.rerated for slot in slots):,} charges rated again"]
    return lines + [f"{count:,} not rated again: {why}" for why, count in sorted(left_out.items())]


def voucher_lines(slots: Sequence[SlotReport]) -> list[str]:
    """Tell what vouchers are worth, by their states: those add up to what was made."""
    worth = joined([slot.vouchers for slot in slots]).worth
    return [
        f"vouchers of {_amount(unit, sums['made'])}{'' if unit == 'money' else f' {unit}'}: "
        + " + ".join(f"{_amount(unit, sums[state])} {state}" for state in sorted(sums.keys() - {"made"}))
        for unit, sums in sorted(worth.items())
    ]


def _subject_lines(ref: JournalRef, found: SlotReport, followed: SubjectAudit) -> list[str]:
    told = f"{followed.entries} entries, {followed.refusals} refusals"
    lines = [f"subject {followed.subject_id} in {ref.name}: {told}"]
    lines.append(f"hash chain of {found.groups:,} groups holds" if not found.findings else "the audit has findings")
    if followed.state is not None:
        lines.append(f"version {followed.state.version}; {found.snapshots} snapshots compared")
    return lines


def _account_lines(ref: JournalRef, found: SlotReport, followed: Audit) -> list[str]:
    told = followed.report()
    lines = [f"account {told.account_id} in {ref.name}: {told.entries} entries, {told.refusals} refusals"]
    lines.append(f"hash chain of {found.groups:,} groups holds" if not found.findings else "the audit has findings")
    if found.later:
        lines.append("its beginning is in segments that are gone; followed from a snapshot")
    lines += [f"  {place}: {report.major(amount)}" for place, amount in sorted(told.totals.items())]
    if told.account is not None:
        lines += [
            f"  book {book.book_id} ({book.unit}): {_amount(book.unit, book.amount)}" for book in told.account.books
        ]
        lines.append(f"version {told.account.version}; {found.snapshots} snapshots compared")
    return lines


def _amount(unit: str, amount: int) -> str:
    return report.major(amount) if unit == "money" else f"{amount:,}"


def _told(findings: list[str], notes: list[str]) -> bool:
    for note in notes:
        typer.echo(f"to be known: {note}")
    for finding in findings:
        typer.echo(finding, err=True)
    return not findings
