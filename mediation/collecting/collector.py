"""Takes whole files of sources into the landing of a plant.

A content is taken once for ever, whatever it is called and whichever source shows it again: servers that forbid to
delete or rename show their files for months. A name that shows another content is another file.
"""

import asyncio
import fnmatch
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing

from msgspec import Struct
from msgspec.structs import replace

from mediation.collecting.arriving import Arrival, sweep
from mediation.collecting.fetching import Fetching
from mediation.collecting.folders import FileMoved, SourceFolder, SourceLost
from mediation.collecting.landing import FileLanding, backup_name
from mediation.collecting.listing import UnreadLine
from mediation.collecting.opening import open_folder
from mediation.collecting.sources import SwitchSource
from mediation.collecting.wholeness import WholeFiles, ends_well
from mediation.decoding.decoder import Decoder
from mediation.formats.format import Format
from mediation.plant.files import ListedFile, Look
from mediation.plant.plant import Plant

FILE_BYTES_MAX = 512_000_000
"""Of one file: it is decoded in memory."""
TRIES = 3
"""A connection that breaks after it gave something is made again so often in one look."""
LOOK_S_MAX = 900
"""A look that takes longer is broken off, and the next goes on where it stood: the other sources wait for it."""
TROUBLES_TOLD_MAX = 20
TROUBLE_CHARS_MAX = 500

Report = Callable[[int, int], None]
"""Is told how many files of a look are here, and of how many."""


class Collected(Struct):
    """What a look at a source gave."""

    source: str
    taken: int = 0
    known: int = 0
    """Files whose content was taken before."""
    unfinished: int = 0
    troubles: tuple[str, ...] = ()
    """What went wrong, file by file: the next look tries again."""
    unread: tuple[UnreadLine, ...] = ()
    """Lines of its list that could not be read."""
    unread_count: int = 0
    resumed: int = 0
    """Transfers that went on where another one broke."""
    listed: int = 0

    def begin(self) -> None:
        """Begin anew; what was taken stays taken."""
        self.known = self.unfinished = self.unread_count = self.listed = 0
        self.troubles, self.unread = (), ()

    def trouble(self, text: str) -> None:
        """Note what went wrong."""
        if len(self.troubles) < TROUBLES_TOLD_MAX:
            self.troubles = (*self.troubles, text[:TROUBLE_CHARS_MAX])


class Collector:
    """Of one plant."""

    def __init__(self, plant: Plant, formats: Mapping[str, Format]) -> None:
        """`formats` are those of the sources, by the name of the source."""
        self._plant = plant
        self._formats = formats
        self._landing = FileLanding(plant)

    async def collect(self, source: SwitchSource, now_ms: int, report: Report | None = None) -> Collected:
        """Take what is whole at a source; a file that can't be had now is left for the next look."""
        found = Collected(source.source)
        try:
            async with asyncio.timeout(LOOK_S_MAX):
                await self._try(source, now_ms, found, report or (lambda here, of: None))
        except TimeoutError:
            found.trouble(f"{source.folder}: it took more than {LOOK_S_MAX} s; the next look goes on")
        self._note(found, now_ms)
        return found

    async def _try(self, source: SwitchSource, now_ms: int, found: Collected, report: Report) -> None:
        for _ in range(TRIES):
            # What went wrong before the connection broke is tried again with the rest.
            found.begin()
            look = _Look(self._plant, self._landing, source, now_ms, found)
            try:
                async with open_folder(source, self._plant.folder.home) as folder:
                    await look.go(folder, self._ended(source), report)
                return
            except SourceLost as lost:
                found.trouble(f"{source.folder}: {lost}" if source.server is None else f"{source.server.host}: {lost}")
            except OSError as error:
                found.trouble(f"{self._plant.folder.home}: {error.strerror or error}")
                return
            if not look.came:
                return

    def _ended(self, source: SwitchSource) -> Callable[[bytes], bool] | None:
        if not source.whole.trailer:
            return None
        decoder = Decoder(self._formats[source.source])
        return lambda content: ends_well(decoder, content)

    def _note(self, found: Collected, now_ms: int) -> None:
        plant = self._plant
        with plant.commit():
            visit = plant.visits.get(found.source, now_ms)
            trouble = found.troubles[0] if found.troubles else ""
            seen_ms = now_ms if not trouble or found.listed else visit.seen_ms
            plant.visits.note(
                replace(
                    visit,
                    seen_ms=seen_ms,
                    failed_ms=now_ms if trouble else visit.failed_ms,
                    trouble=trouble,
                    listed=found.listed,
                    unfinished=found.unfinished,
                    unread=found.unread_count,
                )
            )


class _Look:
    """One look at one source over one connection."""

    def __init__(self, plant: Plant, landing: FileLanding, source: SwitchSource, now_ms: int, found: Collected) -> None:
        self._plant = plant
        self._landing = landing
        self._source = source
        self._now_ms = now_ms
        self._found = found
        self.came = 0
        """Bytes that came."""

    async def go(self, folder: SourceFolder, ended: Callable[[bytes], bool] | None, report: Report) -> None:
        """Take what is whole. Raises `SourceLost`, OSError."""
        found, source = self._found, self._source
        listing = await folder.list()
        found.unread, found.unread_count = listing.unread, listing.unread_count
        companion = source.whole.companion
        files = [
            file
            for file in listing.files
            if fnmatch.fnmatchcase(file.name, source.files) and not (companion and file.name.endswith(companion))
        ]
        found.listed = len(files)
        looks = self._looks(files)
        names = frozenset(file.name for file in listing.files)
        known = [file for file in files if looks[file.shown].digest]
        fresh = [file for file in files if not looks[file.shown].digest]
        taken = (each.name for each in self._plant.files.names(source.source)) if source.whole.later else ()
        whole = WholeFiles(source, files, names, self._now_ms).among(looks, fresh, taken)
        found.known, found.unfinished = len(known), len(fresh) - len(whole)
        await self._fetch(folder, self._sized(whole), ended, report)
        if source.move_to:
            await self._move(folder, known, looks)

    def _looks(self, files: Sequence[ListedFile]) -> dict[str, Look]:
        sweep(self._plant.folder.arriving(self._source.source), files)
        with self._plant.commit():
            return self._plant.files.look(self._source.source, files, self._now_ms)

    def _sized(self, files: Sequence[ListedFile]) -> list[ListedFile]:
        fit = [file for file in files if file.bytes <= FILE_BYTES_MAX]
        for file in files:
            if file.bytes > FILE_BYTES_MAX:
                many = f"{file.shown} has {file.bytes} bytes, more than {FILE_BYTES_MAX}"
                self._found.trouble(f"{many}: let the switch split it")
                self._found.unfinished += 1
        return fit

    async def _fetch(
        self,
        folder: SourceFolder,
        files: Sequence[ListedFile],
        ended: Callable[[bytes], bool] | None,
        report: Report,
    ) -> None:
        here, arriving = 0, self._plant.folder.arriving(self._source.source)
        fetching = Fetching(folder, [Arrival(file, arriving) for file in files])
        try:
            async with aclosing(fetching.groups()) as groups:
                async for group in groups:
                    await self._land([each for each in group if isinstance(each, Arrival)], ended)
                    for moved in group:
                        if isinstance(moved, FileMoved):
                            self._found.trouble(str(moved))
                            self._found.unfinished += 1
                    here += len(group)
                    report(here, len(files))
        finally:
            self.came = fetching.bytes
            self._found.resumed += fetching.resumed

    async def _land(self, arrivals: Sequence[Arrival], ended: Callable[[bytes], bool] | None) -> None:
        new, unfinished = await self._landing.land(self._source, arrivals, ended, self._now_ms)
        self._found.taken += new
        self._found.unfinished += unfinished
        self._found.known += len(arrivals) - new - unfinished

    async def _move(self, folder: SourceFolder, files: Sequence[ListedFile], looks: Mapping[str, Look]) -> None:
        """Move what was taken at an earlier look; who forbids it is asked once a look."""
        for file in files:
            name = backup_name(looks[file.shown].digest, file.shown)
            try:
                await folder.move(file, self._source.move_to, name)
            except FileMoved as refused:
                self._found.trouble(str(refused))
                return
