"""A billing run as an operator works it: any number of workers, restartable anywhere, with its sums.

Workers share nothing but the list of slots. A slot is worked page by page until a whole pass finds nobody due; what
failed is asked for again, and what still fails is told. Who stops in the middle begins anew: what was billed is not
due.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence

from msgspec import Struct, field
from onetier.v1 import billing_pb2 as pb
from onetier.v1.billing_pb2_grpc import BillingServiceStub

from charging.errors import Expired, Overloaded, Unavailable
from console.operations.directory_call import patiently
from runtime.status import from_status

PASSES_MAX = 100
"""Of one slot: an account that is many periods behind is billed for one in each."""
PASSING = (Unavailable, Overloaded, Expired)
"""Faults that are over by themselves."""
FAILURES_MAX = 100
"""Failures that are told one by one."""


class RunOrder(Struct, frozen=True):
    """What to bill."""

    domain: str
    period: str
    slots: Sequence[int]
    workers: int
    accounts_a_page: int
    trial: bool
    actor: str
    channel: str


class RunTotals(Struct):
    """What came of it. Amounts are micro-units, by currency."""

    accounts: int = 0
    bills: int = 0
    repeated: int = 0
    gross: dict[str, int] = field(default_factory=dict)
    tax: dict[str, int] = field(default_factory=dict)
    payable: dict[str, int] = field(default_factory=dict)
    fees: int = 0
    fees_refused: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    """Account → why, of those that failed last."""
    unheard: int = 0
    """Accounts whose answer was lost, and that were due no more when they were asked for again: closed, or moved."""

    def forgive(self, account_ids: Iterable[str]) -> None:
        """Take accounts for done that failed for a moment, and then were not due any more."""
        for account_id in account_ids:
            self.unheard += 1
            self.failures.pop(account_id, None)

    def add(self, outcome: pb.BillOutcome) -> None:
        """Count what became of an account."""
        if outcome.HasField("error"):
            if len(self.failures) < FAILURES_MAX:
                fault = from_status(outcome.error)
                self.failures[outcome.account_id] = f"{fault.reason}: {fault.message}"
            return
        self.failures.pop(outcome.account_id, None)
        self.repeated += outcome.repeated
        if outcome.repeated:
            return
        self.accounts += 1
        self.fees += outcome.fees
        self.fees_refused += outcome.HasField("fees_error")
        if outcome.HasField("bill"):
            bill = outcome.bill
            self.bills += 1
            for sums, amount in ((self.gross, bill.gross), (self.tax, bill.tax), (self.payable, bill.payable)):
                sums[bill.currency] = sums.get(bill.currency, 0) + amount


async def work(stub: BillingServiceStub, order: RunOrder, progress: Callable[[RunTotals], None]) -> RunTotals:
    """Bill all accounts of slots that are due; `progress` is told after each page."""
    totals = RunTotals()
    waiting = list(order.slots)

    async def worker() -> None:
        while waiting:
            await _slot(stub, order, waiting.pop(0), totals, progress)

    async with asyncio.TaskGroup() as group:
        for _ in range(max(1, min(order.workers, len(waiting)))):
            group.create_task(worker())
    return totals


async def _slot(
    stub: BillingServiceStub, order: RunOrder, slot: int, totals: RunTotals, progress: Callable[[RunTotals], None]
) -> None:
    unsure: set[str] = set()
    for _ in range(1 if order.trial else PASSES_MAX):
        billed, again = 0, set[str]()
        async for told in _pages(stub, order, slot):
            for outcome in told.outcomes:
                totals.add(outcome)
                unsure.discard(outcome.account_id)
                passes = outcome.HasField("error") and isinstance(from_status(outcome.error), PASSING)
                billed += passes or not outcome.HasField("error")
                if passes:
                    again.add(outcome.account_id)
            progress(totals)
        totals.forgive(unsure)
        unsure = again
        if not billed:
            return


async def _pages(stub: BillingServiceStub, order: RunOrder, slot: int) -> AsyncIterator[pb.BillAccountsResponse]:
    """Bill whoever is due in a slot, page by page."""
    page = ""
    while True:
        request = pb.BillAccountsRequest(
            domain=order.domain,
            slot=slot,
            period=order.period,
            page=page,
            accounts_max=order.accounts_a_page,
            trial=order.trial,
            actor=order.actor,
            channel=order.channel,
            sums_only=True,
        )
        told = await _page(stub, request)
        yield told
        page = told.next_page
        if not page:
            return


async def _page(stub: BillingServiceStub, request: pb.BillAccountsRequest) -> pb.BillAccountsResponse:
    return await patiently(lambda left_s: stub.BillAccounts(request, timeout=left_s))
