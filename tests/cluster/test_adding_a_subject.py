"""docs/adding-a-subject.md is followed to the letter: the kind is there, and a slot of the copy holds it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.pages import ROOT, add, blocks, copy_house, environment_of, files

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]
PAGE = (ROOT / "docs" / "adding-a-subject.md").read_text("utf-8")
LIFE = """
import asyncio
from msgspec import Raw
from msgspec.msgpack import encode
from business.faults.tickets import TICKETS, CloseTicket, NoteOnTicket
from business.subjects import unpack_subject
from charging.base.house_keys import digest_of
from charging.base.subject import Instruction, compose
from charging.wire import Done, FetchHistory, Inspect, Instruct
from tests.unit.domainservers.room import FlakyUnit, ask, own

TICKET = compose("ticket", "GD/0", "1001")

def asked(key, action):
    digest = digest_of(TICKET, action)
    return Instruct(Instruction(TICKET, key, digest, "", "front", 1, Raw(encode(action)), "operator/li"))

async def live():
    unit = FlakyUnit()
    slot = await own(unit)
    _, mistaken = await ask(slot, asked("k-1", NoteOnTicket("no dial tone")), asked("k-4", NoteOnTicket("")))
    await ask(slot, asked("k-2", CloseTicket()))
    slot.end()
    heir = await own(unit)
    refused, again = await ask(
        heir,
        asked("k-3", NoteOnTicket("again")),
        asked("k-1", NoteOnTicket("no dial tone")),
    )
    print(refused.reason, mistaken.reason, again.repeated)
    told, past = await ask(heir, Inspect(TICKET), FetchHistory(TICKET, 10))
    print(told.version, TICKETS.state(told).notes, [*past.lines[-1].notices])
    await heir.close()

asyncio.run(live())
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the house in which the page was followed."""
    tests = ("tests/unit/domainservers/room.py", "tests/unit/business/test_subjects.py", "tests/conftest.py")
    copy = copy_house(tmp_path_factory.mktemp("house"), *tests)
    for path, text in files(PAGE):
        assert not (copy / path).exists()
        (copy / path).parent.mkdir(exist_ok=True)
        (copy / path).write_text(text, "utf-8")
    changed = [add(copy, diff) for diff in blocks("diff", PAGE)]
    assert len(set(changed)) == len(changed) == 4
    return copy


def run(house: Path, *command: str) -> str:
    done = subprocess.run(
        command, cwd=house, env=environment_of(house), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_ticket_lives_in_a_slot_and_outlives_its_owner(house: Path) -> None:
    told = run(house, sys.executable, "-c", LIFE).splitlines()[-2:]
    assert told == ["TICKET_CLOSED NOTE_TOO_LONG True", "2 ('no dial tone',) ['noted: no dial tone']"]


def test_the_kind_keeps_to_the_rules_of_the_house(house: Path) -> None:
    run(house, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit/business/test_subjects.py")
    run(house, sys.executable, "-m", "mypy", "business")
    assert "0 broken" in run(house, str(Path(sys.executable).parent / "lint-imports"), "--no-cache")
