"""Who calls: the name that the caller's certificate gives it, never what a field of a request says.

A certificate names one principal, as the URI `spiffe://onetier/<role>` or `spiffe://onetier/<role>/<name>` of its SAN:
`frontend/web-hall`, `operator/li`. Without TLS the processes of one user of one machine are the principal `local`, and
others there `frontend/local` (`runtime.loopback`).
"""

from contextvars import ContextVar

import grpc
from msgspec import Struct

from runtime.certificates import read_certificate

LOCAL = "local"
"""Role and name of a caller without TLS that is of the server's own user, or of a server that is to check nobody."""


class Principal(Struct, frozen=True, gc=False):
    """An authenticated caller, as its certificate or its proof says, never as a request does."""

    name: str
    """`<role>` or `<role>/<name>`; what journals, amendments and the access log keep."""
    role: str
    """The part before the first `/`; empty for a caller whose certificate names no one or several of ours."""


NOBODY = Principal("", "")
"""A certificate of the authority that doesn't say which one of us it is: it may do nothing."""
LOCALS = Principal(LOCAL, LOCAL)


_admitted: ContextVar[Principal] = ContextVar("admitted")
"""Whom the guard found, for the task that serves the call."""


def admit(principal: Principal) -> None:
    """Note who makes the call that this task serves."""
    _admitted.set(principal)


def principal_of(context: grpc.aio.ServicerContext) -> Principal:
    """Give the caller's principal, as the server's guard admitted it.

    Where no guard stands (a server that a test makes), by its certificate: `NOBODY` when that is unclear, `LOCALS`
    without one.
    """
    admitted = _admitted.get(None)
    if admitted is not None:
        return admitted
    pems = context.auth_context().get("x509_pem_cert", ())
    if not pems:
        return LOCALS
    certificate = read_certificate(pems[0])
    return Principal(certificate.name, certificate.role) if certificate.name else NOBODY
