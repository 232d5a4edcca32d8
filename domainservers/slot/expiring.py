"""Ends sessions past their validity: an owner does it without being asked."""

import asyncio
from collections.abc import Callable, Sequence

from charging.base.account import Account
from charging.errors import Broken
from charging.ledger.own import due_sessions, expire_command
from charging.wire import Done, unpack_answer
from domainservers.accounts.accounts import Cell
from domainservers.accounts.memory import Memory
from domainservers.accounts.watch import AccountWatch
from domainservers.base.clock import Clock
from domainservers.desk.item import Item

EXPIRIES_PER_SWEEP_MAX = 2_000
OWN_TIMEOUT_S = 30.0


class _Expiry:
    """Where the answer to an expiry goes: a `domainservers.journal.groups.ReplySink`."""

    def __init__(self, watch: AccountWatch, account_id: str) -> None:
        self.deadline = asyncio.get_running_loop().time() + OWN_TIMEOUT_S
        self._watch = watch
        self._account_id = account_id

    def answer(self, position: int, body: bytes) -> None:
        """Look at the account again later when it could not be done."""
        if not isinstance(unpack_answer(body), Done):
            self._watch.again(self._account_id)


class Expiring:
    """Finds the sessions of one slot that are over and hands in what ends them, as commands like any other."""

    def __init__(
        self,
        clock: Clock,
        watch: AccountWatch,
        cells: dict[str, Cell],
        memory: Memory,
        *,
        want: Callable[[str], None],
        take: Callable[[Sequence[Item]], None],
    ) -> None:
        """`want` gets an account into memory, `take` takes commands."""
        self._clock = clock
        self._watch = watch
        self._cells = cells
        self._memory = memory
        self._want = want
        self._take = take

    def sweep(self) -> None:
        """Give the commands that end sessions past their validity, of `EXPIRIES_PER_SWEEP_MAX` accounts at most.

        An account that is not in memory is read first, and met again by a later sweep; so is one whose command fails.
        """
        now_ms = self._clock.now_ms()
        items: list[Item] = []
        for account_id in self._watch.due(now_ms, EXPIRIES_PER_SWEEP_MAX):
            cell = self._cells.get(account_id)
            if self._memory.holds_back(account_id):
                continue  # Its sessions end when it is served again.
            try:
                account = self._memory.state(cell) if cell is not None else None
            except Broken:
                continue  # Found out just now; those of others end all the same.
            if account is None:
                self._want(account_id)
                self._watch.again(account_id)
            else:
                items += self._expiries(account, now_ms)
        if items:
            self._take(items)

    def _expiries(self, account: Account, now_ms: int) -> list[Item]:
        sink = _Expiry(self._watch, account.account_id)
        return [
            Item(sink, 0, session.identity, expire_command(account, session, now_ms), internal=True)
            for session in due_sessions(account, now_ms)
        ]
