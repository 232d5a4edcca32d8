"""Contracts: what one identity has agreed with the operator. They live in the shared unit, for the whole country."""

from msgspec import Struct


class Subscription(Struct, frozen=True, array_like=True, gc=False):
    """An offering of the catalogue that a contract holds, for a time."""

    offering: str
    valid_from_ms: int = 0
    """UTC, inclusive."""
    valid_to_ms: int = 0
    """0 = open end."""
    attributes: dict[str, str] = {}
    since_ms: int = 0
    """When it began, if that was before a pause that split it; 0 = with `valid_from_ms`."""
    paused: bool = False
    """It ended for a pause, and goes on when it is resumed."""
    paused_end_ms: int = 0
    """Of one that is paused: when it would have ended by itself; 0 = open end."""
    quantity: int = 1
    """How many of it: its fees are due so many times; what it grants is granted once."""
    first_fees: str = ""
    """Event whose one-time fees fall due as it begins: "activation" or "change"; "" = they were paid in the act, as of
    what began when it was taken."""

    @property
    def began_ms(self) -> int:
        """When it was taken, pauses aside."""
        return self.since_ms or self.valid_from_ms

    def valid_at(self, time_ms: int) -> bool:
        """Say whether it holds at a moment; the end is exclusive."""
        return self.valid_from_ms <= time_ms and (self.valid_to_ms == 0 or time_ms < self.valid_to_ms)


class Contract(Struct, frozen=True, array_like=True, gc=False):
    """One subscriber. `version` is the account version that last changed it."""

    identity: str
    account_id: str
    domain: str
    valid_from_ms: int = 0
    """UTC: usage from before is refused."""
    valid_to_ms: int = 0
    status: str = "active"
    """active, suspended, ended"""
    subscriptions: tuple[Subscription, ...] = ()
    attributes: dict[str, str] = {}
    """Of the subscriber, level S of the discount rules."""
    groups: dict[str, tuple[str, ...]] = {}
    """Identities with special prices, by group name ("family")."""
    agreements: tuple[str, ...] = ()
    """Discount rules agreed for this subscriber."""
    order_id: str = ""
    version: int = 0
    """Of the account's mutation that wrote it; 0 = none did yet."""
    paused_from_ms: int = 0
    """UTC: usage from then on is refused; 0 = it was never paused, or goes on as if it had not been."""
    paused_to_ms: int = 0
    """First moment at which it serves again; 0 = until it is resumed."""

    rests_until_ms: int = 0
    """Of one that is over: until when nobody else may have its identity, UTC (number quarantine)."""
    kept_for: str = ""
    """Account that may have it all the same, besides its own."""

    def paused_at(self, time_ms: int) -> bool:
        """Say whether it is paused as a whole at a moment."""
        return 0 < self.paused_from_ms <= time_ms and (self.paused_to_ms == 0 or time_ms < self.paused_to_ms)

    def serves_at(self, time_ms: int) -> bool:
        """Say whether it is neither suspended nor paused at a moment."""
        return self.status == "active" and not self.paused_at(time_ms)


class OrderLine(Struct, frozen=True, array_like=True, gc=False):
    """What an order instance did for one identity: the contract as the order left it. Data of the shared unit."""

    order_id: str
    identity: str
    account_id: str
    domain: str
    offerings: tuple[str, ...]
    status: str
    """Of the contract: active, suspended, ended."""
    recorded_ms: int
    """When the owner of the account journaled it."""
    version: int
    """Of the account."""


class RestingRow(Struct, frozen=True, array_like=True, gc=False):
    """A number that rests (quarantine): nobody but the account that let it go may have it, or whom it is kept for."""

    number: str
    account_id: str
    since_ms: int
    """When it was let go, UTC."""
    rests_until_ms: int
    kept_for: str = ""
    """Account that may have it besides its own; "" = none."""
