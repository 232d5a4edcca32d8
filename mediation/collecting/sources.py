"""The sources of a plant as `sources.yaml` says them."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from mediation.collecting.expected import ExpectedFiles
from mediation.collecting.sequences import SequenceRule
from mediation.collecting.servers import S3Server, SwitchServer, file_faults
from mediation.formats.format import Format, LineLayout
from mediation.written import Finding, Written, read_written

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
FOLDER_CHARS_MAX = 4_096


class Wholeness(Struct, frozen=True, forbid_unknown_fields=True):
    """How to see that a switch has finished a file. All that is given must hold; one must be given.

    None of it is the server's time: clocks of switches are wrong, and a file grows within one second of its time.
    """

    quiet_s: int = 0
    """Its size was the same in two looks, at least so many seconds apart by our own clock."""
    age_s: int = 0
    """It has been listed for so many seconds by our own clock, whatever its size was."""
    companion: str = ""
    """Beside it stands a file with this ending, `.ok`, which the switch makes last."""
    not_ending: str = ""
    """What the names of unfinished files end with, `.tmp`; the switch renames them."""
    later: bool = False
    """A file with a later number stands beside it, or was taken: `sequence` says where the number is."""
    trailer: bool = False
    """It ends with the trailer that its format names, and has the records that the trailer counts."""

    def given(self) -> bool:
        """Say whether there is a rule."""
        return bool(self.quiet_s or self.age_s or self.companion or self.not_ending or self.later or self.trailer)

    def faults(self) -> Iterator[Finding]:
        """Give what is wrong with it."""
        if not self.given():
            names = "quiet_s, age_s, companion, not_ending, later or trailer"
            yield "", f"must say when a file is whole: {names}"
        for name, seconds in (("quiet_s", self.quiet_s), ("age_s", self.age_s)):
            if seconds < 0:
                yield name, "must be 0 seconds or more"
        for name, ending in (("companion", self.companion), ("not_ending", self.not_ending)):
            if "/" in ending or "\0" in ending:
                yield name, "is the end of a name, in which no / stands"
        if self.companion and self.companion == self.not_ending:
            yield "not_ending", "is the ending of the companion, too: no file could ever be whole"


class SwitchSource(Struct, frozen=True, forbid_unknown_fields=True):
    """One switch, or one folder of it."""

    source: str
    """Its name, in lower case."""
    folder: str
    """Where it writes: on the server, or on this machine when there is none."""
    format: str
    """Name of the format of its files."""
    whole: Wholeness
    server: SwitchServer | None = None
    files: str = "*"
    """Pattern of names."""
    channel: str = "front"
    """Access channel under which its records are charged."""
    sequence: SequenceRule | None = None
    """The number in its names, by which a missing file is seen."""
    expect: ExpectedFiles | None = None
    """How often it writes, by which a late one is seen."""
    backup: str = ""
    """Folder of this machine that gets a second copy of each file before it counts as taken."""
    move_to: str = ""
    """Folder of the source into which files are moved once they are taken, where it lets us; nothing is deleted."""

    def faults(self) -> Iterator[Finding]:
        """Give what is wrong with it."""
        if NAME.fullmatch(self.source) is None:
            yield "source", "must be lower-case letters, digits and . _ -, at most 64"
        if not 1 <= len(self.folder) <= FOLDER_CHARS_MAX or any(ord(char) < 32 for char in self.folder):
            yield "folder", "must be the path of a folder"
        for part in ("whole", "server", "sequence", "expect"):
            value: Wholeness | SwitchServer | SequenceRule | ExpectedFiles | None = getattr(self, part)
            if value is not None:
                yield from ((f"{part}.{where}".rstrip("."), what) for where, what in value.faults())
        if self.whole.later and self.sequence is None:
            yield "whole.later", "needs sequence, which says where the number stands in a name"
        if self.backup and not Path(self.backup).is_absolute():
            yield "backup", "must be the whole path of a folder of this machine"
        if self.move_to and isinstance(self.server, S3Server):
            yield "move_to", "to move an object is to copy and delete it: let the bucket's own rules age what was taken"
        if self.move_to and (self.move_to == self.folder or any(ord(char) < 32 for char in self.move_to)):
            yield "move_to", "must be the path of another folder of the source"


class SourceList(Written, frozen=True, forbid_unknown_fields=True):
    """All sources of a plant."""

    sources: tuple[SwitchSource, ...]

    def faults(self) -> Iterator[Finding]:
        """Give all that is wrong."""
        for index, source in enumerate(self.sources):
            yield from ((f"sources.{index}.{where}".rstrip("."), what) for where, what in source.faults())
        names = [source.source for source in self.sources]
        for index, name in enumerate(names):
            if name in names[:index]:
                yield f"sources.{index}.source", f"{name!r} is the name of another source, too"


def read_sources(file: Path, formats: Mapping[str, Format] | None) -> SourceList:
    """Read and check the sources; `formats` None = those are faulty themselves. Raises `FaultyFile`."""
    return read_written(file, SourceList, _beside(file.parent, formats))


def _beside(home: Path, formats: Mapping[str, Format] | None) -> Callable[[SourceList], Iterator[Finding]]:
    def findings(found: SourceList) -> Iterator[Finding]:
        for index, source in enumerate(found.sources):
            where = f"sources.{index}"
            if source.server is not None:
                for field, what in file_faults(source.server, home):
                    yield f"{where}.server.{field}", what
            form = (formats or {}).get(source.format)
            if formats is not None and form is None:
                yield f"{where}.format", f"{source.format!r} is the name of no file of formats/"
            lined = form is not None and isinstance(form.records, LineLayout)
            if form is not None and source.whole.trailer and lined and not form.lines.trailer:
                yield f"{where}.whole.trailer", f"format {source.format!r} names no trailer"

    return findings
