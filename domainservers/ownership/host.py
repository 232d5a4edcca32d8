"""The slots that this process owns, and how one is taken over and given up."""

import asyncio
from collections.abc import Awaitable, Callable

from charging.errors import Unavailable
from charging.ledger.permission import Policy, built_in_policy
from domainservers.base.clock import Clock
from domainservers.base.limits import Limits
from domainservers.journal.journal import Corrupt, Fenced, JournalMoved
from domainservers.ownership.units import Places, Units
from domainservers.slot.keeping import Keeping
from domainservers.slot.parts import nowhere
from domainservers.slot.recovery import recover
from domainservers.slot.slot import Slot
from domainservers.slot.witness import Witness
from evidence.keys import PROCESS_RING, KeyRing
from evidence.seals import Tampered
from runtime.pace import RunPace
from runtime.telemetry import Metrics, logger
from storage.unit import StoreRejected, StoreUnavailable, Unit

log = logger("domainservers.ownership.host")


class Owned:
    """A slot, the addresses it is served from, and what looks after it."""

    def __init__(self, slot: Slot, places: Places, keeping: Keeping, epoch: int) -> None:
        self.slot = slot
        self.places = places
        self.keeping = keeping
        self.epoch = epoch
        self.announced = False
        """The owner record says so: nobody takes the slot while this server is alive."""
        self.alone_from = 0.0
        """Time of the event loop from which on whoever had decided to take it before it was announced has done so."""


class Host:
    """Owned slots by name ("GD/0"), for one event loop: a slot is taken over or given up by one task at a time."""

    def __init__(
        self,
        server_id: str,
        units: Units,
        limits: Limits,
        clock: Clock,
        commits_in_flight_max: int,
        revision_of: Callable[[str], int],
        metrics: Metrics,
        keeping: Callable[[Slot], Keeping],
        ring: KeyRing = PROCESS_RING,
        witness: Witness | None = None,
        policy: Callable[[], Policy] = built_in_policy,
        domain_of: Callable[[str], str] = nowhere,
        pace: RunPace | None = None,
    ) -> None:
        """`revision_of` gives the reference revision of a domain; `keeping` makes what looks after a slot; `ring` holds
        the keys of the journals' chains; `witness` knows from elsewhere how far they had come; `policy` gives
        the directory's grants; `pace` is of what can wait, None = by the limits."""
        self.server_id = server_id
        self.owned: dict[str, Owned] = {}
        self.metrics = metrics
        self.on_end: Callable[[Slot], None] = _nothing
        """Told of each slot that is not owned any more."""
        self.lease_until = 0.0
        """Until then (time of the event loop) no other server can take this one for gone."""
        self._units = units
        self._limits = limits
        self._clock = clock
        self._permits = asyncio.Semaphore(commits_in_flight_max)
        self._pace = pace or RunPace(limits.run_percent / 100)
        self._revision_of = revision_of
        self._keeping = keeping
        self._ring = ring
        self.witness = witness
        self._policy = policy
        self._domain_of = domain_of
        self.national: Unit | None = None
        """The directory's unit, where identities are held."""
        self._claims = 0
        self._endings: dict[asyncio.Task[None], None] = {}

    def _fresh(self, name: str) -> bool:
        owned = self.owned.get(name)
        return (
            owned is not None
            and owned.announced
            and owned.alone_from <= asyncio.get_running_loop().time() < self.lease_until
        )

    def slot(self, name: str) -> Slot | None:
        """The slot, when it is owned here; None = it is not, whoever may own it."""
        owned = self.owned.get(name)
        return owned.slot if owned is not None else None

    def slots(self) -> list[Slot]:
        """All that are owned."""
        return [owned.slot for owned in self.owned.values()]

    async def take_over(self, name: str, places: Places, due: Callable[[], Awaitable[bool]]) -> Owned | None:
        """Own a slot; None when it can't be had now, the log says why. Everything is ready when this returns.

        `due` is asked just before the journal is claimed: by then another server may have announced itself.
        """
        self._claims += 1
        owner = f"{self.server_id}#{self._clock.now_ms()}.{self._claims}"
        domain = name.rpartition("/")[0]
        try:
            shared, private = await self._units.take(places)
        except (Unavailable, StoreUnavailable, StoreRejected) as error:
            log.warning("a unit can't be opened", slot=name, why=str(error))
            return None
        try:
            parts = await recover(
                name,
                owner,
                shared,
                private,
                self._limits,
                self._clock,
                self._permits,
                lambda: self._revision_of(domain),
                self.metrics,
                self._ring,
                self.witness,
                self._policy,
                self._domain_of,
                self.national,
                due=due,
            )
        except (Corrupt, Tampered) as error:
            log.error("takeover refused: the evidence does not hold", slot=name, why=str(error))
            self.metrics.event("takeover_refused")
            await self._units.release(places)
            return None
        except (Fenced, JournalMoved, StoreUnavailable, StoreRejected) as error:
            log.warning("takeover put off", slot=name, why=str(error))
            await self._units.release(places)
            return None
        except BaseException:
            await self._units.release(places)
            raise
        slot = Slot(parts, self._ended, lambda: self._fresh(name), self._pace)
        owned = Owned(slot, places, self._keeping(slot), parts.journal.head.epoch)
        self.owned[name] = owned
        owned.keeping.start()
        self.metrics.event("takeover")
        return owned

    def _ended(self, slot: Slot) -> None:
        owned = self.owned.get(slot.name)
        if owned is None or owned.slot is not slot:
            return
        del self.owned[slot.name]
        owned.keeping.stop()
        self.on_end(slot)
        task = asyncio.get_running_loop().create_task(self._units.release(owned.places))
        self._endings[task] = None
        task.add_done_callback(lambda done: self._endings.pop(done, None))

    async def give_up(self, name: str) -> int:
        """Close a slot in order and give its epoch; 0 when it was not owned."""
        owned = self.owned.get(name)
        if owned is None:
            return 0
        owned.keeping.stop()
        await owned.slot.close()
        return owned.epoch

    def abandon(self, name: str) -> None:
        """Step down at once from a slot that another server has taken over."""
        owned = self.owned.get(name)
        if owned is not None:
            owned.slot.end()

    async def close(self) -> None:
        """Give up all slots, side by side."""
        await asyncio.gather(*(self.give_up(name) for name in list(self.owned)))
        if self._endings:
            await asyncio.gather(*self._endings, return_exceptions=True)


def _nothing(_: Slot) -> None:
    """Nobody wants to know."""
