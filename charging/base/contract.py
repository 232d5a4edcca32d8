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
