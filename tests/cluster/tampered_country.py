"""A small country that real domain servers wrote, and what somebody with its files and not its keys can do to them."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from hashlib import blake2b
from pathlib import Path

from msgspec import Raw, Struct
from msgspec.msgpack import encode
from msgspec.structs import replace

from audit.national import Audited, Sources, audit_country
from charging.base.account import Book
from charging.base.contract import Contract
from charging.base.usage import SealedCharge, Usage
from charging.ledger.command import Command
from charging.ledger.commands.adjust import Adjust
from charging.ledger.commands.open_account import OpenAccount
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.entry import Entry
from charging.ledger.kinds import Action
from charging.wire import Commit, Done
from directory.changes import Domain, NumberPlan, UnitAddress
from directory.directory import Directory
from domainservers.journal.groups import pack_entries, unpack_entries
from domainservers.journal.journal import genesis
from domainservers.main import build
from domainservers.room import PROCESS as DOMAINSERVER
from domainservers.settings import DomainServerSettings
from evidence.keyfile import key_file, read_ring, ring_at
from evidence.keys import ID_BYTES, KeyRing
from house.stores import STORES
from runtime.server import RunningTier, start_tier
from tests.unit.domainservers.room import until
from tests.unit.domainservers.test_serve import NOW_MS, Caller

SLOT = "GD/0"
OTHER = "BJ/0"
ALICE = "msisdn:8613800000001"
BOB = "msisdn:8613900000001"
LIVING = {SLOT: ALICE, OTHER: BOB}
UNITS = ("directory", "shared", "gd", "bj")


class Place(Struct, frozen=True):
    """A country's files."""

    folder: Path
    elsewhere: Mapping[str, str] = {}
    """URLs of units that are no files here."""

    def url(self, unit: str) -> str:
        return self.elsewhere.get(unit, f"sqlite://{self.file(unit)}")

    @property
    def directory(self) -> str:
        return f"sqlite://{self.folder}/directory.db"

    @property
    def evidence(self) -> Path:
        return self.folder / "evidence"

    @property
    def ring(self) -> KeyRing:
        return read_ring(self.evidence / "chain.keys")

    def file(self, unit: str) -> Path:
        return self.folder / f"{unit}.db"

    def run(self, unit: str, statement: str, *values: object) -> int:
        """Do something to a unit's file; gives how many rows it changed."""
        with closing(sqlite3.connect(self.file(unit))) as file:
            done = file.execute(statement, values)
            file.commit()
            return done.rowcount

    def ask(self, unit: str, query: str, *values: object) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.file(unit))) as file:
            return file.execute(query, values).fetchall()

    def groups(self, unit: str = "gd", journal: str = SLOT) -> list[tuple[int, int, bytes]]:
        """Segment, sequence and stored bytes of the groups of a journal."""
        query = "SELECT segment, seq, payload FROM segment_group WHERE journal = ? ORDER BY seq"
        return [
            (int(str(segment)), int(str(seq)), bytes(payload))
            for segment, seq, payload in self._blobs(unit, query, journal)
        ]

    def _blobs(self, unit: str, query: str, *values: object) -> list[tuple[object, object, bytes]]:
        with closing(sqlite3.connect(self.file(unit))) as file:
            return file.execute(query, values).fetchall()

    def audit(self) -> Audited:
        """Audit the whole country."""
        return audit_country(Sources(self.directory, self.ring, self.evidence / "anchors"), "", 1)


def settings_of(place: Place) -> DomainServerSettings:
    return DomainServerSettings(
        directory=place.directory,
        metrics_listen="",
        poll_ms=50,
        heartbeat_ms=50,
        server_id="one",
        anchor_interval_ms=50,
        snapshot_entries=8,
        segment_groups_max=5,
        unit_hosts=["127.*"],
    )


async def lay_out(place: Place) -> None:
    unit = await STORES.open(place.directory)
    ring = ring_at(key_file(None, place.directory), make=True)
    directory = await Directory.open(unit, 1_000, ring=ring)
    units = [UnitAddress(name, place.url(name)) for name in UNITS[1:]]
    domains = [
        Domain("GD", "Guangdong", "Asia/Shanghai", 1, "shared", "gd"),
        Domain("BJ", "Beijing", "Asia/Shanghai", 1, "shared", "bj"),
    ]
    await directory.amend([*units, *domains, NumberPlan({"86138": "GD", "86139": "BJ"})], "country", "test")
    await directory.amend([UnitAddress("far-away", "sqlite:///far/away.db")], "a price", "publisher")
    await directory.close()
    await unit.close()


def commit(identity: str, key: str, action: Action) -> Commit:
    digest = blake2b(key.encode(), digest_size=16).digest()
    return Commit(identity, Command(identity, key, digest, "clerk", "front", NOW_MS, action, "local"))


def opening(identity: str, domain: str) -> OpenAccount:
    contract = Contract(identity, identity, domain, order_id=f"order-{domain}")
    return OpenAccount(
        identity, "c1", "prepaid", "CNY", 0, 1, contract, (Book("main", "money", 10_000_000),), {}, {}, ()
    )


def charge(identity: str, amount: int) -> PostCharge:
    usage = Usage(identity, "voice", NOW_MS, 60)
    return PostCharge(usage, SealedCharge(amount, "CNY", (), (), 1, False, Raw(b"\x90")), 1)


async def live(place: Place, day: int, slots: Sequence[str] = (SLOT, OTHER), rounds: int = 1) -> None:
    """Let a domain server own both slots for a while; the first day opens the accounts."""
    server = await start_tier(DOMAINSERVER, settings_of(place), build)
    caller = Caller(server.address)
    try:
        for slot in slots:
            identity = LIVING[slot]
            if day == 0:
                await tell(caller, slot, commit(identity, "open", opening(identity, slot[:2])))
            async with anchored(place):
                for number in range(9 * rounds):
                    await tell(caller, slot, commit(identity, f"call-{day}-{number}", charge(identity, 100 + number)))
            async with anchored(place):
                await tell(caller, slot, commit(identity, f"goodwill-{day}", Adjust("main", 5_000, "goodwill")))
        await asyncio.sleep(0.3)
    finally:
        await caller.close()
        await server.stop()


@asynccontextmanager
async def anchored(place: Place) -> AsyncIterator[None]:
    """Have anchors noted of what happens in the block in a line of their own: to cut one out takes several."""
    before = _anchor_bytes(place)
    yield
    await until(lambda: _anchor_bytes(place) > before)


def _anchor_bytes(place: Place) -> int:
    return sum(path.stat().st_size for path in (place.evidence / "anchors").glob("*"))


async def tell(caller: Caller, slot: str, ask: Commit) -> None:
    (answer,) = await caller.ask(ask, slot=slot)
    assert isinstance(answer, Done), answer


async def taken_over(place: Place) -> set[str]:
    """Start a domain server, say which slots it took over, and stop it."""
    server: RunningTier = await start_tier(DOMAINSERVER, settings_of(place), build)
    try:
        caller = Caller(server.address)
        found = set()
        for slot, identity in LIVING.items():
            (answer,) = await caller.ask(commit(identity, f"after-{slot}", charge(identity, 1)), slot=slot)
            if isinstance(answer, Done):
                found.add(slot)
        await caller.close()
        return found
    finally:
        await server.stop()


def build_country(folder: Path) -> tuple[Place, Path, Path]:
    """Make a country; gives it, a copy of its files after the first day, and one of how it is in the end."""
    place = Place(folder / "country")
    place.folder.mkdir(parents=True)
    asyncio.run(lay_out(place))
    asyncio.run(live(place, 0))
    shutil.copytree(place.folder, folder / "old")
    asyncio.run(live(place, 1))
    shutil.copytree(place.folder, folder / "sound")
    return place, folder / "old", folder / "sound"


def restore(place: Place, copy: Path) -> None:
    """Make the country as it was copied; keys and anchors too."""
    shutil.rmtree(place.folder)
    shutil.copytree(copy, place.folder)


def rechain(place: Place, journal: str, payloads: dict[int, bytes]) -> None:
    """Put other payloads in, and make the chain anew with the function that everybody can read."""
    unit = "directory" if journal == "directory" else "gd"
    tip = b"" if journal == "directory" else genesis(journal)
    for segment, seq, stored in place.groups(unit, journal):
        changed = stored[:ID_BYTES] + payloads.get(seq, stored[ID_BYTES:])
        tip = blake2b(tip + changed, digest_size=32).digest()
        place.run(unit, "UPDATE segment_group SET payload = ? WHERE journal = ? AND seq = ?", changed, journal, seq)
        place.run(
            unit,
            "UPDATE segment_head SET tip = ? WHERE journal = ? AND segment = ? AND head = ?",
            *(tip, journal, segment, seq),
        )


def rewritten(place: Place, change: Callable[[Entry], Entry]) -> Iterator[tuple[int, bytes]]:
    """Give the groups of the slot in which an entry changes, with what they hold then."""
    for _, seq, stored in place.groups():
        entries = unpack_entries(stored[ID_BYTES:])
        changed = [change(entry) for entry in entries]
        if changed != entries:
            yield seq, pack_entries([encode(entry) for entry in changed])


def by_somebody_else(entry: Entry) -> Entry:
    return replace(entry, actor="CEO") if entry.key.startswith("goodwill") else entry
