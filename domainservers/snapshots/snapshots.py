"""Rounds that write a slot down, so that recovery need not repeat its whole journal.

A round captures the states at the border of a group, and writes them once that group is applied, so nothing is written
that could still be lost. The checkpoint is written last: a round cut short only means a longer replay.
"""

import asyncio
from collections.abc import Callable

from domainservers.accounts.accounts import Accounts
from domainservers.accounts.watch import AccountWatch
from domainservers.base.clock import Age
from domainservers.base.limits import Limits
from domainservers.base.surroundings import Surroundings
from domainservers.bills.numbers import Numbers
from domainservers.journal.journal import Journal
from domainservers.journal.keys import KeyIndex
from domainservers.snapshots.deltas import Deltas
from domainservers.snapshots.writing import Capture, Writing
from runtime.telemetry import logger

log = logger("domainservers.snapshots.snapshots")


class Snapshots:
    """Rounds of one slot; one at a time."""

    def __init__(
        self,
        journal: Journal,
        accounts: Accounts,
        keys: KeyIndex,
        watch: AccountWatch,
        around: Surroundings,
        age: Age,
        limits: Limits,
        deltas: Deltas,
        writing: Writing,
        numbers: Numbers,
    ) -> None:
        self._journal = journal
        self._accounts = accounts
        self._keys = keys
        self._watch = watch
        self._around = around
        self._age = age
        self._limits = limits
        self._deltas = deltas
        self._writing = writing
        self._numbers = numbers
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self.entries = 0
        """Journaled since the newest capture."""
        self.captured_at = 0.0
        """Seconds of the loop's time."""

    def start(self) -> None:
        """Count the time to the first round from now on."""
        self.captured_at = self._loop.time()

    def at_border(self, entries: int) -> Capture | None:
        """Take the state as it is when a round is due, None = none is; `entries` more are decided.

        Call it at the border of a group, before anything of the next one is decided: a capture has whole groups.
        """
        self.entries += entries
        return self.capture() if self._due() else None

    def _due(self) -> bool:
        """Whether a round should begin: enough was journaled, or something and some time ago."""
        if self._task is not None or not self.entries:
            return False
        waited_ms = (self._loop.time() - self.captured_at) * 1000
        return self.entries >= self._limits.snapshot_entries or waited_ms >= self._limits.snapshot_interval_ms

    def capture(self) -> Capture:
        """Take the state as it is now, at the border of a group."""
        self.entries = 0
        self.captured_at = self._loop.time()
        limits, deltas = self._limits, self._deltas
        states = self._accounts.capture(deltas.number)
        alone = deltas.settle(limits.deltas_max, limits.delta_states_max, len(states))
        keys, watched = self._keys.take_unsaved(), list(self._watch.watched)
        numbers = dict(self._numbers.newest)
        return Capture(states, alone, keys, watched, self._around.newest_ms, self._age.now_ms(), numbers)

    def begin(self, capture: Capture, failed: Callable[[], None]) -> None:
        """Start to write a capture whose group is applied. The journal stands at it now."""
        capture.position = self._journal.position
        capture.segments = tuple(self._journal.segments)
        self._task = self._loop.create_task(self._write(capture, failed))

    async def _write(self, capture: Capture, failed: Callable[[], None]) -> None:
        try:
            await self._writing.write(capture)
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("the slot could not be written down", slot=self._journal.name)
            failed()
        finally:
            self._task = None

    async def settle(self) -> None:
        """Wait until no round is under way."""
        while self._task is not None:
            await asyncio.wait((self._task,))

    async def write_down(self, failed: Callable[[], None]) -> None:
        """Write everything down, for the slot is given up and nothing moves any more."""
        await self.settle()
        if self.entries:
            self.begin(self.capture(), failed)
            await self.settle()

    def stop(self) -> None:
        """Give up the round under way."""
        if self._task is not None:
            self._task.cancel()
