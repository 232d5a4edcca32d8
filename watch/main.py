"""The process of the feed. It reads units and writes nowhere."""

from onetier.v1.watch_pb2_grpc import add_WatchServiceServicer_to_server

from directory.directory import Directory
from directory.opening import open_directory, open_patiently, units_allowed
from directory.room import ROOM as DIRECTORY
from domainservers.room import ROOM as DOMAINSERVERS
from evidence.keyfile import key_file, ring_at
from evidence.places import anchors_folder, places
from evidence.room import ROOM as EVIDENCE
from runtime.server import Booth
from storage.open import Stores
from storage.unit import Unit
from watch.feeds import Feeds
from watch.service import WatchServicer
from watch.settings import WatchSettings
from watch.tails import Pace


class StoresToRead(Stores):
    """Opens units as they are, and only to look at them: whoever tells what happened can't change it."""

    async def open(self, url: str) -> Unit:
        """As `open_to_read`."""
        return await self.open_to_read(url)


STORES = StoresToRead(kept.name for room in (DIRECTORY, EVIDENCE, DOMAINSERVERS) for kept in room.collections)
SERVICE = "onetier.v1.WatchService"


class WatchLife:
    """One instance: the directory it tails, the journals it reads, whoever watches."""

    def __init__(self, booth: Booth, settings: WatchSettings, unit: Unit, directory: Directory, feeds: Feeds) -> None:
        self._unit = unit
        self._directory = directory
        self._feeds = feeds
        self.servicer = WatchServicer(feeds, settings.heartbeat_ms / 1000, settings.streams_max)
        booth.metrics.gauge("watchers", lambda: self.servicer.streams)
        booth.metrics.gauge("journals_watched", lambda: feeds.tails_watched)
        booth.metrics.gauge("directory_read_ms_ago", lambda: directory.fresh_ms_ago)

    async def started(self) -> None:
        """Nothing is to be done."""

    async def stop_intake(self) -> None:
        """Send the watchers to another instance."""
        self.servicer.stop()

    async def flush(self) -> None:
        """Wait until they have gone."""
        await self.servicer.idle.wait()

    async def close(self) -> None:
        """Let go of everything."""
        await self._feeds.close()
        await self._directory.close()
        await self._unit.close()


async def build(booth: Booth, settings: WatchSettings) -> WatchLife:
    """Open the directory and furnish the server. Raises `BadSettings` when the directory's unit can't be used."""
    keys = key_file(settings.chain_keys, settings.directory)
    ring = ring_at(keys, make=False)
    unit = await open_patiently(STORES, settings.directory)
    anchors = places(anchors_folder(settings.anchors, keys), unit, ring, "")
    directory, _ = await open_directory(unit, anchors, ring)
    directory.allowed = units_allowed(settings)
    pace = Pace(settings.poll_ms / 1000, settings.poll_idle_ms / 1000, settings.recent_bytes_max)
    life = WatchLife(booth, settings, unit, directory, Feeds(directory, STORES, ring, pace, settings.behind_max))
    booth.add(add_WatchServiceServicer_to_server, life.servicer, SERVICE)
    return life
