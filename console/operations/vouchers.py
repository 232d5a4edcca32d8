"""`onetier vouchers`: batches of vouchers, from being made to being used; and the platforms' secret key."""

import csv
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from io import StringIO
from pathlib import Path
from typing import Annotated, TypeVar

import grpc
import typer
from google.protobuf.message import Message
from onetier.v1 import vouchers_pb2 as pb
from onetier.v1.vouchers_pb2_grpc import VoucherServiceStub
from rich.table import Table

from appserver.vouchers.keyfile import FILE_MODE, write_keys
from console import report
from console.arguments import Key
from console.operations.billing_calls import BillsCaller
from console.operations.directory_call import call_as_operator, patiently
from console.sharing import shares
from console.values import micro_units, time_ms
from console.views import Json, View, plain, print_view
from onetier_client import new_key

app = typer.Typer(help="Make, activate, block, expire, list and export vouchers.", no_args_is_help=True)

BatchId = Annotated[str, typer.Argument(metavar="BATCH", help='Name of a batch, such as "GD/0:5".')]
Reason = Annotated[str, typer.Option(help="Why; kept.")]
Serials = Annotated[list[str] | None, typer.Option("--serial", help="Only this voucher of it; may be repeated.")]
DAY_MS = 86_400_000
ReplyT = TypeVar("ReplyT")


@app.command()
@shares(BillsCaller)
def make(
    domain: Annotated[str, typer.Argument(help="Code of the domain that keeps them.")],
    count: Annotated[int, typer.Argument(min=1, help="How many, at most 50,000.")],
    amount: Annotated[str, typer.Argument(help="Of each: in the currency, as 50.00; or seconds, bytes, events.")],
    unit: Annotated[str, typer.Option(help="money, second, byte or event.")] = "money",
    slot: Annotated[int, typer.Option(min=0, help="Slot of the domain.")] = 0,
    book: Annotated[str, typer.Option(help="Which book takes it; default: the main one.")] = "",
    allowance: Annotated[str, typer.Option(help="Scope of that book, by the catalogue.")] = "",
    days: Annotated[int, typer.Option(min=0, help="How long what it gives holds; 0 = for ever.")] = 0,
    until: Annotated[str, typer.Option(help="When the vouchers expire, as 2027-01-01T00:00:00+08:00.")] = "",
    region: Annotated[list[str] | None, typer.Option(help="Only for accounts of this region; repeat it.")] = None,
    through: Annotated[list[str] | None, typer.Option(help="Used through this channel only; repeat it.")] = None,
    partner: Annotated[str, typer.Option(help="Used through this partner only.")] = "",
    label: Annotated[str, typer.Option(help="Shown with the batch.")] = "",
    key: Key = "",
    *,
    caller: BillsCaller,
) -> None:
    """Make a batch; nothing of it can be used until it is activated."""
    whole = key or new_key()
    terms = pb.VoucherTerms(
        amount=micro_units(amount) if unit == "money" else _number(amount),
        unit=unit,
        book_id=book,
        allowance=allowance,
        validity_ms=days * DAY_MS,
        valid_until_ms=time_ms(until) if until else 0,
        regions=region or [],
        channels=through or [],
        partner=partner,
        label=label,
    )
    request = pb.MakeVouchersRequest(caller=_as(caller, whole), domain=domain, slot=slot, terms=terms, count=count)
    told = _call(caller, lambda stub: stub.MakeVouchers, request)
    print_view(View([plain(told.batch)], [f"request key {whole}", _batches([told.batch])]), caller.as_json)


@app.command()
@shares(BillsCaller)
def activate(batch: BatchId, serial: Serials = None, key: Key = "", *, caller: BillsCaller) -> None:
    """Let the vouchers of a batch be used, after they were made or blocked."""
    _change(pb.ChangeVouchersRequest(activate=pb.ActivateVouchers()), batch, serial, key, caller)


@app.command()
@shares(BillsCaller)
def block(batch: BatchId, reason: Reason, serial: Serials = None, key: Key = "", *, caller: BillsCaller) -> None:
    """Let the vouchers of a batch not be used, until they are activated again."""
    _change(pb.ChangeVouchersRequest(block=pb.BlockVouchers(reason=reason)), batch, serial, key, caller)


@app.command()
@shares(BillsCaller)
def expire(batch: BatchId, reason: Reason, key: Key = "", *, caller: BillsCaller) -> None:
    """End what of a batch is not used, for good."""
    _change(pb.ChangeVouchersRequest(expire=pb.ExpireVouchers(reason=reason)), batch, None, key, caller)


@app.command("list")
@shares(BillsCaller)
def list_command(domain: Annotated[str, typer.Argument(help="Code of the domain.")], *, caller: BillsCaller) -> None:
    """List the batches of a domain, newest first, slot by slot."""
    found: list[pb.VoucherBatch] = []
    slot, slots, before = 0, 1, 0
    while slot < slots:
        request = pb.ListVoucherBatchesRequest(caller=_as(caller), domain=domain, slot=slot, before=before)
        page = _call(caller, lambda stub: stub.ListVoucherBatches, request)
        found += page.batches
        slots, before = page.slots, page.next_before
        slot += not before
    print_view(View([plain(each) for each in found], [_batches(found)] if found else ["no batches"]), caller.as_json)


@app.command()
@shares(BillsCaller)
def show(
    which: Annotated[str, typer.Argument(help='A batch "GD/0:5", or a voucher of it "GD/0:5.12.3".')],
    *,
    caller: BillsCaller,
) -> None:
    """Tell a batch, and what its vouchers are worth by their states; or one voucher."""
    one = "." in which.partition(":")[2]
    found: list[pb.Voucher] = []
    sheet = 0
    while True:
        named = {"serial": which} if one else {"batch_id": which}
        request = pb.ReadVouchersRequest(caller=_as(caller), sheet=sheet, sheets_max=200, **named)
        page = _call(caller, lambda stub: stub.ReadVouchers, request)
        found += page.vouchers
        sheet = page.next_sheet
        if not sheet:
            break
    if one:
        print_view(View([plain(found[0])], [_vouchers(found)]), caller.as_json)
        return
    states = Counter(each.state for each in found)
    face = page.batch.terms.amount
    rows = [{"state": state, "count": count, "worth": count * face} for state, count in sorted(states.items())]
    table = Table("state", "vouchers", "worth")
    for state, count in sorted(states.items()):
        table.add_row(state, str(count), _worth(page.batch.terms, count))
    print_view(View(rows, [_batches([page.batch]), table]), caller.as_json)


@app.command()
@shares(BillsCaller)
def export(
    batch: BatchId,
    file: Annotated[Path, typer.Argument(help="New file, its user's alone (0600): serial and code, as CSV.")],
    key: Key = "",
    *,
    caller: BillsCaller,
) -> None:
    """Write the codes of a batch to a file: once for ever; with the same key again when that was cut short."""
    whole = key or new_key()
    typer.echo(f"request key {whole}", err=True)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    except OSError as error:
        raise typer.BadParameter(f"{file} can't be made: {error.strerror}", param_hint="FILE") from error
    written, sheet = 0, 0
    with os.fdopen(handle, "w", encoding="ascii", newline="") as out:
        while True:
            request = pb.ExportVouchersRequest(caller=_as(caller, whole), batch_id=batch, sheet=sheet, sheets_max=200)
            page = _call(caller, lambda stub: stub.ExportVouchers, request)
            out.write(_csv([(each.serial, each.code) for each in page.codes]))
            written += len(page.codes)
            sheet = page.next_sheet
            if not sheet:
                break
    print_view(View([{"file": str(file), "codes": written}], [f"{written} codes in {file}"]), caller.as_json)


@app.command("key")
def key_command(
    file: Annotated[Path, typer.Argument(help="New file, its user's alone (0600); the setting voucher_keys.")],
    as_json: Json = False,
) -> None:
    """Make the secret key by which platforms make and read codes; all platforms of a country need the same."""
    try:
        write_keys(file)
    except OSError as error:
        raise typer.BadParameter(f"{file} can't be made: {error.strerror}", param_hint="FILE") from error
    told = f"a new key is in {file}: keep a copy where the stores are not"
    print_view(View([{"file": str(file)}], [told]), as_json)


def _change(
    request: pb.ChangeVouchersRequest, batch: str, serials: Sequence[str] | None, key: str, caller: BillsCaller
) -> None:
    whole = key or new_key()
    request.caller.CopyFrom(_as(caller, whole))
    request.batch_id = batch
    request.serials.extend(serials or [])
    told = _call(caller, lambda stub: stub.ChangeVouchers, request)
    lines = [f"request key {whole}", f"{told.sheets} sheets of {batch}"]
    print_view(View([{"request_key": whole, "sheets": told.sheets}], lines), caller.as_json)


def _call(
    caller: BillsCaller, which: Callable[[VoucherServiceStub], Callable[..., Awaitable[ReplyT]]], request: Message
) -> ReplyT:
    """Call the platform, as often as it says that it helps; see `call_as_operator`."""

    def work(channel: grpc.aio.Channel) -> Coroutine[None, None, ReplyT]:
        ask = which(VoucherServiceStub(channel))

        async def once(left_s: float) -> ReplyT:
            return await ask(request, timeout=left_s)

        return patiently(once)

    return call_as_operator(caller.endpoint, caller.tls, "appserver", work)


def _as(caller: BillsCaller, key: str = "") -> pb.VoucherCaller:
    return pb.VoucherCaller(request_key=key, actor=caller.actor, channel=caller.channel)


def _number(text: str) -> int:
    if not text.isdecimal():
        raise typer.BadParameter(f"{text!r} is no whole number of units", param_hint="AMOUNT")
    return int(text)


def _worth(terms: pb.VoucherTerms, count: int) -> str:
    total = terms.amount * count
    return f"{report.major(total)} {terms.currency}" if terms.unit == "money" else f"{total} {terms.unit}"


def _batches(batches: Sequence[pb.VoucherBatch]) -> Table:
    table = Table("batch", "vouchers", "each", "label", "made by", "needs two")
    for each in batches:
        worth = _worth(each.terms, 1)
        table.add_row(each.batch_id, str(each.count), worth, each.terms.label, each.made_by, "yes" if each.two else "")
    return table


def _vouchers(vouchers: Sequence[pb.Voucher]) -> Table:
    table = Table("serial", "state", "account", "key")
    for each in vouchers:
        table.add_row(each.serial, each.state, each.account_id, each.used_key)
    return table


def _csv(rows: Sequence[tuple[str, str]]) -> str:
    text = StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
