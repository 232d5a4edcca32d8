"""Commands that let all others go first: a billing run's, which come by the thousands and nobody waits for.

They stand in a line of their own. A few at a time are decided (`runtime.pace`), so a charge meets a short step and a
small group of the journal, whatever a run asks for. When the line is full, the run is told to come again.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from charging.errors import Fault, Overloaded
from domainservers.base.surroundings import Surroundings
from domainservers.desk.answers import expired, pack_fault
from domainservers.desk.item import Item
from domainservers.journal.groups import Groups
from domainservers.slot.commands import CommandTurns
from runtime.pace import STEP_S, RunPace

TOGETHER = 40
"""Decided before they are journaled, when nobody else has anything journaled."""


class PatientCommands:
    """The line of one slot; the pace is the process's."""

    def __init__(
        self,
        name: str,
        line_max: int,
        pace: RunPace,
        commands: CommandTurns,
        groups: Groups,
        around: Surroundings,
        decided: Callable[[], None],
    ) -> None:
        """`line_max` bounds the line; `decided` is told that something may have been put into the open group."""
        self._name = name
        self._line_max = line_max
        self._pace = pace
        self._commands = commands
        self._groups = groups
        self._around = around
        self._decided = decided
        self._line: deque[Item] = deque()
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()

    def take(self, items: Sequence[Item], others: int) -> None:
        """Put commands into the line, in order; what finds no room is answered SLOT_OVERLOADED.

        `others` came with them, and can't wait.
        """
        if others:
            self._pace.others()
        if not items:
            return
        room = self._line_max - len(self._line)
        self._commands.look_up(items[:room])
        self._line.extend(items[:room])
        self._wake.set()
        if len(items) > room:
            text = f"{self._line_max} commands of runs wait in slot {self._name}"
            self._answer(items[room:], Overloaded("SLOT_OVERLOADED", text, retry_ms=1_000))

    async def run(self) -> None:
        """Decide what stands in the line, for ever."""
        groups = self._groups
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._line:
                if groups.full:
                    await asyncio.sleep(STEP_S)  # Others wait in lanes for the next group.
                    continue
                async with self._pace.step() as step:
                    self._around.look()
                    while self._line and not step.over and not groups.full:
                        self._enter(self._line.popleft())
                # Each group costs something, and nobody waits for these; a charge takes them along.
                if groups.open.patient >= TOGETHER or not self._line or groups.full:
                    groups.open.let_go = True
                    self._decided()

    def _enter(self, item: Item) -> None:
        if item.sink.deadline <= self._loop.time():
            item.sink.answer(item.place, pack_fault(expired()))
            return
        group = self._groups.open
        before = len(group.parts)
        self._commands.enter(item)
        group.patient += len(group.parts) - before

    def refuse(self, fault: Fault) -> None:
        """Answer all that stand in the line."""
        left = list(self._line)
        self._line.clear()
        self._answer(left, fault)

    def _answer(self, items: Sequence[Item], fault: Fault) -> None:
        body = pack_fault(fault)
        for item in items:
            item.sink.answer(item.place, body)
