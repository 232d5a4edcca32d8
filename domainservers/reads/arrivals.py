"""Transfers that are offered late: whether they arrived before is in the journal, though their key may be forgotten.

A key is known for `outcomes_keep_ms` after its arrival, by the receiver's clock; the offer says when it was sent, by
the sender's. So an offer counts as late long before its key can be forgotten, and the search goes back for longer than
it was under way: the clocks of the two may differ by a quarter of `outcomes_keep_ms`.
"""

from collections.abc import Callable, Sequence
from contextlib import aclosing

from msgspec.structs import replace

from charging.errors import Fault, Unavailable
from charging.ledger.commands.move_in import MovedIn
from charging.ledger.commands.receive_bill import ReceiveBill
from charging.ledger.commands.receive_transfer import ReceiveTransfer
from charging.ledger.commands.remember import Remember
from charging.ledger.entry import Entry
from domainservers.accounts.accounts import Cell
from domainservers.base.clock import Clock
from domainservers.base.surroundings import Surroundings
from domainservers.desk.answers import pack_fault
from domainservers.desk.item import Item
from domainservers.journal.frames import Frames
from domainservers.reads.past import NEVER_S, Past
from domainservers.reads.readers import Readers
from domainservers.reads.reading import groups_of
from domainservers.reads.turns import Turns
from runtime.telemetry import logger

log = logger("domainservers.reads.arrivals")


def is_late(sent_ms: int, now_ms: int, keep_ms: int) -> bool:
    """Say whether a transfer is under way for so long that the key of its arrival may be forgotten."""
    return sent_ms > 0 and now_ms - sent_ms > keep_ms // 2


async def find_arrival(
    frames: Frames, turns: Turns, account_id: str, newest: int, key: str, sent_ms: int, keep_ms: int
) -> Entry | None:
    """Find what an earlier offer came to; None = there was none. `newest` is the account's newest group, applied.

    Raises `Unavailable` ARRIVAL_UNKNOWN when the journal can't say: the time of the sending is dropped from it, or the
    account came from another domain so long afterwards that the key did not go along. Raises `StoreUnavailable`.
    """
    ported_late = False
    oldest_seq = newest
    async with aclosing(groups_of(frames, turns, account_id, newest)) as groups:
        # Newest first, back to a time well before the sending, with room for two owners' clocks that differ: past it an
        # arrival can't be any more, and the journal need not be walked to its end.
        async for found in groups:
            oldest_seq = found[0][1].previous_seq
            for _, entry in reversed(found):
                if entry.key == key:
                    return entry
                late = entry.time_ms > sent_ms + keep_ms // 2
                ported_late = ported_late or (late and any(isinstance(event, MovedIn) for event in entry.events))
            if found[0][1].time_ms < sent_ms - keep_ms // 4:
                oldest_seq = -1
                break
    if oldest_seq >= 0 or ported_late:
        text = "whether the transfer has arrived already can't be read from the journal any more"
        raise Unavailable("ARRIVAL_UNKNOWN", f"{text}: it stays under way; audit both accounts", retry_ms=5_000)
    return None


class Arrivals:
    """Of one slot: takes the other halves of transfers in."""

    def __init__(
        self,
        slot: str,
        past: Past,
        readers: Readers,
        cells: dict[str, Cell],
        clock: Clock,
        around: Surroundings,
        keep_ms: int,
        take: Callable[[Sequence[Item]], None],
    ) -> None:
        """`keep_ms` is how long a request key is known; `take` takes what is to be decided."""
        self._slot = slot
        self._past = past
        self._readers = readers
        self._cells = cells
        self._clock = clock
        self._around = around
        self._keep_ms = keep_ms
        self._take = take
        self._searches: set[int] = set()
        """Marks of the keys of late transfers that are looked for."""

    def receive(self, item: Item) -> None:
        """Take a commit whose account is known; a transfer that is late only when it has not arrived before.

        One that is late is answered after a walk through the journal; when that can't say, `Unavailable`
        ARRIVAL_UNKNOWN, and the money stays under way.
        """
        action = item.command.action
        now_ms = max(self._clock.now_ms(), self._around.newest_ms)
        if not (isinstance(action, ReceiveBill | ReceiveTransfer) and is_late(action.sent_ms, now_ms, self._keep_ms)):
            self._take([item])
            return

        def failed(fault: Fault) -> None:
            item.sink.answer(item.place, pack_fault(fault))

        self._readers.begin(self._receive_late(item, action.sent_ms), failed)

    async def _receive_late(self, item: Item, sent_ms: int) -> None:
        """Look for the arrival, then decide on it. A long search outlives its caller: the next offer meets its end."""
        command, past = item.command, self._past
        cell = self._cells.get(command.account_id)
        if cell is None or item.mark in self._searches:
            raise Unavailable("ARRIVAL_SOUGHT", "the journal is searched; repeat the same request key", retry_ms=1_000)
        self._searches.add(item.mark)
        try:
            newest = await past.applied(cell.seq)
            async with past.turns.reader(NEVER_S):
                found = await find_arrival(
                    past.frames, past.turns, command.account_id, newest, command.key, sent_ms, self._keep_ms
                )
        except Unavailable as unknown:
            log.warning("a late transfer can't be decided", slot=self._slot, reason=unknown.reason)
            raise
        finally:
            self._searches.discard(item.mark)
        if found is None:
            self._take([item])
        else:
            # Known again from here on, for as long as any key.
            known = replace(command, action=Remember(bytes(found.outcome)))
            self._take([Item(item.sink, item.place, item.identity, known, internal=True)])
