"""A row of the details: one record of rated usage, whose it is, where it is journaled, and what it did."""

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from charging.ledger.details import RatedUsage, UsageEffect, effects, records
from charging.ledger.entry import Entry

GROUP_PLACES = 1 << 12
"""A position is `group of the journal · GROUP_PLACES + place in the group`, as owners write it."""


class StoredUsage(Struct, frozen=True, gc=False):
    """One record of rated usage as it is kept."""

    account_id: str
    position: int
    """Of its entry in the journal of its slot."""
    nth: int
    """Among the records of its entry."""
    usage: RatedUsage
    effect: UsageEffect

    @property
    def start_ms(self) -> int:
        """When the usage began, UTC; of a refund, when it was given."""
        return self.usage.usage.start_ms


def rows_of(seq: int, entries: Iterable[tuple[int, Entry]]) -> Iterator[StoredUsage]:
    """Give the rows of a group of the journal; `entries` with their places in it."""
    for place, entry in entries:
        if entry.events:
            for nth, (usage, effect) in enumerate(zip(records(entry), effects(entry), strict=True)):
                yield StoredUsage(entry.account_id, seq * GROUP_PLACES + place, nth, usage, effect)


pack = msgspec.msgpack.Encoder().encode
