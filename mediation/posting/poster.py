"""Charges what waits: batches that are open, and what is suspended once its cause is mended."""

import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

import msgspec
from google.rpc.error_details_pb2 import ErrorInfo
from msgspec import Struct
from msgspec.structs import replace
from onetier.v1 import service_desk_pb2 as desk

from mediation.plant.batches import KeyedRecord, RatedDetail, read_batch, write_details
from mediation.plant.plant import Plant
from mediation.plant.suspense import RECOVERED, WAITING, Suspended
from mediation.plant.work import OPEN, RecordBatch
from mediation.posting.requests import UNKNOWN_FATE, charge_record
from mediation.records import DetailRecord
from onetier_client import AsyncClient

WINDOW_REQUESTS = 4_000
TIMEOUT_MS = 60_000
PAGE = 20_000
"""Suspended records that are tried before what became of them is committed."""
_record = msgspec.msgpack.Decoder(DetailRecord).decode
_pack = msgspec.msgpack.Encoder().encode


class Posted(Struct):
    """What a posting did."""

    charged: int = 0
    suspended: int = 0
    unknown: int = 0
    """Records of which nobody knows what was done: their batch stays open, and is sent again under the same keys."""
    amounts: dict[str, int] = {}
    """Micro-units by currency."""
    seconds: float = 0.0

    def add(self, currency: str, amount: int) -> None:
        """Count a charge."""
        self.charged += 1
        self.amounts[currency] = self.amounts.get(currency, 0) + amount


class Outcome(Struct, frozen=True, gc=False):
    """What the platform said of a record."""

    amount: int = 0
    currency: str = ""
    reason: str = ""
    """Empty = it is charged."""
    why: str = ""
    unknown: bool = False


Ask = Callable[[Iterable[desk.ServiceRequest]], Awaitable[Mapping[str, Outcome]]]


class Poster:
    """Posts for one plant through one client. `channels` gives the access channel of a source."""

    def __init__(self, plant: Plant, client: AsyncClient, channels: Mapping[str, str]) -> None:
        self._plant = plant
        self._client = client
        self._channels = channels

    async def post_batches(self, now_ms: int) -> Posted:
        """Charge all open batches, one commit each."""
        posted, began = Posted(), time.perf_counter()
        for batch in self._plant.work.batches(OPEN):
            await self._post(batch, now_ms, posted)
        posted.seconds = time.perf_counter() - began
        return posted

    async def recycle(self, reason: str, now_ms: int) -> Posted:
        """Try again what is suspended for a reason, "" = for any, and could be read."""
        posted, began = Posted(), time.perf_counter()
        # What is tried here and fails is kept again, so the list is drawn up before the first of it.
        waiting = [each for each in self._plant.suspense.all(WAITING, reason) if each.record and _retriable(each)]
        for start in range(0, len(waiting), PAGE):
            await self._try_again(waiting[start : start + PAGE], now_ms, posted)
        posted.seconds = time.perf_counter() - began
        return posted

    async def _post(self, batch: RecordBatch, now_ms: int, posted: Posted) -> None:
        plant = self._plant
        rows = read_batch(plant.folder.batch(batch.number))
        channel = self._channel(batch.digest)
        outcomes = await self._ask({row.key.hex(): charge_record(row, channel, 0) for row in rows})
        unknown = sum(outcome.unknown for outcome in outcomes.values())
        if unknown:
            posted.unknown += unknown
            return
        done = [(row, outcomes[row.key.hex()]) for row in rows]
        details = [_detail(row, outcome) for row, outcome in done if not outcome.reason]
        aside = [_aside(batch.digest, row, outcome, now_ms) for row, outcome in done if outcome.reason]
        write_details(plant.folder.details(batch.number), details)
        with plant.commit():
            plant.suspense.keep(aside)
            plant.work.charged(batch.number, len(details))
        posted.suspended += len(aside)
        for detail in details:
            posted.add(detail.currency, detail.amount)

    async def _try_again(self, waiting: list[Suspended], now_ms: int, posted: Posted) -> None:
        rows = {each.key.hex(): KeyedRecord(each.key, _record(each.record)) for each in waiting}
        outcomes = await self._ask(
            {each.key.hex(): charge_record(rows[each.key.hex()], self._channel(each.digest), each.refusals)
             for each in waiting}
        )  # fmt: skip
        kept: list[Suspended] = []
        for each in waiting:
            outcome = outcomes[each.key.hex()]
            if outcome.unknown:
                posted.unknown += 1
            elif outcome.reason:
                posted.suspended += 1
                kept.append(
                    replace(each, reason=outcome.reason, why=outcome.why, refusals=each.refusals + 1, since_ms=now_ms)
                )
            else:
                posted.add(outcome.currency, outcome.amount)
                kept.append(replace(each, state=RECOVERED, amount=outcome.amount, currency=outcome.currency))
        with self._plant.commit():
            self._plant.suspense.keep(kept)

    async def _ask(self, requests: Mapping[str, desk.ServiceRequest]) -> dict[str, Outcome]:
        """Send requests, by record, and give what was said of each."""
        record_of = {request.request_key: record for record, request in requests.items()}
        found: dict[str, Outcome] = {}
        async for request, reply in self._client.exchange(
            iter(requests.values()), window=WINDOW_REQUESTS, timeout_ms=TIMEOUT_MS
        ):
            found[record_of[request.request_key]] = outcome_of(reply)
        return found

    def _channel(self, digest: str) -> str:
        file = self._plant.files.get(digest)
        return self._channels.get(file.source, "front") if file is not None else "front"


def outcome_of(reply: desk.ServiceReply) -> Outcome:
    """Read a reply."""
    if not reply.HasField("error"):
        return Outcome(reply.charge.amount, reply.charge.currency)
    if reply.error.code in UNKNOWN_FATE:
        return Outcome(unknown=True)
    return Outcome(reason=next(_reasons(reply), "UNKNOWN"), why=reply.error.message)


def _reasons(reply: desk.ServiceReply) -> Iterator[str]:
    for detail in reply.error.details:
        info = ErrorInfo()
        if detail.Unpack(info):
            yield str(info.reason)


def _retriable(suspended: Suspended) -> bool:
    """Whether a second try can be right: a conflict is for a person to decide."""
    return suspended.reason != "RECORD_CONFLICT"


def _detail(row: KeyedRecord, outcome: Outcome) -> RatedDetail:
    record = row.record
    return RatedDetail(
        row.key,
        record.identity,
        record.service,
        record.start_ms,
        record.quantity,
        outcome.amount,
        outcome.currency,
        record.place.position,
    )


def _aside(digest: str, row: KeyedRecord, outcome: Outcome, now_ms: int) -> Suspended:
    record = row.record
    return Suspended(
        digest,
        record.place.position,
        WAITING,
        outcome.reason,
        outcome.why,
        record.place.raw,
        row.key,
        _pack(record),
        1,
        now_ms,
    )
