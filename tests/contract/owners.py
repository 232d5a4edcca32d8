"""The owner of accounts twice: in memory, as tests of the platform use it, and a domain server on SQLite units.

Both are asked in the words of `charging.wire`, packed. Tests of the platform are worth as much as the two agree.
"""

from hashlib import blake2b
from pathlib import Path
from typing import Protocol

from msgspec import Raw

from charging import wire
from charging.base.account import MAIN_BOOK, MONEY, Book
from charging.base.contract import Contract
from charging.base.usage import SealedCharge, Usage
from charging.ledger.command import Command
from charging.ledger.commands.open_account import OpenAccount
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.step_session import SessionUnit, StepSession
from charging.ledger.commands.top_up import TopUp
from charging.ledger.kinds import Action
from charging.wire import Answer, Ask, Commit
from domainservers.main import build
from domainservers.room import PROCESS as DOMAINSERVER
from runtime.server import RunningTier, start_tier
from testkit import owner as in_memory
from tests.unit.domainservers.test_serve import Caller, lay_out, settings_of

NOW_MS = 1_800_000_000_000
ALICE = "msisdn:8613800000001"
BOB = "msisdn:8613800000002"
SLOT = "GD/0"
MISROUTED = "misrouted"
"""The answer to what is not owned there: nothing was done."""


class AnyOwner(Protocol):
    """Whoever answers for the accounts of Guangdong."""

    async def ask(self, *asks: Ask, slot: str = SLOT) -> list[Answer | str]:
        """Send a batch of asks about one slot and give the answers in order."""
        raise NotImplementedError

    async def take_over(self) -> None:
        """Let another owner take over, who knows what was journaled and nothing else."""

    async def close(self) -> None:
        """Stop it."""


class KeptInMemory:
    """`testkit.owner`."""

    def __init__(self) -> None:
        self._owner = in_memory.OwnerInMemory(("GD",))

    async def ask(self, *asks: Ask, slot: str = SLOT) -> list[Answer | str]:
        if not self._owner.serves(slot):
            return [MISROUTED] * len(asks)
        return [wire.unpack_answer(self._owner.answer(wire.pack(ask))) for ask in asks]

    async def take_over(self) -> None:
        self._owner.desk.crash()

    async def close(self) -> None:
        pass


class DomainServer:
    """`domainservers`, asked through its stream."""

    def __init__(self, folder: Path, running: RunningTier) -> None:
        self._folder = folder
        self._running = running
        self._caller = Caller(running.address)

    @classmethod
    async def start(cls, folder: Path) -> "DomainServer":
        """Lay out units in a folder and serve them."""
        await lay_out(folder)
        return cls(folder, await start_tier(DOMAINSERVER, settings_of(folder), build))

    async def ask(self, *asks: Ask, slot: str = SLOT) -> list[Answer | str]:
        return await self._caller.ask(*asks, slot=slot)

    async def take_over(self) -> None:
        await self.close()
        self._running = await start_tier(DOMAINSERVER, settings_of(self._folder), build)
        self._caller = Caller(self._running.address)

    async def close(self) -> None:
        await self._caller.close()
        await self._running.stop()


def commit(key: str, action: Action, identity: str = ALICE, content: str = "", account_id: str = ALICE) -> Commit:
    """Make a commit; `content` stands for what the caller asked: the same for a repeat, another for another intent."""
    digest = blake2b((content or key).encode(), digest_size=16).digest()
    return Commit(identity, Command(account_id, key, digest, "clerk", "front", NOW_MS, action, "local"))


def opening(
    identity: str = ALICE, amount: int = 10_000_000, *, domain: str = "GD", account_id: str = ALICE
) -> OpenAccount:
    """Open an account with some money in its main book, in micro-units."""
    contract = Contract(identity, account_id, domain)
    books = (Book(MAIN_BOOK, MONEY, amount),)
    return OpenAccount(account_id, "c", "prepaid", "CNY", 0, 1, contract, books, {}, {}, ())


def top_up(amount: int) -> TopUp:
    """Put money into the main book."""
    return TopUp(MAIN_BOOK, MONEY, amount, 0, 100, "", "deposit")


def charge(amount: int, version: int = 1, identity: str = ALICE, *, depends: bool = False) -> PostCharge:
    """Take an amount that was rated on a version of the account."""
    usage = Usage(identity, "voice", NOW_MS, 60)
    return PostCharge(usage, SealedCharge(amount, "CNY", (), (), 3, depends, Raw(b"\x90")), version)


def session_step(
    invocation: int, used: int, granted: int, until_ms: int, version: int, *, operation: str = ""
) -> StepSession:
    """One step of a data session at 10 micro-units a unit: so much used since its start, so much granted beyond."""
    usage = Usage(ALICE, "data", NOW_MS, used)
    taken = SealedCharge(used * 10, "CNY", (), (), 3, False, Raw(b"\x90"))
    kept = SealedCharge((used + granted) * 10, "CNY", (), (), 3, False, Raw(b"\x90")) if granted else None
    unit = SessionUnit(usage, taken, granted, kept, False, "terminate", 0)
    operation = operation or ("create" if invocation == 0 else "update")
    return StepSession("s-1", operation, invocation, ALICE, (unit,), until_ms, version)
