"""The replay of what was staged, once the run is over: an owner does it without being asked (seed 000).

What waits is in `Open.staged`, so any owner finds it, wherever the account has moved.
"""

import asyncio
from collections.abc import Callable, Sequence

from charging.base.account import Account
from charging.errors import Broken
from charging.ledger.own import replay_command
from charging.ledger.staging import replayable
from charging.wire import Failed, unpack_answer
from domainservers.accounts.accounts import Cell
from domainservers.accounts.memory import Memory
from domainservers.accounts.watch import AccountWatch
from domainservers.base.clock import Clock
from domainservers.bills.stages import Stages
from domainservers.desk.item import Item

REPLAYS_PER_SWEEP_MAX = 2_000
OWN_TIMEOUT_S = 30.0


class _Replayed:
    """Where the answer to a replay goes: a `domainservers.journal.groups.ReplySink`."""

    def __init__(self, under_way: set[str], account_id: str, done: Callable[[], None]) -> None:
        self.deadline = asyncio.get_running_loop().time() + OWN_TIMEOUT_S
        self._under_way = under_way
        self._account_id = account_id
        self._done = done

    def answer(self, position: int, body: bytes) -> None:
        """Let the account be looked at again, and the next ones have their turn if it went well."""
        self._under_way.discard(self._account_id)
        if not self._under_way and not isinstance(unpack_answer(body), Failed):
            asyncio.get_running_loop().call_soon(self._done)


class ReplayingStages:
    """Finds the accounts of one slot whose stage waits for nothing any more, and hands in what replays it."""

    def __init__(
        self,
        clock: Clock,
        watch: AccountWatch,
        cells: dict[str, Cell],
        memory: Memory,
        stages: Stages,
        *,
        want: Callable[[str], None],
        take: Callable[[Sequence[Item]], None],
    ) -> None:
        """`want` gets an account into memory, `take` takes commands."""
        self._clock = clock
        self._watch = watch
        self._cells = cells
        self._memory = memory
        self._stages = stages
        self._want = want
        self._take = take
        self._under_way: set[str] = set()

    @property
    def busy(self) -> bool:
        """Replays are under way."""
        return bool(self._under_way)

    def sweep(self) -> None:
        """Give the commands that replay, of `REPLAYS_PER_SWEEP_MAX` accounts; when they are done, the next ones.

        An account that is not in memory is read first, and met again by a later sweep; so is one whose command fails.
        """
        if not self._watch.staged or self._under_way:
            return
        now_ms = self._clock.now_ms()
        items: list[Item] = []
        read = 0
        for account_id in self._watch.staged:
            if len(items) + read >= REPLAYS_PER_SWEEP_MAX:
                break
            account = self._account(account_id)
            if account is None:
                read += 1
                continue
            month = self._stages.over_until(account)
            if not _waiting(account, month):
                continue
            self._under_way.add(account_id)
            sink = _Replayed(self._under_way, account_id, self.sweep)
            command = replay_command(account, month, now_ms)
            items.append(Item(sink, 0, account.members[0], command, internal=True))
        if items:
            self._take(items)

    def _account(self, account_id: str) -> Account | None:
        cell = self._cells.get(account_id)
        if self._memory.holds_back(account_id):
            return None  # It comes in when the account is served again.
        try:
            account = self._memory.state(cell) if cell is not None else None
        except Broken:
            return None
        if account is None:
            self._want(account_id)
        return account


def _waiting(account: Account, month: int) -> bool:
    return any(row.month <= month and replayable(account, row) for row in account.open.staged)
