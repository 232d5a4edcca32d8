"""Porting: an account moves to another domain, by steps that anyone may repeat.

    1 PortBegun in the control log            from here on the port is known, and no other one of the account begins
    2 MoveOut at the old owner                journaled there: no commit lands in the old domain any more
    3 Pull at the old owner                   contracts of the members: final now
    4 MoveIn at the new owner                 the account lives in the new domain
                                              (refused there: MoveIn at the old owner, as if nothing had been)
      FetchOutcomes, Remember, by pages       it knows the keys of before, and what refunds of them need
    5 entries of all members + PortEnded      one amendment: every instance serves them from the new domain

Each step has a key made of the request's, so a step done twice is done once. A process that dies leaves an open port in
the log; a repeat of the request goes on from there, and so does any data center that finds it lying about.
"""

import asyncio
import time
from collections.abc import Sequence

import msgspec

from charging import wire
from charging.base.house_keys import port_key
from charging.base.identity import normalise
from charging.errors import Broken, Conflict, Fault, Invalid, Refused, Unavailable
from datacenter.porting.insisting import FINAL, Ask, Insisting
from datacenter.porting.steps import Steps
from directory.changes import Change, PortBegun, PortEnded
from directory.directory import Directory
from directory.ports import Port
from runtime.telemetry import Metrics, logger

log = logger("datacenter.port")

SWEEP_S = 5.0
"""A port that nobody has finished for so long is finished by whoever sees it."""

_unpack_failed = msgspec.msgpack.Decoder(wire.Failed).decode


class Porter:
    """Runs ports, each once at a time in this process."""

    def __init__(self, directory: Directory, ask: Ask, metrics: Metrics, country: str = "") -> None:
        self._directory = directory
        self._owners = Insisting(ask)
        self._steps = Steps(directory, self._owners)
        self._metrics = metrics
        self._country = country
        self._running: dict[str, asyncio.Task[Port]] = {}

    async def port(self, identity: str, to_domain: str, key: str, actor: str, principal: str = "") -> Port:
        """Move the account of an identity to a domain; returns when every instance can know it.

        `key` is the request's: under it the port is done once. Goes on when the caller goes away. Raises `Invalid`,
        `NotFound`, `Refused`, `Conflict`, or `Unavailable`: repeat the same key, which finishes what was begun.
        """
        identity = normalise(identity, self._country)
        await self._refresh()
        known = self._directory.port(key)
        if known is None:
            begun = await self._begin(identity, to_domain, key, actor, principal)
        elif known.begun.identity == identity and known.begun.to_domain == to_domain:
            begun = known.begun
        else:
            raise Conflict(
                "REQUEST_KEY_REUSED", "the request key was used for another port", facts={"request_key": key[:200]}
            )
        return await asyncio.shield(self._task(begun))

    async def sweep(self) -> None:
        """Finish ports that somebody else began and left, for ever. Two who do one at the same time do no harm.

        One counts as left when it was open in two rounds; what can't be finished yet is tried again in the next.
        """
        seen: dict[str, float] = {}
        while True:
            await asyncio.sleep(SWEEP_S)
            now = time.monotonic()
            seen = {port.begun.key: seen.get(port.begun.key, now) for port in self._directory.ports_open()}
            for key, since in seen.items():
                port = self._directory.port(key)
                if now - since < SWEEP_S or key in self._running or port is None or port.ended:
                    continue
                try:
                    await self._task(port.begun)
                    log.info("port finished for somebody else", key=key)
                except Fault as fault:
                    log.warning("port can't be finished yet", key=key, reason=fault.reason)

    async def close(self) -> None:
        """Stop; open ports are finished by a repeat or by another instance."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _task(self, begun: PortBegun) -> asyncio.Task[Port]:
        task = self._running.get(begun.key)
        if task is None:
            task = self._running[begun.key] = asyncio.get_running_loop().create_task(self._run(begun))
            task.add_done_callback(lambda done: self._over(begun.key, done))
        return task

    def _over(self, key: str, task: asyncio.Task[Port]) -> None:
        self._running.pop(key, None)
        if not task.cancelled():
            outcome = task.exception()
            self._metrics.requests("port", "ok" if outcome is None else getattr(outcome, "reason", "INTERNAL"))

    async def _refresh(self) -> None:
        """Know the newest ports and entries, as far as the directory's unit answers; amending would fail otherwise."""
        try:
            await self._directory.refresh()
        except Exception as error:
            raise Unavailable("DIRECTORY_UNAVAILABLE", "the directory's unit does not answer", retry_ms=500) from error

    async def _begin(self, identity: str, to_domain: str, key: str, actor: str, principal: str) -> PortBegun:
        if to_domain not in self._directory.domains:
            wanted = f"the code of a known domain, not {to_domain[:40]!r}"
            raise Invalid("DOMAIN_UNKNOWN", f"to_domain: expected {wanted}", fields={"to_domain": wanted})
        route = self._directory.resolve(identity)
        data = await self._owners.business_data(f"domain:{route.key}", wire.Pull(identity))
        if route.domain == to_domain:
            raise Refused("MOVE_TO_SELF", f"the account is in {to_domain} already")
        account_id = data.account.account_id
        begun = PortBegun(key, identity, account_id, route.domain, route.slot, to_domain, actor, principal)
        try:
            await self._directory.amend([begun], port_key("begin", key), actor, principal=principal)
        except Conflict:
            # Somebody else may have begun the very same request a moment ago.
            known = self._directory.port(key)
            if known is None or (known.begun.identity, known.begun.to_domain) != (identity, to_domain):
                raise
            return known.begun
        return begun

    async def _run(self, begun: PortBegun) -> Port:
        """Do what is left of a port. Raises the fault that it ended with, of this run or of one before."""
        port = self._directory.port(begun.key)
        if port is None or not port.ended:
            try:
                changes: list[Change] = [*await self._steps.move(begun), PortEnded(begun.key)]
            except FINAL as fault:
                changes = [PortEnded(begun.key, wire.pack(wire.failed(fault)))]
            await self._end(begun, changes)
            port = self._directory.port(begun.key)
        if port is None:
            raise Broken("PORT_LOST", "the port is not in the log that it was written to")
        if port.failure:
            raise wire.fault(_unpack_failed(port.failure))
        return port

    async def _end(self, begun: PortBegun, changes: Sequence[Change]) -> None:
        try:
            await self._directory.amend(changes, port_key("end", begun.key), begun.actor, principal=begun.principal)
        except Conflict:
            # Another instance ended it first, perhaps with the entries in another order.
            port = self._directory.port(begun.key)
            if port is None or not port.ended:
                raise
