"""Local clusters as tests and measurements use them: somewhere free on loopback, stopped and started at will."""

import random
import signal
from collections.abc import Sequence
from pathlib import Path

from cluster.cassandra import lifecycle, node
from cluster.cassandra.errors import LocalCassandraError


class LocalCluster:
    """A running cluster. `close` stops it, by process id."""

    def __init__(self, folder: Path, settings: lifecycle.Settings) -> None:
        self.folder = folder
        self.settings = settings
        self.state = lifecycle.up(folder, settings, _say_nothing)

    @property
    def hosts(self) -> str:
        """Contact points, for the address of a unit."""
        numbers = range(1, self.settings.nodes + 1)
        return ",".join(f"{self.settings.network}.{number}:{self.settings.port}" for number in numbers)

    def url(self, keyspace: str, options: str = "") -> str:
        """Address of the unit in that keyspace, with as many copies as there are nodes (at most three)."""
        return f"cassandra://{self.hosts}/{keyspace}?rf={min(3, self.settings.nodes)}{options}"

    def stop(self, number: int, *, kill: bool = False) -> None:
        """Stop (or kill) one node; `start` brings it back with its data."""
        lifecycle.stop_node(self.folder, number, kill=kill)

    def freeze(self, number: int) -> None:
        """Make one node hang: its connections stay, nothing answers. `thaw` lets it go on."""
        lifecycle.signal_node(self.folder, number, signal.SIGSTOP)

    def thaw(self, number: int) -> None:
        """Let a frozen node go on, knowing nothing of the time that passed."""
        lifecycle.signal_node(self.folder, number, signal.SIGCONT)

    def start(self) -> None:
        """Start the nodes that do not run."""
        self.state = lifecycle.up(self.folder, self.settings, _say_nothing)

    def close(self) -> None:
        """Stop all nodes."""
        lifecycle.down(self.folder, _say_nothing)


def free_network(nodes: int, ports: Sequence[int] = (9042, 7000)) -> str:
    """First three numbers of loopback addresses where nobody listens on Cassandra's ports."""
    for _ in range(100):
        network = f"127.{random.randint(10, 250)}.{random.randint(0, 250)}"
        if all(node.is_free(f"{network}.{number}", port) for number in range(1, nodes + 1) for port in ports):
            return network
    raise LocalCassandraError("No free loopback addresses for Cassandra: this machine routes only 127.0.0.1?")


def _say_nothing(_: str) -> None:
    return
