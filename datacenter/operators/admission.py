"""What an operator's amendment must satisfy, asked at the very state that it is appended to.

Two amendments in one instant, a nation that drops a price and a region that overrides it, are each sound beside what
was published before. One of them is appended first, and the other is then checked beside it.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import msgspec

from charging.errors import Broken, Fault
from charging.wire import CatalogueRef
from datacenter.operators.permits import check_decision, effective
from datacenter.operators.publication import check_catalogues
from datacenter.operators.unit_addresses import check_units
from directory.changes import CatalogueVersion, Change
from directory.state import DirectoryState

THREAD_BYTES_MAX = 300_000
"""Of packed catalogues that a thread may judge: a tenth of a second of work, about."""


class Admission:
    """The checks of one amendment; they compile, so what was found is kept until another catalogue is published."""

    def __init__(self, changes: Sequence[Change], principal: str) -> None:
        self._appended = changes
        self._principal = principal
        self._changes: tuple[Change, ...] = ()
        """What takes effect now, or when what is proposed is approved."""
        self._publishes = False
        self._beside = -1
        """How many catalogues were published when it was judged: none ever goes or changes."""
        self._fault: Fault | None = None

    async def prepare(self, state: DirectoryState) -> None:
        """Judge the catalogues ahead, so that the log need not wait for it. Raises `NotFound` PROPOSAL_UNKNOWN."""
        self._changes = effective(state, self._appended)
        self._publishes = any(isinstance(change, CatalogueVersion) for change in self._changes)
        if self._publishes and self._beside != len(state.catalogues):
            published = tuple(state.catalogues.values())
            self._fault = await _judged_beside(self._changes, published)
            self._beside = len(published)

    async def check(self, state: DirectoryState) -> None:
        """Raise what `check_catalogues` and `check_units` raise when the changes may not follow a state."""
        await self.prepare(state)
        if self._fault is not None:
            raise self._fault
        check_decision(state, self._appended, self._principal)
        check_units(self._changes, state)


async def _judged_beside(changes: Sequence[Change], published: Sequence[CatalogueRef]) -> Fault | None:
    """Judge where routing goes on meanwhile: a thread for what takes milliseconds, a process for what takes seconds.

    A thread that counts for seconds gives the interpreter back every 5 ms only, which routing would wait for each time.
    """
    sizes = [len(change.content) for change in changes if isinstance(change, CatalogueVersion)]
    if sum(sizes) + sum(len(ref.content) for ref in published) <= THREAD_BYTES_MAX:
        return await asyncio.to_thread(_judge, changes, published)
    # Spawned: a fork of a process that serves gRPC waits for threads that it does not have.
    pool = ProcessPoolExecutor(1, get_context("spawn"))
    try:
        return await asyncio.get_running_loop().run_in_executor(pool, _judge, changes, published)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _judge(changes: Sequence[Change], published: Sequence[CatalogueRef]) -> Fault | None:
    try:
        check_catalogues(changes, published)
    except Fault as fault:
        return fault
    except msgspec.MsgspecError as error:
        return Broken("CATALOGUE_UNREADABLE", f"a published catalogue can't be read by this version: {error}")
    return None
