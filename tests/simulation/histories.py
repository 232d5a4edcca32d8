"""What callers of a simulated world were told and saw, and the way on which they ask."""

from typing import Protocol

from msgspec import Struct

from business.billing.actions import RunAction
from business.vouchers.sheets import SheetAction
from charging import wire
from charging.base.subject import PackedSubject
from charging.ledger.kinds import Action
from charging.wire import Answer, Done, Failed


class Network(Protocol):
    """How callers reach the owner of a slot."""

    async def send(self, slot: str, ask: wire.Ask) -> Answer:
        """Try once. Raises `Fault` UNAVAILABLE when no answer came."""
        ...


class Told(Struct):
    """What a caller was told about a key, of an account or of another subject."""

    account_id: str
    key: str
    action: Action | RunAction | SheetAction
    answer: Done | Failed


class Seen(Struct):
    """What a caller saw of an account."""

    account_id: str
    version: int
    balance: int


class Histories:
    """What all callers were told and saw."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.seen: list[Seen] = []
        self.subjects: list[PackedSubject] = []
        """As operators saw them."""
        self.sent: dict[tuple[str, str], Action | RunAction | SheetAction] = {}
        self.homes: dict[str, str] = {}
        """Where each identity is served, as the directory says: a port or a new member changes it."""
        self.newest: dict[str, int] = {}
        """Newest version of an account that anybody was told."""
        self.stale: list[str] = []
        self.open = 0
        """Commands whose outcome nobody knows yet."""

    def slot_of(self, route: str) -> str:
        """Give where a route leads now: "domain:GD/0", or an identity; one that nobody has leads somewhere."""
        kind, _, named = route.rpartition(":")
        return named if kind == "domain" else self.homes.get(route, "GD/0")
