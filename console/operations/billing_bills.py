"""`onetier billing run`, `bill`, `bills`: accounts are billed, and what they were billed is shown."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from onetier.v1 import billing_pb2 as pb
from onetier.v1.billing_pb2_grpc import BillingServiceStub
from rich.table import Column, Table

from charging.base.money import show
from console.operations.billing_calls import (
    Approval,
    BillsCaller,
    Domain,
    PeriodText,
    RunReader,
    call,
    change_all,
    run_change,
    whole_period,
)
from console.operations.billing_opening import RunOpening, open_runs
from console.operations.billing_running import RunOrder, RunTotals, work
from console.operations.directory_call import patiently
from console.sharing import shares
from console.values import time_ms
from console.views import View, plain, print_view
from runtime.status import from_status

app = typer.Typer(no_args_is_help=True)
Identity = Annotated[str, typer.Argument(help="Number or name of a member, or account:… for the account itself.")]
PROGRESS_S = 2.0


@app.command()
@shares(RunReader)
def run(
    domain: Domain,
    period: PeriodText,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Slots that are worked at once.")] = 4,
    page: Annotated[int, typer.Option(min=1, max=5_000, help="Accounts of one page.")] = 2_000,
    trial: Annotated[bool, typer.Option("--trial", help="The same computation, and nothing is kept.")] = False,
    until: Annotated[str, typer.Option(help="End of the window; default: as planned, else in a day.")] = "",
    mode: Annotated[str, typer.Option(help="direct or staged; default: as planned, else direct.")] = "",
    backup: Annotated[
        Path | None, typer.Option(help="Back up the books of each slot to this folder, before its run is opened.")
    ] = None,
    approval: Approval = False,
    *,
    caller: RunReader,
) -> None:
    """Bill all accounts of a domain whose period is over: open the run, work it, complete it when nobody is due.

    It goes on where it stopped, however often it is called, and by however many at once. Ends with status 1 when an
    account could not be billed; its run stays open then.
    """
    whole = whole_period(period)
    until_ms = time_ms(until)
    begin = time.monotonic()
    said = [begin]

    def progress(totals: RunTotals) -> None:
        if time.monotonic() - said[0] >= PROGRESS_S and not caller.as_json:
            said[0] = time.monotonic()
            typer.echo(f"  {totals.accounts:,} accounts, {totals.bills:,} bills", err=True)

    async def ask(stub: BillingServiceStub) -> tuple[RunTotals, list[pb.BillRun]]:
        slots = caller.slot or await _slots(stub, domain, caller)
        if not trial:
            await open_runs(stub, RunOpening(domain, slots, whole, mode, until_ms, backup, approval), caller)
        order = RunOrder(domain, whole, slots, workers, page, trial, caller.actor, caller.channel)
        totals = await work(stub, order, progress)
        ended = [] if trial or totals.failures else await _complete(stub, domain, slots, whole, caller)
        return totals, ended

    totals, ended = call(caller, ask)
    took_s = time.monotonic() - begin
    rows = [{"domain": domain, "period": whole, "trial": trial, **_row(totals), "seconds": round(took_s, 3)}]
    print_view(View(rows, _told(totals, ended, took_s, trial=trial)), caller.as_json)
    for account_id, why in totals.failures.items():
        typer.echo(f"{account_id}: {why}", err=True)
    if totals.failures:
        raise typer.Exit(1)


@app.command()
@shares(BillsCaller)
def bill(
    identity: Identity,
    period: Annotated[
        str, typer.Option(help="2026-10; default: the newest that is closed, or with --trial and --now the next.")
    ] = "",
    trial: Annotated[bool, typer.Option("--trial", help="What the next bill would be, as of now.")] = False,
    now: Annotated[bool, typer.Option("--now", help="Bill this account alone now, its period being over.")] = False,
    *,
    caller: BillsCaller,
) -> None:
    """Show a bill of an account, with its lines; make it now, or show what the next one would be."""

    async def ask(stub: BillingServiceStub) -> pb.Bill | str:
        if trial or now:
            request = pb.BillAccountsRequest(
                identity=identity,
                period=whole_period(period) if period else "",
                trial=trial,
                actor=caller.actor,
                channel=caller.channel,
            )
            told = await patiently(lambda left_s: stub.BillAccounts(request, timeout=left_s))
            outcome = told.outcomes[0]
            if outcome.HasField("error"):
                raise from_status(outcome.error)
            nothing = f"there is nothing to bill in {outcome.period} of {outcome.account_id}"
            return outcome.bill if outcome.HasField("bill") else nothing
        reading = pb.ReadBillsRequest(identity=identity, periods_max=24, actor=caller.actor, channel=caller.channel)
        read = await patiently(lambda left_s: stub.ReadBills(reading, timeout=left_s))
        found = [each for each in read.bills if not period or each.period.startswith(period)]
        return found[0] if found else f"{identity} has no such bill"

    found = call(caller, ask)
    if isinstance(found, str):
        typer.echo(found, err=True)
        raise typer.Exit(1)
    print_view(View([found], bill_page(found)), caller.as_json)


@app.command()
@shares(BillsCaller)
def bills(
    identity: Identity,
    periods: Annotated[int, typer.Option(min=1, max=24, help="Periods of one page.")] = 12,
    page: Annotated[str, typer.Option(help="Where the page begins: what the page before told.")] = "",
    *,
    caller: BillsCaller,
) -> None:
    """List the bills of an account, newest first."""
    request = pb.ReadBillsRequest(
        identity=identity, periods_max=periods, page=page, actor=caller.actor, channel=caller.channel
    )

    async def ask(stub: BillingServiceStub) -> tuple[pb.ReadBillsResponse, bool]:
        read = await patiently(lambda left_s: stub.ReadBills(request, timeout=left_s))
        behind = pb.ReadBillsRequest()
        behind.CopyFrom(request)
        behind.page = read.next_page
        # The platform can't say where an account began: only the page behind does.
        more = read.next_page and (await patiently(lambda left_s: stub.ReadBills(behind, timeout=left_s))).bills
        return read, bool(more)

    told, has_more = call(caller, ask)
    table = Table(Column("number", no_wrap=True), "period", "gross", "tax", "total", "settled", "payable", "due")
    for each in told.bills:
        amounts = [show(amount) for amount in (each.gross, each.tax, each.total, each.settled, each.payable)]
        table.add_row(each.number, each.period, *amounts, each.due_day)
    more = [f"next page: --page '{told.next_page}'"] if has_more else []
    print_view(
        View([plain(each) for each in told.bills], [table, *more] if told.bills else ["no bills"]), caller.as_json
    )


async def _slots(stub: BillingServiceStub, domain: str, caller: BillsCaller) -> list[int]:
    request = pb.ListBillRunsRequest(domain=domain, actor=caller.actor, channel=caller.channel)
    told = await patiently(lambda left_s: stub.ListBillRuns(request, timeout=left_s))
    return list(range(told.slots))


async def _complete(
    stub: BillingServiceStub, domain: str, slots: Sequence[int], period: str, caller: BillsCaller
) -> list[pb.BillRun]:
    """Complete the run of each slot: nobody is due any more. Whoever else did it, did it."""
    request = run_change(domain, slots, period, caller)
    request.complete.CopyFrom(pb.CompleteBillRun())
    ended: list[pb.BillRun] = []
    for outcome in await change_all(stub, request):
        if not outcome.HasField("error"):
            ended.append(outcome.run)
        elif from_status(outcome.error).reason != "RUN_COMPLETED":
            raise from_status(outcome.error)
    return ended


def _row(totals: RunTotals) -> dict[str, object]:
    return {
        "accounts": totals.accounts,
        "bills": totals.bills,
        "billed_before": totals.repeated,
        "unheard": totals.unheard,
        "gross": totals.gross,
        "tax": totals.tax,
        "payable": totals.payable,
        "fees": totals.fees,
        "fees_refused": totals.fees_refused,
        "failures": totals.failures,
    }


def _told(totals: RunTotals, ended: Sequence[pb.BillRun], took_s: float, *, trial: bool) -> list[str]:
    rate = totals.accounts / took_s if took_s else 0.0
    lines = [
        f"{'trial: ' if trial else ''}{totals.accounts:,} accounts, {totals.bills:,} bills in {took_s:.1f} s"
        f" ({rate:,.0f} accounts/s)"
    ]
    for currency in sorted(totals.gross):
        lines.append(
            f"  {currency}: {show(totals.gross[currency])} with {show(totals.tax[currency])} tax,"
            f" {show(totals.payable[currency])} to pay"
        )
    if totals.fees_refused:
        lines.append(f"  fees of {totals.fees_refused:,} accounts could not be posted: they stay due")
    if totals.repeated:
        lines.append(f"  {totals.repeated:,} were billed by somebody else meanwhile")
    if totals.unheard:
        lines.append(f"  {totals.unheard:,} are closed or moved by now, their answer was lost: they are in no sum here")
    for run in ended:
        lines.append(f"  run {run.run_id} completed, {run.completion}")
    if totals.failures:
        lines.append(f"  {len(totals.failures):,} accounts could not be billed: the run stays open")
    return lines


def bill_page(found: pb.Bill) -> list[str | Table]:
    """Lay a bill out for people."""
    title = f"bill {found.number}" if found.number else "trial bill, nothing is kept"
    head = [
        f"{title} of {found.account_id}, {found.period}: {found.from_day} to {found.to_day}, {found.currency}",
        f"opening balance {show(found.opening)}",
    ]
    table = Table("item", "member", "kind", Column("net", justify="right"), Column("tax", justify="right"), "of")
    for line in found.lines:
        kind = f"{line.kind} {line.level}".strip()
        table.add_row(line.item, line.member, kind, show(line.net), show(line.tax), line.rule or line.origin)
    tail = [f"money: {each.kind} {show(each.amount)}" for each in found.money]
    tail += [f"tax {each.category or 'none'} {each.rate / 1_000_000:g} %: {show(each.tax)}" for each in found.taxes]
    tail += [
        f"carried in {show(found.carried_in)}, carried out {show(found.carried_out)}",
        f"total {show(found.total)}, settled {show(found.settled)}, payable {show(found.payable)}"
        + (f" until {found.due_day}" if found.due_day else ""),
        f"closing balance {show(found.closing)}",
    ]
    return [*head, table, *tail] if found.lines else [*head, *tail]
