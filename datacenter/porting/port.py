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
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from charging import wire
from charging.base.account import Account
from charging.base.account_id import identity_of
from charging.base.house_keys import digest_of, port_key
from charging.base.identity import normalise
from charging.errors import Broken, Conflict, Fault, Invalid, NotFound, Refused, Unavailable
from charging.ledger.command import Command
from charging.ledger.commands.move_in import MoveIn
from charging.ledger.commands.move_out import MoveOut
from charging.ledger.commands.remember import Remember
from charging.ledger.kinds import Action
from directory.changes import Change, Entry, PortBegun, PortEnded
from directory.directory import Directory
from directory.slots import slot_of
from directory.state import Port
from runtime.telemetry import Metrics, logger

log = logger("datacenter.port")

STEP_TIMEOUT_MS = 5_000
STEP_TRIES_MAX = 20
SWEEP_S = 5.0
CHANNEL = "port"
_FINAL = (Refused, NotFound, Invalid, Conflict)
_PASSING = ("unavailable", "overloaded", "expired")

OUTCOMES_PER_PAGE = 2_000
REMEMBER_AT_ONCE = 500

Ask = Callable[[str, Sequence[wire.Ask], int], Awaitable[list[wire.Answer]]]
"""Asks the owner of a route: (route, questions, timeout in ms) → answers, `wire.Failed` included."""

_unpack_account = msgspec.msgpack.Decoder(Account).decode
_unpack_failed = msgspec.msgpack.Decoder(wire.Failed).decode


class Porter:
    """Runs ports, each once at a time in this process."""

    def __init__(self, directory: Directory, ask: Ask, metrics: Metrics, country: str = "") -> None:
        self._directory = directory
        self._ask = ask
        self._metrics = metrics
        self._country = country
        self._running: dict[str, asyncio.Task[Port]] = {}

    async def port(self, identity: str, to_domain: str, key: str, actor: str, principal: str = "") -> Port:
        """Move the account of an identity to a domain; returns when every instance can know it.

        Goes on when the caller goes away. Raises `Invalid`, `NotFound`, `Refused`, `Conflict`, or `Unavailable`:
        repeat the same key, which finishes what was begun.
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
        """Finish ports that somebody else began and left, for ever. Two who do one at the same time do no harm."""
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
        data = await self._business_data(f"domain:{route.key}", wire.Pull(identity))
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
        port = self._directory.port(begun.key)
        if port is None or not port.ended:
            try:
                changes = await self._move(begun)
                ended = PortEnded(begun.key)
            except _FINAL as fault:
                changes, ended = [], PortEnded(begun.key, wire.pack(wire.failed(fault)))
            await self._end(begun, [*changes, ended])
            port = self._directory.port(begun.key)
        if port is None:
            raise Broken("PORT_LOST", "the port is not in the log that it was written to")
        if port.failure:
            raise wire.fault(_unpack_failed(port.failure))
        return port

    async def _end(self, begun: PortBegun, changes: list[Change]) -> None:
        try:
            await self._directory.amend(changes, port_key("end", begun.key), begun.actor, principal=begun.principal)
        except Conflict:
            # Another instance ended it first, perhaps with the entries in another order.
            port = self._directory.port(begun.key)
            if port is None or not port.ended:
                raise

    async def _move(self, begun: PortBegun) -> list[Change]:
        old = f"domain:{begun.from_domain}/{begun.from_slot}"
        domain = self._directory.domains[begun.to_domain]
        slot = slot_of(begun.account_id, domain.slots)
        done = await self._commit(old, begun, "out", MoveOut(begun.to_domain))
        if done.detail is None:
            raise Broken("PARCEL_MISSING", "the old owner let the account go without handing it over")
        parcel = _unpack_account(done.detail)
        contracts = [
            (await self._business_data(old, wire.Pull(member, moved=True))).contract for member in parcel.members
        ]
        moved = tuple(msgspec.structs.replace(contract, domain=begun.to_domain) for contract in contracts)
        try:
            await self._commit(f"domain:{domain.code}/{slot}", begun, "in", MoveIn(done.detail, moved, domain.code))
        except _FINAL:
            await self._commit(old, begun, "back", MoveIn(done.detail, tuple(contracts), parcel.domain))
            raise
        try:
            await self._remember(old, f"domain:{domain.code}/{slot}", begun, identity_of(begun.account_id))
        except _FINAL as fault:
            # The account lives there already: the port stays open until its keys are there too.
            raise _keys_left_behind(fault.reason) from fault
        members = dict.fromkeys((*parcel.members, begun.identity, identity_of(begun.account_id)))
        return [Entry(member, domain.code, slot) for member in members]

    async def _remember(self, old: str, new: str, begun: PortBegun, member: str) -> None:
        """Let the new owner know what request keys did at the old one, page by page."""
        seq = -1
        while True:
            page = await self._persist(old, wire.FetchOutcomes(member, OUTCOMES_PER_PAGE, seq))
            if not isinstance(page, wire.Outcomes):
                raise Broken("ANSWER_UNEXPECTED", f"a request for outcomes was answered with {type(page).__name__}")
            commits = [self._remembering(begun, member, kept) for kept in page.outcomes]
            for at in range(0, len(commits), REMEMBER_AT_ONCE):
                for answer in await self._persist_all(new, commits[at : at + REMEMBER_AT_ONCE]):
                    # The answer is the outcome itself; a conflict: the key is known there from an earlier stay.
                    if isinstance(answer, wire.Failed) and answer.kind not in ("refused", "conflict"):
                        raise _keys_left_behind(answer.reason)
            seq = page.next_seq
            if seq < 0:
                return

    def _remembering(self, begun: PortBegun, member: str, kept: wire.KeptOutcome) -> wire.Commit:
        now_ms = self._directory.now_ms()
        action = Remember(kept.outcome, kept.charged)
        command = Command(
            begun.account_id, kept.key, kept.digest, begun.actor, CHANNEL, now_ms, action, begun.principal
        )
        return wire.Commit(member, command)

    async def _commit(self, route: str, begun: PortBegun, step: str, action: Action) -> wire.Done:
        content = (begun.key, begun.account_id, begun.identity, begun.from_domain, begun.to_domain, step)
        command = Command(
            account_id=begun.account_id,
            key=port_key(step, begun.key),
            digest=digest_of(*content),
            actor=begun.actor,
            channel=CHANNEL,
            time_ms=self._directory.now_ms(),
            action=action,
            principal=begun.principal,
        )
        answer = await self._persist(route, wire.Commit(begun.identity, command))
        if not isinstance(answer, wire.Done):
            raise Broken("ANSWER_UNEXPECTED", f"a commit was answered with {type(answer).__name__}")
        return answer

    async def _business_data(self, route: str, pull: wire.Pull) -> wire.BusinessData:
        answer = await self._persist(route, pull)
        if not isinstance(answer, wire.BusinessData):
            raise Broken("ANSWER_UNEXPECTED", f"a pull was answered with {type(answer).__name__}")
        return answer

    async def _persist(self, route: str, ask: wire.Ask) -> wire.Answer:
        """Ask until there is an answer that a repeat would not change. Raises the fault that the answer is."""
        (answer,) = await self._persist_all(route, [ask])
        if isinstance(answer, wire.Failed):
            raise wire.fault(answer)
        return answer

    async def _persist_all(self, route: str, asks: Sequence[wire.Ask]) -> list[wire.Answer]:
        """Ask all until each has an answer that a repeat would not change, refusals included.

        Raises `Unavailable`, `Overloaded` or `Expired` when that does not happen in time.
        """
        for left in reversed(range(STEP_TRIES_MAX)):
            answers = await self._ask(route, asks, STEP_TIMEOUT_MS)
            again = [one for one in answers if isinstance(one, wire.Failed) and one.kind in _PASSING]
            if not again:
                return answers
            if left == 0:
                raise wire.fault(again[0])
            await asyncio.sleep(max(again[0].retry_ms, 50) / 1_000)
        raise AssertionError("the last try raises or returns")


def _keys_left_behind(reason: str) -> Broken:
    text = f"the account is in the new domain, its request keys are not all there yet ({reason})"
    return Broken("KEYS_LEFT_BEHIND", f"{text}: repeat the port with the same key")
