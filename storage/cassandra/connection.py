"""How to reach a Cassandra cluster, as the address of a unit says it: contact points, credentials, TLS."""

import os
import ssl

from msgspec import Struct

from storage.unit import StoreRejected

CQL_PORT = 9042


class LinkSettings(Struct, frozen=True):
    """What distinguishes one cluster connection from another. Hashable: equal settings share a link."""

    contact_points: tuple[tuple[str, int], ...]
    local_dc: str = ""
    user: str = ""
    password: str = ""
    tls_ca: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    tls_verify_host: bool = True
    timeout_ms: int = 5_000


def link_settings(hosts: str, options: dict[str, str]) -> LinkSettings:
    """Take the connection's part out of a unit's address; what is left in `options` is not about the connection."""
    points = []
    for host in hosts.split(","):
        name, colon, port = host.rpartition(":")
        if colon and not port.isdigit():
            raise StoreRejected(f"{host!r} is no host:port of a Cassandra node.")
        points.append((name, int(port)) if colon else (host, CQL_PORT))
    password = options.pop("password", "")
    variable = options.pop("password_env", "")
    if variable:
        if variable not in os.environ:
            raise StoreRejected(f"The Cassandra password is to be in {variable}, which is not set.")
        password = os.environ[variable]
    timeout_ms = options.pop("timeout_ms", "5000")
    if not timeout_ms.isdigit():
        raise StoreRejected(f"timeout_ms={timeout_ms} is no number of milliseconds.")
    return LinkSettings(
        contact_points=tuple(points),
        local_dc=options.pop("local_dc", ""),
        user=options.pop("user", ""),
        password=password,
        tls_ca=options.pop("tls_ca", ""),
        tls_cert=options.pop("tls_cert", ""),
        tls_key=options.pop("tls_key", ""),
        tls_verify_host=options.pop("tls_verify_host", "yes") != "no",
        timeout_ms=int(timeout_ms),
    )


def tls_context(settings: LinkSettings) -> ssl.SSLContext | None:
    """TLS as the settings ask for it, None without an authority. Raises `StoreRejected` for unusable files."""
    if not settings.tls_ca:
        return None
    try:
        context = ssl.create_default_context(cafile=settings.tls_ca)
        if settings.tls_cert:
            context.load_cert_chain(settings.tls_cert, settings.tls_key or None)
    except (OSError, ssl.SSLError) as failure:
        raise StoreRejected(f"The TLS files for Cassandra can't be used: {failure}.") from failure
    context.check_hostname = settings.tls_verify_host
    return context
