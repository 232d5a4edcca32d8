"""Files and folders that hold data of subscribers: the process's own user reads them, and nobody else."""

import os
import stat
from pathlib import Path

FILE_MODE = 0o600
FOLDER_MODE = 0o700


def private_folder(path: Path) -> None:
    """Make a folder, with those above it, for this user alone; one that is there stays as it is. Raises OSError."""
    for folder in (*reversed(path.parents), path):
        if not folder.exists():
            folder.mkdir(mode=FOLDER_MODE, exist_ok=True)


def private_file(path: Path) -> None:
    """Make a file for this user alone, or take it from others when it is there. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE)
    try:
        state = os.fstat(descriptor)
        if state.st_uid == os.geteuid() and stat.S_IMODE(state.st_mode) & 0o077:
            os.fchmod(descriptor, FILE_MODE)
    finally:
        os.close(descriptor)
