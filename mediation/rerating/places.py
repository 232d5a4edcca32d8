"""Where the units of a job are done: here, one after the other, which needs nobody; or by workers on other machines."""

from collections.abc import AsyncGenerator, Iterator
from typing import TYPE_CHECKING, Protocol

from charging.errors import Broken
from mediation.rerating.units import Doer, RerateUnit, UnitOutcome, lost, outcome_of, pack

if TYPE_CHECKING:
    from mediation.workers.pool import WorkerPool

Done = tuple[RerateUnit, UnitOutcome]


class Workplace(Protocol):
    """Does units, each once or as good as once."""

    def done(self, units: Iterator[RerateUnit]) -> AsyncGenerator[Done]:
        """Give what came of each, in whatever order."""
        ...


class Here:
    """This process."""

    def __init__(self, doer: Doer) -> None:
        self._doer = doer

    async def done(self, units: Iterator[RerateUnit]) -> AsyncGenerator[Done]:
        """Do them in their order. Raises as `Doer.done`."""
        for unit in units:
            yield unit, await self._doer.done(unit)


class Elsewhere:
    """The workers of a scheduler."""

    def __init__(self, engine: "WorkerPool") -> None:
        self._engine = engine

    async def done(self, units: Iterator[RerateUnit]) -> AsyncGenerator[Done]:
        """Have them done; one at which worker after worker died is left out, with its accounts.

        Raises `Unavailable` WORKERS_UNREACHABLE, and what a worker raised: whoever can't do one unit can do none.
        """
        waiting: dict[int, RerateUnit] = {}

        def packed() -> Iterator[bytes]:
            for number, unit in enumerate(units):
                waiting[number] = unit
                yield pack(unit)

        async for number, result in self._engine.done(packed()):
            unit = waiting.pop(number)
            if isinstance(result, bytes):
                yield unit, outcome_of(result)
            elif result.reason == "WORKER_LOST":
                yield unit, lost(unit, result.reason, result.message)
            else:
                raise Broken.told(result.reason, f"a worker says: {result.message}")
