"""The data folder of a system: what it holds, who uses it, what may be forgotten."""

import fcntl
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from csv import writer
from pathlib import Path

import msgspec
from msgspec import Struct

from appserver.vouchers.keyfile import write_keys
from cluster.layout import default_base, grounds_of
from cluster.system import Shape
from country.population import Population
from evidence.keyfile import FOLDER
from storage.address import masked

MARK = "system.json"
"""Written when a country is loaded: which units hold it, and how it was made."""
LOCK = "lock"
"""Locked while a system runs on the folder."""


class FolderInUse(ValueError):
    """The data folder can't be used now, or not for what was asked; the message says what to do."""


class Options(Struct, frozen=True):
    """What the commands `demo` and `up` may be told."""

    folder: Path
    units: str = ""
    """Base URL of the units; empty = SQLite files in the folder."""
    subscribers: int = 20_000
    events: int = 200_000
    seed: int = 1
    slots: int = 1
    """Slots of each domain."""
    shape: Shape = Shape()
    catalogues: Path = Path(__file__).resolve().parents[1] / "catalogues"
    tls: Path | None = None
    """Folder of certificates as `docs/tls.md` makes it; None = no TLS."""
    ported: int = 24
    """Numbers that move to another domain before the traffic."""


class FolderMark(Struct, frozen=True):
    """What a data folder holds."""

    base: str
    subscribers: int
    seed: int
    slots: int
    day_ms: int
    kept: bool = False
    """`onetier up` has served it: nothing but `--fresh` removes it."""


def access_settings(folder: Path) -> dict[str, str]:
    """Give the settings by which platforms keep the log of who read what in a data folder."""
    return {"ONETIER_ACCESS_LOG": str((folder / "access").resolve())}


def voucher_settings(folder: Path) -> dict[str, str]:
    """Give the settings by which platforms read vouchers by a key in a data folder.

    It is made once and stays: without it, vouchers that were made can't be used.
    """
    keys = folder / "vouchers.key"
    if not keys.exists():
        write_keys(keys)
    return {"ONETIER_VOUCHER_KEYS": str(keys.resolve())}


@contextmanager
def sole_use(folder: Path) -> Iterator[None]:
    """Use a data folder for the length of the block; another run would delete what this one serves.

    Makes the folder if need be. Raises `FolderInUse` while another process has it, or when it is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise FolderInUse(f"{folder} is a file: give a folder as --data")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        try:
            # The kernel lets go of it when the process ends, however it ends.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderInUse(f"a system runs on {folder} already: stop it, or give another --data") from error
        yield


def clear(folder: Path) -> None:
    """Remove what earlier runs left in a data folder, and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("units", "logs", "access", FOLDER):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in (MARK, "usage.csv", "subscribers.csv"):
        (folder / name).unlink(missing_ok=True)
    (folder / "units").mkdir()


def fresh_base(options: Options) -> str:
    """Give the base URL of a run that must find nothing: keyspaces, or a folder, with a name of their own."""
    if not options.units:
        return default_base(options.folder)
    _, question, query = options.units.partition("?")
    return f"{_stem(options.units)}{secrets.token_hex(3)}{question}{query}"


def check_units(mark: FolderMark, options: Options) -> None:
    """Refuse units other than those that hold the country of the data folder. Raises `FolderInUse`."""
    if options.units and not mark.base.startswith(_stem(options.units)):
        held = f"{options.folder} holds a country whose units are at {masked(mark.base)}"
        raise FolderInUse(f"{held}: leave --units out, give another --data, or forget it with --fresh")


def check_forgettable(folder: Path) -> None:
    """Refuse to make another country in place of one that is kept. Raises `FolderInUse`."""
    mark = read_mark(folder)
    if mark is not None and mark.kept:
        raise FolderInUse(
            f"{folder} holds a country that `onetier up` keeps: give another --data, or forget it with --fresh"
        )


def keep(folder: Path, mark: FolderMark) -> None:
    """Note that a country is served and kept from now on."""
    (folder / MARK).write_bytes(msgspec.json.encode(msgspec.structs.replace(mark, kept=True)))


def _stem(units: str) -> str:
    grounds = grounds_of(units)
    return units.partition("?")[0].rstrip("/") + (grounds.joint if grounds is not None else "/")


def read_mark(folder: Path) -> FolderMark | None:
    """Say what a data folder holds; None when no country was loaded into it. Raises `FolderInUse`."""
    path = folder / MARK
    try:
        return msgspec.json.decode(path.read_bytes(), type=FolderMark) if path.exists() else None
    except msgspec.MsgspecError as error:
        raise FolderInUse(f"{path} does not say what the folder holds ({error}): give another --data") from error


def write_mark(folder: Path, mark: FolderMark, people: Population, homes: Mapping[str, str] | None = None) -> None:
    """Remember what the folder holds, and list its subscribers for load tests; `homes` are domains after moves.

    The mark is written last: a folder without it holds nothing.
    """
    homes = homes or {}
    with (folder / "subscribers.csv").open("w", newline="", encoding="utf-8") as file:
        lines = writer(file)
        lines.writerow(("identity", "domain", "account"))
        lines.writerows(
            (member.identity, homes.get(member.identity, member.domain), member.account_id)
            for member in people.subscribers()
        )
    (folder / MARK).write_bytes(msgspec.json.encode(mark))
