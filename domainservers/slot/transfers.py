"""Transfers under way from the accounts of a slot, and vouchers asked for: what may be offered to the other side, and
how one is settled.

What is under way is in `Account.outgoing`, so any owner finds it.
"""

import asyncio
from collections.abc import Callable, Sequence

from charging.base.account import Account
from charging.base.outgoing import Outgoing
from charging.errors import Broken
from charging.ledger.command import Command
from charging.ledger.own import address_command, receive_command, settle_command
from charging.wire import Failed, unpack_answer
from domainservers.accounts.accounts import Cell
from domainservers.accounts.memory import Memory
from domainservers.accounts.watch import AccountWatch
from domainservers.base.clock import Clock
from domainservers.desk.item import Item
from domainservers.journal.groups import Groups

SETTLE_TIMEOUT_S = 5.0

TransferName = tuple[str, str]
"""Account id, and key of the transfer in it."""


class _Settled:
    """Where the answer to a settlement goes: a `domainservers.journal.groups.ReplySink`."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.deadline = loop.time() + SETTLE_TIMEOUT_S
        self.answered: asyncio.Future[bytes] = loop.create_future()

    def answer(self, position: int, body: bytes) -> None:
        """Hand the answer on."""
        if not self.answered.done():
            self.answered.set_result(body)


class OutgoingTransfers:
    """The transfers under way from one slot; `domainservers.slot.courier` carries them."""

    def __init__(
        self,
        watch: AccountWatch,
        cells: dict[str, Cell],
        memory: Memory,
        groups: Groups,
        clock: Clock,
        *,
        want: Callable[[str], None],
        take: Callable[[Sequence[Item]], None],
    ) -> None:
        """`want` gets an account into memory, `take` takes commands."""
        self._watch = watch
        self._cells = cells
        self._memory = memory
        self._groups = groups
        self._clock = clock
        self._want = want
        self._take = take

    def under_way(self) -> list[tuple[TransferName, Outgoing]]:
        """Give all of them as they are now: a list of its own, since one may be settled while it is walked."""
        return list(self._watch.outgoing.items())

    def is_under_way(self, name: TransferName) -> bool:
        """Say whether one is not settled yet, as decided; the settlement may still be on its way to the journal."""
        return name in self._watch.outgoing

    def row(self, name: TransferName) -> Outgoing | None:
        """Give one as it is journaled; None when it is settled, or while not all of its account is journaled.

        What is not journaled yet could still be lost, so it must not arrive anywhere.
        """
        account_id, key = name
        account = self.journaled(account_id)
        rows = account.open.outgoing if account is not None else ()
        return next((row for row in rows if row.key == key), None)

    def offer(self, account_id: str, row: Outgoing) -> Command | None:
        """Make the command for the account that a row goes to; None while its own is not in memory."""
        account = self._account(account_id)
        return receive_command(account, row, row.to_account, self._clock.now_ms()) if account is not None else None

    async def address(self, account_id: str, row: Outgoing, to_account: str) -> Failed | None:
        """Write down to which account a transfer goes; gives why that could not be done, None = it is journaled."""
        account = self._account(account_id)
        if account is None:
            return None
        return await self.commit(address_command(account, row, to_account, self._clock.now_ms()))

    def journaled(self, account_id: str) -> Account | None:
        """Give an account all of which is journaled; None while it is not in memory, kept back, or under way itself."""
        cell = self._cells.get(account_id)
        if cell is None:
            self._want(account_id)
            return None
        return self._account(account_id) if cell.seq <= self._groups.applied else None

    def now_ms(self) -> int:
        """Give the owner's time, UTC."""
        return self._clock.now_ms()

    async def settle(self, account_id: str, row: Outgoing, refusal: str) -> Failed | None:
        """Settle a transfer that arrived (`refusal` empty) or is given back; gives why that could not be done yet.

        None = it is settled and journaled, or its account is not here any more. May be repeated: one that is settled
        stays so.
        """
        account = self._account(account_id)
        if account is None:
            return None
        return await self.commit(settle_command(account, row, refusal, self._clock.now_ms()))

    async def commit(self, command: Command) -> Failed | None:
        """Do a command of the owner's own; gives why that could not be done, None = it is done and journaled."""
        sink = _Settled()
        self._take([Item(sink, 0, "", command, internal=True)])
        answer = unpack_answer(await sink.answered)
        return answer if isinstance(answer, Failed) else None

    def _account(self, account_id: str) -> Account | None:
        """Give an account; None while it is not in memory, or kept back."""
        cell = self._cells.get(account_id)
        try:
            return self._memory.state(cell) if cell is not None else None
        except Broken:
            return None
