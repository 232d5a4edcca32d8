"""Transfers that are offered late: whether they arrived before is in the journal, though their key may be forgotten.

A key is known for `outcomes_keep_ms` after its arrival, by the receiver's clock; the offer says when it was sent, by
the sender's. So an offer counts as late long before its key can be forgotten, and the search goes back for longer than
it was under way: the clocks of the two may differ by a quarter of `outcomes_keep_ms`.
"""

from contextlib import aclosing

from charging.errors import Unavailable
from charging.ledger.commands.move_in import MovedIn
from charging.ledger.entry import Entry
from domainservers.journal.frames import Frames
from domainservers.reads.reading import groups_of
from domainservers.reads.turns import Turns


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
