"""Files that come into a folder whole or not at all, and stay when the machine stops."""

import os
from pathlib import Path


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
