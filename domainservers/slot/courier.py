"""Carries transfers to the other account, in whatever domain, exactly once; vouchers go by `redeeming`.

What is under way is in `Open.outgoing`, so any owner finds it: each transfer is offered to the other side under a
key derived from it until an answer is certain, and then settled at home. A crash in between only means offering
again.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from charging import wire
from charging.base.account import Outgoing
from charging.errors import Fault
from charging.wire import Ask, Commit, Done, Failed, unpack_answer
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
"""So many answers in a row, each later than an earlier offer can still be on its way, that the identity is unknown."""
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
                    carried = self._carry(name, row) if row.voucher is None else self._redeeming.carry(name)
                    task = loop.create_task(carried)
                    self._under_way[name] = task
                    task.add_done_callback(self._forget(name))

    def _forget(self, name: TransferName) -> Callable[[asyncio.Task[None]], None]:
        def forget(_: asyncio.Task[None]) -> None:
            self._under_way.pop(name, None)
            self._room.set()

        return forget

    async def _carry(self, name: TransferName, row: Outgoing) -> None:
        """Offer one transfer until its fate is certain, then settle it."""
        account_id, _ = name
        pause = IDLE_S
        unknown = 0
        # Three kinds of answers: it arrived; it never will, a final refusal, so the money goes back; or nobody knows,
        # so it is offered again under the same key. That an identity is unknown may be said of one that is just being
        # moved or of a directory that lags, so it counts as final only after several answers.
        while self._transfers.is_under_way(name):
            answer = await self._offer(account_id, row)
            refusal = "" if isinstance(answer, Done) else None
            if isinstance(answer, Failed):
                if answer.kind in FINAL:
                    refusal = answer.reason
                elif answer.kind == "not_found":
                    unknown += 1
                    refusal = answer.reason if unknown >= UNKNOWN_TRIES else None
                    pause = max(pause, TIMEOUT_MS / 1000)
            if refusal is not None:
                await self._settle(account_id, row, refusal)
            # After a settlement too: it may have failed, and then the transfer is still under way.
            await asyncio.sleep(pause)
            pause = min(pause * 2, RETRY_MAX_S)

    async def _offer(self, account_id: str, row: Outgoing) -> wire.Answer | None:
        """Offer a transfer once; None when nobody knows what became of it."""
        command = self._transfers.offer(account_id, row)
        return None if command is None else await self._ask(row.to_identity, Commit(row.to_identity, command))

    async def _ask(self, route: str, ask: Ask) -> wire.Answer:
        """Ask once; whatever stands in the way is a `Failed`."""
        try:
            answer: wire.Answer = unpack_answer(await self._post.ask(route, wire.pack(ask), TIMEOUT_MS))
            return answer
        except Fault as fault:
            return wire.failed(fault)

    async def _settle(self, account_id: str, row: Outgoing, refusal: str) -> None:
        failed = await self._transfers.settle(account_id, row, refusal)
        if failed is not None:
            log.warning("a transfer could not be settled yet", slot=self._name, reason=failed.reason)
