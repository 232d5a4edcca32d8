"""The reconciliation of an account's stages from its journal: stage in = replayed + still staged, row by row."""

from collections import Counter
from collections.abc import Iterator

from charging.base.account import Account
from charging.base.staged import StagedMoney, staged_in
from charging.ledger.entry import Entry
from charging.ledger.event import BaseArrival
from charging.ledger.staging import MoneyReplayed, MoneyStaged


class StageReconciling:
    """Follows the entries of one account, oldest first. Amounts are micro-units."""

    def __init__(self, start: Account | None = None) -> None:
        """`start` is the state before the first entry, when older segments of the journal are gone."""
        self.staged = 0
        """What came into stages, and what was in them when the account came."""
        self.replayed = 0
        self._rows: Counter[StagedMoney] = Counter()
        if start is not None:
            self._begin(start)

    @property
    def waiting(self) -> int:
        """What is staged still; of an account that moved away, what it took along."""
        return self.staged - self.replayed

    def note(self, after: Account, entry: Entry) -> Iterator[str]:
        """Add an entry up; give what does not agree, in sentences."""
        for event in entry.events:
            if isinstance(event, BaseArrival):
                self._begin(event.account)
            elif isinstance(event, MoneyStaged):
                self._rows[event.row] += 1
                self.staged += event.row.amount
            elif isinstance(event, MoneyReplayed):
                if not self._rows[event.row]:
                    yield f"entry {entry.key} replays {event.row.amount} of {event.row.key}, which are not staged"
                self._rows[event.row] -= 1
                self.replayed += event.row.amount
        left = staged_in(after.open.staged)
        if left != self.waiting or Counter(after.open.staged) != +self._rows:
            yield f"entry {entry.key} leaves {left} staged; {self.staged} came in and {self.replayed} were replayed"

    def _begin(self, account: Account) -> None:
        self.staged += staged_in(account.open.staged) - self.waiting
        self._rows = Counter(account.open.staged)
