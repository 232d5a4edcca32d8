"""Certificates made for a test, and a small tier that runs in the test's own loop."""

import asyncio
import datetime
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from onetier.v1.data_center_pb2 import (
    DescribeRequest,
    DescribeResponse,
    ReplyBatch,
    ResolveRequest,
    ResolveResponse,
    RouteRequest,
    RouteResponse,
)
from onetier.v1.data_center_pb2_grpc import (
    DataCenterServiceServicer,
    DirectoryServiceServicer,
    add_DataCenterServiceServicer_to_server,
    add_DirectoryServiceServicer_to_server,
)

from charging.errors import NotFound
from datacenter.room import PROCESS as DATACENTER
from datacenter.settings import DataCenterSettings
from runtime.room import Process
from runtime.server import Booth, RunningTier, start_tier
from runtime.stream import ReplyStream, serve_stream
from runtime.telemetry import Metrics


class Authority:
    """A certificate authority of one test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"test authority {folder.name}")])
        constraint = x509.BasicConstraints(ca=True, path_length=None)
        ca = self._builder(self._name, self._key).add_extension(constraint, critical=True)
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(ca.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def issue(
        self,
        role: str,
        *,
        names: Sequence[x509.GeneralName] | None = None,
        common_name: str = "",
        valid_for: datetime.timedelta = datetime.timedelta(hours=1),
    ) -> tuple[Path, Path]:
        """Make a certificate and key for a role, or with the SAN that is given, over the last ones of that role."""
        key = ec.generate_private_key(ec.SECP256R1())
        usual = [
            x509.UniformResourceIdentifier(f"spiffe://onetier/{role}"),
            x509.DNSName(f"{role.partition('/')[0]}.onetier.internal"),
        ]
        san = x509.SubjectAlternativeName(names if names is not None else usual)
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name or role)])
        builder = self._builder(subject, key, valid_for).add_extension(san, critical=False)
        cert = builder.sign(self._key, hashes.SHA256())
        stem = role.replace("/", "-")
        cert_path, key_path = self.folder / f"{stem}.pem", self.folder / f"{stem}.key"
        cert_path.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
        key_path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return cert_path, key_path

    def _builder(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        valid_for: datetime.timedelta = datetime.timedelta(hours=1),
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + valid_for)
        )


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def other_authority(tmp_path: Path) -> Authority:
    folder = tmp_path / "other"
    folder.mkdir()
    return Authority(folder)


class EchoTier(DataCenterServiceServicer, DirectoryServiceServicer):
    """Both services of a data center, echoing; records the turning points of its life."""

    def __init__(self) -> None:
        self.turns: list[str] = []
        self.drain = asyncio.Event()
        self.held: list[tuple[RouteRequest, ReplyStream[RouteResponse]]] = []
        self.hold = False
        self.items_in_flight_max = 1_000
        self.timeouts_ms: list[int] = []
        self.metrics: Metrics | None = None

    async def Route(self, _requests: object, context: grpc.aio.ServicerContext) -> None:
        await serve_stream(
            context,
            self.batch,
            drain=self.drain,
            items_in_flight_max=self.items_in_flight_max,
            metrics=self.metrics,
        )

    def batch(self, request: RouteRequest, replies: ReplyStream[RouteResponse]) -> int:
        if "explode" in request.routes:
            raise ValueError("msisdn:8613012345678 exploded")
        self.timeouts_ms.append(request.timeout_ms)
        if self.hold:
            self.held.append((request, replies))
        else:
            echo(request, replies)
        return len(request.positions)

    async def Resolve(self, request: ResolveRequest, context: grpc.aio.ServicerContext) -> ResolveResponse:
        if not request.identity:
            raise NotFound("IDENTITY_UNKNOWN", "no such identity", facts={"identity": "none"})
        if request.identity == "explode":
            raise ValueError("a secret detail")
        return ResolveResponse(domain="GD")

    async def Describe(self, request: DescribeRequest, context: grpc.aio.ServicerContext) -> DescribeResponse:
        return DescribeResponse(revision=7)

    async def started(self) -> None:
        self.turns.append("started")

    async def stop_intake(self) -> None:
        self.turns.append("stop_intake")

    async def flush(self) -> None:
        self.turns.append("flush")
        for request, replies in self.held:
            echo(request, replies)
        self.drain.set()

    async def close(self) -> None:
        self.turns.append("close")


def echo(request: RouteRequest, replies: ReplyStream[RouteResponse]) -> None:
    """Answer in two parts."""
    half = len(request.positions) // 2
    for part in (slice(0, half), slice(half, None)):
        batch = ReplyBatch(positions=request.positions[part], bodies=request.bodies[part])
        response = RouteResponse(batch_id=request.batch_id, replies=batch.SerializeToString())
        replies.send(response, len(batch.positions))


StartEcho = Callable[..., Awaitable[tuple[RunningTier, EchoTier]]]


@pytest.fixture
async def start_echo() -> AsyncIterator[StartEcho]:
    """Give a starter of echo tiers; what still runs at the end is stopped."""
    tiers: list[tuple[RunningTier, EchoTier]] = []

    async def start(process: Process = DATACENTER, **settings: object) -> tuple[RunningTier, EchoTier]:
        echo_tier = EchoTier()

        async def build(booth: Booth, _settings: DataCenterSettings) -> EchoTier:
            echo_tier.metrics = booth.metrics
            booth.add(add_DataCenterServiceServicer_to_server, echo_tier, "onetier.v1.DataCenterService")
            booth.add(add_DirectoryServiceServicer_to_server, echo_tier, "onetier.v1.DirectoryService")
            return echo_tier

        running = await start_tier(process, DataCenterSettings.model_validate(settings), build)
        tiers.append((running, echo_tier))
        return running, echo_tier

    yield start
    for running, tier in tiers:
        if "close" not in tier.turns:
            await running.stop()
