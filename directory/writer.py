"""Appends amendments: many callers, one append in flight; what arrives meanwhile becomes the next group.

Only amendments that can't disturb each other share a group (entries and ports of different identities); everything
else goes alone, checked against exactly the state that its compare-and-set demands.
"""

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Awaitable, Callable
from enum import Enum

from charging.errors import Broken, Conflict, Fault, Overloaded, Unavailable
from directory.changes import Amendment, Entry, Part, PortBegun, PortEnded
from directory.checks import check
from directory.log import GROUP_BYTES_MAX, Assembler, Log, split
from directory.state import State
from storage.unit import Group, StoreRejected, StoreUnavailable

PENDING_MAX = 10_000
WISHES_PER_GROUP_MAX = 256
LOST_RACES_MAX = 200
STORE_TRIES_MAX = 3
RETRY_MS = 500


Guard = Callable[[State], Awaitable[None]]
"""A check of the caller's own, for an amendment that goes alone: raises a `Fault` when it may not follow a state. It is
asked under the lock right before each try, so it should remember what it found at a state that did not change."""


class Doubt(Enum):
    """Whether a wish that fails its check fails for good."""

    NONE = "not failed"
    ONCE = "failed at a state that may be old"
    SURE = "failed, and the log was read on since: the next failure is final"


class Wish:
    """An amendment somebody waits for."""

    __slots__ = ("amendment", "done", "doubt", "guard", "key", "parts")

    def __init__(self, key: str, amendment: Amendment, guard: Guard | None) -> None:
        self.key = key
        self.guard = guard
        self.amendment = amendment
        self.parts = split(key, amendment)
        self.doubt = Doubt.NONE
        self.done: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def subjects(self) -> set[str] | None:
        """Give what it touches when it may share a group with others, None when it must go alone."""
        if len(self.parts) > 1:
            return None
        found = {self.key}
        for change in self.amendment.changes:
            match change:
                case Entry(identity=identity):
                    found.add(identity)
                case PortBegun(account_id=account_id, key=key):
                    found |= {account_id, key}
                case PortEnded(key=key):
                    found.add(key)
                case _:
                    return None
        return found


class Writer:
    """The one place of a process that appends to the log."""

    def __init__(
        self,
        log: Log,
        state: State,
        assembler: Assembler,
        lock: asyncio.Lock,
        *,
        catch_up: Callable[[], Awaitable[None]],
        take: Callable[[Group], None],
    ) -> None:
        self._log = log
        self._state = state
        self._assembler = assembler
        self._lock = lock
        self._catch_up = catch_up
        self._take = take
        self._wishes: deque[Wish] = deque()
        self._task: asyncio.Task[None] | None = None

    async def write(self, key: str, amendment: Amendment, guard: Guard | None = None) -> int:
        """Append once and give the revision. A repeat of the key gives the revision of the first time.

        Raises what `checks.check` and the guard raise, `Conflict` with reason REQUEST_KEY_REUSED, and `Unavailable`
        when the store is away: repeat the same key.
        """
        if len(self._wishes) >= PENDING_MAX:
            raise Overloaded("DIRECTORY_BUSY", "too many amendments are waiting", retry_ms=RETRY_MS)
        wish = Wish(key, amendment, guard)
        self._wishes.append(wish)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work())
        return await wish.done

    async def close(self) -> None:
        """Stop; who still waits is told to repeat."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._fail_all(_away("the directory is closing"))

    async def _work(self) -> None:
        lost = failures = 0
        try:
            while self._wishes:
                try:
                    won = await self._step()
                    lost = 0 if won else lost + 1
                    if lost or any(wish.doubt is Doubt.ONCE for wish in self._wishes):
                        await self._catch_up()
                        self._confirm_doubts()
                    failures = 0
                except StoreUnavailable:
                    failures += 1
                if failures >= STORE_TRIES_MAX or lost >= LOST_RACES_MAX:
                    raise _away("the directory's unit does not answer" if failures else "too many writers")
                if failures:
                    await self._wait_and_catch_up()
                elif lost:
                    await asyncio.sleep(random.uniform(0, 0.002 * min(lost, 20)))
        except (StoreRejected, Fault) as error:
            self._fail_all(error if isinstance(error, Fault) else _away(str(error)))
        except Exception:
            self._fail_all(Broken("DIRECTORY_BROKEN", "the amendment could not be appended"))
            raise

    async def _step(self) -> bool:
        """Append one group, if there is one, at the state known here; False when another writer was first.

        The lock keeps the tail from moving the state between the check and the append.
        """
        async with self._lock:
            self._settle()
            parts = await self._choose()
            if not parts:
                return True
            group = await self._log.append(parts)
            if group is None:
                return False
            self._take(group)
            self._settle()
            return True

    async def _wait_and_catch_up(self) -> None:
        """After an unknown outcome: reading on tells whether the group is there."""
        await asyncio.sleep(RETRY_MS / 1_000)
        with contextlib.suppress(StoreUnavailable):
            await self._catch_up()

    def _settle(self) -> None:
        """Answer the wishes whose key the log holds."""
        for _ in range(len(self._wishes)):
            wish = self._wishes.popleft()
            applied = self._state.keys.get(wish.key)
            if wish.done.done():
                continue
            if applied is None:
                self._wishes.append(wish)
            elif applied.digest == wish.parts[0].digest:
                wish.done.set_result(applied.revision)
            else:
                wish.done.set_exception(_reused(wish.key))

    async def _choose(self) -> tuple[Part, ...]:
        """Pick the parts of the next group; wishes that may not enter are answered and dropped."""
        chosen: list[Part] = []
        taken: set[str] = set()
        size = 0
        for wish in list(self._wishes):
            subjects = wish.subjects()
            if subjects is None and chosen:
                break
            if subjects is not None and not taken.isdisjoint(subjects):
                taken |= subjects
                continue
            if not await self._admit(wish):
                taken |= subjects or set()
                continue
            if subjects is None:
                return tuple(self._assembler.missing(wish.parts)[:1])
            taken |= subjects
            size += len(wish.parts[0].content)
            if chosen and (size > GROUP_BYTES_MAX or len(chosen) >= WISHES_PER_GROUP_MAX):
                break
            chosen.append(wish.parts[0])
        return tuple(chosen)

    async def _admit(self, wish: Wish) -> bool:
        """Check a wish. What fails at a state that may be old is checked once more after reading on."""
        try:
            check(self._state, wish.amendment.changes)
            if wish.guard is not None:
                await wish.guard(self._state)
        except Fault as fault:
            if wish.doubt is Doubt.SURE:
                self._wishes.remove(wish)
                if not wish.done.done():
                    wish.done.set_exception(fault)
            else:
                wish.doubt = Doubt.ONCE
            return False
        return True

    def _confirm_doubts(self) -> None:
        for wish in self._wishes:
            if wish.doubt is Doubt.ONCE:
                wish.doubt = Doubt.SURE

    def _fail_all(self, fault: Fault) -> None:
        while self._wishes:
            wish = self._wishes.popleft()
            if not wish.done.done():
                wish.done.set_exception(fault)


def _reused(key: str) -> Conflict:
    return Conflict(
        "REQUEST_KEY_REUSED", "the request key was used for another amendment", facts={"request_key": key[:200]}
    )


def _away(message: str) -> Unavailable:
    return Unavailable("DIRECTORY_UNAVAILABLE", f"{message}; repeat the same request key", retry_ms=RETRY_MS)
