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
from business.auditing import SubjectAudit
from charging.base.account_id import identity_of, slot_of
from charging.base.subject import kind_of
from charging.errors import Fault
from charging.ledger.auditing import Audit
from console import report
from console.numbers import read_identity
from console.operations.keys import Anchors, ChainKeys, evidence_for
from console.operations.operate import DirectoryUrl, Folder, directory_url
from storage.unit import StoreRejected, StoreUnavailable

app = typer.Typer()
FOLDER = Path(".onetier")


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
) -> None:
    """Verify chains, seals and anchors, and that movements add up to balances, from the units themselves."""
    if everything == bool(account):
        raise typer.BadParameter("name an account, or give --all")
    where = directory_url(folder, directory)
    evidence = evidence_for(where, keys, anchors, folder)
    sources = Sources(where, evidence.ring, evidence.anchors, second, rerate)
    try:
        sound = _all(sources, domain, workers) if everything else asyncio.run(_one(sources, account, lines))
    except (Fault, StoreUnavailable, StoreRejected) as fault:
        typer.echo(f"onetier: {fault}", err=True)
        raise typer.Exit(1) from fault
    raise typer.Exit(0 if sound else 1)


def _all(sources: Sources, domain: str, workers: int) -> bool:
    out = report.console()
    counted = TextColumn("{task.completed:,} of {task.total:,} groups")
    with Progress(*Progress.get_default_columns(), counted, console=out, transient=True) as bar:

        def begin(slots: int, groups: int) -> Advance:
            task = bar.add_task(f"auditing {slots} slots", total=groups)
            return lambda read: bar.advance(task, read)

        found = audit_country(sources, domain, workers, begin)
    out.print(report.audit_table(found.slots))
    if sources.rerate:
        for text in rerated_lines(found.slots):
            typer.echo(text)
    return _told(found.sentences, found.notes)


async def _one(sources: Sources, account: str, lines_max: int) -> bool:
    named = account if kind_of(account) else identity_of(account) if slot_of(account) else read_identity(account)
    country = await survey(sources, account=named, contracts=False)
    if not country.refs:
        return _told(country.findings, country.notes)
    (ref,) = country.refs
    followed = await audit_journal(ref, country.account_id, lambda _: None, lines_max)
    if followed.account is not None:
        for text in _account_lines(ref, followed.report, followed.account):
            typer.echo(text)
    if followed.subject is not None:
        for text in _subject_lines(ref, followed.report, followed.subject):
            typer.echo(text)
    if followed.account is not None or followed.subject is not None:
        view = desk.HistoryView()
        fill_history(view.lines, followed.lines, explain=True)
        for shown in view.lines:
            for text in report.history_lines(shown):
                typer.echo(text)
    elif not followed.report.findings:
        typer.echo(
            f"{ref.name} has no account {country.account_id}: give its id, or a number that it has now", err=True
        )
        return False
    return _told([*country.findings, *followed.report.findings], country.notes)


def rerated_lines(slots: Sequence[SlotReport]) -> list[str]:
    """Tell how many charges were rated again, and why others were not."""
    left_out: Counter[str] = Counter()
    for slot in slots:
        left_out.update(slot.left_out)
    lines = [f"{sum(slot.rerated for slot in slots):,} charges rated again"]
    return lines + [f"{count:,} not rated again: {why}" for why, count in sorted(left_out.items())]


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
