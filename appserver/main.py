"""The process of the platform."""

import asyncio

from onetier.v1.billing_pb2_grpc import add_BillingServiceServicer_to_server
from onetier.v1.numbers_pb2_grpc import add_NumberServiceServicer_to_server
from onetier.v1.receivables_pb2_grpc import add_ReceivablesServiceServicer_to_server
from onetier.v1.service_desk_pb2_grpc import add_ServiceDeskServiceServicer_to_server
from onetier.v1.vouchers_pb2_grpc import add_VoucherServiceServicer_to_server

from appserver.access_log import AccessLog
from appserver.batches.pending import Pending
from appserver.billing.service import Billing
from appserver.door.admission import BatchAdmission
from appserver.door.clients import Clients
from appserver.door.sampling import Sampler
from appserver.door.service import ServiceDesk
from appserver.numbers.service import RestingDesk
from appserver.receivables.service import Receivables
from appserver.settings import AppServerSettings
from appserver.uplink.links import Uplink
from appserver.vouchers.keyfile import read_keys
from appserver.vouchers.service import Vouchers
from appserver.work.assembly import engine_of, wall_clock_ms
from appserver.work.engine import Engine
from runtime.pace import RunPace
from runtime.server import Booth
from runtime.settings import BadSettings

SERVICE = "onetier.v1.ServiceDeskService"
BILLING = "onetier.v1.BillingService"
NUMBERS = "onetier.v1.NumberService"
RECEIVABLES = "onetier.v1.ReceivablesService"
VOUCHERS = "onetier.v1.VoucherService"
LINKS_END_MS = 500


class Platform:
    """A platform that serves; see `runtime.server.Life`."""

    def __init__(
        self,
        uplink: Uplink,
        engine: Engine,
        pending: Pending,
        access: AccessLog,
        admission: BatchAdmission,
        desk: ServiceDesk,
    ) -> None:
        self._uplink = uplink
        self._engine = engine
        self._pending = pending
        self._access = access
        self._admission = admission
        self._desk = desk

    async def started(self) -> None:
        """Nobody needs to be told: callers find platforms by their own lists."""

    async def stop_intake(self) -> None:
        """Refuse what is new."""
        self._admission.draining = True

    async def flush(self) -> None:
        """Answer what was taken in, then end the streams."""
        await self._pending.idle()
        self._desk.ended.set()

    async def close(self) -> None:
        """End the streams, write the rest of the access log, and let batches under way end before the links do."""
        self._desk.ended.set()
        self._engine.close()
        await self._access.close()
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
    clock = asyncio.get_running_loop().time
    pending = Pending(booth.metrics, clock)
    # The address tells this process's access log from those of others.
    access = AccessLog(settings.access_log, booth.address, settings.access_log_bytes_max, settings.access_log_files_max)
    try:
        keys = read_keys(settings.voucher_keys)
        engine = engine_of(settings, uplink, pending, access, booth.metrics, keys=keys)
    except BaseException:
        await uplink.close(0)
        raise
    clients = Clients(settings, clock)
    admission = BatchAdmission(clients, pending, settings)
    sampler = Sampler(booth.tracing, settings.trace_every, settings.traces_per_s_max, clock)
    pace = RunPace(settings.run_percent / 100)
    desk = ServiceDesk(engine, clients, admission, settings, booth.metrics, sampler, pace)
    booth.add(add_ServiceDeskServiceServicer_to_server, desk, SERVICE)
    billing = Billing(uplink.pick, wall_clock_ms, settings.timeout_ms / 1000, settings.country, pace)
    booth.add(add_BillingServiceServicer_to_server, billing, BILLING)
    receivables = Receivables(uplink.pick, wall_clock_ms, settings.timeout_ms / 1000)
    booth.add(add_ReceivablesServiceServicer_to_server, receivables, RECEIVABLES)
    numbers = RestingDesk(uplink.pick, settings.timeout_ms / 1000)
    booth.add(add_NumberServiceServicer_to_server, numbers, NUMBERS)
    vouchers = Vouchers(uplink.pick, wall_clock_ms, settings.timeout_ms / 1000, keys)
    booth.add(add_VoucherServiceServicer_to_server, vouchers, VOUCHERS)
    return Platform(uplink, engine, pending, access, admission, desk)
