"""Takes whole files of sources into the landing of a plant.

A content is taken once for ever, whatever it is called and whichever source shows it again: servers that forbid to
delete or rename show their files for months. A name that shows another content is another file.
"""

from pathlib import Path

from msgspec import Struct

from mediation.collecting.local import FileMoved, LocalFolder
from mediation.collecting.sources import SwitchSource, Wholeness
from mediation.plant.files import LANDED, LandedFile, ListedFile
from mediation.plant.home import digest_of, place
from mediation.plant.plant import Plant

FILE_BYTES_MAX = 512_000_000
"""Of one file: it is decoded in memory."""


class Collected(Struct):
    """What a look at a source gave."""

    source: str
    taken: int = 0
    known: int = 0
    """Files whose content was taken before."""
    unfinished: int = 0
    troubles: tuple[str, ...] = ()


class Collector:
    """Of one plant."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant

    def collect(self, source: SwitchSource, now_ms: int) -> Collected:
        """Take what is whole at a source; a file that can't be had now is left for the next look."""
        found = Collected(source.source)
        folder = LocalFolder(Path(source.folder))
        try:
            files, names = folder.list(source.files)
        except OSError as error:
            found.troubles = (f"{source.folder}: {error.strerror}",)
            return found
        for file in files:
            try:
                self._collect(source, folder, file, names, now_ms, found)
            except (FileMoved, OSError) as error:
                found.unfinished += 1
                found.troubles = (*found.troubles, str(error))
        return found

    def _collect(
        self,
        source: SwitchSource,
        folder: LocalFolder,
        file: ListedFile,
        names: frozenset[str],
        now_ms: int,
        found: Collected,
    ) -> None:
        plant = self._plant
        with plant.commit():
            look = plant.files.look(source.source, file, now_ms)
        if look.digest:
            found.known += 1
            return
        if not _whole(source.whole, file, names, now_ms - look.since_ms):
            found.unfinished += 1
            return
        if file.bytes > FILE_BYTES_MAX:
            raise FileMoved(f"{file.shown} has {file.bytes} bytes, more than {FILE_BYTES_MAX}: let the switch split it")
        content = folder.read(file)
        digest = digest_of(content)
        landed = plant.files.get(digest)
        if landed is None:
            place(plant.folder.landed(digest), content)
        with plant.commit():
            plant.files.read(source.source, file.shown, digest, now_ms)
            if landed is None:
                plant.files.land(LandedFile(digest, source.source, file.shown, len(content), now_ms, LANDED))
        found.taken += landed is None
        found.known += landed is not None


def _whole(rule: Wholeness, file: ListedFile, names: frozenset[str], quiet_ms: int) -> bool:
    if rule.companion and (file.name.endswith(rule.companion) or file.name + rule.companion not in names):
        return False
    if rule.not_ending and file.name.endswith(rule.not_ending):
        return False
    return quiet_ms >= rule.quiet_s * 1_000
