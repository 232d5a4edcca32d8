"""Lands files that came: bytes durable, a second copy where one is asked for, then all of a group in one commit."""

import asyncio
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from mediation.collecting.arriving import Arrival
from mediation.collecting.sources import SwitchSource
from mediation.plant.files import LANDED, LandedFile
from mediation.plant.plant import Plant
from runtime.durable import put, sync_folder

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
        folders: set[Path] = set()
        for digest, arrival in new.items():
            if source.backup:
                copy = backup_path(Path(source.backup), source.source, digest, arrival.file.shown)
                put(copy, arrival.content())
                folders.add(copy.parent)
            landed = self._plant.folder.landed(digest)
            arrival.put(landed)
            folders.add(landed.parent)
        for folder in folders:
            sync_folder(folder)


def backup_path(backup: Path, source: str, digest: str, name: str) -> Path:
    """Give the place of a second copy: no name leads out of the folder, however the switch calls its files."""
    return backup / source / digest[:2] / backup_name(digest, name)


def backup_name(digest: str, name: str) -> str:
    """Give a name that no other content has, and by which people find a file again."""
    return f"{digest[:16]}-{_PLAIN.sub('_', name)[-_NAME_CHARS_MAX:]}"
