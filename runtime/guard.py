"""Who a caller is, and until when: by its certificate, or on one machine by a proof of the user's token.

A certificate that is revoked or has ended opens nothing any more, and what was opened with it before is ended: the list
of the revoked is read again when it changes, and running calls are looked through once a second.
"""

import asyncio
import time
from pathlib import Path

import grpc
from msgspec import Struct

from charging.errors import Denied, Fault, Unavailable
from runtime.certificates import PRINCIPAL_PREFIX, Certificate, read_certificate
from runtime.loopback import PROOF_KEY, proves
from runtime.principal import LOCALS, NOBODY, Principal
from runtime.telemetry import logger

log = logger("runtime.guard")

LOOK_S = 1.0
"""How often the list of the revoked and the running calls are looked at: a revocation is in force within this."""
CERTIFICATE_REVOKED = "CERTIFICATE_REVOKED"
CERTIFICATE_ENDED = "CERTIFICATE_ENDED"
UNPROVED = Principal("frontend/local", "frontend")
"""A caller of this machine that could not show that it is of the same user."""


class BadRevocations(ValueError):
    """A line of the list of the revoked can't be read; the message says which."""


class Revoked(Struct, frozen=True):
    """Certificates that count no more."""

    serials: frozenset[int] = frozenset()
    names: frozenset[str] = frozenset()
    """Of principals, as `<role>/<name>`: every certificate that names them."""

    def has(self, certificate: Certificate) -> bool:
        """Say whether a certificate counts no more, by its serial number or by the principal that it names."""
        return certificate.serial in self.serials or certificate.name in self.names


def read_revoked(text: str) -> Revoked:
    """Read a list: a line for each, a serial number in hex or `spiffe://onetier/…`; `#` begins a remark.

    Raises `BadRevocations`.
    """
    serials: set[int] = set()
    names: set[str] = set()
    for number, line in enumerate(text.splitlines(), 1):
        word = line.partition("#")[0].strip()
        if word.startswith(PRINCIPAL_PREFIX) and word != PRINCIPAL_PREFIX:
            names.add(word.removeprefix(PRINCIPAL_PREFIX))
        elif word:
            try:
                serials.add(int(word.replace(":", ""), 16))
            except ValueError:
                wanted = "a serial number in hex or spiffe://onetier/…"
                raise BadRevocations(f"line {number} is {word!r}, not {wanted}") from None
    return Revoked(frozenset(serials), frozenset(names))


class _Running(Struct, eq=False):
    """A call that is being served."""

    task: asyncio.Task[object]
    certificate: Certificate
    fault: Fault | None = None
    """Why it is being ended."""


class Guard:
    """The guard of one server: asked once a call, and for streams again each `LOOK_S`."""

    def __init__(self, *, token: bytes | None = None, revoked_file: Path | None = None) -> None:
        """`token` = callers without TLS must prove it, to be more than front ends.

        Raises OSError or `BadRevocations` when the list of the revoked can't be read.
        """
        self.addresses: set[str] = set()
        """Those that callers dial, known when the server is bound."""
        self._token = token
        self._file = revoked_file
        self._revoked = read_revoked(revoked_file.read_text("utf-8")) if revoked_file is not None else Revoked()
        self._running: dict[asyncio.Task[object], _Running] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look at the list and at the running calls."""
        self._task = asyncio.get_running_loop().create_task(self._watch(), name="guard")

    async def close(self) -> None:
        """Look no more. Idempotent."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def admit(self, context: grpc.aio.ServicerContext) -> Principal:
        """Give the caller's principal. Raises `Denied` or `Unavailable` when its certificate counts no more."""
        pems = context.auth_context().get("x509_pem_cert", ())
        if not pems:
            return self._without_certificate(context)
        try:
            certificate = read_certificate(pems[0])
        except ValueError:
            return NOBODY
        fault = self._fault(certificate, time.time())
        if fault is not None:
            raise fault
        task = asyncio.current_task()
        if task is not None:
            self._running[task] = _Running(task, certificate)
            task.add_done_callback(self._forget)
        return Principal(certificate.name, certificate.role) if certificate.name else NOBODY

    def ended(self) -> Fault | None:
        """Why the guard ended the call of this task; None when it didn't."""
        task = asyncio.current_task()
        running = self._running.get(task) if task is not None else None
        if running is None or running.fault is None:
            return None
        running.task.uncancel()
        return running.fault

    def look(self, now_s: float) -> None:
        """Read the list again, and end the calls whose certificate counts no more."""
        self._read()
        for running in list(self._running.values()):
            running_fault = running.fault or self._fault(running.certificate, now_s)
            if running_fault is not None and running.fault is None:
                log.warning("call ended", caller=running.certificate.name, reason=running_fault.reason)
                running.fault = running_fault
                running.task.cancel()

    def _without_certificate(self, context: grpc.aio.ServicerContext) -> Principal:
        if self._token is None:
            return LOCALS
        given = dict(context.invocation_metadata()).get(PROOF_KEY, "")
        proof = given if isinstance(given, str) else ""
        now_s = time.time()
        return LOCALS if any(proves(self._token, each, proof, now_s) for each in self.addresses) else UNPROVED

    def _fault(self, certificate: Certificate, now_s: float) -> Fault | None:
        if self._revoked.has(certificate):
            return Denied(
                CERTIFICATE_REVOKED, f"the certificate of {certificate.name} was revoked; ask for another one"
            )
        if now_s > certificate.ends_at_s:
            text = f"the certificate of {certificate.name} has ended; connect with its successor"
            return Unavailable(CERTIFICATE_ENDED, text, retry_ms=1_000)
        return None

    def _forget(self, task: asyncio.Task[object]) -> None:
        self._running.pop(task, None)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            self.look(time.time())

    def _read(self) -> None:
        if self._file is None:
            return
        try:
            self._revoked = read_revoked(self._file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            # Whoever was revoked stays so.
            log.error("the list of revoked certificates can't be read, the last one stays", why=str(error))
