"""From figures and traffic to processes, nodes, disks and memory. Pure arithmetic: what each line says, it says how.

A process uses one core, so CPU makes processes; what a slot does is done by one process, so the largest domain makes
slots; a group of the journal costs the store about the same whatever is in it, so slots and the time of a commit make
the store's load, up to one group for each entry; and what every process must know makes memory that no number of
processes divides.
"""

from collections.abc import Iterator, Sequence
from math import ceil

from msgspec import Struct
from msgspec.structs import replace

from capacity.figures import COMMAND, KINDS, QUERY, TIERS, CostFigures
from capacity.traffic import SECONDS, CountryTraffic
from directory.slots import SLOTS_PER_DOMAIN_MAX

GIB = 2**30
ONE = 1_000_000
"""Subscribers that rates are first told for: everything but constants grows with them."""


class CapacityLine(Struct, frozen=True):
    """One thing that is needed."""

    what: str
    needed: int
    unit: str
    """"processes", "nodes", "slots", "bytes", "a second"."""
    because: str


class Breaking(Struct, frozen=True):
    """A bound that growth meets, and what helps."""

    what: str
    at_subscribers: int
    why: str
    helps: str
    """"" = nothing that an operator could add: the design has to change."""


class CapacityPlan(Struct, frozen=True):
    """What a country of this size takes, and what it meets on its way to there and beyond, first things first."""

    subscribers: int
    lines: Sequence[CapacityLine]
    breaks: Sequence[Breaking]


def plan(figures: CostFigures, traffic: CountryTraffic) -> CapacityPlan:
    """Plan a country."""
    model = _Model(figures, traffic)
    breaks = sorted(breaking(figures, traffic), key=lambda each: each.at_subscribers)
    return CapacityPlan(traffic.subscribers, list(model.lines()), breaks)


def cpu_of_mix(figures: CostFigures, mix: dict[str, float]) -> dict[str, float]:
    """Give the CPU that one request of a mix costs, microseconds by tier; `mix` are weights by kind."""
    total = sum(mix.values())
    return {tier: sum(mix[kind] * figures.cpu_us[tier][kind] for kind in KINDS) / total for tier in TIERS}


class _Model:
    """The numbers of one size of a country."""

    def __init__(self, figures: CostFigures, traffic: CountryTraffic) -> None:
        self._figures = figures
        self._traffic = traffic
        hour, machines = traffic.busy_hour, traffic.machines
        self.per_s = {kind: traffic.subscribers * each * hour.peak / SECONDS for kind, each in hour.each().items()}
        """At the peak."""
        self.busy_cores = {
            tier: sum(self.per_s[kind] * figures.cpu_us[tier][kind] for kind in KINDS) / 1e6 for tier in TIERS
        }
        self.processes = {
            tier: max(1, ceil(busy / max(machines.busy - figures.idle_cores[tier], 0.01)))
            for tier, busy in self.busy_cores.items()
        }
        people = traffic.people
        self.largest_slots = max(1, ceil(self.busy_cores["domainserver"] * people.largest_domain / machines.busy))
        self.slots = max(people.domains, ceil(self.largest_slots / people.largest_domain))
        self.entries_per_s = sum(rate for kind, rate in self.per_s.items() if kind != QUERY)
        self.groups_per_s = min(self.entries_per_s, self.slots * 1_000 / figures.store.commit_ms)
        self.accounts = traffic.subscribers / people.subscribers_per_account
        self.journal_day = sum(
            traffic.subscribers * each * traffic.day.busy_hours * figures.journal_bytes[kind]
            for kind, each in hour.each().items()
        )
        self.data = self.journal_day * traffic.kept.journal_days + self.accounts * figures.account_store

    def lines(self) -> Iterator[CapacityLine]:
        """Tell what is needed."""
        machines, kept = self._traffic.machines, self._traffic.kept
        asked = sum(self.per_s.values())
        yield CapacityLine("requests at the peak", ceil(asked), "a second", _rates(self.per_s))
        for tier in TIERS:
            each = self.busy_cores[tier] / asked * 1e6 if asked else 0.0
            yield CapacityLine(
                tier, self.processes[tier], "processes",
                f"{each:.0f} µs a request are {self.busy_cores[tier]:,.1f} cores, each {machines.busy:.0%} busy",
            )  # fmt: skip
        yield CapacityLine(
            "slots", self.slots, "slots",
            f"the largest domain needs {self.largest_slots}; every domain has at least one",
        )  # fmt: skip
        by_cpu, by_disk = self.nodes_by_cpu(), self.nodes_by_disk()
        yield CapacityLine(
            "Cassandra", max(kept.replicas, by_cpu, by_disk), "nodes",
            f"{by_cpu} for {self.groups_per_s:,.0f} groups a second, {by_disk} for the disks, "
            f"{kept.replicas} for the replicas",
        )  # fmt: skip
        yield CapacityLine(
            "journal a day", ceil(self.journal_day), "bytes", f"before replicas, kept for {kept.journal_days} days"
        )
        yield CapacityLine(
            "disks", ceil(self.data * kept.replicas * kept.headroom), "bytes",
            f"{kept.replicas} replicas, {kept.headroom:g} times the data for compaction and growth",
        )  # fmt: skip
        for tier, needed in self.memory().items():
            count = self.processes[tier]
            yield CapacityLine(f"memory of {tier}", ceil(needed), "bytes", f"{needed / count / GIB:.2f} GiB a process")
        yield CapacityLine("machines of the tiers", self.machines(), "machines", self._machines_because())

    def nodes_by_cpu(self) -> int:
        """Give the nodes that commit the groups."""
        machines, store = self._traffic.machines, self._figures.store
        return ceil(
            self.groups_per_s * self._traffic.kept.replicas / (store.groups_per_core_s * machines.cores * machines.busy)
        )

    def nodes_by_disk(self) -> int:
        """Give the nodes that hold the data."""
        kept = self._traffic.kept
        return ceil(self.data * kept.replicas * kept.headroom / (self._traffic.machines.disk_gb * 1e9))

    def entries(self) -> float:
        """Give the bytes that explicit entries take in each process of data center and domain servers."""
        return self._traffic.subscribers * self._traffic.people.ported * self._figures.entry_memory

    def memory(self) -> dict[str, float]:
        """Give the memory by tier, bytes in all of its processes."""
        figures, traffic = self._figures, self._traffic
        keys = sum(each for kind, each in traffic.busy_hour.each().items() if kind != QUERY)
        known = traffic.subscribers * keys * traffic.day.busy_hours * traffic.kept.keys_hours / 24
        hot = self.accounts * traffic.people.active
        own = {
            "appserver": hot * figures.account_memory,
            "datacenter": 0.0,
            "domainserver": hot * figures.account_memory + known * figures.key_memory,
        }
        shared = {"appserver": 0.0, "datacenter": self.entries(), "domainserver": self.entries()}
        return {
            tier: own[tier] + self.processes[tier] * (figures.process_memory[tier] + shared[tier]) for tier in TIERS
        }

    def machines(self) -> int:
        """Give the machines that processes and their memory take, the store's own aside."""
        machines = self._traffic.machines
        by_core = sum(self.processes.values()) / machines.cores
        return max(1, ceil(max(by_core, sum(self.memory().values()) / (machines.memory_gb * GIB))))

    def _machines_because(self) -> str:
        machines = self._traffic.machines
        by_memory = sum(self.memory().values()) / (machines.memory_gb * GIB)
        return f"{sum(self.processes.values()) / machines.cores:.1f} by cores, {by_memory:.1f} by memory"


def breaking(figures: CostFigures, traffic: CountryTraffic) -> Iterator[Breaking]:
    """Tell which bound is met at how many subscribers, from a country of one process a tier and as few nodes as can be.

    Everything asked here grows in proportion to the subscribers, so it is counted for a million and divided.
    """
    machines, people, kept = traffic.machines, traffic.people, traffic.kept
    model = _Model(figures, replace(traffic, subscribers=ONE))

    def at(load: float, bound: float) -> int:
        return int(ONE * bound / load) if load else traffic.subscribers * 1_000_000

    for tier in TIERS:
        bound = machines.busy - figures.idle_cores[tier]
        helps = "another process" if tier != "domainserver" else "another process, and a slot for it to own"
        yield Breaking(f"one {tier}", at(model.busy_cores[tier], bound), "its core is as busy as it may be", helps)
    yield Breaking(
        "one slot of the largest domain",
        at(model.busy_cores["domainserver"] * people.largest_domain, machines.busy),
        "a slot has one owner, and that one core",
        "more slots: they are given once, when the domain is made, so give that domain enough of them",
    )
    yield Breaking(
        f"{SLOTS_PER_DOMAIN_MAX} slots of the largest domain",
        at(model.busy_cores["domainserver"] * people.largest_domain, machines.busy * SLOTS_PER_DOMAIN_MAX),
        "a domain has no more slots",
        "two domains in place of one",
    )
    # One group for each entry is the worst: many slots that each have little to do.
    store_s = figures.store.groups_per_core_s * machines.cores * machines.busy
    yield Breaking(
        f"{kept.replicas} nodes, by CPU",
        at(model.entries_per_s, store_s),
        "every entry comes alone into a group, as with many slots that have little to do",
        "more nodes, or fewer slots: what comes together shares a group",
    )
    yield Breaking(
        f"{kept.replicas} nodes, by disk",
        at(model.data * kept.headroom, machines.disk_gb * 1e9),
        f"accounts and {kept.journal_days} days of journal fill a disk of {machines.disk_gb:,.0f} GB",
        "more nodes, larger disks, or a journal that is kept for a shorter time",
    )
    a_process = machines.memory_gb * GIB / machines.cores
    yield Breaking(
        "explicit entries in a process",
        at(model.entries(), a_process - max(figures.process_memory.values())),
        "data centers and domain servers each hold every number that is not where the plan says",
        "more memory a core; beyond that the table has to be shared, which no setting does",
    )


def _rates(per_s: dict[str, float]) -> str:
    told = {COMMAND: "commands", QUERY: "queries"}
    return ", ".join(f"{ceil(rate):,} {told.get(kind, kind + 's')}" for kind, rate in per_s.items())
