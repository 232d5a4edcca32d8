"""Where identities are served: resolved when first asked for, and remembered until an amendment changes it."""

from cachetools import FIFOCache
from msgspec import Struct

from charging.base.account_id import asked_for
from charging.base.account_id import slot_of as slot_of_id
from charging.base.identity import mask
from charging.errors import NotFound
from directory.slots import parse_slot, slot_key, slot_of
from directory.state import DirectoryState

EXPLICIT = "explicit"
BY_ID = "account"


class Route(Struct, frozen=True, gc=False):
    """Where an identity is served, and by which rule: its entry, else the slot in its account id, else a prefix.

    One object for all identities of a rule and slot.
    """

    domain: str
    slot: int
    rule: str
    """"explicit", "account" (the slot in its id), or the prefix of the number plan that decided."""
    key: str
    """The slot as owner records name it: `GD/3`."""


class RouteCache(FIFOCache[str, Route]):
    """Routes by identity, made when first asked for: `routes[identity]` resolves.

    First in, first out: keeping the order of use would make every hit dearer than most misses are.
    """

    def __init__(self, state: DirectoryState, routes_max: int) -> None:
        super().__init__(routes_max)
        self._state = state
        self._shared: dict[tuple[str, str], Route] = {}
        self.misses = 0

    def __missing__(self, identity: str) -> Route:
        """Resolve an identity. Raises `NotFound` with reason IDENTITY_UNROUTED."""
        route = self[identity] = self._resolve(identity)
        self.misses += 1
        return route

    def _resolve(self, identity: str) -> Route:
        state = self._state
        place = state.entries.place(identity)
        if place is not None:
            key = slot_key(*place)
            return self._shared.setdefault((key, EXPLICIT), Route(place[0], place[1], EXPLICIT, key))
        opened = slot_of_id(asked_for(identity))
        if opened:
            return self._where_opened(identity, opened)
        match = state.plan.match_identity(identity)
        info = state.domains.get(match[0]) if match is not None else None
        if match is None or info is None:
            raise unrouted(identity)
        slot = slot_of(identity, info.slots)
        key = slot_key(info.code, slot)
        # Shared by all identities of a prefix and slot: a cached route costs its key and the cache's own links.
        return self._shared.setdefault((key, match[1]), Route(info.code, slot, match[1], key))

    def _where_opened(self, identity: str, opened: str) -> Route:
        """Give the route of an account that is asked for by its id and was never ported."""
        domain, slot = parse_slot(opened)
        state = self._state
        info = state.domains.get(domain)
        if info is None or slot >= info.slots:
            raise unrouted(identity)
        key = slot_key(domain, slot)
        return self._shared.setdefault((key, BY_ID), Route(domain, slot, BY_ID, key))

    def forget_all(self) -> None:
        """Drop every route: the number plan or a domain changed. Each is resolved again when next asked for."""
        self.clear()
        self._shared.clear()


def unrouted(identity: str) -> NotFound:
    """Make the fault of an identity that neither an entry nor the number plan knows."""
    shown = mask(identity[:80])
    return NotFound(
        "IDENTITY_UNROUTED",
        f"no domain serves {shown}: no entry and no prefix of the number plan fits",
        facts={"identity": shown},
    )
