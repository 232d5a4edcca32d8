"""Reading whether a unit is there, while another process is making it on other nodes."""

from collections.abc import Iterator
from typing import cast

import pytest
from cassandra import ReadFailure, Unavailable
from cassandra.protocol import ServerError

from storage.cassandra import tables
from storage.cassandra.link import ClusterLink, translate
from storage.migrations import load
from storage.unit import StoreUnavailable

NOT_OPEN_YET = ServerError(0, "java.lang.IllegalArgumentException: Unknown CF 78d44ec2", None)
NOT_HEARD_YET = ReadFailure("a replica does not know the table")
AWAY = Unavailable("no replica answers")


class NodesThatLearn:
    """A link whose nodes answer with these failures first, and then with what was applied."""

    def __init__(self, *failures: Exception) -> None:
        self._failures: Iterator[Exception] = iter(failures)
        self.asked = 0

    async def rows(self, _statement: str) -> list[tuple[object, ...]]:
        self.asked += 1
        failure = next(self._failures, None)
        if failure is None:
            return [(step.number,) for step in load("cassandra")]
        raise translate(failure) from failure


async def test_a_node_that_is_about_to_open_a_table_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "SCHEMA_PAUSE_MS", 0)
    nodes = NodesThatLearn(NOT_HEARD_YET, NOT_OPEN_YET, NOT_OPEN_YET)
    await tables.check_up_to_date(cast("ClusterLink", nodes), "unit")
    assert nodes.asked == 4


async def test_asking_again_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "SCHEMA_PAUSE_MS", 0)
    nodes = NodesThatLearn(*[NOT_OPEN_YET] * (tables.SCHEMA_TRIES + 1))
    with pytest.raises(StoreUnavailable, match="Unknown CF"):
        await tables.check_up_to_date(cast("ClusterLink", nodes), "unit")
    assert nodes.asked == tables.SCHEMA_TRIES


async def test_nodes_that_are_away_are_not_waited_for() -> None:
    nodes = NodesThatLearn(AWAY)
    with pytest.raises(StoreUnavailable):
        await tables.check_up_to_date(cast("ClusterLink", nodes), "unit")
    assert nodes.asked == 1
