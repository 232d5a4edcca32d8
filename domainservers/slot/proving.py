"""Answers that no commit proves wait until the journal has said that nobody took the slot over; one question for all.

An owner that was stopped or cut off for long must not tell old balances, though it could never commit on them; nor may
it call a request a mistake that its successor has done.
"""

import asyncio
from collections.abc import Callable

from charging.errors import Broken, Fault, internal
from domainservers.desk.answers import pack_fault, store_away
from domainservers.journal.groups import ReplySink
from domainservers.journal.journal import Journal
from runtime.telemetry import logger
from storage.unit import StoreRejected, StoreUnavailable

log = logger("domainservers.slot.proving")

Waiting = tuple[ReplySink, int, Callable[[], None]]
"""Where an answer goes, its place in its batch, and what gives it."""


class Proving:
    """Holds reads and what is not journaled back while nobody knows whether the slot is still ours."""

    def __init__(
        self,
        journal: Journal,
        fresh: Callable[[], bool],
        ended: Callable[[], None],
    ) -> None:
        """`fresh` says whether nobody can have taken the slot over unnoticed; `ended` is called when somebody has."""
        self._journal = journal
        self._fresh = fresh
        self._ended = ended
        self._unproven: list[Waiting] = []
        self._asked: list[Waiting] = []
        """Those that the question under way is for."""
        self._task: asyncio.Task[None] | None = None

    def when_ours(self, sink: ReplySink, place: int, answer: Callable[[], None]) -> None:
        """Call `answer`, at once or when the journal has been asked after now; else the sink is told why not."""
        if self._fresh():
            answer()
            return
        self._unproven.append((sink, place, answer))
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

    def _answer(self, sink: ReplySink, place: int, answer: Callable[[], None]) -> None:
        try:
            answer()
        except Exception:
            log.exception("a request could not be answered", slot=self._journal.name)
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
