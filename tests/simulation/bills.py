"""Simulated workers of billing runs: the platform's own code, over a network that loses and repeats."""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import TypeVar

from onetier.v1 import billing_pb2 as pb

from appserver.billing.asking import Question
from appserver.billing.billing import AccountBilling
from appserver.billing.closings import BillingCaller
from appserver.billing.due_pages import BillingPage
from charging import wire
from charging.base.account_id import identity_of
from charging.bills.bill import Bill
from charging.catalogue.document import from_plain
from charging.errors import Fault
from charging.ledger.command import Command
from charging.plans.timeline import Timeline
from charging.wire import (
    AccountsClosed,
    Answer,
    Bills,
    BusinessData,
    CloseAccounts,
    Commit,
    Done,
    Failed,
    FetchBills,
    PackedClosings,
    Pull,
    failed,
)
from runtime.status import from_status
from tests.simulation.billing import FIRSTS
from tests.simulation.callers import BASE_MS, OFFERING, RETRIES
from tests.simulation.histories import Histories, Network, Told
from tests.simulation.loop import Stuck
from tests.simulation.pace import a_pace

MONTHS = tuple(range(2026 * 12 + 9, 2026 * 12 + 17))
"""Of all bills there may be, since the year 0."""
TIMELINE = Timeline(
    [
        (
            0,
            from_plain(
                {
                    "catalogue": "simulated",
                    "version": "1",
                    "currency": "CNY",
                    "services": [{"id": "voice", "unit": "second"}, {"id": "data", "unit": "byte"}],
                    "fees": [
                        {"id": "rent", "amount": "0.012345"},
                        {"id": "rest", "amount": "0.004", "charged": "arrears"},
                    ],
                    "offerings": [{"id": OFFERING, "services": ["voice", "data"], "fees": ["rent", "rest"]}],
                    "taxes": [{"id": "basic", "percent": "9", "items": ["*"]}],
                    "bills": {"prices": "exclude_tax", "tax_rounding": "bill", "due_days": 1},
                    "dunning": [{"id": "all", "late_fee": {"per_mille_a_day": "3"}}],
                }
            ),
        )
    ],
    [],
    "UTC",
)
TRIES_MAX = 500
_Told = TypeVar("_Told")
OVER = ("PERIOD_NOT_OVER",)
"""Why an account has no period to close."""


class Worker:
    """Bills the accounts of one slot, page by page while a run is open, else one on demand."""

    def __init__(
        self,
        name: str,
        slot: str,
        accounts: Sequence[str],
        network: Network,
        random: Random,
        histories: Histories,
    ) -> None:
        self._name = name
        self._slot = slot
        self._accounts = accounts
        self._network = network
        self._random = random
        self._histories = histories
        self._pace = a_pace()

    async def work(self, pages: int) -> None:
        """Bill so many pages, or accounts, some after the other."""
        for _ in range(pages):
            await asyncio.sleep(self._random.uniform(0.0, 1.5))
            try:
                await self._bill(BillingPage(self._slot, self._random.choice(FIRSTS), "", 3, False, ""))
            except Fault:
                if self._accounts:
                    await self.one(self._random.choice(self._accounts))

    async def finish(self) -> dict[str, Bills]:
        """Close all periods that are over, of everybody; gives the bills that owners keep, of now and of before."""
        kept: dict[str, Bills] = {}
        for account_id in self._accounts:
            for _ in range(TRIES_MAX):
                if await self.one(account_id) in OVER:
                    break
                await asyncio.sleep(self._random.uniform(0.05, 0.6))
            kept[account_id] = Bills(account_id, tuple(sorted(await self._bills(account_id), key=_by_period)))
        return kept

    async def _bills(self, account_id: str) -> list[Bill]:
        """Give the bills of an account from where it is, and from where it was."""
        identity = identity_of(account_id)
        data = await self._sure(identity, Pull(identity), BusinessData)
        routes = [identity, *[f"domain:{place}" for place in data.account.open.places]]
        found = [await self._sure(route, FetchBills(identity, MONTHS), Bills) for route in routes]
        return list({bill.number: bill for told in found for bill in told.bills}.values())

    async def _sure(self, route: str, ask: wire.Ask, kind: type[_Told]) -> _Told:
        """Ask until the answer is of a kind."""
        for _ in range(TRIES_MAX):
            answer = await self._try(route, ask)
            if isinstance(answer, kind):
                return answer
            await asyncio.sleep(0.3)
        raise Stuck(f"{route} does not answer with {kind.__name__}")

    async def one(self, account_id: str) -> str:
        """Bill an account on demand; gives why it could not be, "" when it was."""
        try:
            (outcome,) = await self._bill(BillingPage("", None, "", 0, False, identity_of(account_id)))
        except Fault as fault:
            return fault.reason
        return from_status(outcome.error).reason if outcome.HasField("error") else ""

    async def _bill(self, page: BillingPage) -> Sequence[pb.BillOutcome]:
        now_ms = BASE_MS + int(asyncio.get_running_loop().time() * 1_000)
        caller = BillingCaller(self._name, "front", "")
        return (await AccountBilling(self._ask, TIMELINE, caller, now_ms, self._pace).bill(page)).outcomes

    async def _ask(self, questions: Sequence[Question]) -> list[Answer]:
        return list(await asyncio.gather(*(self._try(question.route, question.ask) for question in questions)))

    async def _try(self, route: str, asked: wire.Ask | PackedClosings) -> Answer:
        """Ask once; what is answered for certain is remembered."""
        ask: wire.Ask = wire.unpack_ask(wire.pack(asked))
        commands = _commands(ask)
        for command in commands:
            self._histories.sent[command.account_id, command.key] = command.action
        try:
            answer = await self._network.send(self._histories.slot_of(route), ask)
        except Fault as fault:
            return failed(fault)
        answers = answer.answers if isinstance(answer, AccountsClosed) else [answer] * len(commands)
        for command, told in zip(commands, answers, strict=True):
            if isinstance(told, Done | Failed) and not _passing(told):
                self._histories.told.append(Told(command.account_id, command.key, command.action, told))
        return answer


def _commands(ask: wire.Ask) -> list[Command]:
    if isinstance(ask, CloseAccounts):
        return [ask.command(close) for close in ask.closes]
    return [ask.command] if isinstance(ask, Commit) else []


def _passing(answer: Done | Failed) -> bool:
    return isinstance(answer, Failed) and answer.kind in RETRIES


def _by_period(bill: Bill) -> str:
    return bill.period
