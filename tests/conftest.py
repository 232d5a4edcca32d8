"""What every test may ask for: real Cassandra clusters, started once a session when the first test needs one.

No test is skipped or expected to fail: whoever tries has a failure.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

from cluster.cassandra import jars
from cluster.cassandra.lifecycle import Settings
from testkit.cassandra import LocalCluster, free_network

ReportT = TypeVar("ReportT", pytest.TestReport, pytest.CollectReport)


def pytest_configure(config: pytest.Config) -> None:
    """Keep the token of the tests' processes out of the user's own folder."""
    folder = Path(tempfile.mkdtemp(prefix="onetier-token-"))
    config.add_cleanup(partial(shutil.rmtree, folder, ignore_errors=True))
    os.environ["ONETIER_TOKEN_FILE"] = str(folder / "token")
    # How long an example takes says how busy the machine is.
    settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("house")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetch Cassandra before the first test: a download has no place inside a test's time limit."""
    if not session.config.option.collectonly and any(item.get_closest_marker("cassandra") for item in session.items):
        jars.fetch(print)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Make a failure of a test that is skipped, or failed as expected."""
    return _run_or_fail((yield))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Make a failure of a module that is skipped."""
    return _run_or_fail((yield))


def _run_or_fail(report: ReportT) -> ReportT:
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} was skipped: a test runs, or it fails ({report.longrepr})"
    return report


@pytest.fixture(scope="session")
def cassandra_nodes() -> Iterator[Callable[[int], LocalCluster]]:
    """`cassandra_nodes(n)`: the session's cluster of n nodes, started at the first call.

    Never skips: no Cassandra is a failure.
    """
    running: dict[int, LocalCluster] = {}
    with tempfile.TemporaryDirectory(prefix="onetier-cassandra-") as folder:

        def get(nodes: int) -> LocalCluster:
            if nodes not in running:
                # Its own heap: each keyspace takes 3.4 MB of it, and a session makes more than a hundred on one node.
                settings = Settings(nodes=nodes, network=free_network(nodes))
                running[nodes] = LocalCluster(Path(folder) / f"cluster{nodes}", settings)
            return running[nodes]

        try:
            yield get
        finally:
            for item in running.values():
                item.close()


@pytest.fixture(scope="session")
def cassandra_one(cassandra_nodes: Callable[[int], LocalCluster]) -> LocalCluster:
    """One real Cassandra node."""
    return cassandra_nodes(1)


@pytest.fixture(scope="session")
def cassandra_three(cassandra_nodes: Callable[[int], LocalCluster]) -> LocalCluster:
    """Three real Cassandra nodes, to be used with three copies of everything."""
    return cassandra_nodes(3)
