"""What a source is to the collector, however it is reached: a folder that lists its files and gives their bytes."""

from collections.abc import Callable
from typing import Protocol

from mediation.collecting.listing import Listing
from mediation.plant.files import ListedFile

LISTED_MAX = 200_000
"""Files of one folder; more are no folder of a switch."""
LISTING_BYTES_MAX = 64 << 20
SLOWEST_BYTES_S = 10_000
"""Whoever sends a file more slowly is given up."""

Take = Callable[[bytes], None]
"""Takes the next bytes of a file; called in another thread at times, never in two at once for one file."""


class FileMoved(Exception):
    """A file is not there any more, or was replaced or written to while it was read, or is none to be had."""


class SourceLost(Exception):
    """A source can't be reached, or the connection to it broke; what it said, without secrets."""


class SourceFolder(Protocol):
    """A folder of a source, open for one look."""

    @property
    def at_once(self) -> int:
        """How many files may be fetched at once."""
        ...

    async def list(self) -> Listing:
        """Give its files. Raises `SourceLost`."""

    async def fetch(self, file: ListedFile, begin: int, take: Take) -> None:
        """Hand over a file's bytes from `begin` on, in order, and see that it is still what was listed.

        Raises `FileMoved` when it isn't, and `SourceLost`; what was taken until then were bytes of the file as it
        was. What `take` raises comes through.
        """

    async def move(self, file: ListedFile, folder: str, name: str) -> None:
        """Move a file into another folder of the source, if it is still what was listed.

        Raises `FileMoved` when it isn't or the source won't let us, and `SourceLost`.
        """


def deadline_s(timeout_s: int, size: int) -> float:
    """Give how long a file may take as a whole."""
    return timeout_s + size / SLOWEST_BYTES_S


def joined(folder: str, name: str) -> str:
    """Give the path of a file."""
    return f"{folder.rstrip('/')}/{name}" if folder.rstrip("/") or folder.startswith("/") else name
