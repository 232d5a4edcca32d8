"""Write docs/commands.md: each command with its fields, what they mean and take, and the reasons that it may be given.

Meanings are the contract's comments, bounds the types beside the fields. Reasons are those of the register that stand
in the command's own file and in whatever of the house it uses, found in the sources; so a command that refuses in a new
way is told with it. `.ci/protos.py` does it after the client's calls.
"""

import ast
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from client import WIDTH, Call

from appserver.reading.own_orders import OWN_FIELDS, OWN_READERS
from charging.ledger.asking import ASKED, PREPARED
from charging.reasons import REASONS
from charging.reasons.reason import BROKEN

HEAD = """# Commands

What may be done to an account, by the name that it has in a request, on the command line (`onetier do top-up`) and as a
call of the clients; fields in bold must be given. The page is made by `make proto` from the contract, from the types of
the fields and from the sources of the ledger. What the reasons mean stands in [Reasons](reasons.md); beside those of a
command, any may get those of the request, of permissions and of an account's bounds, and what is sold is held against
the catalogue."""
TOLD = {reason.name for reason in REASONS.values() if any(kind is not BROKEN for kind in reason.kinds)}
"""What a caller may have to do with; the others say that the house is broken."""
FOLLOWED = ("charging", "appserver.reading")
"""Where what reads and decides a command may be written."""
Place = tuple[str, str]
"""A module, and a name that it defines."""


@cache
def parsed(module: str) -> ast.Module:
    """Read a module of the house; nothing stands in one that there is not."""
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:
        spec = None
    path = Path(spec.origin) if spec is not None and spec.origin is not None else None
    return ast.parse(path.read_text("utf-8") if path is not None and path.suffix == ".py" else "")


@cache
def defined(module: str) -> Mapping[str, ast.stmt]:
    """Give what a module defines by name."""
    found: dict[str, ast.stmt] = {}
    for node in parsed(module).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign):
            found |= {target.id: node for target in node.targets if isinstance(target, ast.Name)}
    return found


@cache
def imported(module: str) -> Mapping[str, Place]:
    """Give where the names come from that a module imports; of a whole module the name is ""."""
    found: dict[str, Place] = {}
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.ImportFrom) and node.module is not None and node.module.startswith(FOLLOWED):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found[alias.name] = (inner, "") if defined(inner) else (node.module, alias.name)
    return found


def used(module: str, node: ast.AST) -> Iterator[Place]:
    """Give what of the house a piece of a module uses."""
    names = imported(module)
    for each in said(node):
        if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name):
            place = names.get(each.value.id)
            if place is not None and not place[1]:
                yield place[0], each.attr
        elif isinstance(each, ast.Name):
            if each.id in names:
                yield names[each.id]
            elif each.id in defined(module):
                yield module, each.id


def said(node: ast.AST) -> Iterator[ast.AST]:
    """Give all of a piece but the types of functions: what is only named there is not used."""
    yield node
    for field, value in ast.iter_fields(node):
        if (type(node), field) in ((ast.arg, "annotation"), (ast.FunctionDef, "returns")):
            continue
        for below in value if isinstance(value, list) else [value]:
            if isinstance(below, ast.AST):
                yield from said(below)


def reasons(places: list[Place]) -> list[str]:
    """Give the reasons that stand in some pieces of the house, and in what they use, in their order of the alphabet."""
    seen: set[Place] = set()
    found: set[str] = set()
    while places:
        module, name = place = places.pop()
        node = defined(module).get(name)
        if place in seen or node is None:
            continue
        seen.add(place)
        found |= {each.value for each in said(node) if isinstance(each, ast.Constant) and each.value in TOLD}
        places += used(module, node)
    return sorted(found)


def beginnings(name: str) -> list[Place]:
    """Give the pieces of the house that read and decide a command: its structs, and what reads it by hand."""
    structs = {kind for kind in PREPARED if name in kind.traits.permissions}
    if name in ASKED:
        structs.add(ASKED[name])
    by_hand = [*OWN_FIELDS.get(name, {}).values(), *([OWN_READERS[name]] if name in OWN_READERS else [])]
    return [(piece.__module__, piece.__name__) for piece in (*structs, *by_hand)]


def page(calls: list[Call]) -> str:
    """Give the whole page."""
    parts = [HEAD]
    for call in calls:
        parts += [f"\n## {call.name}\n", *textwrap.wrap(call.meaning, WIDTH, break_on_hyphens=False), ""]
        parts += ["| field | means | takes |", "|---|---|---|"]
        for field, required, meaning, bounds in call.rows():
            parts.append(f"| {f'**`{field}`**' if required else f'`{field}`'} | {meaning} | {bounds} |")
        found = ", ".join(f"`{reason}`" for reason in reasons(beginnings(call.name)))
        parts += ["", *textwrap.wrap(f"Reasons: {found}.", WIDTH, break_on_hyphens=False)]
    return "\n".join(parts) + "\n"
