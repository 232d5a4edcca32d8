"""What an owner does without being asked: ends sessions past their validity, sends transfers on, tells waiting callers
when the store is away, writes an idle slot down."""

import asyncio

from charging.base.account import Account
from charging.ledger.own import due_sessions, expire_command
from charging.wire import Done, unpack_answer
from domainservers.desk.item import Item
from domainservers.slot.courier import Courier
from domainservers.slot.slot import Slot

EXPIRIES_PER_SWEEP_MAX = 2_000
OWN_TIMEOUT_S = 30.0


class _Expiry:
    """Where the answer to an expiry goes."""

    def __init__(self, slot: Slot, account_id: str) -> None:
        self.deadline = asyncio.get_running_loop().time() + OWN_TIMEOUT_S
        self._slot = slot
        self._account_id = account_id

    def answer(self, position: int, body: bytes) -> None:
        """Look at the account again later when it could not be done."""
        if not isinstance(unpack_answer(body), Done):
            self._slot.parts.watch.again(self._account_id)


class Keeping:
    """Looks after one slot."""

    def __init__(self, slot: Slot, courier: Courier | None) -> None:
        self._slot = slot
        self._courier = courier
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._run())
        if self._courier is not None:
            self._courier.start()

    def stop(self) -> None:
        """End; sessions and transfers wait for the next owner."""
        if self._task is not None:
            self._task.cancel()
        if self._courier is not None:
            self._courier.stop()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._slot.parts.limits.sweep_ms / 1000)
            self._slot.tend()
            self.sweep()

    def sweep(self) -> None:
        """Give the commands that end sessions past their validity."""
        parts = self._slot.parts
        now_ms = parts.clock.now_ms()
        items: list[Item] = []
        for account_id in parts.watch.due(now_ms, EXPIRIES_PER_SWEEP_MAX):
            cell = parts.accounts.cells.get(account_id)
            if parts.quarantine.rows and parts.quarantine.holds(account_id):
                continue  # Its sessions end when it is served again.
            account = parts.desk.state(cell) if cell is not None else None
            if account is None:
                self._slot.want_account(account_id)
                parts.watch.again(account_id)
            else:
                items += self._expiries(account, now_ms)
        if items:
            self._slot.take(items)

    def _expiries(self, account: Account, now_ms: int) -> list[Item]:
        sink = _Expiry(self._slot, account.account_id)
        return [
            Item(sink, 0, session.identity, expire_command(account, session, now_ms), internal=True)
            for session in due_sessions(account, now_ms)
        ]
