"""Appends amendments: many callers, one append in flight; what arrives meanwhile becomes the next group.

Only amendments that can't disturb each other share a group (entries and ports of different identities); everything
else goes alone, checked against exactly the state that its compare-and-set demands.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable

from charging.errors import Broken, Fault, Overloaded, Unavailable
from directory.changes import Amendment, Part
from directory.checks import check
from directory.log import GROUP_BYTES_MAX, Assembler, Log
from directory.state import DirectoryState
from directory.wishes import Doubt, Guard, Wish, Wishes
from storage.unit import Group, StoreRejected, StoreUnavailable

PENDING_MAX = 10_000
WISHES_PER_GROUP_MAX = 256
LOST_RACES_MAX = 200
STORE_TRIES_MAX = 3
RETRY_MS = 500


class Writer:
    """The one place of a process that appends to the log: at most one append in flight, the others wait in order."""

    def __init__(
        self,
        log: Log,
        state: DirectoryState,
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
        self._wishes = Wishes()
        self._task: asyncio.Task[None] | None = None

    async def write(self, key: str, amendment: Amendment, guard: Guard | None = None) -> int:
        """Append once and give the revision. A repeat of the key gives the revision of the first time.

        Raises what `checks.check` and the guard raise, `Conflict` with reason REQUEST_KEY_REUSED, and `Unavailable`
        when the store is away: repeat the same key.
        """
        if len(self._wishes) >= PENDING_MAX:
            raise Overloaded("DIRECTORY_BUSY", "too many amendments are waiting", retry_ms=RETRY_MS)
        wish = Wish(key, amendment, guard)
        self._wishes.add(wish)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work())
        return await wish.done

    async def close(self) -> None:
        """Stop; who still waits is told to repeat (`Unavailable`), for an append under way may have happened."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._wishes.refuse_all(_away("the directory is closing"))

    async def _work(self) -> None:
        lost = failures = 0
        try:
            while self._wishes:
                try:
                    won = await self._step()
                    lost = 0 if won else lost + 1
                    if lost or self._wishes.in_doubt():
                        await self._catch_up()
                        self._wishes.confirm_doubts()
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
            self._wishes.refuse_all(error if isinstance(error, Fault) else _away(str(error)))
        except Exception:
            self._wishes.refuse_all(Broken("DIRECTORY_BROKEN", "the amendment could not be appended"))
            raise

    async def _step(self) -> bool:
        """Append one group, if there is one, at the state known here; False when another writer was first.

        The lock keeps the tail from moving the state between the check and the append.
        """
        async with self._lock:
            self._wishes.settle(self._state.keys)
            parts = await self._choose()
            if not parts:
                return True
            group = await self._log.append(parts)
            if group is None:
                return False
            self._take(group)
            self._wishes.settle(self._state.keys)
            return True

    async def _wait_and_catch_up(self) -> None:
        """After an unknown outcome: reading on tells whether the group is there."""
        await asyncio.sleep(RETRY_MS / 1_000)
        with contextlib.suppress(StoreUnavailable):
            await self._catch_up()

    async def _choose(self) -> tuple[Part, ...]:
        """Pick the parts of the next group; wishes that may not enter are answered and dropped."""
        chosen: list[Part] = []
        taken: set[str] = set()
        size = 0
        for wish in self._wishes:
            touched = wish.touches()
            if touched is None and chosen:
                break
            if touched is not None and not taken.isdisjoint(touched):
                taken |= touched
                continue
            if not await self._admit(wish):
                taken |= touched or set()
                continue
            if touched is None:
                return tuple(self._assembler.missing(wish.parts)[:1])
            taken |= touched
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
                self._wishes.refuse(wish, fault)
            else:
                wish.doubt = Doubt.ONCE
            return False
        return True


def _away(message: str) -> Unavailable:
    return Unavailable("DIRECTORY_UNAVAILABLE", f"{message}; repeat the same request key", retry_ms=RETRY_MS)
