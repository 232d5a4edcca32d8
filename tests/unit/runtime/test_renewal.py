"""Certificates that are replaced or revoked while everything runs."""

import asyncio
import os
import shutil
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import grpc
import pytest
from cryptography import x509
from onetier.v1.data_center_pb2 import DescribeRequest, RouteRequest
from onetier.v1.data_center_pb2_grpc import DataCenterServiceStub, DirectoryServiceStub

from charging.errors import Denied, Unavailable
from runtime import tls as certificates_in_use
from runtime.certificates import read_certificate
from runtime.channel import open_channel
from runtime.guard import BadRevocations, Revoked, read_revoked
from runtime.server import RunningTier
from runtime.settings import BadSettings
from runtime.status import from_rpc_error
from runtime.tls import Tls, read_tls

pytestmark = pytest.mark.timeout(30)
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


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates_in_use, "LOOK_S", 0.0)


def _tls(authority: Authority, role: str) -> Tls:
    return read_tls(*authority.issue(role), authority.ca)


async def _serve(start_echo: StartEcho, authority: Authority, **settings: object) -> RunningTier:
    cert, key = authority.issue("datacenter")
    running, _tier = await start_echo(tls_cert=cert, tls_key=key, tls_ca=authority.ca, **settings)
    return running


async def _shown_by(address: str, authority: Authority) -> int:
    """Give the serial number of the certificate that a new handshake is shown."""
    context = ssl.create_default_context(cafile=authority.ca)
    cert, key = authority.issue("operator")
    context.load_cert_chain(cert, key)
    host, _, port = address.rpartition(":")
    name = "datacenter.onetier.internal"
    _reader, writer = await asyncio.open_connection(host, int(port), ssl=context, server_hostname=name)
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return x509.load_der_x509_certificate(der).serial_number


async def test_a_server_shows_its_new_certificate_without_a_restart(
    start_echo: StartEcho, authority: Authority
) -> None:
    running = await _serve(start_echo, authority)
    first = await _shown_by(running.address, authority)
    cert, _key = authority.issue("datacenter")
    assert await _shown_by(running.address, authority) == read_certificate(cert.read_bytes()).serial != first


async def test_half_replaced_files_leave_the_old_certificate_in_force(
    start_echo: StartEcho, authority: Authority, other_authority: Authority
) -> None:
    running = await _serve(start_echo, authority)
    first = await _shown_by(running.address, authority)
    stranger, _key = other_authority.issue("datacenter")
    shutil.copy(stranger, authority.ca.parent / "datacenter.pem")
    assert await _shown_by(running.address, authority) == first
    os.unlink(authority.ca.parent / "datacenter.pem")
    assert await _shown_by(running.address, authority) == first


async def test_a_channel_shows_its_new_certificate_to_the_next_call(
    start_echo: StartEcho, authority: Authority
) -> None:
    running = await _serve(start_echo, authority)
    async with open_channel(running.address, _tls(authority, "operator"), role="datacenter") as channel:
        stub = DirectoryServiceStub(channel)
        assert (await stub.Describe(DescribeRequest(), timeout=5)).revision == 7
        wrong = [x509.UniformResourceIdentifier("spiffe://onetier/frontend")]
        authority.issue("operator", names=wrong)
        with pytest.raises(grpc.aio.AioRpcError, match="role is frontend"):
            await stub.Describe(DescribeRequest(), timeout=5)
        authority.issue("operator")
        assert (await stub.Describe(DescribeRequest(), timeout=5)).revision == 7


@asynccontextmanager
async def _stream(address: str, tls: Tls) -> AsyncIterator[grpc.aio.StreamStreamCall]:
    """A stream that is served, and goes on."""
    async with open_channel(address, tls, role="datacenter") as channel:
        call = DataCenterServiceStub(channel).Route(timeout=20)
        await call.write(RouteRequest(batch_id=9, positions=[0], routes=["x"], bodies=[b"y"]))
        assert (await call.read()).batch_id == 9
        yield call
        call.cancel()


async def _end_of(call: grpc.aio.StreamStreamCall) -> grpc.aio.AioRpcError:
    try:
        while await call.read() is not grpc.aio.EOF:
            pass
    except grpc.aio.AioRpcError as error:
        return error
    raise AssertionError(f"ended with {await call.code()}")


@pytest.mark.parametrize("by", ["serial", "name"])
async def test_a_revoked_certificate_opens_nothing_and_its_streams_end(
    start_echo: StartEcho, authority: Authority, tmp_path: Path, by: str
) -> None:
    revoked = tmp_path / "revoked.txt"
    revoked.write_text("# nobody yet\n")
    running = await _serve(start_echo, authority, tls_revoked=revoked)
    tls, other = _tls(authority, "appserver/a"), _tls(authority, "appserver/b")
    async with _stream(running.address, tls) as call, _stream(running.address, other) as kept:
        serial = f"{read_certificate(tls.cert).serial:x}"
        revoked.write_text(f"{serial if by == 'serial' else 'spiffe://onetier/appserver/a'}  # stolen\n")
        began = time.monotonic()
        fault = from_rpc_error(await _end_of(call))
        assert isinstance(fault, Denied)
        assert fault.reason == "CERTIFICATE_REVOKED"
        assert time.monotonic() - began < 2.5
        with pytest.raises(grpc.aio.AioRpcError, match="was revoked"):
            async with _stream(running.address, tls):
                pass
        await kept.write(RouteRequest(batch_id=9, positions=[0], routes=["x"], bodies=[b"y"]))
        assert (await kept.read()).batch_id == 9


async def test_streams_do_not_outlive_their_certificate(start_echo: StartEcho, authority: Authority) -> None:
    running = await _serve(start_echo, authority)
    cert, key = authority.issue("appserver", valid_for=timedelta(seconds=3))
    async with _stream(running.address, read_tls(cert, key, authority.ca)) as call:
        fault = from_rpc_error(await _end_of(call))
        assert isinstance(fault, Unavailable)
        assert fault.reason == "CERTIFICATE_ENDED"


async def test_a_list_that_can_t_be_read_keeps_those_that_were_revoked(
    start_echo: StartEcho, authority: Authority, tmp_path: Path
) -> None:
    revoked = tmp_path / "revoked.txt"
    revoked.write_text("spiffe://onetier/appserver\n")
    running = await _serve(start_echo, authority, tls_revoked=revoked)
    revoked.write_bytes(b"\xff\xfe")
    running.guard.look(time.time())
    revoked.unlink()
    running.guard.look(time.time())
    with pytest.raises(grpc.aio.AioRpcError, match="was revoked"):
        async with _stream(running.address, _tls(authority, "appserver")):
            pass


async def test_a_list_that_can_t_be_read_ends_the_start(
    start_echo: StartEcho, authority: Authority, tmp_path: Path
) -> None:
    with pytest.raises(BadSettings, match=r"missing\.txt can't be read"):
        await _serve(start_echo, authority, tls_revoked=tmp_path / "missing.txt")
    (tmp_path / "list.txt").write_text("appserver\n")
    with pytest.raises(BadSettings, match="line 1 is 'appserver', not a serial number in hex or spiffe"):
        await _serve(start_echo, authority, tls_revoked=tmp_path / "list.txt")


def test_a_list_has_serials_as_openssl_writes_them_names_and_remarks() -> None:
    text = "# stolen on 2 May\n7A:01:ff\n\n  spiffe://onetier/frontend/pos-7 # sold\n0b\n"
    assert read_revoked(text) == Revoked(frozenset({0x7A01FF, 11}), frozenset({"frontend/pos-7"}))
    with pytest.raises(BadRevocations, match="line 2 is 'spiffe://onetier/'"):
        read_revoked("1\nspiffe://onetier/\n")
