"""`onetier billing document`: bills as PDFs or JSON, of an account by the platform, or from their JSON."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import grpc
import msgspec
import typer
from onetier.v1 import billing_pb2 as pb
from onetier.v1 import data_center_pb2_grpc as dc_grpc

from audit.explaining import explain_period
from business.billing.periods import read_period
from charging.base.account_id import identity_of, slot_of
from charging.bills.bill import Bill
from charging.catalogue.document import Catalogue
from charging.errors import Invalid
from cluster.roles import read_role
from console.operations.billing_calls import BillsCaller, call
from console.operations.directory_call import DATACENTER, DataCenter, call_as_operator, call_directory
from console.operations.document_payments import payments_of
from console.operations.document_reading import BillsRead, called, details_of, read_bill, read_catalogues
from console.operations.explaining import Slot, journal_of
from console.operations.keys import ChainKeys
from console.operations.operate import FOLDER, DirectoryUrl, Folder
from console.sharing import shares
from console.views import View, print_view
from documents.document import BillDocument, Language, Payment, PrintedDetail
from documents.fonts import font_folder
from documents.jsonform import from_json, schema, to_json
from documents.printing import print_all
from documents.typesetting import TEMPLATE
from onetier_client import AsyncClient

FILE_BYTES_MAX = 64 << 20
TIMEOUT_MS = 30_000


class DocumentCaller(BillsCaller, frozen=True, kw_only=True):
    """Who asks for a document, and where what is on it is found."""

    datacenter: DataCenter = DATACENTER
    slot: Slot = ""
    folder: Folder = FOLDER
    directory: DirectoryUrl = ""
    keys: ChainKeys = None


@shares(DocumentCaller)
def document(
    account: Annotated[str, typer.Argument(help="Id of the account, or a number or name of its members.")] = "",
    period: Annotated[str, typer.Argument(help="2026-10, or 2026-10/15 as the bill has it.")] = "",
    sources: Annotated[
        list[Path] | None, typer.Option("--from", help="A bill as JSON (docs/bill.schema.json); may be repeated.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="File for the PDF of an account's bill.")] = None,
    to: Annotated[
        Path, typer.Option("--to", help="Folder for the PDFs; each is named after its bill's number.")
    ] = Path(),
    language: Annotated[str, typer.Option(help="zh or en; default: as the document says, else zh.")] = "",
    details: Annotated[
        bool, typer.Option("--details", help="With a record of each charge, from the account's journal.")
    ] = False,
    template: Annotated[Path, typer.Option(help="Another layout, in typst; it gets the same data.")] = TEMPLATE,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that set documents.")] = 1,
    show_schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of a bill, and end.")] = False,
    *,
    caller: DocumentCaller,
) -> None:
    """Make PDFs of bills: checked to the micro-unit first, then set with the project's own font.

    Of an account's bill, `--json` without `--out` gives the document itself as JSON.
    """
    if show_schema:
        typer.echo(msgspec.json.format(msgspec.json.encode(schema(), order="sorted"), indent=2).decode())
        return
    if sources:
        if account or out or details:
            raise typer.BadParameter("give an account and its period, or --from with --to: a file has its details")
        bills = [_read(source, language) for source in sources]
        _print(bills, [to / f"{file_name(bill)}.pdf" for bill in bills], template, workers, caller.as_json)
        return
    if not (account and period):
        raise typer.BadParameter("name the account and the period of the bill to print, or a file by --from")
    made = _gathered(account, period, language_of(language or "zh"), details, caller)
    if caller.as_json and out is None:
        typer.echo(to_json(made).decode())
        return
    _print([made], [out or to / f"{file_name(made)}.pdf"], template, workers, caller.as_json)


def _gathered(account: str, period: str, language: Language, details: bool, caller: DocumentCaller) -> BillDocument:
    identity = identity_of(account) if slot_of(account) else account
    request = pb.ReadBillsRequest(identity=identity, actor=caller.actor, channel=caller.channel, document_of=period)
    read: BillsRead | None = call(caller, lambda stub: read_bill(stub, request, period))
    if read is None:
        typer.echo(f"{account} has no bill of {period}", err=True)
        raise typer.Exit(1)
    words = called(_catalogues(read.bill, caller), language)
    records = tuple(_details(read.bill, words.units, caller)) if details else ()
    return BillDocument(
        read.bill,
        language,
        names=words.names,
        history=read.history,
        payments=_payments(identity, read.bill, caller),
        details=records,
    )


def _payments(identity: str, bill: Bill, caller: DocumentCaller) -> tuple[Payment, ...]:
    async def work(_channel: grpc.aio.Channel) -> tuple[Payment, ...]:
        tls = read_role(caller.tls, "operator")
        async with AsyncClient([caller.endpoint], tls=tls, timeout_ms=TIMEOUT_MS) as client:
            return await payments_of(client, identity, bill, caller)

    return call_as_operator(caller.endpoint, caller.tls, "appserver", work)


def _catalogues(bill: Bill, caller: DocumentCaller) -> list[Catalogue]:
    """Read the catalogues that name what is on a bill; without a data center it is printed with ids."""
    domain = slot_of(bill.account).partition("/")[0]

    async def ask(stub: dc_grpc.DirectoryServiceStub) -> list[Catalogue]:
        return await read_catalogues(stub, domain, bill.to_day)

    try:
        return call_directory(caller.datacenter, caller.tls, ask)
    except typer.Exit:
        typer.echo("no names from the catalogue: items are printed by their ids", err=True)
        return []


def _details(bill: Bill, units: dict[str, str], caller: DocumentCaller) -> Iterator[PrintedDetail]:
    ref = journal_of(bill.account, caller.slot, caller.folder, caller.directory, caller.keys)
    found = asyncio.run(explain_period(ref, bill.account, read_period(bill.period).month))
    return details_of(found, units)


def _print(bills: Sequence[BillDocument], paths: Sequence[Path], template: Path, workers: int, as_json: bool) -> None:
    fonts = font_folder(lambda said: typer.echo(said, err=True))
    for bill, path, pdf in zip(bills, paths, print_all(bills, fonts, template, workers), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pdf)
        row = {"number": bill.bill.number, "account": bill.bill.account, "path": str(path), "bytes": len(pdf)}
        print_view(View([row], [f"{path}: {len(pdf):,} bytes"]), as_json)


def file_name(document: BillDocument) -> str:
    """Name the file of a bill: by its number, and a trial by account and period."""
    bill = document.bill
    text = bill.number or f"trial-{bill.account}-{bill.period}"
    return "".join(each if each.isalnum() or each in "-_." else "_" for each in text).lstrip(".")[:150] or "bill"


def _read(source: Path, language: str) -> BillDocument:
    if source.stat().st_size > FILE_BYTES_MAX:
        raise Invalid("DOCUMENT_UNREADABLE", f"{source} is larger than {FILE_BYTES_MAX >> 20} MB")
    try:
        found = from_json(source.read_bytes())
    except Invalid as fault:
        raise Invalid(fault.reason, f"{source}: {fault.message}", fields=fault.fields) from None
    if not language:
        return found
    return msgspec.structs.replace(found, language=language_of(language))


def language_of(text: str) -> Language:
    """Read the name of a language."""
    if text == "zh":
        return "zh"
    if text == "en":
        return "en"
    raise typer.BadParameter(f"{text!r} is no language of documents: write zh or en", param_hint="--language")
