"""A unit that is opened to be read: it says what is there, and leaves no trace."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from house.stores import STORES
from storage.unit import Group, Head, Record, StoreRejected, Unit
from testkit.cassandra import LocalCluster

HEAD = Head(1, "one", 0, b"tip", False)


async def fill(url: str) -> None:
    unit = await STORES.open(url)
    await unit.put([Record("account", "p", "a", b"kept", 1), Record("account", "p", "b", None, 1)])
    await unit.swap("GD/0", 0, None, Head(1, "one", -1, b"", False), None)
    await unit.swap("GD/0", 0, Head(1, "one", -1, b"", False), HEAD, Group(0, b"group"))
    await unit.close()


async def holds(unit: Unit) -> None:
    """It can be read, and every write is refused."""
    assert [stored.key async for page in unit.scan("account", "p") for stored in page] == ["a"]
    assert (await unit.get("account", "p", ["a", "b"]))["a"].value == b"kept"
    assert await unit.head("GD/0", 0) == HEAD
    assert [group async for page in unit.read("GD/0", 0, 0, 9) for group in page] == [Group(0, b"group")]
    for write in (
        unit.put([Record("account", "p", "a", b"changed", 2)]),
        unit.swap("GD/0", 0, HEAD, Head(2, "two", 0, b"tip", False), None),
        unit.drop("GD/0", 0),
    ):
        with pytest.raises(StoreRejected, match="opened to be read only"):
            await write
    await unit.close()


async def test_sqlite_is_read_and_not_one_deletion_is_forgotten(tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path}/unit.db"
    await fill(url)
    with closing(sqlite3.connect(tmp_path / "unit.db")) as file:
        file.execute("UPDATE record SET forget_after_s = 1 WHERE forget_after_s IS NOT NULL")
        file.commit()
    await holds(await STORES.open_to_read(url))
    with closing(sqlite3.connect(tmp_path / "unit.db")) as file:
        assert file.execute("SELECT count(*) FROM record").fetchone() == (2,)


async def test_memory_is_read(tmp_path: Path) -> None:
    url = f"memory:{tmp_path.name}"
    await fill(url)
    await holds(await STORES.open_to_read(url))


async def test_a_typing_error_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(StoreRejected, match="There is no unit at"):
        await STORES.open_to_read(f"sqlite://{tmp_path}/tpyo/unit.db")
    assert list_of(tmp_path) == []


async def test_another_file_and_an_older_schema_are_said_to_be_what_they_are(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as file:
        file.execute("CREATE TABLE people (name TEXT)")
    with pytest.raises(StoreRejected, match="holds no unit"):
        await STORES.open_to_read(f"sqlite://{tmp_path}/other.db")
    url = f"sqlite://{tmp_path}/unit.db"
    await STORES.migrate(url)
    with closing(sqlite3.connect(tmp_path / "unit.db")) as file:
        file.execute("DELETE FROM migration")
        file.commit()
    with pytest.raises(StoreRejected, match="has an older schema: start a server on it first"):
        await STORES.open_to_read(url)


async def test_a_text_where_bytes_were_is_read_as_its_bytes(tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path}/unit.db"
    await fill(url)
    with closing(sqlite3.connect(tmp_path / "unit.db")) as file:
        file.execute("UPDATE record SET value = value || x'ff' WHERE key = 'a'")
        file.commit()
    unit = await STORES.open_to_read(url)
    assert (await unit.get("account", "p", ["a"]))["a"].value == b"kept\xff"
    await unit.close()


def list_of(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.cassandra
async def test_cassandra_is_read_and_no_keyspace_is_made(cassandra_one: LocalCluster) -> None:
    url = cassandra_one.url("read_only")
    with pytest.raises(StoreRejected, match="There is no unit in the keyspace"):
        await STORES.open_to_read(url)
    with pytest.raises(StoreRejected, match="There is no unit in the keyspace"):
        await STORES.open_to_read(url)
    await fill(url)
    await holds(await STORES.open_to_read(url))
