"""Duplicates: a set of keys held against Python's own, whatever the keys and however they are split into runs."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mediation.duplicates import runs
from mediation.duplicates.keys import Columns, columns, key_of

# Few values, so that halves of keys, whole keys and contents meet often.
Rows = list[tuple[int, int, int]]
KEYS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 2)), max_size=30)


def rows(keys: Rows) -> Columns:
    return columns([b"".join(part.to_bytes(8) for part in key) for key in keys])


@given(KEYS)
def test_repeats_among_themselves_are_those_of_an_earlier_row(keys: Rows) -> None:
    first: dict[tuple[int, int], int] = {}
    expected: list[int] = []
    for high, low, content in keys:
        known = first.setdefault((high, low), content) if (high, low) in first else None
        first.setdefault((high, low), content)
        expected.append(runs.NEW if known is None else runs.SAME if known == content else runs.OTHER)
    made = rows(keys)
    order = runs.in_order(made)
    found = np.zeros(len(keys), np.int8)
    found[order] = runs.within(made[:, order])
    assert found.tolist() == expected


@given(KEYS, KEYS)
def test_a_run_knows_its_keys_and_no_other(
    known: list[tuple[int, int, int]], sought: list[tuple[int, int, int]]
) -> None:
    there = {(high, low): content for high, low, content in known}
    unique = [(high, low, content) for (high, low), content in there.items()]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "1.run"
        made = rows(unique)
        runs.write_run(path, made[:, runs.in_order(made)])
        found = runs.seek(runs.read_run(path), rows(sought))
    expected = [
        runs.NEW if (high, low) not in there else runs.SAME if there[high, low] == content else runs.OTHER
        for high, low, content in sought
    ]
    assert found.tolist() == expected


def test_a_run_is_in_order_of_its_keys() -> None:
    generator = np.random.default_rng(7)
    made = generator.integers(0, 50, (3, 1_000), dtype=np.uint64)
    order = runs.in_order(made)
    assert order.tolist() == np.lexsort((np.arange(1_000), made[1], made[0])).tolist()


@given(st.lists(st.text(max_size=4), max_size=4), st.lists(st.text(max_size=4), max_size=4))
def test_fields_that_differ_have_keys_that_differ(one: list[str], other: list[str]) -> None:
    same = key_of("f", tuple(one)) == key_of("f", tuple(other))
    assert same == (one == other)
    assert key_of("f", tuple(one)) != key_of("g", tuple(one))
