"""Answers that come out of the journal: old outcomes, charges to refund, the history of an account.

An account's entries are a chain: each names the group of the one before it. Of a group only the blocks with entries of
the account are opened. Nothing here changes anything.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from charging.errors import NotFound
from charging.ledger.entry import Entry
from domainservers.journal.frames import Frames
from domainservers.journal.groups import unpack_at, unpack_of
from domainservers.journal.keys import POSITIONS_PER_GROUP
from domainservers.reads.turns import Turns

CHAIN_GROUPS_MAX = 5_000
"""How far back an account's chain is followed for one request, groups."""

Placed = tuple[int, Entry]
"""An entry and its position in the journal."""


async def entry_at(frames: Frames, position: int) -> Entry | None:
    """Read one entry; None = its segment was dropped. Raises `StoreUnavailable`, `msgspec.DecodeError`."""
    seq, index = divmod(position, POSITIONS_PER_GROUP)
    frame = await frames.frame(seq)
    return unpack_at(frame, index) if frame is not None else None


async def groups_of(frames: Frames, turns: Turns, account_id: str, newest: int) -> AsyncGenerator[list[Placed], None]:
    """Walk the groups with entries of an account, newest first, from group `newest` on, as far as the journal is kept.

    Each gives its entries of the account, oldest first, at least one; the first of them names the next group. Leave it
    early through `aclosing` only. Raises `StoreUnavailable`, `msgspec.DecodeError`.
    """
    seq = newest
    while seq >= 0:
        frame = await frames.frame(seq)
        if frame is None:
            return
        await turns.rest()
        with turns.work():
            found = [(seq * POSITIONS_PER_GROUP + place, entry) for place, entry in unpack_of(frame, account_id)]
        if not found:
            return
        yield found
        seq = found[0][1].previous_seq


async def chain(frames: Frames, turns: Turns, account_id: str, newest: int) -> AsyncGenerator[Placed, None]:
    """Walk an account's entries, newest first, from group `newest` on, as far as the journal is kept.

    Raises `NotFound` BEYOND_REACH when there is more than may be walked for one request.
    """
    walked = 0
    async with aclosing(groups_of(frames, turns, account_id, newest)) as groups:
        async for found in groups:
            if walked >= CHAIN_GROUPS_MAX:
                text = f"only the newest {CHAIN_GROUPS_MAX} journal groups of an account are searched"
                raise NotFound("BEYOND_REACH", f"{text}; correct an older charge by an adjustment")
            walked += 1
            for placed in reversed(found):
                yield placed
