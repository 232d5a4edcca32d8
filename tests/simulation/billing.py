"""Simulated operators: they plan, open, complete and cancel the bill runs of a slot, and repeat until they know."""

import asyncio
from random import Random

from msgspec import Raw
from msgspec.msgpack import encode

from business.billing.actions import CancelRun, CompleteRun, OpenRun, PlanRun, RunAction
from business.billing.kind import subject_of
from business.billing.periods import Period
from business.vouchers.sheets import ActivateVouchers, MakeSheet
from charging import wire
from charging.base.house_keys import digest_of
from charging.base.subject import Instruction, PackedSubject
from charging.errors import Fault
from charging.wire import Answer, Done, Failed, Inspect, Instruct
from tests.simulation.callers import BASE_MS, CODES, RETRIES, SHEET, WORTH
from tests.simulation.histories import Histories, Network, Told

FIRSTS = (Period(2026 * 12 + 11, 1), Period(2026 * 12 + 11, 1), Period(2026 * 12 + 10, 14))
"""The first run of each cycle; of most accounts a period before it is open, too."""
YEARS_MS = 10 * 365 * 86_400_000


class Operator:
    """Works on the runs of one slot, one thing at a time; several operators may share a slot, without talking."""

    def __init__(self, name: str, slot: str, network: Network, random: Random, histories: Histories) -> None:
        self._name = name
        self._slot = slot
        self._subject = subject_of(slot)
        self._network = network
        self._random = random
        self._histories = histories
        self._serial = 0
        self._period = random.choice(FIRSTS)

    async def work(self, things: int) -> None:
        """Do so many things, some after the other."""
        for _ in range(things):
            await asyncio.sleep(self._random.uniform(0.0, 1.0))
            if self._random.random() < 0.2:
                await self._look()
            else:
                await self._do(self._action())

    async def sell(self) -> None:
        """Make the one sheet of vouchers that there is, and activate it."""
        for key, action in (("make", MakeSheet(WORTH, CODES, True, "")), ("activate", ActivateVouchers((), ""))):
            digest = digest_of(SHEET.subject_id, action)
            instruction = Instruction(SHEET.subject_id, key, digest, "", "front", BASE_MS, Raw(encode(action)))
            self._histories.sent[SHEET.subject_id, key] = action
            while not isinstance(await self._sent(SHEET.slot, Instruct(instruction)), Done):  # noqa: ASYNC110
                await asyncio.sleep(0.2)

    async def _sent(self, slot: str, ask: wire.Ask) -> Answer | None:
        try:
            return await self._network.send(slot, ask)
        except Fault:
            return None

    def _action(self) -> RunAction:
        roll, period = self._random.random(), self._period
        if roll < 0.4:
            return OpenRun(period, self._random.choice(("", "direct", "staged", "staged")), 1, BASE_MS + YEARS_MS)
        if roll < 0.6:
            return CompleteRun(period)
        if roll < 0.85:
            return PlanRun(period, self._random.choice(("direct", "staged")), 1, BASE_MS, BASE_MS + YEARS_MS)
        return CancelRun(period, "because")

    async def _do(self, action: RunAction) -> None:
        histories = self._histories
        histories.open += 1
        self._serial += 1
        key = f"{self._name}-{self._serial}"
        histories.sent[self._subject, key] = action
        instruction = Instruction(
            self._subject, key, digest_of(self._subject, action), "", "front", BASE_MS, Raw(encode(action))
        )
        answer = await self._until_known(Instruct(instruction))
        histories.open -= 1
        if isinstance(answer, Done | Failed):
            histories.told.append(Told(self._subject, key, action, answer))
        if isinstance(answer, Done):
            histories.newest[self._subject] = max(histories.newest.get(self._subject, 0), answer.version)
        completed = isinstance(answer, Failed) and answer.reason in ("RUN_COMPLETED", "PERIOD_PASSED")
        if completed or (isinstance(answer, Done) and isinstance(action, CompleteRun)):
            self._period = self._period.next

    async def _look(self) -> None:
        histories = self._histories
        floor = histories.newest.get(self._subject, 0)
        answer = await self._until_known(Inspect(self._subject))
        if isinstance(answer, PackedSubject):
            if answer.version < floor:
                histories.stale.append(f"{self._subject}: saw version {answer.version} after {floor}")
            histories.subjects.append(answer)

    async def _until_known(self, ask: wire.Ask) -> Answer:
        while True:
            try:
                answer = await self._network.send(self._slot, ask)
            except Fault:
                answer = None
            if answer is not None and not (isinstance(answer, Failed) and answer.kind in RETRIES):
                return answer
            await asyncio.sleep(self._random.uniform(0.05, 0.6))
