"""Where a process keeps its anchors, by its settings: files beside the key file, and the second party's unit."""

from pathlib import Path

from evidence.anchors import Anchorage, Everywhere
from evidence.files import FileAnchors
from evidence.keys import KeyRing
from evidence.seals import SealedUnit
from evidence.second import UnitAnchors
from storage.unit import Unit

FOLDER = "anchors"


def anchors_folder(given: Path | None, keys: Path | None) -> Path | None:
    """Say in which folder anchors are: as given, or beside the key file; None = without files, as units in memory."""
    if given is not None:
        return given
    return keys.parent / FOLDER if keys is not None else None


def places(folder: Path | None, second: Unit, ring: KeyRing, server: str) -> Everywhere:
    """Put the places together; `second` is the second party's unit, `server` who notes."""
    known: list[Anchorage] = [FileAnchors(folder, server, ring)] if folder is not None else []
    return Everywhere([*known, UnitAnchors(SealedUnit(second, ring), server)])
