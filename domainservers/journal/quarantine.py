"""Accounts that are not served, because something of theirs can't be read or does not fit: all others are.

What is set aside is a row of the slot's checkpoint: it outlives the owner, whoever takes the slot over looks at it
again (`domainservers.slot.healing`), and an operator lists it. Until then each request for the account is answered
ACCOUNT_DAMAGED, for a state that lacks one entry is a wrong balance.
"""

from collections.abc import Sequence

from msgspec import Struct

from charging.base.identity import mask
from charging.errors import Broken
from domainservers.journal.framing import account_mark
from domainservers.journal.journal import Corrupt
from domainservers.journal.keys import POSITIONS_PER_GROUP
from runtime.telemetry import Metrics, logger

log = logger("domainservers.journal.quarantine")

ROWS_MAX = 200
"""So much is damage to a few accounts. More is damage to the slot, or a version that can't read its journal at all."""
WHY_CHARS_MAX = 120


class Aside(Struct, frozen=True, array_like=True):
    """An entry of the journal that was set aside, or a snapshot."""

    position: int
    """Of the entry; of the newest group that the snapshot holds, when `snapshot`."""
    mark: int
    """`framing.account_mark` of the account."""
    account_id: str
    """Empty = it could not be read: every account with the mark is kept back, which is this one and hardly another."""
    why: str
    snapshot: bool = False

    @property
    def group(self) -> int:
        """Sequence of the journal's group."""
        return self.position // POSITIONS_PER_GROUP


class Quarantine:
    """What was set aside in one slot."""

    def __init__(self, slot: str, rows: Sequence[Aside], metrics: Metrics) -> None:
        self.rows = list(rows)
        self._slot = slot
        self._metrics = metrics
        self._ids = {row.account_id for row in rows if row.account_id}
        self._marks = {row.mark for row in rows if not row.account_id}

    def holds(self, account_id: str) -> bool:
        """Say whether an account is kept back."""
        return account_id in self._ids or (bool(self._marks) and account_mark(account_id) in self._marks)

    def add(self, row: Aside) -> None:
        """Set something aside, loudly. Raises `Corrupt` when it is more than a slot may go on with."""
        if len(self.rows) >= ROWS_MAX:
            text = f"more than {ROWS_MAX} entries can't be used, the newest because {row.why}"
            raise Corrupt(f"{self._slot}: {text}; was the journal written by a newer version?")
        row = Aside(row.position, row.mark, row.account_id, row.why[:WHY_CHARS_MAX], row.snapshot)
        self.rows.append(row)
        if row.account_id:
            self._ids.add(row.account_id)
        else:
            self._marks.add(row.mark)
        self._metrics.event("set_aside")
        group, index = divmod(row.position, POSITIONS_PER_GROUP)
        account = mask(row.account_id) if row.account_id else f"unknown, mark {row.mark}"
        log.error(
            "set aside, the account is not served",
            slot=self._slot,
            group=group,
            index=index,
            account=account,
            why=row.why,
        )

    def add_entry(self, seq: int, index: int, account_id: str, why: str) -> None:
        """Set entry `index` of group `seq` aside. Raises as `add`."""
        self.add(Aside(seq * POSITIONS_PER_GROUP + index, account_mark(account_id), account_id, why))

    def add_snapshot(self, seq: int, account_id: str, error: Exception) -> None:
        """Set a snapshot of group `seq` aside that can't be read. Raises as `add`."""
        position = max(seq, 0) * POSITIONS_PER_GROUP
        why = f"its snapshot can't be read: {error}"
        self.add(Aside(position, account_mark(account_id), account_id, why, True))

    def release(self, mark: int) -> None:
        """Serve the accounts with a mark again: all rows of the mark go, of whatever account."""
        self.rows = [row for row in self.rows if row.mark != mark]
        self._ids = {row.account_id for row in self.rows if row.account_id}
        self._marks = {row.mark for row in self.rows if not row.account_id}


def damaged(account_id: str) -> Broken:
    """The fault of an account that is kept back."""
    text = f"account {mask(account_id)} can't be served: a part of its journal can't be read"
    return Broken("ACCOUNT_DAMAGED", f"{text}; an operator finds it by `onetier damaged`")
