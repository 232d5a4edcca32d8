"""Anchors in files: lines that follow each other, files that go on, and what a folder tells afterwards."""

import shutil
import stat
from pathlib import Path

import pytest

from evidence import files
from evidence.anchors import Anchor, AnchorsAway, Everywhere, in_force, newest_of
from evidence.files import FileAnchors, check_files
from evidence.keys import fresh_ring
from evidence.seals import SealedUnit, Tampered
from evidence.second import UnitAnchors
from house.stores import COLLECTIONS
from storage.memory.unit import MemoryStore, MemoryUnit
from storage.unit import Record


def anchor(seq: int, epoch: int = 1, slot: str = "GD/0", accepted: str = "") -> Anchor:
    return Anchor(slot, epoch, seq, bytes([seq + 1]) * 32, 0, -1, 1_000 + seq, accepted=accepted)


def files_in(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


async def test_a_server_that_comes_again_goes_on_after_its_last_line(tmp_path: Path) -> None:
    ring = fresh_ring()
    for life in range(3):
        places = FileAnchors(tmp_path, "one", ring)
        await places.append([anchor(2 * life), anchor(0, slot="BJ/0")])
        await places.append([anchor(2 * life + 1)])
        await places.close()
    found = await FileAnchors(tmp_path, "two", ring).newest("GD/0")
    assert found is not None
    assert (found.seq, found.server, found.line) == (5, "one", 5)
    checked = check_files(tmp_path, ring)
    assert (checked.findings, checked.lines) == ([], {"one": 5})
    assert [path.name for path in files_in(tmp_path)] == [f"one.{line:012d}.anchors" for line in (0, 2, 4)]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files_in(tmp_path)} == {0o600}


async def test_a_new_file_repeats_what_is_known_so_that_old_ones_may_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "FILE_BYTES_MAX", 100)
    ring = fresh_ring()
    places = FileAnchors(tmp_path, "one", ring)
    await places.append([anchor(3), anchor(7, slot="BJ/0")])
    for seq in range(4, 8):
        await places.append([anchor(seq)])
    await places.close()
    *old, _ = files_in(tmp_path)
    assert len(old) == 4
    for path in old:
        path.unlink()
    beijing = await FileAnchors(tmp_path, "", ring).newest("BJ/0")
    assert beijing is not None
    assert beijing.seq == 7
    assert check_files(tmp_path, ring).findings == []


async def test_a_line_that_a_crash_tore_says_nothing_and_is_no_finding(tmp_path: Path) -> None:
    ring = fresh_ring()
    places = FileAnchors(tmp_path, "one", ring)
    await places.append([anchor(3)])
    await places.append([anchor(4)])
    await places.close()
    (path,) = files_in(tmp_path)
    path.write_bytes(path.read_bytes()[:-10])
    found = await FileAnchors(tmp_path, "", ring).newest("GD/0")
    assert found is not None
    assert found.seq == 3
    assert check_files(tmp_path, ring).findings == []
    again = FileAnchors(tmp_path, "one", ring)
    await again.append([anchor(5)])
    await again.close()
    assert check_files(tmp_path, ring).findings == []


async def test_a_folder_that_can_not_be_written_is_told_and_the_second_party_keeps_what_it_can(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    ring, unit = fresh_ring(), MemoryUnit(MemoryStore(), COLLECTIONS)
    second = UnitAnchors(SealedUnit(unit, ring), "one")
    both = Everywhere([FileAnchors(tmp_path / "file", "one", ring), second])
    (away,) = await both.append([anchor(3)])
    assert "anchors can't be written to" in str(away)
    found = await second.newest("GD/0")
    assert found is not None
    assert found.seq == 3
    await unit.close()
    with pytest.raises(AnchorsAway):
        await second.newest("GD/0")


async def test_the_second_party_keeps_the_newest_whichever_is_written_last() -> None:
    second = UnitAnchors(SealedUnit(MemoryUnit(MemoryStore(), COLLECTIONS), fresh_ring()), "one")
    for seq, epoch in ((5, 1), (4, 2), (9, 1)):
        await second.append([anchor(seq, epoch)])
    found = await second.newest("GD/0")
    assert found is not None
    assert found.order == (2, 4)


def test_an_accepted_loss_makes_void_what_older_anchors_know_beyond_it() -> None:
    loss = anchor(4, 3, accepted="chief: fire")
    anchors = [anchor(3), anchor(6, 2), loss, anchor(5, 4)]
    assert in_force(anchors) == [anchor(3), loss, anchor(5, 4)]
    newest = newest_of(in_force(anchors[:3]))
    assert newest is loss


async def test_a_record_is_proven_where_it_was_written_and_when() -> None:
    ring, unit = fresh_ring(), MemoryUnit(MemoryStore(), COLLECTIONS)
    sealed = SealedUnit(unit, ring)
    await sealed.put([Record("account", "GD/0/00", "a", b"state", 7), Record("account", "GD/0/00", "b", b"other", 8)])
    assert (await sealed.get("account", "GD/0/00", ["a"]))["a"].value == b"state"
    kept = (await unit.get("account", "GD/0/00", ["a"]))["a"]
    for place in (
        Record("account", "GD/0/00", "b", kept.value, 9),
        Record("account", "GD/0/00", "a", kept.value, 9),
        Record("account", "GD/0/01", "a", kept.value, kept.timestamp),
        Record("checkpoint", "GD/0/00", "a", kept.value, kept.timestamp),
        Record("account", "GD/0/00", "a", b"", 10),
    ):
        await unit.put([place])
        with pytest.raises(Tampered, match=f"record {place.collection}/{place.partition}/{place.key} was not written"):
            await sealed.get(place.collection, place.partition, [place.key])
    told: list[str] = []
    pages = [page async for page in SealedUnit(unit, ring, told.append).scan("account", "GD/0/00")]
    assert (pages, len(told)) == ([[]], 2)


async def test_a_file_that_somebody_took_away_is_no_place_to_go_on(tmp_path: Path) -> None:
    """What is appended to an open file without a name would be kept nowhere, and each append would seem to be well."""
    ring = fresh_ring()
    folder = tmp_path / "anchors"
    places = FileAnchors(folder, "one", ring)
    for seq, away in enumerate((None, "deleted", "renamed")):
        if away == "deleted":
            shutil.rmtree(folder)
        elif away == "renamed":
            folder.rename(tmp_path / "elsewhere")
        await places.append([anchor(seq)] if seq else [anchor(seq), anchor(4, slot="BJ/0")])
        for slot, newest in (("GD/0", seq), ("BJ/0", 4)):
            found = await FileAnchors(folder, "two", ring).newest(slot)
            assert found is not None
            assert found.seq == newest
    await places.close()
