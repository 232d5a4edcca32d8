"""Bad input over the real gRPC surface: each case alone and in a batch among good ones, each with a clear error."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from signal import SIGCONT, SIGSTOP

import grpc
import pytest
import pytest_asyncio
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from msgspec import Struct
from onetier.v1 import data_center_pb2 as dc
from onetier.v1 import service_desk_pb2 as desk
from onetier.v1 import service_desk_pb2_grpc as desk_grpc

from appserver.settings import AppServerSettings
from cluster.system import Shape
from country.reference import CLOSED_CHANNEL, INACTIVE_PARTNER, UNKNOWN_CHANNEL, UNKNOWN_PARTNER
from onetier_client import requests
from onetier_client.messages import Command
from runtime.channel import open_channel
from testkit.rehearsal import DAY_MS, Rehearsal, rehearse

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]
SHARED = pytest.mark.asyncio(loop_scope="module")
HOUR_MS = 3_600_000
BATCH_MAX = AppServerSettings.model_fields["batch_requests_max"].default
INVALID, MISSING, DENIED = code_pb2.INVALID_ARGUMENT, code_pb2.NOT_FOUND, code_pb2.PERMISSION_DENIED


class Bad(Struct, frozen=True):
    """One bad request, and the error it gets."""

    request: desk.ServiceRequest
    code: int
    reason: str
    fields: tuple[str, ...]
    words: tuple[str, ...]
    """What the sentence must name."""


class Told(Struct, frozen=True):
    """A status, taken apart."""

    code: int
    message: str
    reason: str
    domain: str
    fields: dict[str, str]
    retry_ms: int


def take_apart(status: Status) -> Told:
    info, bad, retry = ErrorInfo(), BadRequest(), RetryInfo()
    for detail in status.details:
        for kind in (info, bad, retry):
            detail.Unpack(kind)
    fields = {violation.field: violation.description for violation in bad.field_violations}
    return Told(status.code, status.message, info.reason, info.domain, fields, retry.retry_delay.ToMilliseconds())


Charge = Callable[..., desk.ServiceRequest]


def cases(identity: str) -> list[Bad]:
    """Every kind of bad charge, query and command that the platform has to tell apart."""

    def charge(service: str = "voice", quantity: int = 61, who: str = identity, **facts: object) -> desk.ServiceRequest:
        given: dict[str, object] = {"event_time_ms": DAY_MS, "other_party": "8613800000000", "channel": "front"}
        return requests.charge(who, service, quantity, **{**given, **facts})  # type: ignore[arg-type]

    return bad_events(identity, charge) + bad_callers(charge) + bad_commands(identity)


def bad_events(identity: str, charge: Charge) -> list[Bad]:
    """What is asked for can't be: identity, service, quantity, time, place."""
    ahead_ms = int(time.time() * 1000) + HOUR_MS
    return [
        Bad(charge(who="12"), INVALID, "IDENTITY_MALFORMED", ("identity",), ("identity", "country code")),
        Bad(charge(who="pigeon:7"), INVALID, "IDENTITY_MALFORMED", ("identity",), ("before the colon", "msisdn")),
        Bad(charge(who="13012340000"), MISSING, "IDENTITY_UNKNOWN", (), ("no contract", "861****0000")),
        Bad(charge(who="tv:nobody"), MISSING, "IDENTITY_UNROUTED", (), ("no domain", "number plan")),
        Bad(charge("teleport"), INVALID, "SERVICE_UNKNOWN", ("service_code",), ("teleport",)),
        Bad(charge("Voice!"), INVALID, "SERVICE_UNKNOWN", ("service_code",), ("Voice!", "voice")),
        Bad(
            requests.query(identity, "horoscope", channel="front"),
            INVALID,
            "SERVICE_UNKNOWN",
            ("service_code",),
            ("horoscope", "balance"),
        ),
        Bad(charge(quantity=-1), INVALID, "QUANTITY_NEGATIVE", ("quantity",), ("-1",)),
        Bad(charge(quantity=1 << 60), INVALID, "QUANTITY_ABSURD", ("quantity",), ("at most",)),
        Bad(charge(event_time_ms=ahead_ms), INVALID, "EVENT_IN_FUTURE", ("event_time_ms",), ("future", str(ahead_ms))),
        Bad(charge(event_time_ms=1), INVALID, "EVENT_BEFORE_CONTRACT", ("event_time_ms",), ("before the contract",)),
        Bad(charge(visited_place="ATLANTIS"), INVALID, "REGION_UNKNOWN", ("visited_place",), ("ATLANTIS",)),
        Bad(
            charge(quantity=-1, event_time_ms=ahead_ms),
            INVALID,
            "QUANTITY_NEGATIVE",
            ("quantity", "event_time_ms"),
            ("-1", "future"),
        ),
    ]


def bad_callers(charge: Charge) -> list[Bad]:
    """Who asks may not, or asks without a proper key."""
    unkeyed = charge()
    unkeyed.request_key = ""
    return [
        Bad(charge(channel=UNKNOWN_CHANNEL), DENIED, "CHANNEL_UNKNOWN", ("channel",), (UNKNOWN_CHANNEL, "web-hall")),
        Bad(charge(channel=CLOSED_CHANNEL), DENIED, "CHANNEL_CLOSED", ("channel",), (CLOSED_CHANNEL, "web-hall")),
        Bad(charge(channel=""), DENIED, "CHANNEL_UNKNOWN", ("channel",), ("missing", "web-hall")),
        Bad(charge(channel="partner"), INVALID, "PARTNER_MISSING", ("partner",), ("partner",)),
        Bad(
            charge(channel="partner", partner=UNKNOWN_PARTNER),
            DENIED,
            "PARTNER_UNKNOWN",
            ("partner",),
            (UNKNOWN_PARTNER,),
        ),
        Bad(
            charge(channel="partner", partner=INACTIVE_PARTNER),
            DENIED,
            "PARTNER_INACTIVE",
            ("partner",),
            (INACTIVE_PARTNER,),
        ),
        Bad(unkeyed, INVALID, "REQUEST_KEY_MISSING", ("request_key",), ("request key",)),
        Bad(charge(request_key="k" * 65), INVALID, "REQUEST_KEY_MALFORMED", ("request_key",), ("64",)),
        Bad(charge(actor="x" * 5_000_000), INVALID, "TEXT_TOO_LONG", ("actor",), ("200",)),
    ]


def bad_commands(identity: str) -> list[Bad]:
    """Commands that can't be carried out as they are."""

    def do(command: Command) -> desk.ServiceRequest:
        return requests.execute(identity, command, channel="front")

    nowhere = desk.OpenAccount(payment_mode="prepaid", contract=desk.Contract(domain="XX"))
    elsewhere = desk.OpenAccount(payment_mode="prepaid", contract=desk.Contract(domain="XJ"))
    return [
        Bad(
            requests.execute("13012340000", elsewhere, channel="front"),
            INVALID,
            "REGION_MISMATCH",
            ("open_account.contract.domain",),
            ("XJ", "served"),
        ),
        Bad(do(nowhere), INVALID, "REGION_UNKNOWN", ("open_account.contract.domain",), ("XX", "give")),
        Bad(
            do(desk.SetContract(contract=desk.Contract(attributes={str(n): "x" * 256 for n in range(400)}))),
            INVALID,
            "REQUEST_TOO_LARGE",
            ("set_contract",),
            ("100000",),
        ),
        Bad(do(requests.top_up(-5)), INVALID, "TOP_UP_NOT_POSITIVE", ("top_up.amount",), ("top_up.amount",)),
        Bad(do(desk.Adjust(delta=5)), INVALID, "ADJUSTMENT_UNSIGNED", ("actor", "adjust.reason"), ("actor",)),
        Bad(
            do(desk.Transfer(to_identity=identity, amount=1)),
            INVALID,
            "TRANSFER_TO_ITSELF",
            ("transfer.to_identity",),
            ("another",),
        ),
    ]


class Front:
    """A bare front end: the stubs, without the client's retries."""

    def __init__(self, small: Rehearsal) -> None:
        self.small = small
        self.channel = open_channel(small.system.endpoints[0])
        self.stub = desk_grpc.ServiceDeskServiceStub(self.channel)

    async def alone(self, request: desk.ServiceRequest, timeout_s: float = 10.0) -> Told:
        """Send one request by a unary call; give its error."""
        calls = {
            desk.REQUEST_TYPE_CHARGE: (self.stub.Charge, desk.ChargeRequest),
            desk.REQUEST_TYPE_QUERY: (self.stub.Query, desk.QueryRequest),
            desk.REQUEST_TYPE_EXECUTE: (self.stub.Execute, desk.ExecuteRequest),
        }
        call, wrap = calls[request.request_type]
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await call(wrap(request=request), timeout=timeout_s)
        packed = dict(raised.value.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
        told = take_apart(Status.FromString(packed))
        assert told.code == raised.value.code().value[0]
        assert told.message == raised.value.details()
        return told

    async def together(
        self, batch: Sequence[desk.ServiceRequest], timeout_ms: int = 10_000
    ) -> tuple[list[desk.ServiceReply], Status]:
        """Send one batch; give the replies in order, and the error of the whole."""
        call = self.stub.Exchange()
        await call.write(desk.ExchangeRequest(batch_id=1, timeout_ms=timeout_ms, requests=batch))
        replies: dict[int, desk.ServiceReply] = {}
        whole = Status()
        async with asyncio.timeout(30):
            while len(replies) < len(batch) and not whole.code:
                response = await call.read()
                whole = response.error
                replies.update(zip(response.positions, response.replies, strict=True))
        call.cancel()
        return [replies[position] for position in sorted(replies)], whole


@asynccontextmanager
async def open_front(folder: Path) -> AsyncIterator[Front]:
    async with rehearse(folder, Shape(datacenters=1, domain_servers=1, app_servers=1)) as small:
        found = Front(small)
        yield found
        await found.channel.close()


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[Front]:
    """A system for a test that stops it."""
    async with open_front(tmp_path) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_front(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    """A system for tests that leave it as it is."""
    async with open_front(tmp_path_factory.mktemp("shared")) as found:
        yield found


def good(identity: str, key: str, quantity: int = 61) -> desk.ServiceRequest:
    return requests.charge(
        identity,
        "voice",
        quantity,
        request_key=key,
        event_time_ms=DAY_MS,
        channel="front",
        other_party="8613800000000",
    )


def check(told: Told, bad: Bad) -> None:
    """The error is the one expected, and one sentence that names what is wrong."""
    assert (told.code, told.reason, told.domain) == (bad.code, bad.reason, "onetier"), told
    assert tuple(sorted(told.fields)) == tuple(sorted(bad.fields)), told
    assert all(told.fields.values()), told
    for word in bad.words:
        assert word in told.message, told
    assert "\n" not in told.message
    assert 20 < len(told.message) < 300, told
    assert told.retry_ms == 0, "a repeat would meet the same error"


async def test_every_bad_request_gets_a_clear_error_and_its_neighbours_go_well(front: Front) -> None:
    identity = front.small.mobiles()[0].account_id
    await front.small.client.top_up(identity, 10_000_000_000)
    found = cases(identity)
    for bad in found:
        check(await front.alone(bad.request), bad)
    batch = [request for number, bad in enumerate(found) for request in (good(identity, f"n-{number}"), bad.request)]
    replies, whole = await front.together(batch)
    assert not whole.code
    for position, bad in enumerate(found):
        assert replies[2 * position].HasField("charge"), replies[2 * position]
        check(take_apart(replies[2 * position + 1].error), bad)
    verdict = await front.small.verdict(
        {f"n-{position}": replies[2 * position].charge.amount for position in range(len(found))}
    )
    assert verdict.holds, verdict.complaints


@SHARED
async def test_a_key_with_another_content_is_a_conflict(shared_front: Front) -> None:
    identity = shared_front.small.mobiles()[0].account_id
    first = await shared_front.stub.Charge(desk.ChargeRequest(request=good(identity, "once")), timeout=10)
    other = good(identity, "once", quantity=62)
    bad = Bad(
        other,
        code_pb2.ALREADY_EXISTS,
        "REQUEST_KEY_REUSED",
        ("request_key",),
        ("request key", "other content", "new key"),
    )
    check(await shared_front.alone(other), bad)
    replies, _ = await shared_front.together([other, good(identity, "once")])
    check(take_apart(replies[0].error), bad)
    assert replies[1].charge.repeated
    assert replies[1].charge.amount == first.charge.amount


@SHARED
async def test_an_oversized_batch_is_refused_whole_with_the_limit(shared_front: Front) -> None:
    identity = shared_front.small.mobiles()[0].account_id
    replies, whole = await shared_front.together([good(identity, f"big-{number}") for number in range(BATCH_MAX + 1)])
    assert replies == []
    told = take_apart(whole)
    assert (told.code, told.reason, tuple(told.fields)) == (INVALID, "BATCH_TOO_LARGE", ("requests",))
    assert str(BATCH_MAX) in told.message
    assert str(BATCH_MAX + 1) in told.message
    history = await shared_front.small.client.history(identity, 10)
    assert not [line for line in history if line.request_key.startswith("big-")]
    replies, whole = await shared_front.together([good(identity, f"fits-{number}") for number in range(BATCH_MAX)])
    assert not whole.code
    assert len(replies) == BATCH_MAX


@SHARED
async def test_an_account_opened_without_a_region_is_served_where_its_number_is(shared_front: Front) -> None:
    client = shared_front.small.client
    await client.open_account("13012340000", desk.OpenAccount(payment_mode="prepaid"), request_key="open")
    async with shared_front.small.system.directory_of(0) as stub:
        home = (await stub.Resolve(dc.ResolveRequest(identity="13012340000"), timeout=10)).domain
    assert home
    assert (await client.balance("13012340000")).domain == home
    assert (await client.contract("13012340000")).domain == home


@SHARED
async def test_an_unknown_region_as_target_of_a_port_is_named(shared_front: Front) -> None:
    identity = shared_front.small.mobiles()[0].account_id
    async with shared_front.small.system.directory_of(0) as stub:
        port = dc.PortRequest(identity=identity, to_domain="XX", request_key="p-1", actor="test")
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await stub.Port(port, timeout=10)
    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    packed = dict(raised.value.trailing_metadata() or ())["grpc-status-details-bin"]
    told = take_apart(Status.FromString(packed))
    assert (told.reason, tuple(told.fields)) == ("DOMAIN_UNKNOWN", ("to_domain",))


async def test_an_expired_deadline_is_told_and_the_key_tells_the_outcome(front: Front) -> None:
    identity = front.small.mobiles()[0].account_id
    keys = [f"late-{number}" for number in range(3)]
    owner = front.small.system.domain_servers[0]
    owner.signal(SIGSTOP)
    began = time.monotonic()
    replies, whole = await front.together([good(identity, key) for key in keys], timeout_ms=400)
    assert time.monotonic() - began < 3
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await front.stub.Charge(desk.ChargeRequest(request=good(identity, "late-0")), timeout=0.3)
    owner.signal(SIGCONT)
    assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert not whole.code
    for reply in replies:
        told = take_apart(reply.error)
        assert (told.code, told.reason) == (code_pb2.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")
        assert "repeat the same request key" in told.message
    amounts = {key: (await front.small.client.ask(good(identity, key))).charge.amount for key in keys}
    verdict = await front.small.verdict(amounts)
    assert verdict.holds, verdict.complaints


async def test_a_dead_domain_server_is_unavailable_with_a_time_to_retry(front: Front) -> None:
    identity = front.small.mobiles()[0].account_id
    owner = front.small.system.domain_servers[0]
    owner.kill()
    await owner.wait()
    batch = [good(identity, "down-0"), good("12", "down-1")]
    replies, _ = await front.together(batch, timeout_ms=2_000)
    for told in (take_apart(replies[0].error), await front.alone(batch[0])):
        assert (told.code, told.domain) == (code_pb2.UNAVAILABLE, "onetier")
        assert told.retry_ms > 0
        assert "repeat" in told.message, told
    assert take_apart(replies[1].error).reason == "IDENTITY_MALFORMED"
    await front.small.system.start_process("domainserver", 7)
    charged = await front.small.client.ask(batch[0], timeout_ms=30_000)
    verdict = await front.small.verdict({"down-0": charged.charge.amount})
    assert verdict.holds, verdict.complaints
