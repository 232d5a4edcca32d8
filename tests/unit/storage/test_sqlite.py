"""What is SQLite's own: group transactions, several processes on one file, schema versions, broken files."""

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from house.stores import COLLECTIONS, STORES
from storage import migrations
from storage.sqlite.unit import SqliteUnit, open_sqlite
from storage.unit import Group, Head, Record, StoreRejected, StoreUnavailable

START = Head(1, "ds-1", -1, b"", sealed=False)

APPEND_MANY = """
import asyncio, sys
from pathlib import Path
from house.stores import COLLECTIONS
from storage.sqlite.unit import open_sqlite
from storage.unit import Group, Head, Record

async def main(file, name, count):
    unit = await open_sqlite(Path(file), COLLECTIONS)
    head = await unit.swap("shared", 0, None, Head(1, "first", -1, b"", False), None)
    won = 0
    while won < count:
        mine = Head(1, name, head.seq + 1, f"{name} {won}".encode(), False)
        now = await unit.swap("shared", 0, head, mine, Group(mine.seq, mine.tip))
        won += now == mine
        head = now
    await unit.put([Record("account", "p", name, b"done", 1)])
    await unit.close()

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


def start_appending(file: Path, name: str, count: int) -> subprocess.Popen[bytes]:
    """Another process that wins so many swaps on the file."""
    command = [sys.executable, "-c", APPEND_MANY, str(file), name, str(count)]
    return subprocess.Popen(command, stderr=subprocess.PIPE)


@pytest.fixture
def no_database(file: Path) -> Path:
    file.write_bytes(b"this is no database, whatever its name says. " * 50)
    return file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "unit.db"


async def test_several_processes_open_one_file_at_once_and_race_fairly(file: Path) -> None:
    names = ["a", "b", "c"]
    runs = [start_appending(file, name, 40) for name in names]
    for run in runs:
        _, said = await asyncio.to_thread(run.communicate, timeout=60)
        assert run.returncode == 0, said.decode()
    unit = await open_sqlite(file, COLLECTIONS)
    groups = [group async for page in unit.read("shared", 0, 0, 1_000) for group in page]
    assert [group.seq for group in groups] == list(range(120))
    assert {group.payload for group in groups} == {f"{name} {n}".encode() for name in names for n in range(40)}
    assert len(await unit.get("account", "p", names)) == 3
    await unit.close()


async def test_writes_that_wait_share_one_transaction(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    inner = SqliteUnit._commit

    def counting(self: SqliteUnit, works: list[object]) -> list[object]:
        sizes.append(len(works))
        return inner(self, works)  # type: ignore[arg-type]

    monkeypatch.setattr(SqliteUnit, "_commit", counting)
    unit = await open_sqlite(file, COLLECTIONS)
    await asyncio.gather(*[unit.swap(f"j{number}", 0, None, START, None) for number in range(200)])
    assert sum(sizes) == 200
    assert len(sizes) <= 3
    await unit.close()


async def test_a_write_at_fault_does_not_fail_those_that_share_its_transaction(file: Path) -> None:
    unit = await open_sqlite(file, COLLECTIONS)

    def faulty(_: sqlite3.Connection) -> None:
        raise ValueError("a defect")

    good = [unit.put([Record("account", "p", f"k{number}", b"x", 1)]) for number in range(5)]
    results = await asyncio.gather(*good, unit._write(faulty, 0), return_exceptions=True)
    assert results[:5] == [None] * 5
    assert isinstance(results[5], ValueError)
    assert len(await unit.get("account", "p", [f"k{number}" for number in range(5)])) == 5
    await unit.close()


async def test_a_foreign_transaction_that_does_not_end_makes_the_unit_unavailable_and_it_recovers(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.sqlite.files.BUSY_TIMEOUT_MS", 100)
    unit = await open_sqlite(file, COLLECTIONS)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        await unit.swap("j", 0, None, START, None)
    other.execute("ROLLBACK")
    other.close()
    assert await unit.swap("j", 0, None, START, None) == START
    await unit.close()


async def test_a_locked_file_keeps_no_other_file_waiting(tmp_path: Path) -> None:
    units = [await open_sqlite(tmp_path / f"{number}.db", COLLECTIONS) for number in range(6)]
    other = sqlite3.connect(tmp_path / "0.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    kept = asyncio.create_task(units[0].swap("j", 0, None, START, None))
    await asyncio.sleep(0)
    async with asyncio.timeout(2):
        for round_ in range(3):
            told = await asyncio.gather(*[unit.swap(f"j{round_}", 0, None, START, None) for unit in units[1:]])
            assert told == [START] * 5
    assert not kept.done()
    other.execute("ROLLBACK")
    other.close()
    assert await kept == START
    await asyncio.gather(*[unit.close() for unit in units])


async def test_files_are_handed_over_together_and_none_is_in_two_threads(tmp_path: Path) -> None:
    units = [await open_sqlite(tmp_path / f"{number}.db", COLLECTIONS) for number in range(20)]

    async def chain(unit: SqliteUnit, journal: str) -> None:
        head = await unit.swap(journal, 0, None, START, None)
        for seq in range(10):
            wanted = Head(1, "o", seq, f"{journal} {seq}".encode(), False)
            assert await unit.swap(journal, 0, head, wanted, Group(seq, b"x" * seq)) == wanted
            head = wanted

    await asyncio.gather(*[chain(unit, f"j{number}") for unit in units for number in range(3)])
    for unit in units:
        for number in range(3):
            groups = [group async for page in unit.read(f"j{number}", 0, 0, 99) for group in page]
            assert [len(group.payload) for group in groups] == list(range(10))
    await asyncio.gather(*[unit.close() for unit in units])
    assert not [
        thread for thread in threading.enumerate() if thread.name.startswith("sqlite-write") and not await ended(thread)
    ]


async def ended(thread: threading.Thread) -> bool:
    """Say whether a thread ends soon."""
    await asyncio.to_thread(thread.join, 5)
    return not thread.is_alive()


async def test_a_file_written_by_a_newer_release_is_refused(file: Path) -> None:
    await (await open_sqlite(file, COLLECTIONS)).close()
    other = sqlite3.connect(file)
    other.execute("INSERT INTO migration VALUES (99, 'from the future')")
    other.commit()
    other.close()
    with pytest.raises(StoreRejected, match=r"has schema 99, this release knows up to \d+: start a release"):
        await open_sqlite(file, COLLECTIONS)


async def test_a_file_that_is_no_database_is_refused(no_database: Path) -> None:
    with pytest.raises(StoreRejected, match="not a database"):
        await open_sqlite(no_database, COLLECTIONS)


async def test_a_folder_that_cant_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreRejected, match="can't be made"):
        await STORES.open(f"sqlite://{tmp_path}/file/unit.db")


async def test_what_it_makes_is_its_user_s_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        unit = await STORES.open(f"sqlite://{tmp_path}/made/below/unit.db")
    finally:
        os.umask(before)
    await unit.put([Record("account", "p", "k", b"x", 1)])
    for path in (tmp_path / "made").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert len(list((tmp_path / "made" / "below").iterdir())) == 3  # Its log and the log's index too.
    await unit.close()


async def test_a_file_that_others_could_read_is_taken_from_them(file: Path) -> None:
    await (await open_sqlite(file, COLLECTIONS)).close()
    os.chmod(file, 0o664)
    await (await open_sqlite(file, COLLECTIONS)).close()
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600


async def test_commits_are_synchronous(file: Path) -> None:
    unit = await open_sqlite(file, COLLECTIONS)
    assert await unit._read(lambda c: c.execute("PRAGMA journal_mode").fetchone()[0]) == "wal"
    assert unit._write_to is not None
    assert unit._write_to.execute("PRAGMA synchronous").fetchone()[0] == 2
    await unit.close()


async def test_old_deletions_are_forgotten_at_opening(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unit = await open_sqlite(file, COLLECTIONS)
    await unit.put([Record("account", "p", "recent", None, 1)])
    monkeypatch.setattr("storage.sqlite.unit.TOMBSTONE_KEPT_S", -1_000)
    await unit.put([Record("account", "p", "old", None, 1), Record("account", "p", "live", b"x", 1)])
    await unit.close()
    await (await open_sqlite(file, COLLECTIONS)).close()
    other = sqlite3.connect(file)
    assert {row[0] for row in other.execute("SELECT key FROM record")} == {"recent", "live"}
    other.close()


async def test_a_killed_writer_leaves_whole_groups_only(file: Path) -> None:
    run = start_appending(file, "doomed", 1_000_000)
    unit = await open_sqlite(file, COLLECTIONS)
    async with asyncio.timeout(30):
        while (head := await unit.head("shared", 0)) is None or head.seq < 20:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    run.kill()
    await asyncio.to_thread(run.communicate)
    last = await unit.head("shared", 0)
    assert last is not None
    groups = [group async for page in unit.read("shared", 0, 0, 1 << 40) for group in page]
    assert groups[-1] == Group(last.seq, last.tip)
    assert [group.seq for group in groups] == list(range(last.seq + 1))
    await unit.close()


def test_migrations_are_numbered_without_a_gap_on_both_stores() -> None:
    assert [step.number for step in migrations.load("sqlite")] == [1]
    assert [step.number for step in migrations.load("cassandra")] == [1]
    assert [step.name for step in migrations.load("sqlite")] == [step.name for step in migrations.load("cassandra")]


def test_only_what_was_not_applied_is_outstanding() -> None:
    assert migrations.outstanding("sqlite", [], "here") == migrations.load("sqlite")
    assert migrations.outstanding("sqlite", [1], "here") == ()
