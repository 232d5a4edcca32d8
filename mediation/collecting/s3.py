"""A folder of a bucket that speaks Amazon's S3: what stands below a prefix, each object as it was listed.

An object comes into a bucket whole or not at all, and its entity tag tells its content: it is asked for by the tag that
was listed, so whoever replaces it meanwhile gets no mixture taken. Whether the switch has finished it, and puts nothing
behind it, is still for the source's rule to say.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError, PreconditionError
from obstore.store import S3Store

from mediation.collecting.folders import LISTED_MAX, FileMoved, SourceLost, Take, deadline_s
from mediation.collecting.listing import UNREAD_TOLD_MAX, Listing, UnreadLine, refused_name
from mediation.collecting.s3keys import BucketPlace, KeyList, ListedKey, keys_below
from mediation.collecting.servers import S3Server, secret
from mediation.plant.files import ListedFile, shown_name

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta

_TRIES = 2
_SAID_CHARS_MAX = 400
_NO_STEP = "path segment"
"""What the library says of a key that it can't read, whatever is wrong with it."""
NO_PATH = "keys below it have a step that no path can name"


@asynccontextmanager
async def s3_folder(server: S3Server, home: Path, folder: str) -> AsyncIterator["S3Folder"]:
    """Open it; `home` is the plant's folder. Nobody is asked yet. Raises `SourceLost`."""
    try:
        secret_key = secret(home, server.password)
        authority = (home / server.authority).read_bytes() if server.authority else b""
    except (OSError, ValueError) as error:
        raise SourceLost(f"its files of keys can't be read: {getattr(error, 'strerror', None) or error}") from error
    store = _store(server, secret_key, authority)
    yield S3Folder(store, server, folder.strip("/"), _place(server, secret_key, authority))


def _place(server: S3Server, secret_key: str, authority: bytes) -> BucketPlace:
    trusted = None
    if not server.clear:
        with _told():
            trusted = ssl.create_default_context()
            if authority:
                trusted.load_verify_locations(cadata=authority.decode())
    return BucketPlace(
        server.host, server.port, server.bucket, server.region, server.user, secret_key, trusted, server.timeout_s
    )


def _store(server: S3Server, secret_key: str, authority: bytes) -> S3Store:
    patience = timedelta(seconds=server.timeout_s)
    with _told():
        return S3Store(
            server.bucket,
            endpoint=f"{'http' if server.clear else 'https'}://{server.host}:{server.port}",
            region=server.region,
            access_key_id=server.user,
            secret_access_key=secret_key,
            virtual_hosted_style_request=False,
            client_options={
                "allow_http": server.clear,
                "connect_timeout": patience,
                "read_timeout": patience,
                "timeout": timedelta(seconds=deadline_s(server.timeout_s, 1 << 40)),
                **({"root_certificate": authority} if authority else {}),
            },
            retry_config={"max_retries": _TRIES, "retry_timeout": patience},
        )


@contextmanager
def _told() -> Iterator[None]:
    """Tell faults of the store in one way."""
    try:
        yield
    except (BaseError, ValueError, TimeoutError, OSError) as error:
        raise SourceLost(_said(error)) from error


def _said(error: Exception) -> str:
    # What the library adds for who debugs it says all of it once more.
    return (
        shown_name(" ".join(str(error).partition("Debug source:")[0].split())[:_SAID_CHARS_MAX]) or type(error).__name__
    )


class S3Folder:
    """Open for one look."""

    def __init__(self, store: S3Store, server: S3Server, prefix: str, place: BucketPlace) -> None:
        """`prefix` is without a / at either end; empty = the bucket itself."""
        self._store = store
        self._place = place
        self._timeout_s = server.timeout_s
        self._prefix = prefix
        self.at_once = server.at_once

    async def list(self) -> Listing:
        """Give its files. Raises `SourceLost`."""
        found = await self._keys()
        if len(found.keys) > LISTED_MAX:
            raise SourceLost(f"{self._prefix or 'the bucket'} has more than {LISTED_MAX:,} files")
        files: list[ListedFile] = []
        unread = [UnreadLine(0, shown_name(step[:200]), NO_PATH) for step in found.unreadable]
        for number, each in enumerate(found.keys, 1):
            name = each.key.removeprefix(f"{self._prefix}/")
            if name in ("", self._prefix):
                continue  # What some tools put there so that an empty folder shows.
            if why := refused_name(name):
                unread.append(UnreadLine(number, shown_name(name[:200]), why))
            else:
                files.append(ListedFile(name, each.bytes, f"{each.tag or '*'} {each.modified}"))
        ordered = tuple(sorted(files, key=lambda file: file.name))
        return Listing(ordered, tuple(unread[:UNREAD_TOLD_MAX]), len(unread))

    async def _keys(self) -> KeyList:
        """Ask the library, and where it can't read a key, the bucket itself."""
        with _told():
            async with asyncio.timeout(deadline_s(self._timeout_s, LISTED_MAX)):
                try:
                    found = await obstore.list_with_delimiter_async(self._store, self._prefix or None)
                except BaseError as error:
                    if _NO_STEP not in str(error):
                        raise
                    prefix = f"{self._prefix}/" if self._prefix else ""
                    return await asyncio.to_thread(keys_below, self._place, prefix, LISTED_MAX)
        return KeyList(
            [
                ListedKey(each["path"], each["size"], each["e_tag"] or "", _time_of(each["last_modified"]))
                for each in found["objects"]
            ]
        )

    async def fetch(self, file: ListedFile, begin: int, take: Take) -> None:
        """Hand over a file's bytes. Raises `FileMoved`, `SourceLost`."""
        try:
            async with asyncio.timeout(deadline_s(self._timeout_s, file.bytes - begin)):
                await self._fetch(file, begin, take)
        except (FileNotFoundError, PreconditionError) as error:
            raise FileMoved(f"{file.shown} is gone, or was replaced while it was read") from error
        except (BaseError, TimeoutError) as error:
            raise SourceLost(f"{file.shown}: {_said(error)}") from error

    async def _fetch(self, file: ListedFile, begin: int, take: Take) -> None:
        path = f"{self._prefix}/{file.name}" if self._prefix else file.name
        options: GetOptions = {"if_match": file.modified.partition(" ")[0]}
        if file.bytes:
            options["range"] = (begin, file.bytes)
        found = await obstore.get_async(self._store, path, options=options)
        if _listed(file, found.meta) != file:
            raise FileMoved(f"{file.shown} was replaced while it was read")
        at = begin
        async for chunk in found.stream():
            take(bytes(chunk))
            at += len(chunk)
        if at != file.bytes:
            raise SourceLost(f"{file.shown}: {file.bytes - at} bytes of it did not come")

    async def move(self, file: ListedFile, folder: str, name: str) -> None:
        """Raise `FileMoved`: to move an object is to copy and to delete it, and nothing is deleted."""
        raise FileMoved(f"{file.shown} can't be moved in a bucket")


def _listed(file: ListedFile, meta: "ObjectMeta") -> ListedFile:
    return ListedFile(file.name, meta["size"], _modified(meta))


def _modified(meta: "ObjectMeta") -> str:
    """Its entity tag, and when it came: the same content may come twice."""
    return f"{meta['e_tag'] or '*'} {_time_of(meta['last_modified'])}"


def _time_of(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
