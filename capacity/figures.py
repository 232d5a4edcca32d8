"""What was measured on a machine, or is taken for granted: the costs that the model multiplies.

Kept as a file of JSON (`onetier capacity measure --out`), so that a country is planned with the figures of the machines
it will run on.
"""

from pathlib import Path

import msgspec
from msgspec import Struct

TIERS = ("appserver", "datacenter", "domainserver")
CHARGE, STEP, QUERY, COMMAND = "charge", "step", "query", "command"
KINDS = (CHARGE, STEP, QUERY, COMMAND)
"""What front ends ask: one event, one step of a session, one look, one change of an account."""


class FiguresUnreadable(ValueError):
    """The file holds no figures; the message is one sentence."""


class StoreFigures(Struct, frozen=True, forbid_unknown_fields=True):
    """What a store bears. `origin` says whether it was measured or where it is from."""

    groups_per_core_s: float
    """Commits of journal groups a second (compare-and-set) by one core of a node, without replicas."""
    commit_ms: float
    """From sending a group off to its being durable."""
    origin: str


ASSUMED_STORE = StoreFigures(330.0, 20.0, "assumed: Cassandra 5.0, one node, groups of 200 entries, two shared cores")
"""Of docs/performance.md. `measure --units cassandra://…` puts the commits of that cluster in its place."""


class CostFigures(Struct, frozen=True, forbid_unknown_fields=True):
    """Costs on one machine. CPU in microseconds, memory and store in bytes."""

    measured_at: str
    """ISO 8601."""
    machine: str
    cores: int
    compiled: bool
    """Hot modules were native, as in a wheel for production."""
    cpu_us: dict[str, dict[str, float]]
    """Tier → kind → CPU of one request in the processes of that tier, their idling taken off."""
    idle_cores: dict[str, float]
    """Tier → share of a core that one process uses with nothing to do."""
    client_us: float
    """CPU of one request in the sender of the measurement: what a front end with our client pays."""
    journal_bytes: dict[str, float]
    """Kind → of one request in the journal, compressed; queries leave none."""
    account_memory: float
    """Of an account and its contract in the memory of its domain server."""
    account_store: float
    """Of an account in its snapshots, contract and order records, without its journal."""
    key_memory: float
    """Of a request key that is still known, in its domain server."""
    entry_memory: float
    """Of a number with an entry of its own, in every process that knows the directory."""
    process_memory: dict[str, float]
    """Tier → of one process with nothing in it."""
    store: StoreFigures


def read_figures(path: Path) -> CostFigures:
    """Read a file that `write_figures` wrote. Raises `FiguresUnreadable`."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=CostFigures)
    except OSError as error:
        raise FiguresUnreadable(f"{path} can't be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise FiguresUnreadable(f"{path} holds no figures of `onetier capacity measure`: {error}") from error


def write_figures(path: Path, figures: CostFigures) -> None:
    """Write figures down, for people too."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=2) + b"\n")
