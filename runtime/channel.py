"""Channels between processes: options that must match on both ends, TLS, and one connection of its own each.

Keepalive finds a peer that vanished without a word; the server permits what the client does. Reconnection is left to
gRPC with short back-off, because whoever stands on a channel has its own.
"""

from functools import partial

import grpc

from runtime.certificates import server_name
from runtime.dialling import Dialled
from runtime.loopback import host_of, is_loopback, numeric, shown_to
from runtime.tls import Tls, channel_credentials

KEEPALIVE_MS = 10_000
KEEPALIVE_TIMEOUT_MS = 5_000
RECONNECT_MIN_MS = 50
RECONNECT_MAX_MS = 1_000
CONNECT_TIMEOUT_MS = 3_000
MESSAGE_BYTES_MAX = 16_000_000

Options = list[tuple[str, int | str]]


def open_channel(
    address: str, tls: Tls | None = None, *, role: str = "", message_bytes_max: int = MESSAGE_BYTES_MAX
) -> grpc.aio.Channel:
    """Open a channel to host:port. Close it with `await channel.close()`.

    With TLS the server must show the certificate of `role`, the tier that is expected there, whatever its address: no
    other certificate of the authority will do. Without, it is shown that we are of this machine's same user.
    """
    if tls is not None and not role:
        raise ValueError("with TLS, say which role the server must have")
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

    def dial(current: Tls | None) -> grpc.aio.Channel:
        if current is None:
            return grpc.aio.insecure_channel(numeric(address), options=options)
        named = [*options, ("grpc.ssl_target_name_override", server_name(role))]
        return grpc.aio.secure_channel(address, channel_credentials(current), options=named)

    if tls is None and not is_loopback(host_of(address)):
        return dial(None)
    return Dialled(dial, tls, partial(shown_to, address) if tls is None else tuple)


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


def _message_options(bytes_max: int) -> Options:
    return [
        ("grpc.max_send_message_length", bytes_max),
        ("grpc.max_receive_message_length", bytes_max),
        # None of ours is compressed, and gRPC bounds a message before it decompresses it, not after.
        ("grpc.per_message_decompression", 0),
    ]
