"""What the demo tells of its billing cycle: runs by region, what was staged and replayed, one bill and its document."""

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct
from onetier.v1 import billing_pb2 as pb
from onetier.v1.billing_pb2_grpc import BillingServiceStub
from rich.console import Console, RenderableType
from rich.table import Table

from audit.following import SlotReport
from charging.errors import Fault
from cluster.system import System
from console.operations.billing_bills import bill_page
from console.operations.billing_running import RunTotals
from console.operations.document_reading import called, read_bill, read_catalogues
from console.operations.documents import file_name
from console.report import major
from console.systems.cycle import Cycle, CycleRun
from country import reference
from country.domains import BY_CODE, CURRENCY
from country.population import Population
from documents.document import BillDocument
from documents.fonts import font_folder
from documents.printing import print_all
from documents.typesetting import TEMPLATE


class CycleTold(Struct, frozen=True):
    """A cycle, and one bill of it."""

    run: CycleRun
    bill: pb.Bill | None
    document: BillDocument | None


LOOKED_AT = 100
"""Accounts among which the bill that tells most is chosen."""


def runs_table(run: CycleRun) -> Table:
    """Bills and amounts of each region."""
    table = Table(title=f"Bills of {run.period} by region, yuan", title_justify="left")
    table.add_column("region")
    for name in ("periods closed", "bills", "fees", "gross", "of it tax", "to pay", "failed"):
        table.add_column(name, justify="right")
    whole = RunTotals()
    for code, totals in run.regions.items():
        table.add_row(*_row(f"{code} {BY_CODE[code].name}", totals))
        _add(whole, totals)
    table.add_section()
    table.add_row(*_row("country", whole), style="bold")
    return table


def _row(name: str, totals: RunTotals) -> tuple[str, ...]:
    gross, tax, payable = (sums.get(CURRENCY, 0) for sums in (totals.gross, totals.tax, totals.payable))
    counts = f"{totals.accounts:,}", f"{totals.bills:,}"
    amounts = major(totals.fees), major(gross), major(tax), major(payable)
    return (name, *counts, *amounts, f"{len(totals.failures):,}")


def _add(whole: RunTotals, totals: RunTotals) -> None:
    whole.accounts += totals.accounts
    whole.bills += totals.bills
    whole.fees += totals.fees
    whole.failures.update(totals.failures)
    for into, sums in ((whole.gross, totals.gross), (whole.tax, totals.tax), (whole.payable, totals.payable)):
        for currency, amount in sums.items():
            into[currency] = into.get(currency, 0) + amount


def stage_lines(run: CycleRun) -> Iterator[str]:
    """Tell what came in while the bills were made."""
    for stage in ("deposit", "settlement"):
        many, amount = run.staged.get(stage, (0, 0))
        yield f"{stage} stage: {many:,} came in, {major(amount)} yuan, each answered at once"
    yield f"{run.direct:,} deposits and payments came in directly: their accounts were closed, or have another cycle"
    yield f"{run.usage.requests:,} usages were answered meanwhile, {len(run.moves)} numbers moved to another domain"
    left, amount = len(run.left), sum(row.amount for row in run.left)
    yield f"after the runs all was replayed but {left:,} rows of {major(amount)} yuan"
    for row in run.left:
        yield f"  {row.account_id}: {major(row.amount)} of {row.request_key}, {row.kept or 'waits'}"


def reconciled(slots: list[SlotReport]) -> list[str]:
    """Tell the sums that the reconciliation of the journals rests on; what differs is among the audit's findings."""
    staged, replayed = sum(slot.staged for slot in slots), sum(slot.replayed for slot in slots)
    bills, revenue = sum(slot.bills for slot in slots), sum(slot.revenue for slot in slots)
    backups = sum(slot.backups for slot in slots)
    return [
        f"{bills:,} bills agree with the postings of their periods, revenue {major(revenue)} yuan",
        f"stage in {major(staged)} = replayed {major(replayed)} + staged or moved away {major(staged - replayed)} yuan",
        f"books of {backups} backups + what the journals moved since = books now",
    ]


async def one_bill(stub: BillingServiceStub, people: Population, run: CycleRun) -> pb.Bill | None:
    """Choose, of some accounts, the bill of the cycle that tells most: kinds of items, lines, amount."""
    chosen: pb.Bill | None = None
    several = [account for account in people.accounts if len(account.members) > 1 and not account.suspended]
    for account in several[:: max(1, len(several) // LOOKED_AT)]:
        request = pb.ReadBillsRequest(identity=account.members[0].identity, periods_max=1, channel=reference.FRONT)
        for bill in (await stub.ReadBills(request, timeout=30)).bills:
            if bill.period == run.period and (chosen is None or _tells(bill) > _tells(chosen)):
                chosen = bill
    return chosen


def _tells(bill: pb.Bill) -> tuple[int, int, int]:
    return len({(line.item, line.kind) for line in bill.lines}), len(bill.lines), bill.gross


async def document_of(stub: BillingServiceStub, system: System, bill: pb.Bill) -> BillDocument | None:
    """Gather what the document of a bill needs."""
    identity = f"account:{bill.account_id}"
    read = await read_bill(stub, pb.ReadBillsRequest(identity=identity, channel=reference.FRONT), bill.period)
    if read is None:
        return None
    async with system.directory_of(0) as directory:
        words = called(await read_catalogues(directory, bill.account_id.partition("/")[0], bill.to_day), "zh")
    return BillDocument(read.bill, "zh", names=words.names, history=read.history)


async def told_of(cycle: Cycle, system: System, people: Population, run: CycleRun) -> CycleTold:
    """Gather what is told once the system is drained: nobody answers then."""
    async with cycle.stub() as stub:
        bill = await one_bill(stub, people, run)
        document = await document_of(stub, system, bill) if bill is not None else None
    return CycleTold(run, bill, document)


def document_lines(out: Console, told: CycleTold, folder: Path) -> list[str]:
    """Print the cycle, and one bill of it as its customer sees it; gives where its document is."""
    tell(out, told.run, told.bill)
    return [f"the same bill as its customer gets it: {print_pdf(told.document, folder)}"] if told.document else []


def print_pdf(document: BillDocument, folder: Path) -> str:
    """Set the document as a PDF; gives its path, or why there is none: a machine may have no font for it."""
    try:
        (pdf,) = print_all([document], font_folder(lambda _: None), TEMPLATE, 1)
    except Fault as fault:
        return f"no PDF: {fault.message}"
    path = folder / f"{file_name(document)}.pdf"
    path.write_bytes(pdf)
    return f"{path}: {len(pdf):,} bytes"


def tell(out: Console, run: CycleRun, bill: pb.Bill | None) -> None:
    """Print the cycle, then one bill of it as its customer sees it."""
    out.rule("the billing cycle", align="left")
    out.print(runs_table(run))
    for line in stage_lines(run):
        out.print(line, highlight=False, markup=False, soft_wrap=True)
    for account_id, why in run.failures.items():
        out.print(f"  {account_id}: {why}", style="red", highlight=False, markup=False)
    for why in run.refused:
        out.print(f"  {why}", style="yellow", highlight=False, markup=False)
    if bill is not None:
        out.rule("one bill", align="left")
        parts: list[RenderableType] = list(bill_page(bill))
        for part in parts:
            out.print(part, highlight=False, markup=False) if isinstance(part, str) else out.print(part)
