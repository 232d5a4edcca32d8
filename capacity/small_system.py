"""A small system that is measured: real processes on this machine, some thousand people, traffic by kind."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from mmap import PAGESIZE
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace
from onetier.v1 import service_desk_pb2 as desk

from capacity.figures import CHARGE, COMMAND, QUERY, STEP, TIERS
from cluster.filling import Country, load_country, make_units, open_accounts, settle, yesterday_ms
from cluster.folder import Options, clear, fresh_base
from cluster.layout import journals_of, lay_out
from cluster.supervisor import Supervisor
from cluster.system import Shape, System
from country import offers, reference
from country.population import MOBILE, YUAN
from country.sending import Advance, Sent
from house.stores import STORES
from onetier_client import AsyncClient, requests

WINDOW_REQUESTS = 4_000
TIMEOUT_MS = 60_000
STEPS_OF_SESSION = 3
MONEY = 10_000 * YUAN
CLOCK_TICKS = 100
"""Of a second, in /proc: Linux tells users no other, whatever its kernel counts."""
_OPERATIONS = (
    desk.SessionRequest.OPERATION_CREATE,
    desk.SessionRequest.OPERATION_UPDATE,
    desk.SessionRequest.OPERATION_RELEASE,
)


class Spent(Struct, frozen=True):
    """What some requests cost."""

    requests: int
    refused: int
    seconds: float
    cpu_s: dict[str, float]
    """By tier."""
    client_s: float
    """Of this process."""
    journal_bytes: int


class OpenedMemory:
    """What the processes held with no account, with half of them, and with all."""

    def __init__(self) -> None:
        self.held: list[tuple[int, dict[str, int]]] = []

    async def note(self, system: "SmallSystem", accounts: int) -> None:
        """Look now; see `Opened`."""
        self.held.append((accounts, system.memory()))

    def each(self, tier: str) -> float:
        """Give the bytes that an account takes in a tier."""
        (_, _), (few, held_few), (many, held_many) = self.held
        return max(held_many[tier] - held_few[tier], 0) / (many - few)


class SmallSystem:
    """The running system."""

    def __init__(self, system: System, country: Country, client: AsyncClient, slots: int) -> None:
        self._system = system
        self._client = client
        self._slots = slots
        self.people = [
            member.identity
            for account in country.people.accounts
            if not account.suspended
            for member in account.members
            if member.kind == MOBILE
        ]
        """Identities that are asked about, in turn."""
        self._day_ms = country.day_ms
        self._runs = itertools.count(1)
        self._seen: dict[str, tuple[int, int]] = {}

    def memory(self) -> dict[str, int]:
        """Give the resident memory of each tier's processes, bytes."""
        return {tier: sum(int(_proc(pid, "statm").split()[1]) for pid in self._pids(tier)) * PAGESIZE for tier in TIERS}

    def cpu_s(self) -> dict[str, float]:
        """Give the CPU that each tier's processes have used so far, seconds."""
        return {tier: sum(_cpu_s(pid) for pid in self._pids(tier)) for tier in TIERS}

    async def idle(self, seconds: float) -> dict[str, float]:
        """Give the share of a core that a tier's processes use with nothing to do, in all."""
        before = self.cpu_s()
        await asyncio.sleep(seconds)
        return {tier: (used - before[tier]) / seconds for tier, used in self.cpu_s().items()}

    async def journal(self) -> int:
        """Give the bytes of all groups that came into the journals since the last look."""
        found = 0
        for url, names in journals_of(self._system.layout, self._slots).items():
            unit = await STORES.open_to_read(url)
            try:
                for name in names:
                    segment, seen = self._seen.get(name, (0, -1))
                    while (head := await unit.head(name, segment)) is not None:
                        async for page in unit.read(name, segment, seen + 1, head.seq):
                            found += sum(len(group.payload) for group in page)
                        seen = max(seen, head.seq)
                        self._seen[name] = (segment, seen)
                        segment += 1
            finally:
                await unit.close()
        return found

    async def spend(self, kind: str, count: int) -> Spent:
        """Send requests of a kind, and say what they cost."""
        if kind != STEP:
            return await self._send(self._made(kind, count))
        parts = [await self._send(some) for some in self._sessions(count)]
        return _sum(parts)

    async def spend_mix(self, mix: Mapping[str, float], count: int) -> Spent:
        """Send requests of all kinds, mixed as the weights say, sessions in their order."""
        total = sum(mix.values())
        single = [self._made(kind, round(count * mix[kind] / total)) for kind in (CHARGE, QUERY, COMMAND)]
        steps = self._sessions(round(count * mix[STEP] / total))
        others = _in_turn(single)
        share = max(1, count // STEPS_OF_SESSION)
        parts = [await self._send(_in_turn([iter(some), itertools.islice(others, share)])) for some in steps]
        parts.append(await self._send(others))
        return _sum(parts)

    async def _send(self, asked: Iterable[desk.ServiceRequest]) -> Spent:
        cpu, own, began = self.cpu_s(), time.process_time(), time.perf_counter()
        count = refused = 0
        async for _, reply in self._client.exchange(asked, window=WINDOW_REQUESTS, timeout_ms=TIMEOUT_MS):
            count += 1
            refused += reply.HasField("error")
        seconds, own = time.perf_counter() - began, time.process_time() - own
        used = {tier: now - cpu[tier] for tier, now in self.cpu_s().items()}
        return Spent(count, refused, seconds, used, own, await self.journal())

    def _made(self, kind: str, count: int) -> Iterator[desk.ServiceRequest]:
        run = next(self._runs)
        usage = ((offers.VOICE, 61), (offers.SMS, 1), (offers.DATA, 3_000_000))
        for number in range(count):
            identity = self.people[number * 7_919 % len(self.people)]
            if kind == QUERY:
                yield requests.query(identity, "balance", channel=reference.WEB_HALL)
            elif kind == COMMAND:
                key = f"capacity-{run}-{number}"
                yield requests.execute(
                    identity, requests.top_up(MONEY), channel=reference.WEB_HALL, request_key=key, actor="capacity"
                )
            else:
                service, quantity = usage[number % 3]
                yield requests.charge(
                    identity,
                    service,
                    quantity,
                    channel=reference.FRONT,
                    request_key=f"capacity-{run}-{number}",
                    event_time_ms=self._day_ms + 36_000_000 + number,
                    other_party=self.people[number % len(self.people)] if service != offers.DATA else "",
                )

    def _sessions(self, steps: int) -> Iterator[list[desk.ServiceRequest]]:
        """Give the steps of sessions in lists that must be sent one after the other."""
        run, sessions = next(self._runs), max(1, steps // STEPS_OF_SESSION)
        for invocation, operation in enumerate(_OPERATIONS):
            unit = desk.UnitUse(
                service_code=offers.DATA,
                requested=0 if operation == _OPERATIONS[-1] else 1_000_000,
                used=0 if invocation == 0 else 800_000,
            )
            yield [
                requests.execute(
                    self.people[number * 7_919 % len(self.people)],
                    requests.session(f"s-{run}-{number}", operation, invocation, [unit]),
                    channel=reference.FRONT,
                    request_key=f"capacity-{run}-{number}-{invocation}",
                )
                for number in range(sessions)
            ]

    def _pids(self, tier: str) -> list[int]:
        return [process.pid for process in self._system.running[tier]]


def _in_turn(sources: list[Iterator[desk.ServiceRequest]]) -> Iterator[desk.ServiceRequest]:
    while sources:
        for source in list(sources):
            found = next(source, None)
            if found is None:
                sources.remove(source)
            else:
                yield found


def _sum(parts: list[Spent]) -> Spent:
    return Spent(
        sum(part.requests for part in parts),
        sum(part.refused for part in parts),
        sum(part.seconds for part in parts),
        {tier: sum(part.cpu_s[tier] for part in parts) for tier in TIERS},
        sum(part.client_s for part in parts),
        sum(part.journal_bytes for part in parts),
    )


def _proc(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text()


def _cpu_s(pid: int) -> float:
    fields = _proc(pid, "stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


Opened = Callable[[SmallSystem, int], Awaitable[None]]
"""Takes the system and how many accounts it has now."""


@asynccontextmanager
async def small_system(
    folder: Path, subscribers: int, shape: Shape, units: str, opened: Opened
) -> AsyncIterator[SmallSystem]:
    """Start a system in a folder of its own, load the country, open its accounts; drain it at the end of the block.

    `opened` is called when no account is open, when half of them are, and when all are: what grows between the last two
    is theirs, what grows before is the processes' own.
    """
    options = Options(folder, units, subscribers=subscribers, shape=shape)
    clear(folder)
    country = settle(subscribers, options.seed, yesterday_ms())
    quiet = _Quiet()
    async with Supervisor(folder / "logs") as supervisor:
        system = System(supervisor, lay_out(fresh_base(options)), {})
        await make_units(quiet, system.layout)
        await system.start(shape)
        await load_country(quiet, system, system.layout, country, options)
        async with AsyncClient(system.endpoints, timeout_ms=TIMEOUT_MS) as client:
            running = SmallSystem(system, country, client, options.slots)
            await opened(running, 0)
            accounts = country.people.accounts
            half = len(accounts) // 2
            for some, count in ((accounts[:half], half), (accounts[half:], len(accounts))):
                await open_accounts(quiet, system, client, replace(country.people, accounts=some))
                await opened(running, count)
            await running.journal()
            yield running
        await supervisor.drain()


class _Quiet:
    """Tells nobody what is done."""

    def say(self, text: str) -> None:
        """Keep it."""

    async def with_bar(self, title: str, total: int, work: Callable[[Advance], Awaitable[Sent]]) -> Sent:
        """Do the sending."""
        return await work(lambda _: None)
