"""What a slot knows of its subjects: the one door between a journal's entries and the states that they leave.

Subjects are cells beside accounts, by their ids, and always packed: so they are written down, restored, read and let go
as accounts are, and none of that needs to know their kinds.
"""

from collections.abc import Callable

from business.subjects import DEFECTS, Kinds, SubjectKind, pack_subject, tell, unborn, unpack_subject
from charging.base.subject import PackedSubject, kind_of
from charging.errors import Broken, NotFound
from charging.ledger.entry import Entry
from charging.ledger.outcome import HistoryLine
from domainservers.accounts.accounts import Accounts, Cell
from domainservers.journal.quarantine import Quarantine


class Subjects:
    """The subjects of one slot, as they may be served."""

    def __init__(
        self, cells: Accounts, quarantine: Quarantine, kinds: Kinds, changed: Callable[[PackedSubject], None]
    ) -> None:
        """`changed` is told each newest state, decided or replayed."""
        self._changed = changed
        self._cells = cells
        self._quarantine = quarantine
        self._kinds = kinds

    def kind(self, subject_id: str) -> SubjectKind:
        """Give the kind of a subject. Raises `NotFound` SUBJECT_UNKNOWN."""
        kind = self._kinds.get(kind_of(subject_id))
        if kind is None:
            raise NotFound("SUBJECT_UNKNOWN", f"{subject_id[:64]!r} names no subject of a kind that is known here")
        return kind

    def cell(self, subject_id: str) -> Cell | None:
        """Give the cell of a subject; None when it must be read from the store first."""
        return self._cells.cells.get(subject_id)

    def state(self, cell: Cell) -> PackedSubject:
        """Give the newest state. Raises `Broken` SUBJECT_DAMAGED when it is kept back, or unreadable."""
        subject_id = cell.account_id
        if self._quarantine.rows and self._quarantine.holds(subject_id):
            raise damaged(subject_id)
        try:
            return self.stored(cell)
        except DEFECTS as error:
            self._quarantine.add_snapshot(cell.seq, subject_id, error)
            raise damaged(subject_id) from error

    @staticmethod
    def stored(cell: Cell) -> PackedSubject:
        """Give the state of a cell whether it is served or not. Raises `ValueError`, `msgspec.MsgspecError`."""
        state = cell.state
        if state is None:
            return unborn(cell.account_id)
        if not isinstance(state, bytes):
            raise ValueError(f"{cell.account_id} is held as an account")
        return unpack_subject(state)

    def change(self, cell: Cell, after: PackedSubject, seq: int) -> None:
        """Set a new state, decided in group `seq`."""
        self._cells.put_packed(cell, pack_subject(after), seq)
        self._changed(after)

    def look(self, subject_id: str) -> None:
        """Tell a state that was read from its snapshot; one that can't be read is told by nobody."""
        cell = self.cell(subject_id)
        if cell is not None and cell.state is not None and not self._quarantine.holds(subject_id):
            self._changed(self.state(cell))

    def touch(self, cell: Cell, seq: int) -> None:
        """Note an entry of group `seq` that left the state as it was."""
        self._cells.touch(cell, seq)

    def after(self, before: PackedSubject, entry: Entry) -> PackedSubject:
        """Repeat an entry on the state before it. Raises `Fault` when it does not fit, or can't be read here."""
        if not entry.facts:
            return before
        after = self.kind(entry.account_id).replay(before, entry.facts)
        if after.version != entry.version:
            text = f"entry of {entry.account_id} at version {entry.version} does not follow"
            raise Broken("REPLAY_GAP", text, facts={"version": str(after.version)})
        return after

    def replay(self, seq: int, index: int, entry: Entry) -> None:
        """Repeat entry `index` of group `seq` on the state in memory; as `domainservers.accounts.memory.Memory`."""
        cell = self._cells.cells[entry.account_id]
        if cell.saved >= seq:
            return
        if self._quarantine.rows and self._quarantine.holds(entry.account_id):
            self._quarantine.add_entry(seq, index, entry.account_id, "an entry before it was set aside")
            return
        try:
            after = self.after(self.stored(cell), entry)
        except Exception as error:
            self._quarantine.add_entry(seq, index, entry.account_id, f"it does not fit: {error}")
        else:
            self.change(cell, after, seq)

    def tell(self, entry: Entry) -> HistoryLine:
        """Tell an entry of the slot's journal, whosever."""
        return tell(entry, self._kinds)


def damaged(subject_id: str) -> Broken:
    """The fault of a subject that is kept back."""
    text = f"{subject_id} can't be served: a part of its journal can't be read"
    return Broken("SUBJECT_DAMAGED", f"{text}; an operator finds it by `onetier damaged`")
