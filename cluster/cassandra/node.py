"""One node: its files, its process, its pulse."""

import os
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from string import Template

from cluster.cassandra import java

CONNECT_TIMEOUT_S = 0.5
TIMER_SLACK_NS = 300_000
"""How late the kernel may wake a thread of a node that sleeps for a time.

Cassandra's workers look for work in naps of ten microseconds. Where it shares its cores with others, that costs more
than the work itself. With 300 µs instead of the usual 50 it takes half the CPU; a lone commit takes 1.9 ms, not 1.5.
"""
_children: dict[int, subprocess.Popen[bytes]] = {}


def render(folder: Path, number: int, values: Mapping[str, str]) -> Path:
    """Write the node's configuration; returns the node's folder. Data that is there stays."""
    home = (folder / f"node{number}").absolute()
    (home / "conf").mkdir(parents=True, exist_ok=True)
    known = {**values, "folder": str(home), "level": "WARN"}
    for name in ("cassandra.yaml", "logback.xml"):
        template = files("cluster.cassandra").joinpath("templates", name).read_text("utf-8")
        (home / "conf" / name).write_text(Template(template).substitute(known), "utf-8")
    return home


def security(tls_keystore: str, tls_ca: str, *, passwords: bool) -> str:
    """The part of the configuration that is about TLS for clients and credentials."""
    lines = []
    if passwords:
        lines += ["authenticator: PasswordAuthenticator", "authorizer: CassandraAuthorizer"]
    if tls_keystore:
        lines += [
            "client_encryption_options:",
            "  enabled: true",
            "  optional: false",
            "  ssl_context_factory:",
            "    class_name: org.apache.cassandra.security.PEMBasedSslContextFactory",
            f"  keystore: {tls_keystore}",
        ]
        if tls_ca:
            lines += [f"  truststore: {tls_ca}", "  require_client_auth: true"]
    return "\n".join(lines)


def spawn(home: Path, java_path: Path, lib: Path, heap_mb: int) -> subprocess.Popen[bytes]:
    """Start the node's process, in a session of its own so that a Ctrl-C here does not end it."""
    command = [
        str(java_path),
        *java.options(heap_mb),
        f"-Dcassandra.config=file:{home / 'conf' / 'cassandra.yaml'}",
        f"-Dcassandra.storagedir={home}",
        f"-Dlogback.configurationFile={home / 'conf' / 'logback.xml'}",
        "-Dcassandra-foreground=yes",
        "-Dcassandra.skip_wait_for_gossip_to_settle=0",
        # A node that starts asks the seeds for twice as long, and on two busy cores five seconds were not enough.
        "-Dcassandra.ring_delay_ms=6000",
        "-Dcassandra.superuser_setup_delay_ms=0",
        "-Dcassandra.consistent.rangemovement=false",
        "-cp",
        f"{home / 'conf'}:{lib}/*",
        "org.apache.cassandra.service.CassandraDaemon",
    ]
    with (home / "console.log").open("wb") as log, _lazy_timers():
        process = subprocess.Popen(
            command, cwd=home, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    _children[process.pid] = process
    return process


@contextmanager
def _lazy_timers() -> Iterator[None]:
    """Let processes that this thread starts inherit `TIMER_SLACK_NS`; where the kernel has no such thing, nothing."""
    slack = Path(f"/proc/{threading.get_native_id()}/timerslack_ns")
    usual = ""
    with suppress(OSError):
        usual = slack.read_text()
        slack.write_text(str(TIMER_SLACK_NS))
    try:
        yield
    finally:
        if usual:
            with suppress(OSError):
                slack.write_text(usual)


def runs(pid: int, folder: Path) -> bool:
    """Is that process still our node? A process id alone may have been given to somebody else since."""
    child = _children.get(pid)
    if child is not None:
        if child.poll() is None:
            return True
        del _children[pid]
        return False
    return str(folder.absolute()) in _command_line(pid)


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return ""
    done = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True)
    return done.stdout


def memory_mb(pid: int) -> int:
    """Resident memory of a process; 0 when unknown."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000


def answers(address: str, port: int) -> bool:
    """Does something accept connections there? Cassandra opens its CQL port when it is ready for clients."""
    try:
        socket.create_connection((address, port), timeout=CONNECT_TIMEOUT_S).close()
    except OSError:
        return False
    return True


def is_free(address: str, port: int) -> bool:
    """May a server listen there?"""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def log_tail(home: Path, lines: int = 15) -> str:
    """The end of what the node said, for an error message."""
    said: list[str] = []
    for name in ("system.log", "console.log"):
        path = home / name
        if path.exists():
            said += path.read_text("utf-8", errors="replace").splitlines()
    return "\n".join([line for line in said if not line.startswith("\tat ")][-lines:])
