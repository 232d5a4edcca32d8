"""docs/adding-a-command.md is followed to the letter: three files by hand, `make proto`, and the command is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.pages import ROOT, add, blocks, copy_house, environment_of, files

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]
PAGE = (ROOT / "docs" / "adding-a-command.md").read_text("utf-8")
NUMBER, ENDPOINT = "13900284246", "127.0.0.1:7100"
"""What the page shows; here a subscriber and a front door of the test stand for them."""
SYSTEM = """
import asyncio, sys
from pathlib import Path
from cluster.system import Shape
from testkit.rehearsal import rehearse

async def run() -> None:
    async with rehearse(Path(sys.argv[1]), Shape(datacenters=1), subscribers=100) as small:
        who = small.mobiles()[0].members[0].identity
        books = (await small.client.balance(who)).books
        main = next(book.amount for book in books if book.book_id == "main")
        await small.client.adjust(who, 20_000_000 - main, reason="twenty", actor="test")
        print(who, small.system.endpoints[0], flush=True)
        await asyncio.to_thread(sys.stdin.read)
        verdict = await small.verdict({})
        print("holds" if verdict.holds else verdict.complaints, flush=True)

asyncio.run(run())
"""
"""A small system of the copy, until its input ends; then every journal is counted up."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the house in which the page was followed."""
    tests = ("tests/conftest.py", "tests/unit/test_every_command.py", "tests/unit/charging/test_kinds.py")
    copy = copy_house(tmp_path_factory.mktemp("house"), ".ci", *tests)
    made = files(PAGE)
    for path, text in made:
        assert not (copy / path).exists()
        (copy / path).write_text(text, "utf-8")
    by_hand = {path for path, _ in made} | {add(copy, diff) for diff in blocks("diff", PAGE)}
    assert len(by_hand) == 3, by_hand
    assert "\n    make proto\n" in PAGE
    run(copy, ".ci/protos.py", "generate")
    return copy


def run(house: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=house,
        env={**environment_of(house), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def shown(marker: str) -> list[str]:
    """Give the arguments of the page's command line that has a marker in it."""
    (line,) = re.findall(rf"^    onetier (.*{marker}.*)$", PAGE, re.MULTILINE)
    return line.split()


def test_the_command_is_asked_for_done_and_told(house: Path, tmp_path: Path) -> None:
    system = subprocess.Popen(
        [sys.executable, "-c", SYSTEM, str(tmp_path)],
        cwd=house,
        env=environment_of(house),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert system.stdout is not None
        who, endpoint = system.stdout.readline().split()
        command = [who if each == NUMBER else each for each in shown("--amount")]
        said = [run(house, "-m", "console.main", *command, "--endpoint", endpoint) for _ in range(2)]
        key, version, movement = said[0].splitlines()
        shown_key, shown_version, shown_movement = blocks("text", PAGE)[0].splitlines()
        assert (key, movement) == (shown_key, shown_movement)
        assert version.split()[0] == shown_version.split()[0]
        assert "as it was done before" in said[1]
        history = run(house, "-m", "console.main", "history", who, "--endpoint", endpoint)
        assert "donate for red-cross" in history
        code = blocks("python", PAGE)[-1].replace(ENDPOINT, endpoint).replace(NUMBER, who)
        assert run(house, "-c", code) == "15000000\n"
        out, _ = system.communicate(timeout=60)
        assert out == "holds\n"
    finally:
        system.kill()
        system.communicate()


def test_what_every_command_must_have_the_new_one_has(house: Path) -> None:
    page = (house / "docs" / "commands.md").read_text("utf-8").partition("## donate")[2].partition("## ")[0]
    assert {"AMOUNT_NOT_POSITIVE", "INSUFFICIENT_FUNDS", "NAME_MALFORMED"} <= set(re.findall("[A-Z_]{5,}", page))
    helped = run(house, "-m", "console.main", *shown("--help"))
    assert "Gives money of the account to a good cause." in helped
    assert "--cause" in helped
    told = run(house, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "tests/unit", "-k", "donate")
    passed = re.search(r"(\d+) passed", told)
    assert passed is not None, told
    assert int(passed[1]) >= 10, told
    run(house, "-m", "mypy", "--no-incremental", "onetier_client", "charging/ledger/kinds.py")
    run(house, "-m", "ruff", "check", "charging/ledger", "onetier_client")
    run(house, "-m", "ruff", "format", "--check", "charging/ledger", "onetier_client")
