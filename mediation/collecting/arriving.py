"""Bytes of one file on their way. What came of a large one stays when its transfer breaks, and is gone on with.

What stayed is not trusted: it belongs to a file of the same source, name, size and time, and its end is read once more
and compared before the rest is asked for. If it differs, the file begins anew.
"""

import hashlib
import os
from collections.abc import Iterable
from io import BufferedRandom
from pathlib import Path

from mediation.plant.files import ListedFile
from runtime.durable import put

SMALL_BYTES_MAX = 1 << 20
"""Smaller ones come again as a whole, without a file of their own."""
OVERLAP_BYTES = 1 << 16
_CHUNK = 1 << 20


class NotTheSame(Exception):
    """What came before is not the beginning of what comes now."""


class Arrival:
    """One file while it comes."""

    def __init__(self, file: ListedFile, folder: Path) -> None:
        """`folder` is where what came of this source's large files stands."""
        self.file = file
        self._path = folder / arrival_name(file) if file.bytes > SMALL_BYTES_MAX else None
        self._opened: BufferedRandom | None = None
        self._content = bytearray()
        self._ended = False
        self._seen = b""
        """The end of what came before, as far as it must be seen again."""

    def begin(self) -> int:
        """Give the byte from which on it is to be fetched. Raises OSError."""
        self._ended = False
        if self._path is None:
            self._content.clear()
            return 0
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._opened = self._path.open("r+b" if self._path.exists() else "w+b")
        there = min(self._opened.seek(0, os.SEEK_END), self.file.bytes)
        begin = max(0, there - OVERLAP_BYTES)
        self._opened.seek(begin)
        self._seen = self._opened.read(there - begin)
        return begin

    def take(self, chunk: bytes) -> None:
        """Take the next bytes. Raises `NotTheSame`, also when nobody waits for them any more, and OSError."""
        if self._ended:
            raise NotTheSame
        if self._opened is None:
            self._content += chunk
            return
        again = min(len(self._seen), len(chunk))
        if self._seen[:again] != chunk[:again]:
            raise NotTheSame
        self._seen = self._seen[again:]
        self._opened.write(chunk[again:])

    def forget(self) -> None:
        """Let go what came: it begins anew."""
        self.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """End writing; what came stays. A thread that still has bytes is refused."""
        self._ended = True
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def digest(self) -> tuple[str, int]:
        """Give SHA-256 and size of what came, all of it. Raises OSError."""
        self.close()
        if self._path is None:
            return hashlib.sha256(self._content).hexdigest(), len(self._content)
        with self._path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest(), self._path.stat().st_size

    def content(self) -> bytes:
        """Give its bytes. Raises OSError."""
        return bytes(self._content) if self._path is None else self._path.read_bytes()

    def put(self, path: Path) -> None:
        """Put it there, its bytes durable; the name is the caller's to sync. Raises OSError."""
        if self._path is None:
            put(path, bytes(self._content))
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("rb") as file:
            os.fsync(file.fileno())
        self._path.replace(path)


def arrival_name(file: ListedFile) -> str:
    """Give the name under which what comes of a file stands: another size or time is another file."""
    said = f"{file.shown}\0{file.bytes}\0{file.modified}"
    return hashlib.sha256(said.encode(errors="surrogateescape")).hexdigest()[:32]


def sweep(folder: Path, files: Iterable[ListedFile]) -> None:
    """Remove what came of files that are not listed any more. Raises OSError."""
    names = {arrival_name(file) for file in files}
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in names:
            path.unlink()
