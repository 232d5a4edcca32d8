"""What the documents say of the tree is so: links, names of files and modules, commands, targets, calls by grpcurl."""

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
import typer.main
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor_pool import Default
from onetier.v1 import data_center_pb2, service_desk_pb2

from console import main as console

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
WHEEL = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
ROOMS = [name for name in WHEEL["packages"] if "/" not in name]


def documents() -> list[Path]:
    return [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*/DESIGN.md"))]


def read(path: Path) -> str:
    return path.read_text("utf-8")


def anchors(path: Path) -> set[str]:
    """Headings as links name them; of a source its lines, which `.ci/links.py` leads to what they define."""
    if path.suffix != ".md":
        return {f"L{number}" for number in range(1, read(path).count("\n") + 1)}
    headings = re.findall(r"^#+ (.*)$", read(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", read(path)):
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), f"{path.name} links to {name}, which is not there"
        assert not anchor or anchor in anchors(target), (
            f"{path.name} links to #{anchor}: {target.name} has no such heading"
        )


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_file_that_is_named_exists(path: Path) -> None:
    folders = "|".join([*ROOMS, "testkit", "bench", "tests", "docs", "proto", "catalogues", "deploy"])
    for name in re.findall(rf"`((?:{folders})/(?:[\w./-]*(?:/|\.\w+))?)`", read(path)):
        made_there = f"`{name}`:\n\n```" in read(path)  # The page writes it, and a test does what the page says.
        assert made_there or (ROOT / name).exists(), f"{path.name} names {name}, which is not there"


def test_every_link_to_a_line_leads_to_what_it_names() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "links.py", "check"], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, ""), f"{done.stdout}{done.stderr}`make links` leads them anew"


def test_a_link_to_another_line_is_told_and_led_anew(tmp_path: Path) -> None:
    for name in (".ci", "docs"):
        (tmp_path / name).mkdir()
    shutil.copy(ROOT / ".ci" / "links.py", tmp_path / ".ci")
    (tmp_path / "some.py").write_text("A = 1\n\nclass B:\n    def c(self): ...\n")
    page = tmp_path / "docs" / "page.md"
    page.write_text("[`A`](../some.py#L1) [`B.c`](../some.py#L9) [`d`](../some.py#L1)\n")

    def links(mode: str) -> tuple[int, str]:
        run = [sys.executable, tmp_path / ".ci" / "links.py", mode]
        done = subprocess.run(run, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout

    status, told = links("check")
    assert status == 1
    assert "B.c is in line 4 of ../some.py, not 9" in told
    assert "does not define d" in told
    assert "A is" not in told
    assert links("write") == (1, "page.md: ../some.py does not define d\n")
    assert page.read_text() == "[`A`](../some.py#L1) [`B.c`](../some.py#L4) [`d`](../some.py#L1)\n"


@pytest.mark.parametrize("room", ["charging", "appserver", "datacenter", "domainservers"])
def test_the_map_names_every_module_and_no_other(room: str) -> None:
    text = read(ROOT / "ARCHITECTURE.md")
    if room == "charging":
        table = text.split("### Inside `charging/`")[1].split("\n#")[0]
    else:
        table = re.split(r"\n\| `\w+/` |\n\n", text.split("### Inside the tiers")[1].split(f"\n| `{room}/` |")[1])[0]
    named = set(re.findall(r"`([\w*]+)/?`", table))
    modules = {path.stem for path in (ROOT / room).glob("*.py")} | {
        path.parent.name for path in (ROOT / room).glob("*/*.py")
    }
    # The folders inside are mapped as well, but for those whose files are all of one kind.
    modules |= {path.stem for path in (ROOT / room).glob("*/*.py") if path.parent.name not in ("checks", "reasons")}
    modules |= {path.parent.name for path in (ROOT / room).glob("*/*/*.py")}
    modules -= {"__init__"}
    # Where a process begins and pages of constants need no map.
    plain = {"main", "room", "settings", "collections", "clock", "item", "limits"}
    assert {name for name in modules - plain if not any(fnmatch(name, wanted) for wanted in named)} == set()
    assert {wanted for wanted in named if not any(fnmatch(name, wanted) for name in modules)} == set()


def test_every_target_says_what_it_does_and_every_target_named_exists() -> None:
    makefile = read(ROOT / "Makefile")
    targets = set(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split())
    described = re.findall(r"^([a-z-]+):.*?##\s*(\S.*)$", makefile, re.MULTILINE)
    assert {name for name, _ in described} == targets
    assert targets == set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    for path in documents():
        for name in re.findall(r"(?:`|^ {4})make ([a-z-]+)", read(path), re.MULTILINE):
            assert name in targets, f"{path.name} tells of make {name}, which is not there"


def code_of(path: Path) -> str:
    """What a document shows as code: spans, indented lines, fenced blocks."""
    found = re.findall(r"^ {4}(.*)$|^```\w*\n(.*?)^```|`([^`\n]+)`", read(path), re.MULTILINE | re.DOTALL)
    return "\n".join("".join(parts) for parts in found)


def test_every_command_that_is_shown_exists() -> None:
    mounted = console.mounted()
    options = [*typer.main.get_command(mounted).params, *typer.main.get_group(mounted).params]
    known = {**dict.fromkeys(name for each in options for name in each.opts), **typer.main.get_group(mounted).commands}
    brought = set(re.findall(r'ConsoleWords\("([a-z-]+)"', "".join(map(code_of, documents()))))
    done = set(re.findall(r'\(BaseAction, frozen=True, tag="([a-z]+)"', "".join(map(code_of, documents()))))
    shown = [
        (name, then)
        for path in documents()
        for names, then in re.findall(r"(?:^|[ /])onetier ([a-z|-]+)(?: ([a-z-]+))?", code_of(path), re.MULTILINE)
        for name in names.split("|")
    ]
    assert len(shown) > 20
    for name, then in shown:
        if name in brought or (name == "do" and then in done):
            continue  # The page itself makes it; tests/cluster/test_adding_a_gateway.py and …_a_command.py run it.
        assert name in known, f"onetier {name} is shown and not there"
        commands = getattr(known[name], "commands", None)
        assert commands is None or then in commands, f"onetier {name} {then} is shown and not there"


def test_every_call_by_grpcurl_fits_the_contracts() -> None:
    calls = [
        call
        for path in documents()
        for call in re.findall(r"grpcurl -plaintext(?: -d '(.*?)')?\s+\S+ (onetier\.\S+)/(\w+)", read(path), re.DOTALL)
    ]
    assert service_desk_pb2.DESCRIPTOR.package == data_center_pb2.DESCRIPTOR.package == "onetier.v1"
    assert calls
    for body, service, method in calls:
        request = Default().FindServiceByName(service).FindMethodByName(method).input_type
        json_format.ParseDict(json.loads(body or "{}"), message_factory.GetMessageClass(request)())


def test_compiled_modules_exist_and_hold_nothing_that_can_not_be_native() -> None:
    modules = WHEEL["hooks"]["custom"]["modules"]
    assert modules == sorted(set(modules))
    for name in modules:
        assert name.partition("/")[0] in ROOMS, f"{name} is in no room of the wheel"
        tree = ast.parse(read(ROOT / name))
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
                assert "Struct" not in bases, f"{name}: the struct {node.name} can't be native; move it beside"
            elif isinstance(node, ast.Import | ast.ImportFrom):
                imported = [*(alias.name for alias in node.names), getattr(node, "module", "")]
                assert "weakref" not in imported, f"{name}: native classes have no weak references"


def test_what_is_made_of_the_contracts_is_up_to_date() -> None:
    """Stubs, calls of the client, and the page of commands, which tells the reasons that their sources can say."""
    command = [sys.executable, ".ci/protos.py", "check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
