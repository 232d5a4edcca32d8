"""Where the units and keys of one system on this machine are.

Units hang below one base URL. On SQLite each is a file, with a private unit for each province. On Cassandra each is a
keyspace, and the provinces of a great area share one: a keyspace costs the cluster more than a file costs a disk.
"""

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from msgspec import Struct

from country.domains import REGIONS
from directory.slots import slot_key
from evidence.keyfile import FOLDER, NAME, key_file

NORTH = ("north", "northeast", "northwest")


class Layout(Struct, frozen=True):
    """Addresses of all units: names as the directory has them → URLs."""

    base: str
    directory: str
    units: dict[str, str]
    shared_of: dict[str, str]
    """Domain → name of its shared unit."""
    private_of: dict[str, str]
    """Domain → name of its private unit."""


def lay_out(base: str) -> Layout:
    """Lay out the units below a base URL: `sqlite:///folder` or `cassandra://hosts/prefix?options`.

    Raises `ValueError` for another scheme.
    """
    scheme = urlsplit(base).scheme
    if scheme not in ("sqlite", "cassandra"):
        raise ValueError(f"units live in sqlite:///folder or cassandra://hosts/prefix, not in {base}")
    shared_of = {region.code: "shared-north" if region.area in NORTH else "shared-south" for region in REGIONS}
    if scheme == "sqlite":
        private_of = {region.code: f"private-{region.code.lower()}" for region in REGIONS}
    else:
        private_of = {region.code: f"private-{region.area}" for region in REGIONS}
    names = sorted({*shared_of.values(), *private_of.values()})
    return Layout(base, _unit(base, "directory"), {name: _unit(base, name) for name in names}, shared_of, private_of)


def _unit(base: str, name: str) -> str:
    parts = urlsplit(base)
    if parts.scheme == "sqlite":
        return f"sqlite://{parts.path.rstrip('/')}/{name}.db"
    prefix = parts.path.strip("/") or "onetier"
    return urlunsplit(parts._replace(path=f"/{prefix}_{name.replace('-', '_')}"))


def keys_of(layout: Layout, folder: Path) -> Path:
    """Say where the keys of a system are: beside embedded units, else in the data folder."""
    if layout.directory.startswith("sqlite:"):
        beside = key_file(None, layout.directory)
        assert beside is not None, "a SQLite directory has a folder"
        return beside
    return (folder / FOLDER / NAME).resolve()


def default_base(folder: Path) -> str:
    """Give the base URL of the embedded units in a data folder."""
    return f"sqlite://{(folder / 'units').resolve()}"


def journals_of(layout: Layout, slots: int) -> dict[str, list[str]]:
    """Name the journals of all slots by the unit they are in."""
    journals: dict[str, list[str]] = {}
    for domain, name in layout.private_of.items():
        journals.setdefault(layout.units[name], []).extend(slot_key(domain, slot) for slot in range(slots))
    return journals
