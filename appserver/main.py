"""The process of the platform."""

from onetier.v1.service_desk_pb2_grpc import add_ServiceDeskServiceServicer_to_server

from appserver.door.service import ServiceDesk
from appserver.settings import AppServerSettings
from appserver.uplink.links import Uplink
from appserver.work.engine import Engine
from runtime.server import Booth
from runtime.settings import BadSettings

SERVICE = "onetier.v1.ServiceDeskService"
LINKS_END_MS = 500


class Platform:
    """A platform that serves; see `runtime.server.Life`."""

    def __init__(self, uplink: Uplink, engine: Engine, desk: ServiceDesk) -> None:
        self._uplink = uplink
        self._engine = engine
        self._desk = desk

    async def started(self) -> None:
        """Nobody needs to be told: callers find platforms by their own lists."""

    async def stop_intake(self) -> None:
        """Refuse what is new."""
        self._desk.draining = True

    async def flush(self) -> None:
        """Answer what was taken in, then end the streams."""
        await self._engine.counter.idle()
        self._desk.ended.set()

    async def close(self) -> None:
        """Close the links."""
        self._desk.ended.set()
        self._engine.close()
        await self._engine.access.close()
        await self._uplink.close(LINKS_END_MS)


async def build(booth: Booth, settings: AppServerSettings) -> Platform:
    """Furnish a platform. Raises `BadSettings` without a data center to send to."""
    if not settings.datacenters:
        raise BadSettings("datacenters is missing: give the addresses of data-center instances, host:port.")
    uplink = Uplink(
        settings.datacenters,
        booth.address,
        booth.tls,
        settings.batches_in_flight_max,
        settings.message_bytes_max,
    )
    engine = Engine(settings, uplink, booth.metrics, name=booth.address)
    desk = ServiceDesk(engine, settings, booth.metrics)
    booth.add(add_ServiceDeskServiceServicer_to_server, desk, SERVICE)
    return Platform(uplink, engine, desk)
