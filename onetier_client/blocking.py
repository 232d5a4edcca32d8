"""The blocking client: the same calls as `AsyncClient`, driven on an event loop in a thread of its own.

    with Client(["127.0.0.1:7000"]) as desk:
        charge = desk.charge("13012345678", "voice", quantity=61, other_party="10086")
        print(charge.amount, charge.steps)

Any number of threads may share one; their calls share batches.
"""

from collections.abc import Sequence
from typing import Unpack

from onetier_client.asking import ATTEMPT_TIMEOUT_MS, TIMEOUT_MS
from onetier_client.desk import AsyncClient
from onetier_client.driving import BlockingWatch, blocking
from onetier_client.feed import Watch, WatchWanted
from onetier_client.generated.blocking_calls import BlockingCommands
from runtime.tls import Tls


class Client(BlockingCommands):
    """A front end's desk for code without asyncio. Close it, or use `with`. Arguments as of `AsyncClient`."""

    def __init__(
        self,
        endpoints: Sequence[str],
        *,
        feeds: Sequence[str] = (),
        tls: Tls | None = None,
        channel: str = "front",
        partner: str = "",
        language: str = "",
        timeout_ms: int = TIMEOUT_MS,
        attempt_timeout_ms: int = ATTEMPT_TIMEOUT_MS,
        batch_requests_max: int = 1_000,
        batches_in_flight_max: int = 4,
    ) -> None:
        desk = AsyncClient(
            endpoints,
            feeds=feeds,
            tls=tls,
            channel=channel,
            partner=partner,
            language=language,
            timeout_ms=timeout_ms,
            attempt_timeout_ms=attempt_timeout_ms,
            batch_requests_max=batch_requests_max,
            batches_in_flight_max=batches_in_flight_max,
        )
        super().__init__(desk)
        self._follow = desk.watch

    def watch(self, **wanted: Unpack[WatchWanted]) -> BlockingWatch:
        """Follow the feed: `for event, cursor in client.watch(cursor=kept)`, until closed; see `AsyncClient.watch`."""

        async def begin() -> Watch:
            return self._follow(**wanted)

        return BlockingWatch(self, self.run(begin()))

    ask = blocking(AsyncClient.ask)
    charge = blocking(AsyncClient.charge)
    quote = blocking(AsyncClient.quote)
    preview = blocking(AsyncClient.preview)
    balance = blocking(AsyncClient.balance)
    usage = blocking(AsyncClient.usage)
    contract = blocking(AsyncClient.contract)
    history = blocking(AsyncClient.history)
    outcome = blocking(AsyncClient.outcome)
    detail = blocking(AsyncClient.detail)
    account = blocking(AsyncClient.account)
    accounts = blocking(AsyncClient.accounts)
    arrears = blocking(AsyncClient.arrears)
    frozen = blocking(AsyncClient.frozen)
    fees = blocking(AsyncClient.fees)
    offerings = blocking(AsyncClient.offerings)
    month = blocking(AsyncClient.month)
    compare = blocking(AsyncClient.compare)
    resting_numbers = blocking(AsyncClient.resting_numbers)
    execute = blocking(AsyncClient.execute)
    session = blocking(AsyncClient.session)
    session_create = blocking(AsyncClient.session_create)
    session_update = blocking(AsyncClient.session_update)
    session_release = blocking(AsyncClient.session_release)
