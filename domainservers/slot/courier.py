"""Carries transfers to the other account, in whatever domain, exactly once.

What is under way is in `Account.outgoing`, so any owner finds it: each transfer is offered to the other side under a
key derived from it until an answer is certain, and then settled at home. A crash in between only means offering
again.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from charging import wire
from charging.base.account import Outgoing
from charging.errors import Fault
from charging.ledger.own import receive_command, settle_command
from charging.wire import Commit, Done, Failed, unpack_answer
from domainservers.desk.item import Item
from domainservers.slot.slot import Slot
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
        self._slot = slot
        self._post = post
        self._task: asyncio.Task[None] | None = None
        self._under_way: dict[tuple[str, str], asyncio.Task[None]] = {}

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
            await asyncio.sleep(IDLE_S)
            for place, row in list(self._slot.parts.watch.outgoing.items()):
                if place not in self._under_way and len(self._under_way) < IN_FLIGHT_MAX:
                    task = loop.create_task(self._carry(place, row))
                    self._under_way[place] = task
                    task.add_done_callback(self._forget(place))

    def _forget(self, place: tuple[str, str]) -> Callable[[asyncio.Task[None]], None]:
        def forget(_: asyncio.Task[None]) -> None:
            self._under_way.pop(place, None)

        return forget

    async def _carry(self, place: tuple[str, str], row: Outgoing) -> None:
        """Offer one transfer until its fate is certain, then settle it."""
        account_id, _ = place
        pause = IDLE_S
        unknown = 0
        while place in self._slot.parts.watch.outgoing:
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
            await asyncio.sleep(pause)
            pause = min(pause * 2, RETRY_MAX_S)

    async def _offer(self, account_id: str, row: Outgoing) -> wire.Answer | None:
        """Offer a transfer once; None when nobody knows what became of it."""
        parts = self._slot.parts
        cell = parts.accounts.cells.get(account_id)
        if cell is None or cell.seq > parts.groups.applied:
            # Not journaled yet, or not in memory: what could still be lost must not arrive anywhere.
            if cell is None:
                self._slot.want_account(account_id)
            return None
        account = parts.accounts.state(cell)
        if account is None:
            return None
        command = receive_command(account, row, "", parts.clock.now_ms())
        try:
            answer: wire.Answer = unpack_answer(
                await self._post.ask(row.to_identity, wire.pack(Commit(row.to_identity, command)), TIMEOUT_MS)
            )
            return answer
        except Fault as fault:
            return wire.failed(fault)

    async def _settle(self, account_id: str, row: Outgoing, refusal: str) -> None:
        parts = self._slot.parts
        cell = parts.accounts.cells.get(account_id)
        account = parts.accounts.state(cell) if cell is not None else None
        if account is None:
            return
        command = settle_command(account, row, refusal, parts.clock.now_ms())
        sink = _Settled()
        self._slot.take([Item(sink, 0, "", command, internal=True)])
        body = await sink.answered
        answer = unpack_answer(body)
        if isinstance(answer, Failed):
            log.warning("a transfer could not be settled yet", slot=self._slot.name, reason=answer.reason)


class _Settled:
    """Where the answer to a settlement goes."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.deadline = loop.time() + TIMEOUT_MS / 1000
        self.answered: asyncio.Future[bytes] = loop.create_future()

    def answer(self, position: int, body: bytes) -> None:
        """Hand the answer on."""
        if not self.answered.done():
            self.answered.set_result(body)
