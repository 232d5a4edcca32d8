"""Puts the workers of a slot together: each is handed what it needs, and what it calls of the others.

The workers form a ring (a command waits for an account, its arrival gives the next command its turn), so some are
handed calls that reach a later one; nothing is called before all are there.
"""

from collections.abc import Callable, Coroutine, Sequence

from charging.errors import Fault
from charging.ledger.entry import Entry
from domainservers.desk.checking import Checking
from domainservers.desk.desk import SlotDesk
from domainservers.desk.entries import Entries
from domainservers.desk.item import Item
from domainservers.desk.pulling import Pulling
from domainservers.desk.repeating import Repeating
from domainservers.journal.frames import Frames
from domainservers.journal.groups import WhenOurs
from domainservers.reads.arrivals import Arrivals
from domainservers.reads.due import DueReads
from domainservers.reads.fulfilling import Fulfilling
from domainservers.reads.past import Past
from domainservers.reads.readers import Readers
from domainservers.reads.resting import RestingReads
from domainservers.reads.telling import Telling
from domainservers.reads.turns import Turns
from domainservers.slot.asking import SlotAsking
from domainservers.slot.commands import CommandTurns
from domainservers.slot.committing import Committing
from domainservers.slot.expiring import Expiring
from domainservers.slot.loading import Loading
from domainservers.slot.opening import AccountNaming
from domainservers.slot.parts import SlotParts
from domainservers.slot.patient import PatientCommands
from domainservers.slot.proving import Proving
from domainservers.slot.replaying_stages import ReplayingStages
from domainservers.slot.transfers import OutgoingTransfers
from domainservers.subjects.desk import SubjectDesk
from domainservers.subjects.instructing import Instructing
from runtime.pace import RunPace

INSTRUCTIONS_FIRST = 16
"""How many have their turn in a group before the commands that wait."""


class Hooks:
    """What the workers call of their slot."""

    def __init__(
        self, take: Callable[[Sequence[Item]], None], end: Callable[[], None], fresh: Callable[[], bool]
    ) -> None:
        self.take = take
        self.end = end
        self.fresh = fresh


class Works:
    """The workers of a slot."""

    def __init__(self, parts: SlotParts, hooks: Hooks, pace: RunPace) -> None:
        """`pace` is for what can wait."""
        cells = parts.accounts.cells
        self.proving = Proving(parts.journal, hooks.fresh, hooks.end)
        when_ours = self.proving.when_ours
        pulling = Pulling(parts.memory, parts.contracts, parts.groups, parts.around)
        self.loading = Loading(
            parts.name,
            parts.accounts,
            parts.private,
            parts.contracts,
            parts.shared,
            parts.limits,
            came=lambda account_id: self.commands.came(account_id),
            lost=lambda account_id: self.commands.lost(account_id),
        )
        self.readers = Readers(parts.name, parts.limits.reads_in_flight_max, parts.limits.retry_ms)
        past = Past(Frames(parts.private, parts.journal), Turns(), parts.keys, parts.groups, cells)
        fulfilling = Fulfilling(
            past,
            self.readers,
            parts.registry,
            self.loading.want_contract,
            fulfilled=lambda item, fault: self.commands.fulfilled(item, fault),
        )
        self.committing = Committing(
            parts.journal,
            parts.groups,
            parts.keys,
            parts.snapshots,
            parts.age,
            parts.permits,
            parts.limits,
            parts.metrics,
            landed=lambda: self._pump(),
            ended=hooks.end,
        )
        openings = AccountNaming(parts.name, cells, parts.memory, parts.contracts, self.loading, hooks.take)
        self.commands = CommandTurns(
            parts.name,
            parts.limits,
            cells,
            parts.keys,
            parts.groups,
            parts.around,
            _desk(parts, pulling, when_ours),
            load=self.loading.load,
            name_opening=openings.name,
            fulfil=fulfilling.begin,
            drain_ms=self.committing.drain_ms,
            decided=self.committing.wake,
        )
        self.patient = _patient(parts, pace, self.commands, self.committing.wake)
        self.instructing = _instructing(parts, past, self.loading, self.readers, when_ours, self.committing.wake)
        self.asking = _asking(parts, hooks, pulling, past, self.loading, self.readers, self.instructing)
        want = self.loading.load_if_absent
        self.expiring = Expiring(parts.clock, parts.watch, cells, parts.memory, want=want, take=hooks.take)
        self.stages = ReplayingStages(
            parts.clock, parts.watch, cells, parts.memory, parts.bills.stages, want=want, take=hooks.take
        )
        self.transfers = OutgoingTransfers(
            parts.watch, cells, parts.memory, parts.groups, parts.clock, want=want, take=hooks.take
        )

    def running(self, *more: Coroutine[None, None, None]) -> tuple[Coroutine[None, None, None], ...]:
        """Give what goes on as long as the slot is owned, and more of the kind."""
        return (self.committing.run(), self.patient.run(), *more)

    def refuse(self, fault: Fault) -> None:
        """Answer all that wait to be decided."""
        self.commands.refuse(fault)
        self.patient.refuse(fault)
        self.instructing.refuse(fault)

    def _pump(self) -> None:
        # Instructions are few: were commands always first, a slot whose groups are all full would never open a run.
        self.instructing.pump(INSTRUCTIONS_FIRST)
        self.commands.pump()
        self.instructing.pump()


def _patient(parts: SlotParts, pace: RunPace, commands: CommandTurns, decided: Callable[[], None]) -> PatientCommands:
    line_max = parts.limits.patient_max
    return PatientCommands(parts.name, line_max, pace, commands, parts.groups, parts.around, decided)


def _instructing(
    parts: SlotParts,
    past: Past,
    loading: Loading,
    readers: Readers,
    when_ours: WhenOurs,
    decided: Callable[[], None],
) -> Instructing:
    desk = SubjectDesk(parts.name, parts.subjects, parts.keys, parts.groups, parts.around, when_ours)

    def read_entry(position: int, found: Callable[[Entry | None], None], failed: Callable[[Fault], None]) -> None:
        async def work() -> None:
            found(await past.entry_at(position))

        readers.begin(work(), failed)

    return Instructing(
        desk,
        parts.subjects,
        parts.groups,
        parts.around,
        parts.limits,
        want=loading.want_account,
        read_entry=read_entry,
        decided=decided,
    )


def _desk(parts: SlotParts, pulling: Pulling, when_ours: WhenOurs) -> SlotDesk:
    around = parts.around
    return SlotDesk(
        parts.memory,
        parts.contracts,
        parts.keys,
        parts.groups,
        around,
        Entries(parts.memory, parts.keys, parts.groups, around, when_ours),
        Repeating(parts.groups, around.domain),
        Checking(parts.contracts, around),
        pulling,
        parts.bills,
        parts.customers,
    )


def _asking(
    parts: SlotParts,
    hooks: Hooks,
    pulling: Pulling,
    past: Past,
    loading: Loading,
    readers: Readers,
    instructing: Instructing,
) -> SlotAsking:
    cells, keep_ms = parts.accounts.cells, parts.limits.outcomes_keep_ms
    domain, line = parts.around.domain, parts.subjects.tell
    telling = Telling(
        past,
        readers,
        parts.accounts,
        parts.groups,
        parts.key_records,
        parts.customers,
        parts.name,
        domain,
        keep_ms,
        line,
    )
    arrivals = Arrivals(parts.name, past, readers, cells, parts.clock, parts.around, keep_ms, hooks.take)
    return SlotAsking(
        cells,
        parts.contracts,
        loading,
        parts.around,
        pulling,
        tell=telling.tell,
        receive=arrivals.receive,
        instructing=instructing,
        due=DueReads(
            parts.name,
            parts.private,
            parts.accounts,
            parts.quarantine,
            parts.groups,
            readers,
            parts.bills.records,
            parts.contracts,
            loading.want_contract,
        ),
        resting=RestingReads(parts.resting, parts.around, past.turns, readers),
    )
