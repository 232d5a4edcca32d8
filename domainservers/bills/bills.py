"""The bills of one slot: given a number while they are decided, written down once their entry is applied."""

from collections.abc import Callable, Sequence
from functools import partial

from msgspec.structs import replace

from charging.base.account import Account
from charging.ledger.command import Command
from charging.ledger.commands.approve import Approve
from charging.ledger.event import BaseEvent
from domainservers.bills.numbers import Numbers
from domainservers.bills.records import BillRecords
from domainservers.bills.stages import Stages
from storage.unit import Unit


def _series(command: Command, account: Account) -> str:
    """Give the kind of document that a command makes, also where it approves another that does; "" = none."""
    action = command.action
    if not isinstance(action, Approve):
        return action.series()
    proposal = next((each for each in account.open.proposals if each.key == action.of_key), None)
    return command.of_proposal(proposal).action.series() if proposal is not None else ""


class SlotBills:
    """Numbers and records together."""

    def __init__(self, slot: str, unit: Unit, newest: dict[str, int]) -> None:
        """`newest` numbers by series, as the checkpoint has them."""
        self.numbers = Numbers(slot, newest)
        self.records = BillRecords(slot, unit)
        self.stages = Stages(slot)

    def prepared(self, command: Command, account: Account | None, now_ms: int) -> Command:
        """Give a command what only the slot knows: the number of its document, which is used if the entry is kept, and
        for which run its money waits."""
        if account is None:
            return command
        if command.action.stages:
            month = self.stages.month_for(account)
            command = replace(command, action=command.action.staged(month)) if month else command
        series = _series(command, account)
        if not series:
            return command
        number = self.numbers.next(series, account, now_ms)
        return replace(command, action=command.action.numbered(number))

    def decided(
        self, events: Sequence[BaseEvent], time_ms: int, when_applied: Callable[[Callable[[], None]], None]
    ) -> None:
        """Count the numbers of an entry in the open group, and write its bills behind."""
        if self.numbers.note(events):
            when_applied(partial(self.records.note, events, time_ms))

    def replayed(self, events: Sequence[BaseEvent], time_ms: int) -> None:
        """Count the numbers of an entry of the journal, and write its bills again: the last owner may not have."""
        self.numbers.note(events)
        self.records.note(events, time_ms)
