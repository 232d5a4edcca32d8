"""The checks of the house can fail: a skipped test, a contract that breaks callers, stubs that are out of date."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
CLASS_LINES_MAX = 150
DESK = "onetier/v1/service_desk.proto"
SKIPPING = """
import pytest

def test_good(): pass

@pytest.mark.skip(reason="no Cassandra here")
def test_marked(): raise AssertionError

def test_inside(): pytest.skip("no Cassandra here")

@pytest.mark.xfail
def test_expected(): raise AssertionError
"""


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_whoever_skips_a_test_has_a_failure(tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = cassandra\n")
    (tmp_path / "test_some.py").write_text(SKIPPING)
    (tmp_path / "test_module.py").write_text("import pytest\npytest.importorskip('no_such_driver')\n")
    arguments = ("-m", "pytest", "-p", "no:cacheprovider", "--continue-on-collection-errors")
    status, out = run(tmp_path, *arguments)
    assert status == 1
    assert "2 failed, 1 passed, 2 errors" in out, out
    for name in ("test_marked", "test_inside", "test_expected", "test_module.py"):
        assert f"{name} was skipped: a test runs, or it fails" in out, out


@pytest.mark.parametrize(
    ("old", "new", "generated", "complaint"),
    [
        ("string identity = 1;", "string identity = 99;", True, "buf breaking refused the contracts"),
        ("int64 quantity = 6;", "string quantity = 6;", True, "buf breaking refused the contracts"),
        ("rpc Quote(", "rpc quote(", True, "buf lint refused the contracts"),
        ("string partner = 10;", "string partner = 10;\n  string more = 99;", False, "make proto"),
        ("string partner = 10;", "string partner = 10;\n  string more = 99;", True, ""),
    ],
)
def test_a_contract_is_checked(tmp_path: Path, old: str, new: str, generated: bool, complaint: str) -> None:
    for name in (".ci", "proto"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    contract = tmp_path / "proto" / DESK
    text = contract.read_text("utf-8")
    assert old in text
    contract.write_text(text.replace(old, new, 1), "utf-8")
    if generated:
        assert run(tmp_path, ".ci/protos.py", "generate")[0] == 0
    status, out = run(tmp_path, ".ci/protos.py", "check")
    assert (status != 0, complaint in out) == (complaint != "", True), out


def sources() -> list[Path]:
    """Our Python, without what is generated."""
    folders = [path.parent for path in ROOT.glob("*/__init__.py")] + [ROOT / "bench", ROOT / "tests", ROOT / ".ci"]
    found = [path for folder in folders for path in folder.rglob("*.py")]
    return sorted(path for path in found if "generated" not in path.relative_to(ROOT).parts)


def test_files_are_read_in_one_sitting_and_functions_at_a_glance() -> None:
    assert len(sources()) > 300
    long = []
    for path in sources():
        text = path.read_text("utf-8")
        name = path.relative_to(ROOT).as_posix()
        if text.count("\n") > FILE_LINES_MAX:
            long.append(f"{name}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES_MAX:
                    long.append(f"{name}:{node.lineno} {node.name}: {lines} lines")
    assert long == []


def test_no_class_owns_everything() -> None:
    # One that is longer says why in the line before it: "# Long because …".
    # Machines of hypothesis in the tests are as long as their rules.
    long = []
    for path in sources():
        if path.is_relative_to(ROOT / "tests"):
            continue
        lines = path.read_text("utf-8").splitlines()
        for node in ast.walk(ast.parse("\n".join(lines))):
            if isinstance(node, ast.ClassDef) and (node.end_lineno or 0) - node.lineno >= CLASS_LINES_MAX:
                first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
                if not lines[first - 2].startswith("# Long because "):
                    long.append(f"{path.relative_to(ROOT).as_posix()}:{node.lineno} {node.name}")
    assert long == []


def test_the_root_of_the_contracts_is_no_package() -> None:
    # With a module of its own it would hide the package `proto` of somebody else's (proto-plus).
    assert list((ROOT / "proto").rglob("__init__.py")) == []
