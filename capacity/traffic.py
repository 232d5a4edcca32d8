"""A country's traffic and machines, as an operator writes them into a file of TOML.

    subscribers = 1_000_000

    [busy_hour]                 # a subscriber's, in the hour with most traffic
    charges = 1.2               # single events: messages, calls told when they are over
    steps = 6.0                 # of charging sessions
    queries = 0.5
    commands = 0.05             # top-ups and changes
    peak = 1.5                  # its busiest seconds over its mean

    [day]
    busy_hours = 9.0            # a day's traffic is that of so many busy hours

Every key has a default, that of the sample country; an unknown one is refused.
"""

import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from capacity.figures import CHARGE, COMMAND, QUERY, STEP

Rate = Annotated[float, Meta(ge=0, le=100_000)]
Share = Annotated[float, Meta(gt=0, le=1)]
Count = Annotated[int, Meta(ge=1, le=100_000)]
SECONDS = 3_600


class TrafficUnreadable(ValueError):
    """The file holds no traffic; the message is one sentence."""


class SubscriberHour(Struct, frozen=True, forbid_unknown_fields=True):
    """What one subscriber asks for in the busiest hour, on average."""

    charges: Rate = 1.2
    steps: Rate = 6.0
    queries: Rate = 0.5
    commands: Rate = 0.05
    peak: Annotated[float, Meta(ge=1, le=100)] = 1.5
    """The busiest seconds over the hour's mean."""

    def each(self) -> dict[str, float]:
        """Give the counts by kind."""
        return {CHARGE: self.charges, STEP: self.steps, QUERY: self.queries, COMMAND: self.commands}


class OfDay(Struct, frozen=True, forbid_unknown_fields=True):
    """What a day adds up to."""

    busy_hours: Annotated[float, Meta(gt=0, le=24)] = 9.0
    """A day's traffic is that of so many busy hours."""


class Retention(Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept, and how often."""

    journal_days: Count = 35
    keys_hours: Count = 24
    """As `outcomes_kept_hours` of the domain servers."""
    replicas: Annotated[int, Meta(ge=1, le=9)] = 3
    headroom: Annotated[float, Meta(ge=1, le=10)] = 1.5
    """Of disks, for compaction and growth: so many times the data."""


class Spread(Struct, frozen=True, forbid_unknown_fields=True):
    """How subscribers are spread."""

    domains: Count = 31
    largest_domain: Share = 0.09
    """Share of the subscribers in the largest one."""
    subscribers_per_account: Annotated[float, Meta(ge=1, le=1_000)] = 1.2
    active: Share = 0.35
    """Of the accounts that should be in memory: those with traffic within minutes."""
    ported: Annotated[float, Meta(ge=0, le=1)] = 0.02
    """Of the numbers that are served elsewhere than the plan says."""


class Machines(Struct, frozen=True, forbid_unknown_fields=True):
    """What one machine has. Processes are of one core each."""

    cores: Count = 16
    memory_gb: Annotated[float, Meta(gt=0, le=100_000)] = 64.0
    disk_gb: Annotated[float, Meta(gt=0, le=1_000_000)] = 4_000.0
    """Of a node of the store."""
    busy: Share = 0.6
    """How busy a core may be at the peak."""


class CountryTraffic(Struct, frozen=True, forbid_unknown_fields=True):
    """What a country asks for, and of what it is to be built."""

    subscribers: Annotated[int, Meta(ge=1, le=10_000_000_000)] = 1_000_000
    busy_hour: SubscriberHour = SubscriberHour()
    day: OfDay = OfDay()
    kept: Retention = Retention()
    people: Spread = Spread()
    machines: Machines = Machines()


def read_traffic(path: Path) -> CountryTraffic:
    """Read a file. Raises `TrafficUnreadable`, which names the key that is wrong."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), CountryTraffic)
    except OSError as error:
        raise TrafficUnreadable(f"{path} can't be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TrafficUnreadable(f"{path} is no TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise TrafficUnreadable(f"{path}: {error}") from error
