"""Reads in batches: one record that is refused is lost alone."""

from collections.abc import Sequence

from domainservers.base.fetcher import Fetcher
from storage.unit import Record, Stored, StoreRejected
from tests.unit.domainservers.room import FlakyUnit, until

COLLECTION = "account"


class PickyUnit(FlakyUnit):
    """A unit that refuses to give one record, as one with a broken seal."""

    async def get(self, collection: str, partition: str, keys: Sequence[str]) -> dict[str, Stored]:
        if "bad" in keys:
            raise StoreRejected("its seal does not hold")
        return await super().get(collection, partition, keys)


async def test_a_record_that_is_refused_does_not_take_its_neighbours_along() -> None:
    unit = PickyUnit()
    await unit.put([Record(COLLECTION, "p", name, name.encode(), 1) for name in ("one", "two")])
    taken: dict[str, Stored | None] = {}
    lost: list[str] = []
    fetcher = Fetcher(unit, COLLECTION, lambda _: "p", taken.__setitem__, lost.extend)
    for name in ("one", "bad", "two", "none"):
        fetcher.want(name)
    await until(lambda: len(taken) + len(lost) == 4)
    assert lost == ["bad"]
    assert {name: stored and stored.value for name, stored in taken.items()} == {
        "one": b"one",
        "two": b"two",
        "none": None,
    }


async def test_when_all_are_refused_all_are_lost() -> None:
    taken: list[str] = []
    lost: list[str] = []
    fetcher = Fetcher(PickyUnit(), COLLECTION, lambda _: "p", lambda name, _: taken.append(name), lost.extend)
    fetcher.want("bad")
    await until(lambda: bool(taken or lost))
    assert (taken, lost) == ([], ["bad"])
