"""The blocking client: the same desk, from threads."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import pytest
from onetier.v1 import service_desk_pb2 as pb

from charging.errors import Refused
from onetier_client import Client, requests
from runtime.status import to_status

pytestmark = pytest.mark.timeout(30)


class Desk(Protocol):
    address: str
    script: object
    batches: list[int]


async def test_the_ten_lines_of_the_readme(desk: Desk) -> None:
    def front_end() -> int:
        with Client([desk.address]) as client:
            charge = client.charge("13012345678", "voice", quantity=61)
            return charge.amount

    assert await asyncio.to_thread(front_end) == 61


async def test_faults_are_raised_in_the_caller_s_thread(desk: Desk) -> None:
    error = to_status(Refused.told("BALANCE_INSUFFICIENT", "not enough"))
    desk.script = lambda _request, _seen: pb.ServiceReply(error=error)

    def front_end() -> str:
        with Client([desk.address]) as client, pytest.raises(Refused) as caught:
            client.charge("13012345678", "voice")
        return caught.value.reason

    assert await asyncio.to_thread(front_end) == "BALANCE_INSUFFICIENT"


async def test_bulk_from_a_thread(desk: Desk) -> None:
    def front_end() -> int:
        with Client([desk.address]) as client:
            wanted = (requests.charge(f"130{n:08}", "sms", n) for n in range(500))
            return sum(reply.charge.amount for _request, reply in client.exchange(wanted, window=100))

    assert await asyncio.to_thread(front_end) == sum(range(500))


async def test_bulk_left_early_ends_cleanly(desk: Desk) -> None:
    def front_end() -> int:
        with Client([desk.address]) as client:
            for _request, reply in client.exchange(requests.charge("13012345678", "sms", n) for n in range(1, 99)):
                return reply.charge.amount
        return 0

    assert await asyncio.to_thread(front_end) > 0


async def test_threads_share_one_client(desk: Desk) -> None:
    def front_end() -> list[int]:
        with Client([desk.address]) as client, ThreadPoolExecutor(8) as threads:
            return list(threads.map(lambda n: client.charge("13012345678", "sms", n).amount, range(100)))

    assert await asyncio.to_thread(front_end) == list(range(100))


async def test_close_twice_is_fine(desk: Desk) -> None:
    def front_end() -> None:
        client = Client([desk.address])
        client.close()
        client.close()

    await asyncio.to_thread(front_end)
    assert desk.batches == []
