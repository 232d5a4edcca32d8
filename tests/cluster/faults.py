"""Faults that really happen to processes: killed, stopped and going on; to owners of slots and to Cassandra nodes."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Protocol

from cluster.system import System
from directory.owners import Owner, load_owners
from house.stores import STORES
from storage.unit import StoreUnavailable, Unit

TAKEOVER_TIMEOUT_S = 40.0
MOMENT_S = 0.2


class Nodes(Protocol):
    """What is done to the suite's Cassandra."""

    def stop(self, number: int, *, kill: bool = False) -> None: ...

    def start(self) -> None: ...

    def freeze(self, number: int) -> None: ...

    def thaw(self, number: int) -> None: ...


class Faults:
    """Injects one fault after another and leaves everything running."""

    def __init__(self, system: System, random: Random, nodes: Nodes | None = None, node_count: int = 0) -> None:
        self.counts: Counter[str] = Counter()
        self.log: list[str] = []
        self.taken_over = 0
        """Slots that had another owner when a stopped one went on."""
        self._system = system
        self._random = random
        self._nodes = nodes
        self._node_count = node_count
        self._since = time.monotonic()

    async def kill_owner(self) -> None:
        """SIGKILL an owner, and start it again."""
        number = await self._some_owner()
        victim = self._system.domain_servers[number]
        victim.kill()
        await victim.wait()
        away_s = self._random.uniform(0.2, 5.0)
        self._tell("kill -9 of owner", f"{number}, back in {away_s:.1f} s")
        await asyncio.sleep(away_s)
        self._system.domain_servers[number] = await self._system.start_process("domainserver", number)

    async def pause_owner(self) -> None:
        """SIGSTOP an owner until all its slots are taken over, then let it go on."""
        number = await self._some_owner()
        victim = self._system.domain_servers[number]
        held = [name for name, address in (await self.owners()).items() if address == victim.address]
        victim.signal(signal.SIGSTOP)
        try:
            self._tell("SIGSTOP of owner", f"{number} with {', '.join(held)}")
            await self.wait_for_owners(held, other_than=victim.address)
            self.taken_over += len(held)
            await asyncio.sleep(self._random.uniform(0.2, 1.5))
        finally:
            victim.signal(signal.SIGCONT)

    async def pause_node(self) -> None:
        """SIGSTOP a Cassandra node for a while: its connections stay, nothing answers."""
        assert self._nodes is not None
        number = self._random.randrange(self._node_count) + 1
        seconds = self._random.uniform(2.0, 5.0)
        self._tell("SIGSTOP of a node", f"{number} for {seconds:.1f} s")
        self._nodes.freeze(number)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._nodes.thaw(number)

    async def kill_node(self) -> None:
        """SIGKILL a Cassandra node and start it again."""
        assert self._nodes is not None
        number = self._random.randrange(self._node_count) + 1
        self._tell("kill -9 of a node", str(number))
        await asyncio.to_thread(self._nodes.stop, number, kill=True)
        try:
            await asyncio.sleep(self._random.uniform(0.5, 3.0))
        finally:
            await asyncio.to_thread(self._nodes.start)

    async def kill_owner_while_a_node_hangs(self) -> None:
        """Both at once: the takeover has to do with two nodes of three."""
        pausing = asyncio.create_task(self.pause_node())
        try:
            await asyncio.sleep(MOMENT_S)
            await self.kill_owner()
        finally:
            await pausing

    async def owners(self) -> dict[str, str]:
        """Announced owners, slot → address, as the data center hears of them."""
        unit = await self._directory_unit()
        try:
            return {name: owner.address for name, owner in (await _patiently(unit)).items()}
        finally:
            await unit.close()

    async def wait_for_owners(self, slots: list[str], other_than: str) -> None:
        """Wait until all these slots are announced by somebody else. Raises `TimeoutError`."""
        await self.wait_until(lambda owners: all(owners.get(name, other_than) != other_than for name in slots))

    async def wait_until(self, holds: Callable[[dict[str, str]], bool]) -> None:
        """Wait until something holds of the announced owners, slot → address. Raises `TimeoutError`."""
        unit = await self._directory_unit()
        try:
            async with asyncio.timeout(TAKEOVER_TIMEOUT_S):
                while True:
                    if holds({name: owner.address for name, owner in (await _patiently(unit)).items()}):
                        return
                    await asyncio.sleep(MOMENT_S)
        finally:
            await unit.close()

    async def _some_owner(self) -> int:
        """Choose a domain server that owns something; waits until there is one."""
        async with asyncio.timeout(TAKEOVER_TIMEOUT_S):
            while True:
                holding = set((await self.owners()).values())
                servers = self._system.domain_servers
                choice = [number for number, server in enumerate(servers) if server.address in holding]
                if choice:
                    return self._random.choice(choice)
                await asyncio.sleep(MOMENT_S)

    async def _directory_unit(self) -> Unit:
        while True:
            try:
                return await STORES.open(self._system.layout.directory)
            except StoreUnavailable:
                await asyncio.sleep(MOMENT_S)

    def _tell(self, kind: str, what: str) -> None:
        self.counts[kind] += 1
        self.log.append(f"{time.monotonic() - self._since:6.1f} s  {kind} {what}")
        print(self.log[-1], flush=True)


async def _patiently(unit: Unit) -> dict[str, Owner]:
    while True:
        try:
            return await load_owners(unit)
        except StoreUnavailable:
            await asyncio.sleep(MOMENT_S)
