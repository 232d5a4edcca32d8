"""Numbers of bills and credit notes, without gaps or doubles in each series of a slot.

    GD-0-B-2027-0000017     domain, slot, kind, year by the account's clock, number

A number is given while its entry is decided, so it exists if and only if the entry is journaled: an owner that is
fenced loses its numbers with its group, and the next one gives them anew. The newest of each series stand in the
checkpoint, later ones in the journal after it.
"""

from collections.abc import Iterable

from charging.base.account import Account
from charging.base.localtime import month_at
from charging.bills.bill import BILL, CREDIT_NOTE
from charging.ledger.event import BaseEvent

LETTERS = {BILL: "B", CREDIT_NOTE: "C"}
"""By the kind of document."""


class Numbers:
    """Of one slot."""

    def __init__(self, slot: str, newest: dict[str, int]) -> None:
        """`newest` by series, as the checkpoint has them."""
        self.newest = dict(newest)
        self._slot = slot.replace("/", "-")
        self._of_slot = f"{self._slot}-"

    def next(self, kind: str, account: Account, now_ms: int) -> str:
        """Give the number that a document of the account has, should its entry be kept."""
        year = month_at(account.terms.zone, 1, now_ms) // 12
        series = f"{self._slot}-{LETTERS[kind]}-{year}"
        return f"{series}-{self.newest.get(series, 0) + 1:07d}"

    def note(self, events: Iterable[BaseEvent]) -> bool:
        """Count the numbers of an entry, decided or replayed; entries of before the checkpoint change nothing.

        Says whether it has any.
        """
        numbered = False
        for event in events:
            for number in event.numbers():
                numbered = True
                series, _, count = number.rpartition("-")
                if series.startswith(self._of_slot):
                    self.newest[series] = max(self.newest.get(series, 0), int(count))
        return numbered
