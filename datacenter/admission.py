"""What an operator's amendment must satisfy, asked at the very state that it is appended to.

Two amendments in one instant, a nation that drops a price and a region that overrides it, are each sound beside what
was published before. One of them is appended first, and the other is then checked beside it.
"""

import asyncio
from collections.abc import Sequence

import msgspec

from charging.errors import Broken, Fault
from charging.wire import CatalogueRef
from datacenter.publication import check_catalogues
from datacenter.unit_addresses import check_units
from directory.changes import CatalogueVersion, Change
from directory.state import State


class Admission:
    """The checks of one amendment; they compile, so what was found is kept until another catalogue is published."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self._changes = changes
        self._publishes = any(isinstance(change, CatalogueVersion) for change in changes)
        self._beside = -1
        """How many catalogues were published when it was judged: none ever goes or changes."""
        self._fault: Fault | None = None

    async def prepare(self, state: State) -> None:
        """Judge the catalogues ahead, so that the log need not wait for it."""
        if self._publishes and self._beside != len(state.catalogues):
            published = tuple(state.catalogues.values())
            # In a thread, so that routing goes on.
            self._fault = await asyncio.to_thread(_judge, self._changes, published)
            self._beside = len(published)

    async def check(self, state: State) -> None:
        """Raise what `check_catalogues` and `check_units` raise when the changes may not follow a state."""
        await self.prepare(state)
        if self._fault is not None:
            raise self._fault
        check_units(self._changes, state)


def _judge(changes: Sequence[Change], published: Sequence[CatalogueRef]) -> Fault | None:
    try:
        check_catalogues(changes, published)
    except Fault as fault:
        return fault
    except msgspec.MsgspecError as error:
        return Broken("CATALOGUE_UNREADABLE", f"a published catalogue can't be read by this version: {error}")
    return None
