"""Which owner gets which items of a batch. Pure, and made of parallel arrays: an item costs no object.

A route is an identity, `domain:GD` (any owner of the domain) or `domain:GD/3` (the owner of slot 3). A slot is written
`GD/3`, an owner is an address.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

from msgspec import Struct

from charging import wire
from charging.base.bounds import ROUTE_CHARS_MAX
from charging.errors import Fault, Invalid, NotFound, Unavailable, internal
from runtime.telemetry import logger

log = logger("datacenter.router")

DOMAIN_ROUTE = "domain:"
NO_OWNER_RETRY_MS = 300


class Load(Struct):
    """What goes to one owner: parallel arrays, in the order of the batch."""

    positions: list[int]
    """Of the items in the batch as it came: what answers name."""
    slots: list[str]
    bodies: list[bytes]


class Grouped(Struct):
    """A batch sorted by owner, and the items that nobody gets."""

    loads: dict[str, Load]
    """By address of the owner; none is empty."""
    positions_failed: list[int]
    bodies_failed: list[bytes]
    """Packed `wire.Failed`, one for each of `positions_failed`."""
    unowned: int
    """How many of the failed ones have a slot without owner: a reason to read the owners again."""


class Owners(Struct):
    """Who owns what, as last read."""

    address_of: Mapping[str, str]
    """Slot → address."""
    any_slot_of: Mapping[str, str]
    """Domain → its first slot that has an owner."""

    @classmethod
    def of(cls, address_of: Mapping[str, str]) -> "Owners":
        """Make the table from slots and addresses."""
        any_slot_of: dict[str, str] = {}
        for slot in sorted(address_of, key=_slot_order):
            any_slot_of.setdefault(slot.rpartition("/")[0], slot)
        return cls(address_of, any_slot_of)


class Router:
    """Sorts batches. Stands on the directory's routes and the domains' codes, both given, so it does no I/O."""

    def __init__(self, slot_of_identity: Callable[[str], str], slots_of_domain: Callable[[str], int]) -> None:
        self._slot_of_identity = slot_of_identity
        """Gives `GD/3`; raises `NotFound` for an identity nobody serves."""
        self._slots_of_domain = slots_of_domain
        """How many slots a domain has; 0 = there is no such domain."""
        self.owners = Owners.of({})

    def route(self, positions: Sequence[int], routes: Sequence[str], bodies: Sequence[bytes]) -> Grouped:
        """Sort a batch whose three arrays are equally long. Never raises: what can't be routed is among the failed."""
        slot_of = self._slot_of_identity
        slots: list[str] = []
        refused: dict[int, bytes] = {}
        for route in routes:
            try:
                # A route is a key of the cache behind `slot_of`.
                slots.append(slot_of(route) if len(route) <= ROUTE_CHARS_MAX else _too_long(route))
            except NotFound as fault:
                slot, body = self._slot_of_domain_route(route) if route.startswith(DOMAIN_ROUTE) else ("", b"")
                if not slot:
                    # Packed, since a fault that is kept keeps what its trace saw: the whole batch.
                    refused[len(slots)] = body or failed_body(fault)
                slots.append(slot)
            except Exception as error:
                refused[len(slots)] = failed_body(_as_fault(error))
                slots.append("")
        return self.group(positions, slots, bodies, refused)

    def group(
        self,
        positions: Sequence[int],
        slots: Sequence[str],
        bodies: Sequence[bytes],
        refused: Mapping[int, bytes] | None = None,
    ) -> Grouped:
        """Sort items whose slots are known by owner; `refused` are packed faults by index of items without slot.

        The arrays are equally long, a slot "" has a fault in `refused`. Within a load, the order of the batch is kept,
        so commands on one account arrive in the order in which they were sent.
        """
        address_of = self.owners.address_of
        # Owners are looked up once a slot, not once an item: a batch has hundreds of items and few slots.
        owned = {slot: address_of.get(slot, "") for slot in set(slots)}
        addresses = set(owned.values())
        if len(addresses) == 1 and "" not in addresses and not refused:
            # All to one owner, the common case of a region with one server: nothing is sorted.
            load = Load(list(positions), list(slots), list(bodies))
            return Grouped({addresses.pop(): load}, [], [], 0)
        loads = {address: Load([], [], []) for address in addresses if address}
        by_slot = {slot: loads.get(address) for slot, address in owned.items()}
        grouped = Grouped(loads, [], [], 0)
        # The one pass over all items: a look-up and three appends for each. Loads were made before, so an owner without
        # items has none, and what has no load is answered here.
        for index, (position, slot, body) in enumerate(zip(positions, slots, bodies, strict=True)):
            load_or_none = by_slot[slot]
            if load_or_none is not None:
                load_or_none.positions.append(position)
                load_or_none.slots.append(slot)
                load_or_none.bodies.append(body)
                continue
            grouped.positions_failed.append(position)
            if slot:
                # Who owns it may be known a moment later: the sender repeats the key, the table is read again.
                grouped.unowned += 1
                grouped.bodies_failed.append(failed_body(no_owner(slot)))
            else:
                grouped.bodies_failed.append((refused or {})[index])
        return grouped

    def _slot_of_domain_route(self, route: str) -> tuple[str, bytes]:
        """Give the slot, or the packed fault why there is none."""
        domain, slash, number = route[len(DOMAIN_ROUTE) :].partition("/")
        slots = self._slots_of_domain(domain)
        if slots == 0:
            text = f"there is no domain {domain[:40]!r}"
            return "", failed_body(NotFound("DOMAIN_UNKNOWN", text, facts={"domain": domain[:40]}))
        if not slash:
            return self.owners.any_slot_of.get(domain, f"{domain}/0"), b""
        if not (number.isascii() and number.isdigit() and len(number) < 6 and int(number) < slots):
            wanted = f"a slot of {domain} is 0 to {slots - 1}"
            return "", failed_body(Invalid("SLOT_UNKNOWN", wanted, fields={"route": wanted}))
        return f"{domain}/{int(number)}", b""


def _too_long(route: str) -> NoReturn:
    text = f"at most {ROUTE_CHARS_MAX} characters"
    raise Invalid("ROUTE_TOO_LONG", f"the route has {len(route)} characters: {text}", fields={"route": text})


def _as_fault(error: Exception) -> Fault:
    if isinstance(error, Fault):
        return error
    log.error("a route could not be looked up", exc_info=error)
    return internal()


def failed_body(fault: Fault) -> bytes:
    """Pack a fault as the reply to an item."""
    return wire.pack(wire.failed(fault))


def no_owner(slot: str) -> Unavailable:
    """Make the fault of a slot that nobody owns just now."""
    return Unavailable(
        "SLOT_UNOWNED",
        f"no domain server serves {slot} at the moment; repeat the same request key",
        facts={"slot": slot},
        retry_ms=NO_OWNER_RETRY_MS,
    )


def _slot_order(slot: str) -> tuple[str, int, str]:
    domain, _, number = slot.rpartition("/")
    return domain, int(number) if number.isdigit() else 0, number
