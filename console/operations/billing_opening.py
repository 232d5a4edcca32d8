"""Opens the runs of a domain, each slot's books backed up before; and what waits in the stages of runs."""

import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from msgspec import Struct
from onetier.v1 import billing_pb2 as pb
from onetier.v1.billing_pb2_grpc import BillingServiceStub
from rich.table import Column, Table

from audit.backups import AccountHeld, BookHeld, write_backup
from charging.base.money import show
from console import report
from console.operations.billing_calls import BillsCaller, Domain, RunReader, call, change_all, list_all, run_change
from console.operations.directory_call import patiently
from console.sharing import shares
from console.views import View, plain, print_view
from runtime.status import from_status

PAGE = 500
"""Accounts of one page."""
DAY_MS = 86_400_000


class RunOpening(Struct, frozen=True):
    """Which runs are to be open."""

    domain: str
    slots: Sequence[int]
    period: str
    mode: str
    """Empty = as planned."""
    until_ms: int
    """0 = as planned, in a day where nothing is."""
    backup: Path | None
    """Folder; None = books are not backed up."""
    approval: bool = False
    """Documents wait until somebody else approves them."""


async def open_runs(stub: BillingServiceStub, opening: RunOpening, caller: BillsCaller) -> None:
    """Open the run in each slot, its books backed up before; where it is open already, that is as well.

    Raises the first other refusal, and `OSError` when a backup can't be written.
    """
    if opening.backup is None:
        await _open(stub, opening, opening.slots, "", caller)
        return
    listing = pb.ListBillRunsRequest(
        domain=opening.domain, slots=opening.slots, channel=caller.channel, actor=caller.actor
    )
    told = await list_all(stub, listing)
    begun = {run.slot for run in told.runs if run.period == opening.period and run.state in ("open", "completed")}
    for slot in opening.slots:
        if slot in begun:
            await _open(stub, opening, [slot], "", caller)
            continue
        begun_ms = time.time_ns() // 1_000_000
        accounts = [account async for account in _books(stub, opening.domain, slot, caller)]
        path, digest = write_backup(opening.backup, f"{opening.domain}/{slot}", opening.period, accounts, begun_ms)
        if not await _open(stub, opening, [slot], digest, caller):
            path.unlink()  # Somebody else opened it meanwhile, with a backup of their own.


async def _open(
    stub: BillingServiceStub, opening: RunOpening, slots: Sequence[int], digest: str, caller: BillsCaller
) -> bool:
    """Open runs; False = one of them was open."""
    outcomes = await _asked(stub, opening, slots, opening.until_ms, digest, caller)
    unplanned = [each.slot for each in outcomes if _reason_of(each) == "WINDOW_EMPTY"]
    if unplanned and not opening.until_ms:
        in_a_day_ms = time.time_ns() // 1_000_000 + DAY_MS
        again = await _asked(stub, opening, unplanned, in_a_day_ms, digest, caller)
        outcomes = [*[each for each in outcomes if each.slot not in unplanned], *again]
    opened = True
    for outcome in outcomes:
        if outcome.HasField("error"):
            opened = False
            if _reason_of(outcome) != "RUN_OPEN":
                raise from_status(outcome.error)
    return opened


async def _asked(
    stub: BillingServiceStub, opening: RunOpening, slots: Sequence[int], until_ms: int, digest: str, caller: BillsCaller
) -> list[pb.BillRunOutcome]:
    request = run_change(opening.domain, slots, opening.period, caller)
    request.open.CopyFrom(
        pb.OpenBillRun(mode=opening.mode, until_ms=until_ms, backup=digest, approval=opening.approval)
    )
    return await change_all(stub, request)


def _reason_of(outcome: pb.BillRunOutcome) -> str:
    return from_status(outcome.error).reason if outcome.HasField("error") else ""


async def _books(stub: BillingServiceStub, domain: str, slot: int, caller: BillsCaller) -> AsyncIterator[AccountHeld]:
    page = ""
    while True:
        request = pb.BackUpBooksRequest(
            domain=domain, slot=slot, page=page, accounts_max=PAGE, actor=caller.actor, channel=caller.channel
        )
        told = await _back_up(stub, request)
        for each in told.accounts:
            books = tuple([BookHeld(book.book_id, book.unit, book.amount) for book in each.books])
            yield AccountHeld(each.account_id, each.version, books)
        page = told.next_page
        if not page:
            return


async def _back_up(stub: BillingServiceStub, request: pb.BackUpBooksRequest) -> pb.BackUpBooksResponse:
    return await patiently(lambda left_s: stub.BackUpBooks(request, timeout=left_s))


@shares(RunReader)
def staged(domain: Domain, *, caller: RunReader) -> None:
    """List the money that waits in stages of bill runs, and what of it can't be replayed."""

    async def work(stub: BillingServiceStub) -> list[pb.StagedMoney]:
        slots, found = list(caller.slot or [0]), list[pb.StagedMoney]()
        for slot in slots:
            many = await staged_of(stub, domain, slot, caller, found)
            if not caller.slot and slot == 0:
                slots.extend(range(1, many))
        return found

    found = call(caller, work)
    table = Table(
        "account",
        "key",
        "stage",
        "from",
        Column("amount", justify="right"),
        Column("settles", justify="right"),
        "taken",
        "period",
        "kept",
    )
    for each in found:
        taken = report.moment(each.at_ms).partition(".")[0]
        amounts = show(each.amount), show(each.settles)
        table.add_row(each.account_id, each.request_key, each.stage, each.kind, *amounts, taken, each.period, each.kept)
    told = f"{len(found):,} wait, {show(sum(each.amount for each in found))}" if found else "nothing waits"
    print_view(View([plain(each) for each in found], [table, told] if found else [told]), caller.as_json)


async def staged_of(
    stub: BillingServiceStub, domain: str, slot: int, caller: BillsCaller, into: list[pb.StagedMoney]
) -> int:
    """Add what waits in a slot; gives how many slots there are."""
    page = ""
    while True:
        request = pb.ListStagedRequest(
            domain=domain, slot=slot, page=page, accounts_max=PAGE, actor=caller.actor, channel=caller.channel
        )
        told = await _list_staged(stub, request)
        into += told.staged
        page = told.next_page
        if not page:
            return told.slots


async def _list_staged(stub: BillingServiceStub, request: pb.ListStagedRequest) -> pb.ListStagedResponse:
    return await patiently(lambda left_s: stub.ListStaged(request, timeout=left_s))
