"""Lists a folder of a bucket where the library can't: one key with an empty step, as `gx//1.cdr`, fails its whole list.

One request a page (ListObjectsV2, signed by AWS Signature Version 4), read as bytes and XML: a key is whatever it is.
"""

import hmac
import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import quote
from xml.etree import ElementTree

from msgspec import Struct

_EMPTY = sha256(b"").hexdigest()
_PAGES_MAX = 1_000
_PAGE_BYTES_MAX = 16 << 20


class BucketPlace(Struct, frozen=True):
    """Which bucket, and who asks."""

    host: str
    port: int
    bucket: str
    region: str
    user: str
    secret: str
    trusted: ssl.SSLContext | None
    """None = in clear."""
    timeout_s: float


class ListedKey(Struct, frozen=True):
    """One object directly below the prefix."""

    key: str
    bytes: int
    tag: str
    modified: str


class KeyList(Struct):
    """What stands directly below a prefix."""

    keys: list[ListedKey] = []
    unreadable: list[str] = []
    """Steps below which keys are that no path can name."""


def keys_below(place: BucketPlace, prefix: str, keys_max: int) -> KeyList:
    """Give what stands directly below a prefix, "" or ending in "/". Raises `OSError`."""
    found, token = KeyList(), ""
    for _ in range(_PAGES_MAX):
        query = {"delimiter": "/", "list-type": "2", "prefix": prefix}
        page = _parsed(_asked(place, {**query, **({"continuation-token": token} if token else {})}))
        found.keys += _keys(page)
        for common in _texts(page, "CommonPrefixes", "Prefix"):
            if common.removeprefix(prefix) in ("/", "./", "../"):
                found.unreadable.append(common)
        token = next(iter(_texts(page, "", "NextContinuationToken")), "")
        if not token or len(found.keys) > keys_max:
            return found
    raise OSError("the list of the bucket has no end")


def signed(
    place: BucketPlace, host: str, path: str, query: Mapping[str, str], now: datetime
) -> tuple[str, dict[str, str]]:
    """Give the query of a GET and the headers that sign it, `host` being the header of that name."""
    when, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    text = "&".join(f"{quote(name, safe='-_.~')}={quote(query[name], safe='-_.~')}" for name in sorted(query))
    headers = {"host": host, "x-amz-content-sha256": _EMPTY, "x-amz-date": when}
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = f"GET\n{quote(path, safe='/-_.~')}\n{text}\n{lines}\n{names}\n{_EMPTY}"
    scope = f"{day}/{place.region}/s3/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{when}\n{scope}\n{sha256(request.encode()).hexdigest()}"
    key = f"AWS4{place.secret}".encode()
    for part in (day, place.region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    credential = f"AWS4-HMAC-SHA256 Credential={place.user}/{scope}"
    headers["authorization"] = f"{credential},SignedHeaders={names},Signature={signature}"
    return text, headers


def _asked(place: BucketPlace, query: Mapping[str, str]) -> bytes:
    usual = 443 if place.trusted is not None else 80
    host = place.host if place.port == usual else f"{place.host}:{place.port}"
    path = f"/{place.bucket}"
    text, headers = signed(place, host, path, query, datetime.now(UTC))
    if place.trusted is not None:
        link: HTTPConnection = HTTPSConnection(place.host, place.port, timeout=place.timeout_s, context=place.trusted)
    else:
        link = HTTPConnection(place.host, place.port, timeout=place.timeout_s)
    try:
        link.request("GET", f"{path}?{text}", headers=headers)
        answer = link.getresponse()
        body = answer.read(_PAGE_BYTES_MAX + 1)
    except HTTPException as error:
        raise OSError(f"the bucket answers with no HTTP: {type(error).__name__}") from error
    finally:
        link.close()
    if answer.status != 200 or len(body) > _PAGE_BYTES_MAX:
        raise OSError(f"the bucket's list is refused with status {answer.status}")
    return body


def _parsed(body: bytes) -> ElementTree.Element:
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise OSError("the bucket's list is no plain XML")
    try:
        return ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise OSError(f"the bucket's list is no XML: {error}") from error


def _keys(page: ElementTree.Element) -> Iterator[ListedKey]:
    for each in page.iterfind("{*}Contents"):
        key, size, tag, modified = (
            each.findtext(f"{{*}}{name}") or "" for name in ("Key", "Size", "ETag", "LastModified")
        )
        try:
            when = datetime.fromisoformat(modified).isoformat(timespec="seconds")
            yield ListedKey(key, int(size), tag, when)
        except ValueError as error:
            raise OSError(f"the bucket's list has a key without size or time: {error}") from error


def _texts(page: ElementTree.Element, inside: str, name: str) -> list[str]:
    path = f"{{*}}{inside}/{{*}}{name}" if inside else f"{{*}}{name}"
    return [each.text or "" for each in page.iterfind(path)]
