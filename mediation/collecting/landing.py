"""Lands files that came: bytes durable, a second copy where one is asked for, then all of a group in one commit."""

import asyncio
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mediation.collecting.arriving import Arrival
from mediation.collecting.sources import SwitchSource
from mediation.plant.files import LANDED, LandedFile
from mediation.plant.plant import Plant
from runtime.durable import put, sync_folder

SYNCS_AT_ONCE = 8
_PLAIN = re.compile(r"[^A-Za-z0-9._-]")
_NAME_CHARS_MAX = 100


class FileLanding:
    """Of one plant."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._turn = asyncio.Lock()
        """Two sources may bring one content at once."""

    async def land(
        self,
        source: SwitchSource,
        arrivals: Sequence[Arrival],
        ended: Callable[[bytes], bool] | None,
        now_ms: int,
    ) -> tuple[int, int]:
        """Land what is whole; `ended` says so by the content, None = it need not be asked.

        Gives how many were new, and how many are not whole. Raises OSError; nothing of the group counts then.
        """
        async with self._turn:
            return await self._land(source, arrivals, ended, now_ms)

    async def _land(
        self,
        source: SwitchSource,
        arrivals: Sequence[Arrival],
        ended: Callable[[bytes], bool] | None,
        now_ms: int,
    ) -> tuple[int, int]:
        whole = [each for each in arrivals if ended is None or ended(each.content())]
        digests = [each.digest() for each in whole]
        new: dict[str, tuple[Arrival, int]] = {}
        for each, (digest, size) in zip(whole, digests, strict=True):
            if self._plant.files.get(digest) is None:
                new.setdefault(digest, (each, size))
            else:
                each.forget()
        await asyncio.to_thread(self._put, source, {digest: each for digest, (each, _) in new.items()})
        files, unfinished = self._plant.files, [each for each in arrivals if each not in whole]
        with self._plant.commit():
            for digest, (each, size) in new.items():
                files.land(LandedFile(digest, source.source, each.file.shown, size, now_ms, LANDED))
            for each, (digest, _) in zip(whole, digests, strict=True):
                files.read(source.source, each.file.shown, digest, now_ms)
            for each in unfinished:
                files.tried(source.source, each.file.shown, now_ms)
        for each in unfinished:
            each.forget()
        return len(new), len(unfinished)

    def _put(self, source: SwitchSource, new: dict[str, Arrival]) -> None:
        # A disk takes syncs that come together in one go.
        with ThreadPoolExecutor(SYNCS_AT_ONCE) as threads:
            placed = threads.map(lambda each: self._place(source, *each), new.items())
            folders = {folder for each in placed for folder in each}
            for _ in threads.map(sync_folder, folders):
                pass

    def _place(self, source: SwitchSource, digest: str, arrival: Arrival) -> list[Path]:
        """Put a file where it belongs; gives the folders whose names are to be synced."""
        paths = [self._plant.folder.landed(digest)]
        if source.backup:
            paths.append(backup_path(Path(source.backup), source.source, digest, arrival.file.shown))
            put(paths[1], arrival.content())
        arrival.put(paths[0])
        return [path.parent for path in paths]


def backup_path(backup: Path, source: str, digest: str, name: str) -> Path:
    """Give the place of a second copy: no name leads out of the folder, however the switch calls its files."""
    return backup / source / digest[:2] / backup_name(digest, name)


def backup_name(digest: str, name: str) -> str:
    """Give a name that no other content has, and by which people find a file again."""
    return f"{digest[:16]}-{_PLAIN.sub('_', name)[-_NAME_CHARS_MAX:]}"
