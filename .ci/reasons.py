"""Write what is said of the reasons elsewhere, from their register `charging.reasons`.

reasons.py generate   rewrite docs/reasons.md, the table of kinds in docs/operation.md, the lists in the contracts
reasons.py check      say which of them are out of date
"""

import sys
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path

from charging.errors import KINDS as FAULTS
from charging.reasons import SECTIONS, Reason, Section
from charging.reasons.reason import KINDS, FaultKind
from runtime.status import code_of

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "reasons: written by `make reasons` from charging/reasons/", "reasons: end"
COLUMNS = 118
PAGE = """# Reasons

Every error says one of these words, in `ErrorInfo.reason`. The page is written from the register in `charging/reasons/`
by `make reasons`; what the columns "code" and "repeat" mean for each kind stands in
[Operation](operation.md#errors-and-what-to-do). *Fields* are what the violations in `BadRequest` name, *facts* the keys
of `ErrorInfo.metadata`.
"""


def code(kind: FaultKind) -> str:
    """Give the gRPC code of a kind."""
    fault = FAULTS[kind.name]
    return code_of(fault.told("", "")).name


def row(*cells: str) -> str:
    """Write a row of a table."""
    return f"| {' | '.join(cells)} |"


def kinds_table() -> str:
    """Write the table of the kinds."""
    lines = [row("kind", "code", "whose turn it is", "repeat"), "|---|---|---|---|"]
    lines += [row(kind.name, code(kind), kind.whose, f"{kind.repeat.word}: {kind.repeat.text}") for kind in KINDS]
    return "\n".join(lines)


def repeats_list() -> str:
    """Write what the words in the column "repeat" mean."""
    found = {reason.repeats.word: reason.repeats.text for section in SECTIONS for reason in section.reasons}
    return "\n".join(f"- **{word}**: {text}." for word, text in found.items())


def told(reason: Reason) -> str:
    """Write what a reason means, what to do, and what it carries."""
    parts = [reason.meaning, reason.do]
    if reason.other:
        parts.append(f"Elsewhere the same check says `{reason.other}`.")
    if reason.fields:
        parts.append(f"Fields: {reason.fields}.")
    if reason.facts:
        parts.append(f"Facts: {', '.join(f'`{name}`' for name in reason.facts)}.")
    return " ".join(part for part in parts if part)


def page() -> str:
    """Write the page of all reasons."""
    parts = [PAGE, repeats_list() + "\n"]
    for section in SECTIONS:
        lines = [f"## {section.title}", "", row("reason", "code", "repeat", "meaning, what to do, what it carries")]
        lines.append("|---|---|---|---|")
        for reason in section.reasons:
            codes = " or ".join(code(kind) for kind in reason.kinds)
            lines.append(row(f"`{reason.name}`", codes, reason.repeats.word, told(reason)))
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def comment(sections: Iterable[Section], indent: str = "// ") -> str:
    """Write the reasons that one contract tells, by their kinds, as a comment."""
    by_kind: dict[str, list[str]] = {kind.name: [] for kind in KINDS}
    for section in sections:
        for reason in section.reasons:
            for kind in reason.kinds:
                by_kind[kind.name].append(reason.name)
    lines: list[str] = []
    for kind in KINDS:
        names = by_kind[kind.name]
        if names:
            text = f"{code(kind)} ({kind.repeat.word}): {', '.join(sorted(names))}."
            lines += textwrap.wrap(text, COLUMNS, initial_indent=indent, subsequent_indent=indent + "  ")
    return "\n".join(lines)


def between(text: str, written: str, prefix: str, suffix: str = "") -> str:
    """Put what is written between the two marks of a file."""
    begin, end = f"{prefix}{BEGIN}{suffix}\n", f"{prefix}{END}{suffix}\n"
    head, found, rest = text.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        sys.exit(f"the marks {begin.strip()!r} and {end.strip()!r} are missing")
    return f"{head}{begin}{written}\n{end}{tail}"


def wanted() -> Mapping[Path, str]:
    """Give what each file must say."""
    manual = ROOT / "docs" / "operation.md"
    contracts = ROOT / "proto" / "onetier" / "v1"
    desk, directory = contracts / "service_desk.proto", contracts / "data_center.proto"
    said = {
        ROOT / "docs" / "reasons.md": page(),
        manual: between(manual.read_text("utf-8"), kinds_table(), "<!-- ", " -->"),
    }
    for path, tier in ((desk, "desk"), (directory, "data center")):
        told_there = [section for section in SECTIONS if section.told_by == tier]
        said[path] = between(path.read_text("utf-8"), comment(told_there), "// ")
    return said


def main(action: str) -> None:
    """Write the files, or stop with a sentence when they are out of date."""
    if action not in ("generate", "check"):
        sys.exit(__doc__)
    stale = [path for path, text in wanted().items() if not path.exists() or path.read_text("utf-8") != text]
    if action == "generate":
        for path, text in wanted().items():
            path.write_text(text, "utf-8")
    elif stale:
        names = ", ".join(path.relative_to(ROOT).as_posix() for path in stale)
        sys.exit(f"not what the register of reasons says: {names}; run `make reasons`")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
