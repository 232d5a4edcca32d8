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

    def __init__(self, unit: Unit, what: str, gather_s: float = 0.0) -> None:
        """`what` names them in the log; they are gathered for so long: a write costs a store far more than a record."""
        self.unit = unit
        self.due: dict[tuple[str, str], Record] = {}
        """Not written yet, by partition and key."""
        self._what = what
        self._gather_s = gather_s
        self._wake = asyncio.Event()
        self._progress = asyncio.Event()
        self._awaited = asyncio.Event()
        """Somebody waits until all is written."""

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
                await self._gather()
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

    async def _gather(self) -> None:
        """Let more come, unless there is a lot already, or somebody waits for it."""
        if not self._gather_s or len(self.due) >= RECORDS_PER_WRITE_MAX or self._awaited.is_set():
            return
        try:
            async with asyncio.timeout(self._gather_s):
                await self._awaited.wait()
        except TimeoutError:
            return

    async def flush(self) -> None:
        """Wait until all that was applied so far is written: then a checkpoint may be past it."""
        awaited = list(self.due.items())
        self._awaited.set()
        try:
            while awaited := [(name, record) for name, record in awaited if self.due.get(name) is record]:
                self._progress.clear()
                await self._progress.wait()
        finally:
            self._awaited.clear()
