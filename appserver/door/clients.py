"""Who calls, as far as quotas go: one client for all streams and calls of a principal at a host.

Without TLS there are no principals, and a client is a connection. A client costs nothing per request: its buckets are
asked once a batch, its journal lines once a query that tells some.
"""

from collections import OrderedDict
from collections.abc import Callable

import grpc

from appserver.batches.batch import Caller, RequestSource
from appserver.settings import AppServerSettings
from charging.errors import Fault, Overloaded
from runtime.principal import LOCAL, principal_of
from runtime.quota import Bucket

CLIENTS_KEPT_MAX = 10_000
CHANCES_MAX = 16
"""Looked at for one that is idle and may be forgotten; beyond, more are kept: as many as there are connections."""
STREAMS_RETRY_MS = 1_000
PAUSE_MS_MAX = 200
"""How long a client that was refused isn't read, at most at one go."""


class QuotaClient:
    """What one client has under way, and what it may still take."""

    __slots__ = ("_bytes", "_paused_until", "_requests", "caller", "calls", "streams")

    def __init__(self, settings: AppServerSettings, now: float) -> None:
        self.caller = Caller()
        self.caller.lines = Bucket(settings.client_lines_per_s, now)
        self.calls = RequestSource(self.caller)
        """Its unary calls; each stream is a source of its own."""
        self.streams = 0
        """Open ones."""
        self._paused_until = 0.0
        self._requests = Bucket(settings.client_requests_per_s, now)
        self._bytes = Bucket(settings.client_bytes_per_s, now)

    @property
    def is_idle(self) -> bool:
        """Say whether nothing of it is under way."""
        return not self.streams and not self.caller.items

    def wait_ms(self, now: float) -> int:
        """Say how many milliseconds it must wait before its next batch; 0 = not at all.

        `now`, here and below, is of the event loop's clock, seconds.
        """
        return max(self._requests.wait_ms(now), self._bytes.wait_ms(now))

    def refused(self, now: float, retry_ms: int) -> None:
        """Note a refusal: it isn't read before it may come again, or refusing it would be all that is done."""
        self._paused_until = now + min(retry_ms, PAUSE_MS_MAX) / 1000

    def pause_s(self, now: float) -> float:
        """Say for how many seconds its streams aren't read from `now` on; 0 = they are."""
        return max(self._paused_until - now, 0.0)

    def take(self, requests: int, size: int) -> None:
        """Count a batch that was taken in: `requests` of them, `size` bytes."""
        self._requests.take(requests)
        self._bytes.take(size)


class Clients:
    """All clients, bounded. `clock` gives seconds."""

    def __init__(self, settings: AppServerSettings, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._known: OrderedDict[str, QuotaClient] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def of(self, context: grpc.aio.ServicerContext) -> QuotaClient:
        """Give the client of a call."""
        name = _name(context)
        client = self._known.get(name)
        if client is None:
            if len(self._known) >= CLIENTS_KEPT_MAX:
                self._forget_one()
            client = self._known[name] = QuotaClient(self._settings, self._clock())
        return client

    def open_stream(self, client: QuotaClient) -> None:
        """Count a stream. Raises `Overloaded` when it has too many."""
        limit = self._settings.client_streams_max
        if client.streams >= limit:
            raise Overloaded(
                "STREAMS_TOO_MANY",
                f"this client has {limit} streams open; send more on each, they hold any number of batches",
                facts={"limit": str(limit)},
                retry_ms=STREAMS_RETRY_MS,
            )
        client.streams += 1

    def refusal(self, client: QuotaClient) -> Fault | None:
        """Say why a client may send nothing now."""
        wait_ms = client.wait_ms(self._clock())
        if not wait_ms:
            return None
        settings = self._settings
        text = f"{settings.client_requests_per_s} requests and {settings.client_bytes_per_s} bytes a second"
        return Overloaded("CLIENT_RATE", f"this client may send {text}; wait {wait_ms} ms", retry_ms=wait_ms)

    def _forget_one(self) -> None:
        for _ in range(CHANCES_MAX):
            name, client = next(iter(self._known.items()))
            if client.is_idle:
                del self._known[name]
                return
            self._known.move_to_end(name)


def _name(context: grpc.aio.ServicerContext) -> str:
    principal, peer = principal_of(context), str(context.peer())
    return peer if principal.name == LOCAL else f"{principal.name} {peer.rpartition(':')[0]}"
