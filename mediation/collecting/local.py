"""A local folder as a source: a folder of this machine, or one that is mounted."""

import errno
import os
import stat
from functools import partial
from io import BufferedReader
from pathlib import Path

from mediation.collecting.folders import LISTED_MAX, FileMoved, SourceLost, Take
from mediation.collecting.listing import Listing
from mediation.collecting.patience import PatientThread
from mediation.plant.files import ListedFile

_CHUNK = 1 << 20


class LocalFolder:
    """Lists files and reads them. Links are left alone: they may lead anywhere, and a switch writes files."""

    at_once = 4

    def __init__(self, folder: Path, thread: PatientThread) -> None:
        """`thread` makes the calls: a mount may hang."""
        self._folder = folder
        self._call = thread.call
        self._later = thread.later

    async def list(self) -> Listing:
        """Give its files, by name. Raises `SourceLost`."""
        return await self._call(self._list)

    def _list(self) -> Listing:
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
        opened = await self._call(lambda: self._open(file, begin))
        try:
            left = file.bytes - begin
            while left > 0 and (chunk := await self._call(partial(opened.read, min(left, _CHUNK)))):
                take(chunk)
                left -= len(chunk)
            same = await self._call(lambda: _listed(file.name, os.fstat(opened.fileno())) == self._now(file) == file)
        except OSError as error:
            raise FileMoved(f"{file.shown}: {error.strerror}") from error
        finally:
            self._later(opened.close)
        if left or not same:
            raise FileMoved(f"{file.shown} was written to while it was read")

    async def move(self, file: ListedFile, folder: str, name: str) -> None:
        """Move a file. Raises `FileMoved`, `SourceLost`."""
        await self._call(lambda: self._move(file, folder, name))

    def _move(self, file: ListedFile, folder: str, name: str) -> None:
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

    def _open(self, file: ListedFile, begin: int) -> BufferedReader:
        try:
            # Neither a link nor a pipe that was put in its place is waited for.
            handle = os.open(self._folder / file.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            opened = os.fdopen(handle, "rb")
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                opened.close()
                raise FileMoved(f"{file.shown} is no file any more")
            opened.seek(begin)
        except FileNotFoundError as error:
            raise FileMoved(f"{file.shown} is gone") from error
        except OSError as error:
            why = "is a link now" if error.errno == errno.ELOOP else error.strerror
            raise FileMoved(f"{file.shown}: {why}") from error
        return opened


def _listed(name: str, status: os.stat_result) -> ListedFile:
    return ListedFile(name, status.st_size, str(status.st_mtime_ns))
