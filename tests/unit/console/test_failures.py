"""Commands that can't do their work: one sentence, a status that isn't 0, and no trace."""

import logging
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from console import main as command_line
from console.arguments import problem

NOWHERE = "127.0.0.1:9"
"""The discard port: nobody serves on it."""


def _run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Run a command in this process; gives its status and what it said on standard error and output."""
    monkeypatch.setattr(sys, "argv", ["onetier", *arguments])
    monkeypatch.setenv("GRPC_VERBOSITY", "NONE")
    before, handlers = os.umask(0o022), list(logging.getLogger().handlers)
    try:
        with pytest.raises(SystemExit) as ended:
            command_line.main()
    finally:
        os.umask(before)
        logging.getLogger().handlers[:] = handlers
        structlog.reset_defaults()
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.err + said.out


@pytest.fixture
def a_file(tmp_path: Path) -> Path:
    """A file where a folder is wanted."""
    path = tmp_path / "file"
    path.write_text("something else")
    return path


@pytest.fixture
def folder_with_garbage(tmp_path: Path) -> Path:
    """A data folder whose mark is none."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "system.json").write_bytes(b"\xff{")
    return folder


CASES = {
    "up --data FILE": ["up", "--data", "{file}"],
    "demo --data FILE": ["demo", "--data", "{file}"],
    "audit --data FILE": ["audit", "--all", "--data", "{file}"],
    "up on a garbled mark": ["up", "--data", "{garbage}"],
    "audit on a garbled mark": ["audit", "--all", "--data", "{garbage}"],
    "unit list on a garbled mark": ["unit", "list", "--data", "{garbage}"],
    "units of no scheme": ["demo", "--data", "{new}", "--units", "postgres://x/y"],
    "unit list of a file that is no unit": ["unit", "list", "--directory", "sqlite://{file}"],
    "unit list of Cassandra away": [
        "unit",
        "list",
        "--directory",
        "cassandra://127.0.0.1:9/nothing",
        "--keys",
        "{keys}",
    ],
    "audit of Cassandra away": ["audit", "--all", "--directory", "cassandra://127.0.0.1:9/nothing", "--keys", "{keys}"],
    "balance with nobody there": ["balance", "13012345678", "--endpoint", NOWHERE],
    "balance of no address": ["balance", "13012345678", "--endpoint", "nonsense"],
    "resolve with nobody there": ["resolve", "13012345678", "--datacenter", NOWHERE],
    "resolve with certificates that are not there": ["resolve", "1", "--datacenter", NOWHERE, "--tls", "{new}"],
    "certificates that are none": ["balance", "1", "--endpoint", NOWHERE, "--tls", "{certificates}"],
    "a unit to where its servers may not go": [
        "unit",
        "move",
        "u",
        "sqlite:///etc/u.db",
        "--directory",
        "sqlite://{new}",
    ],
    "catalog check FILE": ["catalog", "check", "{file}"],
    "rate into a folder that is not there": [
        "rate",
        "--catalog",
        "{file}",
        "--usage",
        "{file}",
        "--out",
        "{new}/x/y.csv",
    ],
    "cassandra status of FILE": ["cassandra", "status", "--folder", "{file}"],
    "cassandra down of FILE": ["cassandra", "down", "--folder", "{file}"],
    "keys of a file that is none": ["keys", "list", "{file}"],
}


@pytest.mark.parametrize("arguments", CASES.values(), ids=CASES.keys())
def test_it_ends_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    a_file: Path,
    folder_with_garbage: Path,
    arguments: list[str],
) -> None:
    (tmp_path / "certificates").mkdir()
    for name in ("frontend.pem", "frontend.key", "ca.pem"):
        (tmp_path / "certificates" / name).write_text("no certificate")
    keys = tmp_path / "chain.keys"
    keys.write_text("ab" * 32 + "\n")
    keys.chmod(0o600)
    places = {
        "file": a_file,
        "garbage": folder_with_garbage,
        "new": tmp_path / "new",
        "certificates": tmp_path / "certificates",
        "keys": keys,
    }
    status, said = _run(monkeypatch, capsys, *(argument.format(**places) for argument in arguments))
    assert status in (1, 2), said
    assert said.strip()
    assert "Traceback" not in said


def test_a_password_on_the_command_line_is_refused_before_anything_is_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for key in ("password", "passw%6Frd"):
        units = f"cassandra://127.0.0.1/onetier?user=onetier&{key}=s3cret"
        status, said = _run(monkeypatch, capsys, "demo", "--data", str(tmp_path / "data"), f"--units={units}")
        assert status == 2
        assert "every user of this machine can read" in said
        assert "password_env=" in said
        assert "s3cret" not in said
    assert not (tmp_path / "data").exists()


def test_what_names_a_variable_or_is_no_address_is_taken() -> None:
    assert not problem(["demo", "--units", "cassandra://h/onetier?user=u&password_env=ONETIER_CQL_PASSWORD"])
    assert not problem(["balance", "password=1"])


def test_a_store_that_is_away_is_told_without_a_trace_of_the_driver_s(tmp_path: Path) -> None:
    keys = tmp_path / "chain.keys"
    keys.write_text("ab" * 32 + "\n")
    keys.chmod(0o600)
    command = ["unit", "list", "--directory", "cassandra://127.0.0.1:9/nothing", "--keys", str(keys)]
    done = subprocess.run(
        [sys.executable, "-m", "console.main", *command], capture_output=True, timeout=30, check=False
    )
    assert done.returncode == 1
    assert done.stderr.decode().startswith("onetier: Cassandra did not answer")
    assert done.stderr.count(b"\n") == 1


def test_a_port_that_another_system_serves_is_not_shared_with_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with socket.socket() as served:
        served.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        served.bind(("127.0.0.1", 0))
        served.listen()
        port = served.getsockname()[1]
        status, said = _run(monkeypatch, capsys, "up", "--data", str(tmp_path / "data"), "--port", str(port))
    assert status == 1
    assert f"port {port} can't be served on (Address already in use): give another --port" in said


def test_an_argument_that_is_no_utf_8_is_told() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "console.main", "balance", b"\xff\xfe"], capture_output=True, timeout=30, check=False
    )
    assert done.returncode == 2
    assert done.stderr.decode().strip() == "onetier: argument 2 is no UTF-8: write it in the encoding of your terminal."


def test_a_reader_that_has_enough_is_no_failure_of_ours() -> None:
    code = f"{sys.executable} -m console.main catalog schema | head -c 10"
    done = subprocess.run(["bash", "-c", code], capture_output=True, timeout=30, check=False)
    assert done.stderr == b""


def test_what_a_command_makes_is_its_user_s_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _run(monkeypatch, capsys, "up", "--data", str(tmp_path / "data"), "--units", "postgres://x/y")
    for path in (tmp_path / "data").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
