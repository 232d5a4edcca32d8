"""Why a batch isn't let in. It is taken whole or not at all, so that a front end knows what became of each request."""

from appserver.batches.pending import Pending
from appserver.door.clients import Clients, QuotaClient
from appserver.settings import AppServerSettings
from charging.errors import Fault, Invalid, Overloaded, Unavailable
from runtime.quota import within_share
from runtime.status import DRAINING

RETRY_MS = 50


class BatchAdmission:
    """Asked once a batch. Nothing is taken off any quota here; see `QuotaClient.take`."""

    def __init__(self, clients: Clients, pending: Pending, settings: AppServerSettings) -> None:
        self.draining = False
        """Nothing is let in any more."""
        self._clients = clients
        self._pending = pending
        self._settings = settings

    def refusal(self, client: QuotaClient, size: int, octets: int, stream_items: int) -> Fault | None:
        """Say why a batch of so many requests and bytes is refused whole, with the limit named; None = it may come in.

        `stream_items` are the requests of its stream that have no answer or whose answer isn't read.
        """
        if self.draining:
            return Unavailable(DRAINING, "this instance stops; repeat the same keys at another", retry_ms=RETRY_MS)
        limit = self._settings.batch_requests_max
        if size > limit:
            text = f"at most {limit}"
            return Invalid(
                "BATCH_TOO_LARGE",
                f"a batch of {size} requests is over the limit of {limit}; send it in several",
                fields={"requests": text},
                facts={"limit": str(limit)},
            )
        limit = self._settings.stream_items_max
        if stream_items + size > limit:
            return _overloaded("STREAM_FULL", f"{limit} requests of this stream are unanswered or unread", limit)
        return self._clients.refusal(client) or self._full(client, size, octets)

    def _full(self, client: QuotaClient, size: int, octets: int) -> Fault | None:
        """Say why there is no room: for anybody, or for this client beside the others."""
        pending, caller, settings = self._pending, client.caller, self._settings
        for what, own, wanted, taken, limit in (
            ("requests", caller.items, size, pending.items, settings.items_in_flight_max),
            ("bytes", caller.bytes, octets, pending.bytes, settings.bytes_in_flight_max),
        ):
            if taken + wanted > limit:
                return _overloaded("PLATFORM_FULL", f"{limit} {what} are under way in this instance", limit)
            if not within_share(own, wanted, taken, limit):
                text = f"{own} {what} of this client are under way, and as many as are free must stay so for others"
                return _overloaded("CLIENT_FULL", text, limit)
        return None


def _overloaded(reason: str, message: str, limit: int) -> Overloaded:
    return Overloaded(reason, message, facts={"limit": str(limit)}, retry_ms=RETRY_MS)
