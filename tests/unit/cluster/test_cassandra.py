"""Local clusters: what goes wrong is said, what runs is known, what was started is stopped."""

import hashlib
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.cassandra import jars, java, lifecycle, node
from cluster.cassandra.errors import LocalCassandraError
from cluster.cassandra.lifecycle import ClusterState, NodeState, Settings
from testkit.cassandra import LocalCluster, free_network


@pytest.fixture
def fake_java(tmp_path: Path) -> Path:
    """A program that says it is Java 11."""
    program = tmp_path / "java"
    program.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    program.chmod(0o755)
    return program


def test_another_java_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch, fake_java: Path) -> None:
    monkeypatch.setattr(java, "_candidates", lambda: iter([fake_java, Path("/nowhere/java")]))
    with pytest.raises(LocalCassandraError, match=r"needs Java 17: install .*java is 11, /nowhere/java is no Java"):
        java.find()


def test_a_java_17_is_found() -> None:
    assert java._version(java.find()) == 17


def test_without_maven_and_without_jars_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(LocalCassandraError, match="Maven is needed"):
        jars.fetch(print, tmp_path)


def test_a_failed_download_shows_mavens_errors_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "mvn"
    program.write_text("#!/bin/sh\necho '[ERROR] repository not reachable'; exit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _: str(program))
    with pytest.raises(LocalCassandraError, match="repository not reachable"):
        jars.fetch(print, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def _cached(folder: Path, jars_in: dict[str, bytes]) -> Path:
    """Put jars into a cache, and give their list."""
    (folder / f"cassandra-{jars.VERSION}").mkdir()
    for name, content in jars_in.items():
        (folder / f"cassandra-{jars.VERSION}" / name).write_bytes(content)
    checksums = folder / "jars.sha256"
    checksums.write_text(
        "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in jars_in.items())
    )
    return checksums


CASSANDRA_JAR = f"cassandra-all-{jars.VERSION}.jar"


def test_jars_in_the_cache_need_no_maven(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ONETIER_CACHE", str(tmp_path))
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(jars, "CHECKSUMS", _cached(tmp_path, {CASSANDRA_JAR: b"cassandra"}))
    assert jars.version_of(jars.fetch(print)) == jars.VERSION


@pytest.mark.parametrize(("name", "content"), [(CASSANDRA_JAR, b"another"), ("guest.jar", b"one more")])
def test_jars_that_are_not_those_of_the_list_are_not_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, content: bytes
) -> None:
    monkeypatch.setattr(jars, "CHECKSUMS", _cached(tmp_path, {CASSANDRA_JAR: b"cassandra", "guava.jar": b"guava"}))
    (tmp_path / f"cassandra-{jars.VERSION}" / name).write_bytes(content)
    with pytest.raises(LocalCassandraError, match=f"not those of jars.sha256 .{name}"):
        jars.fetch(print, tmp_path)


def test_a_missing_jar_is_told_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(jars, "CHECKSUMS", _cached(tmp_path, {CASSANDRA_JAR: b"cassandra", "guava.jar": b"guava"}))
    (tmp_path / f"cassandra-{jars.VERSION}" / "guava.jar").unlink()
    with pytest.raises(LocalCassandraError, match=r"guava\.jar"):
        jars.fetch(print, tmp_path)


def test_the_list_has_the_version_that_is_fetched() -> None:
    names = {line.split()[1] for line in jars.CHECKSUMS.read_text().splitlines()}
    assert CASSANDRA_JAR in names
    assert len(names) > 50


def test_a_port_in_use_is_refused_before_anything_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(jars, "fetch", lambda _: tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(port=taken.getsockname()[1])
        with pytest.raises(LocalCassandraError, match="is in use"):
            lifecycle.up(tmp_path / "c", settings, print)
    assert lifecycle.status(tmp_path / "c") == ()


@pytest.mark.parametrize("nodes", [0, lifecycle.NODES_MAX + 1])
def test_an_absurd_number_of_nodes_is_refused(nodes: int, tmp_path: Path) -> None:
    with pytest.raises(LocalCassandraError, match="between 1 and"):
        lifecycle.up(tmp_path, Settings(nodes=nodes), print)


def test_a_process_id_that_was_given_to_somebody_else_is_not_ours(tmp_path: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        state = ClusterState(Settings(), "5.0.9", [NodeState(1, "127.0.0.1", 1, stranger.pid)])
        lifecycle._save(tmp_path, state)
        assert not lifecycle.status(tmp_path)[0].running
        assert lifecycle.down(tmp_path, print) == 0
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_the_configuration_has_everything_filled_in(tmp_path: Path) -> None:
    settings = Settings(network="127.9.9", nodes=3, commitlog_sync="group", passwords=True, tls_keystore="/k.pem")
    home = node.render(tmp_path, 2, lifecycle._values(settings, 2))
    text = (home / "conf" / "cassandra.yaml").read_text()
    assert "$" not in text.replace("$$", "").split("\n", 1)[1]
    assert "listen_address: 127.9.9.2" in text
    assert 'seeds: "127.9.9.1:7000"' in text
    assert "commitlog_sync: group" in text
    assert "PasswordAuthenticator" in text
    assert "keystore: /k.pem" in text
    assert "paxos_variant: v2" in text


@pytest.mark.cassandra
def test_a_node_that_cant_start_shows_why_and_leaves_nothing_running(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(node, "security", lambda *_, **__: "no_such_setting: true")
    with pytest.raises(LocalCassandraError, match=r"Node 1 ended at once(.|\n)*no_such_setting"):
        lifecycle.up(tmp_path, Settings(network=free_network(1), heap_mb=300), print)
    assert lifecycle.status(tmp_path) == ()


@pytest.mark.cassandra
def test_a_running_cluster_is_seen_kept_and_not_changed(cassandra_one: LocalCluster) -> None:
    said: list[str] = []
    again = lifecycle.up(cassandra_one.folder, cassandra_one.settings, said.append)
    assert said == []
    assert [item.pid for item in again.nodes] == [item.pid for item in cassandra_one.state.nodes]
    (status,) = lifecycle.status(cassandra_one.folder)
    assert status.running
    assert status.answering
    assert status.memory_mb > 100
    with pytest.raises(LocalCassandraError, match="other settings"):
        lifecycle.up(cassandra_one.folder, Settings(network="127.3.3"), said.append)


@pytest.mark.cassandra
def test_a_nodes_threads_take_their_time_and_the_starters_do_not(cassandra_one: LocalCluster) -> None:
    def slack(thread: str) -> int:
        return int(Path(f"/proc/{thread}/timerslack_ns").read_text())

    pid = cassandra_one.state.nodes[0].pid
    assert {slack(each.name) for each in Path(f"/proc/{pid}/task").iterdir()} == {node.TIMER_SLACK_NS}
    assert slack("self") < node.TIMER_SLACK_NS
