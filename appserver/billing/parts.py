"""Accounts that are billed together: made part by part, each part closed by its owners while the next one is made."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from msgspec import Struct
from msgspec.structs import replace
from onetier.v1 import billing_pb2 as pb

from appserver.billing.asking import Question
from appserver.billing.bills import bill_told, sums_told
from appserver.billing.closings import BillingCaller, Closing, asked, closing
from appserver.billing.telling import expect, unexpected
from charging.base.account import Account
from charging.base.account_id import identity_of
from charging.base.contract import Contract
from charging.base.localtime import month_text
from charging.errors import Fault, Unavailable
from charging.plans.timeline import Timeline
from charging.wire import (
    CLOSES_MAX,
    AccountsClosed,
    Answer,
    Bills,
    BusinessData,
    Done,
    Failed,
    FetchBills,
    Pull,
    Stale,
    failed,
    fault,
)
from runtime.pace import RunPace
from runtime.status import to_status

PART_ACCOUNTS = 40
"""Bills that are sent together: the owner closes these while the next are made."""
PAGE_BYTES_MAX = 2_000_000
"""Of what is sent together."""
PARTS_AT_ONCE = 5
"""Under way to the owner: what it decides besides waits for no more bills than these."""
TRIES_MAX = 4
"""How often an account is billed anew because something was posted meanwhile."""
RETRY_MS = 100
QUESTIONS_MAX = 1_000
"""Of one batch to the owners."""
UNTOLD = frozenset({"unavailable", "overloaded", "expired", "broken"})
"""Kinds of faults that leave open what a contract is."""
CLOSED = "BILL_PERIOD_CLOSED"
UNSUMMED: tuple[Literal["lines", "taxes", "money"], ...] = ("lines", "taxes", "money")
"""What bills have that are told by their sums alone does without: of a large page it would be too much."""

Ask = Callable[[Sequence[Question]], Awaitable[list[Answer]]]


class BillingOrder(Struct, frozen=True):
    """What is to be done with accounts."""

    route: str
    """By which the data center finds their owner."""
    trial: bool
    sums_only: bool
    """Bills are told without their lines."""


class Billable(NamedTuple):
    """An account, and the contracts of its members if they came with it."""

    account: Account
    contracts: Sequence[Contract] | None = None


class Pages(Protocol):
    """Where the accounts come from."""

    async def some(self) -> Sequence[Billable]:
        """Give the next ones; none = there are no more."""
        ...


class AccountParts:
    """Bills accounts of one route. `ask` carries questions to their owners and back."""

    def __init__(
        self, ask: Ask, timeline: Timeline, caller: BillingCaller, now_ms: int, order: BillingOrder, pace: RunPace
    ) -> None:
        self._ask = ask
        self._timeline = timeline
        self._caller = caller
        self._now_ms = now_ms
        self._order = order
        self._pace = pace

    async def bill(self, pages: Pages) -> list[pb.BillOutcome]:
        """Bill accounts, part by part: each is sent as soon as it is made, the next page asked for meanwhile."""
        parts: list[asyncio.Task[list[pb.BillOutcome]]] = []
        room = asyncio.Semaphore(PARTS_AT_ONCE)
        try:
            async with asyncio.TaskGroup() as group:
                coming = group.create_task(pages.some())
                while some := await coming:
                    coming = group.create_task(pages.some())
                    for start in range(0, len(some), PART_ACCOUNTS):
                        await room.acquire()
                        part = group.create_task(self._part(some[start : start + PART_ACCOUNTS]))
                        part.add_done_callback(lambda _: room.release())
                        parts.append(part)
        except ExceptionGroup as several:
            faults = several.subgroup(Fault)
            raise (faults or several).exceptions[0] from None
        return [outcome for part in parts for outcome in part.result()]

    async def _part(self, accounts: Sequence[Billable]) -> list[pb.BillOutcome]:
        told: dict[str, pb.BillOutcome] = {}
        left: Sequence[Billable] = accounts
        for _ in range(TRIES_MAX):
            # Asked for after the account, and each time: a change of one in between makes what is sent stale.
            pulled = await self._contracts([each.account for each in left if each.contracts is None])
            made = await self._made(left, pulled, told)
            if self._order.trial:
                told.update((each.account.account_id, self._told(each)) for each in made)
                left = ()
            else:
                left = await self._close(made, told)
            if not left:
                break
        for account in [each.account for each in left]:
            text = f"account {account.account_id} changed more often than its bill was made"
            told[account.account_id] = _failed(account, Unavailable("ACCOUNT_CONTENDED", text, retry_ms=RETRY_MS))
        return [told[each.account.account_id] for each in accounts if each.account.account_id in told]

    async def _made(
        self, accounts: Sequence[Billable], pulled: Mapping[str, Contract | Failed], told: dict[str, pb.BillOutcome]
    ) -> list[Closing]:
        """Make what closes accounts, a few at a time; what can't be made is told."""
        made: list[Closing] = []
        waiting = deque(accounts)
        while waiting:
            async with self._pace.step() as step:
                while waiting and not step.over:
                    account, contracts = waiting.popleft()
                    try:
                        own = _own(account, pulled) if contracts is None else contracts
                        made.append(closing(self._timeline, account, own, self._caller, self._now_ms))
                    except Fault as why:
                        told[account.account_id] = _failed(account, why)
        return made

    async def _close(self, made: Sequence[Closing], told: dict[str, pb.BillOutcome]) -> list[Billable]:
        """Have accounts closed; gives those that must be billed anew, as they are now."""
        left: list[Billable] = []
        for each, answers in zip(made, await self._send(made), strict=True):
            outcome = await self._outcome(each, answers)
            if isinstance(outcome, Account):
                left.append(Billable(outcome))
            else:
                told[each.account.account_id] = outcome
        return left

    async def _contracts(self, accounts: Sequence[Account]) -> dict[str, Contract | Failed]:
        """Ask for the contracts of all members; why there is none is told by the owner, too."""
        members = [member for account in accounts for member in account.members]
        found: dict[str, Contract | Failed] = {}
        for start in range(0, len(members), QUESTIONS_MAX):
            some = members[start : start + QUESTIONS_MAX]
            answers = await self._ask([Question(member, Pull(member)) for member in some])
            for member, answer in zip(some, answers, strict=True):
                if isinstance(answer, BusinessData):
                    found[member] = answer.contract
                elif isinstance(answer, Failed):
                    found[member] = answer
        return found

    async def _send(self, made: Sequence[Closing]) -> list[list[Answer]]:
        """Ask the owner; gives the answers for each account, that of its close last."""
        found: list[list[Answer]] = [[] for _ in made]
        first = [(place, commit) for place, each in enumerate(made) for commit in each.fee_commits]
        for start in range(0, len(first), QUESTIONS_MAX):
            some = first[start : start + QUESTIONS_MAX]
            answers = await self._ask([Question(self._order.route, commit) for _, commit in some])
            for (place, _), answer in zip(some, answers, strict=True):
                found[place].append(answer)
        places = iter(found)
        for together in _pages(made):
            question = Question(self._order.route, asked(self._caller, self._now_ms, together))
            (answer,) = await self._ask([question])
            for each in _told(answer, len(together)):
                next(places).append(each)
        return found

    async def _outcome(self, made: Closing, answers: Sequence[Answer]) -> pb.BillOutcome | Account:
        """Tell what became of an account; its newest state when it must be billed anew."""
        last = answers[-1]
        if isinstance(last, Stale):
            return last.data.account
        if isinstance(last, Failed) and last.reason != CLOSED:
            why = next((each for each in answers if isinstance(each, Failed)), last)
            return _failed(made.account, fault(why))
        outcome = self._told(made)
        if isinstance(last, Done) and last.detail:
            outcome.bill.number = last.detail.decode()
            outcome.repeated = last.repeated
        elif isinstance(last, Failed):
            # Closed by somebody else meanwhile: what counts is the bill that is kept, not the one made here.
            outcome = self._told(replace(made, bill=None, fees=0))
            outcome.repeated = True
            try:
                kept = await bills_of(self._ask, made.account.account_id, [made.month])
            except Fault as why:
                return _failed(made.account, why)  # Of the others on the page it says nothing.
            if kept.bills:
                outcome.bill.CopyFrom(kept.bills[0])
                for name in UNSUMMED if self._order.sums_only else ():
                    outcome.bill.ClearField(name)
        return outcome

    def _told(self, made: Closing) -> pb.BillOutcome:
        account = made.account
        outcome = pb.BillOutcome(
            account_id=account.account_id,
            period=f"{month_text(made.month)}/{account.terms.cycle_day}",
            fees=made.fees,
            fees_error=to_status(made.fees_error) if made.fees_error is not None else None,
        )
        if made.bill is not None:
            outcome.bill.CopyFrom(sums_told(made.bill) if self._order.sums_only else bill_told(made.bill))
        return outcome


async def bills_of(
    ask: Ask, account_id: str, months: Sequence[int], places: Sequence[str] = ()
) -> pb.ReadBillsResponse:
    """Read the bills of an account of some periods: where it is, and in the slots that it lived in before."""
    identity = identity_of(account_id)
    wanted = FetchBills(identity, tuple(months))
    routes = [identity, *[f"domain:{place}" for place in places]]
    answers = await ask([Question(route, wanted) for route in routes])
    bills = {bill.number: bill for answer in answers for bill in expect(Bills, answer).bills}
    return pb.ReadBillsResponse(bills=[bill_told(bill) for bill in bills.values()])


def _pages(made: Sequence[Closing]) -> Iterator[Sequence[Closing]]:
    """Cut what is sent so that no message is too large: bills have from one to thousands of lines."""
    page: list[Closing] = []
    size = 0
    for each in made:
        bytes_more = len(bytes(each.action))
        if page and (len(page) >= CLOSES_MAX or size + bytes_more > PAGE_BYTES_MAX):
            yield page
            page, size = [], 0
        page.append(each)
        size += bytes_more
    if page:
        yield page


def _told(answer: Answer, accounts: int) -> Sequence[Done | Stale | Failed]:
    """Give the answer for each account of a page."""
    if isinstance(answer, AccountsClosed) and len(answer.answers) == accounts:
        return answer.answers
    return [answer if isinstance(answer, Failed) else failed(unexpected(answer))] * accounts


def _own(account: Account, contracts: Mapping[str, Contract | Failed]) -> list[Contract]:
    """Pick the contracts of an account. Raises the fault of one that can't be read now: its fees would be left out."""
    own: list[Contract] = []
    for member in account.members:
        found = contracts.get(member)
        if isinstance(found, Contract):
            own.append(found)
        elif found is not None and found.kind in UNTOLD:
            raise fault(found)
    return own


def _failed(account: Account, why: Fault) -> pb.BillOutcome:
    period = f"{month_text(account.terms.closed + 1)}/{account.terms.cycle_day}"
    return pb.BillOutcome(account_id=account.account_id, period=period, error=to_status(why))
