"""Locust against a desk that lies or says nothing, over real sockets: a load test that believes it would be useless."""

import asyncio
import csv
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from google.rpc.status_pb2 import Status
from onetier.v1 import service_desk_pb2 as desk
from onetier.v1 import service_desk_pb2_grpc as desk_grpc

from cluster.loadresult import LoadResult, result_of
from cluster.loadrun import LOCUSTFILE

pytestmark = [pytest.mark.processes, pytest.mark.timeout(90)]
ROOT = Path(__file__).parents[3]
START = 1_000_000
Reply = Callable[[desk.ServiceRequest, int], desk.ServiceReply]
"""Request and what its subscriber has left → answer."""


class Desk(desk_grpc.ServiceDeskServiceServicer):
    """One number a price, every charge 100; `lie` changes an answer before it leaves."""

    def __init__(self, lie: Reply) -> None:
        self.left: dict[str, int] = {}
        self.lie = lie

    async def Exchange(
        self, requests: AsyncIterator[desk.ExchangeRequest], _context: object
    ) -> AsyncIterator[desk.ExchangeResponse]:
        async for batch in requests:
            response = desk.ExchangeResponse(batch_id=batch.batch_id, positions=range(len(batch.requests)))
            response.replies.extend([self.answer(request) for request in batch.requests])
            yield response

    def answer(self, request: desk.ServiceRequest) -> desk.ServiceReply:
        before = self.left.setdefault(request.identity, START)
        if request.request_type == desk.REQUEST_TYPE_CHARGE:
            self.left[request.identity] = before - 100
        return self.lie(request, before)


def honest(request: desk.ServiceRequest, before: int) -> desk.ServiceReply:
    if request.request_type == desk.REQUEST_TYPE_QUERY:
        return desk.ServiceReply(balance=desk.BalanceView(domain="GD", real=before, available=before))
    steps = [desk.ChargeStep(kind="tariff", exact="100/1")]
    if request.request_type == desk.REQUEST_TYPE_QUOTE:
        return desk.ServiceReply(quote=desk.ChargeResult(amount=100, currency="CNY", steps=steps, domain="GD"))
    moved = desk.BookMovement(book_id="main", unit="money", delta=-100, before=before, after=before - 100)
    charge = desk.ChargeResult(amount=100, currency="CNY", movements=[moved], account_version=1, domain="GD")
    return desk.ServiceReply(charge=charge)


def dearer(request: desk.ServiceRequest, before: int) -> desk.ServiceReply:
    """Charges a micro-unit more than it quotes, with movements that agree with that."""
    reply = honest(request, before)
    if reply.HasField("charge"):
        reply.charge.amount += 1
        reply.charge.movements[0].delta -= 1
        reply.charge.movements[0].after -= 1
    return reply


def twice(request: desk.ServiceRequest, before: int) -> desk.ServiceReply:
    """Tells a balance from which one more charge was taken."""
    reply = honest(request, before)
    if reply.HasField("balance") and before != START:
        reply.balance.real -= 100
        reply.balance.available -= 100
    return reply


def refusing(_request: desk.ServiceRequest, _before: int) -> desk.ServiceReply:
    return desk.ServiceReply(error=Status(code=9, message="not today"))


@asynccontextmanager
async def served(lie: Reply) -> AsyncIterator[str]:
    server = grpc.aio.server()
    desk_grpc.add_ServiceDeskServiceServicer_to_server(Desk(lie), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(0)


async def load(folder: Path, address: str, seconds: int = 6) -> LoadResult:
    """Run the charge mix against an address; gives the judgement of the console."""
    with (folder / "subscribers.csv").open("w", newline="") as file:
        lines = [(f"msisdn:861300000{number:04d}", "GD", f"a{number}") for number in range(20)]
        csv.writer(file).writerows([("identity", "domain", "account"), *lines])
    stem = folder / "run"
    arguments = (
        *("-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--only-summary", "-u", "1", "-t", f"{seconds}s"),
        *("--stop-timeout", "2", "--host", address, "--subscribers", str(folder / "subscribers.csv"), "--batch", "10"),
        *("--csv", str(stem), "--told", f"{stem}_told.csv", "--refusals-fail", "ChargeMix"),
    )
    with (folder / "log").open("wb") as log:
        locust = await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=ROOT, stdout=log, stderr=log)
        try:
            await asyncio.wait_for(locust.wait(), 60)
        finally:
            if locust.returncode is None:
                locust.kill()
                await locust.wait()
    return result_of("ChargeMix", stem, {"GD"}, None)


async def test_an_honest_desk_passes(tmp_path: Path) -> None:
    async with served(honest) as address:
        outcome = await load(tmp_path, address)
    assert outcome.faults == []
    assert outcome.told
    assert set(outcome.told.values()) == {100}


@pytest.mark.parametrize(
    ("lie", "request_name"), [(dearer, "witness charge"), (twice, "witness balance"), (refusing, "charge")]
)
async def test_a_lie_fails_the_scenario(lie: Reply, request_name: str, tmp_path: Path) -> None:
    async with served(lie) as address:
        outcome = await load(tmp_path, address)
    assert any(request_name in fault and "failed" in fault for fault in outcome.faults), outcome.faults


async def test_a_desk_that_is_not_there_moves_nothing(tmp_path: Path) -> None:
    async with served(honest) as address:
        pass
    outcome = await load(tmp_path, address)
    assert any("moved nothing" in fault for fault in outcome.faults), outcome.faults
