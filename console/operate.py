"""What operators do: ask where a number is served, port it, audit accounts and whole domains."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer
from onetier.v1 import data_center_pb2 as dc
from onetier.v1 import data_center_pb2_grpc as dc_grpc
from onetier.v1 import service_desk_pb2 as desk
from rich.progress import Progress, TextColumn

from appserver.replies import fill_history
from charging.auditing import Audit
from charging.errors import Fault
from console import report
from console.audit import JournalRef, SlotReport, audit_all, audit_journal, match_transfers, stand_of
from console.directory_call import DATACENTER, Certificates, DataCenter, call_directory
from console.keys import ChainKeys, ring_for
from console.numbers import read_identity
from console.stage import read_mark
from console.system import lay_out
from directory.directory import Directory
from directory.slots import slot_key
from evidence.keys import KeyRing
from onetier_client import new_key
from storage.open import open_to_read
from storage.unit import StoreRejected, StoreUnavailable

app = typer.Typer()
CALL_TIMEOUT_S = 30.0

Folder = Annotated[Path, typer.Option("--data", help="Data folder of `onetier up` or `onetier demo`.")]
DirectoryUrl = Annotated[str, typer.Option("--directory", help="URL of the directory unit; default: that of --data.")]
FOLDER = Path(".onetier")


@app.command()
def resolve(
    identity: Annotated[str, typer.Argument()], datacenter: DataCenter = DATACENTER, tls: Certificates = None
) -> None:
    """Say which domain and slot serve an identity, by which rule, and who owns the slot."""

    async def ask(stub: dc_grpc.DirectoryServiceStub) -> dc.ResolveResponse:
        found: dc.ResolveResponse = await stub.Resolve(dc.ResolveRequest(identity=identity), timeout=CALL_TIMEOUT_S)
        return found

    found = call_directory(datacenter, tls, ask)
    rule = "its explicit entry" if found.rule == "explicit" else f"prefix {found.rule}"
    owner = found.owner or "nobody just now"
    typer.echo(f"{slot_key(found.domain, found.slot)} by {rule}, owned by {owner}; revision {found.revision}")


@app.command()
def port(
    identity: Annotated[str, typer.Argument()],
    to_domain: Annotated[str, typer.Argument(help="Code of the new domain, for example GD.")],
    actor: Annotated[str, typer.Option(help="Who orders it; kept in the directory.")] = "operator",
    key: Annotated[str, typer.Option("--key", help="Request key, to repeat an intent.")] = "",
    datacenter: DataCenter = DATACENTER,
    tls: Certificates = None,
) -> None:
    """Move a number with its account to another domain."""
    request = dc.PortRequest(identity=identity, to_domain=to_domain, request_key=key or new_key(), actor=actor)

    async def move(stub: dc_grpc.DirectoryServiceStub) -> dc.PortResponse:
        done: dc.PortResponse = await stub.Port(request, timeout=CALL_TIMEOUT_S)
        return done

    done = call_directory(datacenter, tls, move)
    typer.echo(
        f"moved from {done.from_domain} to {to_domain}, revision {done.revision}, request key {request.request_key}"
    )


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
) -> None:
    """Verify hash chains, and that the movements of accounts add up to their balances, from the units themselves."""
    if everything == bool(account):
        raise typer.BadParameter("name an account, or give --all")
    where = directory_url(folder, directory)
    ring = ring_for(where, keys)
    try:
        if everything:
            refs = asyncio.run(journals(where, ring, domain))
            sound = _audit_all(refs, workers, whole=not domain)
        else:
            sound = asyncio.run(_audit_one(where, ring, account, lines))
    except (Fault, StoreUnavailable, StoreRejected) as fault:
        typer.echo(f"onetier: {fault}", err=True)
        raise typer.Exit(1) from fault
    raise typer.Exit(0 if sound else 1)


def _audit_all(refs: list[JournalRef], workers: int, *, whole: bool) -> bool:
    """Audit slots; `whole` says that they are all there are, so that both halves of transfers must be among them."""
    if not refs:
        raise typer.BadParameter("there is no such domain")
    out = report.console()
    noted, groups = asyncio.run(stand_of(refs))
    counted = TextColumn("{task.completed:,} of {task.total:,} groups")
    with Progress(*Progress.get_default_columns(), counted, console=out, transient=True) as bar:
        task = bar.add_task(f"auditing {len(refs)} slots", total=groups)
        found = audit_all(noted, workers, lambda read: bar.advance(task, read))
    if whole:
        match_transfers(found)
    out.print(report.audit_table(found))
    return _told(found)


async def _audit_one(url: str, ring: KeyRing, account: str, lines_max: int) -> bool:
    ref = await _journal_of(url, ring, read_identity(account))
    followed = await audit_journal(ref, read_identity(account), lambda _: None, lines_max)
    if followed.account is not None:
        for text in _account_lines(ref, followed.report, followed.account):
            typer.echo(text)
        view = desk.HistoryView()
        fill_history(view.lines, followed.lines, explain=True)
        for shown in view.lines:
            for text in report.history_lines(shown):
                typer.echo(text)
    elif not followed.report.findings:
        typer.echo(f"{ref.name} has no account {account}: give the account's id, its primary identity", err=True)
        return False
    return _told([followed.report])


def _account_lines(ref: JournalRef, found: SlotReport, followed: Audit) -> list[str]:
    told = followed.report()
    lines = [f"account {told.account_id} in {ref.name}: {told.entries} entries, {told.refusals} refusals"]
    lines.append(f"hash chain of {found.groups:,} groups holds" if not found.findings else "the audit has findings")
    if found.later:
        lines.append("its beginning is in segments that are gone; followed from a snapshot")
    lines += [f"  {place}: {report.yuan(amount)}" for place, amount in sorted(told.totals.items())]
    if told.account is not None:
        lines += [
            f"  book {book.book_id} ({book.unit}): {_amount(book.unit, book.amount)}" for book in told.account.books
        ]
        lines.append(f"version {told.account.version}; {found.snapshots} snapshots compared")
    return lines


def _amount(unit: str, amount: int) -> str:
    return report.yuan(amount) if unit == "money" else f"{amount:,}"


def _told(found: list[SlotReport]) -> bool:
    findings = [finding for slot in found for finding in slot.findings]
    for finding in findings:
        typer.echo(finding, err=True)
    return not findings


def directory_url(folder: Path, directory: str) -> str:
    """Give the URL of the directory unit: as told, or that of the country in a data folder."""
    if directory:
        return directory
    mark = read_mark(folder)
    if mark is None:
        raise typer.BadParameter(f"{folder} holds no country; give --data or --directory")
    return lay_out(mark.base).directory


async def journals(url: str, ring: KeyRing, domain: str) -> list[JournalRef]:
    """Name the journals of a domain, or of the country. Raises `StoreUnavailable`."""
    unit = await open_to_read(url)
    directory = await Directory.open(unit, ring=ring)
    refs = [
        JournalRef(info.private_unit, slot_key(code, slot), ring=ring)
        for code, info in directory.domains.items()
        if domain in ("", code)
        for slot in range(info.slots)
    ]
    await directory.close()
    await unit.close()
    return refs


async def _journal_of(url: str, ring: KeyRing, account: str) -> JournalRef:
    unit = await open_to_read(url)
    directory = await Directory.open(unit, ring=ring)
    try:
        route = directory.resolve(account)
        return JournalRef(directory.domains[route.domain].private_unit, route.key, ring=ring)
    finally:
        await directory.close()
        await unit.close()
