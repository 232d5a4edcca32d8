"""`WatchService` over gRPC: who may watch what, from where on, until the stream ends."""

import asyncio
from collections.abc import AsyncIterator

import grpc
from onetier.v1 import watch_pb2 as pb
from onetier.v1.watch_pb2_grpc import WatchServiceServicer

from charging.errors import Denied, Invalid, Overloaded, Unavailable
from charging.ledger.permission import Policy
from runtime.principal import principal_of
from watch.cursors import read_cursor
from watch.feeds import Feeds
from watch.telling import FACT_KINDS, TARIFFS
from watch.watching import NOWHERE, Watcher, WatchFilter

WATCH = "watch"
"""What grants call it."""
LIST_MAX = 1_000
EVENTS_DEFAULT = 500
EVENTS_MAX = 1_000


class WatchServicer(WatchServiceServicer):
    """Serves watchers until `stop` is called."""

    def __init__(self, feeds: Feeds, heartbeat_s: float, streams_max: int) -> None:
        self._feeds = feeds
        self._heartbeat_s = heartbeat_s
        self._streams_max = streams_max
        self._watchers: set[Watcher] = set()
        self._stopping = False
        self.idle = asyncio.Event()
        """Nobody watches."""
        self.idle.set()

    @property
    def streams(self) -> int:
        """How many watch."""
        return len(self._watchers)

    def stop(self) -> None:
        """Tell all watchers to go on at another process."""
        self._stopping = True
        for watcher in self._watchers:
            watcher.wake.set()

    async def Watch(
        self, request: pb.WatchRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[pb.WatchResponse]:
        """Send batches from the cursor on."""
        wanted = wanted_of(request)
        places = read_cursor(request.cursor, self._feeds.ring) if request.cursor else None
        view = _View(self._feeds, principal_of(context).name, tuple(dict.fromkeys(request.regions)))
        regions = view.regions()
        if len(self._watchers) >= self._streams_max:
            text = f"{self._streams_max} watch already, which is as many as this process serves"
            raise Overloaded("STREAMS_TOO_MANY", text, retry_ms=1_000)
        watcher = Watcher(self._feeds, wanted, self._heartbeat_s)
        self._watchers.add(watcher)
        self.idle.clear()
        try:
            self._go_on()
            # A journal that the cursor doesn't know is newer than it: all of it is news.
            at = None if places is None else places.get(TARIFFS, NOWHERE)
            watcher.begin_publications(at, from_oldest=request.from_oldest)
            begin = {slot: places.get(slot, NOWHERE) if places is not None else None for slot in view.slots(regions)}
            await watcher.begin(begin, from_oldest=request.from_oldest)
            async for batch in watcher.batches():
                self._go_on()
                if batch is not None:
                    yield batch
                if news := view.news(watcher.slots):
                    await watcher.begin(dict.fromkeys(news, NOWHERE), from_oldest=False)
        finally:
            watcher.close()
            self._watchers.discard(watcher)
            if not self._watchers:
                self.idle.set()

    def _go_on(self) -> None:
        if self._stopping:
            raise Unavailable("DRAINING", "the process is stopping: resume by the cursor at another", retry_ms=100)


class _View:
    """What one caller sees of the country, by the grants that count now."""

    def __init__(self, feeds: Feeds, principal: str, asked: tuple[str, ...]) -> None:
        self._feeds = feeds
        self._principal = principal
        self._asked = asked
        self._policy: Policy | None = None
        self._revision = -1

    def regions(self) -> list[str]:
        """Give the regions that are watched. Raises `Denied`, `NotFound` DOMAIN_UNKNOWN."""
        directory = self._feeds.directory
        self._policy, self._revision = directory.policy, directory.revision
        if self._asked:
            for region in self._asked:
                self._feeds.slots_of(region)
                directory.policy.permit(self._principal, WATCH, domain=region)
            return list(self._asked)
        found: list[str] = []
        refused: Denied | None = None
        for region in directory.domains:
            try:
                directory.policy.permit(self._principal, WATCH, domain=region)
                found.append(region)
            except Denied as denied:
                refused = denied
        if refused is not None and not found:
            raise refused.bare()
        return found

    def slots(self, regions: list[str]) -> list[str]:
        """Name the journals of regions."""
        return [slot for region in regions for slot in self._feeds.slots_of(region)]

    def news(self, known: frozenset[str]) -> list[str]:
        """Name the journals that came into being, or into view. Raises `Denied` when a grant was taken back."""
        directory = self._feeds.directory
        if directory.revision == self._revision and directory.policy is self._policy:
            return []
        slots = self.slots(self.regions())
        if gone := known.difference(slots):
            region = min(gone).rpartition("/")[0]
            directory.policy.permit(self._principal, WATCH, domain=region)
        return [slot for slot in slots if slot not in known]


def wanted_of(request: pb.WatchRequest) -> WatchFilter:
    """Read what is asked for. Raises `Invalid`."""
    if request.cursor and request.from_oldest:
        wanted = "left out beside a cursor"
        raise Invalid("FIELD_WITHOUT_EFFECT", "a cursor says where to begin", fields={"from_oldest": wanted})
    for name in ("kinds", "regions", "accounts"):
        if len(getattr(request, name)) > LIST_MAX:
            wanted = f"at most {LIST_MAX}"
            raise Invalid("LIST_TOO_LONG", f"{name} has more than {LIST_MAX} entries", fields={name: wanted})
    for place, kind in enumerate(request.kinds):
        if kind not in FACT_KINDS:
            wanted = f"one of {', '.join(sorted(FACT_KINDS))}"
            raise Invalid("EVENT_KIND_UNKNOWN", f"there is no kind {kind[:40]!r}", fields={f"kinds[{place}]": wanted})
    events_max = min(request.events_max or EVENTS_DEFAULT, EVENTS_MAX)
    return WatchFilter(frozenset(request.kinds), frozenset(request.accounts), events_max)
