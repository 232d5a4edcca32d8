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
from house.rooms import process_of, processes
from runtime.channel import open_channel
from runtime.room import Process
from runtime.settings import ENV_PREFIX
from runtime.tls import Tls

DATACENTER_PORTS, FEED_PORTS = 100, 200
"""How far the ports of data centers and of the feed are above those of app servers, when ports are fixed."""
METRICS_PORTS = {"appserver": 300, "datacenter": 400, "domainserver": 500, "watch": 600}
"""The same of the ports that Prometheus reads, by role; gateways have free ones."""


class Shape(Struct, frozen=True):
    """How many processes of each tier, and the first port of the fixed ones (0 = free ports)."""

    datacenters: int = 1
    domain_servers: int = 2
    app_servers: int = 2
    first_port: int = 0
    gateways: tuple[str, ...] = ()
    """Roles of the gateways, one process each."""
    feeds: int = 0
    """Processes that serve the feed of events."""


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
        self.running: dict[str, list[Running]] = {process.role: [] for process in processes()}
        """What was started, by role."""
        self._settings = dict(settings)
        self._tls = tls

    @property
    def datacenters(self) -> list[Running]:
        """The data centers."""
        return self.running["datacenter"]

    @property
    def domain_servers(self) -> list[Running]:
        """The domain servers."""
        return self.running["domainserver"]

    @property
    def app_servers(self) -> list[Running]:
        """The app servers."""
        return self.running["appserver"]

    async def start(self, shape: Shape) -> None:
        """Start all tiers, then the gateways. Raises `PortInUse`, or `ProcessDied` when one doesn't get ready."""
        first = shape.first_port
        ports = {
            "datacenter": [first + DATACENTER_PORTS + number if first else 0 for number in range(shape.datacenters)],
            "domainserver": [0] * shape.domain_servers,
            "appserver": [first + number if first else 0 for number in range(shape.app_servers)],
            "watch": [first + FEED_PORTS + number if first else 0 for number in range(shape.feeds)],
            **{role: [0] for role in shape.gateways},
        }
        taken = {port for some in ports.values() for port in some} - {0}
        if first:
            taken |= {first + METRICS_PORTS[role] + n for role in METRICS_PORTS for n in range(len(ports[role]))}
        for port in taken:
            _check_free(port)
        for role, wanted in ports.items():
            metrics = first + METRICS_PORTS[role] if first and role in METRICS_PORTS else 0
            starts = [
                self.start_process(role, number, port, metrics + number if metrics else 0)
                for number, port in enumerate(wanted)
            ]
            self.running[role] += await _together(starts)

    async def start_process(self, role: str, number: int, port: int = 0, metrics_port: int = 0) -> Running:
        """Start one process of a role, on free ports where none are given. Raises `ProcessDied` if it isn't ready."""
        process = process_of(role)
        given = {**self._given(process, number), "listen": f"127.0.0.1:{port}"}
        if metrics_port:
            given["metrics_listen"] = f"127.0.0.1:{metrics_port}"
        environment = {
            **{f"{ENV_PREFIX}{name.upper()}": value for name, value in given.items()},
            **self._settings,
            **self._tls_settings(role),
        }
        arguments = ["-m", "console.main", "serve", role, "--with-parent"]
        return await self.supervisor.start(f"{role}-{number}", arguments, environment)

    def _given(self, process: Process, number: int) -> dict[str, str]:
        """Give what a process needs to know of the system it is in, by the settings that it has."""
        known = {
            "country": COUNTRY,
            "directory": self.layout.directory,
            "chain_keys": str(keys_of(self.layout, self.supervisor.folder)),
            "server_id": f"{process.role}-{number}-{os.getpid()}",
            "datacenters": _addresses(self.datacenters),
            "desks": _addresses(self.app_servers),
        }
        return {name: value for name, value in known.items() if name in process.settings.model_fields}

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
        """Give the operators' service of one data center, for a block; `number` counts from 0."""
        channel = open_channel(self.datacenters[number].address, self.tls("operator"), role="datacenter")
        try:
            yield dc_grpc.DirectoryServiceStub(channel)
        finally:
            await channel.close()


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
