"""Who may talk to scheduler and workers: operators, by their certificates, at both ends of each connection.

Whoever is let in runs code there, since the engine sends tasks as pickles. So it is not enough that a certificate comes
from the authority, as that of every front end does: it must be an operator's, and not be revoked; the handshake fails
otherwise, before a byte of a task is read.
"""

import ssl
from pathlib import Path

from distributed.security import Security

from runtime.certificates import Certificate, read_certificate
from runtime.guard import read_revoked
from runtime.settings import BadSettings
from runtime.tls import Tls

ROLE = "operator"
_SSL_ERROR = 1


class OperatorsOnly(Security):
    """The engine's connections, with one certificate for all that this process does."""

    def __init__(self, tls: Tls | None, revoked: Path | None) -> None:
        """Raises `BadSettings` when there is no certificate, or not an operator's."""
        if tls is None or tls.files is None:
            raise BadSettings("work on other machines needs certificates: give --tls FOLDER, or ONETIER_TLS_…")
        found = read_certificate(tls.cert)
        if found.role != ROLE:
            raise BadSettings(f"{tls.files.cert} is no operator's certificate, but {found.name or 'nobody'}'s")
        super().__init__(require_encryption=True)  # type: ignore[no-untyped-call]
        self._tls = tls
        self._files = tls.files
        self._revoked = revoked

    def get_connection_args(self, role: str) -> dict[str, object]:
        """Give the engine what it connects with."""
        return {**self.get_listen_args(role), "ssl_context": self._context(ssl.PROTOCOL_TLS_CLIENT)}

    def get_listen_args(self, role: str) -> dict[str, object]:
        """Give the engine what it listens with."""
        return {"ssl_context": self._context(ssl.PROTOCOL_TLS_SERVER), "require_encryption": True}

    def _context(self, protocol: int) -> ssl.SSLContext:
        context = ssl.SSLContext(protocol)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        # Machines of workers come and go: they are known by what their certificates say, not by names of hosts.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=self._tls.ca.decode())
        context.load_cert_chain(self._files.cert, self._files.key)
        context.sslsocket_class = _socket_class(self._revoked)
        return context


def _socket_class(revoked: Path | None) -> type[ssl.SSLSocket]:
    class OperatorSocket(ssl.SSLSocket):
        """Ends the handshake with anybody else."""

        def do_handshake(self, block: bool = False) -> None:
            super().do_handshake(block)
            pem = ssl.DER_cert_to_PEM_cert(self.getpeercert(True) or b"")
            if why := _refused(read_certificate(pem.encode()), revoked):
                raise ssl.SSLError(_SSL_ERROR, why)

    return OperatorSocket


def _refused(certificate: Certificate, revoked: Path | None) -> str:
    """Say why a peer is not talked to; "" = it is."""
    if certificate.role != ROLE:
        return f"the other end is {certificate.name or 'nobody we know'}, and no operator"
    if revoked is not None and read_revoked(revoked.read_text("utf-8")).has(certificate):
        return f"the certificate of {certificate.name} is revoked"
    return ""
