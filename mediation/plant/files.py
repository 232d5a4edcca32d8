"""The book of files: which were taken, under which names they were seen, and what became of their records."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import astuple

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
    """Its bytes as `os.fsdecode` gives them: whatever encoding they are in, they come back as they were."""
    bytes: int
    modified: str
    """What the source says of its age, in whatever form: only that it is another one means something."""
    exact: bool = True
    """Its source tells bytes; false = it tells blocks, and the file may have fewer bytes."""

    @property
    def shown(self) -> str:
        """Its name in books and before people."""
        return shown_name(self.name)

    def looks_like(self, size: int, modified: str) -> bool:
        """Say whether it looks as it did: a time that says less may be the beginning of one that says more."""
        return self.bytes == size and (self.modified.startswith(modified) or modified.startswith(self.modified))


def shown_name(name: str) -> str:
    """Write a name so that no two are alike and none moves a cursor: what can't be printed is written out."""
    return "".join(char if char.isprintable() and char != "\\" else _written_out(char) for char in name)


def _written_out(char: str) -> str:
    if char == "\\":
        return "\\\\"
    return "".join(f"\\x{byte:02x}" for byte in char.encode(errors="surrogateescape"))


class SeenName(Struct, frozen=True):
    """A name under which a content was taken at a source."""

    name: str
    digest: str
    seen_ms: int


class WaitingFile(Struct, frozen=True):
    """A file that is listed and was not taken."""

    source: str
    name: str
    bytes: int
    first_ms: int
    """Since when its name is listed, UTC by the plant's clock."""
    since_ms: int
    """Since when it looks as it does."""


class Look(Struct, frozen=True):
    """What is known of a file that is listed. Times are UTC by the plant's clock."""

    first_ms: int
    """Since when its name is listed."""
    since_ms: int
    """Since when it looks as it does."""
    tried_ms: int = 0
    """When it was read, looking so, and was not whole; 0 = it was not."""
    digest: str = ""
    """The content that it had when it was read, looking so; empty = it was not taken since."""


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
        self._execute("INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", astuple(file))

    def names(self, source: str) -> list[SeenName]:
        """Give what was taken at a source, in the order in which it was."""
        query = "SELECT name, digest, seen_ms FROM names WHERE source = ? ORDER BY seen_ms, name"
        return [SeenName(*row) for row in self._execute(query, (source,))]

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

    def look(self, source: str, files: Sequence[ListedFile], now_ms: int) -> dict[str, Look]:
        """Note files as their source lists them; gives what is known of each, by name as it is shown."""
        query = "SELECT name, bytes, modified, first_ms, since_ms, tried_ms, digest FROM looks WHERE source = ?"
        known = {row[0]: row[1:] for row in self._execute(query, (source,))}
        found: dict[str, Look] = {}
        for file in files:
            size, modified, first_ms, since_ms, tried_ms, digest = known.get(file.shown, (-1, "", now_ms, 0, 0, ""))
            # A look that lies ahead of the clock says nothing: the clock was put back.
            if file.looks_like(size, modified) and (digest or max(first_ms, since_ms, tried_ms) <= now_ms):
                found[file.shown] = Look(first_ms, since_ms, tried_ms, digest)
                continue
            first_ms = min(first_ms, now_ms)
            values = (source, file.shown, file.bytes, file.modified, first_ms, now_ms)
            self._execute("INSERT OR REPLACE INTO looks VALUES (?, ?, ?, ?, ?, ?, 0, '')", values)
            found[file.shown] = Look(first_ms, now_ms)
        gone = [(source, name) for name, row in known.items() if not row[-1] and name not in found]
        for each in gone:
            # What was not taken and isn't listed any more: it has another name by now.
            self._execute("DELETE FROM looks WHERE source = ? AND name = ?", each)
        return found

    def waiting(self, source: str = "") -> list[WaitingFile]:
        """Give what was listed and is not taken, oldest first; "" = of all sources."""
        query = "SELECT source, name, bytes, first_ms, since_ms FROM looks WHERE digest = '' AND ? IN ('', source)"
        return [WaitingFile(*row) for row in self._execute(f"{query} ORDER BY first_ms, source, name", (source,))]

    def tried(self, source: str, name: str, now_ms: int) -> None:
        """Note that a listed file was read and is not whole."""
        self._execute("UPDATE looks SET tried_ms = ? WHERE source = ? AND name = ?", (now_ms, source, name))

    def read(self, source: str, name: str, digest: str, now_ms: int) -> None:
        """Note which content a listed file has: while it looks as it does, nobody has to read it again."""
        self._execute("UPDATE looks SET digest = ? WHERE source = ? AND name = ?", (digest, source, name))
        self._execute("INSERT OR IGNORE INTO names VALUES (?, ?, ?, ?)", (source, name, digest, now_ms))
