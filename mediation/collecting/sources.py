"""The sources of a plant as `sources.yaml` says them."""

import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from mediation.written import Finding, Written, read_written

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class Wholeness(Struct, frozen=True, forbid_unknown_fields=True):
    """How to see that a switch has finished a file. All that is given must hold; one must be given."""

    quiet_s: int = 0
    """Its size was the same in two looks, at least so many seconds apart by our own clock."""
    companion: str = ""
    """Beside it stands a file with this ending, `.ok`, which the switch makes last."""
    not_ending: str = ""
    """What the names of unfinished files end with, `.tmp`; the switch renames them."""

    def given(self) -> bool:
        """Say whether there is a rule."""
        return bool(self.quiet_s or self.companion or self.not_ending)


class SwitchSource(Struct, frozen=True, forbid_unknown_fields=True):
    """One switch, or one folder of it."""

    source: str
    """Its name, in lower case."""
    folder: str
    """Where it writes."""
    format: str
    """Name of the format of its files."""
    whole: Wholeness
    files: str = "*"
    """Pattern of names."""
    channel: str = "front"
    """Access channel under which its records are charged."""
    every_s: int = 0
    """A new file is expected at least so often; 0 = nobody waits. Later, `onetier mediation status` says so."""


class SourceList(Written, frozen=True, forbid_unknown_fields=True):
    """All sources of a plant."""

    sources: tuple[SwitchSource, ...]

    def faults(self) -> Iterator[Finding]:
        """Give all that is wrong."""
        for index, source in enumerate(self.sources):
            where = f"sources.{index}"
            if NAME.fullmatch(source.source) is None:
                yield f"{where}.source", "must be lower-case letters, digits and . _ -, at most 64"
            if not source.whole.given():
                yield f"{where}.whole", "must say when a file is whole: quiet_s, companion or not_ending"
            if source.whole.quiet_s < 0 or source.every_s < 0:
                yield where, "has a time below 0 seconds"
        names = [source.source for source in self.sources]
        for index, name in enumerate(names):
            if name in names[:index]:
                yield f"sources.{index}.source", f"{name!r} is the name of another source, too"


def read_sources(file: Path) -> SourceList:
    """Read and check the sources. Raises `FaultyFile`."""
    return read_written(file, SourceList)
