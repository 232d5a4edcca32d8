"""`onetier channel`, `partner`, `range`, `entry`: what the directory has of each, put in, taken out, listed."""

from typing import Annotated

import typer
from msgspec import Struct
from onetier.v1 import data_center_pb2 as dc
from onetier.v1 import data_center_pb2_grpc as dc_grpc
from rich.table import Table

from console.arguments import Key
from console.operations.directory_call import CALL_TIMEOUT_S, DATACENTER, Certificates, DataCenter, call_directory
from console.sharing import shares
from console.views import Json, View, plain, print_view
from onetier_client import new_key

PAGE = 1_000
channels = typer.Typer(help="List, open, close and remove access channels.", no_args_is_help=True)
partners = typer.Typer(help="List, set and remove partners.", no_args_is_help=True)
ranges = typer.Typer(help="List, lead and remove ranges of the number plan, one by one.", no_args_is_help=True)
entries = typer.Typer(help="List, set and remove numbers and names that are served elsewhere than the plan says.",
                      no_args_is_help=True)  # fmt: skip

KINDS = {"channel": channels, "partner": partners, "range": ranges, "entry": entries}
Code = Annotated[str, typer.Argument(help="Letters, digits and _ . -, at most 32.")]
Name = Annotated[str, typer.Option("--name", help="For people; default: the code.")]
Prefix = Annotated[str, typer.Argument(help="Digits of E.164 without +, such as 861390.")]
Domain = Annotated[str, typer.Argument(help="Code of the domain.")]
OfDomain = Annotated[str, typer.Option("--domain", help="Only what leads to this domain.")]
Identity = Annotated[str, typer.Argument(help="As it is kept: msisdn:8613…, broadband:…")]


class Reader(Struct, frozen=True, kw_only=True):
    """Who is asked, and how much."""

    after: Annotated[str, typer.Option(help="Begin behind this key: the last one of the page before.")] = ""
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = PAGE
    datacenter: DataCenter = DATACENTER
    tls: Certificates = None
    as_json: Json = False


class Amender(Struct, frozen=True, kw_only=True):
    """Who changes the directory, once for each key."""

    actor: Annotated[str, typer.Option(help="Who orders it; kept beside the certificate's name.")] = "operator"
    key: Key = ""
    datacenter: DataCenter = DATACENTER
    tls: Certificates = None
    as_json: Json = False


@channels.command("set")
@shares(Amender)
def set_channel(
    code: Code,
    name: Name = "",
    closed: Annotated[bool, typer.Option("--closed", help="Requests that name it are refused.")] = False,
    partners_only: Annotated[bool, typer.Option("--partners-only", help="Requests must name a partner.")] = False,
    *,
    amender: Amender,
) -> None:
    """Open a channel, or change one."""
    channel = dc.Channel(code=code, name=name or code, open=not closed, partners_only=partners_only)
    _amend(dc.DirectoryChange(channel=channel), amender)


@channels.command("remove")
@shares(Amender)
def remove_channel(code: Code, amender: Amender) -> None:
    """Take a channel away; not while a grant names it."""
    _amend(dc.DirectoryChange(channel=dc.Channel(code=code, remove=True)), amender)


@channels.command("list")
@shares(Reader)
def list_channels(reader: Reader) -> None:
    """List channels."""
    _list("channel", ("channel", "name", "open", "partners only"), "", reader)


@partners.command("set")
@shares(Amender)
def set_partner(
    code: Code,
    name: Name = "",
    inactive: Annotated[bool, typer.Option("--inactive", help="Requests that name it are refused.")] = False,
    *,
    amender: Amender,
) -> None:
    """Put a partner in, or change one."""
    _amend(dc.DirectoryChange(partner=dc.Partner(code=code, name=name or code, active=not inactive)), amender)


@partners.command("remove")
@shares(Amender)
def remove_partner(code: Code, amender: Amender) -> None:
    """Take a partner away; not while a grant names it."""
    _amend(dc.DirectoryChange(partner=dc.Partner(code=code, remove=True)), amender)


@partners.command("list")
@shares(Reader)
def list_partners(reader: Reader) -> None:
    """List partners."""
    _list("partner", ("partner", "name", "active"), "", reader)


@ranges.command("set")
@shares(Amender)
def set_range(prefix: Prefix, domain: Domain, amender: Amender) -> None:
    """Lead a range to a domain. Accounts that are open stay where they are: port those numbers."""
    _amend(dc.DirectoryChange(range=dc.NumberRange(prefix=prefix, domain=domain)), amender)


@ranges.command("remove")
@shares(Amender)
def remove_range(prefix: Prefix, amender: Amender) -> None:
    """Take a range out: its numbers are served where a shorter prefix leads, or by nobody."""
    _amend(dc.DirectoryChange(range=dc.NumberRange(prefix=prefix, remove=True)), amender)


@ranges.command("list")
@shares(Reader)
def list_ranges(domain: OfDomain = "", *, reader: Reader) -> None:
    """List the number plan."""
    _list("range", ("prefix", "domain"), domain, reader)


@entries.command("set")
@shares(Amender)
def set_entry(
    identity: Identity,
    domain: Domain,
    slot: Annotated[int, typer.Option(min=0, help="Of the account that it belongs to.")] = 0,
    *,
    amender: Amender,
) -> None:
    """Have an identity served by a slot, whatever the plan says. It moves no account: `onetier port` does."""
    _amend(dc.DirectoryChange(entry=dc.DirectoryEntry(identity=identity, domain=domain, slot=slot)), amender)


@entries.command("remove")
@shares(Amender)
def remove_entry(identity: Identity, amender: Amender) -> None:
    """Give an identity back to the plan."""
    _amend(dc.DirectoryChange(entry=dc.DirectoryEntry(identity=identity, remove=True)), amender)


@entries.command("list")
@shares(Reader)
def list_entries(domain: OfDomain = "", *, reader: Reader) -> None:
    """List entries."""
    _list("entry", ("identity", "domain", "slot"), domain, reader)


def _amend(change: dc.DirectoryChange, amender: Amender) -> None:
    request = dc.AmendRequest(changes=[change], request_key=amender.key or new_key(), actor=amender.actor)

    async def send(stub: dc_grpc.DirectoryServiceStub) -> dc.AmendResponse:
        amended: dc.AmendResponse = await stub.Amend(request, timeout=CALL_TIMEOUT_S)
        return amended

    # Told before it is sent: without an answer the key is what a repeat needs.
    typer.echo(f"request key {request.request_key}", err=amender.as_json)
    amended = call_directory(amender.datacenter, amender.tls, send)
    row = {"request_key": request.request_key, **plain(amended)}
    print_view(View([row], [f"revision {amended.revision}"]), amender.as_json)


def _list(kind: str, columns: tuple[str, ...], domain: str, reader: Reader) -> None:
    found, more = call_directory(
        reader.datacenter, reader.tls, lambda stub: _pages(stub, kind, domain, reader.after, reader.limit)
    )
    rows = [{name: value for name, value in plain(one).items() if name != "remove"} for one in found]
    table = Table(*columns)
    for row in rows:
        table.add_row(*(_word(value) for value in row.values()))
    text: list[Table | str] = [table]
    if more:
        text.append(f"there is more: --after {more}")
    print_view(View(rows, text), reader.as_json)


async def _pages(
    stub: dc_grpc.DirectoryServiceStub, kind: str, domain: str, after: str, limit: int
) -> tuple[list[dc.Channel | dc.Partner | dc.NumberRange | dc.DirectoryEntry], str]:
    """Ask page by page; gives at most `limit` records, and the key behind which there is more, "" = none."""
    found: list[dc.Channel | dc.Partner | dc.NumberRange | dc.DirectoryEntry] = []
    while True:
        request = dc.ListRecordsRequest(kind=kind, after=after, limit=min(PAGE, limit - len(found)), domain=domain)
        page: dc.ListRecordsResponse = await stub.ListRecords(request, timeout=CALL_TIMEOUT_S)
        found += (getattr(one, kind) for one in page.records)
        after = page.next_after
        if not after or len(found) >= limit:
            return found, after


def _word(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
