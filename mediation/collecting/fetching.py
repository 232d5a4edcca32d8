"""Fetches files of a folder, as many at once as it allows, and hands them on in groups: a group is one commit."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence

from mediation.collecting.arriving import SMALL_BYTES_MAX, Arrival, NotTheSame
from mediation.collecting.folders import FileMoved, SourceFolder, SourceLost

GROUP_MAX = 64
"""Files of one commit."""
_WAITING_MAX = 64
"""Files that are here and wait for theirs."""
Fetched = Arrival | FileMoved


class Fetching:
    """Of one look at one folder."""

    def __init__(self, folder: SourceFolder, arrivals: Sequence[Arrival]) -> None:
        self._folder = folder
        self._arrivals = arrivals
        self._large = asyncio.Lock()
        self._here: asyncio.Queue[Fetched | SourceLost | BaseException | None] = asyncio.Queue(_WAITING_MAX)
        self.resumed = 0
        """Transfers that went on where another one broke."""
        self.bytes = 0
        """All that came."""

    async def groups(self) -> AsyncGenerator[list[Fetched]]:
        """Give what is here, one after the other; the order is that in which it came. Raises `SourceLost`, OSError."""
        left = iter(self._arrivals)
        workers = [asyncio.create_task(self._work(left)) for _ in range(self._folder.at_once)]
        try:
            working = len(workers)
            while working:
                group: list[Fetched] = []
                fault: BaseException | None = None
                while fault is None and len(group) < GROUP_MAX and working and (not group or not self._here.empty()):
                    each = await self._here.get()
                    if each is None:
                        working -= 1
                        if not working and not group:
                            return
                    elif isinstance(each, Arrival | FileMoved):
                        group.append(each)
                    else:
                        fault = each
                if group:
                    yield group
                if fault is not None:
                    raise fault
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            for arrival in self._arrivals:
                arrival.close()

    async def _work(self, left: Iterator[Arrival]) -> None:
        try:
            for arrival in left:
                await self._here.put(await self._fetched(arrival))
        except Exception as error:
            await self._here.put(error)
        else:
            await self._here.put(None)

    async def _fetched(self, arrival: Arrival) -> Fetched:
        if arrival.file.bytes > SMALL_BYTES_MAX:
            async with self._large:
                return await self._tried(arrival)
        return await self._tried(arrival)

    async def _tried(self, arrival: Arrival) -> Fetched:
        try:
            begin = arrival.begin()
            if begin:
                self.resumed += 1
                try:
                    return await self._fetch(arrival, begin)
                except NotTheSame:
                    arrival.forget()
                    begin = arrival.begin()
            return await self._fetch(arrival, begin)
        except FileMoved as moved:
            arrival.forget()
            return moved

    async def _fetch(self, arrival: Arrival, begin: int) -> Arrival:
        def take(chunk: bytes) -> None:
            arrival.take(chunk)
            self.bytes += len(chunk)

        await self._folder.fetch(arrival.file, begin, take)
        arrival.close()
        return arrival
