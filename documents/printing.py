"""Printing many documents: processes that set them, each replaced when its memory has grown.

typst remembers what it has laid out, 500 kB a page and more, and gives nothing back before it ends. So a process that
sets documents is not the one that asks for them; it tells with each batch how large it is, and beyond a bound the next
batch finds a new one. A process that dies over a batch is replaced, too; the batch fails by name.
"""

import multiprocessing
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from queue import SimpleQueue

from charging.errors import Fault, Unavailable
from documents.document import BillDocument
from documents.typesetting import TEMPLATE, Typesetter

MEMORY_BYTES_MAX = 400 << 20
"""Of a process that sets documents: beyond it, it is replaced after the batch."""
BATCH_DOCUMENTS = 20
RETRY_MS = 1_000
_STOP_S = 5
_STATM = Path("/proc/self/statm")


class PrintWorker:
    """One process that sets documents, whichever that is now. Of one thread at a time."""

    def __init__(self, fonts: Path, template: Path = TEMPLATE, memory_bytes_max: int = MEMORY_BYTES_MAX) -> None:
        self._fonts = fonts
        self._template = template
        self._memory_bytes_max = memory_bytes_max
        self._running: tuple[BaseProcess, Connection] | None = None
        self.started = 0
        """Processes so far."""

    @property
    def pid(self) -> int | None:
        """The process that would get the next batch; None = it will be started for it."""
        return self._running[0].pid if self._running is not None else None

    def pdfs(self, documents: Sequence[BillDocument]) -> list[bytes]:
        """Set documents, in their order.

        Raises what `Typesetter` does, and `Unavailable` PRINTER_LOST when the process died: nothing of the batch is
        known to be wrong, but something in it may be.
        """
        process, pipe = self._running or self._start()
        try:
            pipe.send(documents)
            answer, memory_bytes = pipe.recv()
        except (EOFError, OSError):
            self.stop()
            died = f"process {process.pid} died over {len(documents)} documents"
            raise Unavailable("PRINTER_LOST", died, retry_ms=RETRY_MS) from None
        if memory_bytes > self._memory_bytes_max:
            self.stop()
        if isinstance(answer, Fault):
            raise answer
        found: list[bytes] = answer
        return found

    def stop(self) -> None:
        """End the process, if there is one."""
        if self._running is None:
            return
        process, pipe = self._running
        self._running = None
        pipe.close()
        process.join(_STOP_S)
        if process.is_alive():
            process.kill()
            process.join()

    def _start(self) -> tuple[BaseProcess, Connection]:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs, self._fonts, self._template), daemon=True)
        process.start()
        theirs.close()
        self.started += 1
        self._running = process, ours
        return self._running


def serve(pipe: Connection, fonts: Path, template: Path) -> None:
    """Set what comes through a pipe until it is closed: the whole life of a worker's process."""
    setter: Typesetter | None = None
    while True:
        try:
            documents = pipe.recv()
        except EOFError:
            return
        answer: list[bytes] | Fault
        try:
            setter = setter or Typesetter(fonts, template)
            answer = [setter.pdf(document) for document in documents]
        except Fault as fault:
            answer = fault.bare()
        pipe.send((answer, _memory_bytes()))


def print_all(
    documents: Iterable[BillDocument], fonts: Path, template: Path = TEMPLATE, workers: int = 1
) -> Iterator[bytes]:
    """Set any number of documents, in their order, with so many processes; `Fault`s as `PrintWorker.pdfs`."""
    free: SimpleQueue[PrintWorker] = SimpleQueue()
    staff = [PrintWorker(fonts, template) for _ in range(workers)]
    for worker in staff:
        free.put(worker)

    def one(batch: Sequence[BillDocument]) -> list[bytes]:
        worker = free.get()
        try:
            return worker.pdfs(batch)
        finally:
            free.put(worker)

    waiting = iter(documents)
    batches = iter(lambda: list(islice(waiting, BATCH_DOCUMENTS)), [])
    try:
        with ThreadPoolExecutor(workers) as threads:
            # So many batches at a time that every worker has the next one waiting, and no more is kept in memory.
            while group := list(islice(batches, 2 * workers)):
                for made in threads.map(one, group):
                    yield from made
    finally:
        for worker in staff:
            worker.stop()


def _memory_bytes() -> int:
    """Give what this process holds in memory; 0 where the system doesn't say."""
    if not _STATM.exists():
        return 0
    return int(_STATM.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
