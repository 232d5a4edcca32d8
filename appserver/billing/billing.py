"""A page of a billing run: who is due is asked of a slot, each account is closed by its owner.

Nothing is remembered between two pages, here or anywhere: an account that is closed is not due any more.
"""

from onetier.v1 import billing_pb2 as pb

from appserver.billing.asking import Question
from appserver.billing.closings import BillingCaller
from appserver.billing.due_pages import AloneOnItsPage, BillingPage, DuePages
from appserver.billing.parts import CLOSED, AccountParts, Ask, BillingOrder, bills_of
from appserver.billing.telling import expect
from business.billing.kind import BILL_RUNS, subject_of
from business.billing.runs import billing_now
from charging.base.account import Account
from charging.base.localtime import month_text
from charging.base.subject import PackedSubject
from charging.errors import Invalid, Refused
from charging.plans.timeline import Timeline
from charging.wire import BusinessData, Inspect, Pull
from runtime.pace import RunPace

PERIODS_DEFAULT, PERIODS_MAX = 12, 24
"""Of one page of an account's bills."""
FIRST_MONTH = 2020 * 12
"""Nobody was billed here before."""


class AccountBilling:
    """Bills accounts. `ask` carries questions to their owners and back."""

    def __init__(
        self, ask: Ask, timeline: Timeline, caller: BillingCaller, now_ms: int, pace: RunPace | None = None
    ) -> None:
        """`pace` is the process's; None = nobody else is served in it."""
        self._ask = ask
        self._timeline = timeline
        self._caller = caller
        self._now_ms = now_ms
        self._pace = pace or RunPace()

    async def bill(self, page: BillingPage) -> pb.BillAccountsResponse:
        """Bill a page of accounts, or one. Raises `Refused` RUN_NOT_OPEN, BILL_PERIOD_CLOSED; `Invalid`, `NotFound`."""
        if page.identity:
            pages: DuePages | AloneOnItsPage = AloneOnItsPage(await self._one(page))
        else:
            if not page.trial:
                await self._require_run(page)
            pages = DuePages(self._ask, page)
        order = BillingOrder(page.identity or f"domain:{page.slot}", trial=page.trial, sums_only=page.sums_only)
        parts = AccountParts(self._ask, self._timeline, self._caller, self._now_ms, order, self._pace)
        outcomes = await parts.bill(pages)
        return pb.BillAccountsResponse(outcomes=outcomes, next_page=pages.next)

    async def _one(self, page: BillingPage) -> Account:
        (answer,) = await self._ask([Question(page.identity, Pull(page.identity))])
        account = expect(BusinessData, answer).account
        period, oldest = page.period, account.terms.closed + 1
        if period is not None and (period.month, period.cycle_day) != (oldest, account.terms.cycle_day):
            facts = {"oldest": f"{month_text(oldest)}/{account.terms.cycle_day}"}
            if period.month < oldest:
                raise Refused(CLOSED, f"{period} is closed for {account.account_id}", facts=facts)
            raise Refused("BILL_PERIOD_AHEAD", f"{facts['oldest']} comes before {period}", facts=facts)
        return account

    async def _require_run(self, page: BillingPage) -> None:
        """Detect the billing period (seed 000): by state, never by the clock. Raises `Refused` RUN_NOT_OPEN."""
        period = page.period
        (answer,) = await self._ask([Question(f"domain:{page.slot}", Inspect(subject_of(page.slot)))])
        runs = BILL_RUNS.state(expect(PackedSubject, answer))
        run = billing_now(runs, period.cycle_day, closed=False, billed=None) if period is not None else None
        if run is None or run.period != period:
            raise Refused("RUN_NOT_OPEN", f"no run of {period} is open in slot {page.slot}: open it first")

    async def read(self, account: Account, request: pb.ReadBillsRequest) -> pb.ReadBillsResponse:
        """Read a page of the bills of an account, newest first. Raises `Invalid` PAGE_TOKEN_FOREIGN, `NotFound`."""
        newest = _newest(account, request.page)
        many = min(request.periods_max or PERIODS_DEFAULT, PERIODS_MAX)
        oldest = max(newest - many + 1, FIRST_MONTH)
        told = await bills_of(self._ask, account.account_id, range(oldest, newest + 1), account.open.places)
        bills = sorted(told.bills, key=lambda bill: bill.period, reverse=True)
        # Also where the one that is asked for is on another page.
        following = f"{account.account_id}|{oldest - 1}" if bills and oldest > FIRST_MONTH else ""
        if request.number:
            bills = [bill for bill in bills if bill.number == request.number]
        return pb.ReadBillsResponse(bills=bills, next_page=following)


def _newest(account: Account, page: str) -> int:
    """Read where a page of an account's bills begins."""
    if not page:
        return account.terms.closed
    account_id, _, month = page.rpartition("|")
    if account_id != account.account_id or not month.isdecimal() or int(month) > account.terms.closed:
        wanted = "what the page before of the same account gave"
        raise Invalid("PAGE_TOKEN_FOREIGN", f"no page begins there: give {wanted}", fields={"page": wanted})
    return int(month)
