"""Reads wait until the journal has said that nobody took the slot over meanwhile; one question for all that wait.

An owner that was stopped or cut off for long must not tell old balances, though it could never commit on them.
"""

import asyncio
from collections.abc import Callable

from charging.wire import Ask
from domainservers.desk.answers import pack_fault, store_away
from domainservers.journal.groups import ReplySink
from domainservers.journal.journal import Journal
from storage.unit import StoreRejected, StoreUnavailable


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
        self._unproven: list[tuple[ReplySink, int, Ask]] = []
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
            waiting, self._unproven = self._unproven, []
            try:
                owned = await self._journal.still_owned()
            except (StoreUnavailable, StoreRejected):
                body = pack_fault(store_away())
                for sink, place, _ in waiting:
                    sink.answer(place, body)
                continue
            if not owned:
                self._unproven = waiting + self._unproven
                self._ended()
                return
            for sink, place, ask in waiting:
                self._look(sink, place, ask)
        self._task = None

    def stop(self, body: bytes) -> None:
        """Answer all that wait with `body`, and ask no more."""
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        for sink, place, _ in self._unproven:
            sink.answer(place, body)
        self._unproven = []
