"""The folders of a plant, and how a file comes into one whole or not at all.

sources.yaml          where files come from, and by which rule they are whole
formats/*.yaml        how switches write
ledger.sqlite         what is true: every other file counts only if it is named there
landing/ab/<sha256>   files as they came, never changed
arriving/<source>/…   what came of large files whose transfer broke
batches/<n>.parquet   records that are to be charged
keys/<day>/<id>.run   keys of uses, by the day of the event
details/<n>.parquet   what was charged for the records of a batch
"""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from mmap import ACCESS_READ, mmap
from os import fstat
from pathlib import Path

from mediation.records import UnusableFile

CHANGED = "FILE_CHANGED"
"""The reason for which a file is held whose bytes are others by now."""


class PlantFolder:
    """Paths of one plant."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.sources = home / "sources.yaml"
        self.formats = home / "formats"
        self.ledger = home / "ledger.sqlite"

    def landed(self, digest: str) -> Path:
        """Give the place of a file's bytes."""
        return self.home / "landing" / digest[:2] / digest

    @contextmanager
    def read(self, digest: str) -> Iterator[bytes | mmap]:
        """Give a file's bytes, held against their name, for as long as this is entered; they take no memory of ours.

        Raises `UnusableFile` FILE_CHANGED, `OSError`.
        """
        with self.landed(digest).open("rb") as file:
            whole = fstat(file.fileno()).st_size
            content = mmap(file.fileno(), 0, access=ACCESS_READ) if whole else b""
            try:
                if digest_of(content) != digest:
                    raise UnusableFile(CHANGED, "its bytes in the landing are not those that were taken")
                yield content
            finally:
                if isinstance(content, mmap):
                    content.close()

    def arriving(self, source: str) -> Path:
        """Give the folder of what came of a source's large files so far: it counts for nothing."""
        return self.home / "arriving" / source

    def batch(self, number: int) -> Path:
        """Give the place of a batch's records."""
        return self.home / "batches" / f"{number}.parquet"

    def run(self, name: str) -> Path:
        """Give the place of a run of keys, named by its day."""
        return self.home / "keys" / f"{name}.run"

    def details(self, number: int) -> Path:
        """Give the place of what was charged for a batch."""
        return self.home / "details" / f"{number}.parquet"

    def made(self) -> list[Path]:
        """Give every file that counts only when the ledger names it."""
        folders = (self.home / name for name in ("landing", "batches", "keys", "details"))
        return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


def digest_of(content: bytes | mmap) -> str:
    """Give the name under which content is landed."""
    return sha256(content).hexdigest()
