"""The data center's process."""

import asyncio
from collections.abc import Mapping

from onetier.v1.data_center_pb2_grpc import (
    add_DataCenterServiceServicer_to_server,
    add_DirectoryServiceServicer_to_server,
)

from datacenter.operators.service import DirectoryServicer
from datacenter.porting.asking import Asker
from datacenter.porting.port import Porter
from datacenter.routing.dispatch import Dispatcher
from datacenter.routing.links import Links
from datacenter.routing.owners import OwnerTable
from datacenter.routing.router import Owners, Router
from datacenter.routing.service import DataCenterServicer
from datacenter.settings import DataCenterSettings
from directory.directory import Directory
from directory.opening import open_directory, open_patiently, units_allowed
from directory.owners import Owner
from directory.room import ROOM as DIRECTORY
from evidence.keyfile import key_file, ring_at
from evidence.places import anchors_folder, places
from evidence.room import ROOM as EVIDENCE
from runtime.server import Booth
from storage.open import Stores
from storage.unit import Unit

LINK_GRACE_MS = 1_000
STORES = Stores(kept.name for room in (DIRECTORY, EVIDENCE) for kept in room.collections)


class DataCenter:
    """One instance: the directory it tails, the links it holds, the services it offers."""

    def __init__(self, booth: Booth, settings: DataCenterSettings, unit: Unit, directory: Directory) -> None:
        metrics = booth.metrics
        self._unit = unit
        self._directory = directory
        self._router = Router(lambda identity: directory.routes[identity].key, self._slots_of)
        self.owners = OwnerTable(unit, settings.poll_ms, self._owners_changed)
        self.links = Links(
            booth.tls,
            batches_in_flight_max=settings.batches_in_flight_max,
            items_max=settings.stream_items_max * 3 // 4,
            message_bytes_max=settings.message_bytes_max,
        )
        self._dispatcher = Dispatcher(
            self._router, self.links, self.owners, metrics, batch_items_max=settings.batch_items_max
        )
        self.links.on_down = lambda _address: self._dispatcher.look_again()
        self.porter = Porter(directory, Asker(self._dispatcher).ask, metrics, settings.country)
        self.servicer = DataCenterServicer(self._dispatcher, directory, metrics, settings, booth.tracing)
        self.operators = DirectoryServicer(directory, self.owners, self.porter, metrics, settings.country)
        self._sweeper: asyncio.Task[None] | None = None
        metrics.gauge("items_in_flight", lambda: self.servicer.items_in_flight)
        metrics.gauge("directory_revision", lambda: directory.revision)
        metrics.gauge("directory_read_ms_ago", lambda: directory.fresh_ms_ago)
        metrics.gauge("routes_cached", lambda: len(directory.routes))
        metrics.gauge("explicit_entries", lambda: len(directory.state.entries))
        metrics.gauge("slots_owned", lambda: len(self.owners.owners))
        metrics.gauge("links_up", lambda: self.links.counts()[0])
        metrics.gauge("ports_open", lambda: len(directory.ports_open()))

    def _slots_of(self, domain: str) -> int:
        info = self._directory.domains.get(domain)
        return info.slots if info is not None else 0

    def _owners_changed(self, owners: Mapping[str, Owner]) -> None:
        self._router.owners = Owners.of({slot: owner.address for slot, owner in owners.items()})
        self.links.keep_only({owner.address for owner in owners.values()})

    async def started(self) -> None:
        """Begin to look after ports that others left."""
        self._sweeper = asyncio.get_running_loop().create_task(self.porter.sweep())

    async def stop_intake(self) -> None:
        """Read no stream any further."""
        self.servicer.stop_intake()

    async def flush(self) -> None:
        """Wait for the answers that are owed."""
        await self.servicer.idle()

    async def close(self) -> None:
        """Let go of everything."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
        await self.porter.close()
        await self._dispatcher.close()
        await self.links.close(LINK_GRACE_MS)
        await self.owners.close()
        await self._directory.close()
        await self._unit.close()


async def build(booth: Booth, settings: DataCenterSettings) -> DataCenter:
    """Open the directory and furnish the server. Raises `BadSettings` when the directory's unit can't be used."""
    keys = key_file(settings.chain_keys, settings.directory)
    ring = ring_at(keys, make=True)
    unit = await open_patiently(STORES, settings.directory)
    anchors = places(anchors_folder(settings.anchors, keys), unit, ring, "")
    directory, _ = await open_directory(unit, anchors, ring, settings.poll_ms, settings.routes_cached_max)
    directory.allowed = units_allowed(settings)
    center = DataCenter(booth, settings, unit, directory)
    await center.owners.start()
    booth.add(add_DataCenterServiceServicer_to_server, center.servicer, "onetier.v1.DataCenterService")
    booth.add(add_DirectoryServiceServicer_to_server, center.operators, "onetier.v1.DirectoryService")
    return center
