"""A folder behind FTP or FTPS: the standard library's client, a connection a thread, names as bytes.

The client speaks Latin-1 here, which gives every byte back as it was: servers send whatever encoding they like.
"""

import asyncio
import ftplib
import os
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from mediation.collecting.folders import (
    LISTED_MAX,
    LISTING_BYTES_MAX,
    FileMoved,
    SourceLost,
    Take,
    deadline_s,
    joined,
)
from mediation.collecting.listing import Listing, fact_moment, read_facts, read_list
from mediation.collecting.servers import FtpServer, FtpsServer, secret
from mediation.plant.files import ListedFile, shown_name

_CHUNK = 1 << 18
GivenT = TypeVar("GivenT")


@asynccontextmanager
async def ftp_folder(server: FtpServer | FtpsServer, home: Path, folder: str) -> AsyncIterator["FtpFolder"]:
    """Connect; `home` is the plant's folder. Raises `SourceLost`."""
    connections = _Connections(server, home, folder)
    try:
        await connections.use(lambda _: None)
        yield FtpFolder(connections, server, folder)
    finally:
        connections.close()


class _Tls(ftplib.FTP_TLS):
    """Goes on with the TLS session of the commands on the connections of files, as servers ask who want to know that
    both are the same client's."""

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        """Begin a transfer (RFC 4217, section 10)."""
        plain, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        commands = self.sock
        assert isinstance(commands, ssl.SSLSocket)
        return self.context.wrap_socket(plain, server_hostname=self.host, session=commands.session), size


class _Connections:
    """As many as the source says, each in its folder, made when needed; one that broke is not used again."""

    def __init__(self, server: FtpServer | FtpsServer, home: Path, folder: str) -> None:
        self._server = server
        self._home = home
        self._folder = folder
        self._free: list[ftplib.FTP] = []
        self._all: set[ftplib.FTP] = set()
        self._turns = asyncio.Semaphore(server.at_once)

    async def use(self, work: Callable[[ftplib.FTP], GivenT]) -> GivenT:
        """Do a piece of work on a connection, in a thread. Raises `SourceLost`, and what the work raises."""
        async with self._turns:
            with _told(self._server):
                client = self._free.pop() if self._free else await asyncio.to_thread(self._connect)
            try:
                with _told(self._server):
                    given = await asyncio.to_thread(work, client)
            except ftplib.error_perm:
                self._free.append(client)  # It answered: no, and goes on.
                raise
            except BaseException:
                self._all.discard(client)
                client.close()
                raise
            self._free.append(client)
            return given

    def close(self) -> None:
        """Break all connections off."""
        for client in tuple(self._all):
            client.close()

    def _connect(self) -> ftplib.FTP:
        server = self._server
        client: ftplib.FTP
        if isinstance(server, FtpsServer):
            authority = str(self._home / server.authority) if server.authority else None
            context = ssl.create_default_context(cafile=authority)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            client = _Tls(timeout=server.timeout_s, encoding="latin-1", context=context)
        else:
            client = ftplib.FTP(timeout=server.timeout_s, encoding="latin-1")
        # From here on: who greets for ever is broken off with the look.
        self._all.add(client)
        try:
            client.connect(server.host, server.port)
            client.login(server.user, secret(self._home, server.password))
            if isinstance(client, ftplib.FTP_TLS):
                client.prot_p()
            client.cwd(_wire(self._folder))
        except ftplib.error_perm as error:
            client.close()
            raise SourceLost(f"it refuses {server.user}, our password, or {self._folder}: {_said(error)}") from error
        except BaseException:
            client.close()
            raise
        return client


@contextmanager
def _told(server: FtpServer | FtpsServer) -> Iterator[None]:
    """Tell faults of the connection in one way; that the server said no (5xx) comes through."""
    try:
        yield
    except ftplib.error_perm:
        raise
    except ssl.SSLCertVerificationError as error:
        raise SourceLost(f"its certificate is not to be trusted: {error.verify_message}") from error
    except (ftplib.Error, EOFError, ValueError) as error:
        raise SourceLost(_said(error) or "it closed the connection") from error
    except OSError as error:
        raise SourceLost(error.strerror or str(error) or f"no answer in {server.timeout_s} s") from error


def _said(error: Exception) -> str:
    return shown_name(str(error)[:200])


class FtpFolder:
    """Open for one look."""

    def __init__(self, connections: _Connections, server: FtpServer | FtpsServer, folder: str) -> None:
        self._connections = connections
        self._folder = folder
        self._timeout_s = server.timeout_s
        self._machine = server.machine
        self.at_once = server.at_once

    async def list(self) -> Listing:
        """Give its files. Raises `SourceLost`."""
        try:
            return await self._connections.use(self._list)
        except ftplib.error_perm as error:
            raise SourceLost(f"{self._folder} can't be listed: {_said(error)}") from error

    async def fetch(self, file: ListedFile, begin: int, take: Take) -> None:
        """Hand over a file's bytes. Raises `FileMoved`, `SourceLost`."""
        try:
            await self._connections.use(lambda client: self._fetch(client, file, begin, take))
        except ftplib.error_perm as error:
            raise FileMoved(f"{file.shown}: {_said(error)}") from error

    async def move(self, file: ListedFile, folder: str, name: str) -> None:
        """Move a file. Raises `FileMoved`, `SourceLost`."""
        try:
            await self._connections.use(lambda client: self._move(client, file, joined(folder, name)))
        except ftplib.error_perm as error:
            raise FileMoved(f"{file.shown} can't be moved: {_said(error)}") from error

    def _list(self, client: ftplib.FTP) -> Listing:
        if self._machine and _offers_mlsd(client):
            listing = read_facts(_lines(client, "MLSD"))
        else:
            # Servers write years off by their own clock, mostly in their own zone; a day more or less is allowed for.
            listing = read_list(_lines(client, "LIST"), datetime.now(UTC).replace(tzinfo=None))
            self._machine = False
        if len(listing.files) > LISTED_MAX:
            raise SourceLost(f"{self._folder} has more than {LISTED_MAX:,} files")
        return listing

    def _fetch(self, client: ftplib.FTP, file: ListedFile, begin: int, take: Take) -> None:
        path = _wire(file.name)
        counter = _Counter(file, begin, self._timeout_s, take)
        client.voidcmd("TYPE I")
        try:
            client.retrbinary(f"RETR {path}", counter.take, _CHUNK, rest=begin or None)
        except ftplib.error_perm as error:
            if not begin or not str(error).startswith("50"):
                raise
            # It can't begin in the middle: what we have is read over.
            counter = _Counter(file, 0, self._timeout_s, take, skip=begin)
            client.retrbinary(f"RETR {path}", counter.take, _CHUNK)
        if not self._still(client, path, file, counter.at):
            raise FileMoved(f"{file.shown} was written to while it was read")

    def _move(self, client: ftplib.FTP, file: ListedFile, target: str) -> None:
        path = _wire(file.name)
        client.voidcmd("TYPE I")
        if not self._still(client, path, file, file.bytes):
            raise FileMoved(f"{file.shown} is another file by now, and stays where it is")
        client.rename(path, _wire(target))

    def _still(self, client: ftplib.FTP, path: str, file: ListedFile, read: int) -> bool:
        """Say whether a file of which so many bytes were read is what was listed, as far as the server tells."""
        if file.exact and read != file.bytes:
            return False
        size, modified = _asked(client, f"SIZE {path}"), _asked(client, f"MDTM {path}") if self._machine else ""
        if size.isdecimal() and int(size) != (file.bytes if file.exact else read):
            return False
        return not modified or not file.modified or fact_moment(modified).startswith(file.modified)


class _Counter:
    """Counts what comes of a file, and stops what is more than was listed, or too slow."""

    def __init__(self, file: ListedFile, begin: int, timeout_s: int, take: Take, *, skip: int = 0) -> None:
        self._file = file
        self._take = take
        self._skip = skip
        self._until = time.monotonic() + deadline_s(timeout_s, file.bytes - begin)
        self.at = begin

    def take(self, chunk: bytes) -> None:
        """Take the next bytes. Raises `FileMoved`, `TimeoutError`."""
        if time.monotonic() > self._until:
            raise TimeoutError(f"{self._file.shown} came too slowly")
        self.at += len(chunk)
        if self.at > self._file.bytes:
            raise FileMoved(f"{self._file.shown} has more bytes than were listed")
        skipped = min(self._skip, len(chunk))
        self._skip -= skipped
        if skipped < len(chunk):
            self._take(chunk[skipped:])


def _lines(client: ftplib.FTP, command: str) -> list[bytes]:
    """Ask for a list. A line that the library's own reader would refuse is the parser's to tell."""
    found = bytearray()

    def take(chunk: bytes) -> None:
        found.extend(chunk)
        if len(found) > LISTING_BYTES_MAX:
            raise SourceLost(f"its list has more than {LISTING_BYTES_MAX >> 20} MiB")

    client.voidcmd("TYPE A")
    with client.transfercmd(command) as connection:
        while chunk := connection.recv(_CHUNK):
            take(chunk)
        if isinstance(connection, ssl.SSLSocket):
            connection.unwrap()
    client.voidresp()
    return [line.rstrip(b"\r") for line in bytes(found).split(b"\n") if line.strip()]


def _offers_mlsd(client: ftplib.FTP) -> bool:
    return any(line.strip().upper().startswith(("MLST", "MLSD")) for line in _asked_lines(client, "FEAT"))


def _asked_lines(client: ftplib.FTP, command: str) -> list[str]:
    try:
        return client.sendcmd(command).splitlines()
    except ftplib.error_perm:
        return []


def _asked(client: ftplib.FTP, command: str) -> str:
    """Ask for a fact; "" = the server doesn't know it."""
    try:
        return client.sendcmd(command)[3:].strip()
    except ftplib.error_perm:
        return ""


def _wire(path: str) -> str:
    return os.fsencode(path).decode("latin-1")
