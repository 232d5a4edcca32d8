"""`onetier billing customer-bill`: what the payer of many accounts is asked for a month."""

from collections.abc import Iterator
from typing import Annotated

import typer
from onetier.v1 import billing_pb2 as pb
from onetier.v1.billing_pb2_grpc import BillingServiceStub
from rich.table import Column, Table

from charging.base.money import show
from console.operations.billing_calls import BillsCaller, call
from console.operations.directory_call import patiently
from console.sharing import shares
from console.views import View, plain, print_view


@shares(BillsCaller)
def customer_bill(
    identity: Annotated[str, typer.Argument(help="A member of any account of the customer, or account:….")],
    period: Annotated[str, typer.Argument(metavar="MONTH", help="2026-10: the periods that begin in it.")],
    *,
    caller: BillsCaller,
) -> None:
    """Show the bills of all accounts of a customer for a month, with what they come to.

    Ends with status 1 while an account has not closed the month: the sums are not all there yet.
    """

    async def ask(stub: BillingServiceStub) -> list[pb.ReadCustomerBillResponse]:
        pages: list[pb.ReadCustomerBillResponse] = []
        request = pb.ReadCustomerBillRequest(
            identity=identity, period=period, actor=caller.actor, channel=caller.channel
        )
        while True:
            pages.append(await patiently(lambda left_s: stub.ReadCustomerBill(request, timeout=left_s)))
            request.page = pages[-1].next_page
            if not request.page:
                return pages

    pages = call(caller, ask)
    rows = [plain(each) for page in pages for each in page.accounts]
    print_view(View(rows, list(_lines(pages))), caller.as_json)
    if not all(page.complete for page in pages):
        typer.echo("some accounts have not closed the month: bill them, then ask again", err=True)
        raise typer.Exit(1)


def _lines(pages: list[pb.ReadCustomerBillResponse]) -> Iterator[str | Table]:
    yield f"customer {pages[0].customer_id}, {pages[0].period}"
    right = [Column(name, justify="right") for name in ("total", "settled", "payable", "open now")]
    table = Table(Column("account", no_wrap=True), "state", Column("number", no_wrap=True), "currency", *right)
    totals: dict[str, tuple[int, int, int]] = {}
    for page in pages:
        for each in page.accounts:
            bill = each.bill
            sums = [show(amount) for amount in (bill.total, bill.settled, bill.payable, each.open)]
            table.add_row(
                each.account_id, each.state, bill.number, bill.currency, *(sums if each.state == "billed" else [""] * 4)
            )
        for one in page.totals:
            total, payable, still = totals.get(one.currency, (0, 0, 0))
            totals[one.currency] = total + one.total, payable + one.payable, still + one.open
    yield table
    for currency, (total, payable, still) in totals.items():
        yield f"{currency}: total {show(total)}, payable {show(payable)}, open now {show(still)}"
