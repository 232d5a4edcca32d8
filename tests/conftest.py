"""What every test may ask for: units on each store, and real Cassandra clusters, started once a session when needed."""

import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from localcassandra import cluster, jars, node


class CassandraCluster:
    """A running local cluster, as tests use it."""

    def __init__(self, folder: Path, settings: cluster.Settings) -> None:
        self.folder = folder
        self.settings = settings
        self.state = cluster.up(folder, settings, lambda _: None)

    @property
    def hosts(self) -> str:
        """Contact points, for the address of a unit."""
        return ",".join(
            f"{self.settings.network}.{number}:{self.settings.port}" for number in range(1, self.settings.nodes + 1)
        )

    def url(self, keyspace: str, options: str = "") -> str:
        """Address of the unit in that keyspace, with as many copies as there are nodes (at most three)."""
        return f"cassandra://{self.hosts}/{keyspace}?rf={min(3, self.settings.nodes)}{options}"

    def stop(self, number: int, *, kill: bool = False) -> None:
        """Stop (or kill) one node; `start` brings it back with its data."""
        cluster.stop_node(self.folder, number, kill=kill)

    def start(self) -> None:
        """Start the nodes that do not run."""
        self.state = cluster.up(self.folder, self.settings, lambda _: None)

    def close(self) -> None:
        """Stop all nodes, by process id."""
        cluster.down(self.folder, lambda _: None)


ClusterFactory = Callable[[int], CassandraCluster]


def free_network(nodes: int, ports: tuple[int, ...] = (9042, 7000)) -> str:
    """First three numbers of loopback addresses where nobody listens on Cassandra's ports."""
    for _ in range(100):
        network = f"127.{random.randint(10, 250)}.{random.randint(0, 250)}"
        if all(node.is_free(f"{network}.{number}", port) for number in range(1, nodes + 1) for port in ports):
            return network
    raise RuntimeError("No free loopback addresses for Cassandra.")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetch Cassandra before the first test: a download has no place inside a test's time limit."""
    if not session.config.option.collectonly and any(item.get_closest_marker("cassandra") for item in session.items):
        jars.fetch(print)


@pytest.fixture(scope="session")
def cassandra_nodes() -> Iterator[ClusterFactory]:
    """`cassandra_nodes(n)`: the session's cluster of n nodes, started at the first call. Never skips: no Cassandra is
    a failure.
    """
    running: dict[int, CassandraCluster] = {}
    with tempfile.TemporaryDirectory(prefix="onetier-cassandra-") as folder:

        def get(nodes: int) -> CassandraCluster:
            if nodes not in running:
                settings = cluster.Settings(
                    nodes=nodes, network=free_network(nodes), heap_mb=512 if nodes == 1 else 400
                )
                running[nodes] = CassandraCluster(Path(folder) / f"cluster{nodes}", settings)
            return running[nodes]

        yield get
        for item in running.values():
            item.close()


@pytest.fixture(scope="session")
def cassandra_one(cassandra_nodes: ClusterFactory) -> CassandraCluster:
    """One real Cassandra node."""
    return cassandra_nodes(1)


@pytest.fixture(scope="session")
def cassandra_three(cassandra_nodes: ClusterFactory) -> CassandraCluster:
    """Three real Cassandra nodes, to be used with three copies of everything."""
    return cassandra_nodes(3)
