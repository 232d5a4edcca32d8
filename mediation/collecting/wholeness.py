"""Is a file whole? What its name, the looks at it and the names beside it say, and what it ends with."""

from collections.abc import Iterable

from mediation.collecting.sequences import later_names
from mediation.collecting.sources import SwitchSource
from mediation.decoding.decoder import Decoder
from mediation.plant.files import ListedFile, Look
from mediation.records import UnusableFile

TRIED_AGAIN_MS = 300_000
"""A file that was read and had no trailer, and looks the same since, is read again after so long: times of servers are
too coarse to show that it goes on."""


class WholeFiles:
    """The rule of a source, seen against one look."""

    def __init__(self, source: SwitchSource, files: Iterable[ListedFile], names: frozenset[str], now_ms: int) -> None:
        self._rule = source.whole
        self._names = names
        self._now_ms = now_ms
        self._sequence = source.sequence
        self._files = [file.shown for file in files]

    def among(self, looks: dict[str, Look], files: Iterable[ListedFile], taken: Iterable[str]) -> list[ListedFile]:
        """Give those that may be read now; `taken` are names that were taken before, oldest first."""
        later: frozenset[str] = frozenset()
        if self._rule.later and self._sequence is not None:
            later = later_names(self._sequence, taken, self._files)
        return [
            file
            for file in files
            if self._may(file, looks[file.shown]) and (not self._rule.later or file.shown in later)
        ]

    def _may(self, file: ListedFile, look: Look) -> bool:
        rule, now_ms = self._rule, self._now_ms
        if rule.companion and file.name + rule.companion not in self._names:
            return False
        if rule.not_ending and file.name.endswith(rule.not_ending):
            return False
        if look.tried_ms and now_ms - look.tried_ms < TRIED_AGAIN_MS:
            return False
        return now_ms - look.since_ms >= rule.quiet_s * 1_000 and now_ms - look.first_ms >= rule.age_s * 1_000


def ends_well(decoder: Decoder, content: bytes) -> bool:
    """Say whether content has the trailer that its format names, with as many records as that counts."""
    try:
        next(iter(decoder.decode(content)), None)
    except UnusableFile as unusable:
        return unusable.reason != "FILE_NOT_WHOLE"
    return True
