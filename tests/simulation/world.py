"""A seeded world: processes, accounts, callers, a schedule of faults. `run(seed)` plays and judges it."""

import asyncio
from hashlib import blake2b
from random import Random

import structlog
from msgspec import Struct

from charging import wire
from charging.base.account_id import compose, identity_of
from charging.errors import Unavailable
from charging.wire import Answer, Ask, Bills
from directory.owners import load_owners
from directory.slots import slot_key, slot_of
from directory.state import DomainInfo
from domainservers.contracts.contracts import read_contracts, unpack_contract
from evidence.seals import SealedUnit
from runtime.telemetry import Metrics
from storage.unit import Unit
from tests.simulation import checker
from tests.simulation.billing import Operator
from tests.simulation.bills import Worker
from tests.simulation.books import Books, Wrong, require
from tests.simulation.callers import DAY_MS, EARLY_DAYS, WANDERERS, Caller
from tests.simulation.histories import Histories
from tests.simulation.loop import SimulatedLoop
from tests.simulation.node import RING, TRY_S, Node
from tests.simulation.ports import Porter, Ports
from tests.simulation.store import Faults, SimulatedUnit, Store, Wire

DOMAINS = {
    "GD": DomainInfo("GD", "Guangdong", "Asia/Shanghai", 2, "shared", "private"),
    "BJ": DomainInfo("BJ", "Beijing", "Asia/Shanghai", 1, "shared", "private"),
}
QUIET = Faults()
PLAY_MAX_S = 600.0
NOBODY = "GD/0:nobody"
"""An account that some believe pays for them."""


class Report(Struct):
    """What a run did, for people."""

    seed: int
    told: int = 0
    refused: int = 0
    runs: int = 0
    """Bill runs that were completed."""
    bills: int = 0
    passed: int = 0
    """Bills that went to another account, which pays them."""
    ports: int = 0
    staged: int = 0
    """Deposits and settlements that waited for the end of a run."""
    carried: int = 0
    """Of them, those that an account took along to another domain."""
    faults: int = 0
    crashes: int = 0
    pauses: int = 0
    leaps: int = 0
    takeovers: int = 0
    fenced: int = 0
    groups: int = 0
    seconds: float = 0.0
    past: str = ""
    """Digest of every group ever applied, in order."""


class World:
    """Everything of one run."""

    def __init__(self, seed: int, loop: SimulatedLoop, *, fenced: bool) -> None:
        self.random = Random(seed)
        self.loop = loop
        self.store = Store(self.random, fenced=fenced)
        self.report = Report(seed)
        self.histories = Histories()
        self.metrics: list[Metrics] = []
        self.loss = 0.0
        self.nodes = [
            Node(f"node{number}", loop, self.store, self.random, DOMAINS, self, self.metrics.append)
            for number in range(self.random.randrange(2, 4))
        ]
        self.accounts: dict[str, str] = {}
        """By the identity under which each was opened."""
        self.kept: dict[str, Bills] = {}
        """Bills of each account, as its owner tells them in the end."""
        for number in range(self.random.randrange(3, 7)):
            identity = f"msisdn:86138000000{number:02d}"
            code = self.random.choice(("GD", "GD", "BJ"))
            slot = slot_key(code, slot_of(identity, DOMAINS[code].slots))
            account_id = self.accounts[identity] = compose(slot, identity)
            self.histories.homes |= {identity: slot, identity_of(account_id): slot}
        self.ports = Ports(DOMAINS, self.accounts, self.histories)
        self._unit = SimulatedUnit(self.store, Wire())
        self._owners: dict[str, str] = {}

    # --- the network: callers and couriers reach the owner through what the owner records say ---

    async def send(self, slot: str, ask: Ask) -> Answer:
        """Try once at the announced owner, or now and then at anybody."""
        live = [node for node in self.nodes if node.up]
        if not live:
            raise Unavailable.told("NOBODY", "no process runs", retry_ms=100)
        named = [node for node in live if node.name == self._owners.get(slot)]
        # Reads often go to whoever may still believe to be the owner, for what an old owner tells is of interest.
        stray = 0.5 if isinstance(ask, wire.Pull) else 0.05
        node = named[0] if named and self.random.random() >= stray else self.random.choice(live)
        try:
            async with asyncio.timeout(TRY_S):
                answer: Answer = wire.unpack_answer(await node.ask(slot, ask, self.loss))
                return answer
        except TimeoutError:
            raise Unavailable.told("NO_ANSWER", "no answer came", retry_ms=100) from None

    async def ask(self, identity: str, body: bytes, timeout_ms: int) -> bytes:
        """The couriers' way; see `domainservers.slot.courier.Post`."""
        return wire.pack(await self.send(self.histories.slot_of(identity), wire.unpack_ask(body)))

    async def _follow_owners(self) -> None:
        while True:
            await asyncio.sleep(0.2)
            if self.store.faults is QUIET or self.random.random() < 0.9:
                place = self.store.records.get(("owner", "all"), {})
                if place:
                    quiet = SimulatedUnit(self._calm(), Wire())
                    self._owners = {name: owner.address for name, owner in (await load_owners(quiet)).items()}
                    await self._follow_wanderers(SealedUnit(quiet, RING))

    async def _follow_wanderers(self, quiet: Unit) -> None:
        """Let numbers be found where the account is that has them now."""
        homes = self.histories.homes
        for number, stored in (await read_contracts(quiet, WANDERERS)).items():
            homes[number] = homes[identity_of(unpack_contract(stored.value).account_id)]

    def _calm(self) -> Store:
        """The same store seen without faults: the router's reading is not what is tested here."""
        calm = Store(self.random)
        calm.records = self.store.records
        return calm

    # --- faults ---

    async def _trouble(self) -> None:
        """Make faults until cancelled."""
        while True:
            await asyncio.sleep(self.random.uniform(0.3, 2.0))
            self.store.faults = Faults(*(self.random.choice((0.0, 0.0, 0.02, 0.1)) for _ in range(4)))
            self.loss = self.random.choice((0.0, 0.0, 0.05))
            node = self.random.choice(self.nodes)
            roll = self.random.random()
            if roll < 0.30 and node.up and not node.wire.paused:
                self.loop.create_task(self._pause(node))
            elif roll < 0.50 and node.up:
                self.report.crashes += 1
                node.crash()
                self.loop.call_later(self.random.uniform(0.1, 4.0), self._restart, node)
            elif roll < 0.60 and node.up and not node.wire.paused:
                self.loop.create_task(self._cut(node))
            elif roll < 0.68 and node.up and not node.wire.paused:
                self.loop.create_task(self._leave(node))
            elif roll < 0.74 and node.up:
                self.loop.create_task(self._leap(node))

    async def _pause(self, node: Node) -> None:
        self.report.pauses += 1
        wire_of_life = node.wire
        wire_of_life.pause()
        await asyncio.sleep(self.random.uniform(0.5, 7.0))
        wire_of_life.resume()

    async def _leap(self, node: Node) -> None:
        """Set a machine's clock days ahead or back for some seconds; a process may begin meanwhile and believe it."""
        self.report.leaps += 1
        node.leap(self.random.choice((-2, 2, 40)) * 86_400_000)
        await asyncio.sleep(self.random.uniform(1.0, 12.0))
        node.leap(0)

    async def _cut(self, node: Node) -> None:
        wire_of_life = node.wire
        wire_of_life.cut = True
        await asyncio.sleep(self.random.uniform(0.5, 6.0))
        wire_of_life.cut = False

    async def _leave(self, node: Node) -> None:
        await node.leave()
        await asyncio.sleep(self.random.uniform(0.1, 2.0))
        self._restart(node)

    def _restart(self, node: Node) -> None:
        if not node.up:
            node.start()

    # --- the play ---

    async def play(self) -> Report:
        """Start, trouble, heal, stop, judge."""
        for node in self.nodes:
            node.leap(-EARLY_DAYS * DAY_MS)
            node.start()
        helpers = [self.loop.create_task(self._follow_owners())]
        callers = [
            Caller(
                f"{identity[-2:]}.{number}",
                identity,
                account_id,
                {other: self.accounts[other] for other in self.accounts if other != identity},
                self,
                self.random,
                self.histories,
            )
            for identity, account_id in self.accounts.items()
            for number in range(self.random.randrange(1, 3))
        ]
        slots = [slot_key(code, number) for code, info in DOMAINS.items() for number in range(info.slots)]
        operators = [
            Operator(f"{slot}.{number}", slot, self, self.random, self.histories) for slot in slots for number in (1, 2)
        ]
        workers = [
            Worker(
                f"{slot}.bills{number}",
                slot,
                [account_id for account_id in self.accounts.values() if account_id.startswith(f"{slot}:")],
                self,
                self.random,
                self.histories,
            )
            for slot in slots
            for number in (1, 2)
        ]
        porters = [Porter(f"port{number}", self, self.random, self.histories, self.ports) for number in (1, 2)]
        async with asyncio.timeout(PLAY_MAX_S):
            await self._open_early({caller.account_id: caller for caller in reversed(callers)})
            await operators[0].sell()
            trouble = self.loop.create_task(self._trouble())
            work = asyncio.gather(
                *(caller.work(self.random.randrange(4, 14)) for caller in callers),
                *(operator.work(self.random.randrange(4, 14)) for operator in operators),
                *(worker.work(self.random.randrange(2, 6)) for worker in workers),
                *(porter.work(self.random.randrange(0, 7)) for porter in porters),
            )
            await asyncio.wait((work,), timeout=self.random.uniform(5.0, 25.0))
            trouble.cancel()
            self.store.faults = QUIET
            self.loss = 0.0
            await work
            for worker in workers[::2]:
                self.kept |= await worker.finish()
            await self._transfers_done()
        await asyncio.sleep(12.0)
        for task in helpers:
            task.cancel()
        for node in self.nodes:
            await node.leave()
        await asyncio.sleep(10.0)
        self.judge()
        return self.report

    async def _open_early(self, firsts: dict[str, Caller]) -> None:
        """Open accounts, and say who pays for whom, months before the rest: it holds for bills that are made then."""
        await asyncio.gather(*(caller.open() for caller in firsts.values()))
        for account_id, caller in firsts.items():
            payer = self.random.choice((NOBODY, *firsts, *firsts))
            if self.random.random() < 0.5 and payer != account_id:
                if payer != NOBODY and self.random.random() < 0.85:
                    await firsts[payer].pay_for(account_id)
                await caller.be_paid_for(payer)
        for node in self.nodes:
            await node.leave()
            node.leap(0)
            node.start()

    async def _transfers_done(self) -> None:
        """Wait until nothing is under way, nor decided and not journaled: what a fenced owner decided is void."""
        while (  # noqa: ASYNC110
            any(
                owned.slot.parts.watch.outgoing
                or owned.slot.parts.groups.open.parts
                or owned.slot.parts.groups.flying is not None
                for node in self.nodes
                if node.host is not None
                for owned in node.host.owned.values()
            )
            or not self._all_owned()
        ):
            await asyncio.sleep(0.5)

    def _all_owned(self) -> bool:
        owned = {name for node in self.nodes if node.host is not None for name in node.host.owned}
        return set(self.histories.homes.values()) <= owned

    def judge(self) -> None:
        """Check every promise. Raises `Wrong`."""
        slots = [slot_key(code, number) for code, info in DOMAINS.items() for number in range(info.slots)]
        checker.check_fence(self.store)
        books = Books(self.store, slots)
        require(self.histories.open == 0, "somebody still waits")
        require(not self.histories.stale, f"old balances were told: {self.histories.stale[:1]}")
        checker.check_told(books, self.histories)
        checker.check_seen(books, self.histories)
        checker.check_sent(books, self.histories)
        accounts = list(self.accounts.values())
        checker.check_money(books, accounts, self.histories)
        report = self.report
        report.told = len(self.histories.told)
        report.runs = checker.check_runs(books)
        report.bills = checker.check_bills(books, accounts, self.kept)
        report.passed = checker.check_payers(books)
        report.staged, report.carried = checker.check_stages(books, self.histories.homes)
        report.ports = self.ports.done
        checker.check_vouchers(books)
        report.refused = sum(isinstance(told.answer, wire.Failed) for told in self.histories.told)
        report.faults = self.store.injected
        report.groups = len(self.store.commits)
        report.past = blake2b(repr(self.store.commits).encode(), digest_size=16).hexdigest()
        refused = sum(metrics.counted("events", "takeover_refused") for metrics in self.metrics)
        require(not refused, f"{refused} takeovers were refused, though nobody touched anything")
        report.takeovers = sum(metrics.counted("events", "takeover") for metrics in self.metrics)
        report.fenced = sum(metrics.counted("events", "fenced") for metrics in self.metrics)
        report.seconds = self.loop.now - 1_000.0


def run(seed: int, *, fenced: bool = True) -> Report:
    """Play one seed from beginning to end. Raises `Wrong` when a promise is broken, `Stuck`, TimeoutError."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    loop = SimulatedLoop()
    asyncio.set_event_loop(loop)
    loop.set_exception_handler(lambda _, context: problems.append(context))
    problems: list[dict[str, object]] = []
    world = World(seed, loop, fenced=fenced)
    try:
        report = loop.run_until_complete(world.play())
        if problems:
            raise Wrong(f"unhandled: {problems[0]}")
        return report
    finally:
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.close()
        asyncio.set_event_loop(None)
        structlog.reset_defaults()
