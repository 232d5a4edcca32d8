"""Where the units and keys of one system on this machine are.

Units hang below one base URL, as their kind of store lays them out (`storage.backend.Grounds`). Where a unit costs
little, as a file does, each province has a private one; where it is dear, as a keyspace is, the provinces of a great
area share one.
"""

from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from country.domains import REGIONS
from directory.slots import slot_key
from evidence.keyfile import FOLDER, NAME, file_beside
from storage.backend import Grounds
from storage.backends import BACKENDS

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
    grounds = grounds_of(base)
    if grounds is None:
        raise ValueError(f"units live in sqlite:///folder or cassandra://hosts/prefix, not in {base}")
    shared_of = {region.code: "shared-north" if region.area in NORTH else "shared-south" for region in REGIONS}
    if grounds.units_are_dear:
        private_of = {region.code: f"private-{region.area}" for region in REGIONS}
    else:
        private_of = {region.code: f"private-{region.code.lower()}" for region in REGIONS}
    names = sorted({*shared_of.values(), *private_of.values()})
    units = {name: grounds.below(base, name) for name in names}
    return Layout(base, grounds.below(base, "directory"), units, shared_of, private_of)


def grounds_of(base: str) -> Grounds | None:
    """Say how units lie below a base URL; None when no system can live there."""
    backend = BACKENDS.get(urlsplit(base).scheme)
    return backend.grounds if backend is not None else None


def keys_of(layout: Layout, folder: Path) -> Path:
    """Say where the keys of a system are: beside embedded units, else in the data folder."""
    beside = file_beside(layout.directory)
    return beside if beside is not None else (folder / FOLDER / NAME).resolve()


def default_base(folder: Path) -> str:
    """Give the base URL of the embedded units in a data folder."""
    return f"sqlite://{(folder / 'units').resolve()}"


def journals_of(layout: Layout, slots: int) -> dict[str, list[str]]:
    """Name the journals of all slots by the URL of the unit they are in; `slots` is how many each domain has."""
    journals: dict[str, list[str]] = {}
    for domain, name in layout.private_of.items():
        journals.setdefault(layout.units[name], []).extend(slot_key(domain, slot) for slot in range(slots))
    return journals
