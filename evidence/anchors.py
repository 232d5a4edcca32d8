"""Anchors: where chains stood at a moment, kept where whoever has the chains' databases has no hand.

A key proves that nobody else wrote a chain; it can't show that the chain was longer once. An anchor can: a database
that was set back, a journal that was cut or wiped, a checkpoint that was deleted all fall short of it. Anchors go to
several places (`Anchorage`): files of this machine, and a unit that is not the one that they are about.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec
from msgspec import Struct

from storage.unit import StoreUnavailable

DIRECTORY = "directory"
"""The control log's name among the slots."""
NEVER = -1


class Anchor(Struct, frozen=True, array_like=True):
    """Where one chain stood. Of two anchors of a chain the one with the higher (epoch, seq) is newer."""

    slot: str
    """Name of the journal, "GD/0"; `DIRECTORY` for the control log."""
    epoch: int
    seq: int
    """Newest group known to be durable; -1 = none."""
    tip: bytes
    """After that group."""
    first_seq: int
    """First group that was not dropped by age."""
    checkpoint_seq: int
    """Group of the newest checkpoint, `NEVER` without one."""
    time_ms: int
    """Clock of who noted it."""
    server: str = ""
    """Who noted it."""
    line: int = 0
    """Number of its line among those of the server."""
    accepted: str = ""
    """Not empty: an operator accepted that the chain ends here though an anchor knew more; who, and why."""

    @property
    def order(self) -> tuple[int, int]:
        """What newer means."""
        return self.epoch, self.seq

    @property
    def where(self) -> str:
        """Name it for people."""
        return f"anchor {self.line} of {self.server or 'nobody'}"


class Anchorage(Protocol):
    """One place for anchors: files of this machine, or a unit. Appending one that is there already does no harm."""

    async def append(self, anchors: Sequence[Anchor]) -> Sequence[Anchor]:
        """Keep anchors, durable when it returns, and give them as they were noted. Raises `AnchorsAway`."""
        ...

    async def newest(self, slot: str) -> Anchor | None:
        """Give the newest anchor of a chain that holds. Raises `AnchorsAway` when the place can't be asked."""
        ...

    async def close(self) -> None:
        """Give back what is open."""
        ...


class AnchorsAway(StoreUnavailable):
    """A place for anchors can't be read or written now; the message says which and why."""


class Everywhere:
    """All places together: what one of them lost another may know."""

    def __init__(self, places: Sequence[Anchorage]) -> None:
        self._places = tuple(places)

    async def append(self, anchors: Sequence[Anchor]) -> list[AnchorsAway]:
        """Keep anchors in every place that can, one after another; gives what failed, in the order of the places."""
        failed: list[AnchorsAway] = []
        for place in self._places:
            try:
                anchors = await place.append(anchors)
            except AnchorsAway as away:
                failed.append(away)
        return failed

    async def close(self) -> None:
        """Give back what is open in all places."""
        for place in self._places:
            await place.close()

    async def newest(self, slot: str) -> Anchor | None:
        """Give the newest anchor of a chain in any place. Raises `AnchorsAway`: not to know is not to be sure."""
        return newest_of([found for place in self._places if (found := await place.newest(slot)) is not None])


def newest_of(anchors: Iterable[Anchor]) -> Anchor | None:
    """Give the newest of anchors of one chain by (epoch, seq); None when there are none."""
    return max(anchors, key=lambda anchor: anchor.order, default=None)


def in_force(anchors: Sequence[Anchor]) -> list[Anchor]:
    """Leave out what an operator's acceptance made void: older anchors that know more than it."""
    accepted = [anchor for anchor in anchors if anchor.accepted]
    return [
        anchor
        for anchor in anchors
        if not any(anchor.epoch < loss.epoch and anchor.seq > loss.seq for loss in accepted)
    ]


pack_anchor = msgspec.msgpack.Encoder().encode
unpack_anchor = msgspec.msgpack.Decoder(Anchor).decode
