"""`onetier cassandra up | status | down`, on a real node."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.systems.cassandra import app
from testkit.cassandra import free_network


def test_status_of_nothing_fails_and_down_of_nothing_does_not(tmp_path: Path) -> None:
    runner = CliRunner()
    nothing = runner.invoke(app, ["status", "--folder", str(tmp_path / "c")])
    assert nothing.exit_code == 1
    assert "Nothing runs" in nothing.output
    assert runner.invoke(app, ["down", "--folder", str(tmp_path / "c")]).exit_code == 0


@pytest.mark.cassandra
def test_up_status_down(tmp_path: Path) -> None:
    runner, network = CliRunner(), free_network(1)
    folder = ["--folder", str(tmp_path / "c")]
    try:
        started = runner.invoke(app, ["up", *folder, "--network", network, "--heap-mb", "400"])
        assert started.exit_code == 0, started.output
        assert "Cassandra 5.0." in started.output
        assert f"cassandra://{network}.1:9042/keyspace?rf=1" in started.output
        seen = runner.invoke(app, ["status", *folder])
        assert seen.exit_code == 0
        assert "answers" in seen.output
    finally:
        stopped = runner.invoke(app, ["down", *folder])
    assert stopped.exit_code == 0
    assert "1 node(s) stopped" in stopped.output
    assert runner.invoke(app, ["status", *folder]).exit_code == 1
