"""One whole system on this machine: its processes, and the settings they get."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct
from onetier.v1 import data_center_pb2_grpc as dc_grpc

from cluster.layout import Layout, keys_of
from cluster.roles import read_role
from cluster.supervisor import Running, Supervisor
from country.domains import COUNTRY
from runtime.channel import open_channel
from runtime.tls import Tls

DATACENTER_PORTS = 100
"""How far the ports of data centers are above those of app servers, when ports are fixed."""


class Shape(Struct, frozen=True):
    """How many processes of each tier, and the first port of the fixed ones (0 = free ports)."""

    datacenters: int = 1
    domain_servers: int = 2
    app_servers: int = 2
    first_port: int = 0


class PortInUse(ValueError):
    """A fixed port is somebody's; the message says what to do."""


class System:
    """The processes of one system, started in the order they need each other."""

    def __init__(
        self, supervisor: Supervisor, layout: Layout, settings: Mapping[str, str], *, tls: Path | None = None
    ) -> None:
        """`settings` are for every process, as environment; `tls` is a folder as `docs/tls.md` makes it."""
        self.supervisor = supervisor
        self.layout = layout
        self.datacenters: list[Running] = []
        self.domain_servers: list[Running] = []
        self.app_servers: list[Running] = []
        self._settings = dict(settings)
        self._tls = tls

    async def start(self, shape: Shape) -> None:
        """Start all tiers. Raises `PortInUse`, or `ProcessDied` when one doesn't get ready."""
        first = shape.first_port
        app_ports = [first + number if first else 0 for number in range(shape.app_servers)]
        center_ports = [first + DATACENTER_PORTS + number if first else 0 for number in range(shape.datacenters)]
        for port in {*app_ports, *center_ports} - {0}:
            _check_free(port)
        self.datacenters += await _together(
            [self.start_datacenter(number, port) for number, port in enumerate(center_ports)]
        )
        self.domain_servers += await _together(
            [self.start_domain_server(number) for number in range(shape.domain_servers)]
        )
        self.app_servers += await _together(
            [self.start_app_server(number, port) for number, port in enumerate(app_ports)]
        )

    async def start_datacenter(self, number: int, port: int = 0) -> Running:
        """Start one data center."""
        return await self._start("datacenter", number, {"ONETIER_DIRECTORY": self.layout.directory}, port)

    async def start_domain_server(self, number: int) -> Running:
        """Start one domain server."""
        own = {
            "ONETIER_DIRECTORY": self.layout.directory,
            "ONETIER_SERVER_ID": f"domainserver-{number}-{os.getpid()}",
            "ONETIER_DATACENTERS": _addresses(self.datacenters),
        }
        return await self._start("domainserver", number, own, 0)

    async def start_app_server(self, number: int, port: int = 0) -> Running:
        """Start one app server."""
        return await self._start("appserver", number, {"ONETIER_DATACENTERS": _addresses(self.datacenters)}, port)

    @property
    def endpoints(self) -> list[str]:
        """Where front ends call."""
        return [process.address for process in self.app_servers]

    def tls(self, role: str) -> Tls | None:
        """Give the certificate of a caller (frontend, operator); None without TLS. Raises `BadSettings`."""
        return read_role(self._tls, role)

    def _tls_settings(self, tier: str) -> dict[str, str]:
        if self._tls is None:
            return {}
        folder = self._tls.resolve()
        names = {"CERT": f"{tier}.pem", "KEY": f"{tier}.key", "CA": "ca.pem"}
        return {f"ONETIER_TLS_{what}": str(folder / name) for what, name in names.items()}

    @asynccontextmanager
    async def directory_of(self, number: int) -> AsyncIterator[dc_grpc.DirectoryServiceStub]:
        """Give the operators' service of one data center, for a block."""
        channel = open_channel(self.datacenters[number].address, self.tls("operator"), role="datacenter")
        try:
            yield dc_grpc.DirectoryServiceStub(channel)
        finally:
            await channel.close()

    async def _start(self, tier: str, number: int, own: Mapping[str, str], port: int) -> Running:
        keys = {"ONETIER_CHAIN_KEYS": str(keys_of(self.layout, self.supervisor.folder))} if tier != "appserver" else {}
        environment = {
            "ONETIER_LISTEN": f"127.0.0.1:{port}",
            "ONETIER_COUNTRY": COUNTRY,
            **keys,
            **self._settings,
            **own,
            **self._tls_settings(tier),
        }
        arguments = ["-m", "console.main", "serve", tier, "--with-parent"]
        return await self.supervisor.start(f"{tier}-{number}", arguments, environment)


def _check_free(port: int) -> None:
    """Raise `PortInUse` for a port that is served: processes of one user could else share it, and their callers."""
    with socket.socket() as probe:
        # Else connections of an earlier run that are still being forgotten would count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortInUse(f"port {port} can't be served on ({error.strerror}): give another --port") from error


async def _together(starts: Sequence[Coroutine[None, None, Running]]) -> list[Running]:
    """Start several at once; when one fails the others are ended too and its error is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(start) for start in starts]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    return [task.result() for task in tasks]


def _addresses(processes: list[Running]) -> str:
    return ",".join(process.address for process in processes)
