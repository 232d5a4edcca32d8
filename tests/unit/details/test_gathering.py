"""Rows gathered as columns are the rows that single records give, however an entry journals its charges."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from charging.base.usage import SealedCharge, Usage
from charging.ledger.commands.post_charge import Charged
from charging.ledger.commands.post_usage import UsageSetAside
from charging.ledger.entry import Entry
from charging.ledger.events import Noticed
from charging.ledger.feeds import FeedMarked
from charging.ledger.kinds import Event
from details.gathering import RowGathering
from details.parts import ORDER, frame_of, rows_in
from details.rows import rows_of
from details.store import DetailStore
from evidence.keys import fresh_ring
from mediation import gathering
from mediation.gathering import Gatherer, JournalPlace
from storage.unit import Group
from testkit.examples import ALICE, BOB
from testkit.ledger import START_MS
from testkit.usecolumns import in_columns

CHARGES = st.lists(
    st.builds(
        lambda service, place, party, visited, amount, accruals, steps: (
            Usage(ALICE, service, START_MS + place, 60 + place, party, visited, {"apn": "n"} if visited else {}),
            SealedCharge(amount, "XTS", (), accruals, 1, True, Raw(steps), "calls" if amount else "", amount),
        ),
        st.sampled_from(["voice", "sms"]),
        st.integers(0, 9),
        st.sampled_from(["", BOB]),
        st.sampled_from(["", "GX"]),
        st.integers(0, 3),
        st.sampled_from([(), (("a", 5),), (("a", 60), ("b", 1))]),
        st.sampled_from([b"\x90", b"\x91\x01"]),
    ),
    min_size=1,
    max_size=6,
)
REST = st.sampled_from(
    [(FeedMarked("plant", ALICE, 1),), (Noticed(("low",)),), (UsageSetAside(Usage(ALICE, "sms", 1, 1)),)]
)


def columns_of(charges: list[tuple[Usage, SealedCharge]]) -> tuple[Event, ...]:
    columns = in_columns(charges)
    assert columns is not None
    return (columns,)


EVENTS = st.one_of(
    st.just(()),
    CHARGES.map(lambda charges: tuple(Charged(use, charge, (("main", charge.amount),), ()) for use, charge in charges)),
    CHARGES.map(columns_of),
    st.tuples(CHARGES.map(columns_of), REST).map(lambda parts: parts[0] + parts[1]),
    st.tuples(REST, CHARGES.map(columns_of)).map(lambda parts: parts[0] + parts[1]),
    st.tuples(CHARGES.map(columns_of), CHARGES.map(columns_of)).map(lambda parts: parts[0] + parts[1]),
)


@settings(deadline=None)
@given(st.lists(st.tuples(EVENTS, st.sampled_from([ALICE, BOB])), max_size=5), st.integers(0, 3))
def test_rows_by_columns_are_those_of_single_records(made: list[tuple[tuple[Event, ...], str]], seq: int) -> None:
    entries = [
        (place, Entry(who, f"k{place}", b"", place + 1, -1, START_MS, "post_usage", ALICE, "", "c", events, Raw(b"")))
        for place, (events, who) in enumerate(made)
    ]
    gathered = RowGathering()
    gathered.take(seq, entries[:2])
    gathered.take(seq + 1, entries[2:])
    single = [*rows_of(seq, entries[:2]), *rows_of(seq + 1, entries[2:])]
    assert len(gathered) == len(single)
    assert gathered.frame().sort(*ORDER).equals(frame_of(single).sort(*ORDER))
    assert sorted(rows_in(gathered.frame()), key=str) == sorted(single, key=str)


class GroupsAtOnce:
    """Reads five groups in one go, each of one use."""

    def __init__(self) -> None:
        self.seq = -1

    async def read(self, groups_max: int) -> list[Group]:
        assert groups_max > 5
        left, self.seq = range(self.seq + 1, 5), 4
        return [Group(seq, b"") for seq in left]


async def test_rows_are_kept_as_soon_as_they_are_enough_however_many_groups_are_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use, charge = Usage(ALICE, "sms", START_MS, 1), SealedCharge(5, "XTS", (), (), 1, False, Raw(b"\x90"))
    entry = Entry(ALICE, "k", b"", 1, -1, START_MS, "post_usage", ALICE, "", "c", columns_of([(use, charge)]), Raw(b""))

    @asynccontextmanager
    async def reader(*_: object) -> AsyncIterator[GroupsAtOnce]:
        yield GroupsAtOnce()

    monkeypatch.setattr(gathering, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(gathering, "_reader", reader)
    monkeypatch.setattr(gathering, "unpack_group", lambda _: ([(0, entry)], []))
    store = DetailStore(tmp_path)
    done = await Gatherer(store, fresh_ring()).gather(JournalPlace("GD/0", "", "Asia/Shanghai"))
    assert (done.rows, done.groups, done.seq, store.manifest.gathered()) == (5, 5, 4, {"GD/0": 4})
    assert [part.rows for part in store.manifest.parts()] == [2, 2, 1]
    store.close()
