"""The model held against a simulated country on this machine: predicted from figures, then run and compared."""

from pathlib import Path

from msgspec import Struct

from capacity.figures import KINDS, QUERY, TIERS, CostFigures
from capacity.measuring import SHAPE
from capacity.model import cpu_of_mix
from capacity.small_system import OpenedMemory, small_system
from capacity.traffic import CountryTraffic


class Compared(Struct, frozen=True):
    """One figure, as the model says it and as it was."""

    what: str
    predicted: float
    measured: float
    unit: str

    @property
    def ratio(self) -> float:
        """What was over what was said."""
        return self.measured / self.predicted if self.predicted else 1.0


async def prove(
    figures: CostFigures, traffic: CountryTraffic, folder: Path, subscribers: int, items: int, units: str = ""
) -> list[Compared]:
    """Run a country of another size than was measured, with the traffic's mix of kinds, as fast as the machine goes."""
    mix = traffic.busy_hour.each()
    predicted = cpu_of_mix(figures, mix)
    memory = OpenedMemory()
    async with small_system(folder, subscribers, SHAPE, units, memory.note) as system:
        idle = await system.idle(2.0)
        await system.spend_mix(mix, items // 4)
        spent = await system.spend_mix(mix, items)
    found = [
        Compared(
            f"CPU of a request, {tier}",
            predicted[tier],
            max(spent.cpu_s[tier] - idle[tier] * spent.seconds, 0.0) / spent.requests * 1e6,
            "µs",
        )
        for tier in TIERS
    ]
    bytes_each = sum(mix[kind] * figures.journal_bytes[kind] for kind in KINDS if kind != QUERY) / sum(mix.values())
    found.append(Compared("journal of a request", bytes_each, spent.journal_bytes / spent.requests, "bytes"))
    found.append(Compared("memory of an account", figures.account_memory, memory.each("domainserver"), "bytes"))
    speed = spent.requests / spent.seconds
    found.append(Compared("throughput", _throughput(figures, predicted), speed, "a second"))
    # How much of the machine it had: less than the model takes for granted when others use it, or the disk is awaited.
    used = (sum(spent.cpu_s.values()) + spent.client_s) / spent.seconds
    each = (sum(predicted.values()) + figures.client_us) / 1e6
    found.append(Compared("cores used", _throughput(figures, predicted) * each, used, "cores"))
    return found


def _throughput(figures: CostFigures, cpu_us: dict[str, float]) -> float:
    """Requests a second of one process a tier and one sender: by the busiest process, or by all cores together."""
    each = [*cpu_us.values(), figures.client_us]
    return min(1e6 / max(each), figures.cores * 1e6 / sum(each))
