"""A page of a billing run: who is due is asked of a slot, each account is closed by its owner.

Nothing is remembered between two pages, here or anywhere: an account that is closed is not due any more.
"""

from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace
from onetier.v1 import billing_pb2 as pb

from appserver.billing.asking import Question
from appserver.billing.bills import bill_told
from appserver.billing.closings import BillingCaller, Closing, closing
from appserver.billing.telling import expect
from business.billing.kind import BILL_RUNS, subject_of
from business.billing.periods import Period
from business.billing.runs import billing_now
from charging.base.account import Account
from charging.base.account_id import identity_of
from charging.base.contract import Contract
from charging.base.localtime import month_text
from charging.base.subject import PackedSubject
from charging.errors import Fault, Invalid, NotFound, Refused, Unavailable
from charging.plans.timeline import Timeline
from charging.wire import (
    Answer,
    Bills,
    BusinessData,
    Done,
    DueAccounts,
    Failed,
    FetchBills,
    FetchDue,
    Inspect,
    Pull,
    Stale,
    fault,
)
from runtime.status import to_status

ACCOUNTS_DEFAULT = 100
TRIES_MAX = 4
"""How often an account is billed anew because something was posted meanwhile."""
RETRY_MS = 100
QUESTIONS_MAX = 1_000
"""Of one batch to the owners."""
PERIODS_DEFAULT, PERIODS_MAX = 12, 24
"""Of one page of an account's bills."""
FIRST_MONTH = 2020 * 12
"""Nobody was billed here before."""
CLOSED = "BILL_PERIOD_CLOSED"

Ask = Callable[[Sequence[Question]], Awaitable[list[Answer]]]


class BillingPage(Struct, frozen=True):
    """What is asked for, read and permitted."""

    slot: str
    """"GD/3"; "" = the one account of `identity`."""
    period: Period | None
    """None = whatever period of the account is the oldest open one."""
    page: str
    accounts_max: int
    trial: bool
    identity: str


class AccountBilling:
    """Bills accounts. `ask` carries questions to their owners and back."""

    def __init__(self, ask: Ask, timeline: Timeline, caller: BillingCaller, now_ms: int) -> None:
        self._ask = ask
        self._timeline = timeline
        self._caller = caller
        self._now_ms = now_ms

    async def bill(self, page: BillingPage) -> pb.BillAccountsResponse:
        """Bill a page of accounts, or one. Raises `Refused` RUN_NOT_OPEN, BILL_PERIOD_CLOSED; `Invalid`, `NotFound`."""
        if page.identity:
            accounts, following = [await self._one(page)], ""
            route = page.identity
        else:
            route = f"domain:{page.slot}"
            if not page.trial:
                await self._require_run(page)
            due = await self._due(page)
            accounts, following = list(due.accounts), due.next
        outcomes = await self._accounts(accounts, route, page)
        return pb.BillAccountsResponse(outcomes=outcomes, next_page=following)

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

    async def _due(self, page: BillingPage) -> DueAccounts:
        period = page.period
        if period is None:
            raise NotFound("RUN_UNKNOWN", "a page of a run has a period")
        most = page.accounts_max or ACCOUNTS_DEFAULT
        ask = FetchDue(page.slot, period.month, period.cycle_day, most, page.page)
        (answer,) = await self._ask([Question(f"domain:{page.slot}", ask)])
        return expect(DueAccounts, answer)

    async def _accounts(self, accounts: Sequence[Account], route: str, page: BillingPage) -> list[pb.BillOutcome]:
        contracts = await self._contracts(accounts, route if page.identity else "")
        told: dict[str, pb.BillOutcome] = {}
        left = {account.account_id: account for account in accounts}
        for _ in range(TRIES_MAX):
            if not left:
                break
            made: list[Closing] = []
            for account in left.values():
                try:
                    own = [contracts[member] for member in account.members if member in contracts]
                    made.append(closing(self._timeline, account, own, self._caller, self._now_ms))
                except Fault as why:
                    told[account.account_id] = _failed(account, why)
            if page.trial:
                told.update((each.account.account_id, _told(each)) for each in made)
                left = {}
                break
            left = {}
            for each, answers in zip(made, await self._send(made, route), strict=True):
                outcome = await self._outcome(each, answers)
                if isinstance(outcome, Account):
                    left[outcome.account_id] = outcome
                else:
                    told[each.account.account_id] = outcome
        for account in left.values():
            text = f"account {account.account_id} changed more often than its bill was made"
            told[account.account_id] = _failed(account, Unavailable("ACCOUNT_CONTENDED", text, retry_ms=RETRY_MS))
        return [told[account.account_id] for account in accounts if account.account_id in told]

    async def _contracts(self, accounts: Sequence[Account], route: str) -> dict[str, Contract]:
        members = [member for account in accounts for member in account.members]
        found: dict[str, Contract] = {}
        for start in range(0, len(members), QUESTIONS_MAX):
            some = members[start : start + QUESTIONS_MAX]
            answers = await self._ask([Question(member, Pull(member)) for member in some])
            for member, answer in zip(some, answers, strict=True):
                if isinstance(answer, BusinessData):
                    found[member] = answer.contract
        return found

    async def _send(self, made: Sequence[Closing], route: str) -> list[list[Answer]]:
        questions = [Question(route, commit) for each in made for commit in each.commits]
        answers: list[Answer] = []
        for start in range(0, len(questions), QUESTIONS_MAX):
            answers += await self._ask(questions[start : start + QUESTIONS_MAX])
        found: list[list[Answer]] = []
        at = 0
        for each in made:
            found.append(answers[at : at + len(each.commits)])
            at += len(each.commits)
        return found

    async def _outcome(self, made: Closing, answers: Sequence[Answer]) -> pb.BillOutcome | Account:
        """Tell what became of an account; its newest state when it must be billed anew."""
        last = answers[-1]
        if isinstance(last, Stale):
            return last.data.account
        if isinstance(last, Failed) and last.reason != CLOSED:
            why = next((each for each in answers if isinstance(each, Failed)), last)
            return _failed(made.account, fault(why))
        outcome = _told(made)
        if isinstance(last, Done) and last.detail:
            outcome.bill.number = last.detail.decode()
            outcome.repeated = last.repeated
        elif isinstance(last, Failed):
            # Closed by somebody else meanwhile: what counts is the bill that is kept, not the one made here.
            outcome = _told(replace(made, bill=None, fees=0))
            outcome.repeated = True
            kept = await self.bills_of(made.account.account_id, [made.month])
            if kept.bills:
                outcome.bill.CopyFrom(kept.bills[0])
        return outcome

    async def read(self, account: Account, request: pb.ReadBillsRequest) -> pb.ReadBillsResponse:
        """Read a page of the bills of an account, newest first. Raises `Invalid` PAGE_TOKEN_FOREIGN, `NotFound`."""
        newest = _newest(account, request.page)
        many = min(request.periods_max or PERIODS_DEFAULT, PERIODS_MAX)
        oldest = max(newest - many + 1, FIRST_MONTH)
        told = await self.bills_of(account.account_id, range(oldest, newest + 1))
        bills = sorted(told.bills, key=lambda bill: bill.period, reverse=True)
        if request.number:
            bills = [bill for bill in bills if bill.number == request.number]
        following = f"{account.account_id}|{oldest - 1}" if bills and oldest > FIRST_MONTH else ""
        return pb.ReadBillsResponse(bills=bills, next_page=following)

    async def bills_of(self, account_id: str, months: Sequence[int]) -> pb.ReadBillsResponse:
        """Read the bills of an account of some periods."""
        identity = identity_of(account_id)
        (answer,) = await self._ask([Question(identity, FetchBills(identity, tuple(months)))])
        return pb.ReadBillsResponse(bills=[bill_told(bill) for bill in expect(Bills, answer).bills])


def _newest(account: Account, page: str) -> int:
    """Read where a page of an account's bills begins."""
    if not page:
        return account.terms.closed
    account_id, _, month = page.rpartition("|")
    if account_id != account.account_id or not month.isdecimal() or int(month) > account.terms.closed:
        wanted = "what the page before of the same account gave"
        raise Invalid("PAGE_TOKEN_FOREIGN", f"no page begins there: give {wanted}", fields={"page": wanted})
    return int(month)


def _told(made: Closing) -> pb.BillOutcome:
    account = made.account
    outcome = pb.BillOutcome(
        account_id=account.account_id,
        period=f"{month_text(made.month)}/{account.terms.cycle_day}",
        fees=made.fees,
        fees_error=to_status(made.fees_error) if made.fees_error is not None else None,
    )
    if made.bill is not None:
        outcome.bill.CopyFrom(bill_told(made.bill))
    return outcome


def _failed(account: Account, why: Fault) -> pb.BillOutcome:
    period = f"{month_text(account.terms.closed + 1)}/{account.terms.cycle_day}"
    return pb.BillOutcome(account_id=account.account_id, period=period, error=to_status(why))
