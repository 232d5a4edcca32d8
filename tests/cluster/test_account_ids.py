"""One id for an account in the whole country, through all tiers: equal ids of two domains are two accounts."""

import asyncio
from pathlib import Path

import pytest
from onetier.v1 import service_desk_pb2 as pb

from charging.errors import Fault, NotFound
from cluster.system import Shape
from country.offers import MOBILE_SMALL
from onetier_client import AsyncClient
from testkit.rehearsal import DAY_MS, Rehearsal, rehearse

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]
YUAN = 1_000_000
CHARGES = 30
CALLED = "8613800000000"


def free_numbers(small: Rehearsal) -> dict[str, str]:
    """Give a number of each domain that nobody has: the neighbour of somebody's."""
    taken = {member.identity for account in small.country.people.accounts for member in account.members}
    found: dict[str, str] = {}
    for account in small.mobiles():
        for digit in "0123456789":
            number = account.members[0].identity[:-1] + digit
            if number not in taken and account.domain not in found:
                found[account.domain] = number
    return found


async def open_account(client: AsyncClient, number: str, own_id: str = "") -> str:
    """Open an account with some money, and give its id."""
    contract = pb.Contract(subscriptions=[pb.Subscription(offering=MOBILE_SMALL)])
    money = pb.BalanceBook(book_id="main", unit="money", amount=50 * YUAN)
    command = pb.OpenAccount(account_id=own_id, payment_mode="prepaid", contract=contract, books=[money])
    done = await client.execute(number, command, request_key=f"open-{number}-{own_id}")
    return str(done.account_id)


async def reason_of(call: object) -> str:
    with pytest.raises(Fault) as caught:
        await call  # type: ignore[misc]
    return caught.value.reason


async def test_equal_ids_of_two_domains_are_two_accounts_in_everything(tmp_path: Path) -> None:
    async with rehearse(tmp_path, Shape(datacenters=1)) as small:
        client = small.client
        (south, first), (north, second), (_, third) = list(free_numbers(small).items())[:3]
        one, two = await open_account(client, first, "1001"), await open_account(client, second, "1001")
        assert (one.partition("/")[0], two.partition("/")[0]) == (south, north)
        assert one.endswith(":1001")
        assert two.endswith(":1001")

        async def charge(number: str, place: int) -> int:
            facts = {"request_key": f"{number}-{place}", "event_time_ms": DAY_MS + place, "other_party": CALLED}
            return (await client.charge(number, "voice", 61, **facts)).amount

        amounts = await asyncio.gather(
            *(charge(number, place) for place in range(CHARGES) for number in (first, second))
        )
        assert set(amounts) == {0}, "the minutes of both plans cover all of it"
        assert {(await client.balance(number)).account_id for number in (first, second)} == {one, two}

        await open_account(client, third)
        before = (await client.balance(third)).real
        for number in (first, second):
            await client.transfer(number, third, YUAN, request_key="gift")
        async with asyncio.timeout(20):
            while (await client.balance(third)).real != before + 2 * YUAN:  # noqa: ASYNC110
                await asyncio.sleep(0.1)

        assert await reason_of(open_account(client, first, "1002")) == "IDENTITY_TAKEN"
        await client.execute(first, pb.SetAccountStatus(status="closed", reason="left"), request_key="close")
        again = await client.execute(first, pb.SetAccountStatus(status="closed", reason="left"), request_key="close")
        assert again.repeated
        with pytest.raises(NotFound):
            await client.balance(first)
        left = await client.balance(f"account:{one}")
        assert (left.account_id, left.status, left.real, list(left.members)) == (one, "closed", 49 * YUAN, [])
        assert (await client.history(f"account:{one}", 3))[0].kind == "status"
        charged = client.charge(f"account:{one}", "voice", 60, event_time_ms=DAY_MS)
        assert await reason_of(charged) == "SUBSCRIBER_MISSING"
        async with asyncio.timeout(20):
            while True:
                try:
                    heir = await open_account(client, first)
                    break
                except Fault as fault:
                    assert fault.reason == "IDENTITY_CONTENDED", fault  # noqa: PT017
                    await asyncio.sleep(0.1)
        assert heir == f"{one.partition(':')[0]}:{first}"
        assert (await client.balance(first)).account_id == heir
