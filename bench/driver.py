"""A front end that costs little: batches packed beforehand, streamed with a bounded window, replies read afterwards.

The load generator shares the cores with what it loads, so it must not be what is measured: bytes go out and come in as
they are, and only when the clock has stopped are the replies parsed and every refusal counted.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence

import grpc
from google.rpc import error_details_pb2
from msgspec import Struct
from onetier.v1 import service_desk_pb2 as desk

from onetier_client.endpoints import Ranking
from runtime.channel import open_channel

METHOD = "/onetier.v1.ServiceDeskService/Exchange"
TIMEOUT_MS = 60_000


class Driven(Struct):
    """How a run went."""

    items: int
    seconds: float
    batch_ms: list[float]
    """From sending a batch to its last reply."""
    faults: Counter[str]
    """Refusals by reason."""

    @property
    def per_second(self) -> float:
        """Items answered a second."""
        return self.items / self.seconds


def summed(runs: Sequence[Driven]) -> Driven:
    """Give runs that came one after the other as one."""
    faults: Counter[str] = Counter()
    for each in runs:
        faults.update(each.faults)
    waits = [wait for each in runs for wait in each.batch_ms]
    return Driven(sum(each.items for each in runs), sum(each.seconds for each in runs), waits, faults)


class Packed(Struct):
    """A batch ready to be sent."""

    number: int
    body: bytes
    size: int
    """Requests in it."""


def pack(requests: Sequence[desk.ServiceRequest], batch: int, endpoints: Sequence[str]) -> dict[str, list[Packed]]:
    """Pack requests into batches by endpoint, each identity at the one that our client prefers for it."""
    ranking = Ranking(endpoints)
    of: list[list[desk.ServiceRequest]] = [[] for _ in endpoints]
    for request in requests:
        of[ranking.of(request.identity)[0]].append(request)
    return {
        endpoint: [
            _packed(number + 1, own[start : start + batch]) for number, start in enumerate(range(0, len(own), batch))
        ]
        for endpoint, own in zip(endpoints, of, strict=True)
    }


def _packed(number: int, requests: Sequence[desk.ServiceRequest]) -> Packed:
    body = desk.ExchangeRequest(batch_id=number, timeout_ms=TIMEOUT_MS, requests=requests).SerializeToString()
    return Packed(number, body, len(requests))


async def drive(batches: Mapping[str, Sequence[Packed]], window: int) -> Driven:
    """Send all batches, at most `window` under way at each endpoint."""
    parts: list[bytes] = []
    waits: list[float] = []
    began = time.perf_counter()
    async with asyncio.timeout(TIMEOUT_MS / 1_000 + sum(len(own) for own in batches.values())):
        await asyncio.gather(*[_lane(endpoint, own, window, parts, waits) for endpoint, own in batches.items() if own])
    seconds = time.perf_counter() - began
    faults: Counter[str] = Counter()
    items = 0
    for raw in parts:
        part = desk.ExchangeResponse.FromString(raw)
        items += len(part.positions)
        if part.HasField("error"):
            faults[part.error.message] += 1
        faults.update(reason(reply) for reply in part.replies if reply.HasField("error"))
    return Driven(items, seconds, waits, faults)


async def _lane(endpoint: str, work: Sequence[Packed], window: int, parts: list[bytes], waits: list[float]) -> None:
    channel = open_channel(endpoint)
    stream = channel.stream_stream(METHOD, request_serializer=None, response_deserializer=None)()
    left = {batch.number: batch.size for batch in work}
    sent_at: dict[int, float] = {}
    room = asyncio.Semaphore(window)

    async def send() -> None:
        for batch in work:
            await room.acquire()
            sent_at[batch.number] = time.perf_counter()
            await stream.write(batch.body)

    sender = asyncio.create_task(send())
    try:
        while left:
            raw = await stream.read()
            if raw is grpc.aio.EOF:
                raise RuntimeError(f"{endpoint} ended the stream: {await stream.details()}")
            parts.append(raw)
            number, answered = _head(raw)
            left[number] -= answered
            if left[number] <= 0:
                del left[number]
                waits.append((time.perf_counter() - sent_at[number]) * 1_000)
                room.release()
    finally:
        sender.cancel()
        stream.cancel()
        await channel.close()


def _head(raw: bytes) -> tuple[int, int]:
    """Read batch number and count of replies without touching the replies: the first two fields of the message."""
    number, at = _varint(raw, 1)
    if raw[at] != 0x12:  # an error of the whole batch
        return number, 1 << 30
    size, at = _varint(raw, at + 1)
    packed = raw[at : at + size]
    return number, sum(1 for byte in packed if byte < 0x80)


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7


def reason(reply: desk.ServiceReply) -> str:
    """Give the reason of a refusal."""
    for detail in reply.error.details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return str(info.reason)
    return str(reply.error.message)
