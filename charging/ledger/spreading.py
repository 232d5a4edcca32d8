"""Charges one by one, however they are journaled: the one place that makes single charges of many in columns."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from charging.base.account import MAIN_BOOK
from charging.ledger.commands.post_charge import Charged
from charging.ledger.event import BaseEvent
from charging.ledger.usescharged import UsesCharged

EventT = TypeVar("EventT", bound=BaseEvent)


def spread(events: Iterable[EventT]) -> Iterator[EventT | Charged]:
    """Give events in their order, those that hold many charges as single ones."""
    for event in events:
        if isinstance(event, UsesCharged):
            for usage, charge in event.charges():
                yield Charged(usage, charge, ((MAIN_BOOK, charge.amount),) if charge.amount else (), ())
        else:
            yield event


def charged_in(events: Iterable[BaseEvent]) -> list[Charged]:
    """Give the charges of events that ended with them, in their order: all but those of sessions."""
    return [event for event in spread(events) if isinstance(event, Charged)]
