"""Pages of an account's history: newest first, bounded by lines and by bytes, each naming where the next one begins."""

from collections.abc import Callable
from contextlib import aclosing

from charging.ledger.entry import Entry
from charging.wire import FetchHistory, History, HistoryLine
from domainservers.journal.frames import Frames
from domainservers.journal.keys import POSITIONS_PER_GROUP
from domainservers.reads.reading import chain
from domainservers.reads.turns import Turns

HISTORY_LINES_MAX = 1_000
HISTORY_BYTES_MAX = 1_000_000
"""Of the lines of one page, about: as their outcomes and explanations are packed in the journal."""

FILTERED_GROUPS_MAX = 250
"""That are looked through for one page of some kinds: what it costs is bounded though nothing may fit."""

Tell = Callable[[Entry], HistoryLine]


async def history_page(
    frames: Frames, turns: Turns, account_id: str, newest: int, ask: FetchHistory, tell: Tell
) -> History:
    """Tell one page, from group `newest` on; `tell` makes a line of an entry. Raises as `reading.chain`."""
    lines: list[HistoryLine] = []
    size = walked = 0
    group = newest
    most = max(1, min(ask.lines_max, HISTORY_LINES_MAX))
    async with aclosing(chain(frames, turns, account_id, newest)) as entries:
        async for position, entry in entries:
            if position // POSITIONS_PER_GROUP != group:
                group, walked = position // POSITIONS_PER_GROUP, walked + 1
                if ask.kinds and walked >= FILTERED_GROUPS_MAX:
                    # The place is behind this group's entries, for none of them was looked at.
                    return History(tuple(lines), (group + 1) * POSITIONS_PER_GROUP - 1)
            if ask.kinds and entry.kind not in ask.kinds:
                continue
            if ask.before_version and entry.version >= ask.before_version:
                continue
            if ask.before_position and position >= ask.before_position:
                continue
            told = tell(entry)
            lines.append(told)
            size += len(bytes(entry.outcome)) + sum(len(bytes(steps)) for steps in told.explanations)
            if len(lines) >= most or size >= HISTORY_BYTES_MAX:
                return History(tuple(lines), position)
    return History(tuple(lines))
