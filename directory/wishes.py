"""Amendments that somebody waits for, until the log holds them or they are refused."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from enum import Enum

from charging.errors import Conflict, Fault
from directory.changes import Amendment, DirectoryEntry, PortBegun, PortEnded
from directory.log import split
from directory.state import Applied, DirectoryState

Guard = Callable[[DirectoryState], Awaitable[None]]
"""A check of the caller's own, for an amendment that goes alone: raises a `Fault` when it may not follow a state. It is
asked under the lock right before each try, so it should remember what it found at a state that did not change."""


class Doubt(Enum):
    """Whether a wish that fails its check fails for good."""

    NONE = "not failed"
    ONCE = "failed at a state that may be old"
    SURE = "failed, and the log was read on since: the next failure is final"


class Wish:
    """An amendment somebody waits for; `done` has its revision, or why it may not be."""

    __slots__ = ("amendment", "done", "doubt", "guard", "key", "parts")

    def __init__(self, key: str, amendment: Amendment, guard: Guard | None) -> None:
        self.key = key
        self.guard = guard
        self.amendment = amendment
        self.parts = split(key, amendment)
        self.doubt = Doubt.NONE
        self.done: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def touches(self) -> set[str] | None:
        """Give what it touches when it may share a group with others, None when it must go alone."""
        if len(self.parts) > 1:
            return None
        found = {self.key}
        for change in self.amendment.changes:
            match change:
                case DirectoryEntry(identity=identity):
                    found.add(identity)
                case PortBegun(account_id=account_id, key=key):
                    found |= {account_id, key}
                case PortEnded(key=key):
                    found.add(key)
                case _:
                    return None
        return found


class Wishes:
    """Those that wait, in the order in which they came."""

    def __init__(self) -> None:
        self._waiting: deque[Wish] = deque()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def __iter__(self) -> Iterator[Wish]:
        """Those that wait now; they may be refused meanwhile."""
        return iter(tuple(self._waiting))

    def add(self, wish: Wish) -> None:
        """Let one wait behind the others."""
        self._waiting.append(wish)

    def settle(self, known: Mapping[str, Applied]) -> None:
        """Answer those whose key the log holds: with its revision, or for other changes REQUEST_KEY_REUSED."""
        for _ in range(len(self._waiting)):
            wish = self._waiting.popleft()
            applied = known.get(wish.key)
            if wish.done.done():
                continue
            if applied is None:
                self._waiting.append(wish)
            elif applied.digest == wish.parts[0].digest:
                wish.done.set_result(applied.revision)
            else:
                wish.done.set_exception(_reused(wish.key))

    def refuse(self, wish: Wish, fault: Fault) -> None:
        """Tell one why it may not be; whoever gave up waiting hears nothing."""
        self._waiting.remove(wish)
        if not wish.done.done():
            wish.done.set_exception(fault)

    def refuse_all(self, fault: Fault) -> None:
        """Tell all of them."""
        while self._waiting:
            wish = self._waiting.popleft()
            if not wish.done.done():
                wish.done.set_exception(fault)

    def in_doubt(self) -> bool:
        """Whether one has failed at a state that may be old."""
        return any(wish.doubt is Doubt.ONCE for wish in self._waiting)

    def confirm_doubts(self) -> None:
        """The log was read on since: whoever fails again fails for good."""
        for wish in self._waiting:
            if wish.doubt is Doubt.ONCE:
                wish.doubt = Doubt.SURE


def _reused(key: str) -> Conflict:
    return Conflict(
        "REQUEST_KEY_REUSED", "the request key was used for another amendment", facts={"request_key": key[:200]}
    )
