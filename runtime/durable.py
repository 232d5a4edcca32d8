"""Files that come into a folder whole or not at all, and stay when the machine stops."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FolderTaken(Exception):
    """Another process writes in the folder."""


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Be the only one who writes in a folder; whoever is killed lets it go. Raises `FolderTaken`, `OSError`.

    Two who write would remove each other's files that no commit names yet, and give two things one number.
    """
    with (folder / ".writer").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderTaken(f"another process writes in {folder}: wait until it ends") from error
        yield


def place(path: Path, content: bytes) -> None:
    """Put a file there, durable when this returns; whoever sees it sees it whole."""
    put(path, content)
    sync_folder(path.parent)


def put(path: Path, content: bytes) -> None:
    """Put a file there whose bytes are durable when this returns; its name is the caller's to sync."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
