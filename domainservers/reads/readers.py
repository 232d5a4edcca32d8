"""Tasks that read the journal for requests: bounded, and each ends in an answer or in the fault that says why not."""

import asyncio
from collections.abc import Callable, Coroutine

import msgspec

from charging.errors import Broken, Fault, Overloaded
from domainservers.desk.answers import store_away
from runtime.telemetry import logger
from storage.unit import StoreRejected, StoreUnavailable

log = logger("domainservers.reads.readers")

Work = Coroutine[None, None, None]
Failed = Callable[[Fault], None]


class Readers:
    """The tasks of one slot."""

    def __init__(self, slot: str, tasks_max: int, retry_ms: int) -> None:
        """`retry_ms` is what callers are told to wait when `tasks_max` are under way."""
        self._slot = slot
        self._tasks_max = tasks_max
        self._retry_ms = retry_ms
        self._tasks: dict[asyncio.Task[None], None] = {}

    def begin(self, work: Work, failed: Failed) -> None:
        """Do `work` in a task of its own; `failed` is called later, never at once, with what it raises."""
        loop = asyncio.get_running_loop()
        if len(self._tasks) >= self._tasks_max:
            work.close()
            busy = Overloaded("SLOT_OVERLOADED", "too many reads of the journal", retry_ms=self._retry_ms)
            loop.call_soon(failed, busy)
            return
        task = loop.create_task(self._guard(work, failed))
        self._tasks[task] = None
        task.add_done_callback(lambda done: self._tasks.pop(done, None))
        # One that is cancelled before its first step would leave its work never begun, with a warning.
        task.add_done_callback(lambda _: work.close())

    async def _guard(self, work: Work, failed: Failed) -> None:
        try:
            await work
        except (StoreUnavailable, StoreRejected):
            failed(store_away())
        except Fault as fault:
            failed(fault)
        except msgspec.DecodeError as error:
            log.error("an entry of the journal can't be read", slot=self._slot, why=str(error))
            failed(Broken("JOURNAL_UNREADABLE", "an entry of the account's journal can't be read; tell an operator"))
        except Exception:
            log.exception("a read of the journal failed", slot=self._slot)
            failed(Broken("READ_FAILED", "the journal could not be read"))

    def stop(self) -> None:
        """Give all up; the slot answers who waits."""
        for task in list(self._tasks):
            task.cancel()
