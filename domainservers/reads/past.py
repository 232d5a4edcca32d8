"""The past of an account, as its slot's journal tells it: entries by key, by position and along the account's chain.

What is decided and not applied yet is waited for. Nothing here changes anything.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager

from charging.errors import Unavailable
from charging.ledger.commands.move_in import MovedIn
from charging.ledger.entry import Entry
from charging.ledger.originals import Falls
from domainservers.accounts.accounts import Cell
from domainservers.journal.frames import Frames
from domainservers.journal.groups import Groups
from domainservers.journal.keys import KeyIndex, fingerprint
from domainservers.reads import reading
from domainservers.reads.turns import Turns

NEVER_S = float("inf")
"""Deadline of a search whose end is wanted though its caller may have gone."""


class Landing:
    """Waits for a group as a caller does: a `domainservers.journal.groups.ReplySink`."""

    def __init__(self) -> None:
        self.deadline = NEVER_S
        self.done = asyncio.Event()

    def answer(self, position: int, body: bytes) -> None:
        """The group is applied (or the slot is lost, and the waiting read with it)."""
        self.done.set()


class Past:
    """Of the accounts of one slot."""

    def __init__(self, frames: Frames, turns: Turns, keys: KeyIndex, groups: Groups, cells: dict[str, Cell]) -> None:
        self.frames = frames
        self.turns = turns
        self._keys = keys
        self._groups = groups
        self._cells = cells

    async def applied(self, seq: int) -> int:
        """Wait until a group is applied; gives `seq`. When the slot is lost meanwhile, the read is cancelled."""
        landed = Landing()
        self._groups.reply(seq, landed, 0, b"")
        await landed.done.wait()
        return seq

    async def entry_at(self, position: int) -> Entry | None:
        """Read the entry at a position; None when the journal is not kept so far back."""
        return await reading.entry_at(self.frames, position)

    def position_of(self, account_id: str, key: str) -> int:
        """Where a key's entry may be; -1 = nowhere, for the index holds every key whose outcome must still be known."""
        return self._keys.find(fingerprint(account_id, key))

    async def known(self, account_id: str, key: str) -> Entry | None:
        """Find the entry of a key by the index; None = it does not know the key, or the entry's segment was dropped.

        Raises `StoreUnavailable`, `msgspec.DecodeError`.
        """
        position = self.position_of(account_id, key)
        if position < 0:
            return None
        entry = self._groups.entry_at(position) or await reading.entry_at(self.frames, position)
        return entry if entry is not None and (entry.account_id, entry.key) == (account_id, key) else None

    async def find(self, account_id: str, key: str) -> tuple[Entry | None, bool]:
        """Find the entry of a key by the index, else along the account's chain; None = there is none, as far as kept.

        Says as well whether the account came from another domain after it: what is older is not in this journal. Raises
        as `reading.chain`.
        """
        known = await self.known(account_id, key)
        if known is not None:
            return known, False
        cell = self._cells.get(account_id)
        ported = False
        if cell is None:
            return None, ported
        newest = await self.applied(cell.seq)
        async with self._chain(account_id, newest) as entries:
            async for _, entry in entries:
                if entry.key == key:
                    return entry, ported
                ported = ported or any(isinstance(event, MovedIn) for event in entry.events)
        return None, ported

    async def falls(self, step: Entry, session_id: str) -> Falls:
        """Walk back to a step of a session; nothing else is done to the account meanwhile. Raises `NotFound`."""
        falls = Falls(session_id)
        cell = self._cells.get(step.account_id)
        if cell is None:
            raise Unavailable("CHARGE_SOUGHT", "the journal is searched; repeat the same request key", retry_ms=1_000)
        newest = await self.applied(cell.seq)
        async with self._chain(step.account_id, newest) as entries:
            async for _, entry in entries:
                if (entry.key, entry.version) == (step.key, step.version):
                    break
                falls.pass_over(entry)
        return falls

    @asynccontextmanager
    async def _chain(self, account_id: str, newest: int) -> AsyncGenerator[AsyncGenerator[reading.Placed, None], None]:
        """Walk an account's entries in turn with other long reads."""
        chain = reading.chain(self.frames, self.turns, account_id, newest)
        async with self.turns.reader(NEVER_S), aclosing(chain) as entries:
            yield entries
