"""Long dry runs, a slice at a time, so that charges beside them wait for a slice and no longer."""

import asyncio
from collections import deque
from collections.abc import Iterator

from appserver.batches.item import WorkItem
from appserver.batches.pending import Pending
from appserver.work.refusals import Refusals
from charging.errors import Fault, Overloaded, internal
from runtime.telemetry import logger

log = logger("appserver.studies")

SLICE = 100
"""Usages that are rated at one go: about a millisecond."""
WAITING_MAX = 200
RETRY_MS = 500


class Studies:
    """Runs generators in turn, one slice of one of them a turn of the loop; each answers its item when it ends."""

    def __init__(self, pending: Pending, refusals: Refusals) -> None:
        self._pending = pending
        self._refusals = refusals
        self._waiting: deque[tuple[WorkItem, Iterator[None]]] = deque()

    def begin(self, item: WorkItem, work: Iterator[None]) -> None:
        """Run `work`, which yields after each slice. Raises `Overloaded` PLATFORM_FULL.

        What it raises is the item's answer.
        """
        if len(self._waiting) >= WAITING_MAX:
            text = f"{WAITING_MAX} long dry runs wait already"
            raise Overloaded("PLATFORM_FULL", f"{text}; ask again", retry_ms=RETRY_MS)
        self._waiting.append((item, work))
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        item, work = self._waiting.popleft()
        if self._step(item, work):
            self._waiting.append((item, work))
        else:
            self._pending.flush()
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._turn)

    def _step(self, item: WorkItem, work: Iterator[None]) -> bool:
        """Run a slice; gives whether there is more. Whoever's deadline has passed is let go."""
        if item.batch.answered(item.position):
            return False
        try:
            next(work)
        except StopIteration:
            return False
        except Fault as fault:
            self._refusals.fail(item, fault)
            return False
        except Exception:
            log.exception("a dry run failed")
            self._pending.refuse_item(item, internal())
            return False
        return True
