"""Several domain servers share slots: they join, leave, die, are stopped; callers who repeat see no error."""

import asyncio

from charging.errors import Unavailable
from charging.ledger.commands.send_transfer import SendTransfer
from charging.ledger.commands.set_status import SetStatus
from charging.wire import Answer, Ask, BusinessData, Done, Failed, Pull, failed, pack, unpack_ask
from directory.owners import load_owners
from directory.state import DomainInfo
from domainservers.base.clock import SteadyClock
from domainservers.base.limits import Limits
from domainservers.ownership.host import Host
from domainservers.ownership.ownership import Ownership
from domainservers.ownership.units import Units
from domainservers.slot.courier import Courier
from domainservers.slot.keeping import Keeping
from domainservers.slot.moving import fence, move_slots, take_back
from domainservers.slot.slot import Slot
from runtime.telemetry import Metrics
from storage.memory.unit import MemoryStore
from storage.unit import Unit
from tests.unit.domainservers.room import ALICE, BOB, Clock, FlakyUnit, Waiting, charge, commit, opening, until

LIMITS = Limits(retry_ms=10, sweep_ms=50)


class Country:
    """Hosts over shared stores, and callers that follow the owners' records."""

    def __init__(self, slots: int = 4) -> None:
        self.stores: dict[str, MemoryStore] = {
            name: MemoryStore() for name in ("directory", "shared", "private", "other")
        }
        self.domains = {"GD": DomainInfo("GD", "Guangdong", "Asia/Shanghai", slots, "shared", "private")}
        self.servers: dict[str, tuple[Host, Ownership, FlakyUnit]] = {}
        self.clocks: dict[str, Clock] = {}
        self.wrong: dict[str, int] = {}
        """How far ahead a machine's clock is when its server begins."""
        self.directory = FlakyUnit(self.stores["directory"])

    async def open_unit(self, url: str) -> Unit:
        return FlakyUnit(self.stores[url])

    async def join(self, name: str) -> None:
        """Start a server."""
        self.clocks[name] = Clock()
        self.clocks[name].ahead_ms = self.wrong.get(name, 0)
        clock = SteadyClock(self.clocks[name])
        host = Host(name, Units(self.open_unit), LIMITS, clock, 4, lambda _: 1, Metrics("test"), self._keeping)
        unit = FlakyUnit(self.stores["directory"])
        ownership = Ownership(
            name, name, unit, lambda: self.domains, host, clock, serves=(), heartbeat_ms=20, ttl_ms=300
        )
        self.servers[name] = (host, ownership, unit)
        await ownership.start()

    def _keeping(self, slot: Slot) -> Keeping:
        return Keeping(slot, Courier(slot, self))

    async def leave(self, name: str) -> None:
        """Stop a server in order."""
        await self.servers.pop(name)[1].stop()

    def kill(self, name: str) -> None:
        """Stop a server without a word."""
        host, ownership, _ = self.servers.pop(name)
        ownership.halt()
        for owned in list(host.owned.values()):
            owned.slot.end()

    async def ask(self, identity: str, body: bytes, timeout_ms: int) -> bytes:
        """Couriers' way."""
        return pack(await self.once("GD/1" if BOB in identity else "GD/0", unpack_ask(body)))

    async def once(self, slot: str, one: Ask) -> Answer:
        """Ask the announced owner once."""
        owner = (await load_owners(self.directory)).get(slot)
        server = self.servers.get(owner.address) if owner is not None else None
        owned = server[0].slot(slot) if server is not None else None
        if owned is None:
            return failed(Unavailable.told("MISROUTED", "nobody owns it just now", retry_ms=10))
        waiting = Waiting(5.0)
        owned.submit(waiting, [(0, one)])
        try:
            return (await waiting.all(1))[0]
        except TimeoutError:
            return failed(Unavailable.told("NO_ANSWER", "no answer", retry_ms=10))

    async def persist(self, slot: str, one: Ask) -> Answer:
        """Repeat while the answer says that it helps."""
        async with asyncio.timeout(15):
            while True:
                answer = await self.once(slot, one)
                if not isinstance(answer, Failed) or answer.kind not in ("unavailable", "overloaded", "expired"):
                    return answer
                await asyncio.sleep(0.01)

    def owned(self) -> dict[str, list[str]]:
        return {name: sorted(server[0].owned) for name, server in self.servers.items()}

    async def settled(self) -> None:
        """Wait until every slot is owned once, and evenly."""
        slots = self.domains["GD"].slots

        def even() -> bool:
            sizes = [len(names) for names in self.owned().values()]
            return sum(sizes) == slots and max(sizes) - min(sizes) <= 1

        await until(even)

    async def close(self) -> None:
        for name in list(self.servers):
            await self.leave(name)


async def open_everywhere(country: Country) -> dict[str, str]:
    people = {f"GD/{slot}": f"msisdn:86138{slot:08d}" for slot in range(country.domains["GD"].slots)}
    for slot, person in people.items():
        assert isinstance(await country.persist(slot, commit("open", opening(person), person)), Done)
    return people


class Load:
    """One caller for each slot, who charges its person again and again until stopped."""

    def __init__(self, country: Country, people: dict[str, str]) -> None:
        self.sent = dict.fromkeys(people, 0)
        self._country = country
        self._stop = asyncio.Event()
        self._work = [asyncio.create_task(self._charge_on(slot, person)) for slot, person in people.items()]

    async def _charge_on(self, slot: str, person: str) -> None:
        while not self._stop.is_set():
            answer = await self._country.persist(slot, commit(f"k{self.sent[slot]}", charge(1, person), person))
            assert isinstance(answer, Done), answer
            self.sent[slot] += 1

    async def end(self) -> None:
        """Let the last charges be answered. Raises what a caller was told."""
        self._stop.set()
        await asyncio.gather(*self._work)


async def test_servers_join_and_leave_and_callers_who_repeat_see_no_error() -> None:
    country = Country()
    await country.join("one")
    people = await open_everywhere(country)
    load = Load(country, people)
    await country.join("two")
    await country.settled()
    await country.join("three")
    await country.settled()
    await country.leave("one")
    await country.settled()
    country.kill("two")
    await country.settled()
    await load.end()
    assert country.owned() == {"three": sorted(people)}
    for slot, person in people.items():
        data = await country.persist(slot, Pull(person))
        assert isinstance(data, BusinessData)
        assert data.account.books[0].amount == 10_000_000 - load.sent[slot]
        assert load.sent[slot] > 0
    await country.close()


async def test_an_owner_that_was_stopped_is_refused_when_it_goes_on_and_steps_down() -> None:
    country = Country(slots=1)
    await country.join("old")
    await open_everywhere(country)
    person = "msisdn:8613800000000"
    old_host, old_ownership, _ = country.servers["old"]
    old_ownership.halt()  # Stopped: no heartbeat leaves it, but it still believes to own the slot.
    await country.join("new")
    await until(lambda: "GD/0" in country.servers["new"][0].owned)
    done = await country.persist("GD/0", commit("k", charge(1_000, person), person))
    assert isinstance(done, Done)
    slot = old_host.slot("GD/0")
    assert slot is not None, "the stopped owner knows nothing yet"
    waiting = Waiting()
    slot.submit(waiting, [(0, commit("k2", charge(5_000, person), person))])
    (answer,) = await waiting.all(1)
    assert isinstance(answer, Failed)
    assert answer.reason == "OWNER_CHANGED"
    assert old_host.slot("GD/0") is None
    data = await country.persist("GD/0", Pull(person))
    assert isinstance(data, BusinessData)
    assert data.account.books[0].amount == 10_000_000 - 1_000
    del country.servers["old"]
    await country.close()


async def test_a_stopped_owner_tells_no_old_balance() -> None:
    country = Country(slots=1)
    await country.join("old")
    await open_everywhere(country)
    person = "msisdn:8613800000000"
    old_host, old_ownership, _ = country.servers["old"]
    old_ownership.halt()
    await country.join("new")
    await until(lambda: "GD/0" in country.servers["new"][0].owned)
    await country.persist("GD/0", commit("k", charge(1_000, person), person))
    slot = old_host.slot("GD/0")
    assert slot is not None
    waiting = Waiting()
    slot.submit(waiting, [(0, Pull(person))])
    (answer,) = await waiting.all(1)
    assert isinstance(answer, Failed)
    assert answer.reason == "OWNER_CHANGED"
    del country.servers["old"]
    await country.close()


async def test_a_transfer_arrives_once_in_another_slot_though_the_owner_dies() -> None:
    country = Country(slots=2)
    await country.join("one")
    await country.persist("GD/0", commit("open", opening()))
    await country.persist("GD/1", commit("open", opening(BOB), BOB))
    sent = await country.persist("GD/0", commit("send", SendTransfer("main", BOB, "main", 4_000, "gift")))
    assert isinstance(sent, Done)
    country.kill("one")
    await country.join("two")

    async def balances() -> list[tuple[int, int]]:
        found = []
        for slot, person in (("GD/0", ALICE), ("GD/1", BOB)):
            data = await country.persist(slot, Pull(person))
            assert isinstance(data, BusinessData)
            found.append((data.account.books[0].amount, len(data.account.open.outgoing)))
        return found

    async with asyncio.timeout(15):
        while await balances() != [(10_000_000 - 4_000, 0), (10_000_000 + 4_000, 0)]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await country.close()


async def test_a_transfer_that_can_not_arrive_comes_back() -> None:
    country = Country(slots=2)
    await country.join("one")
    await country.persist("GD/0", commit("open", opening()))
    await country.persist("GD/1", commit("open", opening(BOB), BOB))
    await country.persist("GD/1", commit("close", SetStatus("closed", "gone"), BOB))
    await country.persist("GD/0", commit("send", SendTransfer("main", BOB, "main", 4_000, "gift")))
    async with asyncio.timeout(15):
        while True:
            data = await country.persist("GD/0", Pull(ALICE))
            assert isinstance(data, BusinessData)
            if not data.account.open.outgoing:
                break
            await asyncio.sleep(0.05)
    assert data.account.books[0].amount == 10_000_000
    await country.close()


async def test_a_private_unit_moves_to_another_address_under_load() -> None:
    country = Country(slots=2)
    await country.join("one")
    people = await open_everywhere(country)
    load = Load(country, people)
    await asyncio.sleep(0.2)
    source, target = FlakyUnit(country.stores["private"]), FlakyUnit(country.stores["other"])
    moved: list[str] = []
    report = await move_slots(source, target, list(people), "other", moved.append)
    country.domains["GD"] = DomainInfo("GD", "Guangdong", "Asia/Shanghai", 2, "shared", "other")
    before = dict(load.sent)
    await until(lambda: all(load.sent[slot] > before[slot] + 3 for slot in people))
    await load.end()
    country.stores["private"].groups.clear()
    country.stores["private"].heads.clear()
    country.kill("one")
    await country.join("two")
    for slot, person in people.items():
        data = await country.persist(slot, Pull(person))
        assert isinstance(data, BusinessData)
        assert data.account.books[0].amount == 10_000_000 - load.sent[slot]
        again = await country.persist(slot, commit("k0", charge(1, person), person))
        assert isinstance(again, Done)
        assert again.repeated
    assert report.slots == 2
    assert report.groups > 0
    await country.close()


async def test_a_move_can_be_taken_back() -> None:
    country = Country(slots=1)
    await country.join("one")
    await open_everywhere(country)
    person = "msisdn:8613800000000"
    source = FlakyUnit(country.stores["private"])
    assert await fence(source, "GD/0", "other")
    assert isinstance(await country.once("GD/0", commit("k", charge(1, person), person)), Failed)
    await take_back(source, ["GD/0"])
    assert isinstance(await country.persist("GD/0", commit("k", charge(1, person), person)), Done)
    await country.close()
