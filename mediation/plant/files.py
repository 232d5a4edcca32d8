"""The book of files: which were taken, under which names they were seen, and what became of their records."""

from msgspec import Struct

from mediation.plant.base import PlantBase

LANDED, HELD, DECODED = "landed", "held", "decoded"


class LandedFile(Struct, frozen=True):
    """A file that was taken, and what became of its records. The order of its fields is that of the table."""

    digest: str
    """SHA-256 of its bytes: whatever it is called, it is this file."""
    source: str
    name: str
    bytes: int
    taken_ms: int
    """UTC, by the plant's clock."""
    state: str
    """landed, decoded, or held: nothing of it is charged, for the reason that follows."""
    reason: str = ""
    why: str = ""
    records: int = 0
    """All that are in it, whatever became of them."""
    duplicates: int = 0
    dropped: int = 0


class ListedFile(Struct, frozen=True):
    """A file as its source lists it."""

    name: str
    bytes: int
    modified: str
    """What the source says of its age, in whatever form: only that it is another one means something."""

    @property
    def shown(self) -> str:
        """Its name in books and before people: bytes of another encoding than UTF-8 are written out."""
        return self.name.encode(errors="surrogateescape").decode(errors="backslashreplace")


class Look(Struct, frozen=True):
    """What is known of a file that is listed."""

    since_ms: int
    """Since when it looks as it does, UTC by the plant's clock."""
    digest: str
    """The content that it had when it was read, looking so; empty = it was not read since."""


class FileBook:
    """Of one plant. Whoever writes does it inside `PlantBase.commit`."""

    def __init__(self, base: PlantBase) -> None:
        self._execute = base.connection.execute

    def all(self, state: str = "") -> list[LandedFile]:
        """Give files in the order in which they were taken; `state` "" = all."""
        rows = self._execute("SELECT * FROM files WHERE ? IN ('', state) ORDER BY taken_ms, rowid", (state,))
        return [LandedFile(*row) for row in rows]

    def get(self, digest: str) -> LandedFile | None:
        """Give one file."""
        row = self._execute("SELECT * FROM files WHERE digest = ?", (digest,)).fetchone()
        return LandedFile(*row) if row else None

    def land(self, file: LandedFile) -> None:
        """Note a file that stands in the landing."""
        self._execute(
            "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            tuple(getattr(file, name) for name in LandedFile.__struct_fields__),
        )

    def names(self, source: str) -> dict[str, list[str]]:
        """Give what was seen at a source: digests by name, in the order in which they were seen."""
        found: dict[str, list[str]] = {}
        query = "SELECT name, digest FROM names WHERE source = ? ORDER BY seen_ms"
        for name, digest in self._execute(query, (source,)):
            found.setdefault(name, []).append(digest)
        return found

    def hold(self, digest: str, reason: str, why: str) -> None:
        """Say that nothing of a file is charged."""
        query = "UPDATE files SET state = ?, reason = ?, why = ? WHERE digest = ?"
        self._execute(query, (HELD, reason, why, digest))

    def decoded(self, digest: str, records: int, duplicates: int, dropped: int) -> None:
        """Say what became of records of a file, beside what was said of it before."""
        query = "UPDATE files SET state = ?, records = records + ?, duplicates = duplicates + ?, dropped = dropped + ?"
        self._execute(f"{query} WHERE digest = ?", (DECODED, records, duplicates, dropped, digest))

    def retry(self) -> None:
        """Let files that are held be decoded again."""
        self._execute("UPDATE files SET state = ?, reason = '', why = '' WHERE state = ?", (LANDED, HELD))

    def look(self, source: str, file: ListedFile, now_ms: int) -> Look:
        """Note a file as its source lists it; gives since when it looks so."""
        query = "SELECT bytes, modified, since_ms, digest FROM looks WHERE source = ? AND name = ?"
        row = self._execute(query, (source, file.shown)).fetchone()
        # A look that lies ahead of the clock says nothing: the clock was put back.
        if row is not None and (row[0], row[1]) == (file.bytes, file.modified) and (row[3] or row[2] <= now_ms):
            return Look(int(row[2]), str(row[3]))
        values = (source, file.shown, file.bytes, file.modified, now_ms)
        self._execute("INSERT OR REPLACE INTO looks VALUES (?, ?, ?, ?, ?, '')", values)
        return Look(now_ms, "")

    def read(self, source: str, name: str, digest: str, now_ms: int) -> None:
        """Note which content a listed file has: while it looks as it does, nobody has to read it again."""
        self._execute("UPDATE looks SET digest = ? WHERE source = ? AND name = ?", (digest, source, name))
        self._execute("INSERT OR IGNORE INTO names VALUES (?, ?, ?, ?)", (source, name, digest, now_ms))
