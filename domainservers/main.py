"""The domain server's process: directory, units, slots, service, membership, in their order of life."""

import os
import socket

from onetier.v1.domain_server_pb2_grpc import add_DomainServerServiceServicer_to_server

from charging.errors import NotFound
from charging.ledger.permission import Policy, built_in_policy
from directory.directory import Directory
from directory.opening import open_directory, open_patiently, units_allowed
from directory.room import ROOM as DIRECTORY
from domainservers.base.clock import SteadyClock, SystemClock
from domainservers.base.collections import COLLECTIONS
from domainservers.base.limits import Limits
from domainservers.ownership.anchoring import Anchoring
from domainservers.ownership.host import Host
from domainservers.ownership.ownership import Ownership
from domainservers.ownership.units import Units
from domainservers.post import DataCenterPost
from domainservers.service import DomainServerServicer
from domainservers.settings import DomainServerSettings
from domainservers.slot.courier import Courier
from domainservers.slot.keeping import Keeping
from domainservers.slot.slot import Slot
from domainservers.slot.witness import Witness, inhabitants
from evidence.keyfile import key_file, ring_at
from evidence.places import anchors_folder, places
from evidence.room import ROOM as EVIDENCE
from evidence.seals import open_sealed
from runtime.server import Booth
from runtime.telemetry import Metrics
from runtime.tracing import UNTRACED, Tracing
from storage.open import Stores
from storage.unit import Unit

SERVICE = "onetier.v1.DomainServerService"
STORES = Stores(kept.name for kept in (*COLLECTIONS, *DIRECTORY.collections, *EVIDENCE.collections))


def limits_of(settings: DomainServerSettings) -> Limits:
    """The bounds of a slot from the settings of the process."""
    return Limits(
        group_entries_max=settings.group_entries_max,
        group_bytes_max=settings.group_bytes_max,
        queue_entries_max=settings.queue_entries_max,
        run_percent=settings.run_percent,
        lane_entries_max=max(1, settings.queue_entries_max // 2),
        segment_groups_max=settings.segment_groups_max,
        snapshot_entries=settings.snapshot_entries,
        snapshot_interval_ms=settings.snapshot_interval_ms,
        hot_accounts_max=settings.hot_accounts_max,
        outcomes_keep_ms=settings.outcomes_kept_hours * 3_600_000,
        sweep_ms=settings.session_sweep_ms,
    )


class DomainServer:
    """One process. Implements `runtime.server.Life`."""

    def __init__(
        self,
        settings: DomainServerSettings,
        address: str,
        metrics: Metrics,
        post: DataCenterPost | None,
        tracing: Tracing = UNTRACED,
    ) -> None:
        self._settings = settings
        self._address = address
        self._metrics = metrics
        self._post = post
        self._tracing = tracing
        self._clock = SteadyClock(SystemClock())
        self._keys = key_file(settings.chain_keys, settings.directory)
        self._ring = ring_at(self._keys, make=True)
        allowed = units_allowed(settings)
        self._units = Units(lambda url: open_sealed(STORES, allowed.checked(url), self._ring))
        self.server_id = settings.server_id or f"{socket.gethostname()}-{os.getpid()}"
        self.host = Host(
            self.server_id,
            self._units,
            limits_of(settings),
            self._clock,
            settings.commits_in_flight_max,
            self._revision_of,
            metrics,
            self._keeping,
            self._ring,
            policy=self._policy_now,
            domain_of=self._domain_of,
        )
        self._directory_unit: Unit | None = None
        self._directory: Directory | None = None
        self._second: Unit | None = None
        """The second party's unit, when it is another than the directory's."""
        self._anchoring: Anchoring | None = None
        self._ownership: Ownership | None = None
        self.servicer: DomainServerServicer | None = None

    async def open(self) -> DomainServerServicer:
        """Open the directory and make the servicer. Raises `BadSettings` when the directory's unit can't be used."""
        settings = self._settings
        self._directory_unit = self.host.national = await open_patiently(STORES, settings.directory)
        directory = self._directory = await self._open_directory(self._directory_unit)
        self.servicer = DomainServerServicer(
            self.host,
            directory.reference,
            self._revision_of,
            self._metrics,
            timeout_ms=settings.timeout_ms,
            stream_items_max=settings.stream_items_max,
            tracing=self._tracing,
        )
        self._ownership = Ownership(
            self.server_id,
            self._address,
            self._directory_unit,
            lambda: directory.domains,
            self.host,
            self._clock,
            serves=tuple(settings.domains),
            heartbeat_ms=settings.heartbeat_ms,
            ttl_ms=settings.heartbeat_ttl_ms,
        )
        host = self.host
        self._metrics.gauge("slots_owned", lambda: len(host.owned))
        self._metrics.gauge("queue_entries", lambda: sum(slot.lanes.size for slot in host.slots()))
        self._metrics.gauge("accounts_in_memory", lambda: sum(slot.accounts_in_memory for slot in host.slots()))
        return self.servicer

    async def _open_directory(self, unit: Unit) -> Directory:
        """Open the directory, ask the anchors whether it is whole, and let them watch over slots from now on."""
        settings = self._settings
        if settings.anchors_unit:
            self._second = await open_patiently(STORES, settings.anchors_unit)
        folder = anchors_folder(settings.anchors, self._keys)
        anchors = places(folder, self._second or unit, self._ring, self.server_id)
        directory, known = await open_directory(unit, anchors, self._ring, settings.poll_ms)
        self.host.witness = Witness(
            anchors, unit, lambda shared: inhabitants(shared, lambda identity: directory.resolve(identity).key)
        )
        self._anchoring = Anchoring(
            self.host, anchors, lambda: directory.position, self._clock, self._metrics, settings.anchor_interval_ms
        )
        self._anchoring.start(known)
        return directory

    def _revision_of(self, domain: str) -> int:
        if self._directory is None:
            return 0
        try:
            return self._directory.reference_revision(domain)
        except NotFound:
            return 0

    def _policy_now(self) -> Policy:
        return self._directory.policy if self._directory is not None else built_in_policy()

    def _domain_of(self, identity: str) -> str:
        try:
            return self._directory.resolve(identity).domain if self._directory is not None else ""
        except NotFound:
            return ""

    def _keeping(self, slot: Slot) -> Keeping:
        return Keeping(slot, Courier(slot, self._post) if self._post is not None else None)

    async def started(self) -> None:
        """Announce this server and take over what is free."""
        if self._ownership is not None:
            await self._ownership.start()

    async def stop_intake(self) -> None:
        """Slots refuse one by one while they are given up in `flush`, so that each is away for as short as can be."""

    async def flush(self) -> None:
        """Give all slots up in order, then end the streams."""
        if self._ownership is not None:
            await self._ownership.stop()
        if self._anchoring is not None:
            await self._anchoring.stop()
        if self.servicer is not None:
            self.servicer.drain.set()

    async def close(self) -> None:
        """Close links and units."""
        if self._post is not None:
            await self._post.close()
        await self.host.close()
        if self._directory is not None:
            await self._directory.close()
        await self._units.close()
        if self._second is not None:
            await self._second.close()
        if self._directory_unit is not None:
            await self._directory_unit.close()


async def build(booth: Booth, settings: DomainServerSettings) -> DomainServer:
    """Furnish the booth with a domain server."""
    post = DataCenterPost(settings.datacenters, booth.tls) if settings.datacenters else None
    server = DomainServer(settings, booth.address, booth.metrics, post, booth.tracing)
    servicer = await server.open()
    booth.add(add_DomainServerServiceServicer_to_server, servicer, SERVICE)
    return server
