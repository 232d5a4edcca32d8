"""Details held against their journals: whoever changes a row and the manifest with it is found out all the same."""

from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import polars as pl
import pytest

from details import keeping
from details.parts import written
from details.rows import StoredUsage
from details.store import DetailStore
from mediation.agreeing import disagreements
from mediation.gathering import Gatherer, JournalPlace
from tests.unit.details.test_store import ALICE, BEGIN_MS, BOB, DAY_MS, ZONE, row

JOURNAL = JournalPlace("GD/0", "", ZONE)
ROWS = [row(seq, (ALICE, BOB)[seq % 2], BEGIN_MS + seq // 3 * DAY_MS) for seq in range(6)]


class Journals(Gatherer):
    """Reads the journal of the rows above."""

    def __init__(self) -> None:
        """Nothing is opened."""

    async def again(self, journal: JournalPlace) -> AsyncGenerator[tuple[int, list[StoredUsage]], None]:
        """Give group by group."""
        for seq, each in enumerate(ROWS):
            yield seq, [each]


@pytest.fixture
def store(tmp_path: Path) -> DetailStore:
    store = DetailStore(tmp_path)
    store.take("GD/0", ZONE, ROWS, len(ROWS) - 1)
    return store


async def wrong(store: DetailStore) -> list[str]:
    return [text async for text in disagreements(store, Journals(), [JOURNAL])]


def change(store: DetailStore, frame_of: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """Write the last day anew, and put the manifest right."""
    part = store.manifest.parts()[-1]
    new = store.put(part.slot, part.day, written(frame_of(pl.read_parquet(store.home / part.name))))
    with store.manifest.commit():
        store.manifest.drop([part])
        store.manifest.add(new)


@pytest.mark.parametrize(
    "changed",
    [
        lambda frame: frame.with_columns(account=pl.lit(ALICE)),
        lambda frame: frame.with_columns(identity=pl.lit("mallory")),
        lambda frame: frame.with_columns(quantity=pl.col("quantity") + 1),
        lambda frame: frame.with_columns(amount=pl.col("amount") + 1),
        lambda frame: frame.head(1),
    ],
)
async def test_a_row_that_says_another_thing_than_its_journal_is_told(
    store: DetailStore, changed: Callable[[pl.DataFrame], pl.DataFrame]
) -> None:
    assert await wrong(store) == []
    change(store, changed)
    assert await wrong(store)


async def test_no_more_rows_are_missing_than_a_rule_removed(store: DetailStore) -> None:
    last = store.manifest.parts()[-1].day
    assert keeping.drop_before(store, last).rows == 3
    assert await wrong(store) == []
    assert keeping.erase(store, BOB).rows == 2
    assert await wrong(store) == []
    change(store, lambda frame: frame.with_columns(start_ms=pl.col("start_ms") + 1))
    assert len(await wrong(store)) == 1
    part = store.manifest.parts()[-1]
    with store.manifest.commit():
        store.manifest.drop([part])
    assert len(await wrong(store)) == 1, "the last row was removed by no rule"
