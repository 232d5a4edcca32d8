"""Carries transfers to the other account, in whatever domain, exactly once; vouchers go by `redeeming`.

What is under way is in `Open.outgoing`, so any owner finds it. Which account a transfer goes to is looked up and
journaled at home; then it is offered there under a key derived from it until an answer is certain, and then settled at
home. A crash in between only means doing a step again.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from charging import wire
from charging.base.account_id import identity_of
from charging.base.outgoing import Outgoing
from charging.errors import Fault
from charging.wire import AccountNamed, Answer, Ask, Commit, Done, Failed, Locate, unpack_answer
from domainservers.slot.redeeming import Redeeming
from domainservers.slot.slot import Slot
from domainservers.slot.transfers import TransferName
from runtime.telemetry import logger

log = logger("domainservers.slot.courier")

IN_FLIGHT_MAX = 64
TIMEOUT_MS = 5_000
IDLE_S = 0.05
RETRY_MAX_S = 5.0
UNKNOWN_TRIES = 3
"""So many answers that nobody has the identity."""
UNKNOWN_PAUSE_S = 5.0
"""Between two of them: a port that is under way is done by then."""
FINAL = ("refused", "invalid", "conflict", "denied")


class Post(Protocol):
    """A way to any account of the country."""

    async def ask(self, identity: str, body: bytes, timeout_ms: int) -> bytes:
        """Send a packed ask on its way and give the packed answer. Raises `Fault`."""
        ...


class Courier:
    """Drives the outgoing transfers of one slot."""

    def __init__(self, slot: Slot, post: Post) -> None:
        self._name = slot.name
        self._transfers = slot.transfers
        self._post = post
        self._task: asyncio.Task[None] | None = None
        self._under_way: dict[TransferName, asyncio.Task[None]] = {}
        self._room = asyncio.Event()
        """Something that was carried is done."""
        self._redeeming = Redeeming(slot.name, slot.transfers, self._ask)

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        """End; what is open is taken up by the next owner."""
        for task in (self._task, *self._under_way.values()):
            if task is not None:
                task.cancel()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            if len(self._under_way) < IN_FLIGHT_MAX:
                await asyncio.sleep(IDLE_S)
            else:
                self._room.clear()
                await self._room.wait()
            # What finds no room now is met again in the next round: nothing is queued here, the account itself is the
            # list.
            for name, row in self._transfers.under_way():
                if name not in self._under_way and len(self._under_way) < IN_FLIGHT_MAX:
                    carried = self._carry(name) if row.voucher is None else self._redeeming.carry(name)
                    task = loop.create_task(carried)
                    self._under_way[name] = task
                    task.add_done_callback(self._forget(name))

    def _forget(self, name: TransferName) -> Callable[[asyncio.Task[None]], None]:
        def forget(_: asyncio.Task[None]) -> None:
            self._under_way.pop(name, None)
            self._room.set()

        return forget

    async def _carry(self, name: TransferName) -> None:
        """Find out where one transfer goes, offer it there until its fate is certain, then settle it."""
        pause = IDLE_S
        unknown = 0
        while self._transfers.is_under_way(name):
            row = self._transfers.row(name)
            if row is not None and row.to_account:
                await self._offer(name[0], row)
            elif row is not None:
                answer = await self._ask(row.to_identity, Locate(row.to_identity))
                if isinstance(answer, AccountNamed):
                    await self._address(name[0], row, answer.account_id)
                    continue
                if isinstance(answer, Failed) and answer.kind in (*FINAL, "not_found"):
                    # Said of an identity that is just being moved, too, or of one that a directory lags behind: final
                    # only after several answers. Nobody was offered anything yet, so it may go back.
                    unknown += 1
                    pause = max(pause, UNKNOWN_PAUSE_S)
                    if unknown >= UNKNOWN_TRIES:
                        await self._settle(name[0], row, answer.reason)
            # After a settlement too: it may have failed, and then the transfer is still under way.
            await asyncio.sleep(pause)
            pause = min(pause * 2, RETRY_MAX_S)

    async def _address(self, account_id: str, row: Outgoing, to_account: str) -> None:
        failed = await self._transfers.address(account_id, row, to_account)
        if failed is not None:
            log.warning("a transfer could not be addressed yet", slot=self._name, reason=failed.reason)
            await asyncio.sleep(IDLE_S)

    async def _offer(self, account_id: str, row: Outgoing) -> None:
        """Offer a transfer once, and settle it when its fate is certain.

        It arrived; or it never will, a final refusal, so the money goes back; or nobody knows. That the account is
        unknown says nothing: it was there, so its number may have brought it money already.
        """
        command = self._transfers.offer(account_id, row)
        if command is None:
            return
        to = identity_of(row.to_account)
        answer = await self._ask(to, Commit(to, command))
        if isinstance(answer, Done):
            await self._settle(account_id, row, "")
        elif isinstance(answer, Failed) and answer.kind in FINAL:
            await self._settle(account_id, row, answer.reason)

    async def _ask(self, route: str, ask: Ask) -> Answer:
        """Ask once; whatever stands in the way is a `Failed`."""
        try:
            answer: Answer = unpack_answer(await self._post.ask(route, wire.pack(ask), TIMEOUT_MS))
            return answer
        except Fault as fault:
            return wire.failed(fault)

    async def _settle(self, account_id: str, row: Outgoing, refusal: str) -> None:
        failed = await self._transfers.settle(account_id, row, refusal)
        if failed is not None:
            log.warning("a transfer could not be settled yet", slot=self._name, reason=failed.reason)
