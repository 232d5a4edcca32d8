"""A mount that hangs keeps nobody waiting; and gaps that a person accepts."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.frontend.mediating import app
from mediation.collecting import patience
from mediation.collecting.patience import PatientThread
from mediation.line import MediationLine, read_rules
from mediation.plant.plant import Plant
from mediation.standing import IN_TROUBLE, WELL, source_states
from tests.unit.mediation.test_collecting import FORMAT, NOW_MS

SOURCES = """
sources:
  - {source: dead, folder: HOME/dead, format: lines, whole: {not_ending: .tmp}}
  - {source: gx, folder: HOME/gx, format: lines, whole: {not_ending: .tmp},
     sequence: {pattern: '(?P<number>[0-9])\\.json', last: 9}}
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in ("dead", "gx", "plant/formats"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "plant/formats/lines.yaml").write_text(FORMAT.replace("lines: {trailer: END}\n", ""), "utf-8")
    (tmp_path / "plant/sources.yaml").write_text(SOURCES.replace("HOME", str(tmp_path)), "utf-8")
    for number in (1, 2, 5):
        (tmp_path / f"gx/{number}.json").write_text(
            f'{{"who": "8613900284246", "at": 1, "bytes": 5, "id": {number}}}\n'
        )
    return tmp_path


@pytest.fixture
def mount(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Let a folder hang until this is set."""
    there, scandir = threading.Event(), os.scandir

    def slow(folder: Path) -> object:
        if Path(folder).name == "dead":
            there.wait()
        return scandir(folder)

    asked = PatientThread.call

    async def call(thread: PatientThread, work: Callable[[], object]) -> object:
        # Only what hangs is short of time, however slow this machine is.
        hangs = thread.folder.endswith("dead") and not there.is_set()
        monkeypatch.setattr(patience, "ANSWER_S_MAX", 0.2 if hangs else 300.0)
        return await asked(thread, work)

    monkeypatch.setattr(os, "scandir", slow)
    monkeypatch.setattr(PatientThread, "call", call)
    yield there
    there.set()


def test_a_mount_that_hangs_is_told_and_the_other_sources_go_on(home: Path, mount: threading.Event) -> None:
    plant, rules = Plant(home / "plant"), read_rules(home / "plant")
    line = MediationLine(plant, rules)
    first = asyncio.run(line.collect(NOW_MS))
    assert [(each.source, each.taken) for each in first] == [("dead", 0), ("gx", 3)]
    assert "did not answer" in first[0].troubles[0]
    assert [each.state for each in source_states(plant, rules.sources, NOW_MS)] == [IN_TROUBLE, WELL]
    for look in range(5):
        dead, _ = asyncio.run(line.collect(NOW_MS + look))
        assert "still does not answer" in dead.troubles[0]
    (thread,) = [each for each in threading.enumerate() if each.name.startswith("folder ") and "dead" in each.name]
    mount.set()
    thread.join(300)
    dead, _ = asyncio.run(line.collect(NOW_MS + 9))
    assert dead.troubles == ()
    plant.close()


def test_a_gap_is_accepted_by_a_person_with_a_reason_and_the_alarm_ends(home: Path) -> None:
    plant, rules = Plant(home / "plant"), read_rules(home / "plant")
    asyncio.run(MediationLine(plant, rules).collect(NOW_MS))
    plant.close()
    where = str(home / "plant")

    def said(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, list(words))
        return result.exit_code, result.output

    assert said("gaps", where)[0] == 1
    assert said("accept-gap", where, "gx", "3", "4")[0] == 2, "who says so, and why?"
    whose = ("--by", "li", "--why", "the switch's disk died")
    assert said("accept-gap", where, "gx", "2", "4", *whose)[0] == 1, "2 is there"
    assert said("accept-gap", where, "gx", "3", "4", *whose)[0] == 0
    status, text = said("gaps", where)
    assert status == 0
    assert "0 missing, 2 accepted" in text
    assert "3 to 4 accepted by li" in text.replace("\n", " ")
    assert said("accept-gap", where, "gx", "3", "4", "--withdraw", *whose)[0] == 0
    assert said("gaps", where)[0] == 1
