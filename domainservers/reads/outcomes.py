"""Pages of what an account's request keys did: who ports the account takes them along to its new owner."""

from contextlib import aclosing

from charging.ledger.kinds import TAGS
from charging.ledger.originals import kept_fact
from charging.wire import KeptOutcome, Outcomes
from domainservers.journal.frames import Frames
from domainservers.journal.keys import POSITIONS_PER_GROUP
from domainservers.reads.reading import groups_of
from domainservers.reads.turns import Turns

PAGE_OUTCOMES_MAX = 5_000
PAGE_BYTES_MAX = 1_000_000
PAGE_GROUPS_MAX = 250
"""Each is a read of the store: a page must be told well within the time a caller waits."""
MOVES = tuple(tag for kind, tag in TAGS.items() if kind.traits.ports)
"""Kinds of entries that stay: steps of ports, which have the whole account in them and are asked for nowhere else."""


async def page(
    frames: Frames, turns: Turns, account_id: str, newest: int, from_seq: int, most: int, keep_ms: int, keep_seq: int
) -> Outcomes:
    """Tell the keys of one page, newest first; it ends with a group. `newest` is the account's newest group, applied.

    `from_seq` is `next_seq` of the page before, -1 = the first page; `most` outcomes are enough, and the group in which
    they are reached is told whole.

    What is promised is counted from the account's newest entry: an account that has left has a clear end, and however
    long its port takes, nothing is forgotten meanwhile. Nor is what this owner still knows, from group `keep_seq` on,
    whatever the clocks said. Raises `StoreUnavailable`, `msgspec.DecodeError`.
    """
    since_ms = 0
    async with aclosing(groups_of(frames, turns, account_id, newest)) as groups:
        async for found in groups:
            since_ms = found[-1][1].time_ms - keep_ms
            break
    kept: list[KeptOutcome] = []
    walked = size = 0
    async with aclosing(groups_of(frames, turns, account_id, newest if from_seq < 0 else from_seq)) as groups:
        async for found in groups:
            for position, entry in reversed(found):
                if entry.time_ms < since_ms and position < keep_seq * POSITIONS_PER_GROUP:
                    return Outcomes(tuple(kept))
                if entry.kind not in MOVES:
                    outcome = bytes(entry.outcome)
                    kept.append(KeptOutcome(entry.key, entry.digest, outcome, kept_fact(entry)))
                    size += len(outcome)
            walked += 1
            if walked >= PAGE_GROUPS_MAX or size >= PAGE_BYTES_MAX or len(kept) >= most:
                return Outcomes(tuple(kept), found[0][1].previous_seq)
    return Outcomes(tuple(kept))
