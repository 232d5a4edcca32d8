"""One watcher: from where it stands in each journal to batches of events, at the pace at which they are taken.

What it holds is one batch, and of each journal at most some groups that are shared or being read: a watcher that reads
slowly makes nothing grow. Journals take turns, so that a busy one doesn't keep the others back.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from msgspec import Struct
from onetier.v1 import watch_pb2 as pb

from charging.errors import NotFound, Unavailable
from domainservers.journal.journal import Corrupt
from runtime.telemetry import logger
from storage.unit import StoreRejected, StoreUnavailable
from watch.chains import ChainReader, Dropped
from watch.cursors import Place, foreign, write_cursor
from watch.feeds import Feeds
from watch.publications import Publications
from watch.tails import GROUPS_AT_ONCE
from watch.telling import TARIFFS, TARIFFS_CHANGED, FeedEvent, FeedGroup, feed_group, unreadable

log = logger("watch.watching")

NOWHERE: Place = (0, 0)
BATCH_BYTES_MAX = 1_000_000
LOOK_TIMEOUT_S = 5.0
AGAIN_S = 1.0
"""Pause before a journal that could not be read is tried again."""


class WatchFilter(Struct, frozen=True):
    """What a watcher asked for."""

    kinds: frozenset[str]
    """Empty = all; `accounts` likewise."""
    accounts: frozenset[str]
    events_max: int

    def takes(self, event: FeedEvent) -> bool:
        """Say whether an event is sent. What can't be read might be anything, so it always is."""
        if event.message.facts and event.message.facts[0].kind == "unreadable" and not event.account_id:
            return True
        if self.accounts and event.account_id not in self.accounts and TARIFFS_CHANGED not in event.kinds:
            return False
        return not self.kinds or not self.kinds.isdisjoint(event.kinds) or "unreadable" in event.kinds


class _Batch:
    """Events that go out together."""

    def __init__(self, events_max: int) -> None:
        self.events: list[pb.AccountEvent] = []
        self._left = events_max
        self._octets_left = BATCH_BYTES_MAX

    @property
    def full(self) -> bool:
        return self._left <= 0 or self._octets_left <= 0

    def add(self, event: FeedEvent) -> None:
        self.events.append(event.message)
        self._left -= 1
        self._octets_left -= event.octets


class Stand:
    """Where a watcher stands in one journal, and how it gets on from there."""

    def __init__(self, feeds: Feeds, slot: str, place: Place, wake: asyncio.Event) -> None:
        self.place = place
        self._feeds = feeds
        self._slot = slot
        self._wake = wake
        self._tail = feeds.tail(slot)
        self._tail.join(wake)
        self._reader: ChainReader | None = None
        self._read: list[FeedGroup] = []
        """Of the store, not gone through yet."""
        self._rest_until = 0.0
        self._told = ""

    def leave(self) -> None:
        """Stand there no longer."""
        self._tail.leave(self._wake)

    async def go_to_end(self) -> None:
        """Stand where the journal ends now. Raises `Unavailable`."""
        await self._seen(lambda: self._tail.ready or self._tail.damaged)
        self.place = (self._tail.next_seq, 0)

    async def check(self) -> None:
        """Raise `Invalid` CURSOR_FOREIGN when the journal ends before the place, seen after now; `Unavailable`.

        How far a damaged journal goes nobody can say.
        """
        tail, looks = self._tail, self._tail.looks
        # Of two looks the second began after now.
        await self._seen(lambda: tail.damaged or (tail.ready and not (self._beyond() and tail.looks < looks + 2)))
        if self._beyond() and not tail.damaged:
            raise foreign(f"{self._slot} ends before group {self.place[0]}")

    async def _seen(self, condition: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(LOOK_TIMEOUT_S):
                while not condition():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise _away(self._slot) from None

    def _beyond(self) -> bool:
        return self.place > (self._tail.next_seq, 0)

    async def fill(self, batch: _Batch, wanted: WatchFilter, now: float) -> bool:
        """Put events into a batch until it is full or nothing is there; say whether the place moved.

        Raises `NotFound` CURSOR_TOO_OLD.
        """
        if now < self._rest_until:
            return False
        moved = False
        while not batch.full and (groups := await self._groups(batch, now)):
            for group in groups:
                moved = True
                if not self._go_through(group, batch, wanted):
                    return moved
        return moved

    def _go_through(self, group: FeedGroup, batch: _Batch, wanted: WatchFilter) -> bool:
        """Take the rest of a group; False = the batch is full before its end."""
        index = self.place[1]
        for event in group.events:
            if event.index < index or not wanted.takes(event):
                continue
            if batch.full:
                self.place = (group.seq, event.index)
                return False
            batch.add(event)
        self.place = (group.seq + 1, 0)
        return True

    async def _groups(self, batch: _Batch, now: float) -> Sequence[FeedGroup]:
        """Give groups from the place on: of the tail, or read for this watcher alone when it is behind."""
        seq, tail = self.place[0], self._tail
        self._read = [group for group in self._read if group.seq >= seq]
        if self._read:
            return self._read
        if tail.ready and seq >= tail.first_seq:
            self._reader = None
            return tail.since(seq)
        return await self._from_store(batch, now)

    async def _from_store(self, batch: _Batch, now: float) -> Sequence[FeedGroup]:
        seq = self.place[0]
        try:
            async with self._feeds.behind:
                if self._reader is None or self._reader.seq >= seq:
                    self._reader = await self._feeds.reader_before(self._slot, seq)
                groups = await self._reader.read(GROUPS_AT_ONCE)
                while groups and groups[-1].seq < seq:
                    groups = await self._reader.read(GROUPS_AT_ONCE)
        except Dropped as gone:
            text = f"events were dropped that the cursor comes before: {gone}"
            raise NotFound("CURSOR_TOO_OLD", text, facts={"slot": self._slot}) from gone
        except Corrupt as damage:
            self._rest(now)
            if self._told != str(damage):
                self._told = str(damage)
                batch.add(unreadable(self._slot, seq, self.place[1], "", f"the journal can't be read on: {damage}"))
            return ()
        except (StoreUnavailable, StoreRejected) as away:
            log.warning("a journal can't be read just now", slot=self._slot, why=str(away))
            self._rest(now)
            return ()
        self._told = ""
        if not groups:
            self._rest_until = now + AGAIN_S
        self._read = [feed_group(self._slot, group) for group in groups if group.seq >= seq]
        return self._read

    def _rest(self, now: float) -> None:
        self._reader = None
        self._rest_until = now + AGAIN_S


class Watcher:
    """Goes through journals; `close` it at the end. `wake` makes it look around at once."""

    def __init__(self, feeds: Feeds, wanted: WatchFilter, heartbeat_s: float) -> None:
        self.wake = asyncio.Event()
        self._feeds = feeds
        self._wanted = wanted
        self._heartbeat_s = heartbeat_s
        self._stands: dict[str, Stand] = {}
        self._publications = Publications(feeds.directory)
        self._loop = asyncio.get_running_loop()

    def begin_publications(self, place: Place | None, *, from_oldest: bool) -> None:
        """Begin to watch what the directory publishes from a place on; without one at the end, or with the oldest."""
        if place is not None:
            self._publications.place = place
        elif not from_oldest:
            self._publications.go_to_end()

    async def begin(self, places: Mapping[str, Place | None], *, from_oldest: bool) -> None:
        """Begin to watch journals from places on; without one at the end, or at the oldest that is kept.

        Raises `Invalid` CURSOR_FOREIGN, `Unavailable`.
        """
        begun = {slot: Stand(self._feeds, slot, place or NOWHERE, self.wake) for slot, place in places.items()}
        self._stands.update(begun)
        for slot, stand in begun.items():
            try:
                if places[slot] is not None:
                    await stand.check()
                elif from_oldest:
                    stand.place = (await self._feeds.oldest(slot), 0)
                else:
                    await stand.go_to_end()
            except (StoreUnavailable, StoreRejected) as away:
                raise _away(slot) from away

    @property
    def slots(self) -> frozenset[str]:
        """The journals that it goes through."""
        return frozenset(self._stands)

    def cursor(self) -> str:
        """Write where it stands."""
        places = {slot: stand.place for slot, stand in self._stands.items()}
        return write_cursor({TARIFFS: self._publications.place, **places}, self._feeds.ring)

    async def batches(self) -> AsyncIterator[pb.WatchResponse | None]:
        """Give batches for ever, an empty one as a heartbeat; a pause of the consumer pauses the reading.

        None comes while nothing happens, a second later at most, and at once after `wake`: time to look around.
        Raises `NotFound` CURSOR_TOO_OLD.
        """
        due = self._loop.time() + self._heartbeat_s
        while True:
            self.wake.clear()
            batch = _Batch(self._wanted.events_max)
            moved = await self._round(batch)
            if batch.events or self._loop.time() >= due:
                yield pb.WatchResponse(events=batch.events, cursor=self.cursor())
                due = self._loop.time() + self._heartbeat_s
            elif not moved:
                yield None
                await self._pause(min(due - self._loop.time(), AGAIN_S))

    async def _round(self, batch: _Batch) -> bool:
        moved = self._tell_publications(batch)
        for slot in list(self._stands):
            if batch.full:
                break
            stand = self._stands.pop(slot)
            self._stands[slot] = stand  # Last in the next turn.
            moved |= await stand.fill(batch, self._wanted, self._loop.time())
        return moved

    def _tell_publications(self, batch: _Batch) -> bool:
        before = self._publications.place
        regions = frozenset([slot.rpartition("/")[0] for slot in self._stands])
        while not batch.full and (event := self._publications.take(regions)) is not None:
            if self._wanted.takes(event):
                batch.add(event)
        return self._publications.place != before

    async def _pause(self, most_s: float) -> None:
        try:
            async with asyncio.timeout(max(most_s, 0)):
                await self.wake.wait()
        except TimeoutError:
            return

    def close(self) -> None:
        """Watch nothing any more."""
        for stand in self._stands.values():
            stand.leave()
        self._stands.clear()


def _away(slot: str) -> Unavailable:
    return Unavailable("STORE_UNAVAILABLE", f"the journal of {slot} can't be read just now", retry_ms=1_000)
