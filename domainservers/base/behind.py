"""Records that are written behind the journal: once their entry is applied, and again when it is replayed."""

import asyncio
from itertools import islice

from runtime.telemetry import logger
from storage.unit import Record, StoreRejected, StoreUnavailable, Unit

log = logger("domainservers.base.behind")

RECORDS_PER_WRITE_MAX = 1_000
RETRY_S = 0.2
REJECTED_RETRY_S = 5.0


class RecordsBehind:
    """Writes one kind of records into a unit, some at a time."""

    def __init__(self, unit: Unit, what: str) -> None:
        """`what` names them in the log."""
        self.unit = unit
        self.due: dict[tuple[str, str], Record] = {}
        """Not written yet, by partition and key."""
        self._what = what
        self._wake = asyncio.Event()
        self._progress = asyncio.Event()

    def write(self, record: Record) -> None:
        """Write a record behind; of one key the newest."""
        self.due[record.partition, record.key] = record
        self._wake.set()

    async def write_behind(self) -> None:
        """Write what is due, for ever; the store's absence is waited out. What is due at the end, a replay finds."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self.due:
                batch = list(islice(self.due.items(), RECORDS_PER_WRITE_MAX))
                try:
                    await self.unit.put([record for _, record in batch])
                except StoreUnavailable:
                    await asyncio.sleep(RETRY_S)
                    continue
                except StoreRejected as error:
                    log.error("the unit refuses records", what=self._what, why=str(error))
                    await asyncio.sleep(REJECTED_RETRY_S)
                    continue
                for name, record in batch:
                    if self.due.get(name) is record:
                        del self.due[name]
                self._progress.set()

    async def flush(self) -> None:
        """Wait until all that was applied so far is written: then a checkpoint may be past it."""
        awaited = list(self.due.items())
        while awaited := [(name, record) for name, record in awaited if self.due.get(name) is record]:
            self._progress.clear()
            await self._progress.wait()
