"""`onetier billing`: the bill runs of a domain, over all its slots, each with its own outcome."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from onetier.v1 import billing_pb2 as pb
from onetier.v1.billing_pb2_grpc import BillingServiceStub
from rich.table import Column, Table

from console import report
from console.operations import explaining, receivables
from console.operations.billing_bills import app as bills_app
from console.operations.billing_calls import (
    NO_WORDS,
    Approval,
    BillsCaller,
    Domain,
    Mode,
    PeriodText,
    RunChanger,
    RunReader,
    Until,
    call,
    change_all,
    fail,
    list_all,
    whole_period,
)
from console.operations.billing_opening import staged
from console.operations.coming_fees import fees
from console.operations.customer_bill import customer_bill
from console.operations.directory_call import patiently
from console.operations.documents import document
from console.operations.reconciling import reconcile
from console.sharing import shares
from console.values import time_ms
from console.views import View, plain, print_view
from onetier_client import new_key

app = typer.Typer(
    help="""Plan, open, work and end the bill runs of a domain; bills of accounts.

    What would the next bill be? `onetier billing bill IDENTITY --trial`. Which fees come? `onetier billing fees`.""",
    no_args_is_help=True,
)
app.add_typer(bills_app)
app.command("document")(document)
app.command("customer-bill")(customer_bill)
app.command("fees")(fees)
app.command("explain")(explaining.explain)
app.command("charge")(explaining.charge)
app.command()(reconcile)
app.command()(staged)
for _command in (receivables.arrears, receivables.owing, receivables.dun, receivables.pay):
    app.command()(_command)


@app.command()
@shares(RunChanger)
def plan(
    domain: Domain,
    period: PeriodText,
    begins: Annotated[str, typer.Option("--from", help="Beginning of the window, as 2026-11-01T00:30:00+08:00.")],
    until: Until,
    mode: Mode = "direct",
    *,
    caller: RunChanger,
) -> None:
    """Say when a period will be billed; it must be over by then."""
    request = _change(domain, period, caller)
    request.plan.CopyFrom(pb.PlanBillRun(mode=mode, from_ms=time_ms(begins), until_ms=time_ms(until)))
    _do(request, caller, {"WINDOW_EMPTY": "--until is no time after --from"})


@app.command("open")
@shares(RunChanger)
def open_command(
    domain: Domain,
    period: PeriodText,
    until: Until = "",
    mode: Annotated[str, typer.Option(help="direct or staged; default: as planned, else direct.")] = "",
    approval: Approval = False,
    *,
    caller: RunChanger,
) -> None:
    """Open the runs of a period that is over; its accounts are in their billing period from here on."""
    request = _change(domain, period, caller)
    request.open.CopyFrom(pb.OpenBillRun(mode=mode, until_ms=time_ms(until), approval=approval))
    empty = "--until is over already" if until else "no window is planned: say with --until when it ends"
    _do(request, caller, {"WINDOW_EMPTY": empty})


@app.command()
@shares(RunChanger)
def complete(
    domain: Domain,
    period: PeriodText,
    *,
    caller: RunChanger,
) -> None:
    """Complete the runs of a period: early inside their window, else late."""
    request = _change(domain, period, caller)
    request.complete.CopyFrom(pb.CompleteBillRun())
    _do(request, caller)


@app.command()
@shares(RunChanger)
def cancel(
    domain: Domain,
    period: PeriodText,
    reason: Annotated[str, typer.Option(help="Why; kept with the run.")],
    *,
    caller: RunChanger,
) -> None:
    """Give up runs that are planned or open; the period can be planned or opened again."""
    request = _change(domain, period, caller)
    request.cancel.CopyFrom(pb.CancelBillRun(reason=reason))
    _do(request, caller)


@app.command("approve-documents")
@shares(RunChanger)
def approve_documents(
    domain: Domain,
    period: PeriodText,
    *,
    caller: RunChanger,
) -> None:
    """Release the documents of completed runs that wait for it, by another certificate than opened them."""
    request = _change(domain, period, caller)
    request.approve_documents.CopyFrom(pb.ApproveDocuments())
    _do(request, caller)


@app.command("refuse-documents")
@shares(RunChanger)
def refuse_documents(
    domain: Domain,
    period: PeriodText,
    reason: Annotated[str, typer.Option(help="Why; kept with the run.")],
    *,
    caller: RunChanger,
) -> None:
    """Keep the documents of completed runs back; they may be approved later."""
    request = _change(domain, period, caller)
    request.refuse_documents.CopyFrom(pb.RefuseDocuments(reason=reason))
    _do(request, caller)


@app.command("list")
@shares(RunReader)
def list_command(
    domain: Domain,
    *,
    caller: RunReader,
) -> None:
    """List the runs of a domain: those that are not over, and of each cycle day the newest that are."""
    request = pb.ListBillRunsRequest(domain=domain, slots=caller.slot or (), channel=caller.channel, actor=caller.actor)

    told = call(caller, lambda stub: list_all(stub, request))
    print_view(View(told.runs, _table(told.runs)), caller.as_json)
    fail(domain, told.failures)


@app.command()
@shares(BillsCaller)
def show(
    run: Annotated[str, typer.Argument(help="Name of a run, as `onetier billing list` tells it: GD/17:2026-10/1.")],
    lines: Annotated[int, typer.Option(min=1, max=500, help="How many of the newest changes of its slot.")] = 20,
    *,
    caller: BillsCaller,
) -> None:
    """Show a run, and what was asked of the runs of its slot, newest first, refusals included."""
    place, _, period = run.partition(":")
    domain, _, number = place.rpartition("/")
    if not (domain and period and number.isascii() and number.isdecimal() and len(number) < 6):
        raise typer.BadParameter(f"{run!r} is no name of a run: give one such as GD/17:2026-10/1")
    slot = int(number)
    listing = pb.ListBillRunsRequest(domain=domain, slots=[slot], channel=caller.channel, actor=caller.actor)
    reading = pb.ReadBillRunHistoryRequest(
        domain=domain, slot=slot, lines_max=lines, channel=caller.channel, actor=caller.actor
    )

    async def ask(stub: BillingServiceStub) -> tuple[pb.ListBillRunsResponse, pb.ReadBillRunHistoryResponse]:
        told = await list_all(stub, listing)
        return told, await patiently(lambda left_s: stub.ReadBillRunHistory(reading, timeout=left_s))

    told, read = call(caller, ask)
    fail(domain, told.failures)
    found = [each for each in told.runs if each.period == period]
    if not found:
        typer.echo(f"{place} has no run of {period}", err=True)
        raise typer.Exit(1)
    rows = [{**plain(each), "changes": read.changes} for each in found]
    print_view(View(rows, [*_table(found), *map(_sentence, read.changes)]), caller.as_json)


def _sentence(change: pb.BillRunChange) -> str:
    who = change.principal + (f" ({change.actor})" if change.actor else "")
    said = change.text or f"{change.kind} refused: {change.refusal}"
    return f"{report.moment(change.time_ms)}  {said}  by {who}, key {change.request_key}"


def _change(domain: str, period: str, caller: RunChanger) -> pb.ChangeBillRunsRequest:
    return pb.ChangeBillRunsRequest(
        domain=domain,
        slots=caller.slot or (),
        period=whole_period(period),
        request_key=caller.key or new_key(),
        actor=caller.actor,
        channel=caller.channel,
    )


def _do(request: pb.ChangeBillRunsRequest, caller: BillsCaller, words: Mapping[str, str] = NO_WORDS) -> None:
    outcomes = call(caller, lambda stub: change_all(stub, request))
    failed = [each for each in outcomes if each.HasField("error")]
    key = request.request_key
    repeated = sum(each.repeated for each in outcomes)
    again = f", {repeated} of them as told before" if repeated else ""
    told = f"done in {len(outcomes) - len(failed)} of {len(outcomes)} slots{again}; request key {key}"
    table = _table([each.run for each in outcomes if not each.HasField("error")])
    print_view(View([{"request_key": key, **plain(each)} for each in outcomes], [*table, told]), caller.as_json)
    fail(request.domain, failed, words)


def _table(runs: Sequence[pb.BillRun]) -> list[Table]:
    if not runs:
        return []
    table = Table(
        Column("run", no_wrap=True), "mode", "state", "window until", "opened", "ended", "documents", "reason"
    )
    for run in runs:
        state = f"{run.state}, {run.completion}" if run.completion else run.state
        table.add_row(
            run.run_id,
            run.mode,
            state,
            _when(run.until_ms),
            _when(run.opened_ms),
            _when(run.ended_ms),
            run.documents,
            run.reason or run.why_held,
        )
    return [table]


def _when(moment_ms: int) -> str:
    return report.moment(moment_ms).partition(".")[0] if moment_ms else ""
