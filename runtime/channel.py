"""Channels between processes: options that must match on both ends, TLS, and one connection of its own each.

Keepalive finds a peer that vanished without a word; the server permits what the client does. Reconnection is left to
gRPC with short back-off, because whoever stands on a channel has its own.
"""

from pathlib import Path

import grpc
from msgspec import Struct

from runtime.settings import TierSettings

KEEPALIVE_MS = 10_000
KEEPALIVE_TIMEOUT_MS = 5_000
RECONNECT_MIN_MS = 50
RECONNECT_MAX_MS = 1_000
CONNECT_TIMEOUT_MS = 3_000
MESSAGE_BYTES_MAX = 16_000_000

Options = list[tuple[str, int | str]]


class Tls(Struct, frozen=True):
    """Certificate, key and authority, PEM. Both ends show a certificate."""

    cert: bytes
    key: bytes
    ca: bytes
    server_name: str = ""
    """Name expected in the server's certificate instead of the address."""


def tls_of(settings: TierSettings) -> Tls | None:
    """Read the files that the settings name; None when TLS is off. Raises OSError."""
    if settings.tls_cert is None or settings.tls_key is None or settings.tls_ca is None:
        return None
    return read_tls(settings.tls_cert, settings.tls_key, settings.tls_ca, settings.tls_server_name)


def read_tls(cert: Path | str, key: Path | str, ca: Path | str, server_name: str = "") -> Tls:
    """Read the three files. Raises OSError."""
    return Tls(Path(cert).read_bytes(), Path(key).read_bytes(), Path(ca).read_bytes(), server_name)


def open_channel(
    address: str, tls: Tls | None = None, *, message_bytes_max: int = MESSAGE_BYTES_MAX
) -> grpc.aio.Channel:
    """Open a channel to host:port. Close it with `await channel.close()`."""
    options: Options = [
        ("grpc.keepalive_time_ms", KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.initial_reconnect_backoff_ms", RECONNECT_MIN_MS),
        # Despite its name: how long one attempt to connect may take.
        ("grpc.min_reconnect_backoff_ms", CONNECT_TIMEOUT_MS),
        ("grpc.max_reconnect_backoff_ms", RECONNECT_MAX_MS),
        # Channels of one process to the same address would else share one connection, and its flow control.
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.enable_http_proxy", 0),
        *_message_options(message_bytes_max),
    ]
    if tls is None:
        return grpc.aio.insecure_channel(address, options=options)
    if tls.server_name:
        options.append(("grpc.ssl_target_name_override", tls.server_name))
    credentials = grpc.ssl_channel_credentials(tls.ca, tls.key, tls.cert)
    return grpc.aio.secure_channel(address, credentials, options=options)


def server_options(message_bytes_max: int = MESSAGE_BYTES_MAX, *, share_port: bool = False) -> Options:
    """Options of a server that go with `open_channel`."""
    return [
        ("grpc.keepalive_time_ms", KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.http2.min_ping_interval_without_data_ms", KEEPALIVE_MS // 2),
        ("grpc.so_reuseport", int(share_port)),
        *_message_options(message_bytes_max),
    ]


def server_credentials(tls: Tls) -> grpc.ServerCredentials:
    """Credentials of a server that demands a certificate of its callers."""
    return grpc.ssl_server_credentials([(tls.key, tls.cert)], tls.ca, require_client_auth=True)


def _message_options(bytes_max: int) -> Options:
    return [("grpc.max_send_message_length", bytes_max), ("grpc.max_receive_message_length", bytes_max)]
