"""Decides instructions on the subjects in memory, as the desk decides commands on accounts. Synchronous.

Decisions are speculative and answers wait for their group, as everything in a slot: same groups, same keys, same fence.
"""

from msgspec import Raw

from business.subjects import pack_subject
from charging import wire
from charging.base.subject import Instruction, PackedSubject, slot_of
from charging.errors import Broken, Denied, Fault, Invalid, NotFound, Refused
from charging.ledger.entry import Entry
from charging.wire import Done
from domainservers.accounts.accounts import Cell
from domainservers.base.surroundings import Surroundings
from domainservers.desk.answers import key_reused, pack_fault, told_again
from domainservers.journal.groups import Groups, ReplySink, WhenOurs
from domainservers.journal.keys import POSITIONS_PER_GROUP, KeyIndex, fingerprint
from domainservers.subjects.memory import Subjects
from runtime.telemetry import logger

log = logger("domainservers.subjects.desk")


class InstructionItem:
    """One instruction on its way through a slot."""

    __slots__ = ("cleared", "found", "instruction", "mark", "place", "sink")

    def __init__(self, sink: ReplySink, place: int, instruction: Instruction) -> None:
        self.sink = sink
        self.place = place
        """Position in the caller's batch."""
        self.instruction = instruction
        self.mark = fingerprint(instruction.subject_id, instruction.key)
        self.found: Entry | None = None
        """The entry that was read from the journal at its key's position."""
        self.cleared = -1
        """A journal position that turned out to hold another key."""


class SubjectDesk:
    """What may be done to the subjects of a slot."""

    def __init__(
        self,
        slot: str,
        subjects: Subjects,
        keys: KeyIndex,
        groups: Groups,
        around: Surroundings,
        when_ours: WhenOurs,
    ) -> None:
        self._slot = slot
        self._subjects = subjects
        self._keys = keys
        self._groups = groups
        self._around = around
        self._when_ours = when_ours

    def check(self, subject_id: str) -> None:
        """Look whether a subject can be here. Raises `NotFound` SUBJECT_UNKNOWN, `Invalid` SUBJECT_ELSEWHERE."""
        self._subjects.kind(subject_id)
        if slot_of(subject_id) != self._slot:
            text = f"a subject of slot {self._slot}"
            message = f"{subject_id} is not in slot {self._slot}: send it to the slot that it names"
            raise Invalid("SUBJECT_ELSEWHERE", message, fields={"subject_id": text})

    def decide(self, asked: InstructionItem, cell: Cell) -> int:
        """Decide an instruction, or repeat its outcome.

        Gives the journal position of the entry that must be read first into `asked.found`; -1 = it is answered.
        """
        position = self._keys.find(asked.mark)
        if position >= 0 and position != asked.cleared:
            return self._repeat(asked, cell, position)
        instruction = asked.instruction
        try:
            kind = self._subjects.kind(instruction.subject_id)
            before = self._subjects.state(cell)
            ruling = kind.rule(before, instruction, self._around.newest_ms)
            done = Done(
                before.subject_id, ruling.after.version, 0, (), (), pack_subject(ruling.after), self._around.revision
            )
            seq = self._keep(asked, cell, ruling.after.version, kind.doing(instruction.action), ruling.facts, done)
        except Refused as refusal:
            self._refuse(asked, cell, refusal)
        except (Invalid, NotFound, Denied, Broken) as fault:
            self._reply(asked, cell, fault)
        except Exception:
            log.exception("an instruction could not be decided", subject=instruction.subject_id)
            self._reply(asked, cell, Broken("COMMAND_FAILED", "the command could not be decided"))
        else:
            self._subjects.change(cell, ruling.after, seq)
        return -1

    def inspect(self, sink: ReplySink, place: int, cell: Cell) -> None:
        """Answer with a subject as it is now."""
        answer: PackedSubject | wire.Failed
        try:
            answer = self._subjects.state(cell)
        except Broken as fault:
            answer = wire.failed(fault)
        self._groups.reply(cell.seq, sink, place, wire.pack(answer))

    def _refuse(self, asked: InstructionItem, cell: Cell, refusal: Refused) -> None:
        """Keep what the business refuses under its key: a repeat meets the same refusal."""
        try:
            state = self._subjects.state(cell)
            doing = self._subjects.kind(state.subject_id).doing(asked.instruction.action)
            seq = self._keep(asked, cell, state.version, doing, (), wire.failed(refusal))
        except Fault as fault:
            self._reply(asked, cell, fault)
        else:
            self._subjects.touch(cell, seq)

    def _keep(
        self,
        asked: InstructionItem,
        cell: Cell,
        version: int,
        doing: str,
        facts: tuple[Raw, ...],
        outcome: Done | wire.Failed,
    ) -> int:
        """Put the entry into the open group, its answer waiting with it. Raises `Invalid` with nothing done."""
        told, groups = asked.instruction, self._groups
        body = wire.pack(outcome)
        entry = Entry(
            told.subject_id,
            told.key,
            told.digest,
            version,
            cell.seq,
            self._around.newest_ms,
            doing,
            told.subject_id,
            told.actor,
            told.channel,
            (),
            Raw(body),
            principal=told.principal,
            facts=facts,
        )
        self._keys.add(asked.mark, groups.add(entry))
        groups.open.waiters.append((asked.sink, asked.place, body))
        return groups.open.seq

    def _repeat(self, asked: InstructionItem, cell: Cell, position: int) -> int:
        entry, asked.found = asked.found or self._groups.entry_at(position), None
        if entry is None:
            return position
        instruction = asked.instruction
        if (entry.account_id, entry.key) != (instruction.subject_id, instruction.key):
            asked.cleared = position
            return self.decide(asked, cell)
        if entry.digest != instruction.digest:
            asked.sink.answer(asked.place, pack_fault(key_reused()))
        else:
            self._groups.reply(position // POSITIONS_PER_GROUP, asked.sink, asked.place, told_again(entry.outcome))
        return -1

    def _reply(self, asked: InstructionItem, cell: Cell, fault: Fault) -> None:
        """Answer with something that rests on the subject's newest state, and is not kept."""
        seq, sink, place, body = cell.seq, asked.sink, asked.place, pack_fault(fault)
        self._when_ours(sink, place, lambda: self._groups.reply(seq, sink, place, body))
