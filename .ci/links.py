"""Keep links to a line of code: `[`name`](../room/module.py#L12)`, where `name` is what that line defines.

links.py check     print the links that lead elsewhere; status 1 when there are any
links.py write     lead them to where their names are defined now

A name may be dotted (`Slot.commit`); a name that its file does not define is told and left.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"\[`([\w.]+)`\]\(([^)#\s]+\.(?:py|proto))#L(\d+)\)")
MESSAGE = re.compile(r"^\s*(?:message|service|rpc|enum) (\w+)")


def definitions(path: Path) -> dict[str, int]:
    """Give the line of each name that a file defines: functions, classes with their members, constants, messages."""
    text = path.read_text("utf-8")
    if path.suffix == ".proto":
        found = {}
        for number, line in enumerate(text.splitlines(), 1):
            match = MESSAGE.match(line)
            if match:
                found.setdefault(match[1], number)
        return found
    return dict(_names(ast.parse(text), ""))


def _names(node: ast.AST, prefix: str) -> Iterator[tuple[str, int]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + child.name, child.lineno
            if isinstance(child, ast.ClassDef):
                yield from _names(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.Assign | ast.AnnAssign):
            targets = child.targets if isinstance(child, ast.Assign) else [child.target]
            yield from ((prefix + target.id, child.lineno) for target in targets if isinstance(target, ast.Name))


def led(document: Path) -> tuple[str, list[str]]:
    """Give a document with its links led to where they should, and what was wrong with them."""
    wrong: list[str] = []

    def lead(match: re.Match[str]) -> str:
        name, link, line = match[1], match[2], int(match[3])
        target = (document.parent / link).resolve()
        where = definitions(target).get(name) if target.exists() else None
        if where is None:
            wrong.append(f"{document.name}: {link} does not define {name}")
            return match[0]
        if where != line:
            wrong.append(f"{document.name}: {name} is in line {where} of {link}, not {line}")
        return f"[`{name}`]({link}#L{where})"

    return LINK.sub(lead, document.read_text("utf-8")), wrong


def main(mode: str) -> int:
    """Check or write all documents; give the status."""
    told: list[str] = []
    for document in [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*/DESIGN.md"))]:
        text, wrong = led(document)
        if mode == "write":
            document.write_text(text, "utf-8")
            wrong = [sentence for sentence in wrong if "does not define" in sentence]
        told += wrong
    print("\n".join(told), end="\n" if told else "")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "check"))
