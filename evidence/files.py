"""Anchors in files: one line of JSON for all chains of a process, each sealed and naming the hash of the line before.

A process begins a file of its own (`<server>.<first line>.anchors`) and only ever appends to it; its first line, and
that of every further file, repeats the newest anchors that the process has, so the newest file of a server tells all of
its chains and older ones may be archived. A line that was torn by a crash is the last one of its file, and has no end.
"""

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from evidence.anchors import Anchor, AnchorsAway, newest_of
from evidence.keys import KeyRing, Unproven
from runtime.telemetry import logger

log = logger("evidence.files")

SUFFIX = ".anchors"
FILE_BYTES_MAX = 4_000_000
"""Then the next file begins."""
HASH_BYTES = 16


class AnchorLine(Struct, frozen=True):
    """What a line says; the seal of its text follows behind a blank."""

    n: int
    server: str
    before: str
    """Hash of the server's line before, seal included; empty for its first one."""
    chains: list[Anchor]


class FileAnchors:
    """The files of a folder, and the one that this process appends to. Implements `Anchorage`."""

    def __init__(self, folder: Path, server: str, ring: KeyRing) -> None:
        self._folder = folder
        self._server = server
        self._ring = ring
        self._own: dict[str, Anchor] = {}
        self._file: BinaryIO | None = None
        self._path = folder
        """Of the file, once there is one."""
        self._line = 0
        self._before = ""
        self._read: dict[Path, tuple[int, dict[str, Anchor]]] = {}
        """Of each file, how long it was when it was read, and its newest anchors."""
        self._lock = asyncio.Lock()

    async def append(self, anchors: Sequence[Anchor]) -> Sequence[Anchor]:
        """Write one line, synced. Raises `AnchorsAway`."""
        async with self._lock:
            try:
                return await asyncio.to_thread(self._append, anchors)
            except OSError as error:
                self._close()
                raise AnchorsAway(f"anchors can't be written to {self._folder}: {error.strerror}") from error

    async def newest(self, slot: str) -> Anchor | None:
        """Give the newest anchor of a chain in any server's newest file. Raises `AnchorsAway`."""
        try:
            async with self._lock:
                found = await asyncio.to_thread(self._look)
        except OSError as error:
            raise AnchorsAway(f"anchors can't be read from {self._folder}: {error.strerror}") from error
        return newest_of([known[slot] for known in found if slot in known])

    async def close(self) -> None:
        """Close the file; a later line begins another one."""
        self._close()

    def _look(self) -> list[dict[str, Anchor]]:
        """Read the newest files of all servers, those that grew since the last look."""
        paths = [path for server in _servers(self._folder) for path in files_of(self._folder, server)[-2:]]
        for path in paths:
            size = path.stat().st_size
            if path not in self._read or self._read[path][0] != size:
                self._read[path] = size, newest_in(path, self._ring)
        return [self._read[path][1] for path in paths]

    def _append(self, anchors: Sequence[Anchor]) -> Sequence[Anchor]:
        if self._file is not None and (self._file.tell() > FILE_BYTES_MAX or self._is_gone(self._file)):
            self._close()
        if self._file is None:
            self._begin()
            known = {anchor.slot for anchor in anchors}
            anchors = [*(anchor for slot, anchor in self._own.items() if slot not in known), *anchors]
        assert self._file is not None, "a file was begun"
        noted = [replace(anchor, server=self._server, line=self._line) for anchor in anchors]
        text = msgspec.json.encode(AnchorLine(self._line, self._server, self._before, noted))
        whole = text + b" " + self._ring.seal(text).hex().encode()
        self._file.write(whole + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._line += 1
        self._before = _hash(whole)
        self._own.update((anchor.slot, anchor) for anchor in noted)
        return noted

    def _is_gone(self, file: BinaryIO) -> bool:
        """Say whether somebody took the file away: what is appended to it then is kept nowhere."""
        here = os.fstat(file.fileno())
        try:
            there = self._path.stat()
        except FileNotFoundError:
            there = None
        if there is not None and os.path.samestat(here, there):
            return False
        log.error("the anchor file is not where it was written, another one is begun", path=str(self._path))
        return True

    def _begin(self) -> None:
        """Begin a file after the server's newest line."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self._line:
            for path in reversed(files_of(self._folder, self._server)):
                lines = list(lines_of(path))
                if lines:
                    self._before = _hash(lines[-1])
                    self._line = _decode(lines[-1].rpartition(b" ")[0]).n + 1
                    break
        self._path = self._folder / f"{self._server}.{self._line:012d}{SUFFIX}"
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._file = os.fdopen(descriptor, "ab")

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


class CheckedFiles(Struct):
    """What reading anchor files whole found."""

    anchors: list[Anchor] = []
    """Of each file the first and the newest of each chain, and every accepted loss."""
    lines: dict[str, int] = {}
    """Server → its newest line."""
    findings: list[str] = []


def newest_in(path: Path, ring: KeyRing) -> dict[str, Anchor]:
    """Read a file's newest anchor of each chain. Lines that don't hold are for the audit to tell. Raises `OSError`."""
    newest: dict[str, Anchor] = {}
    for text in lines_of(path):
        with suppress(Unproven):
            newest.update((anchor.slot, anchor) for anchor in read_line(text, ring).chains)
    return newest


def check_files(folder: Path, ring: KeyRing) -> CheckedFiles:
    """Read every file of a folder, and hold each line against its seal and the line before. Raises `OSError`."""
    checked = CheckedFiles()
    for server in _servers(folder):
        before, expected = "", -1
        for path in files_of(folder, server):
            ends: dict[str, list[Anchor]] = {}
            for number, text in enumerate(lines_of(path)):
                where = f"{path}, line {number + 1}"
                try:
                    line = read_line(text, ring)
                except Unproven as error:
                    checked.findings.append(f"{where}: {error}")
                    before, expected = _hash(text), expected + 1
                    continue
                if expected >= 0 and line.n != expected:
                    checked.findings.append(f"{where}: line {line.n} of {server} where {expected} follows")
                elif expected >= 0 and line.before != before:
                    checked.findings.append(f"{where}: the line before it was changed")
                before, expected = _hash(text), line.n + 1
                checked.lines[server] = line.n
                for anchor in line.chains:
                    if anchor.accepted:
                        checked.anchors.append(anchor)
                    ends.setdefault(anchor.slot, [anchor, anchor])[1] = anchor
            checked.anchors += [anchor for pair in ends.values() for anchor in pair]
    return checked


def read_line(text: bytes, ring: KeyRing) -> AnchorLine:
    """Read a line. Raises `Unproven` when it is none of ours."""
    content, _, seal = text.rpartition(b" ")
    try:
        if not ring.holds(content, bytes.fromhex(seal.decode())):
            raise Unproven("its seal does not hold")
        return _decode(content)
    except (ValueError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise Unproven(f"it can't be read: {error}") from error


def lines_of(path: Path) -> Iterator[bytes]:
    """Give the whole lines of a file; a last one without its end was torn by a crash and says nothing."""
    with path.open("rb") as file:
        for text in file:
            if text.endswith(b"\n"):
                yield text[:-1]


def files_of(folder: Path, server: str) -> list[Path]:
    """Give the files of a server, oldest first."""
    return sorted((path for path in _files(folder) if _server_of(path) == server), key=lambda path: path.name)


def _files(folder: Path) -> list[Path]:
    return list(folder.glob(f"*{SUFFIX}")) if folder.exists() else []


def _servers(folder: Path) -> list[str]:
    return sorted({_server_of(path) for path in _files(folder)})


def _server_of(path: Path) -> str:
    return path.name.removesuffix(SUFFIX).rpartition(".")[0]


def _hash(text: bytes) -> str:
    return blake2b(text, digest_size=HASH_BYTES).hexdigest()


_decode = msgspec.json.Decoder(AnchorLine).decode
