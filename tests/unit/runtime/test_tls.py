"""Mutual TLS and roles from certificates."""

import asyncio
import re
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import grpc
import pytest
from cryptography import x509
from grpc_health.v1 import health_pb2, health_pb2_grpc
from msgspec.structs import replace
from onetier.v1.data_center_pb2 import DescribeRequest, RouteRequest
from onetier.v1.data_center_pb2_grpc import DataCenterServiceStub, DirectoryServiceStub

from charging.errors import Denied, Unavailable
from datacenter.room import PROCESS as DATACENTER
from house.rooms import callers
from runtime import server
from runtime.certificates import Certificate, read_certificate
from runtime.channel import open_channel
from runtime.room import Process
from runtime.server import RunningTier
from runtime.settings import BadSettings
from runtime.status import from_rpc_error
from runtime.tls import Tls, read_tls
from tests.unit.runtime.refusals import answered

pytestmark = pytest.mark.timeout(30)
ROOT = Path(__file__).resolve().parents[3]

StartEcho = Callable[..., Awaitable[tuple[RunningTier, object]]]


class Authority(Protocol):
    ca: Path

    def issue(
        self,
        role: str,
        *,
        names: Sequence[x509.GeneralName] | None = None,
        common_name: str = "",
        valid_for: timedelta = ...,
    ) -> tuple[Path, Path]: ...


async def _started(start_echo: StartEcho, authority: Authority, process: Process = DATACENTER) -> str:
    cert, key = authority.issue("datacenter")
    running, _tier = await start_echo(process, tls_cert=cert, tls_key=key, tls_ca=authority.ca)
    return running.address


def _tls(authority: Authority, role: str) -> Tls:
    cert, key = authority.issue(role)
    return read_tls(cert, key, authority.ca)


async def _route(address: str, tls: Tls | None) -> int:
    """Send one item; gives the batch it is answered in, or raises the server's refusal."""
    return await answered(lambda: _route_once(address, tls))


async def _route_once(address: str, tls: Tls | None) -> int:
    async with open_channel(address, tls, role="datacenter") as channel:
        # Given beforehand, not written: a write that meets the refusal would hide its status behind its own error.
        request = RouteRequest(batch_id=9, positions=[0], routes=["x"], bodies=[b"y"])
        call = DataCenterServiceStub(channel).Route(iter([request]), timeout=5)
        response = await call.read()
        call.cancel()
        return int(response.batch_id)


async def test_the_right_role_may_route(start_echo: StartEcho, authority: Authority) -> None:
    address = await _started(start_echo, authority)
    assert await _route(address, _tls(authority, "appserver")) == 9


@pytest.mark.parametrize("role", ["frontend", "datacenter", "console"])
async def test_another_role_may_not(start_echo: StartEcho, authority: Authority, role: str) -> None:
    address = await _started(start_echo, authority)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _route(address, _tls(authority, role))
    fault = from_rpc_error(caught.value)
    assert isinstance(fault, Denied)
    assert fault.reason == "ROLE_NOT_ALLOWED"


async def test_unary_calls_are_guarded_too(start_echo: StartEcho, authority: Authority) -> None:
    address = await _started(start_echo, authority)
    async with open_channel(address, _tls(authority, "operator"), role="datacenter") as channel:
        assert (await DirectoryServiceStub(channel).Describe(DescribeRequest(), timeout=5)).revision == 7
    async with open_channel(address, _tls(authority, "appserver"), role="datacenter") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await DirectoryServiceStub(channel).Describe(DescribeRequest(), timeout=5)
        assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
        reply = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
        assert reply.status == health_pb2.HealthCheckResponse.SERVING


async def test_no_certificate_or_a_stranger_s_gets_nowhere(
    start_echo: StartEcho, authority: Authority, other_authority: Authority
) -> None:
    address = await _started(start_echo, authority)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _route(address, None)
    assert isinstance(from_rpc_error(caught.value), Unavailable)
    cert, key = other_authority.issue("appserver")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _route(address, read_tls(cert, key, authority.ca))
    assert isinstance(from_rpc_error(caught.value), Unavailable)


async def test_a_server_with_a_stranger_s_certificate_is_not_talked_to(
    start_echo: StartEcho, authority: Authority, other_authority: Authority
) -> None:
    address = await _started(start_echo, other_authority)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _route(address, _tls(authority, "appserver"))
    assert isinstance(from_rpc_error(caught.value), Unavailable)


@pytest.mark.parametrize("role", ["frontend", "appserver", "operator"])
async def test_a_certificate_of_another_role_can_t_pose_as_a_data_center(
    start_echo: StartEcho, authority: Authority, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "read_certificate", lambda _: Certificate("datacenter", 1, 0))  # An impostor starts.
    cert, key = authority.issue(role)
    running, _tier = await start_echo(tls_cert=cert, tls_key=key, tls_ca=authority.ca)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _route(running.address, _tls(authority, "appserver"))
    assert isinstance(from_rpc_error(caught.value), Unavailable)


async def test_a_tier_does_not_start_with_a_certificate_of_another_role(
    start_echo: StartEcho, authority: Authority
) -> None:
    cert, key = authority.issue("frontend/web-hall")
    with pytest.raises(BadSettings, match="is a certificate of frontend/web-hall: give one of the role datacenter"):
        await start_echo(tls_cert=cert, tls_key=key, tls_ca=authority.ca)


def test_with_tls_a_channel_must_say_whom_it_expects(authority: Authority) -> None:
    with pytest.raises(ValueError, match="which role"):
        open_channel("127.0.0.1:1", _tls(authority, "appserver"))


PRETENDERS = {
    "a DNS name": [x509.DNSName("spiffe://onetier/appserver")],
    "a mail address": [x509.RFC822Name("spiffe://onetier/appserver")],
    "another one's URI": [x509.UniformResourceIdentifier("spiffe://elsewhere/appserver")],
    "two URIs of ours": [
        x509.UniformResourceIdentifier("spiffe://onetier/appserver"),
        x509.UniformResourceIdentifier("spiffe://onetier/operator"),
    ],
    "a server's name of another role": [
        x509.UniformResourceIdentifier("spiffe://onetier/appserver"),
        x509.DNSName("datacenter.onetier.internal"),
    ],
    "a name for every role": [
        x509.UniformResourceIdentifier("spiffe://onetier/appserver"),
        x509.DNSName("*.onetier.internal"),
    ],
}


@pytest.mark.parametrize("names", PRETENDERS.values(), ids=PRETENDERS.keys())
async def test_nothing_but_one_uri_of_the_san_gives_a_role(
    start_echo: StartEcho, authority: Authority, names: list[x509.GeneralName]
) -> None:
    address = await _started(start_echo, authority)
    cert, key = authority.issue("pretender", names=names, common_name="spiffe://onetier/appserver")
    with pytest.raises(grpc.aio.AioRpcError, match="role is none"):
        await _route(address, read_tls(cert, key, authority.ca))


def test_a_common_name_that_servers_are_told_by_counts_as_their_name(authority: Authority) -> None:
    uri = x509.UniformResourceIdentifier("spiffe://onetier/frontend")
    cert, _key = authority.issue("frontend", names=[uri], common_name="datacenter.onetier.internal")
    assert read_certificate(cert.read_bytes()).name == ""


async def test_a_name_behind_the_role_is_the_principal_s(start_echo: StartEcho, authority: Authority) -> None:
    address = await _started(start_echo, authority)
    assert await _route(address, _tls(authority, "appserver/south-3")) == 9
    cert, _key = authority.issue("appserver/south-3")
    assert read_certificate(cert.read_bytes()).name == "appserver/south-3"


async def test_a_missing_certificate_file_is_told(start_echo: StartEcho, authority: Authority, tmp_path: Path) -> None:
    _cert, key = authority.issue("datacenter")
    with pytest.raises(BadSettings, match=r"nothing\.pem can't be read"):
        await start_echo(tls_cert=tmp_path / "nothing.pem", tls_key=key, tls_ca=authority.ca)


def _follow_the_recipe(folder: Path) -> None:
    """Run the commands of docs/tls.md as they stand there."""
    text = (ROOT / "docs" / "tls.md").read_text()
    recipe = text.partition("```bash\n")[2].partition("```")[0]
    assert "openssl" in recipe
    subprocess.run(["bash", "-ec", recipe], cwd=folder, check=True, capture_output=True, timeout=20)


async def test_the_documented_recipe_makes_certificates_that_work(start_echo: StartEcho, tmp_path: Path) -> None:
    await asyncio.to_thread(_follow_the_recipe, tmp_path)
    ca = tmp_path / "ca.pem"
    running, _tier = await start_echo(
        tls_cert=tmp_path / "datacenter.pem", tls_key=tmp_path / "datacenter.key", tls_ca=ca
    )
    assert await _route(running.address, read_tls(tmp_path / "appserver.pem", tmp_path / "appserver.key", ca)) == 9
    with pytest.raises(grpc.aio.AioRpcError, match="role is frontend"):
        await _route(running.address, read_tls(tmp_path / "frontend.pem", tmp_path / "frontend.key", ca))


def test_every_service_of_ours_says_who_may_call_it() -> None:
    contracts = (ROOT / "proto" / "onetier" / "v1").glob("*.proto")
    services = re.findall(r"^service (\w+)", "".join(path.read_text() for path in contracts), re.MULTILINE)
    assert {f"onetier.v1.{service}" for service in services} == set(callers())


async def test_a_service_that_nobody_is_named_for_is_open_to_nobody(
    start_echo: StartEcho, authority: Authority
) -> None:
    services = tuple(each for each in DATACENTER.services if each.name != "onetier.v1.DataCenterService")
    process = replace(DATACENTER, services=services)
    with pytest.raises(grpc.aio.AioRpcError, match="role is appserver"):
        await _route(await _started(start_echo, authority, process), _tls(authority, "appserver"))


def test_the_documented_roles_are_those_that_are_checked() -> None:
    text = (ROOT / "docs" / "tls.md").read_text()
    for service, roles in callers().items():
        (row,) = (line for line in text.splitlines() if line.startswith(f"| `{service.rpartition('.')[2]}`"))
        assert {part.strip(" `") for part in row.split("|")[2].split(",")} == roles
