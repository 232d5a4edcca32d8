"""The certificate of this process: its files, read again when they change, so that none needs a restart.

A server asks at each handshake, a channel at each new call; the files are looked at once a second at most. Files of
which only some are there yet are left alone until certificate and key belong together.
"""

import time
from pathlib import Path

import grpc
from msgspec import Struct, structs

from runtime.certificates import fits
from runtime.settings import TierSettings
from runtime.telemetry import logger

log = logger("runtime.tls")

LOOK_S = 1.0
"""How often the files are looked at: what is replaced is used within this."""


class TlsFiles(Struct, frozen=True):
    """Where certificate, key and authority were read from."""

    cert: Path
    key: Path
    ca: Path


class Tls(Struct, frozen=True):
    """Certificate, key and authority, PEM. Both ends show a certificate."""

    cert: bytes
    key: bytes
    ca: bytes
    files: TlsFiles | None = None
    """Read again when they change; None = these bytes for good."""


def tls_of(settings: TierSettings) -> Tls | None:
    """Read the files that the settings name; None when TLS is off. Raises OSError."""
    if settings.tls_cert is None or settings.tls_key is None or settings.tls_ca is None:
        return None
    return read_tls(settings.tls_cert, settings.tls_key, settings.tls_ca)


def read_tls(cert: Path | str, key: Path | str, ca: Path | str) -> Tls:
    """Read the three files. Raises OSError."""
    files = TlsFiles(Path(cert), Path(key), Path(ca))
    return Tls(files.cert.read_bytes(), files.key.read_bytes(), files.ca.read_bytes(), files)


class Renewal:
    """The newest certificate of the files that one was read from."""

    def __init__(self, tls: Tls) -> None:
        self._tls = tls
        self._stamp = _stamp(tls.files)
        self._looked_at = time.monotonic()

    def current(self) -> Tls:
        """Give the certificate in force; its files are looked at once in `LOOK_S`. Any thread may ask."""
        now = time.monotonic()
        if self._tls.files is None or now - self._looked_at < LOOK_S:
            return self._tls
        self._looked_at = now
        stamp = _stamp(self._tls.files)
        if stamp == self._stamp:
            return self._tls
        try:
            files = self._tls.files
            renewed = read_tls(files.cert, files.key, files.ca)
        except OSError as error:
            log.warning("the TLS file can't be read, the old one stays", file=str(error.filename), why=error.strerror)
            return self._tls
        if not fits(renewed.cert, renewed.key):
            log.warning("certificate and key don't belong together yet, the old ones stay", file=str(files.cert))
            return self._tls
        if structs.astuple(renewed) != structs.astuple(self._tls):
            log.info("the certificate was replaced", file=str(files.cert))
            self._tls = renewed
        self._stamp = stamp
        return self._tls


def server_credentials(tls: Tls) -> grpc.ServerCredentials:
    """Credentials of a server that demands a certificate of its callers; each handshake shows the newest of its own."""
    renewal = Renewal(tls)
    shown = tls

    def renewed() -> grpc.ServerCertificateConfiguration | None:
        nonlocal shown
        current = renewal.current()
        if current is shown:
            return None
        shown = current
        return _configuration(current)

    return grpc.dynamic_ssl_server_credentials(_configuration(tls), renewed, require_client_authentication=True)


def channel_credentials(tls: Tls) -> grpc.ChannelCredentials:
    """Credentials of a channel: it shows this certificate, for good, and takes servers of this authority."""
    return grpc.ssl_channel_credentials(tls.ca, tls.key, tls.cert)


def _configuration(tls: Tls) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(tls.key, tls.cert)], tls.ca)


def _stamp(files: TlsFiles | None) -> tuple[tuple[int, int, int], ...]:
    """What tells that a file was replaced or written."""
    paths = (files.cert, files.key, files.ca) if files is not None else ()
    stamps: list[tuple[int, int, int]] = []
    for path in paths:
        try:
            state = path.stat()
            stamps.append((state.st_mtime_ns, state.st_ino, state.st_size))
        except OSError:
            stamps.append((0, 0, 0))
    return tuple(stamps)
