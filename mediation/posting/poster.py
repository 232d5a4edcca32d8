"""Charges the batches that are open, through the front door, and keeps what was said of each record."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from itertools import zip_longest

import polars as pl
from msgspec import Struct, field
from onetier.v1 import service_desk_pb2 as desk

from mediation.plant.batches import read_uses, write_details
from mediation.plant.plant import Plant
from mediation.plant.suspense import Suspended
from mediation.plant.work import OPEN, RecordBatch
from mediation.posting.outcomes import BatchOutcome
from mediation.posting.shares import BatchShare, BatchUses, request_of
from onetier_client import AsyncClient

WINDOW_REQUESTS = 128
"""Shares under way at once, each of up to 200 uses: enough that all tiers have some."""
TIMEOUT_MS = 60_000
ATTEMPT_MS = 20_000
"""For clients that post: a share that waits behind a hundred others is not asked again while they are rated."""


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

    def add(self, details: pl.DataFrame, suspended: int) -> None:
        """Count a batch that was committed: what was charged of it, and how many records were not."""
        self.charged += len(details)
        self.set_aside += int(details["set_aside"].sum())
        self.suspended += suspended
        for currency, amount in details.group_by("currency").agg(pl.col("amount").sum()).iter_rows():
            self.amounts[currency] = self.amounts.get(currency, 0) + amount


class Poster:
    """Posts for one plant through one client. `channels` gives the access channel of a source."""

    def __init__(self, plant: Plant, client: AsyncClient, channels: Mapping[str, str]) -> None:
        self._plant = plant
        self._client = client
        self._channels = channels

    async def post_batches(self, now_ms: int) -> Posted:
        """Charge all open batches in their order, one commit each; the first of unknown fate ends it."""
        posted, began = Posted(), time.perf_counter()
        async with aclosing(self._read(self._plant.work.batches(OPEN))) as read:
            async for batch, uses in read:
                outcome = await self._post(batch, uses)
                posted.unknown += outcome.unknown
                if outcome.unknown:
                    break  # An account that took a later batch would not take this one any more.
                details, aside = outcome.details(), outcome.aside(batch.digest, now_ms)
                self._commit(batch, details, aside)
                posted.add(details, len(aside))
        posted.seconds = time.perf_counter() - began
        return posted

    async def _read(self, batches: Sequence[RecordBatch]) -> AsyncGenerator[tuple[RecordBatch, BatchUses], None]:
        """Read and sort batches, each while the one before it is under way: nobody waits for that but the first."""
        ahead: asyncio.Future[BatchUses] | None = None
        try:
            for batch, behind in zip_longest(batches, batches[1:]):
                uses = await (ahead or self._read_one(batch))
                ahead = self._read_one(behind) if behind is not None else None
                yield batch, uses
        finally:
            if ahead is not None:
                ahead.cancel()

    def _read_one(self, batch: RecordBatch) -> "asyncio.Future[BatchUses]":
        path = self._plant.folder.batch(batch.number)
        return asyncio.ensure_future(asyncio.to_thread(lambda: BatchUses(read_uses(path))))

    async def _post(self, batch: RecordBatch, uses: BatchUses) -> BatchOutcome:
        outcome = BatchOutcome(uses)
        channel = self._channel(batch.digest)
        for turn in uses.turns():
            share_of: dict[str, BatchShare] = {}
            requests = self._requests(turn, uses, batch.number, channel, share_of)
            async for request, reply in self._client.exchange(requests, window=WINDOW_REQUESTS, timeout_ms=TIMEOUT_MS):
                key = request.request_key
                outcome.note(share_of.pop(key), key, reply)
            if outcome.unknown:
                break
        return outcome

    def _requests(
        self, turn: Sequence[BatchShare], uses: BatchUses, batch: int, channel: str, into: dict[str, BatchShare]
    ) -> Iterator[desk.ServiceRequest]:
        """Make the commands of shares as there is room for them, while others are under way."""
        for share in turn:
            request = request_of(share, uses, self._plant.plant_id, batch, channel)
            into[request.request_key] = share
            yield request

    def _commit(self, batch: RecordBatch, details: pl.DataFrame, aside: Sequence[Suspended]) -> None:
        plant = self._plant
        write_details(plant.folder.details(batch.number), details)
        with plant.commit():
            plant.suspense.keep(aside)
            plant.work.charged(batch.number, len(details))

    def _channel(self, digest: str) -> str:
        file = self._plant.files.get(digest)
        return self._channels.get(file.source, "front") if file is not None else "front"
