"""The contracts stand for themselves: no field without a meaning, and none that goes without saying so first."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROTOS = sorted((ROOT / "proto" / "onetier" / "v1").glob("*.proto"))
SCALARS = {"string", "bytes", "bool", "int32", "int64", "uint32", "uint64", "double", "float"}
FIELD = re.compile(r"\s+(?:repeated |optional )?([\w.]+|map<[^>]*>) (\w+) = (\d+)( \[.*\])?;(.*)")
NOTE = re.compile(r"Deprecated since \d+\.\d+, gone with v\d+: .{10,}")
"""What the comment of a field says that is to go: since when, with which package, and what takes its place."""


def words() -> dict[str, str]:
    """What names of fields mean wherever they stand."""
    block = (ROOT / "proto/onetier/v1/service_desk.proto").read_text("utf-8")
    block = block.partition("// words: begin\n")[2].partition("// words: end")[0]
    lines = re.sub(r"\n//   ", " ", block).splitlines()
    return {name.strip(): meaning for name, _, meaning in (line.removeprefix("// ").partition(": ") for line in lines)}


def fields(path: Path) -> Iterator[tuple[str, str, str, str]]:
    """(type, name, options, comment) of each field of a contract; the comment is above it or behind."""
    comment: list[str] = []
    for line in path.read_text("utf-8").splitlines():
        found = FIELD.fullmatch(line)
        if found is not None:
            yield found[1], found[2], found[4] or "", " ".join([*comment, found[5].strip().lstrip("/ ")]).strip()
        comment = [*comment, line.strip().lstrip("/ ")] if line.strip().startswith("//") else []


@pytest.mark.parametrize("path", PROTOS, ids=lambda path: path.name)
def test_every_field_says_what_it_means_or_is_a_word_that_does(path: Path) -> None:
    known = words()
    silent = [name for kind, name, _, said in fields(path) if kind in SCALARS and not said and name not in known]
    assert silent == [], "write a comment above the field, or its name among the words of service_desk.proto"


def test_every_word_tells_a_limit_a_unit_or_a_form() -> None:
    for name, meaning in words().items():
        assert len(meaning) > 10, name
        if name.endswith("_ms"):
            assert "milliseconds since 1970" in meaning, name


def test_every_word_is_the_name_of_a_field() -> None:
    named = {name for path in PROTOS for _, name, _, _ in fields(path)}
    assert set(words()) - named == set()


@pytest.mark.parametrize("path", PROTOS, ids=lambda path: path.name)
def test_a_deprecated_field_says_since_when_until_when_and_what_instead(path: Path) -> None:
    for _, name, options, said in fields(path):
        assert ("deprecated = true" in options) == ("Deprecated since" in said), name
        if "deprecated = true" in options:
            assert NOTE.search(said), f"{name}: say Deprecated since 0.4, gone with v2: what instead"


def test_the_form_of_a_deprecation_is_that_of_the_policy() -> None:
    policy = (ROOT / "docs" / "contract-policy.md").read_text("utf-8")
    assert NOTE.search(policy)
