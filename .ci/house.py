"""Measure the house: floors and arrows inside rooms, long classes, reach-throughs, words with several meanings.

house.py             print the tables of the tree it stands in
house.py FOLDER      of another checkout
house.py @COMMIT     those of a commit of this tree, then those of the tree

It reads sources as text and runs nothing. Tests, generated stubs and benches are left out. The figures are places to
look at: `tests/unit/test_house.py` holds the ones that are rules.
"""

import ast
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import NamedTuple

LEFT_OUT = {"tests", "bench", "proto", ".ci", "build", ".venv"}
LONG_CLASS_LINES = 150
REACH_DEPTH = 3
"""`self.a.b.c` and deeper: a class that works with what belongs to somebody else's part."""
SUBSTANCE = re.compile(
    r"\n|Raises|micro-unit|second|byte|_ms\b|UTC|TS 32|RFC|seed|order|exclusive|inclusive|None when|empty =|0 =|-1 =",
)
"""What makes a docstring more than its name said again: several lines, a unit, an error, an order, a source."""


class Module(NamedTuple):
    """One source file."""

    name: str
    room: str
    tree: ast.Module
    lines: int


def modules(root: Path) -> list[Module]:
    """Read the sources of all rooms of a checkout."""
    found = []
    for package in sorted(root.glob("*/__init__.py")):
        room = package.parent.name
        if room in LEFT_OUT:
            continue
        for path in sorted(package.parent.rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            text = path.read_text("utf-8")
            found.append(Module(name, room, ast.parse(text), text.count("\n")))
    return found


def arrows(room: Iterable[Module]) -> dict[str, set[str]]:
    """Say which modules of a room import which others of it."""
    known = {module.name: module for module in room}
    found: dict[str, set[str]] = {name: set() for name in known}
    for name, module in known.items():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Import):
                wanted = {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                wanted = {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
            else:
                continue
            found[name] |= {target for target in wanted if target in known and target != name}
    for name in known:
        # A package is named with everything imported from it; the module itself is meant.
        found[name] = {t for t in found[name] if not any(o.startswith(t + ".") for o in found[name])}
    return found


def floors(graph: Mapping[str, Iterable[str]]) -> tuple[int, list[list[str]]]:
    """Give how many modules stand on each other at most, and the cycles."""
    heights: dict[str, int] = {}
    cycles: list[list[str]] = []

    def height(name: str, path: list[str]) -> int:
        if name in path:
            cycles.append([*path[path.index(name) :], name])
            return 0
        if name not in heights:
            heights[name] = 1 + max((height(below, [*path, name]) for below in graph[name]), default=0)
        return heights[name]

    return max((height(name, []) for name in graph), default=0), cycles


def folded(graph: Mapping[str, set[str]], room: str) -> dict[str, set[str]]:
    """Give the arrows between the folders of a room; a module beside them is its own."""
    depth = room.count(".") + 2

    def part(name: str) -> str:
        return ".".join(name.split(".")[:depth])

    found: dict[str, set[str]] = defaultdict(set)
    for name, below in graph.items():
        found[part(name)] |= {part(target) for target in below} - {part(name)}
    return found


def classes(found: Iterable[Module]) -> Iterator[tuple[str, ast.ClassDef]]:
    """Give all classes with their modules."""
    for module in found:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                yield module.name, node


def reaches(node: ast.AST) -> int:
    """Count `self.a.b.c` and deeper, the longest of each chain only."""
    inner = {id(child.value) for child in ast.walk(node) if isinstance(child, ast.Attribute)}
    count = 0
    for child in ast.walk(node):
        if not isinstance(child, ast.Attribute) or id(child) in inner:
            continue
        depth, base = 0, child
        current: ast.expr = base
        while isinstance(current, ast.Attribute):
            depth, current = depth + 1, current.value
        count += depth >= REACH_DEPTH and isinstance(current, ast.Name) and current.id == "self"
    return count


def docstrings(found: Iterable[Module]) -> list[str]:
    """Give the docstrings of everything public."""
    texts = []
    for module in found:
        for node in ast.walk(module.tree):
            named = isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            if named and not node.name.startswith("_"):
                texts.append(ast.get_docstring(node) or "")
    return [text for text in texts if text]


def touched(found: Iterable[Module]) -> dict[str, int]:
    """Count for each action of the ledger the files that name it: what a new one would have to touch."""
    found = list(found)
    actions: list[str] = []
    for module in found:
        for node in module.tree.body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "Action":
                actions += [name.id for name in ast.walk(node.value) if isinstance(name, ast.Name)]
    counts = {}
    for action in actions:
        counts[action] = sum(
            any(
                (isinstance(node, ast.Name) and node.id == action)
                or (isinstance(node, ast.alias) and node.name == action)
                for node in ast.walk(module.tree)
            )
            for module in found
        )
    return counts


def report(root: Path) -> str:
    """Write all tables as text."""
    found = modules(root)
    rooms = sorted({module.room for module in found})
    out = [
        "| room | modules | lines | arrows | floors | folders' arrows | folders' floors | cycles |",
        "|" + "---|" * 8,
    ]
    for room in rooms:
        inside = [module for module in found if module.room == room]
        graph = arrows(inside)
        high, cycles = floors(graph)
        parts = folded(graph, room)
        row = (
            len(inside),
            sum(module.lines for module in inside),
            sum(map(len, graph.values())),
            high,
            sum(map(len, parts.values())),
            floors(parts)[0],
            len(cycles),
        )
        out.append(f"| {room} | " + " | ".join(f"{figure:,}" for figure in row) + " |")
    every = list(classes(found))
    long = [(node.end_lineno - node.lineno + 1, f"{name}.{node.name}") for name, node in every if node.end_lineno]
    out += ["", f"classes over {LONG_CLASS_LINES} lines:"]
    out += [f"  {lines} {name}" for lines, name in sorted(long, reverse=True) if lines > LONG_CLASS_LINES]
    deep = Counter({f"{name}.{node.name}": reaches(node) for name, node in every})
    out += ["", f"reach-throughs (self.a.b.c): {sum(deep.values())}; most:"]
    out += [f"  {count} {name}" for name, count in deep.most_common(5) if count]
    words = Counter(node.name for _, node in every if not node.name.startswith("_"))
    out += ["", "class names with several meanings: "]
    out[-1] += ", ".join(f"{name} ×{count}" for name, count in words.most_common() if count > 1)
    texts = docstrings(found)
    rich = sum(bool(SUBSTANCE.search(text)) for text in texts)
    out += ["", f"docstrings with substance: {rich:,} of {len(texts):,}, {100 * rich // max(1, len(texts))} %"]
    files = touched(found)
    if files:
        most = max(files, key=files.__getitem__)
        text = f"files that name an action of the ledger: {median(files.values()):.0f} in the median"
        out += ["", f"{text}, {files[most]} for {most}"]
    return "\n".join(out)


def report_of(commit: str, here: Path) -> str:
    """Write the tables of a commit, from a copy that is removed again."""
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(["git", "archive", commit], cwd=here, check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", folder], input=packed, check=True)
        return report(Path(folder))


def main(asked: str, here: Path) -> str:
    """Write what is asked for."""
    if not asked.startswith("@"):
        return report(Path(asked) if asked else here)
    commit = asked.removeprefix("@")
    return f"before, {commit}:\n\n{report_of(commit, here)}\n\nnow:\n\n{report(here)}"


if __name__ == "__main__":
    print(main(sys.argv[1] if len(sys.argv) > 1 else "", Path(__file__).resolve().parent.parent))
