"""A folder behind SFTP: one connection for a look, its host key pinned, files fetched at once over it."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import cast

import asyncssh
from asyncssh.constants import FILEXFER_TYPE_REGULAR, FILEXFER_TYPE_UNKNOWN

from mediation.collecting.folders import LISTED_MAX, FileMoved, SourceLost, Take, deadline_s, joined
from mediation.collecting.listing import UNREAD_TOLD_MAX, Listing, UnreadLine, refused_name
from mediation.collecting.servers import SftpServer, secret
from mediation.plant.files import ListedFile, shown_name

_CHUNK = 1 << 20
_NAME_BYTES_MAX = 1_024
_GONE = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPPermissionDenied, asyncssh.SFTPNoSuchPath, asyncssh.SFTPFailure)
"""A server says these of one file, and goes on."""


@asynccontextmanager
async def sftp_folder(server: SftpServer, home: Path, folder: str) -> AsyncIterator["SftpFolder"]:
    """Connect; `home` is the plant's folder. Raises `SourceLost`."""
    options = _options(server, home)
    async with AsyncExitStack() as stack:
        with _told(server):
            connecting = asyncssh.connect(server.host, server.port, options=options)
            connection = await stack.enter_async_context(connecting)
            client = await stack.enter_async_context(connection.start_sftp_client(path_encoding=None))
        yield SftpFolder(client, server, folder)


def _options(server: SftpServer, home: Path) -> asyncssh.SSHClientConnectionOptions:
    try:
        pinned = [
            asyncssh.import_public_key(line)
            for line in (home / server.host_keys).read_text("utf-8").splitlines()
            if line.strip() and not line.startswith("#")
        ]
        keys = [asyncssh.read_private_key(str(home / server.key))] if server.key else None
        password = secret(home, server.password) if server.password else None
    except (OSError, ValueError, asyncssh.KeyImportError) as error:
        raise SourceLost(f"its files of keys can't be read: {getattr(error, 'strerror', None) or error}") from error
    if not pinned:
        raise SourceLost(f"{server.host_keys} has no host key")
    return asyncssh.SSHClientConnectionOptions(
        username=server.user,
        password=password,
        client_keys=keys,
        known_hosts=(pinned, [], []),
        # What a person's own settings and agent offer is none of the plant's business.
        config=None,
        # The fastest where the processor helps, as a server's does.
        encryption_algs="^aes128-gcm@openssh.com",
        agent_path=None,
        preferred_auth=[*(["publickey"] if keys else []), *(["password", "keyboard-interactive"] if password else [])],
        connect_timeout=server.timeout_s,
        login_timeout=server.timeout_s,
        keepalive_interval=server.timeout_s,
        keepalive_count_max=2,
    )


@contextmanager
def _told(server: SftpServer) -> Iterator[None]:
    """Tell faults of the connection in one way."""
    try:
        yield
    except asyncssh.HostKeyNotVerifiable as error:
        raise SourceLost("its host key is not the one that is pinned: nothing is asked of it") from error
    except asyncssh.PermissionDenied as error:
        raise SourceLost(f"it refuses {server.user}, or our key or password") from error
    except (asyncssh.Error, TimeoutError) as error:
        raise SourceLost(_said(error)) from error
    except OSError as error:
        raise SourceLost(error.strerror or str(error)) from error


def _said(error: Exception) -> str:
    return shown_name(str(error)[:200]) or type(error).__name__


class SftpFolder:
    """Open for one look."""

    def __init__(self, client: asyncssh.SFTPClient, server: SftpServer, folder: str) -> None:
        self._client = client
        self._timeout_s = server.timeout_s
        self._folder = folder
        self.at_once = server.at_once

    async def list(self) -> Listing:
        """Give its files. Raises `SourceLost`."""
        files: list[ListedFile] = []
        unread: list[UnreadLine] = []
        seen = 0
        try:
            async with asyncio.timeout(deadline_s(self._timeout_s, LISTED_MAX)):
                async for entry in self._client.scandir(os.fsencode(self._folder)):
                    seen += 1
                    if seen > LISTED_MAX:
                        raise SourceLost(f"{self._folder} has more than {LISTED_MAX:,} files")
                    file = _listed(entry)
                    if isinstance(file, str):
                        unread.append(UnreadLine(seen, shown_name(os.fsdecode(entry.filename)[:200]), file))
                    elif file is not None:
                        files.append(file)
        except (asyncssh.Error, TimeoutError) as error:
            raise SourceLost(f"{self._folder} can't be listed: {_said(error)}") from error
        return Listing(tuple(sorted(files, key=lambda file: file.name)), tuple(unread[:UNREAD_TOLD_MAX]), len(unread))

    async def fetch(self, file: ListedFile, begin: int, take: Take) -> None:
        """Hand over a file's bytes. Raises `FileMoved`, `SourceLost`."""
        try:
            async with asyncio.timeout(deadline_s(self._timeout_s, file.bytes - begin)):
                await self._fetch(file, begin, take)
        except _GONE as error:
            raise FileMoved(f"{file.shown}: {_said(error)}") from error
        except (asyncssh.Error, TimeoutError, OSError) as error:
            raise SourceLost(f"{file.shown}: {_said(error)}") from error

    async def _fetch(self, file: ListedFile, begin: int, take: Take) -> None:
        opened = await self._client.open(os.fsencode(joined(self._folder, file.name)), "rb", encoding=None)
        async with opened:
            at = begin
            while at < file.bytes:
                chunk = cast("bytes", await opened.read(min(file.bytes - at, _CHUNK), at))
                if not chunk:
                    break
                take(chunk)
                at += len(chunk)
            after = await opened.stat()
        if at != file.bytes or not _same(after, file):
            raise FileMoved(f"{file.shown} was written to while it was read")

    async def move(self, file: ListedFile, folder: str, name: str) -> None:
        """Move a file. Raises `FileMoved`, `SourceLost`."""
        path = os.fsencode(joined(self._folder, file.name))
        target = os.fsencode(joined(joined(self._folder, folder) if not folder.startswith("/") else folder, name))
        try:
            async with asyncio.timeout(self._timeout_s):
                if not _same(await self._client.lstat(path), file):
                    raise FileMoved(f"{file.shown} is another file by now, and stays where it is")
                await self._client.rename(path, target)
        except asyncssh.SFTPError as error:
            raise FileMoved(f"{file.shown} can't be moved: {_said(error)}") from error
        except (asyncssh.Error, TimeoutError, OSError) as error:
            raise SourceLost(_said(error)) from error


def _listed(entry: asyncssh.SFTPName) -> ListedFile | str | None:
    """Give the file of an entry; a text says what is wrong with it, None = it is no file."""
    raw, attributes = entry.filename, entry.attrs
    name = os.fsdecode(raw)
    if not _regular(attributes):
        return None
    if len(os.fsencode(name)) > _NAME_BYTES_MAX:
        return f"its name has more than {_NAME_BYTES_MAX} bytes"
    if why := refused_name(name):
        return why
    if attributes.size is None:
        return "the server doesn't say its size"
    return ListedFile(name, attributes.size, _modified(attributes))


def _regular(attributes: asyncssh.SFTPAttrs) -> bool:
    if attributes.type not in (FILEXFER_TYPE_REGULAR, FILEXFER_TYPE_UNKNOWN):
        return False
    return attributes.permissions is None or stat.S_IFMT(attributes.permissions) in (0, stat.S_IFREG)


def _modified(attributes: asyncssh.SFTPAttrs) -> str:
    return "" if attributes.mtime is None else str(attributes.mtime)


def _same(attributes: asyncssh.SFTPAttrs, file: ListedFile) -> bool:
    return attributes.size == file.bytes and _modified(attributes) == file.modified
