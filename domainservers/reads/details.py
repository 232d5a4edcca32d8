"""Pages of an account's rated usage: newest first, bounded by records, by bytes and by groups looked through.

A filter may fit nothing for long, so a page ends, empty perhaps, after `PAGE_GROUPS_MAX` groups, and names where the
next one begins: what one question costs is bounded whatever it asks for.
"""

from contextlib import aclosing

from charging.errors import Invalid, NotFound
from charging.ledger.details import REFUND, RatedUsage, records
from charging.ledger.entry import Entry
from charging.wire import Detail, FetchDetail
from domainservers.journal.frames import Frames
from domainservers.journal.keys import POSITIONS_PER_GROUP
from domainservers.reads.reading import groups_of
from domainservers.reads.turns import Turns

PAGE_RECORDS_MAX = 1_000
PAGE_BYTES_MAX = 500_000
"""Of the explanations of one page, about, as they are packed in the journal."""
RECORD_BYTES = 150
"""Of a record without its explanation, about."""
PAGE_GROUPS_MAX = 250
"""Each is a read of the store: a page must be told well within the time a caller waits."""
AHEAD_MS_MAX = 3_600_000
"""By how much usage may begin after it was charged: clocks differ."""


class _Page:
    """What was found for one page."""

    def __init__(self, ask: FetchDetail) -> None:
        self._ask = ask
        self._most = max(1, min(ask.records_max, PAGE_RECORDS_MAX))
        self._size = 0
        self.records: list[RatedUsage] = []

    def take(self, entry: Entry, told: int) -> int:
        """Take what fits of an entry, of which `told` records were told; gives how many of it are told now.

        -1 = all of them.
        """
        for place, record in enumerate(records(entry)):
            if place < told or not self._wanted(record):
                continue
            if len(self.records) >= self._most or self._size >= PAGE_BYTES_MAX:
                return place
            self.records.append(record)
            self._size += len(bytes(record.steps)) + RECORD_BYTES
        return -1

    def _wanted(self, record: RatedUsage) -> bool:
        ask, usage = self._ask, record.usage
        return (
            (not ask.kinds or record.kind in ask.kinds)
            and (not ask.services or usage.service in ask.services)
            and (not ask.holder or usage.identity == ask.holder or record.kind == REFUND)
            and ask.from_ms <= usage.start_ms
            and (not ask.to_ms or usage.start_ms < ask.to_ms)
        )


async def detail_page(
    frames: Frames, turns: Turns, account_id: str, newest: int, ask: FetchDetail, slot: str
) -> Detail:
    """Tell one page, from group `newest` on, or from where the page before ended, of the journal of `slot`.

    Raises `NotFound` PAGE_TOO_OLD, `Invalid` PAGE_FOREIGN; `StoreUnavailable`, `msgspec.DecodeError`.
    """
    begin, floor = await _begins(frames, newest, ask), dict(ask.floors).get(slot, -1)
    if begin <= floor:
        return Detail(())
    page, walked, following = _Page(ask), 0, -1
    async with aclosing(groups_of(frames, turns, account_id, begin)) as groups:
        async for found in groups:
            if found[0][0] // POSITIONS_PER_GROUP <= floor:
                return Detail(tuple(page.records))
            for position, entry in reversed(found):
                if ask.position and position > ask.position:
                    continue
                if entry.time_ms + AHEAD_MS_MAX < ask.from_ms:
                    return Detail(tuple(page.records))
                told = page.take(entry, ask.told if position == ask.position else 0)
                if told >= 0:
                    return Detail(tuple(page.records), position, told)
            walked, following = walked + 1, found[0][1].previous_seq
            if walked >= PAGE_GROUPS_MAX and following >= 0:
                return Detail(tuple(page.records), _whole(following))
    if not walked and ask.position:
        raise _foreign()
    return Detail(tuple(page.records), kept_no_further=following >= 0)


async def _begins(frames: Frames, newest: int, ask: FetchDetail) -> int:
    """Give the group with which a page begins."""
    if not ask.position:
        return newest
    begin = ask.position // POSITIONS_PER_GROUP
    if not 0 <= begin <= newest:
        raise _foreign()
    if await frames.frame(begin) is None:
        text = "the journal is not kept any more from this page on"
        raise NotFound("PAGE_TOO_OLD", f"{text}: begin with the first page, or with a later time")
    return begin


def _whole(seq: int) -> int:
    """Give a position behind all entries of a group."""
    return (seq + 1) * POSITIONS_PER_GROUP - 1


def _foreign() -> Invalid:
    text = "`next_cursor` of the page before, to the letter"
    return Invalid("PAGE_FOREIGN", "the cursor is of another list", fields={"page_cursor": text})
