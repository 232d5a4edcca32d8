"""The core of the matrix on a real Cassandra: what is done to keyspaces is told, and not taken over."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from charging.base.contract import Contract
from domainservers.contracts import contracts as contracts_of
from domainservers.snapshots.checkpoint import NEWEST
from domainservers.snapshots.deltas import CHECKPOINT_COLLECTION
from house.stores import STORES
from storage.unit import Record, Unit
from testkit.cassandra import LocalCluster
from tests.cluster.tampered_country import ALICE, OTHER, SLOT, Place, lay_out, live, taken_over

pytestmark = [pytest.mark.cassandra, pytest.mark.timeout(300)]
AFTER_ALL = 1 << 62
Manipulation = Callable[[Unit, Unit], Awaitable[None]]


async def slot_wiped(private: Unit, _: Unit) -> None:
    for segment in range(20):
        if await private.head(SLOT, segment) is not None:
            await private.drop(SLOT, segment)
    await private.put([Record(CHECKPOINT_COLLECTION, SLOT, NEWEST, None, AFTER_ALL)])


async def head_set_back(private: Unit, _: Unit) -> None:
    """The newest segment ends a group earlier, with a tip of somebody's making."""
    segment = 0
    while await private.head(SLOT, segment + 1) is not None:
        segment += 1
    head = await private.head(SLOT, segment)
    assert head is not None
    back = replace(head, seq=head.seq - 1, tip=b"t" * 32)
    assert await private.swap(SLOT, segment, head, back, None) == back


async def checkpoint_deleted(private: Unit, _: Unit) -> None:
    await private.put([Record(CHECKPOINT_COLLECTION, SLOT, NEWEST, None, AFTER_ALL)])


async def contract_deleted(_: Unit, shared: Unit) -> None:
    place = contracts_of.partition_of(ALICE)
    await shared.put([Record(contracts_of.COLLECTION, place, ALICE, None, AFTER_ALL)])


async def contract_forged(_: Unit, shared: Unit) -> None:
    (forged,) = contracts_of.records_of([contracts_of.Known(Contract(ALICE, "somebody", "GD"), AFTER_ALL)])
    await shared.put([replace(forged, value=(forged.value or b"") + bytes(24))])


CORE: list[tuple[Manipulation, str, bool]] = [
    (slot_wiped, "GD/0: it has no journal, and anchor", False),
    (head_set_back, "GD/0: its journal ends at group", False),
    (checkpoint_deleted, "GD/0: its checkpoint is missing, and anchor", False),
    (contract_deleted, f"contract of {ALICE}: it is missing in the shared unit", True),
    (contract_forged, f"/{ALICE} was not written by its owner", True),
]


@pytest.mark.parametrize(("manipulate", "sentence", "served"), CORE, ids=lambda each: getattr(each, "__name__", None))
def test_what_is_done_to_a_keyspace_is_told(
    cassandra_one: LocalCluster, tmp_path: Path, manipulate: Manipulation, sentence: str, served: bool
) -> None:
    name = manipulate.__name__.replace("_", "")
    urls = {unit: cassandra_one.url(f"{name}_{unit}") for unit in ("shared", "gd", "bj")}
    place = Place(tmp_path, urls)
    asyncio.run(lay_out(place))
    asyncio.run(live(place, 0))
    assert place.audit().sentences == []
    asyncio.run(do(manipulate, urls))
    found = place.audit().sentences
    assert any(sentence in text for text in found), found
    if not served:
        assert asyncio.run(taken_over(place)) == {OTHER}


async def do(manipulate: Manipulation, urls: dict[str, str]) -> None:
    private, shared = await STORES.open(urls["gd"]), await STORES.open(urls["shared"])
    await manipulate(private, shared)
    await private.close()
    await shared.close()
