"""The bills of one slot: given a number while they are decided, written down once their entry is applied."""

from collections.abc import Callable, Sequence
from functools import partial

from msgspec.structs import replace

from charging.base.account import Account
from charging.ledger.command import Command
from charging.ledger.event import BaseEvent
from domainservers.bills.numbers import Numbers
from domainservers.bills.records import BillRecords
from storage.unit import Unit


class SlotBills:
    """Numbers and records together."""

    def __init__(self, slot: str, unit: Unit, newest: dict[str, int]) -> None:
        """`newest` numbers by series, as the checkpoint has them."""
        self.numbers = Numbers(slot, newest)
        self.records = BillRecords(slot, unit)

    def numbered(self, command: Command, account: Account | None, now_ms: int) -> Command:
        """Give the next number of its series to a command that makes a document; it is used if the entry is kept."""
        series = command.action.series()
        if not series or account is None:
            return command
        number = self.numbers.next(series, account, now_ms)
        return replace(command, action=command.action.numbered(number))

    def decided(
        self, events: Sequence[BaseEvent], time_ms: int, when_applied: Callable[[Callable[[], None]], None]
    ) -> None:
        """Count the numbers of an entry in the open group, and write its bills behind."""
        if any(event.numbers() for event in events):
            self.numbers.note(events)
            when_applied(partial(self.records.note, events, time_ms))

    def replayed(self, events: Sequence[BaseEvent], time_ms: int) -> None:
        """Count the numbers of an entry of the journal, and write its bills again: the last owner may not have."""
        self.numbers.note(events)
        self.records.note(events, time_ms)
