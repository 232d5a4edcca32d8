"""Servers on which switches put their files, as `sources.yaml` says them. What is secret stands in files of its own."""

import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from mediation.written import Finding

AT_ONCE_MAX = 64
TIMEOUT_S_MAX = 3_600
HOST_CHARS_MAX = 253
"""Of a name in the DNS (RFC 1035)."""
USER_CHARS_MAX = 255
OTHERS = 0o077
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class SftpServer(Struct, frozen=True, tag="sftp", tag_field="by", forbid_unknown_fields=True):
    """A server that speaks SFTP. Its host key is pinned: another one is refused, whoever signed it."""

    host: str
    user: str
    host_keys: str
    """File of its public host keys, one a line as in `/etc/ssh/*.pub`; paths are seen from the plant's folder."""
    key: str = ""
    """File of our private key, for us alone."""
    password: str = ""
    """File of the password, for us alone."""
    port: int = 22
    at_once: int = 16
    """Files that are fetched at once, over one connection."""
    timeout_s: int = 30
    """Without an answer for so long, the server is given up until the next look."""

    def faults(self) -> Iterator[Finding]:
        """Give what is wrong with it."""
        yield from _common(self)
        if not self.key and not self.password:
            yield "", "must have key or password, a file of the plant with nothing else in it"
        if not self.host_keys:
            yield "host_keys", "must name the file of the server's public host keys: nobody else is talked to"

    def secrets(self) -> tuple[tuple[str, str], ...]:
        """Give the files that are for us alone, by field."""
        return tuple((name, file) for name, file in (("key", self.key), ("password", self.password)) if file)

    def needed(self) -> tuple[tuple[str, str], ...]:
        """Give the other files, by field."""
        return (("host_keys", self.host_keys),)


class FtpServer(Struct, frozen=True, tag="ftp", tag_field="by", forbid_unknown_fields=True):
    """A server that speaks FTP (RFC 959), in clear: for networks that nobody else reaches."""

    host: str
    user: str
    password: str
    """File of the password, for us alone."""
    port: int = 21
    at_once: int = 1
    """Connections; many switches allow one."""
    timeout_s: int = 30
    machine: bool = True
    """List by MLSD (RFC 3659) where the server offers it; false = always by LIST, for servers whose MLSD is wrong."""

    def faults(self) -> Iterator[Finding]:
        """Give what is wrong with it."""
        yield from _common(self)

    def secrets(self) -> tuple[tuple[str, str], ...]:
        """Give the files that are for us alone, by field."""
        return (("password", self.password),)

    def needed(self) -> tuple[tuple[str, str], ...]:
        """Give the other files, by field."""
        return ()


class FtpsServer(Struct, frozen=True, tag="ftps", tag_field="by", forbid_unknown_fields=True):
    """A server that speaks FTP over TLS (RFC 4217, AUTH TLS), commands and files both; its certificate is verified."""

    host: str
    user: str
    password: str
    """File of the password, for us alone."""
    authority: str = ""
    """File of the certificates that sign the server's; empty = those that this machine trusts."""
    port: int = 21
    at_once: int = 1
    """Connections; many switches allow one."""
    timeout_s: int = 30
    machine: bool = True
    """List by MLSD where the server offers it; false = always by LIST."""

    def faults(self) -> Iterator[Finding]:
        """Give what is wrong with it."""
        yield from _common(self)

    def secrets(self) -> tuple[tuple[str, str], ...]:
        """Give the files that are for us alone, by field."""
        return (("password", self.password),)

    def needed(self) -> tuple[tuple[str, str], ...]:
        """Give the other files, by field."""
        return (("authority", self.authority),) if self.authority else ()


class S3Server(Struct, frozen=True, tag="s3", tag_field="by", forbid_unknown_fields=True):
    """A bucket behind Amazon's S3 interface, whoever speaks it. Its certificate is verified."""

    host: str
    user: str
    """Name of the access key."""
    password: str
    """File of the secret key, for us alone."""
    bucket: str
    region: str = "us-east-1"
    """What requests are signed for; most servers of other makers take this one."""
    authority: str = ""
    """File of certificates that may sign the server's beside those that this machine trusts."""
    clear: bool = False
    """By HTTP, in clear: for networks that nobody else reaches. The secret key is not sent, the files are."""
    port: int = 443
    at_once: int = 16
    """Files that are fetched at once."""
    timeout_s: int = 30

    def faults(self) -> Iterator[Finding]:
        """Give what is wrong with it."""
        yield from _common(self)
        if BUCKET.fullmatch(self.bucket) is None:
            yield "bucket", "must be 3 to 63 lower-case letters, digits and . -"
        if not 1 <= len(self.region) <= USER_CHARS_MAX:
            yield "region", "must be the name of a region"
        if self.clear and self.authority:
            yield "authority", "is of no use: nothing is encrypted"

    def secrets(self) -> tuple[tuple[str, str], ...]:
        """Give the files that are for us alone, by field."""
        return (("password", self.password),)

    def needed(self) -> tuple[tuple[str, str], ...]:
        """Give the other files, by field."""
        return (("authority", self.authority),) if self.authority else ()


SwitchServer = SftpServer | FtpServer | FtpsServer | S3Server


def file_faults(server: SwitchServer, home: Path) -> Iterator[Finding]:
    """Give what is wrong with the files that a server's entry names, seen from the plant's folder."""
    for field, name in (*server.secrets(), *server.needed()):
        try:
            status = (home / name).stat()
        except (OSError, ValueError) as error:
            yield field, f"file {name!r} can't be had: {getattr(error, 'strerror', None) or error}"
            continue
        if (field, name) in server.secrets() and status.st_mode & OTHERS:
            yield field, f"file {name!r} can be read by others: chmod 600"


def secret(home: Path, name: str) -> str:
    """Read a password: the first line of its file. Raises OSError and ValueError, which never say it."""
    lines = (home / name).read_bytes().splitlines()
    if not lines:
        raise ValueError(f"{name} is empty")
    return lines[0].decode()


def _common(server: SwitchServer) -> Iterator[Finding]:
    for where, text, most in (("host", server.host, HOST_CHARS_MAX), ("user", server.user, USER_CHARS_MAX)):
        if not 1 <= len(text) <= most or not text.isprintable() or " " in text:
            yield where, f"must be 1 to {most} characters without spaces"
    if not 1 <= server.port <= 65_535:
        yield "port", "must be 1 to 65535"
    if not 1 <= server.at_once <= AT_ONCE_MAX:
        yield "at_once", f"must be 1 to {AT_ONCE_MAX}"
    if not 1 <= server.timeout_s <= TIMEOUT_S_MAX:
        yield "timeout_s", f"must be 1 to {TIMEOUT_S_MAX}"
