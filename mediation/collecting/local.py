"""A local folder as a source: lists its files and reads them, nothing else."""

import fnmatch
from pathlib import Path

from mediation.plant.files import ListedFile


class FileMoved(Exception):
    """A file is not there any more, or was replaced or written to while it was read."""


class LocalFolder:
    """A folder of this machine, or one that is mounted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def list(self, pattern: str) -> tuple[list[ListedFile], frozenset[str]]:
        """Give the files whose names match, by name, and the names of all. Raises `OSError`."""
        found: list[ListedFile] = []
        names: set[str] = set()
        for path in self._folder.iterdir():
            if path.is_symlink() or not path.is_file():
                continue  # A link may lead anywhere; a switch writes files.
            names.add(path.name)
            if fnmatch.fnmatchcase(path.name, pattern):
                status = path.stat()
                found.append(ListedFile(path.name, status.st_size, str(status.st_mtime_ns)))
        return sorted(found, key=lambda file: file.name), frozenset(names)

    def read(self, file: ListedFile) -> bytes:
        """Give a file's bytes as it was listed. Raises `FileMoved` when it is another by now, and `OSError`."""
        path = self._folder / file.name
        try:
            with path.open("rb") as opened:
                content = opened.read(file.bytes + 1)
            after = path.stat().st_size
        except FileNotFoundError as error:
            raise FileMoved(f"{file.shown} is gone") from error
        if not len(content) == after == file.bytes:
            raise FileMoved(f"{file.shown} was written to while it was read")
        return content
