"""What is installed elsewhere: the wheel holds every room that runs, with its data, and nothing of the test kit."""

import ast
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]
STAYS_HERE = {"bench", "testkit", "tests"}
"""Packages for whoever works on the sources."""
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
TOOLS = {"pytest", "hypothesis", "_pytest", "xdist", "unittest"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    """The wheel of this tree, not compiled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ONETIER_COMPILE", raising=False)
        (path,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("wheel")))
    return ZipFile(path)


def test_every_room_that_runs_is_in_it_and_nothing_else(wheel: ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist() if ".dist-info/" not in name}
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - STAYS_HERE
    assert tops == {*rooms, "onetier", "catalogues"}


def test_it_has_all_files_of_its_rooms(wheel: ZipFile) -> None:
    rooms = {path.parent for path in ROOT.glob("*/__init__.py") if path.parent.name not in STAYS_HERE}
    data = {".cql", ".sql", ".py", ".sha256", ".yaml", ".xml"}
    there = {
        path.relative_to(ROOT).as_posix()
        for room in rooms
        for path in room.rglob("*")
        if path.is_file() and path.suffix in data
    }
    assert len(there) > 200
    assert there <= set(wheel.namelist())


def test_no_module_of_it_imports_what_stays_here(wheel: ZipFile) -> None:
    for name in wheel.namelist():
        if not name.endswith(".py"):
            continue
        imported = set()
        for node in ast.walk(ast.parse(wheel.read(name))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.partition(".")[0])
        assert not imported & (STAYS_HERE | TOOLS), f"{name} imports {imported & (STAYS_HERE | TOOLS)}"


def test_no_module_of_it_is_for_tests(wheel: ZipFile) -> None:
    kit = [
        name
        for name in wheel.namelist()
        if any(word in Path(name).stem for word in ("test", "harness", "rehears", "fake")) and "loadtest" not in name
    ]
    assert kit == []


def test_the_import_rules_put_the_test_kit_above_all_that_ships() -> None:
    (layers,) = [
        contract["layers"]
        for contract in PROJECT["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers" and "containers" not in contract
    ]
    assert layers[:2] == ["bench", "testkit"]
    named = {room for layer in layers for room in layer.split(" | ")}
    assert named == {path.parent.name for path in ROOT.glob("*/__init__.py")} | {"onetier"}
