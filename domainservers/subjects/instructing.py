"""The way of an instruction through a slot: subject and old outcomes are read into memory, then it is decided.

Instructions are rare beside charges, so they share one queue and take its turns when a group has room; whoever needs
something from the store lets the others pass.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from charging.base.subject import Instruction
from charging.errors import Fault, Overloaded
from charging.ledger.entry import Entry
from domainservers.accounts.accounts import Cell
from domainservers.base.limits import Limits
from domainservers.base.surroundings import Surroundings
from domainservers.desk.answers import expired, pack_fault
from domainservers.journal.groups import Groups, ReplySink
from domainservers.subjects.desk import InstructionItem, SubjectDesk
from domainservers.subjects.memory import Subjects

WAITING_MAX = 1_000
"""Instructions of a slot that wait for a group or for the store; beyond it RESOURCE_EXHAUSTED."""

Then = Callable[[Fault | None], None]
Want = Callable[[str, Then], None]
"""Reads a cell into memory, then calls back."""
ReadEntry = Callable[[int, Callable[[Entry | None], None], Callable[[Fault], None]], None]
"""Reads the journal's entry at a position, None = it was dropped; later calls back with it, or with why not."""


class Instructing:
    """The instructions and inspections of one slot."""

    def __init__(
        self,
        desk: SubjectDesk,
        subjects: Subjects,
        groups: Groups,
        around: Surroundings,
        limits: Limits,
        *,
        want: Want,
        read_entry: ReadEntry,
        decided: Callable[[], None],
    ) -> None:
        """`decided` is told that something may have been put into the open group."""
        self._desk = desk
        self._subjects = subjects
        self._groups = groups
        self._around = around
        self._retry_ms = limits.retry_ms
        self._want = want
        self._read_entry = read_entry
        self._decided = decided
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[InstructionItem] = deque()
        self._needing: dict[InstructionItem, None] = {}
        """Something of the store."""

    def instruct(self, sink: ReplySink, place: int, instruction: Instruction) -> None:
        """Take an instruction; it is answered once through the sink, with what is wrong with it too: nothing is raised.

        An id that names no subject, and an `Overloaded` SLOT_OVERLOADED when too many wait, are answered at once.
        """
        try:
            self._desk.check(instruction.subject_id)
            if len(self._waiting) + len(self._needing) >= WAITING_MAX:
                raise Overloaded("SLOT_OVERLOADED", "too many instructions wait", retry_ms=self._retry_ms)
        except Fault as fault:
            sink.answer(place, pack_fault(fault))
            return
        self._waiting.append(InstructionItem(sink, place, instruction))
        self.pump()

    def inspect(self, sink: ReplySink, place: int, subject_id: str) -> None:
        """Answer with a subject as it is now."""
        self.read(sink, place, subject_id, lambda cell: self._desk.inspect(sink, place, cell))

    def read(self, sink: ReplySink, place: int, subject_id: str, then: Callable[[Cell], None]) -> None:
        """Call `then` with the cell of a subject once it is in memory, or answer why it can't be had."""
        try:
            self._desk.check(subject_id)
        except Fault as fault:
            sink.answer(place, pack_fault(fault))
            return
        cell = self._subjects.cell(subject_id)
        if cell is not None:
            then(cell)
            return

        def found(fault: Fault | None) -> None:
            if fault is not None:
                sink.answer(place, pack_fault(fault))
            else:
                self.read(sink, place, subject_id, then)

        self._want(subject_id, found)

    def pump(self, most: int = WAITING_MAX) -> None:
        """Decide what waits, `most` of it, while the open group has room."""
        if not self._waiting:
            return
        self._around.look()
        # Those that wait now, once each: what is put back behind them meanwhile has its turn in the next round.
        for _ in range(min(most, len(self._waiting))):
            if self._groups.full:
                break
            self._step(self._waiting.popleft())
        self._decided()

    def refuse(self, fault: Fault) -> None:
        """Answer all that wait: the slot is given up."""
        left = [*self._waiting, *self._needing]
        self._waiting.clear()
        self._needing.clear()
        for asked in left:
            asked.sink.answer(asked.place, pack_fault(fault))

    def _step(self, asked: InstructionItem) -> None:
        if asked.sink.deadline <= self._loop.time():
            asked.sink.answer(asked.place, pack_fault(expired()))
            return
        subject_id = asked.instruction.subject_id
        cell = self._subjects.cell(subject_id)
        if cell is None:
            self._needing[asked] = None
            self._want(subject_id, lambda fault: self._again(asked, fault))
            return
        position = self._desk.decide(asked, cell)
        if position >= 0:
            self._needing[asked] = None
            self._read_entry(
                position,
                lambda entry: self._found(asked, position, entry),
                lambda fault: self._again(asked, fault),
            )

    def _found(self, asked: InstructionItem, position: int, entry: Entry | None) -> None:
        """The entry of an old key was read."""
        asked.found = entry
        if entry is None:
            asked.cleared = position  # Older than the journal is kept: unknown again.
        self._again(asked, None)

    def _again(self, asked: InstructionItem, fault: Fault | None) -> None:
        """What an instruction needed is there, or can't be had. One that was refused meanwhile needs nothing."""
        if asked not in self._needing:
            return
        del self._needing[asked]
        if fault is not None:
            asked.sink.answer(asked.place, pack_fault(fault))
            return
        self._waiting.append(asked)
        self.pump()
