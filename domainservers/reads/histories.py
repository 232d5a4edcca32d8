"""Pages of an account's history: newest first, bounded by lines and by bytes, each naming where the next one begins."""

from collections.abc import Callable
from contextlib import aclosing

from charging.ledger.entry import Entry
from charging.wire import FetchHistory, History, HistoryLine
from domainservers.journal.frames import Frames
from domainservers.reads.reading import chain
from domainservers.reads.turns import Turns

HISTORY_LINES_MAX = 1_000
HISTORY_BYTES_MAX = 1_000_000
"""Of the lines of one page, about: as their outcomes and explanations are packed in the journal."""

Tell = Callable[[Entry], HistoryLine]


async def history_page(
    frames: Frames, turns: Turns, account_id: str, newest: int, ask: FetchHistory, tell: Tell
) -> History:
    """Tell one page, from group `newest` on; `tell` makes a line of an entry. Raises as `reading.chain`."""
    lines: list[HistoryLine] = []
    size = 0
    most = max(1, min(ask.lines_max, HISTORY_LINES_MAX))
    async with aclosing(chain(frames, turns, account_id, newest)) as entries:
        async for position, entry in entries:
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
