"""What the tests of this room share: a slot over a memory unit that can be made to fail, and commands for it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from hashlib import blake2b

from msgspec import Raw

from charging import wire
from charging.base.account import Book
from charging.base.contract import Contract
from charging.base.usage import SealedCharge, Usage
from charging.ledger.command import Command
from charging.ledger.commands.open_account import OpenAccount
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.step_session import SessionUnit, StepSession
from charging.ledger.kinds import Action
from charging.wire import Answer, Ask, Commit
from domainservers.base.limits import Limits
from domainservers.slot.recovery import recover
from domainservers.slot.slot import Slot
from house.stores import COLLECTIONS
from runtime.telemetry import Metrics
from storage.memory.unit import MemoryStore, MemoryUnit
from storage.unit import Group, Head, Record, Stored, StoreRejected, StoreUnavailable

NOW_MS = 1_800_000_000_000
ALICE = "msisdn:8613800000001"
BOB = "msisdn:8613800000002"


class Clock:
    """Time set by hand: `ms` passes, `ahead_ms` is how wrong the wall clock is."""

    def __init__(self) -> None:
        self.ms = NOW_MS
        self.ahead_ms = 0

    def now_ms(self) -> int:
        return self.ms + self.ahead_ms

    def steady_ms(self) -> int:
        return self.ms - NOW_MS


class FlakyUnit(MemoryUnit):
    """A memory unit that can be held, can be away, or can apply a swap and not say so."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        super().__init__(store or MemoryStore(), COLLECTIONS)
        self.swaps = 0
        self.silent_swaps = 0
        """So many of the next swaps are applied without an answer."""
        self.vanishes = False
        """With the last silent swap the unit goes away."""
        self.away = False
        self.refuses_puts = 0
        """So many of the next puts are refused, as by a role without the right to write."""
        self.open = asyncio.Event()
        self.open.set()

    async def swap(self, journal: str, segment: int, expect: Head | None, head: Head, group: Group | None) -> Head:
        await self.open.wait()
        if self.away:
            raise StoreUnavailable("away")
        self.swaps += 1
        found = await super().swap(journal, segment, expect, head, group)
        if self.silent_swaps > 0:
            self.silent_swaps -= 1
            self.away = self.vanishes
            raise StoreUnavailable("no answer")
        return found

    async def put(self, records: Sequence[Record]) -> None:
        if self.away:
            raise StoreUnavailable("away")
        if self.refuses_puts > 0:
            self.refuses_puts -= 1
            raise StoreRejected("no right to write")
        await super().put(records)

    async def get(self, collection: str, partition: str, keys: Sequence[str]) -> dict[str, Stored]:
        if self.away:
            raise StoreUnavailable("away")
        return await super().get(collection, partition, keys)

    async def scan(self, collection: str, partition: str) -> AsyncIterator[Sequence[Stored]]:
        if self.away:
            raise StoreUnavailable("away")
        async for page in super().scan(collection, partition):
            yield page


class Waiting:
    """A caller's sink."""

    def __init__(self, timeout_s: float = 30.0) -> None:
        self.deadline = asyncio.get_running_loop().time() + timeout_s
        self.answers: dict[int, Answer] = {}
        self.changed = asyncio.Event()

    def answer(self, position: int, body: bytes) -> None:
        assert position not in self.answers, "answered twice"
        self.answers[position] = wire.unpack_answer(body)
        self.changed.set()

    async def all(self, items: int) -> list[Answer]:
        async with asyncio.timeout(20):
            while len(self.answers) < items:
                self.changed.clear()
                await self.changed.wait()
        return [self.answers[place] for place in range(items)]


async def own(unit: FlakyUnit, limits: Limits | None = None, clock: Clock | None = None, name: str = "GD/0") -> Slot:
    """Take a slot over."""
    parts = await recover(
        name,
        f"test#{id(object())}.{unit.swaps}",
        unit,
        unit,
        limits or Limits(),
        clock or Clock(),
        asyncio.Semaphore(4),
        lambda: 7,
        Metrics("test"),
    )
    return Slot(parts, lambda _: None)


async def ask(slot: Slot, *asks: Ask) -> list[Answer]:
    """Submit one batch and wait for all of it."""
    waiting = Waiting()
    slot.submit(waiting, list(enumerate(asks)))
    return await waiting.all(len(asks))


async def do(slot: Slot, key: str, action: Action, account_id: str = ALICE, content: str = "") -> Answer:
    """Commit one command."""
    (answer,) = await ask(slot, commit(key, action, account_id, content))
    return answer


def commit(key: str, action: Action, account_id: str = ALICE, content: str = "") -> Commit:
    """Make a commit; `content` stands for what the caller asked, its digest must be the same for a repeat."""
    digest = blake2b((content or key).encode(), digest_size=16).digest()
    return Commit(account_id, Command(account_id, key, digest, "clerk", "front", NOW_MS, action))


def opening(account_id: str = ALICE, amount: int = 10_000_000, domain: str = "GD") -> OpenAccount:
    """Open an account with some money."""
    contract = Contract(account_id, account_id, domain)
    books = (Book("main", "money", amount),)
    return OpenAccount(account_id, "c", "prepaid", "CNY", 0, 1, contract, books, {}, {}, ())


def charge(amount: int, account_id: str = ALICE, version: int = 1, *, depends: bool = False) -> PostCharge:
    """Take an amount."""
    usage = Usage(account_id, "voice", NOW_MS, 60)
    return PostCharge(usage, SealedCharge(amount, "CNY", (), (), 1, depends, Raw(b"\x90")), version)


def session_step(
    invocation: int,
    used: int,
    granted: int,
    until_ms: int,
    version: int,
    *,
    operation: str = "",
    price: int = 10,
) -> StepSession:
    """One step of a data session, at a price in micro-units a unit."""
    usage = Usage(ALICE, "data", NOW_MS, used)
    charge_now = SealedCharge(used * price, "CNY", (), (), 1, False, Raw(b"\x90"))
    reservation = SealedCharge((used + granted) * price, "CNY", (), (), 1, False, Raw(b"\x90"))
    unit = SessionUnit(usage, charge_now, granted, reservation if granted else None, False, "terminate", 0)
    operation = operation or ("create" if invocation == 0 else "update")
    return StepSession("s-1", operation, invocation, ALICE, (unit,), until_ms, version)


async def until(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
