"""What mypyc compiles is closed: a class that it made can't have a subclass that it did not make."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOT_NATIVE = {"Struct", "Protocol", "Enum", "StrEnum", "NamedTuple", "Exception"}
"""Bases of classes that stay Python's own though their module is compiled."""


def compiled() -> list[str]:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]
    modules: list[str] = build["targets"]["wheel"]["hooks"]["custom"]["modules"]
    return modules


def names(bases: list[ast.expr]) -> Iterator[str]:
    """Give the names of bases, without what stands in their brackets."""
    for base in bases:
        whole = base.value if isinstance(base, ast.Subscript) else base
        yield whole.id if isinstance(whole, ast.Name) else getattr(whole, "attr", "")


def native(paths: list[str]) -> set[tuple[str, str]]:
    """Give module and name of each class that is made by mypyc, and is closed."""
    found: set[tuple[str, str]] = set()
    for path in paths:
        for node in ast.parse((ROOT / path).read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not NOT_NATIVE & set(names(node.bases)) and not node.decorator_list:
                found.add((path.removesuffix(".py").replace("/", "."), node.name))
    return found


def test_every_module_that_is_compiled_is_there() -> None:
    assert [path for path in compiled() if not (ROOT / path).is_file()] == []


def test_nothing_interpreted_inherits_from_a_compiled_class() -> None:
    paths = compiled()
    closed = native(paths)
    assert len(closed) > 50
    wrong = []
    for package in sorted(ROOT.glob("*/__init__.py")):
        for path in sorted(package.parent.rglob("*.py")):
            place = path.relative_to(ROOT).as_posix()
            if place in paths or place.startswith("tests/"):
                continue
            tree = ast.parse(path.read_text("utf-8"))
            imported = {
                alias.asname or alias.name: (node.module or "", alias.name)
                for node in ast.walk(tree)
                if isinstance(node, ast.ImportFrom)
                for alias in node.names
            }
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):
                    wrong += [
                        f"{place}:{node.lineno} {node.name}"
                        for name in names(node.bases)
                        if imported.get(name) in closed
                    ]
    assert wrong == [], (
        "compile these modules, too (pyproject.toml), or the platform does not start when it is compiled"
    )
