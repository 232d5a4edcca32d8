"""The lock: what is installed is written down to the byte, and is what `pyproject.toml` asks for."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
PINS = {canonicalize_name(name): version for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", LOCK, re.MULTILINE)}


def _asked_for() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    groups = project["dependency-groups"]["dev"]
    build = project["build-system"]["requires"]
    return [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["load"], *groups, *build]


@pytest.mark.parametrize("line", _asked_for())
def test_what_the_project_asks_for_is_locked_to_a_version_that_fits(line: str) -> None:
    wanted = Requirement(line)
    pinned = PINS.get(canonicalize_name(wanted.name))
    assert pinned is not None, f"{wanted.name} is not in requirements.lock: run make lock"
    assert wanted.specifier.contains(pinned, prereleases=True), f"{line} is locked to {pinned}: run make lock"


def test_every_pin_has_hashes_and_nothing_comes_from_elsewhere() -> None:
    for block in re.split(r"\n(?=\S)", LOCK.strip()):
        assert re.match(r"[\w.-]+==\S+", block), block.splitlines()[0]
        assert "--hash=sha256:" in block, block.splitlines()[0]
    assert "://" not in LOCK, "the lock names no registry"


def test_what_is_installed_follows_the_lock() -> None:
    rule = (ROOT / "Makefile").read_text("utf-8").partition("$(STAMP): ")[2].partition("\n\n")[0]
    assert rule.startswith("pyproject.toml requirements.lock\n")
    assert "--require-hashes --requirement requirements.lock" in rule
    assert "--upgrade" not in rule
