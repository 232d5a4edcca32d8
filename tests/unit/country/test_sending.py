"""Sending a usage file: which line waits for which."""

from collections.abc import AsyncIterator, Iterable
from itertools import islice

from msgspec.structs import replace
from onetier.v1 import service_desk_pb2 as pb

from charging.errors import Conflict, Expired
from country import planted
from country.sending import send_usage
from country.tally import Tally
from country.usage_file import UsageRecord
from onetier_client import AsyncClient
from runtime.status import to_status

RECORD = UsageRecord("k1", "msisdn:8613000000001", "voice", 1, 60, "front")


class LastFirst(AsyncClient):
    """Stands for a platform that the last request of each window reaches first."""

    def __init__(self) -> None:
        super().__init__(["127.0.0.1:1"])
        self.first: dict[str, pb.ServiceRequest] = {}

    async def exchange(
        self, requests: Iterable[pb.ServiceRequest], *, window: int = 10, timeout_ms: int = 0
    ) -> AsyncIterator[tuple[pb.ServiceRequest, pb.ServiceReply]]:
        source = iter(requests)
        while taken := list(islice(source, window)):
            for request in reversed(taken):
                yield request, self._answer(request)

    def _answer(self, request: pb.ServiceRequest) -> pb.ServiceReply:
        if self.first.setdefault(request.request_key, request) != request:
            return pb.ServiceReply(error=to_status(Conflict("REQUEST_KEY_REUSED", "used for another request")))
        return pb.ServiceReply(charge=pb.ChargeResult(amount=request.quantity))


async def test_a_key_planted_for_reuse_waits_for_the_answer_to_its_first_use() -> None:
    reused = replace(RECORD, quantity=61, planted=planted.KEY_REUSED)
    lines = [RECORD, replace(RECORD, planted=planted.DUPLICATE), reused, reused, replace(RECORD, request_key="k2")]
    tally = Tally({})
    advanced: list[int] = []
    sent = await send_usage(LastFirst(), lines, tally, advanced.append, window=10)
    assert tally.surprises == []
    assert tally.acknowledged == {"k1": 60, "k2": 60}
    assert (sent.requests, len(sent.latencies_ms), sum(advanced)) == (5, 5, 5)
    assert tally.total.refusals == {"REQUEST_KEY_REUSED": 2}


class Slow(LastFirst):
    """Stands for a platform that is too busy to answer anything in time when it is asked first."""

    def _answer(self, request: pb.ServiceRequest) -> pb.ServiceReply:
        if request.request_key in self.first:
            return super()._answer(request)
        self.first[request.request_key] = request
        return pb.ServiceReply(error=to_status(Expired("DEADLINE_EXCEEDED", "not answered in time")))


async def test_what_ran_out_of_time_is_asked_again_and_counts_once() -> None:
    lines = [RECORD, replace(RECORD, request_key="k2"), replace(RECORD, quantity=61, planted=planted.KEY_REUSED)]
    tally = Tally({})
    advanced: list[int] = []
    sent = await send_usage(Slow(), lines, tally, advanced.append, window=2)
    assert tally.surprises == []
    assert tally.acknowledged == {"k1": 60, "k2": 60}
    assert (sent.requests, sum(advanced)) == (3, 3)
