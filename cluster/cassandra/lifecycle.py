"""Clusters of real Cassandra nodes on loopback: up, down, status. Each cluster is one folder.

folder/state.json            what runs, with process ids
folder/node1/{conf,data,…}   one node
"""

import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from cluster.cassandra import jars, java, node
from cluster.cassandra.errors import LocalCassandraError

NODES_MAX = 9
START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 30
POLL_S = 0.05


class Settings(Struct, frozen=True, kw_only=True):
    """What a local cluster is to be."""

    nodes: int = 1
    network: str = "127.0.0"
    """First three numbers of the nodes' addresses; the nodes are .1, .2, …"""
    port: int = 9042
    storage_port: int = 7000
    heap_mb: int = 0
    """Of each node; 0 = 1024 for a single node, 400 for each of several."""
    commitlog_sync: Literal["periodic", "batch", "group"] = "periodic"
    """When a write is on disk: up to 10 s after the answer, before it, or before it in groups of 10 ms."""
    tls_keystore: str = ""
    """PEM file with the nodes' key and certificate; given, clients must use TLS."""
    tls_ca: str = ""
    """PEM file; given, clients must show a certificate of this authority."""
    passwords: bool = False
    """Ask clients for credentials; the first role is cassandra, password cassandra."""


class NodeState(Struct):
    """One node as the state file has it."""

    number: int
    address: str
    port: int
    pid: int


class ClusterState(Struct):
    """A cluster as its state file has it."""

    settings: Settings
    version: str
    nodes: list[NodeState]

    def contact_points(self) -> str:
        """Host part of a unit's address."""
        return ",".join(f"{item.address}:{item.port}" for item in self.nodes)


class NodeStatus(Struct, frozen=True):
    """One node as it is now."""

    number: int
    address: str
    port: int
    pid: int
    running: bool
    answering: bool
    memory_mb: int


def up(folder: Path, settings: Settings, report: Callable[[str], None]) -> ClusterState:
    """Start what does not run yet, one node after another, and return when all answer on their CQL ports.

    Raises `LocalCassandraError`; nodes that this call started are stopped again then.
    """
    if not 1 <= settings.nodes <= NODES_MAX:
        raise LocalCassandraError(f"{settings.nodes} nodes: between 1 and {NODES_MAX} can be had.")
    java_path = java.find()
    lib = jars.fetch(report)
    with _locked(folder):
        state = _load(folder)
        alive = [item for item in (state.nodes if state else []) if node.runs(item.pid, folder)]
        if state is not None and alive and _layout(state.settings) != _layout(settings):
            raise LocalCassandraError(f"A cluster with other settings runs in {folder}: take it down first.")
        state = ClusterState(settings, jars.version_of(lib), alive)
        started: list[NodeState] = []
        try:
            for number in range(1, settings.nodes + 1):
                if number not in {item.number for item in alive}:
                    started.append(_start(folder, settings, number, java_path, lib, report))
                    state.nodes = sorted([*alive, *started], key=lambda item: item.number)
                    _save(folder, state)
        except BaseException:
            _stop(folder, started)
            state.nodes = alive
            _save(folder, state)
            raise
        return state


def down(folder: Path, report: Callable[[str], None]) -> int:
    """Stop the cluster of that folder, by process id; its data stays. Returns how many nodes were stopped.

    0 when none runs. `report` is told each node before it is stopped.
    """
    if not folder.exists():
        return 0
    with _locked(folder):
        state = _load(folder)
        if state is None:
            return 0
        alive = [item for item in state.nodes if node.runs(item.pid, folder)]
        for item in alive:
            report(f"stopping node {item.number} ({item.address})")
        _stop(folder, alive)
        state.nodes = []
        _save(folder, state)
        return len(alive)


def stop_node(folder: Path, number: int, *, kill: bool = False) -> None:
    """Stop one node, or kill it at once, as a test of failure does. `up` starts it again."""
    state = _load(folder)
    for item in state.nodes if state else []:
        if item.number == number and node.runs(item.pid, folder):
            _stop(folder, [item], signal.SIGKILL if kill else signal.SIGTERM)


def signal_node(folder: Path, number: int, how: signal.Signals) -> None:
    """Send one node a signal, when it runs: SIGSTOP and SIGCONT make it a node that hangs."""
    state = _load(folder)
    for item in state.nodes if state else []:
        if item.number == number and node.runs(item.pid, folder):
            os.kill(item.pid, how)


def status(folder: Path) -> tuple[NodeStatus, ...]:
    """The nodes of that folder as they are now, in order; none when it was never up or is down."""
    state = _load(folder)
    return tuple(
        NodeStatus(
            item.number,
            item.address,
            item.port,
            item.pid,
            node.runs(item.pid, folder),
            node.answers(item.address, item.port),
            node.memory_mb(item.pid),
        )
        for item in (state.nodes if state else [])
    )


def _start(
    folder: Path, settings: Settings, number: int, java_path: Path, lib: Path, report: Callable[[str], None]
) -> NodeState:
    """Start one node and wait until its CQL port answers."""
    address = f"{settings.network}.{number}"
    for port in (settings.port, settings.storage_port):
        if not node.is_free(address, port):
            raise LocalCassandraError(
                f"{address}:{port} is in use or no address of this machine: choose another port or network, "
                "or stop what listens there."
            )
    heap_mb = settings.heap_mb or (1024 if settings.nodes == 1 else 400)
    report(f"starting node {number} on {address}:{settings.port}, heap {heap_mb} MB")
    home = node.render(folder, number, _values(settings, number))
    process = node.spawn(home, java_path, lib, heap_mb)
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not node.answers(address, settings.port):
            if process.poll() is not None:
                raise LocalCassandraError(f"Node {number} ended at once. Its log ends with:\n{node.log_tail(home)}")
            if time.monotonic() > deadline:
                raise LocalCassandraError(
                    f"Node {number} did not answer in {START_TIMEOUT_S} s. Its log ends with:\n{node.log_tail(home)}"
                )
            time.sleep(POLL_S)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return NodeState(number, address, settings.port, process.pid)


def _values(settings: Settings, number: int) -> dict[str, str]:
    """What the templates' names stand for."""
    sync = {
        "periodic": "commitlog_sync: periodic\ncommitlog_sync_period: 10000ms",
        "batch": "commitlog_sync: batch",
        "group": "commitlog_sync: group\ncommitlog_sync_group_window: 10ms",
    }
    return {
        "cluster_name": "onetier",
        "address": f"{settings.network}.{number}",
        "seed": f"{settings.network}.1",
        "port": str(settings.port),
        "storage_port": str(settings.storage_port),
        "commitlog_sync": sync[settings.commitlog_sync],
        "security": node.security(settings.tls_keystore, settings.tls_ca, passwords=settings.passwords),
    }


def _layout(settings: Settings) -> Settings:
    """The settings but for the number of nodes, which may grow."""
    return msgspec.structs.replace(settings, nodes=1, heap_mb=0)


def _stop(folder: Path, nodes: list[NodeState], how: signal.Signals = signal.SIGTERM) -> None:
    """End these processes and wait; those that do not listen are killed."""
    for item in nodes:
        os.kill(item.pid, how)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    for item in nodes:
        while node.runs(item.pid, folder) and time.monotonic() < deadline:
            time.sleep(POLL_S)
        if node.runs(item.pid, folder):
            os.kill(item.pid, signal.SIGKILL)


def _load(folder: Path) -> ClusterState | None:
    try:
        return msgspec.json.decode((folder / "state.json").read_bytes(), type=ClusterState)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as failure:
        raise LocalCassandraError(f"{folder / 'state.json'} can't be read: {failure}.") from failure


def _save(folder: Path, state: ClusterState) -> None:
    scratch = folder / "state.json.new"
    scratch.write_bytes(msgspec.json.format(msgspec.json.encode(state)))
    scratch.replace(folder / "state.json")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One `up` or `down` at a time a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalCassandraError(f"Another process starts or stops the cluster in {folder}.") from None
        yield
