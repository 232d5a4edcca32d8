"""Sends requests through the front end's stream: bounded in flight, with progress, every latency kept."""

import time
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct
from onetier.v1 import service_desk_pb2 as desk

from country.planted import KEY_REUSED
from country.tally import Tally, reason_of
from country.usage_file import UnreadableLine, UsageRecord
from onetier_client import AsyncClient

WINDOW_REQUESTS = 4_000
"""Requests under way at once: four full batches."""
TIMEOUT_MS = 30_000
"""Of one request with all its repeats; long, because a repeat is cheaper than a question."""
TIMED_OUT = "DEADLINE_EXCEEDED"
FAULTS_TOLD_MAX = 5

Advance = Callable[[int], None]
Line = UsageRecord | UnreadableLine


class SendingFailed(Exception):
    """A command that had to succeed was refused; the message tells the first few."""


class Sent(Struct):
    """How a sending went."""

    requests: int
    seconds: float
    latencies_ms: list[float]
    """Of each request, from handing it to the client to its reply, the client's own queue included."""

    @property
    def per_second(self) -> float:
        """Replies a second."""
        return self.requests / self.seconds if self.seconds else 0.0


async def send_usage(client: AsyncClient, lines: Iterable[Line], tally: Tally, advance: Advance, window: int) -> Sent:
    """Send the lines of a usage file and count every reply. Unreadable lines are counted, not sent.

    `window` is how many requests may be under way; 1 sends one at a time. A key planted for reuse waits for the answer
    to its first use: the platform keeps the use that reaches it first, and repeats can bring a request there late.
    What ran out of time, on a machine with much else to do, may be done or not: it is asked once more by its key.
    """
    under_way: dict[int, tuple[UsageRecord, float]] = {}
    latencies: list[float] = []
    asked_again: list[Line] = []
    kept_back: list[Line] = []
    first_asked: dict[str, float] = {}

    def first_use_under_way(key: str) -> bool:
        return any(record.request_key == key and record.planted != KEY_REUSED for record, _ in under_way.values())

    def requests(source: Iterable[Line]) -> Iterator[desk.ServiceRequest]:
        for line in source:
            if isinstance(line, UnreadableLine):
                tally.take_unreadable(line)
                advance(1)
                continue
            key = line.request_key
            if line.planted == KEY_REUSED and (key in first_asked or first_use_under_way(key)):
                kept_back.append(line)
                continue
            request = charge_request(line)
            since = first_asked.pop(key, 0.0) or time.perf_counter()
            under_way[id(request)] = (line, since)
            yield request

    began = time.perf_counter()
    # The later two fill while the first is sent; each is read only when the one before is through, and nothing of it is
    # under way any more.
    for source in (lines, asked_again, kept_back):
        async for request, reply in client.exchange(requests(source), window=window, timeout_ms=TIMEOUT_MS):
            record, since = under_way.pop(id(request))
            if source is lines and reason_of(reply) == TIMED_OUT:
                asked_again.append(record)
                first_asked[record.request_key] = since
                continue
            latencies.append((time.perf_counter() - since) * 1_000)
            tally.take(record, reply)
            advance(1)
    return Sent(len(latencies), time.perf_counter() - began, latencies)


async def send_commands(client: AsyncClient, requests: Iterable[desk.ServiceRequest], advance: Advance) -> Sent:
    """Send commands that must all succeed; they may be done in any order.

    Raises `SendingFailed` with the first refusals, when all have been answered.
    """
    began = time.perf_counter()
    count = 0
    faults: list[str] = []
    async for request, reply in client.exchange(requests, window=WINDOW_REQUESTS, timeout_ms=TIMEOUT_MS):
        count += 1
        advance(1)
        if reply.HasField("error") and len(faults) < FAULTS_TOLD_MAX:
            faults.append(f"{request.request_key}: {reason_of(reply)}, {reply.error.message}")
    if faults:
        raise SendingFailed("; ".join(faults))
    return Sent(count, time.perf_counter() - began, [])


def charge_request(record: UsageRecord) -> desk.ServiceRequest:
    """Make the request of a usage record."""
    return desk.ServiceRequest(
        identity=record.identity,
        request_type=desk.REQUEST_TYPE_CHARGE,
        service_code=record.service,
        request_key=record.request_key,
        event_time_ms=record.event_time_ms,
        quantity=record.quantity,
        channel=record.channel,
        other_party=record.other_party,
        visited_place=record.visited_place,
        partner=record.partner,
    )
