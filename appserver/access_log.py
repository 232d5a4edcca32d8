"""Who read which subscriber's data: a line for each such query, in files for the data-protection officer alone.

Identities stand there in full, since the file is there to answer "who has looked at this number": so it is not the
process's log, but files of this process's own, mode 0600, that turn over by size, the oldest dropped. A query costs an
append to a list; lines are written together, in a thread, a few times a second. When they can't be written, queries
are refused rather than answered unseen.
"""

import asyncio
import os
from pathlib import Path

import msgspec
from msgspec import Struct

from appserver.reading.request import QueryRequest
from charging.errors import Fault, Unavailable
from runtime.loopback import PRIVATE_FILE, PRIVATE_FOLDER
from runtime.telemetry import logger

log = logger("appserver.access_log")

FLUSH_S = 0.2
"""How soon a line is in the file: what a crash may lose."""
WAITING_MAX = 100_000
"""Lines that could not be written yet; beyond it queries are refused."""
RETRY_MS = 1_000

_encode = msgspec.json.Encoder().encode


class Access(Struct):
    """One query, as it is written."""

    time_ms: int
    principal: str
    """As authenticated."""
    actor: str
    """As the request claims."""
    channel: str
    partner: str
    view: str
    """balance, usage, contract, history"""
    identity: str
    account: str
    lines: int
    """Journal lines asked for."""
    refused: str
    """Reason why it was not answered; empty = it was let in."""


class AccessLog:
    """Writes the accesses of one process. Without a folder nothing is kept."""

    def __init__(self, folder: Path | None, name: str, bytes_max: int, files_max: int) -> None:
        """`name` tells this process's files from those of others in the folder; a file turns over at `bytes_max`."""
        self._path = None if folder is None else folder / f"access-{name.replace(':', '_')}.jsonl"
        self._bytes_max = bytes_max
        self._files_max = files_max
        self._waiting: list[Access] = []
        self._task: asyncio.Task[None] | None = None
        self._failed = False

    def note(
        self, request: QueryRequest, principal: str, account_id: str, now_ms: int, refused: str = ""
    ) -> Fault | None:
        """Note a query of an authenticated principal; gives why it must not be answered, None = it may be.

        `refused` is the reason why it isn't answered anyway. `now_ms` is UTC. The line is written soon after, not
        before the answer.
        """
        if self._path is None:
            return None
        if len(self._waiting) >= WAITING_MAX:
            text = "reads can't be written into the access log: look at the disk of its folder"
            return Unavailable("ACCESS_LOG_FULL", text, retry_ms=RETRY_MS)
        self._waiting.append(
            Access(
                now_ms,
                principal,
                request.actor,
                request.channel,
                request.partner,
                request.view,
                request.identity,
                account_id,
                request.lines_max,
                refused,
            )
        )
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._write_soon())
        return None

    async def close(self) -> None:
        """Write what waits."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._waiting:
            await asyncio.to_thread(self._write, self._take())

    def _take(self) -> list[Access]:
        taken, self._waiting = self._waiting, []
        return taken

    async def _write_soon(self) -> None:
        while self._waiting:
            await asyncio.sleep(FLUSH_S)
            taken = self._take()
            try:
                await asyncio.shield(asyncio.to_thread(self._write, taken))
                self._failed = False
            except OSError as error:
                self._waiting = taken + self._waiting
                if not self._failed:
                    log.error("the access log can't be written", path=str(self._path), why=error.strerror)
                self._failed = True

    def _write(self, rows: list[Access]) -> None:
        path = self._path
        if path is None:
            return
        path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, PRIVATE_FILE)
        try:
            os.fchmod(file, PRIVATE_FILE)
            os.write(file, b"".join(_encode(row) + b"\n" for row in rows))
            size = os.fstat(file).st_size
        finally:
            os.close(file)
        if size >= self._bytes_max:
            turn_over(path, self._files_max)


def turn_over(path: Path, files_max: int) -> None:
    """Make room for a new file: `x` becomes `x.1`, `x.1` becomes `x.2`; beyond `files_max` the oldest goes."""
    for number in range(files_max - 1, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        newer = path if number == 1 else path.with_name(f"{path.name}.{number - 1}")
        if newer.exists():
            newer.replace(older)
