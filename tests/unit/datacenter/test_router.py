"""The router sorts a batch as a naive one does, item by item."""

import gc

from hypothesis import given
from hypothesis import strategies as st

from charging import wire
from charging.errors import NotFound
from datacenter.routing.router import Owners, Router

SLOTS = {"GD": 1, "XJ": 4, "BJ": 2}
PLACES = {f"id{number}": f"{domain}/{number % slots}" for domain, slots in SLOTS.items() for number in range(20)}


def slot_of(identity: str) -> str:
    try:
        return PLACES[identity]
    except KeyError:
        raise NotFound("IDENTITY_UNROUTED", "nobody serves it") from None


routes = st.one_of(
    st.sampled_from([*PLACES, "stranger", "domain:GD", "domain:XJ", "domain:ZZ"]),
    st.builds(lambda domain, slot: f"domain:{domain}/{slot}", st.sampled_from([*SLOTS, "ZZ"]), st.integers(0, 5)),
    st.just("domain:XJ/x"),
)
slots = st.sampled_from([f"{domain}/{slot}" for domain, count in SLOTS.items() for slot in range(count)])
owners = st.dictionaries(slots, st.sampled_from(["a:1", "b:1", "c:1"]))


def naive(route: str, address_of: dict[str, str]) -> tuple[str, str]:
    """Give (address, slot), or ("", reason)."""
    if route.startswith("domain:"):
        domain, slash, number = route[7:].partition("/")
        if domain not in SLOTS:
            return "", "DOMAIN_UNKNOWN"
        owned = sorted(slot for slot in address_of if slot.startswith(domain + "/"))
        if slash and (not number.isdigit() or int(number) >= SLOTS[domain]):
            return "", "SLOT_UNKNOWN"
        slot = f"{domain}/{number}" if slash else next(iter(owned), f"{domain}/0")
    elif route in PLACES:
        slot = PLACES[route]
    else:
        return "", "IDENTITY_UNROUTED"
    return (address_of[slot], slot) if slot in address_of else ("", "SLOT_UNOWNED")


@given(st.lists(routes, max_size=60), owners)
def test_every_item_goes_where_a_naive_router_sends_it(batch: list[str], address_of: dict[str, str]) -> None:
    router = Router(slot_of, lambda domain: SLOTS.get(domain, 0))
    router.owners = Owners.of(address_of)
    positions = [1_000 + 7 * index for index in range(len(batch))]
    bodies = [f"body {index}".encode() for index in range(len(batch))]
    grouped = router.route(positions, batch, bodies)

    found: dict[int, tuple[str, str]] = {}
    for address, load in grouped.loads.items():
        assert load.positions == sorted(load.positions), "the order of the batch is kept"
        for position, slot, body in zip(load.positions, load.slots, load.bodies, strict=True):
            assert body == bodies[positions.index(position)]
            found[position] = (address, slot)
    for position, packed in zip(grouped.positions_failed, grouped.bodies_failed, strict=True):
        answer = wire.unpack_answer(packed)
        assert isinstance(answer, wire.Failed)
        found[position] = ("", answer.reason)
    assert found == {position: naive(route, address_of) for position, route in zip(positions, batch, strict=True)}
    assert grouped.unowned == sum(where == ("", "SLOT_UNOWNED") for where in found.values())


def test_an_unknown_identity_is_not_found_and_a_missing_owner_is_to_be_asked_again() -> None:
    router = Router(slot_of, lambda domain: SLOTS.get(domain, 0))
    grouped = router.route([5, 9], ["stranger", "id0"], [b"x", b"y"])
    unrouted, unowned = (wire.unpack_answer(body) for body in grouped.bodies_failed)
    assert isinstance(unrouted, wire.Failed)
    assert (unrouted.kind, unrouted.reason) == ("not_found", "IDENTITY_UNROUTED")
    assert isinstance(unowned, wire.Failed)
    assert (unowned.kind, unowned.reason) == ("unavailable", "SLOT_UNOWNED")
    assert unowned.retry_ms > 0


def test_what_is_refused_keeps_nothing_of_its_batch() -> None:
    """A fault that is kept keeps the frames of its trace, and these the batch, until the collector runs."""
    router = Router(slot_of, lambda domain: SLOTS.get(domain, 0))
    gc.collect()
    router.route([5, 9], ["stranger", "domain:nowhere"], [b"x", b"y"])
    assert gc.collect() == 0
