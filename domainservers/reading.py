"""Answers that come out of the journal: old outcomes, charges to refund, the history of an account.

An account's entries are a chain: each names the group of the one before it. Nothing here changes anything.
"""

from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing

from charging.entry import Entry
from charging.errors import NotFound
from domainservers.groups import unpack_at, unpack_entries
from domainservers.journal import Journal, segment_of
from domainservers.keys import POSITIONS_PER_GROUP
from evidence.keys import payload_of
from storage.unit import Unit

CHAIN_GROUPS_MAX = 5_000
"""How far back an account's chain is followed for one request, groups."""


async def read_group(unit: Unit, journal: Journal, seq: int) -> bytes | None:
    """Read one group's payload; None when its segment was dropped. Raises `StoreUnavailable`."""
    segment = segment_of(journal.segments, seq)
    if segment is None:
        return None
    payload: bytes | None = None
    async for page in unit.read(journal.name, segment.number, seq, seq):
        for group in page:
            payload = payload_of(group.payload)
    return payload


async def entry_at(unit: Unit, journal: Journal, position: int) -> Entry | None:
    """Read one entry. Raises `StoreUnavailable`."""
    seq, index = divmod(position, POSITIONS_PER_GROUP)
    payload = await read_group(unit, journal, seq)
    return unpack_at(payload, index) if payload is not None else None


async def groups_of(unit: Unit, journal: Journal, account_id: str, newest: int) -> AsyncGenerator[list[Entry], None]:
    """Walk the groups with entries of an account, newest first, from group `newest` on, as far as the journal is kept.

    Each gives its entries of the account, oldest first, at least one; the first of them names the next group.
    """
    seq = newest
    while seq >= 0:
        payload = await read_group(unit, journal, seq)
        found = [] if payload is None else [each for each in unpack_entries(payload) if each.account_id == account_id]
        if not found:
            return
        yield found
        seq = found[0].previous_seq


async def chain(unit: Unit, journal: Journal, account_id: str, newest: Awaitable[int]) -> AsyncGenerator[Entry, None]:
    """Walk an account's entries, newest first, from group `newest` on, as far as the journal is kept.

    Raises `NotFound` BEYOND_REACH when there is more than may be walked for one request.
    """
    walked = 0
    async with aclosing(groups_of(unit, journal, account_id, await newest)) as groups:
        async for found in groups:
            if walked >= CHAIN_GROUPS_MAX:
                text = f"only the newest {CHAIN_GROUPS_MAX} journal groups of an account are searched"
                raise NotFound("BEYOND_REACH", f"{text}; correct an older charge by an adjustment")
            walked += 1
            for entry in reversed(found):
                yield entry
