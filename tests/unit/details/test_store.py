"""The folder of details: every row once, whatever the pages; what is not named never happened; rules take rows away."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from charging.base.usage import Usage
from charging.ledger.details import RatedUsage, UsageEffect
from details.rows import GROUP_PLACES, StoredUsage
from details.store import DetailAsk, DetailRows, DetailStore, RowPlace

DAY_MS = 86_400_000
BEGIN_MS = 20_000 * DAY_MS
ZONE = "Asia/Shanghai"
ALICE, BOB = "GD/0:alice", "GD/0:bob"


def row(
    seq: int, account: str = ALICE, start_ms: int = BEGIN_MS, amount: int = 10, service: str = "voice"
) -> StoredUsage:
    usage = Usage(account.partition(":")[2], service, start_ms, 60, "8613800000000", "GD", {"a": "b"})
    told = RatedUsage(f"k{seq}", "charge", start_ms + 5, usage, 60, amount, "front", seq, "", "", Raw(b"\x90"))
    return StoredUsage(account, seq * GROUP_PLACES, 0, told, UsageEffect((("n@20241001", 60),), (), service, 3, "CNY"))


def all_pages(store: DetailStore, ask: DetailAsk, size: int) -> list[StoredUsage]:
    found: list[StoredUsage] = []
    behind: RowPlace | None = None
    while True:
        page: DetailRows = store.page(ask, size, behind)
        assert len(page.rows) <= size
        found += page.rows
        behind = page.following
        if behind is None:
            return found


USES = st.lists(
    st.tuples(st.sampled_from([ALICE, BOB]), st.integers(0, 5 * DAY_MS), st.integers(0, 1_000)), min_size=1, max_size=40
)


@settings(max_examples=15, deadline=None)
@given(USES, st.integers(1, 7), st.integers(1, 9))
def test_pages_of_any_size_tell_each_row_once_newest_use_first(
    uses: list[tuple[str, int, int]], chunk: int, size: int
) -> None:
    rows = [row(seq, account, BEGIN_MS + at, amount) for seq, (account, at, amount) in enumerate(uses)]
    with TemporaryDirectory() as folder:
        store = DetailStore(Path(folder))
        for begin in range(0, len(rows), chunk):
            part = rows[begin : begin + chunk]
            store.take("GD/0", ZONE, part, part[-1].position // GROUP_PLACES)
        for account in (ALICE, BOB):
            mine = [each for each in rows if each.account_id == account]
            wanted = sorted(mine, key=lambda each: (each.start_ms, each.position), reverse=True)
            assert all_pages(store, DetailAsk(account), size) == wanted
            middle = BEGIN_MS + 2 * DAY_MS
            later = [each for each in wanted if each.start_ms >= middle]
            assert all_pages(store, DetailAsk(account, from_ms=middle), size) == later
            assert all_pages(store, DetailAsk(account, to_ms=middle), size) == wanted[len(later) :]
        total = store.frame().select("amount").collect()["amount"].sum()
        assert total == sum(amount for _, _, amount in uses)
        store.close()


def test_rows_above_a_floor_are_left_to_the_owner(tmp_path: Path) -> None:
    store = DetailStore(tmp_path)
    store.take("GD/0", ZONE, [row(seq) for seq in range(4)], 3)
    asked = DetailAsk(ALICE, floors=(("GD/0", 1),))
    assert [each.usage.key for each in store.page(asked, 10).rows] == ["k1", "k0"]
    assert store.page(DetailAsk(ALICE, floors=(("GD/1", 9),)), 10).rows == ()
    store.close()


def test_what_was_written_and_never_named_is_removed_and_nothing_else(tmp_path: Path) -> None:
    store = DetailStore(tmp_path)
    store.take("GD/0", ZONE, [row(0)], 0)
    with pytest.raises(RuntimeError, match="killed"):
        _killed(store)
    assert store.manifest.gathered() == {"GD/0": 0}
    assert store.remove_unnamed() == 1
    store.take("GD/0", ZONE, [row(1)], 1)
    assert [each.usage.key for each in store.page(DetailAsk(ALICE), 10).rows] == ["k1", "k0"]
    store.close()


def _killed(store: DetailStore) -> None:
    """Place a file as somebody who is killed before the commit."""
    from details.parts import frame_of, written

    store.put("GD/0", "20241004", written(frame_of([row(1)])))
    raise RuntimeError("killed")
