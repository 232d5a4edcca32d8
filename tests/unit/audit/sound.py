"""A unit in which two accounts have had about everything happen to them, and its audit."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from audit.following import SlotReport
from audit.journals import JournalRef, audit_journal
from charging.base.account import Account
from charging.ledger.commands.refund import Refund
from charging.ledger.commands.send_transfer import SendTransfer
from charging.ledger.entry import Entry
from charging.ledger.own import receive_command, settle_command
from charging.wire import BusinessData, Done, Pull
from domainservers.base.limits import Limits
from domainservers.slot.recovery import recover
from domainservers.slot.slot import Slot
from evidence.keyfile import key_file, ring_at
from evidence.keys import KeyRing
from evidence.seals import open_sealed
from house.stores import STORES
from runtime.telemetry import Metrics
from storage.unit import Unit
from tests.unit.domainservers.room import ALICE, NOW_MS, Clock, ask, charge, do, opening, session_step

WEI = "msisdn:8613800000004"
SENT = f"~receive~{ALICE}~send"
NAMES = ("GD/0", "GD/1")
Change = Callable[[Entry], Entry | None]


@asynccontextmanager
async def owned(
    unit: Unit,
    name: str,
    ring: KeyRing,
    limits: Limits | None = None,
    clock: Clock | None = None,
    national: Unit | None = None,
) -> AsyncIterator[Slot]:
    """Own a slot, and give it up in order. `national` has the registry of identities; None = `unit` itself."""
    permits, metrics = asyncio.Semaphore(1), Metrics("test")
    parts = await recover(
        name,
        "one#1",
        unit,
        unit,
        limits or Limits(),
        clock or Clock(),
        permits,
        lambda: 1,
        metrics,
        ring,
        national=national,
    )
    slot = Slot(parts, lambda _: None)
    yield slot
    await slot.close()


def ring_of(url: str) -> KeyRing:
    """The keys beside a unit, made if need be."""
    return ring_at(key_file(None, url), make=True)


def ref(url: str, name: str) -> JournalRef:
    """A journal, with the keys that are beside its unit."""
    return JournalRef(url, name, ring=ring_of(url))


async def account_of(slot: Slot, identity: str) -> Account:
    (data,) = await ask(slot, Pull(identity))
    assert isinstance(data, BusinessData)
    return data.account


async def lived_in(tmp_path: Path) -> str:
    """Make a unit in which Alice and Wei, of two slots, have had about everything happen to them."""
    found = f"sqlite://{tmp_path}/unit.db"
    await STORES.migrate(found)
    ring = ring_of(found)
    unit = await open_sealed(STORES, found, ring)
    national = await STORES.open(f"sqlite://{tmp_path}/directory.db")
    async with (
        owned(unit, "GD/0", ring, national=national) as south,
        owned(unit, "GD/1", ring, national=national) as north,
    ):
        await do(south, "open", opening())
        await do(north, "open", opening(WEI), WEI)
        await do(south, "call", charge(300))
        await do(south, "refund", Refund("call", 100, "bad line"))
        await do(south, "dear", charge(99_000_000))
        await do(south, "s-0", session_step(0, 0, 500, NOW_MS + 60_000, 3))
        await do(south, "s-1", session_step(1, 200, 500, NOW_MS + 60_000, 4))
        await do(south, "send", SendTransfer("main", WEI, "main", 7_000, "gift"))
        sender = await account_of(south, ALICE)
        received = receive_command(sender, sender.open.outgoing[0], WEI, NOW_MS)
        assert isinstance(await do(north, received.key, received.action, WEI), Done)
        settled = settle_command(sender, sender.open.outgoing[0], "", NOW_MS)
        assert isinstance(await do(south, settled.key, settled.action), Done)
    await national.close()
    await unit.close()
    return found


async def audited(url: str, name: str = "GD/0", only: str = "") -> SlotReport:
    return (await audit_journal(ref(url, name), only, lambda _: None)).report
