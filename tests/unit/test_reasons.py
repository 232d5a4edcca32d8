"""The register of reasons and the tree agree: what is said stands in it, what stands in it is said, and so told."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grpc
import pytest

from charging.errors import KINDS, Fault, Invalid, Refused
from charging.reasons import REASONS, SECTIONS
from charging.reasons.reason import LATER, SAME_KEY

ROOT = Path(__file__).parents[2]
WORD = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
REGISTER = ROOT / "charging" / "reasons"
EXPECTING = ROOT / "country" / "planted.py"
"""Says which reasons it expects, and raises none."""
VARIABLES = ("ONETIER_", "XDG_", "JAVA_HOME", "LD_LIBRARY_PATH", "GRPC_VERBOSITY", "SC_PAGE_SIZE", "CLOCK_BOOTTIME")
OTHER_WORDS = {
    "FUNDS_ENDED": "why an account is suspended",
    "NO_REASON": "a figure of the console",
    "LINE_UNREADABLE": "a figure of the console",
}
OF_STANDARDS = [
    "ABORT_CHARGING",
    "CHARGING_NOT_APPLICABLE",
    "CHECK_BALANCE",
    "CONTEXT_NOT_FOUND",
    "CREDIT_CONTROL_NOT_APPLICABLE",
    "CREDIT_LIMIT_REACHED",
    "DIRECT_DEBITING",
    "END_USER_REQUEST_DENIED",
    "END_USER_SERVICE_DENIED",
    "ENOUGH_CREDIT",
    "EVENT_REQUEST",
    "PRICE_ENQUIRY",
    "QUOTA_LIMIT_REACHED",
    "QUOTA_MANAGEMENT_NOT_APPLICABLE",
    "RATING_FAILED",
    "REFUND_ACCOUNT",
    "USER_UNKNOWN",
]
"""What RFC 8506 and TS 32.291 call results and actions, where a page translates them."""
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
CLASSES = {cls.__name__: kind for kind, cls in KINDS.items()} | {"Unrated": "invalid"}


def sources() -> Iterator[Path]:
    """Our Python, without tests, bench and generated stubs."""
    for package in sorted(set(ROOT.glob("*/__init__.py")) - {ROOT / "bench" / "__init__.py"}):
        yield from sorted(package.parent.rglob("*.py"))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@cache
def words(tree: ast.Module) -> list[tuple[str, ast.AST]]:
    """Words that may be reasons, each with what it stands in."""
    return [
        (child.value, parent)
        for parent in ast.walk(tree)
        for child in ast.iter_child_nodes(parent)
        if isinstance(child, ast.Constant) and isinstance(child.value, str) and not isinstance(parent, ast.Expr)
        if WORD.fullmatch(child.value) or child.value in REASONS
    ]


def raised() -> Iterator[tuple[Path, ast.Call, str, str]]:
    """Where a fault of a kind is made with a reason that is written there."""
    for path in sources():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in CLASSES and isinstance(node.args[0].value, str):
                    yield path, node, CLASSES[name], node.args[0].value


def test_every_word_of_refusal_stands_in_the_register() -> None:
    unknown = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in sources()
        for word, _ in words(tree_of(path))
        if word not in REASONS and word not in OTHER_WORDS and not word.startswith(VARIABLES)
    ]
    assert unknown == [], "write them down in charging/reasons/, then `make reasons`"


def test_every_reason_of_the_register_is_said_somewhere() -> None:
    said = {
        word
        for path in sources()
        if not path.is_relative_to(REGISTER) and path != EXPECTING
        for word, parent in words(tree_of(path))
        if not isinstance(parent, ast.Compare)
    }
    assert set(REASONS) - said == set()


def test_every_fault_is_of_a_kind_that_its_reason_has() -> None:
    found = list(raised())
    assert len(found) > 150
    for path, node, kind, reason in found:
        assert reason in REASONS, f"{path.relative_to(ROOT)}:{node.lineno} says {reason}"
        kinds = {each.name for each in REASONS[reason].kinds}
        assert kind in kinds, f"{path.relative_to(ROOT)}:{node.lineno} says {reason} as {kind}, not as {kinds}"


def test_every_fault_carries_what_its_reason_says() -> None:
    for path, node, _, reason in raised():
        place = f"{path.relative_to(ROOT)}:{node.lineno} {reason}"
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        assert "fields" not in given or REASONS[reason].fields, f"{place} names fields"
        if isinstance(facts := given.get("facts"), ast.Dict):
            names = {key.value for key in facts.keys if isinstance(key, ast.Constant)}
            assert names <= set(REASONS[reason].facts), f"{place} carries {sorted(map(str, names))}"


def test_a_fault_says_how_long_to_wait_where_a_repeat_helps_and_nowhere_else() -> None:
    waits = {SAME_KEY, LATER}
    for path, node, kind, reason in raised():
        place = f"{path.relative_to(ROOT)}:{node.lineno} {reason}"
        given = any(keyword.arg == "retry_ms" for keyword in node.keywords)
        assert not given or REASONS[reason].repeats in waits, f"{place} is not to be repeated, and says when"
        # Whoever has closed a client knows when to open another.
        asked = kind in ("overloaded", "unavailable") and reason != "CLIENT_CLOSED"
        assert given or not asked, f"{place} doesn't say how long to wait"


def test_what_a_reason_carries_is_written_where_it_is_said() -> None:
    written: dict[str, set[object]] = {}
    for path in sources():
        if not path.is_relative_to(REGISTER):
            nodes = ast.walk(tree_of(path))
            texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
            for word, _ in words(tree_of(path)):
                written.setdefault(word, set()).update(texts)
    for reason in REASONS.values():
        assert set(reason.facts) <= written[reason.name], f"nobody writes the facts of {reason.name}"


def names_in_code() -> set[str]:
    """Constants and the like that texts may name beside reasons."""
    found: set[str] = set()
    for path in sources():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Name | ast.Attribute | ast.alias):
                found.add(getattr(node, "id", "") or getattr(node, "attr", "") or getattr(node, "name", ""))
    return found


def test_every_reason_that_a_text_names_is_one() -> None:
    # Pages that show how to add something name what whoever follows them writes.
    pages = [path for path in (ROOT / "docs").rglob("*.md") if not path.name.startswith("adding-")]
    texts = {path: path.read_text("utf-8") for path in [*pages, *ROOT.glob("*.md")]}
    for path in sources():
        nodes = [node for node in ast.walk(tree_of(path)) if isinstance(node, DOCUMENTED)]
        texts[path] = "\n".join(ast.get_docstring(node) or "" for node in nodes)
    known = (
        set(REASONS) | set(OTHER_WORDS) | set(OF_STANDARDS) | names_in_code() | {code.name for code in grpc.StatusCode}
    )
    unknown = [
        f"{path.relative_to(ROOT)}: {word}"
        for path, text in texts.items()
        for word in re.findall(rf"\b{WORD.pattern.replace('(', '(?:')}\b", text)
        if word not in known and not word.startswith((*VARIABLES, "REQUEST_TYPE_", "UPPER_SNAKE"))
    ]
    assert unknown == []


def test_each_reason_stands_once_with_all_that_is_asked_of_it() -> None:
    names = [reason.name for section in SECTIONS for reason in section.reasons]
    assert sorted(set(names)) == sorted(names)
    for reason in REASONS.values():
        assert reason.meaning.endswith("."), reason.name
        assert reason.meaning.count(". ") == 0, f"{reason.name}: one sentence"
        assert reason.do == "" or reason.do.endswith("."), reason.name
        assert reason.other == "" or reason.other in REASONS, reason.name
        assert reason.repeats.text


def test_the_kinds_of_the_register_are_those_of_the_faults() -> None:
    assert {kind.name for reason in REASONS.values() for kind in reason.kinds} == set(KINDS)


def test_no_fault_has_a_word_of_its_own_or_a_kind_that_its_reason_lacks() -> None:
    with pytest.raises(LookupError, match="write it down"):
        Refused("BALANCE_SOMEHOW_WRONG", "no")
    with pytest.raises(LookupError, match="refused"):
        Refused("IDENTITY_MALFORMED", "no")
    assert Invalid("IDENTITY_MALFORMED", "no").reason == "IDENTITY_MALFORMED"


@pytest.mark.parametrize("cls", KINDS.values())
def test_what_others_told_is_taken_as_it_is(cls: type[Fault]) -> None:
    fault = cls.told("WORD_OF_A_LATER_VERSION", "a sentence", facts={"a": "b"}, retry_ms=7)
    assert (fault.reason, fault.message, str(fault)) == ("WORD_OF_A_LATER_VERSION", "a sentence", "a sentence")
    assert (fault.fields, fault.facts, fault.retry_ms) == ({}, {"a": "b"}, 7)


def test_page_manual_and_contracts_say_what_the_register_says() -> None:
    done = subprocess.run(
        [sys.executable, ".ci/reasons.py", "check"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
