"""The glossary is held to the code: its words have their classes, a class name has one meaning, some words none."""

import ast
import re
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
NOT_OURS = {"bench", "tests"}
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text("utf-8")


class Named(NamedTuple):
    """Something that has a name in a module of the house."""

    name: str
    module: str


@cache
def sources() -> dict[str, ast.Module]:
    """The modules of all rooms that ship, and of the test kit."""
    rooms = [path.parent for path in ROOT.glob("*/__init__.py") if path.parent.name not in NOT_OURS]
    paths = [path for room in rooms for path in sorted(room.rglob("*.py"))]
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8")) for path in paths}


@cache
def classes() -> dict[str, list[str]]:
    """Modules by the public classes that they define."""
    found: dict[str, list[str]] = defaultdict(list)
    for module, tree in sources().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(module)
    return found


def rows(heading: str) -> list[list[str]]:
    """Cells of the table below a heading."""
    section = GLOSSARY.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def headings() -> list[str]:
    return re.findall(r"^## (.*)$", GLOSSARY, re.MULTILINE)


SPECIAL = ("Words with a meaning in each room", "Class names that rooms share", "Words that are not used")


def words() -> list[list[str]]:
    return [row for heading in headings() if heading not in SPECIAL for row in rows(heading)]


def test_the_class_of_every_word_exists_once_where_the_glossary_says() -> None:
    named = [re.fullmatch(r"`([\w.]+)\.(\w+)`", cell) for _, cell, _ in words() if cell]
    assert len(named) > 50
    for match in named:
        assert match is not None
        room, name = match.groups()
        there = [module for module in classes().get(name, []) if module.startswith(room.replace(".", "/"))]
        assert len(there) == 1, f"{room} has {there or 'no class'} of the name {name}"


def test_every_word_is_explained_once() -> None:
    told = Counter(word.strip() for word, *_ in words() for word in word.split(","))
    assert {word for word, times in told.items() if times > 1} == set()
    told = Counter(f"{word} of {where}" for word, where, _ in rows(SPECIAL[0]))
    assert {word for word, times in told.items() if times > 1} == set()


def test_a_class_name_is_one_rooms_or_is_listed_with_its_rooms() -> None:
    shared = {name: sorted(modules) for name, modules in classes().items() if len(modules) > 1}
    listed = {name.strip("`"): sorted(re.findall(r"`([\w.]+)`", rooms)) for name, rooms, _ in rows(SPECIAL[1])}
    more = {name: modules for name, modules in shared.items() if name not in listed}
    assert more == {}, "give one of each pair another name, or say in the glossary why both keep it"
    for name, rooms in listed.items():
        homes = sorted(module.replace("/", ".") for module in classes().get(name, []))
        assert len(homes) == len(rooms), f"{name} is listed for {rooms} and defined in {homes}"
        assert all(home.startswith(f"{room}.") for home, room in zip(homes, rooms, strict=True)), (name, homes, rooms)


def identifiers() -> list[Named]:
    """Everything that the house itself gives a name: modules, classes, functions, arguments, fields."""
    found = []
    for module, tree in sources().items():
        found.append(Named(Path(module).stem, module))
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                found.append(Named(node.name, module))
            elif isinstance(node, ast.arg):
                found.append(Named(node.arg, module))
            elif isinstance(node, ast.AnnAssign | ast.Assign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                found += [Named(target.id, module) for target in targets if isinstance(target, ast.Name)]
    return found


def test_words_that_have_a_better_one_name_nothing() -> None:
    refused = {word.strip() for words, _ in rows(SPECIAL[2]) for word in words.split(",") if " " not in word.strip()}
    assert len(refused) > 20
    wrong = [
        f"{name} in {module}"
        for name, module in identifiers()
        if {part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)} & refused
    ]
    assert wrong == []
