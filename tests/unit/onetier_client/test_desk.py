"""The client against a scripted desk on real sockets."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import pytest
from onetier.v1 import service_desk_pb2 as pb

from charging.errors import Expired, Fault, Invalid, Overloaded, Refused, Unavailable
from onetier_client import AsyncClient, requests
from runtime.status import DRAINING, to_status

pytestmark = pytest.mark.timeout(30)


class Desk(Protocol):
    address: str
    script: Callable[[pb.ServiceRequest, int], pb.ServiceReply | None]
    refuse_batch: Callable[[pb.ExchangeRequest], pb.ExchangeResponse | None]
    seen: dict[str, int]
    batches: list[int]
    timeouts_ms: list[int]
    heard: asyncio.Event
    kill_after_parts: int
    delay_s: float

    async def start(self, listen: str = ...) -> None: ...
    async def stop(self) -> None: ...


OpenDesk = Callable[[], Awaitable[Desk]]


def charged(request: pb.ServiceRequest) -> pb.ServiceReply:
    return pb.ServiceReply(charge=pb.ChargeResult(amount=request.quantity, currency="CNY", domain="GD"))


def failed(fault: Fault) -> pb.ServiceReply:
    return pb.ServiceReply(error=to_status(fault))


async def test_a_charge_is_asked_and_answered(desk: Desk) -> None:
    heard: list[pb.ServiceRequest] = []

    def script(request: pb.ServiceRequest, _seen: int) -> pb.ServiceReply:
        heard.append(request)
        return charged(request)

    desk.script = script
    async with AsyncClient([desk.address], channel="pos") as client:
        charge = await client.charge("13012345678", "voice", quantity=61, other_party="10086")
    assert charge.amount == 61
    (request,) = heard
    assert request.channel == "pos"
    assert request.explain
    assert request.other_party == "10086"
    assert len(request.request_key) == 36
    assert request.event_time_ms == 0, "the platform stamps it, or a repeat would be another content"


async def test_every_kind_of_call_reaches_its_result(desk: Desk) -> None:
    def script(request: pb.ServiceRequest, _seen: int) -> pb.ServiceReply:
        match request.request_type, request.service_code, request.WhichOneof("command"):
            case pb.REQUEST_TYPE_QUOTE, _, _:
                return pb.ServiceReply(quote=pb.ChargeResult(amount=7))
            case _, "balance", _:
                return pb.ServiceReply(balance=pb.BalanceView(available=8))
            case _, "usage", _:
                return pb.ServiceReply(usage=pb.UsageView(allowances=[pb.AllowanceView(remaining=9)]))
            case _, "contract", _:
                return pb.ServiceReply(contract=pb.ContractView(contract=pb.Contract(domain="GD")))
            case _, "history", _:
                lines = [pb.HistoryLine(amount=amount) for amount in range(request.quantity)]
                return pb.ServiceReply(history=pb.HistoryView(lines=lines))
            case _, _, "session":
                step = request.session
                return pb.ServiceReply(session=pb.SessionResult(session_id=step.session_id, invocation=step.invocation))
            case _, _, command:
                return pb.ServiceReply(command=pb.CommandResult(account_id=str(command)))

    desk.script = script
    who = "msisdn:8613012345678"
    use = [pb.UnitUse(service_code="data", requested=1_000)]
    async with AsyncClient([desk.address]) as client:
        assert (await client.quote(who, "voice", 60)).amount == 7
        assert (await client.balance(who)).available == 8
        assert (await client.usage(who)).allowances[0].remaining == 9
        assert (await client.contract(who)).domain == "GD"
        assert [line.amount for line in await client.history(who, 3)] == [0, 1, 2]
        assert (await client.top_up(who, 5)).account_id == "top_up"
        assert (await client.refund(who, "k")).account_id == "refund"
        assert (await client.transfer(who, "msisdn:8613012345679", 5)).account_id == "transfer"
        assert (await client.open_account(who, pb.OpenAccount(currency="CNY"))).account_id == "open_account"
        assert (await client.execute(who, pb.SetCreditLimit(credit_limit=5))).account_id == "set_credit_limit"
        assert (await client.session_create(who, "s1", use)).invocation == 0
        assert (await client.session_update(who, "s1", 1, use)).invocation == 1
        assert (await client.session_release(who, "s1", 2, use)).session_id == "s1"


@pytest.mark.parametrize(
    "fault",
    [
        Invalid("QUANTITY_NEGATIVE", "quantity is negative", fields={"quantity": "0 or more"}),
        Refused.told("BALANCE_INSUFFICIENT", "not enough", facts={"available": "5"}),
    ],
)
async def test_a_final_fault_is_raised_whole_and_never_repeated(desk: Desk, fault: Fault) -> None:
    desk.script = lambda _request, _seen: failed(fault)
    async with AsyncClient([desk.address]) as client:
        with pytest.raises(type(fault)) as caught:
            await client.charge("13012345678", "voice", request_key="k")
    assert (caught.value.reason, caught.value.fields, caught.value.facts) == (fault.reason, fault.fields, fault.facts)
    assert desk.seen["k"] == 1


@pytest.mark.parametrize("fault", [Unavailable, Overloaded])
async def test_the_same_key_is_repeated_after_what_the_desk_asks(desk: Desk, fault: type[Fault]) -> None:
    desk.script = lambda request, seen: (
        charged(request) if seen == 3 else failed(fault.told("AWAY", "away", retry_ms=80))
    )
    started = time.monotonic()
    async with AsyncClient([desk.address]) as client:
        charge = await client.charge("13012345678", "voice", quantity=3, request_key="k")
        assert client.repeats == 2
    assert charge.amount == 3
    assert desk.seen == {"k": 3}
    assert time.monotonic() - started >= 0.16


async def test_the_overall_deadline_holds_whatever_the_desk_does(desk: Desk) -> None:
    desk.script = lambda _request, _seen: None
    started = time.monotonic()
    async with AsyncClient([desk.address], timeout_ms=400, attempt_timeout_ms=100) as client:
        with pytest.raises(Expired) as caught:
            await client.charge("13012345678", "voice", request_key="k")
    assert 0.3 < time.monotonic() - started < 2
    assert caught.value.facts["request_key"] == "k"
    assert desk.seen["k"] > 1
    assert all(0 < timeout_ms <= 100 for timeout_ms in desk.timeouts_ms)


async def test_unavailable_to_the_end_is_told_as_such(desk: Desk) -> None:
    desk.script = lambda _request, _seen: failed(Unavailable.told("OWNER_AWAY", "the owner is away", retry_ms=400))
    # One repeat after 400 to 500 ms, and no time for another: none is under way when time is up.
    async with AsyncClient([desk.address], timeout_ms=600) as client:
        with pytest.raises(Unavailable) as caught:
            await client.charge("13012345678", "voice")
        assert client.repeats == 1
    assert caught.value.reason == "OWNER_AWAY"
    assert caught.value.retry_ms == 400


async def test_a_stream_killed_in_the_middle_of_a_batch_loses_and_doubles_nothing(desk: Desk) -> None:
    desk.kill_after_parts = 2
    async with AsyncClient([desk.address]) as client:
        wanted = [requests.charge(f"130{index:08}", "sms", index) for index in range(60)]
        amounts = {request.quantity: reply.charge.amount async for request, reply in client.exchange(wanted)}
        assert client.repeats == 46
    assert amounts == {index: index for index in range(60)}
    assert sorted(desk.seen.values()) == [1] * 14 + [2] * 46


async def test_failover_when_an_endpoint_dies_and_return_when_it_is_back(open_desk: OpenDesk) -> None:
    first, second = await open_desk(), await open_desk()
    async with AsyncClient([first.address, second.address]) as client:
        people = [f"130{index:08}" for index in range(40)]
        for person in people:
            await client.charge(person, "sms")
        assert len(first.seen) > 5
        assert len(second.seen) > 5
        await first.stop()
        before = len(second.seen)
        assert [(await client.charge(person, "sms", 2)).amount for person in people] == [2] * 40
        assert len(second.seen) == before + 40
        served = len(first.seen)
        await first.start(first.address)
        async with asyncio.timeout(10):
            while len(first.seen) == served:
                await client.charge(people[0], "sms")
                await client.charge(people[1], "sms")
                await asyncio.gather(*(client.charge(person, "sms") for person in people))
                await asyncio.sleep(0.05)


async def test_an_identity_goes_to_one_endpoint_in_whatever_spelling(open_desk: OpenDesk) -> None:
    desks = [await open_desk() for _ in range(3)]
    async with AsyncClient([desk.address for desk in desks]) as client:
        for spelling in ("13012345678", "8613012345678", "+8613012345678", "msisdn:8613012345678"):
            await client.balance(spelling)
    assert sorted(sum(desk.seen.values()) for desk in desks) == [0, 0, 4]


async def test_a_draining_endpoint_is_left_for_another(open_desk: OpenDesk) -> None:
    first, second = await open_desk(), await open_desk()
    first.script = lambda _request, _seen: failed(Unavailable(DRAINING, "stopping", retry_ms=10))
    async with AsyncClient([first.address, second.address], timeout_ms=3_000) as client:
        people = [f"130{index:08}" for index in range(20)]
        amounts = [(await client.charge(person, "sms", 4)).amount for person in people]
    assert amounts == [4] * 20
    assert len(second.seen) == 20


async def test_calls_that_wait_share_batches(desk: Desk) -> None:
    desk.delay_s = 0.02
    async with AsyncClient([desk.address], batches_in_flight_max=1) as client:
        charges = await asyncio.gather(*(client.charge("13012345678", "sms", n) for n in range(200)))
    assert [charge.amount for charge in charges] == list(range(200))
    assert len(desk.batches) <= 4


async def test_a_batch_refused_as_too_large_comes_again_in_smaller_ones(desk: Desk) -> None:
    def refuse(batch: pb.ExchangeRequest) -> pb.ExchangeResponse | None:
        if len(batch.requests) <= 10:
            return None
        fault = Invalid("BATCH_TOO_LARGE", "at most 10 requests", facts={"limit": "10"})
        return pb.ExchangeResponse(error=to_status(fault))

    desk.refuse_batch = refuse
    async with AsyncClient([desk.address]) as client:
        wanted = [requests.charge("13012345678", "sms", n) for n in range(100)]
        amounts = [reply.charge.amount async for _request, reply in client.exchange(wanted)]
    assert sorted(amounts) == list(range(100))
    assert max(desk.batches[1:]) <= 10


async def test_a_batch_refused_whole_is_each_one_s_fault(desk: Desk) -> None:
    error = to_status(Invalid("BATCH_MALFORMED", "no"))
    desk.refuse_batch = lambda _batch: pb.ExchangeResponse(error=error)
    async with AsyncClient([desk.address]) as client:
        with pytest.raises(Invalid, match="no"):
            await client.balance("13012345678")


async def test_bulk_keeps_to_its_window_and_gives_failures_as_replies(desk: Desk) -> None:
    bad = failed(Refused.told("BALANCE_INSUFFICIENT", "not enough"))
    desk.script = lambda request, _seen: bad if request.quantity % 10 == 0 else charged(request)
    async with AsyncClient([desk.address]) as client:
        wanted = (requests.charge(f"130{n % 50:08}", "sms", n) for n in range(1, 1_001))
        pairs = [pair async for pair in client.exchange(wanted, window=64)]
    assert len(pairs) == 1_000
    assert max(desk.batches) <= 64
    assert sum(reply.HasField("error") for _request, reply in pairs) == 100
    assert all(reply.charge.amount == request.quantity for request, reply in pairs if not reply.HasField("error"))


async def test_bulk_sets_missing_keys_and_ends_late_requests(desk: Desk) -> None:
    desk.script = lambda request, _seen: None if request.quantity == 3 else charged(request)
    wanted = [requests.charge("13012345678", "sms", n) for n in range(6)]
    for request in wanted:
        request.request_key = ""
    started = time.monotonic()
    async with AsyncClient([desk.address], attempt_timeout_ms=200) as client:
        pairs = [pair async for pair in client.exchange(wanted, timeout_ms=500)]
    assert time.monotonic() - started < 3
    assert len({request.request_key for request, _reply in pairs}) == 6
    late = [request.quantity for request, reply in pairs if reply.error.code == 4]
    assert late == [3]


async def test_nobody_at_home_is_unavailable_within_the_deadline() -> None:
    async with AsyncClient(["127.0.0.1:1"], timeout_ms=500) as client:
        started = time.monotonic()
        with pytest.raises(Unavailable):
            await client.balance("13012345678")
    assert time.monotonic() - started < 2


async def test_closing_ends_calls_under_way(desk: Desk) -> None:
    desk.script = lambda _request, _seen: None
    client = AsyncClient([desk.address])
    waiting = asyncio.create_task(client.balance("13012345678"))
    async with asyncio.timeout(5):
        await desk.heard.wait()
    await client.close()
    with pytest.raises(Unavailable):
        await waiting


async def test_a_full_stream_is_waited_for_not_taken_for_a_batch_limit(desk: Desk) -> None:
    full = to_status(Overloaded("STREAM_FULL", "full", facts={"limit": "8"}, retry_ms=10))
    answers = iter([pb.ExchangeResponse(error=full)])
    desk.refuse_batch = lambda _batch: next(answers, None)
    async with AsyncClient([desk.address]) as client:
        wanted = [requests.charge("13012345678", "sms", n) for n in range(100)]
        assert len([pair async for pair in client.exchange(wanted)]) == 100
    assert desk.batches == [100, 100]


async def test_an_oversized_request_fails_alone(desk: Desk) -> None:
    async with AsyncClient([desk.address]) as client:
        large = requests.charge("13012345678", "sms", 1, attributes={"note": "x" * 1_000_001})
        wanted = [requests.charge("13012345678", "sms", 1), large, requests.charge("13012345678", "sms", 1)]
        replies = {id(request): reply async for request, reply in client.exchange(wanted)}
    assert [replies[id(request)].HasField("error") for request in wanted] == [False, True, False]
    assert "1000000" in replies[id(large)].error.message


async def test_batches_are_bounded_in_bytes(desk: Desk) -> None:
    async with AsyncClient([desk.address]) as client:
        note = {"note": "x" * 500_000}
        wanted = [requests.charge("13012345678", "sms", n, attributes=note) for n in range(40)]
        amounts = [reply.charge.amount async for _request, reply in client.exchange(wanted)]
    assert sorted(amounts) == list(range(40))
    assert max(desk.batches) <= 9


async def test_an_endpoint_that_says_nothing_is_left_with_all_that_waits_for_it(open_desk: OpenDesk) -> None:
    mute, well = await open_desk(), await open_desk()
    mute.script = lambda _request, _seen: None
    started = time.monotonic()
    async with AsyncClient(
        [mute.address, well.address], attempt_timeout_ms=300, batch_requests_max=10, batches_in_flight_max=1
    ) as client:
        wanted = [requests.charge(f"130{n:08}", "sms", n) for n in range(400)]
        amounts = [reply.charge.amount async for _request, reply in client.exchange(wanted)]
        assert sorted(amounts) == list(range(400))
        assert len(mute.batches) <= 2
        mute.script = lambda request, _seen: charged(request)
        async with asyncio.timeout(5):
            while len(mute.batches) < 4:
                await asyncio.gather(*(client.charge(f"130{n:08}", "sms") for n in range(20)))
                await asyncio.sleep(0.1)
    assert time.monotonic() - started < 8
