"""Simulated data centers that port accounts to another domain: the real steps, left half-way and taken up again."""

import asyncio
from collections.abc import Mapping, Sequence
from random import Random

from charging import wire
from charging.base.account_id import asked_for, identity_of
from charging.errors import Fault
from charging.wire import Answer, failed
from datacenter.porting.insisting import FINAL, Insisting
from datacenter.porting.steps import Steps
from directory.changes import DirectoryEntry, PortBegun
from directory.slots import parse_slot, slot_key
from directory.state import DomainInfo
from tests.simulation.callers import BASE_MS
from tests.simulation.histories import Histories, Network


class Ports:
    """What the directory's log holds of ports: which accounts are on their way, and where they ended."""

    def __init__(self, domains: Mapping[str, DomainInfo], accounts: Mapping[str, str], histories: Histories) -> None:
        """`accounts` by the identity under which each was opened."""
        self.domains = domains
        self.accounts = accounts
        self.done = 0
        self.in_vain = 0
        self._histories = histories
        self._open: dict[str, PortBegun] = {}

    def now_ms(self) -> int:
        """Give the time for people."""
        return BASE_MS

    def begin(self, key: str, identity: str, to_domain: str) -> PortBegun | None:
        """Begin a port of whom an identity, or the id of its account, names; None while it is on its way, or there."""
        account_id = asked_for(identity) or self.accounts[identity]
        domain, slot = parse_slot(self._histories.homes[identity])
        if account_id in self._open or domain == to_domain:
            return None
        begun = PortBegun(key, identity, account_id, domain, slot, to_domain, "porter")
        self._open[account_id] = begun
        return begun

    def is_open(self, begun: PortBegun) -> bool:
        """Say whether a port has not ended."""
        return self._open.get(begun.account_id) == begun

    def end(self, begun: PortBegun, entries: Sequence[DirectoryEntry]) -> None:
        """End a port: who moved is served elsewhere from here on. Who comes second changes nothing."""
        if self.is_open(begun):
            del self._open[begun.account_id]
            self.done, self.in_vain = self.done + bool(entries), self.in_vain + (not entries)
            homes = self._histories.homes
            homes.update((each.identity, slot_key(each.domain, each.slot)) for each in entries)
            for identity, account_id in self.accounts.items():
                # Its caller asks by it also when the account has let it go, and is told so where the account is.
                homes[identity] = homes[identity_of(account_id)]


class Porter:
    """A data center that ports accounts of this world, one after the other."""

    def __init__(
        self,
        name: str,
        network: Network,
        random: Random,
        histories: Histories,
        ports: Ports,
    ) -> None:
        self._name = name
        self._network = network
        self._random = random
        self._histories = histories
        self._ports = ports
        self._steps = Steps(ports, Insisting(self._ask))

    async def work(self, ports: int) -> None:
        """Port so many accounts."""
        for number in range(ports):
            await asyncio.sleep(self._random.uniform(0.0, 3.0))
            identity, account_id = self._random.choice(list(self._ports.accounts.items()))
            asked = self._random.choice((identity, identity_of(account_id)))
            to_domain = self._random.choice(list(self._ports.domains))
            begun = self._ports.begin(f"{self._name}-{number}", asked, to_domain)
            if begun is not None:
                await self._finish(begun)

    async def _finish(self, begun: PortBegun) -> None:
        """Do the steps until the port has ended; whoever does them dies now and then, or is one of two."""
        while self._ports.is_open(begun):
            many = 2 if self._random.random() < 0.2 else 1
            lives = [asyncio.ensure_future(self._try(begun)) for _ in range(many)]
            await asyncio.wait(lives, timeout=self._random.choice((0.02, 0.1, 0.5, 30.0, 30.0)))
            for life in lives:
                life.cancel()
            await asyncio.gather(*lives, return_exceptions=True)

    async def _try(self, begun: PortBegun) -> None:
        """Do the steps once, as `datacenter.porting.port` does."""
        try:
            self._ports.end(begun, await self._steps.move(begun))
        except FINAL:
            self._ports.end(begun, ())
        except Fault:
            await asyncio.sleep(0.5)

    async def _ask(self, route: str, questions: Sequence[wire.Ask], timeout_ms: int) -> list[Answer]:
        return list(await asyncio.gather(*(self._one(route, question) for question in questions)))

    async def _one(self, route: str, question: wire.Ask) -> Answer:
        try:
            return await self._network.send(self._histories.slot_of(route), question)
        except Fault as fault:
            return failed(fault)
