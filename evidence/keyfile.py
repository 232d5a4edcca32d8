"""The file of the chain keys: one secret a line in hex, oldest first; `#` begins a comment. Only its owner may read it.

For the embedded store it is made at the first start, beside the directory's database in a folder `evidence`. Any other
store is shared by machines, so its keys are handed out by whoever runs them: `onetier keys new` adds one.
"""

import os
import secrets
import stat
import time
from contextlib import suppress
from pathlib import Path

from evidence.keys import PROCESS_RING, SECRET_BYTES, KeyRing, ring_of
from runtime.settings import BadSettings
from storage.unit import StoreRejected
from storage.url import parse, reach_of

FOLDER = "evidence"
NAME = "chain.keys"


def key_file(given: Path | None, directory: str) -> Path | None:
    """Say where the keys of a directory are: as given, or beside its SQLite file; None = in memory only.

    Raises `BadSettings` when they must be given.
    """
    if given is not None:
        return given
    beside = file_beside(directory)
    if beside is None and reach_of(parse(directory)).hosts:
        raise BadSettings(
            "setting chain_keys (ONETIER_CHAIN_KEYS) is missing: name the file that `onetier keys new` makes."
        )
    return beside


def file_beside(directory: str) -> Path | None:
    """Say where the keys are made for a directory in a file of this machine; None for any other.

    Raises `BadSettings` when its address is none.
    """
    try:
        file = reach_of(parse(directory)).file
    except StoreRejected as wrong:
        raise BadSettings(f"the directory's unit can't be used: {wrong}") from wrong
    return file.parent / FOLDER / NAME if file is not None else None


def ring_at(path: Path | None, *, make: bool) -> KeyRing:
    """Read the ring from its file; with `make`, make one when there is none yet. Raises `BadSettings`."""
    if path is None:
        return PROCESS_RING
    if make and not path.exists():
        _make(path)
    return read_ring(path)


def read_ring(path: Path) -> KeyRing:
    """Read a key file. Raises `BadSettings` when it is missing, readable by others, or no key file."""
    try:
        mode = path.stat().st_mode
        text = path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"the key file {path} can't be read: {error}; restore it from its copy.") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BadSettings(f"the key file {path} may be read by others than its owner: chmod 600 {path}")
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    try:
        return ring_of([bytes.fromhex(line) for line in lines if line])
    except ValueError as error:
        raise BadSettings(f"the key file {path} is none: {error}.") from error


def add_key(path: Path) -> KeyRing:
    """Add a new key, which the processes use from their next start on; makes the file. Raises `BadSettings`."""
    if not path.exists():
        _make(path)
        return read_ring(path)
    read_ring(path)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    _write(fresh, path.read_text("ascii").rstrip("\n") + "\n" + _line())
    fresh.replace(path)
    return read_ring(path)


def _make(path: Path) -> None:
    """Make a key file with one key; of several processes that do it at once one wins."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(fresh, _line())
        with suppress(FileExistsError):
            # A link, not a rename: it never replaces the file of a process that was faster.
            path.hardlink_to(fresh)
        fresh.unlink()
    except OSError as error:
        raise BadSettings(f"the key file {path} can't be made: {error.strerror}.") from error


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _line() -> str:
    day = time.strftime("%Y-%m-%d", time.gmtime())
    return f"{secrets.token_hex(SECRET_BYTES)}  # {day}\n"
