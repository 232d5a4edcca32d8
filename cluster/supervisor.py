"""Starts tiers as processes of their own, hears when they are ready, notices when one dies, and drains them.

A child gets a pipe as its standard input and stops by itself when that closes, so nothing is left running when the
console is killed. Children stand in sessions of their own: Ctrl-C reaches the console only, which then drains them in
order. Nothing is started again by itself; a death is reported.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

READY_TIMEOUT_S = 30.0
DRAIN_TIMEOUT_S = 15.0
"""After SIGTERM; what has not ended by then is killed."""
KILL_TIMEOUT_S = 5.0
LOG_TAIL_LINES = 12


class ProcessDied(Exception):
    """A process ended that should not have; the message says which, how, and the last lines of its log."""


class Running:
    """One process that has said it is ready."""

    def __init__(
        self,
        name: str,
        process: asyncio.subprocess.Process,
        address: str,
        metrics: str,
        log: Path,
        pump: asyncio.Task[None],
    ) -> None:
        self.name = name
        self.address = address
        """host:port it serves on."""
        self.metrics = metrics
        self.log = log
        self.draining = False
        self._process = process
        self._pump = pump

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Exit status, None while it runs; minus the signal's number when a signal ended it."""
        return self._process.returncode

    def kill(self) -> None:
        """End it at once, as a crash would (SIGKILL)."""
        self.draining = True
        self.signal(signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens when it has ended."""
        _send(self._process, number)

    def close_input(self) -> None:
        """Close the pipe whose end tells it that nobody supervises it any more."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    async def wait(self) -> int:
        """Wait for its end; gives the exit status, -9 and such for a signal. May be called any number of times."""
        code = await self._process.wait()
        await self._pump
        return code

    async def drain(self, timeout_s: float = DRAIN_TIMEOUT_S) -> int:
        """Ask it to end (SIGTERM), wait, and kill it past the bound. Returns the exit status.

        From here on its end is no failure to `Supervisor.watch`.
        """
        self.draining = True
        self.signal(signal.SIGTERM)
        # A stopped process can't hear the request.
        self.signal(signal.SIGCONT)
        try:
            return await asyncio.wait_for(self.wait(), timeout_s)
        except TimeoutError:
            self.signal(signal.SIGKILL)
            return await asyncio.wait_for(self.wait(), KILL_TIMEOUT_S)

    def last_words(self) -> str:
        """Give the end of its log."""
        return _tail(self.log)


class Supervisor:
    """Keeps processes in the order they were started, and drains them in the opposite one."""

    def __init__(self, log_folder: Path) -> None:
        self.processes: list[Running] = []
        self._log_folder = log_folder
        self.folder = log_folder.parent
        """Where the processes keep what they share besides units."""

    async def __aenter__(self) -> Self:
        """Supervise until the end of the block, then drain."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drain whatever still runs."""
        await self.drain()

    async def start(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        ready_timeout_s: float = READY_TIMEOUT_S,
    ) -> Running:
        """Start `python <arguments>` and wait until it has printed its ready line (JSON with "event": "ready").

        Raises `ProcessDied` when it ends or stays silent before that.
        """
        self._log_folder.mkdir(parents=True, exist_ok=True)
        log = self._log_folder / f"{name}.log"
        with log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env={**os.environ, **environment},
                start_new_session=True,
            )
        assert process.stdout is not None
        try:
            ready = await asyncio.wait_for(_ready_line(process.stdout), ready_timeout_s)
        except BaseException as error:
            await _end(process, gently=isinstance(error, EOFError))
            if not isinstance(error, TimeoutError | EOFError):
                raise
            what = (
                "did not get ready in time" if isinstance(error, TimeoutError) else f"ended with {process.returncode}"
            )
            raise ProcessDied(f"{name} {what}; its log says:\n{_tail(log)}") from error
        running = Running(
            name,
            process,
            ready.get("address", ""),
            ready.get("metrics", ""),
            log,
            asyncio.create_task(_pump(process.stdout)),
        )
        self.processes.append(running)
        return running

    async def watch(self) -> None:
        """Wait until a process ends that nobody asked to. Raises `ProcessDied` then; else it waits on."""
        while True:
            waiting = {
                asyncio.create_task(process.wait()): process for process in self.processes if not process.draining
            }
            if not waiting:
                await asyncio.sleep(0.2)
                continue
            try:
                done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in waiting:
                    task.cancel()
            # Several may have ended at once; the first that nobody asked to is told.
            for task in done:
                self.check(waiting[task])

    def check(self, process: Running) -> None:
        """Raise `ProcessDied` when a process ended by itself."""
        if process.returncode is not None and not process.draining:
            how = f"{process.name} (pid {process.pid}) ended with {process.returncode}"
            raise ProcessDied(f"{how}; its log says:\n{process.last_words()}")

    async def drain(self) -> dict[str, int]:
        """Drain all, last started first, so that callers end before whom they call. Returns exit statuses by name."""
        statuses: dict[str, int] = {}
        for tier in _tiers_backwards(self.processes):
            codes = await asyncio.gather(*(process.drain() for process in tier))
            statuses.update(zip((process.name for process in tier), codes, strict=True))
        self.processes.clear()
        return statuses


def _send(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    # Not `process.send_signal`: it polls first, and so may take the exit status away from the loop's own watcher.
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)


async def _end(process: asyncio.subprocess.Process, *, gently: bool) -> None:
    """Make sure of the end of a process that failed to start; `gently` when it is ending by itself."""
    if gently:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), KILL_TIMEOUT_S)
    _send(process, signal.SIGKILL)
    await process.wait()


def _tiers_backwards(processes: Sequence[Running]) -> list[list[Running]]:
    """Group processes by the word before the number in their names, last started group first."""
    tiers: dict[str, list[Running]] = {}
    for process in processes:
        tiers.setdefault(process.name.rpartition("-")[0], []).append(process)
    return list(reversed(tiers.values()))


async def _ready_line(stdout: asyncio.StreamReader) -> dict[str, str]:
    while True:
        line = await stdout.readline()
        if not line:
            raise EOFError
        with contextlib.suppress(ValueError):
            said = json.loads(line)
            if isinstance(said, dict) and said.get("event") == "ready":
                return {key: str(value) for key, value in said.items()}


async def _pump(stdout: asyncio.StreamReader) -> None:
    # What else it prints is of no use here, but a full pipe would stop it.
    while await stdout.read(65_536):
        pass


def _tail(log: Path) -> str:
    lines = log.read_text("utf-8", errors="replace").splitlines()
    return "\n".join(lines[-LOG_TAIL_LINES:]) or "(nothing)"
