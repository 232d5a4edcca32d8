"""Porting through real sockets, between two domain servers that decide with the real ledger."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import grpc
import pytest
from onetier.v1 import data_center_pb2 as pb
from onetier.v1.data_center_pb2_grpc import DirectoryServiceStub

from charging import wire
from charging.errors import Fault
from datacenter.porting import port as port_module
from directory.slots import slot_of
from runtime.status import from_rpc_error
from tests.unit.datacenter.books import ACCOUNT, BROADBAND, MOBILE, Books
from tests.unit.datacenter.conftest import Rig


def request(key: str = "port-1", to_domain: str = "XJ") -> pb.PortRequest:
    return pb.PortRequest(identity="+8613000000001", to_domain=to_domain, request_key=key, actor="tests")


NEW = f"XJ/{slot_of(ACCOUNT, 4)}"


async def reason_of(call: object) -> Fault:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call  # type: ignore[misc]
    return from_rpc_error(caught.value)


async def test_an_account_moves_with_all_its_members(rig: Rig, books: Books) -> None:
    operator = await rig.operator(await rig.datacenter())
    response = await operator.Port(request(), timeout=5)
    assert response.from_domain == "GD"
    assert books.accounts["GD/0", ACCOUNT].terms.status == "moved"
    arrived = books.accounts[NEW, ACCOUNT]
    assert (arrived.terms.domain, arrived.terms.status, arrived.books[0].amount) == ("XJ", "active", 50)
    assert books.contracts[BROADBAND].domain == "XJ"
    for identity in (MOBILE, BROADBAND, f"account:{ACCOUNT}"):
        resolved = await operator.Resolve(pb.ResolveRequest(identity=identity), timeout=5)
        assert (resolved.domain, resolved.rule, resolved.revision) == ("XJ", "explicit", response.revision)
        assert f"XJ/{resolved.slot}" == NEW


async def test_a_repeat_of_the_key_changes_nothing(rig: Rig, books: Books) -> None:
    operator = await rig.operator(await rig.datacenter())
    first = await operator.Port(request(), timeout=5)
    calls = len(books.calls)
    assert await operator.Port(request(), timeout=5) == first
    assert len(books.calls) == calls
    fault = await reason_of(operator.Port(request(to_domain="GD"), timeout=5))
    assert fault.reason == "REQUEST_KEY_REUSED"


async def test_a_number_comes_home_again(rig: Rig, books: Books) -> None:
    operator = await rig.operator(await rig.datacenter())
    await operator.Port(request("there"), timeout=5)
    await operator.Port(request("back", "GD"), timeout=5)
    assert rig.directory.resolve(MOBILE).domain == "GD" or await rig.directory.refresh() > 0
    assert rig.directory.resolve(MOBILE).key == "GD/0"
    assert books.accounts["GD/0", ACCOUNT].terms.status == "active"
    assert books.accounts[NEW, ACCOUNT].terms.status == "moved"


@pytest.mark.parametrize("held", ["MoveOut", "MoveIn"])
async def test_a_data_center_that_dies_midway_is_finished_by_a_repeat_elsewhere(
    rig: Rig, books: Books, held: str
) -> None:
    first = await rig.datacenter()
    books.hold.add(held)
    port = asyncio.ensure_future((await rig.operator(first)).Port(request(), timeout=5))
    async with asyncio.timeout(5):
        while not any(call.startswith(held) for call in books.calls):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await first.booth.server.stop(0)
    await first.life.close()
    rig._closers = [closer for closer in rig._closers if closer != first.stop]
    with pytest.raises(grpc.aio.AioRpcError):
        await port
    await rig.directory.refresh()
    assert rig.directory.resolve(MOBILE).domain == "GD"
    assert [one.begun.key for one in rig.directory.ports_open()] == ["port-1"]
    books.hold.clear()
    second = await rig.operator(await rig.datacenter())
    assert (await second.Port(request(), timeout=5)).from_domain == "GD"
    await rig.directory.refresh()
    assert rig.directory.resolve(MOBILE).key == NEW
    assert rig.directory.ports_open() == []
    assert books.accounts[NEW, ACCOUNT].terms.status == "active"


async def test_a_port_left_lying_about_is_finished_by_any_data_center(
    rig: Rig, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(port_module, "SWEEP_S", 0.1)
    operator = await rig.operator(await rig.datacenter())
    books.hold.add("MoveIn")
    fault = await reason_of(operator.Port(request(), timeout=0.5))
    assert fault.kind == "expired"
    other = await rig.operator(await rig.datacenter())
    books.hold.clear()
    await wait_for_domain(other, "XJ")
    assert books.accounts[NEW, ACCOUNT].terms.status == "active"


async def _port_repeating(port: Callable[..., Awaitable[object]]) -> object:
    """Ask as an operator does: who meets the account just as the other one moves it is told to repeat the key."""
    for _ in range(20):
        try:
            return await port(request(), timeout=10)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            await asyncio.sleep(0.05)
    raise AssertionError("the port did not end")


async def test_two_data_centers_finish_one_port_together(rig: Rig, books: Books) -> None:
    operators = [await rig.operator(await rig.datacenter()) for _ in range(2)]
    responses = await asyncio.gather(*(_port_repeating(operator.Port) for operator in operators))
    assert responses[0] == responses[1]
    assert [account.terms.status for (_, _), account in sorted(books.accounts.items())] == ["moved", "active"]


async def test_every_data_center_serves_from_the_new_domain_within_a_second(rig: Rig, books: Books) -> None:
    tiers = [await rig.datacenter() for _ in range(3)]
    platforms = [await rig.platform(tier) for tier in tiers]
    pull = wire.pack(wire.Pull(MOBILE))
    await (await rig.operator(tiers[0])).Port(request(), timeout=5)
    ported = time.monotonic()
    for platform in platforms:
        while True:
            answer = wire.unpack_answer((await platform.ask([MOBILE], [pull]))[0])
            assert time.monotonic() - ported < 1.0
            if isinstance(answer, wire.BusinessData):
                assert answer.account.terms.domain == "XJ"
                break
            assert isinstance(answer, wire.Failed)
            assert (answer.kind, answer.reason) == ("unavailable", "ACCOUNT_MOVED")


@pytest.mark.parametrize(
    ("change", "kind", "reason"),
    [
        ({"to_domain": "ZZ"}, "invalid", "DOMAIN_UNKNOWN"),
        ({"identity": "nobody"}, "invalid", "IDENTITY_MALFORMED"),
        ({"identity": "+8613000009999"}, "not_found", "IDENTITY_UNKNOWN"),
        ({"to_domain": "GD"}, "refused", "MOVE_TO_SELF"),
        ({"request_key": ""}, "invalid", "REQUEST_KEY_MALFORMED"),
        ({"request_key": "~port~end~1"}, "invalid", "REQUEST_KEY_MALFORMED"),
        ({"actor": ""}, "invalid", "ACTOR_MISSING"),
    ],
)
async def test_a_port_that_makes_no_sense_is_refused_and_leaves_no_trace(
    rig: Rig, books: Books, change: dict[str, str], kind: str, reason: str
) -> None:
    operator = await rig.operator(await rig.datacenter())
    before = await rig.directory.refresh()
    wrong = request()
    for field, value in change.items():
        setattr(wrong, field, value)
    fault = await reason_of(operator.Port(wrong, timeout=5))
    assert (fault.kind, fault.reason) == (kind, reason)
    assert await rig.directory.refresh() == before
    assert books.calls == []


async def test_a_refusal_of_the_new_owner_is_kept_under_the_key(rig: Rig, books: Books) -> None:
    books.accounts[NEW, ACCOUNT] = books.accounts["GD/0", ACCOUNT]
    operator = await rig.operator(await rig.datacenter())
    for _ in range(2):
        fault = await reason_of(operator.Port(request(), timeout=5))
        assert (fault.kind, fault.reason) == ("refused", "ACCOUNT_EXISTS")
    await rig.directory.refresh()
    assert rig.directory.ports_open() == []
    assert rig.directory.resolve(MOBILE).domain == "GD"
    stayed = books.accounts["GD/0", ACCOUNT]
    assert (stayed.terms.domain, stayed.terms.status, stayed.books[0].amount) == ("GD", "active", 50)
    assert books.contracts[MOBILE].domain == "GD"


async def wait_for_domain(operator: DirectoryServiceStub, domain: str) -> None:
    async with asyncio.timeout(10):
        while (await operator.Resolve(pb.ResolveRequest(identity=MOBILE), timeout=5)).domain != domain:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
