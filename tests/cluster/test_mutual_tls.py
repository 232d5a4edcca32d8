"""Mutual TLS between all tiers: the system works with certificates of the right roles, and with no others."""

import asyncio
import datetime
from collections.abc import Awaitable, Callable
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from onetier.v1 import data_center_pb2 as dc
from onetier.v1 import service_desk_pb2 as pb
from onetier.v1.data_center_pb2 import ReplyBatch, RouteRequest, RouteResponse
from onetier.v1.data_center_pb2_grpc import DataCenterServiceStub, DirectoryServiceStub

import appserver.main
import datacenter.main
import domainservers.main
from appserver.room import PROCESS as APPSERVER
from appserver.settings import AppServerSettings
from charging import wire
from charging.errors import Denied, Fault, Unavailable
from charging.ledger.command import Command
from charging.ledger.commands.adjust import Adjust
from charging.ledger.commands.move_out import MoveOut
from charging.ledger.commands.receive_transfer import ReceiveTransfer
from charging.ledger.commands.refund import Refund
from charging.ledger.kinds import Action
from charging.ledger.outcome import ChargedFact
from datacenter.room import PROCESS as DATACENTER
from datacenter.settings import DataCenterSettings
from domainservers.room import PROCESS as DOMAINSERVER
from domainservers.settings import DomainServerSettings
from house.stores import STORES
from onetier_client import AsyncClient, Tls
from onetier_client.requests import Facts
from runtime import server
from runtime.certificates import Certificate
from runtime.channel import open_channel
from runtime.server import RunningTier, start_tier
from runtime.settings import BadSettings, load
from runtime.status import from_rpc_error
from runtime.tls import read_tls
from tests.unit.runtime.refusals import answered

pytestmark = pytest.mark.timeout(90)
IDENTITY = "msisdn:8613012345678"
Issue = Callable[[str], tuple[Path, Path, Path]]


@pytest.fixture
def issue(tmp_path: Path) -> Issue:
    """Give a maker of certificates of one authority: role → certificate, key, authority."""
    now = datetime.datetime.now(datetime.UTC)
    authority = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test authority")])

    def write(name: str, role: str, key: ec.EllipticCurvePrivateKey) -> Path:
        if role:
            uri = x509.UniformResourceIdentifier(f"spiffe://onetier/{role}")
            served = [] if "/" in role else [x509.DNSName(f"{role}.onetier.internal")]
            extension: x509.ExtensionType = x509.SubjectAlternativeName([uri, *served])
        else:
            extension = x509.BasicConstraints(ca=True, path_length=None)
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, role)]) if role else issuer
        cert = (
            x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(extension, critical=not role)
            .sign(authority, hashes.SHA256())
        )
        path = tmp_path / name
        path.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
        return path

    ca = write("ca.pem", "", authority)

    def make(role: str) -> tuple[Path, Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        name = role.replace("/", "-")
        key_path = tmp_path / f"{name}.key"
        form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        key_path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
        return write(f"{name}.pem", role, key), key_path, ca

    return make


def _files(issue: Issue, role: str) -> dict[str, object]:
    cert, key, ca = issue(role)
    return {"tls_cert": cert, "tls_key": key, "tls_ca": ca, "metrics_listen": ""}


def _tls(issue: Issue, role: str) -> Tls:
    return read_tls(*issue(role))


async def _amend(address: str, tls: Tls, unit: str) -> None:
    """Publish one domain, its unit, a number plan and a channel."""
    domain = dc.Domain(
        code="GD", name="Guangdong", time_zone="Asia/Shanghai", slots=1, shared_unit="one", private_unit="one"
    )
    plan = dc.NumberPlan(ranges=[dc.NumberRange(prefix="86130", domain="GD")])
    changes = [
        dc.DirectoryChange(unit=dc.UnitAddress(name="one", url=unit)),
        dc.DirectoryChange(domain=domain),
        dc.DirectoryChange(number_plan=plan),
        dc.DirectoryChange(channel=dc.Channel(code="front", name="front end", open=True)),
    ]
    async with open_channel(address, tls, role="datacenter") as channel:
        stub = DirectoryServiceStub(channel)
        await stub.Amend(dc.AmendRequest(changes=changes, request_key="setup", actor="test"), timeout=10)


async def _start_all(issue: Issue, folder: Path) -> list[RunningTier]:
    """Start one of each tier, and set up the directory."""
    directory, unit = f"sqlite://{folder}/directory.db", f"sqlite://{folder}/one.db"
    await STORES.migrate(directory)
    await STORES.migrate(unit)
    center_settings = load(DataCenterSettings, directory=directory, **_files(issue, "datacenter"))
    center = await start_tier(DATACENTER, center_settings, datacenter.main.build)
    await _amend(center.address, _tls(issue, "operator"), unit)
    owner_settings = load(
        DomainServerSettings, directory=directory, datacenters=[center.address], **_files(issue, "domainserver")
    )
    owner = await start_tier(DOMAINSERVER, owner_settings, domainservers.main.build)
    platform_settings = load(AppServerSettings, datacenters=[center.address], **_files(issue, "appserver"))
    platform = await start_tier(APPSERVER, platform_settings, appserver.main.build)
    return [platform, owner, center]


def _account() -> pb.OpenAccount:
    contract = pb.Contract(identity=IDENTITY, domain="GD", status="active", valid_from_ms=1)
    return pb.OpenAccount(
        account_id=IDENTITY, payment_mode="prepaid", currency="CNY", contract=contract, cycle_day=1, customer_id="c1"
    )


async def test_all_tiers_work_with_certificates_of_their_roles(issue: Issue, tmp_path: Path) -> None:
    tiers = await _start_all(issue, tmp_path)
    try:
        desk = tiers[0].address
        async with AsyncClient([desk], tls=_tls(issue, "frontend"), timeout_ms=30_000) as client:
            await client.open_account(IDENTITY, _account())
            await client.top_up(IDENTITY, 5_000_000)
            assert (await client.balance(IDENTITY)).real == 5_000_000
        async with AsyncClient([desk], tls=_tls(issue, "appserver"), timeout_ms=20_000) as client:
            async with asyncio.timeout(5):
                with pytest.raises(Denied) as caught:
                    await client.balance(IDENTITY)
            assert caught.value.reason == "ROLE_NOT_ALLOWED"
        async with AsyncClient([desk], timeout_ms=500) as client:
            with pytest.raises(Unavailable):
                await client.balance(IDENTITY)
    finally:
        for tier in tiers:
            await tier.stop()


async def test_the_whole_system_goes_on_while_its_certificates_are_replaced(issue: Issue, tmp_path: Path) -> None:
    tiers = await _start_all(issue, tmp_path)
    try:
        async with AsyncClient([tiers[0].address], tls=_tls(issue, "frontend"), timeout_ms=30_000) as client:
            await client.open_account(IDENTITY, _account())
            for role in ("datacenter", "domainserver", "appserver", "frontend"):
                issue(role)
            await asyncio.sleep(1.1)
            await client.top_up(IDENTITY, 5_000_000)
            async with AsyncClient([tiers[0].address], tls=_tls(issue, "frontend"), timeout_ms=30_000) as other:
                assert (await other.balance(IDENTITY)).real == 5_000_000
    finally:
        for tier in tiers:
            await tier.stop()


async def test_a_platform_does_not_start_with_a_front_end_s_certificate(issue: Issue) -> None:
    settings = load(AppServerSettings, datacenters=["127.0.0.1:1"], **_files(issue, "frontend"))
    with pytest.raises(BadSettings, match="is a certificate of frontend: give one of the role appserver"):
        await start_tier(APPSERVER, settings, appserver.main.build)


async def test_a_front_end_that_poses_as_a_platform_hears_nothing(
    issue: Issue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "read_certificate", lambda _: Certificate("appserver", 1, 0))
    settings = load(AppServerSettings, datacenters=["127.0.0.1:1"], **_files(issue, "frontend"))
    impostor = await start_tier(APPSERVER, settings, appserver.main.build)
    try:
        async with AsyncClient([impostor.address], tls=_tls(issue, "frontend"), timeout_ms=1_000) as client:
            with pytest.raises(Unavailable):
                await client.balance(IDENTITY)
    finally:
        await impostor.stop()


async def _reason(call: Awaitable[object]) -> str:
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return from_rpc_error(error).reason
    except Fault as fault:
        return fault.reason
    return ""


async def test_a_front_end_can_t_make_money_and_two_operators_can(issue: Issue, tmp_path: Path) -> None:
    tiers = await _start_all(issue, tmp_path)
    desk = [tiers[0].address]
    large = pb.Adjust(delta=2_000_000_000, reason="error of May")
    try:
        async with (
            AsyncClient(desk, tls=_tls(issue, "frontend/web-hall"), timeout_ms=30_000) as hall,
            AsyncClient(desk, tls=_tls(issue, "operator/li"), timeout_ms=30_000) as li,
            AsyncClient(desk, tls=_tls(issue, "operator/wang"), timeout_ms=30_000) as wang,
        ):
            rich = _account()
            rich.books.add(book_id="main", amount=1_000_000)
            assert await _reason(hall.open_account(IDENTITY, rich)) == "AMOUNT_NOT_GRANTED"
            await hall.open_account(IDENTITY, _account())
            assert await _reason(hall.top_up(IDENTITY, 10**15)) == "AMOUNT_NOT_GRANTED"
            for command in (
                large,
                pb.SetCreditLimit(credit_limit=10**15, reason="trust"),
                pb.SetAccountStatus(status="closed"),
                pb.Approve(of_key="large"),
            ):
                assert await _reason(hall.execute(IDENTITY, command, actor="CEO")) == "COMMAND_NOT_GRANTED"
            facts: Facts = {"actor": "CEO", "request_key": "large", "event_time_ms": 1_700_000_000_000}
            assert await _reason(li.execute(IDENTITY, large, **facts)) == "APPROVAL_NEEDED"
            assert await _reason(li.approve(IDENTITY, "large")) == "SAME_PRINCIPAL"
            assert (await hall.balance(IDENTITY)).real == 0
            await wang.approve(IDENTITY, "large", reason="seen")
            assert await _reason(wang.approve(IDENTITY, "large")) == "PROPOSAL_UNKNOWN"
            repeat = await li.execute(IDENTITY, large, **facts)
            assert (repeat.repeated, repeat.movements[0].delta) == (True, 2_000_000_000)
            assert (await hall.balance(IDENTITY)).real == 2_000_000_000
            told = [(line.kind, line.principal, line.actor) for line in await hall.history(IDENTITY)]
            assert ("propose", "operator/li", "CEO") in told
            assert ("approve", "operator/wang", "") in told
            assert ("open", "frontend/web-hall", "") in told
    finally:
        for tier in tiers:
            await tier.stop()


async def test_grants_and_the_plan_are_amended_by_two(issue: Issue, tmp_path: Path) -> None:
    tiers = await _start_all(issue, tmp_path)
    grant = dc.Grant(grant_id="acme", subject="frontend/acme", commands=["balance"], channels=["partner"])
    changes = [dc.DirectoryChange(channel=dc.Channel(code="partner", name="partners", open=True))]
    bound = dc.AmendRequest(changes=[*changes, dc.DirectoryChange(grant=grant)], request_key="bind", actor="li")
    decision = dc.DirectoryChange(decision=dc.AmendmentDecision(of_key="bind"))
    approval = dc.AmendRequest(changes=[decision], request_key="yes", actor="wang")
    center = tiers[2].address
    try:
        async with (
            open_channel(center, _tls(issue, "operator/li"), role="datacenter") as li_channel,
            open_channel(center, _tls(issue, "operator/wang"), role="datacenter") as wang_channel,
            AsyncClient([tiers[0].address], tls=_tls(issue, "frontend/acme"), timeout_ms=30_000) as acme,
        ):
            li, wang = DirectoryServiceStub(li_channel), DirectoryServiceStub(wang_channel)
            await acme.open_account(IDENTITY, _account())
            for _ in range(2):
                assert await _reason(li.Amend(bound, timeout=10)) == "APPROVAL_NEEDED"
            assert await _reason(li.Amend(approval, timeout=10)) == "SAME_PRINCIPAL"
            waiting = (await wang.Describe(dc.DescribeRequest(), timeout=10)).proposals
            assert [(one.request_key, one.principal, list(one.kinds)) for one in waiting] == [
                ("bind", "operator/li", ["Channel", "GrantSet"])
            ]
            await acme.balance(IDENTITY)
            approved = await wang.Amend(approval, timeout=10)
            again = await wang.Amend(approval, timeout=10)
            assert again.revision == approved.revision
            assert (await li.Amend(bound, timeout=10)).revision == approved.revision
            await asyncio.sleep(0.5)
            await _reason(acme.balance(IDENTITY))
            assert await _reason(acme.balance(IDENTITY)) == "CHANNEL_NOT_GRANTED"
            assert await _reason(acme.top_up(IDENTITY, 1)) == "COMMAND_NOT_GRANTED"
            assert (await acme.balance(IDENTITY, channel="partner")).real == 0
    finally:
        for tier in tiers:
            await tier.stop()


async def _routed(center: str, tls: Tls, ask: wire.Ask) -> wire.Answer:
    """Send one ask through the data center with a certificate, past every platform. Raises the server's refusal."""
    return await answered(lambda: _routed_once(center, tls, ask))


async def _routed_once(center: str, tls: Tls, ask: wire.Ask) -> wire.Answer:
    async with open_channel(center, tls, role="datacenter") as channel:
        call = DataCenterServiceStub(channel).Route()
        await call.write(RouteRequest(batch_id=1, positions=[0], routes=[IDENTITY], bodies=[wire.pack(ask)]))
        response: RouteResponse = await asyncio.wait_for(call.read(), 10)
        return wire.unpack_answer(ReplyBatch.FromString(response.replies).bodies[0])


async def test_the_owner_refuses_what_a_forged_platform_sends(issue: Issue, tmp_path: Path) -> None:
    tiers = await _start_all(issue, tmp_path)
    center = tiers[2].address
    try:
        async with AsyncClient([tiers[0].address], tls=_tls(issue, "frontend/hall"), timeout_ms=30_000) as hall:
            account_id = (await hall.open_account(IDENTITY, _account())).account_id
            forged: list[tuple[str, Action, str]] = [
                ("appserver", MoveOut("BJ"), "ORIGIN_NOT_ALLOWED"),
                ("appserver", ReceiveTransfer("x", "main", 10**15, "forged"), "ORIGIN_NOT_ALLOWED"),
                ("appserver", Adjust("main", 10**15, "forged"), "COMMAND_NOT_GRANTED"),
                ("appserver", Refund("none", 0, "", ChargedFact(10**15, (), ())), "ORIGIN_NOT_ALLOWED"),
                ("domainserver", Adjust("main", 10**15, "forged"), "ORIGIN_NOT_ALLOWED"),
            ]
            for role, action, reason in forged:
                command = Command(account_id, "k", b"d" * 16, "CEO", "front", 1, action, "frontend/hall")
                answer = await _routed(center, _tls(issue, role), wire.Commit(IDENTITY, command))
                assert isinstance(answer, wire.Failed)
                assert (role, answer.reason) == (role, reason)
            for role in ("operator", "frontend/hall"):
                with pytest.raises(grpc.aio.AioRpcError, match="DataCenterService is for appserver, domainserver"):
                    await _routed(center, _tls(issue, role), wire.Pull(IDENTITY))
            moved = await _routed(center, _tls(issue, "appserver"), wire.Pull(IDENTITY, moved=True))
            assert isinstance(moved, wire.Failed)
            assert (await hall.balance(IDENTITY)).real == 0
    finally:
        for tier in tiers:
            await tier.stop()
