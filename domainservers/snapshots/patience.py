"""Writes that wait for a store for as long as it takes: the journal has everything meanwhile."""

import asyncio
from collections.abc import Sequence

from runtime.telemetry import logger
from storage.unit import Record, StoreRejected, StoreUnavailable, Unit

log = logger("domainservers.snapshots.patience")

RETRY_MS = 500
REJECTED_RETRY_MS = 5_000


class PatientUnit:
    """A slot's private unit, as its rounds write to it."""

    def __init__(self, unit: Unit, slot: str) -> None:
        self._unit = unit
        self._slot = slot

    async def put(self, records: Sequence[Record]) -> None:
        """Write records; returns when they are durable, however long the store is away or refuses."""
        while True:
            try:
                if records:
                    await self._unit.put(records)
                return
            except StoreUnavailable:
                await asyncio.sleep(RETRY_MS / 1000)
            except StoreRejected as error:
                # A right that was taken away, a record that is too large: the journal has everything, so the slot goes
                # on, and only a takeover would take longer.
                log.error("the store refuses what is written down", slot=self._slot, why=str(error))
                await asyncio.sleep(REJECTED_RETRY_MS / 1000)
