"""Who calls: the name that the caller's certificate gives it, never what a field of a request says.

A certificate names one principal, as the URI `spiffe://onetier/<role>` or `spiffe://onetier/<role>/<name>` of its SAN:
`frontend/web-hall`, `operator/li`. Without TLS nobody can be told from anybody, and all are the principal `local`.
"""

import grpc
from msgspec import Struct

PRINCIPAL_PREFIX = "spiffe://onetier/"
LOCAL = "local"
"""Role and name of every caller without TLS."""


class Principal(Struct, frozen=True, gc=False):
    """An authenticated caller."""

    name: str
    """`<role>` or `<role>/<name>`; what journals, amendments and the access log keep."""
    role: str
    """The part before the first `/`; empty for a caller whose certificate names no one or several of ours."""


NOBODY = Principal("", "")
"""A certificate of the authority that doesn't say which one of us it is: it may do nothing."""
LOCALS = Principal(LOCAL, LOCAL)


def principal_of(context: grpc.aio.ServicerContext) -> Principal:
    """Give the caller: by its certificate, `LOCALS` without TLS, `NOBODY` when the certificate is unclear."""
    found = context.auth_context()
    if "transport_security_type" not in found or b"ssl" not in found["transport_security_type"]:
        return LOCALS
    names = {
        text.removeprefix(PRINCIPAL_PREFIX)
        for text in (name.decode("utf-8", "replace") for name in found.get("x509_subject_alternative_name", ()))
        if text.startswith(PRINCIPAL_PREFIX)
    }
    if len(names) != 1:
        return NOBODY
    name = names.pop()
    return Principal(name, name.partition("/")[0])
