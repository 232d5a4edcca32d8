"""The steps of a port between its begin and its end in the log: 2 to 4 of `datacenter.porting.port`."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from charging import wire
from charging.base.account import Account
from charging.base.account_id import identity_of
from charging.base.contract import Contract
from charging.base.house_keys import digest_of, port_key
from charging.errors import Broken
from charging.ledger.command import Command
from charging.ledger.commands.move_in import MoveIn
from charging.ledger.commands.move_out import MoveOut
from charging.ledger.commands.remember import Remember
from charging.ledger.kinds import Action
from datacenter.porting.insisting import FINAL, Insisting
from directory.changes import DirectoryEntry, PortBegun
from directory.slots import slot_of
from directory.state import DomainInfo

CHANNEL = "port"
OUTCOMES_PER_PAGE = 2_000
REMEMBER_AT_ONCE = 500
"""Commits in one batch to the new owner."""

_unpack_account = msgspec.msgpack.Decoder(Account).decode


class Regions(Protocol):
    """Where accounts may go, and what time it is there: the directory."""

    @property
    def domains(self) -> Mapping[str, DomainInfo]:
        """Give them by code."""
        ...

    def now_ms(self) -> int:
        """Give the time for people, UTC milliseconds."""
        ...


class Steps:
    """Moves an account. Every step may be done again by anybody, from the beginning: its key is the port's."""

    def __init__(self, directory: Regions, owners: Insisting) -> None:
        self._directory = directory
        self._owners = owners

    async def move(self, begun: PortBegun) -> list[DirectoryEntry]:
        """Do the steps; gives the entries, one a member, by which everybody is served from the new domain.

        While the port is open it may be repeated: each step has a key of its own. Raises `Refused`, `NotFound`,
        `Invalid` or `Conflict` when the account stays, or is back, in its old domain; anything else, KEYS_LEFT_BEHIND
        among it, leaves the port open to be finished.
        """
        old = f"domain:{begun.from_domain}/{begun.from_slot}"
        slot = slot_of(begun.account_id, self._directory.domains[begun.to_domain].slots)
        new = f"domain:{begun.to_domain}/{slot}"
        done = await self._commit(old, begun, "out", MoveOut(begun.to_domain))
        if done.detail is None:
            raise Broken("PARCEL_MISSING", "the old owner let the account go without handing it over")
        parcel = _unpack_account(done.detail)
        # Only now: a contract that was read before the account moved out could still have changed.
        contracts = [await self._contract(old, member) for member in parcel.members]
        moved = tuple(msgspec.structs.replace(contract, domain=begun.to_domain) for contract in contracts)
        try:
            came_from = f"{begun.from_domain}/{begun.from_slot}"
            await self._commit(new, begun, "in", MoveIn(done.detail, moved, begun.to_domain, came_from))
        except FINAL:
            await self._commit(old, begun, "back", MoveIn(done.detail, tuple(contracts), parcel.terms.domain))
            raise
        holder = identity_of(begun.account_id)
        try:
            await self._remember(old, new, begun, holder)
        except FINAL as fault:
            # The account lives there already: the port stays open until its keys are there too.
            raise _keys_left_behind(fault.reason) from fault
        members = dict.fromkeys((*parcel.members, begun.identity, holder))
        return [DirectoryEntry(member, begun.to_domain, slot) for member in members]

    async def _contract(self, route: str, member: str) -> Contract:
        return (await self._owners.business_data(route, wire.Pull(member, moved=True))).contract

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
        return await self._owners.done(route, wire.Commit(begun.identity, command))

    async def _remember(self, old: str, new: str, begun: PortBegun, member: str) -> None:
        """Let the new owner know what request keys did at the old one, page by page, the newest first."""
        seq = -1
        while True:
            page = await self._owners.one(old, wire.FetchOutcomes(member, OUTCOMES_PER_PAGE, seq))
            if not isinstance(page, wire.Outcomes):
                raise Broken("ANSWER_UNEXPECTED", f"a request for outcomes was answered with {type(page).__name__}")
            commits = [self._remembering(begun, member, kept) for kept in page.outcomes]
            for at in range(0, len(commits), REMEMBER_AT_ONCE):
                for answer in await self._owners.all(new, commits[at : at + REMEMBER_AT_ONCE]):
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


def _keys_left_behind(reason: str) -> Broken:
    text = f"the account is in the new domain, its request keys are not all there yet ({reason})"
    return Broken("KEYS_LEFT_BEHIND", f"{text}: repeat the port with the same key")
