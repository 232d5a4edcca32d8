"""`onetier billing document`: bills as PDFs, from their JSON."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from charging.errors import Invalid
from console.views import Json, View, print_view
from documents.document import BillDocument, Language
from documents.fonts import font_folder
from documents.jsonform import from_json, schema
from documents.printing import print_all
from documents.typesetting import TEMPLATE

FILE_BYTES_MAX = 64 << 20


def document(
    sources: Annotated[
        list[Path] | None, typer.Option("--from", help="A bill as JSON (docs/bill.schema.json); may be repeated.")
    ] = None,
    to: Annotated[
        Path, typer.Option("--to", help="Folder for the PDFs; each is named after its bill's number.")
    ] = Path(),
    language: Annotated[str, typer.Option(help="zh or en; default: as the document says.")] = "",
    template: Annotated[Path, typer.Option(help="Another layout, in typst; it gets the same data.")] = TEMPLATE,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that set documents.")] = 1,
    show_schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of a bill, and end.")] = False,
    as_json: Json = False,
) -> None:
    """Make PDFs of bills: checked to the micro-unit first, then set with the project's own font."""
    if show_schema:
        typer.echo(msgspec.json.format(msgspec.json.encode(schema(), order="sorted"), indent=2).decode())
        return
    if not sources:
        raise typer.BadParameter("name the bill to print", param_hint="--from")
    bills = [_read(source, language) for source in sources]
    _print(bills, to, template, workers, as_json)


def _print(bills: Sequence[BillDocument], to: Path, template: Path, workers: int, as_json: bool) -> None:
    fonts = font_folder(lambda said: typer.echo(said, err=True))
    to.mkdir(parents=True, exist_ok=True)
    for bill, pdf in zip(bills, print_all(bills, fonts, template, workers), strict=True):
        path = to / f"{file_name(bill)}.pdf"
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
    found = from_json(source.read_bytes())
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
