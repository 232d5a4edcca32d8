"""A local folder as a source: a folder of this machine, or one that is mounted."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from mediation.collecting.folders import LISTED_MAX, FileMoved, SourceLost, Take
from mediation.collecting.listing import Listing
from mediation.plant.files import ListedFile

_CHUNK = 1 << 20


class LocalFolder:
    """Lists files and reads them. Links are left alone: they may lead anywhere, and a switch writes files."""

    at_once = 4

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def list(self) -> Listing:
        """Give its files, by name. Raises `SourceLost`."""
        found: list[ListedFile] = []
        try:
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    if entry.is_file(follow_symlinks=False):
                        found.append(_listed(entry.name, entry.stat(follow_symlinks=False)))
                    if len(found) > LISTED_MAX:
                        raise SourceLost(f"{self._folder} has more than {LISTED_MAX:,} files")
        except OSError as error:
            raise SourceLost(f"{self._folder}: {error.strerror}") from error
        return Listing(tuple(sorted(found, key=lambda file: file.name)))

    async def fetch(self, file: ListedFile, begin: int, take: Take) -> None:
        """Hand over a file's bytes. Raises `FileMoved`, `SourceLost`."""
        with self._opened(file) as opened:
            opened.seek(begin)
            left = file.bytes - begin
            while left > 0 and (chunk := opened.read(min(left, _CHUNK))):
                take(chunk)
                left -= len(chunk)
            after = os.fstat(opened.fileno())
        if left or _listed(file.name, after) != file or self._now(file) != file:
            raise FileMoved(f"{file.shown} was written to while it was read")

    async def move(self, file: ListedFile, folder: str, name: str) -> None:
        """Move a file. Raises `FileMoved`."""
        target = self._folder / folder
        try:
            target.mkdir(exist_ok=True)
            if self._now(file) != file:
                raise FileMoved(f"{file.shown} is another file by now, and stays where it is")
            (self._folder / file.name).rename(target / name)
        except OSError as error:
            raise FileMoved(f"{file.shown} can't be moved: {error.strerror}") from error

    def _now(self, file: ListedFile) -> ListedFile | None:
        try:
            return _listed(file.name, os.lstat(self._folder / file.name))
        except FileNotFoundError:
            return None

    @contextmanager
    def _opened(self, file: ListedFile) -> Iterator[BufferedReader]:
        try:
            # Neither a link nor a pipe that was put in its place is waited for.
            handle = os.open(self._folder / file.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(handle, "rb") as opened:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise FileMoved(f"{file.shown} is no file any more")
                yield opened
        except FileNotFoundError as error:
            raise FileMoved(f"{file.shown} is gone") from error
        except OSError as error:
            why = "is a link now" if error.errno == errno.ELOOP else error.strerror
            raise FileMoved(f"{file.shown}: {why}") from error


def _listed(name: str, status: os.stat_result) -> ListedFile:
    return ListedFile(name, status.st_size, str(status.st_mtime_ns))
