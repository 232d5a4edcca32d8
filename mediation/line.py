"""The line of a plant: collect, decode, post, as far as each comes; what fails is left for the next time."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from mediation.collecting.collector import Collected, Collector
from mediation.collecting.sources import SwitchSource, read_sources
from mediation.decoding.decoder import Decoder
from mediation.formats.format import Format
from mediation.formats.reading import read_formats
from mediation.plant.files import LANDED
from mediation.plant.home import PlantFolder
from mediation.plant.intake import Intake
from mediation.plant.latecalls import LATE
from mediation.plant.plant import Plant
from mediation.plant.recycling import Recycler
from mediation.written import FaultyFile, FileFault

SOURCES_AT_ONCE = 8
SourceReport = Callable[[str, int, int], None]
"""Is told of which source how many files of a look are here, and of how many."""


class PlantRules(Struct, frozen=True):
    """What the files of a plant say."""

    sources: tuple[SwitchSource, ...]
    formats: dict[str, Format]
    """By the name of the source."""


def read_rules(home: Path) -> PlantRules:
    """Read sources and formats. Raises `FaultyFile` with all that is wrong."""
    folder = PlantFolder(home)
    faults: list[FileFault] = []
    formats: dict[str, Format] = {}
    sources: tuple[SwitchSource, ...] = ()
    try:
        formats = read_formats(folder.formats)
    except FaultyFile as faulty:
        faults += faulty.faults
    try:
        sources = read_sources(folder.sources, None if faults else formats).sources
    except FaultyFile as faulty:
        faults += faulty.faults
    if faults:
        raise FaultyFile(faults)
    return PlantRules(sources, {source.source: formats[source.format] for source in sources})


class MediationLine:
    """The first half of the line, up to batches: it needs nobody but the files."""

    def __init__(self, plant: Plant, rules: PlantRules) -> None:
        self._plant = plant
        self._rules = rules
        self._decoders = {source: Decoder(form) for source, form in rules.formats.items()}
        self._collector = Collector(plant, rules.formats)
        self._intake = Intake(plant)
        self._recycler = Recycler(plant, rules.formats)

    async def collect(self, now_ms: int, report: SourceReport | None = None) -> list[Collected]:
        """Look at all sources once, some at a time: one that doesn't answer keeps nobody waiting."""
        turns = asyncio.Semaphore(SOURCES_AT_ONCE)

        async def look(source: SwitchSource) -> Collected:
            async with turns:
                told = None if report is None else lambda here, of: report(source.source, here, of)
                return await self._collector.collect(source, now_ms, told)

        return await asyncio.gather(*(look(source) for source in self._rules.sources))

    def decode(self, now_ms: int) -> int:
        """Decode what is landed, join late parts to their calls, and wait no longer for calls whose time is up.

        Gives how many files.
        """
        files = [file for file in self._plant.files.all(LANDED) if file.source in self._decoders]
        for file in files:
            self._intake.take(file, self._decoders[file.source], now_ms)
        self._recycler.recycle(LATE, now_ms)
        self._recycler.overdue(now_ms)
        return len(files)

    def recycle(self, reason: str, now_ms: int) -> int:
        """Put what waits in suspense for a reason, "" = for any, into batches again; gives how many records."""
        return self._recycler.recycle(reason, now_ms)

    def decode_again(self, now_ms: int) -> int:
        """Decode held files and unreadable records by the formats of now; gives how many records came of it."""
        plant = self._plant
        with plant.commit():
            plant.files.retry()
        before = sum(batch.records for batch in plant.work.batches())
        self.decode(now_ms)
        for file in plant.files.all():
            if (decoder := self._decoders.get(file.source)) is not None:
                self._intake.take_again(file, decoder, now_ms)
        return sum(batch.records for batch in plant.work.batches()) - before
