"""`BillingService` over gRPC: bill runs of a domain, each slot asked for its own.

The platform keeps nothing of it. Who may do what is asked here of the region's newest grants, and again by each owner.
"""

import grpc
from onetier.v1 import billing_pb2 as pb
from onetier.v1.billing_pb2_grpc import BillingServiceServicer

from appserver.billing.asking import Question
from appserver.billing.billing import AccountBilling
from appserver.billing.closings import BillingCaller
from appserver.billing.customer_bills import read_customer_bill, withhold_accounts
from appserver.billing.door import BillingDoor
from appserver.billing.reading import change_of, check_caller, instructions, page_of, slots_of
from appserver.billing.releasing import require_released, withhold
from appserver.billing.stages import books_of, books_told, staged_of, staged_told
from appserver.billing.telling import expect, history, outcome, runs_in
from business.billing.kind import subject_of
from charging.base.subject import PackedSubject, slot_of
from charging.errors import Fault, Invalid
from charging.wire import (
    BusinessData,
    DueAccounts,
    FetchDue,
    FetchHistory,
    History,
    Inspect,
    Instruct,
    Pull,
    Reference,
)
from runtime.principal import principal_of
from runtime.status import to_status

READ = "bill_runs"
"""What grants call the queries."""
READ_HELD = "held_bills"
"""What grants call the bills whose documents wait for an approver, or are kept back."""
LINES_DEFAULT = 50
LINES_MAX = 500
CURSOR_MAX = (1 << 63) - 1


# Long because gRPC wants all calls of a service in one class; what they do is in the modules beside it.
class Billing(BillingDoor, BillingServiceServicer):
    """Serves operators."""

    async def ChangeBillRuns(
        self, request: pb.ChangeBillRunsRequest, context: grpc.aio.ServicerContext
    ) -> pb.ChangeBillRunsResponse:
        """Do one thing to the runs of a period in each slot that is meant; outcomes are in the order of slots.

        Slots are independent: some may have done it and others not. The same request key does it where it is still to
        be done.
        """
        check_caller(request)
        reference = await self._reference(request.domain, context)
        action = change_of(request, reference.time_zone, principal_of(context).name)
        self._permit(str(type(action).__struct_config__.tag), request, reference, context)
        slots = slots_of(request.slots, reference)
        made = instructions(request, action, slots, principal_of(context).name, self._wall_ms())
        questions = [Question(_route(each.subject_id), Instruct(each)) for each in made]
        answers = await self._ask(questions, context)
        told = [outcome(slot, action.period, answer) for slot, answer in zip(slots, answers, strict=True)]
        return pb.ChangeBillRunsResponse(outcomes=told)

    async def ListBillRuns(
        self, request: pb.ListBillRunsRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListBillRunsResponse:
        """Tell the runs of slots of a domain, slot by slot; a slot that can't tell is among `failures`."""
        check_caller(request)
        reference = await self._reference(request.domain, context)
        self._permit(READ, request, reference, context)
        slots = slots_of(request.slots, reference)
        subjects = [subject_of(f"{request.domain}/{slot}") for slot in slots]
        answers = await self._ask([Question(_route(each), Inspect(each)) for each in subjects], context)
        told = pb.ListBillRunsResponse(slots=reference.slots)
        for slot, answer in zip(slots, answers, strict=True):
            try:
                told.runs.extend(runs_in(expect(PackedSubject, answer)))
            except Fault as fault:
                told.failures.append(pb.BillRunOutcome(slot=slot, error=to_status(fault)))
        return told

    async def ReadBillRunHistory(
        self, request: pb.ReadBillRunHistoryRequest, context: grpc.aio.ServicerContext
    ) -> pb.ReadBillRunHistoryResponse:
        """Tell what was asked of the runs of one slot, newest first, refusals included.

        A page has `lines_max` lines, 0 = `LINES_DEFAULT`, never more than `LINES_MAX`; `cursor` is `next_cursor` of the
        page before, 0 = the newest. Faults: CURSOR_UNKNOWN, SLOT_UNKNOWN, those of the caller and of what he may.
        """
        check_caller(request)
        if request.cursor > CURSOR_MAX:
            wanted = "next_cursor of the page before"
            raise Invalid("CURSOR_UNKNOWN", f"no page begins there: give {wanted}", fields={"cursor": wanted})
        reference = await self._reference(request.domain, context)
        self._permit(READ, request, reference, context)
        (slot,) = slots_of([request.slot], reference)
        subject_id = subject_of(f"{request.domain}/{slot}")
        lines = min(request.lines_max or LINES_DEFAULT, LINES_MAX)
        ask = FetchHistory(subject_id, lines, 0, request.cursor)
        (answer,) = await self._ask([Question(_route(subject_id), ask)], context)
        return history(expect(History, answer))

    async def BillAccounts(
        self, request: pb.BillAccountsRequest, context: grpc.aio.ServicerContext
    ) -> pb.BillAccountsResponse:
        """Bill a page of the accounts that are due, or one account; see `AccountBilling`."""
        if request.identity:
            self._name(request)
        page = page_of(request)
        domain = request.domain or await self._domain_of(request.identity, context)
        reference = await self._reference(domain, context)
        if not request.identity:
            slots_of([request.slot], reference)
        self._permit("bills" if request.trial else "close_period", request, reference, context)
        return await self._accounts(request, reference, context).bill(page)

    async def ReadBills(self, request: pb.ReadBillsRequest, context: grpc.aio.ServicerContext) -> pb.ReadBillsResponse:
        """Read bills of an account, newest first. Raises `Refused` DOCUMENTS_HELD, DOCUMENTS_REFUSED of a document.

        Who is not permitted `held_bills` is not told bills whose documents wait, only their periods.
        """
        check_caller(request)
        self._name(request)
        (answer,) = await self._ask([Question(request.identity, Pull(request.identity))], context)
        account = expect(BusinessData, answer).account
        reference = await self._reference(account.terms.domain, context)
        self._permit("bills", request, reference, context)
        read = await self._accounts(request, reference, context).read(account, request)
        if request.document_of:
            await require_released(self._asker(context), read.bills, request.document_of, account.terms.zone)
        if not self._may(READ_HELD, request, reference, context):
            await withhold(self._asker(context), read, account.terms.zone)
        return read

    async def ReadCustomerBill(
        self, request: pb.ReadCustomerBillRequest, context: grpc.aio.ServicerContext
    ) -> pb.ReadCustomerBillResponse:
        """Read a page of a customer's bill; the caller must be permitted to read bills wherever an account of it is."""
        check_caller(request)
        self._name(request)
        told = await read_customer_bill(self._asker(context), request)
        zones: dict[str, str] = {}
        for domain in sorted({each.domain for each in told.accounts}):
            reference = await self._reference(domain, context)
            self._permit("bills", request, reference, context)
            if not self._may(READ_HELD, request, reference, context):
                zones[domain] = reference.time_zone
        if zones:
            await withhold_accounts(self._asker(context), told, zones)
        return told

    async def ListStaged(
        self, request: pb.ListStagedRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListStagedResponse:
        """Tell a page of the money of a slot that waits in a stage."""
        page, slots = await self._page(request, staged_of(request), context)
        return staged_told(page, slots)

    async def BackUpBooks(
        self, request: pb.BackUpBooksRequest, context: grpc.aio.ServicerContext
    ) -> pb.BackUpBooksResponse:
        """Tell a page of what the books of a slot's accounts hold."""
        page, _ = await self._page(request, books_of(request), context)
        return books_told(page)

    async def _page(
        self, request: pb.ListStagedRequest | pb.BackUpBooksRequest, ask: FetchDue, context: grpc.aio.ServicerContext
    ) -> tuple[DueAccounts, int]:
        """Give a page of a slot, and how many slots there are. Faults as `ReadBillRunHistory`, PAGE_TOKEN_FOREIGN."""
        check_caller(request)
        reference = await self._reference(request.domain, context)
        self._permit(READ, request, reference, context)
        slots_of([request.slot], reference)
        (answer,) = await self._ask([Question(f"domain:{ask.slot}", ask)], context)
        return expect(DueAccounts, answer), reference.slots

    def _accounts(
        self,
        request: pb.BillAccountsRequest | pb.ReadBillsRequest,
        reference: Reference,
        context: grpc.aio.ServicerContext,
    ) -> AccountBilling:
        caller = BillingCaller(request.actor, request.channel, principal_of(context).name)
        timeline = self._plans.timeline(reference)
        return AccountBilling(self._asker(context), timeline, caller, self._wall_ms(), self._pace)


def _route(subject_id: str) -> str:
    return f"domain:{slot_of(subject_id)}"
