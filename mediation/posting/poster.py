"""Charges the batches that are open, through the front door, and keeps what was said of each record."""

import time
from collections.abc import Iterator, Mapping

from google.rpc.code_pb2 import ABORTED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE
from google.rpc.error_details_pb2 import ErrorInfo
from msgspec import Struct, field
from onetier.v1 import service_desk_pb2 as desk

from mediation.plant.batches import KeyedRecord, RatedDetail, read_batch, write_details
from mediation.plant.plant import Plant
from mediation.plant.suspense import Suspended, aside_of
from mediation.plant.work import OPEN, RecordBatch
from mediation.posting.shares import BatchShare, request_of, shares_of
from onetier_client import AsyncClient

WINDOW_REQUESTS = 64
"""Shares under way at once: each is up to 200 uses."""
TIMEOUT_MS = 60_000
UNKNOWN_FATE = frozenset((ABORTED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE))
"""Codes after which nobody knows what was done; the same key tells, so the share is sent again under it."""


class Posted(Struct):
    """What a posting did."""

    charged: int = 0
    set_aside: int = 0
    """Of the charged, those that were taken at no price: `onetier mediation rerate --late` gives them one."""
    suspended: int = 0
    unknown: int = 0
    """Records of which nobody knows what was done: their batch stays open, and is sent again under the same keys."""
    amounts: dict[str, int] = field(default_factory=dict)
    """Micro-units by currency."""
    seconds: float = 0.0


class BatchOutcome(Struct):
    """What became of the records of one batch so far."""

    details: list[RatedDetail] = field(default_factory=list)
    aside: list[Suspended] = field(default_factory=list)
    unknown: int = 0


class Poster:
    """Posts for one plant through one client. `channels` gives the access channel of a source."""

    def __init__(self, plant: Plant, client: AsyncClient, channels: Mapping[str, str]) -> None:
        self._plant = plant
        self._client = client
        self._channels = channels

    async def post_batches(self, now_ms: int) -> Posted:
        """Charge all open batches in their order, one commit each; the first of unknown fate ends it."""
        posted, began = Posted(), time.perf_counter()
        for batch in self._plant.work.batches(OPEN):
            outcome = await self._post(batch, now_ms)
            posted.unknown += outcome.unknown
            if outcome.unknown:
                break  # An account that took a later batch would not take this one any more.
            self._commit(batch, outcome)
            posted.charged += len(outcome.details)
            posted.set_aside += sum(detail.set_aside for detail in outcome.details)
            posted.suspended += len(outcome.aside)
            for detail in outcome.details:
                posted.amounts[detail.currency] = posted.amounts.get(detail.currency, 0) + detail.amount
        posted.seconds = time.perf_counter() - began
        return posted

    async def _post(self, batch: RecordBatch, now_ms: int) -> BatchOutcome:
        plant, outcome = self._plant, BatchOutcome()
        channel = self._channel(batch.digest)
        for turn in shares_of(read_batch(plant.folder.batch(batch.number))):
            share_of: dict[str, BatchShare] = {}
            requests: list[desk.ServiceRequest] = []
            for share in turn:
                request = request_of(share, plant.plant_id, batch.number, channel)
                share_of[request.request_key] = share
                requests.append(request)
            async for request, reply in self._client.exchange(requests, window=WINDOW_REQUESTS, timeout_ms=TIMEOUT_MS):
                _note(outcome, batch.digest, share_of[request.request_key], request.request_key, reply, now_ms)
            if outcome.unknown:
                break
        return outcome

    def _commit(self, batch: RecordBatch, outcome: BatchOutcome) -> None:
        plant = self._plant
        write_details(plant.folder.details(batch.number), outcome.details)
        with plant.commit():
            plant.suspense.keep(outcome.aside)
            plant.work.charged(batch.number, len(outcome.details))

    def _channel(self, digest: str) -> str:
        file = self._plant.files.get(digest)
        return self._channels.get(file.source, "front") if file is not None else "front"


def _note(
    outcome: BatchOutcome, digest: str, share: BatchShare, key: str, reply: desk.ServiceReply, now_ms: int
) -> None:
    """Take down what was said of each record of a share."""
    if reply.HasField("error"):
        if reply.error.code in UNKNOWN_FATE:
            outcome.unknown += len(share.rows)
            return
        reason, message = next(_reasons(reply), "UNKNOWN"), reply.error.message
        outcome.aside += [aside_of(digest, row, reason, message, now_ms) for row in share.rows]
        return
    for row, use in zip(share.rows, reply.command.uses, strict=True):
        if use.reason:
            outcome.aside.append(aside_of(digest, row, use.reason, use.message, now_ms))
        else:
            outcome.details.append(_detail(row, use, key))


def _reasons(reply: desk.ServiceReply) -> Iterator[str]:
    for detail in reply.error.details:
        info = ErrorInfo()
        if detail.Unpack(info):
            yield str(info.reason)


def _detail(row: KeyedRecord, use: desk.UseResult, key: str) -> RatedDetail:
    record = row.record
    return RatedDetail(
        row.key,
        record.identity,
        record.service,
        record.start_ms,
        record.quantity,
        use.amount,
        use.currency,
        record.place.position,
        key,
        use.set_aside,
    )
