"""Reads wait until the journal has said that nobody took the slot over meanwhile; one question for all that wait.

An owner that was stopped or cut off for long must not tell old balances, though it could never commit on them.
"""

import asyncio
from collections.abc import Callable

from charging.errors import Broken, Fault, internal
from charging.wire import Ask
from domainservers.desk.answers import pack_fault, store_away
from domainservers.journal.groups import ReplySink
from domainservers.journal.journal import Journal
from runtime.telemetry import logger
from storage.unit import StoreRejected, StoreUnavailable

log = logger("domainservers.slot.proving")

ProvenRead = tuple[ReplySink, int, Ask]
"""A read, its place in its batch, and where its answer goes."""


class Proving:
    """Holds the reads of one slot back while nobody knows whether the slot is still ours."""

    def __init__(
        self,
        journal: Journal,
        fresh: Callable[[], bool],
        look: Callable[[ReplySink, int, Ask], None],
        ended: Callable[[], None],
    ) -> None:
        """`fresh` says whether nobody can have taken the slot over unnoticed; `look` answers a read of a slot that is
        ours; `ended` is called when it is not."""
        self._journal = journal
        self._fresh = fresh
        self._look = look
        self._ended = ended
        self._unproven: list[ProvenRead] = []
        self._asked: list[ProvenRead] = []
        """Those that the question under way is for."""
        self._task: asyncio.Task[None] | None = None

    def read(self, sink: ReplySink, place: int, ask: Ask) -> None:
        """Answer a read, at once or when the journal has been asked."""
        if self._fresh():
            self._look(sink, place, ask)
            return
        self._unproven.append((sink, place, ask))
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._ask_journal())

    async def _ask_journal(self) -> None:
        while self._unproven:
            self._asked, self._unproven = self._unproven, []
            try:
                owned = await self._journal.still_owned()
            except (StoreUnavailable, StoreRejected):
                self._refuse(store_away())
                continue
            except Exception:
                log.exception("the journal gives no answer that can be read", slot=self._journal.name)
                self._refuse(Broken("READ_FAILED", "the journal could not be read"))
                continue
            if not owned:
                self._ended()
                return
            asked, self._asked = self._asked, []
            for each in asked:
                self._answer(*each)
        self._task = None

    def _answer(self, sink: ReplySink, place: int, ask: Ask) -> None:
        try:
            self._look(sink, place, ask)
        except Exception:
            log.exception("a read could not be answered", slot=self._journal.name)
            sink.answer(place, pack_fault(internal()))

    def _refuse(self, fault: Fault) -> None:
        body = pack_fault(fault)
        asked, self._asked = self._asked, []
        for sink, place, _ in asked:
            sink.answer(place, body)

    def stop(self, body: bytes) -> None:
        """Answer all that wait with `body`, and ask no more."""
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        waiting = [*self._asked, *self._unproven]
        self._asked, self._unproven = [], []
        for sink, place, _ in waiting:
            sink.answer(place, body)
