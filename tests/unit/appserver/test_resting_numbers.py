"""The list of a region's resting numbers at the door: by pages, by a cursor of its own, for whom it is granted."""

import time
from collections.abc import AsyncIterator

import grpc
import pytest
from onetier.v1 import numbers_pb2 as pb
from onetier.v1 import service_desk_pb2 as desk_pb
from onetier.v1.numbers_pb2_grpc import NumberServiceStub

from charging.base.contract import Contract
from charging.errors import Denied, Fault, Invalid, NotFound
from charging.ledger.permission import Grant, Policy
from onetier_client import AsyncClient
from runtime.channel import open_channel
from runtime.status import from_rpc_error
from testkit.front import Front, fault_of
from testkit.owner import OwnerInMemory, catalogue

DAY_MS = 86_400_000


@pytest.fixture
async def client(front: Front, owner: OwnerInMemory) -> AsyncIterator[AsyncClient]:
    """A client of a platform in whose region GD seven numbers rest, and one in BJ."""
    owner.publish(catalogue(2))
    await front.open()
    until = time.time_ns() // 1_000_000 + DAY_MS
    for n in range(7):
        number = f"msisdn:8613900000{n:03}"
        owner.contracts[number] = Contract(number, f"GD/0:{n}", "GD", 0, 5, "ended", rests_until_ms=until + n)
    other = "msisdn:8613900000099"
    owner.contracts[other] = Contract(other, "BJ/0:9", "BJ", 0, 5, "ended", rests_until_ms=until, kept_for="BJ/1:4")
    async with AsyncClient([front.address]) as found:
        yield found


async def test_all_are_told_page_by_page_each_once(client: AsyncClient) -> None:
    found: list[pb.RestingNumber] = []
    cursor = ""
    while True:
        page = await client.resting_numbers("GD", 3, page_cursor=cursor)
        found += page.numbers
        cursor = page.next_cursor
        if not cursor:
            break
    assert [each.account_id for each in found] == [f"GD/0:{n}" for n in range(7)]
    (other,) = (await client.resting_numbers("BJ")).numbers
    assert (other.number, other.since_ms, other.kept_for) == ("msisdn:8613900000099", 5, "BJ/1:4")


async def test_a_cursor_holds_for_its_own_region_and_list_alone(client: AsyncClient, front: Front) -> None:
    cursor = (await client.resting_numbers("GD", 3)).next_cursor
    for domain, given, reason in (
        ("BJ", cursor, "PAGE_FOREIGN"),
        ("GD", cursor[:-2], "PAGE_MALFORMED"),
        ("GD", "nonsense", "PAGE_MALFORMED"),
        ("GD", "A" * 5_000, "PAGE_MALFORMED"),
    ):
        with pytest.raises(Invalid) as met:
            await client.resting_numbers(domain, page_cursor=given)
        assert met.value.reason == reason
    elsewhere = desk_pb.ServiceRequest()
    elsewhere.CopyFrom(front.query(view="accounts"))
    elsewhere.page_cursor = cursor
    assert fault_of(await front.one(elsewhere)).reason == "PAGE_FOREIGN"


@pytest.mark.parametrize(
    ("asked", "kind", "reason"),
    [
        ({"domain": "no such place"}, NotFound, "DOMAIN_UNKNOWN"),
        ({"domain": "ZZ"}, NotFound, "DOMAIN_UNKNOWN"),
        ({"domain": "GD", "actor": "x" * 500}, Invalid, "TEXT_TOO_LONG"),
        ({"domain": "GD", "actor": "a\nb"}, Invalid, "TEXT_MALFORMED"),
    ],
)
async def test_what_is_asked_wrong_is_told_by_a_reason(
    client: AsyncClient, asked: dict[str, str], kind: type[Fault], reason: str
) -> None:
    with pytest.raises(kind) as met:
        await client.resting_numbers(asked.pop("domain"), **asked)
    assert met.value.reason == reason


async def test_only_whom_it_is_granted_is_told_and_in_its_regions_alone(
    client: AsyncClient, front: Front, owner: OwnerInMemory
) -> None:
    for grant, reason in (
        (Grant("local", ("accounts", "release_number")), "COMMAND_NOT_GRANTED"),
        (Grant("local", ("resting_numbers",), domains=("BJ",)), "REGION_NOT_GRANTED"),
    ):
        owner.grants = (grant,)
        owner.revision += 1
        channel = open_channel(front.address)
        with pytest.raises(grpc.aio.AioRpcError) as met:
            await NumberServiceStub(channel).ListRestingNumbers(
                pb.ListRestingNumbersRequest(domain="GD", channel="front")
            )
        assert from_rpc_error(met.value).reason == reason
        await channel.close()
    assert len((await client.resting_numbers("BJ")).numbers) == 1


def test_operators_are_told_and_halls_and_distributors_are_not() -> None:
    policy = Policy()
    policy.permit("operator/li", "resting_numbers")
    for role in ("frontend/hall", "distributor/shop", "backoffice/x"):
        with pytest.raises(Denied):
            policy.permit(role, "resting_numbers")
