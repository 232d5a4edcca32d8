"""`onetier billing arrears|owing|dun|pay`: who owes what, what is done about it, and money that comes in for it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Annotated

import grpc
import typer
from msgspec import structs
from onetier.v1 import receivables_pb2 as pb
from onetier.v1 import service_desk_pb2 as desk
from onetier.v1.receivables_pb2_grpc import ReceivablesServiceStub
from rich.table import Column, Table

from charging.base.account_id import identity_of
from charging.errors import Refused
from cluster.roles import read_role
from console import report
from console.arguments import Key
from console.operations.billing_calls import BillsCaller
from console.operations.customer_payment import CustomerPayment, CustomerShare, part_key, pay_customer
from console.operations.directory_call import call_as_operator, patiently
from console.sharing import shares
from console.values import micro_units
from console.views import View, done, plain, print_view
from onetier_client import AsyncClient, new_key

SWEEP_MS = 30_000
PAGE = 200
"""Accounts that are listed, then dunned side by side."""


Identity = Annotated[str, typer.Argument(help='Of a member, or "account:" and the account\'s id.')]


@shares(BillsCaller)
def arrears(identity: Identity, *, caller: BillsCaller) -> None:
    """Tell what an account owes by its bills, and what is done about it."""

    async def tell(client: AsyncClient) -> View:
        view = await client.arrears(identity, channel=caller.channel, actor=caller.actor)
        return View([plain(view)], arrears_lines(view))

    _ask(caller, tell)


@shares(BillsCaller)
def owing(domain: Annotated[str, typer.Argument(help="Code of the domain.")], *, caller: BillsCaller) -> None:
    """List the accounts of a domain that owe something, or are dunned."""

    async def work(channel: grpc.aio.Channel) -> list[desk.ArrearsView]:
        return [account async for page in pages(channel, domain, caller) for account in page]

    found = call_as_operator(caller.endpoint, caller.tls, "appserver", work)
    print_view(
        View([plain(each) for each in found], [_owing_table(found)] if found else ["nobody owes anything"]),
        caller.as_json,
    )


@shares(BillsCaller)
def dun(
    domain: Annotated[str, typer.Argument(help="Code of the domain.")],
    key: Key = "",
    *,
    caller: BillsCaller,
) -> None:
    """Take the steps of dunning that are due in a domain, account by account; the same key goes on where it stopped."""
    sweep = key or new_key()

    async def work(channel: grpc.aio.Channel) -> list[tuple[desk.ArrearsView, list[str]]]:
        taken: list[tuple[desk.ArrearsView, list[str]]] = []
        tls = read_role(caller.tls, "operator")
        async with AsyncClient([caller.endpoint], tls=tls, timeout_ms=SWEEP_MS) as client:
            async for page in pages(channel, domain, caller):
                steps = await asyncio.gather(*[_dun(client, each, sweep, caller) for each in page])
                taken += [pair for pair in zip(page, steps, strict=True) if pair[1]]
        return taken

    taken = call_as_operator(caller.endpoint, caller.tls, "appserver", work)
    rows = [{"account_id": each.account_id, "steps": steps} for each, steps in taken]
    table = Table("account", "overdue", "steps")
    for each, steps in taken:
        table.add_row(each.account_id, report.major(each.overdue), ", ".join(steps))
    print_view(View(rows, [table] if taken else ["nothing was due"]), caller.as_json)


@shares(BillsCaller)
def pay(
    identity: Identity,
    amount: Annotated[str, typer.Argument(help="In whole units of the currency, as 59.90.")],
    bill: Annotated[str, typer.Option(help="Only this one; default: the oldest due first.")] = "",
    service: Annotated[str, typer.Option(help="Only what this service owes.")] = "",
    reason: Annotated[str, typer.Option(help="Kept, and shown in the history.")] = "",
    customer: Annotated[bool, typer.Option("--customer", help="Over all accounts of the customer.")] = False,
    key: Key = "",
    *,
    caller: BillsCaller,
) -> None:
    """Take a payment in: it settles bills, and what is left goes to the balance.

    What broke half-way over all accounts of a customer goes on under the same --key.
    """
    micro, whole = micro_units(amount), key or new_key()

    async def tell(client: AsyncClient) -> View:
        if not customer:
            named = desk.Pay(amount=micro, bill=bill, service=service, reason=reason)
            result = await client.execute(
                identity, named, request_key=whole, channel=caller.channel, actor=caller.actor
            )
            return done(whole, result, report.movement_lines(result.movements))
        asked = CustomerPayment(identity, micro, reason, whole)
        told = await pay_customer(client, asked, caller)
        rows = [{"request_key": whole, **structs.asdict(each)} for each in told]
        return View(rows, [f"request key {whole}", *map(_share_line, told)])

    if customer and (bill or service):
        raise typer.BadParameter("a customer's payment goes to the oldest bills", param_hint="--customer")
    _ask(caller, tell)


def _ask(caller: BillsCaller, tell: Callable[[AsyncClient], Awaitable[View]]) -> None:
    """Ask as an operator, and print."""

    async def work(_channel: grpc.aio.Channel) -> View:
        async with AsyncClient([caller.endpoint], tls=read_role(caller.tls, "operator"), timeout_ms=SWEEP_MS) as client:
            return await tell(client)

    print_view(call_as_operator(caller.endpoint, caller.tls, "appserver", work), caller.as_json)


async def pages(
    channel: grpc.aio.Channel, domain: str, caller: BillsCaller
) -> AsyncIterator[Sequence[desk.ArrearsView]]:
    """Give the accounts that owe something, slot by slot, in pages."""
    stub = ReceivablesServiceStub(channel)
    slot, slots, page = 0, 1, ""
    while slot < slots:
        request = pb.ListOwingRequest(
            domain=domain, slot=slot, page=page, accounts_max=PAGE, channel=caller.channel, actor=caller.actor
        )
        told = await patiently(partial(_list, stub, request))
        slots, page = told.slots, told.next_page
        yield told.accounts
        slot += not page


async def _list(stub: ReceivablesServiceStub, request: pb.ListOwingRequest, left_s: float) -> pb.ListOwingResponse:
    told: pb.ListOwingResponse = await stub.ListOwing(request, timeout=left_s)
    return told


async def _dun(client: AsyncClient, account: desk.ArrearsView, sweep: str, caller: BillsCaller) -> list[str]:
    """Dun one account, and give the steps that were taken; those that a rule keeps quiet now are left to the next."""
    try:
        result = await client.execute(
            identity_of(account.account_id),
            desk.Dun(reason="sweep"),
            request_key=part_key(sweep, account.account_id),
            channel=caller.channel,
            actor=caller.actor,
        )
    except Refused as refused:
        if refused.reason in ("DUNNING_QUIET", "ACCOUNT_CLOSED"):
            return []
        raise
    return [notice.partition(":")[2] for notice in result.notices if notice.startswith("dunning:")]


def _share_line(share: CustomerShare) -> str:
    before = ", as it was paid before" if share.repeated else ""
    return f"{share.account_id}: {report.major(share.amount)}{before}"


def arrears_lines(view: desk.ArrearsView) -> Iterable[str | Table]:
    """Tell open bills and steps of dunning."""
    held = f", {report.major(view.disputed)} disputed" if view.disputed else ""
    yield f"{view.account_id} ({view.status}) owes {report.major(view.open)} {view.currency}{held}"
    if view.overdue:
        yield f"  overdue {report.major(view.overdue)} since {report.moment(view.overdue_since_ms)}"
    if view.bills:
        table = Table(
            Column("bill", no_wrap=True), "period", "due", "billed", "open", "disputed", "overdue", "late fee"
        )
        for bill in view.bills:
            figures = (bill.billed, bill.open, bill.disputed, bill.overdue, bill.late_fee)
            table.add_row(bill.number, bill.period, report.moment(bill.due_ms), *map(report.major, figures))
        yield table
    for bill in view.bills:
        for part in bill.instalments:
            until = report.moment(part.due_ms)
            yield f"  {report.major(part.amount)} of {bill.number} was agreed to be paid until {until}"
    for step in view.dunning:
        yield f"  {step.action} {step.service_code or 'account'} since {report.moment(step.since_ms)} ({step.step})"


def _owing_table(accounts: Sequence[desk.ArrearsView]) -> Table:
    table = Table(Column("account", no_wrap=True), "status", "bills", "open", "disputed", "overdue", "steps")
    for each in accounts:
        steps = ", ".join(f"{row.step}:{row.service_code}" if row.service_code else row.step for row in each.dunning)
        figures = map(report.major, (each.open, each.disputed, each.overdue))
        table.add_row(each.account_id, each.status, str(len(each.bills)), *figures, steps)
    return table
