"""Pages of the manual that say how the house is extended, done as they say in a copy of it."""

import os
import re
import shutil
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
ROOMS = [name for name in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] if "/" not in name]


def blocks(language: str, page: str) -> list[str]:
    """Give the fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def files(page: str) -> list[tuple[str, str]]:
    """Give the new files of a page: a path alone on its line, and the block below it."""
    return re.findall(r"^`([\w./]+\.py)`:\n\n```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def copy_house(copy: Path, *more: str) -> Path:
    """Copy the rooms and what they need to run; `more` are further files and folders."""
    for name in (*ROOMS, "proto", "catalogues", "docs", "testkit", "bench", *more):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def add(house: Path, diff: str) -> str:
    """Do in the copy what a diff of a page shows; gives the file. What it begins from must stand there exactly once."""
    name = re.findall(r"^\+\+\+ b/(.*)$", diff, re.MULTILINE)[0]
    text = (house / name).read_text("utf-8")
    for hunk in diff.split("@@\n")[1:]:
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] != "+")
        assert f"\n{text}".count(f"\n{before}") == 1, f"{name} has changed: write the page anew\n{before}"
        text = f"\n{text}".replace(f"\n{before}", "\n" + "".join(line[1:] for line in lines if line[0] != "-"))[1:]
    (house / name).write_text(text, "utf-8")
    return str(name)


def environment_of(house: Path) -> dict[str, str]:
    """Give the environment in which programs of the copy run."""
    return {**os.environ, "PYTHONPATH": f"{house}:{house / 'proto'}"}
