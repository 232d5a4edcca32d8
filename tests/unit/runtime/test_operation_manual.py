"""What docs/operation.md says of settings and metrics is what the code has."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from appserver.settings import AppServerSettings
from datacenter.settings import DataCenterSettings
from domainservers.settings import DomainServerSettings
from house.rooms import ROOMS, processes
from runtime.settings import TierSettings, load

ROOT = Path(__file__).parents[3]
MANUAL = (ROOT / "docs" / "operation.md").read_text("utf-8")
SECTIONS: dict[str, type[TierSettings]] = {
    "every tier": TierSettings,
    **{process.role: process.settings for process in processes()},
}
TIERS = {room.name: room.process.role for room in ROOMS if room.process is not None}
"""By room, what its process is called."""
KINDS = {"requests", "latency", "batch", "cache", "event", "gauge"}
NAMES = {"event": "events", "gauge": "now"}


def rows(title: str) -> list[list[str]]:
    """Cells of the table below a heading of the third level."""
    section = re.split(r"\n#{2,3} ", MANUAL.split(f"\n### {title}\n")[1])[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if "| `" in line]


def shown(value: object) -> str:
    if value is None or value == []:
        return "none"
    return f"`{value}`" if value != "" else "empty"


@pytest.mark.parametrize("title", SECTIONS)
def test_every_setting_is_in_its_table_with_its_default(title: str) -> None:
    cls = SECTIONS[title]
    common = set() if cls is TierSettings else set(TierSettings.model_fields)
    wanted = {f"`{name}`": shown(field.default) for name, field in cls.model_fields.items() if name not in common}
    found = rows(title)
    assert {cells[0]: cells[1] for cells in found} == wanted
    assert all(cells[2] for cells in found)


def test_the_example_file_is_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = re.search(r"```toml\n(.*?)```", MANUAL, re.DOTALL)
    assert example is not None
    file = tmp_path / "onetier.toml"
    file.write_text(example[1], "utf-8")
    monkeypatch.setenv("ONETIER_CONFIG", str(file))
    for cls in (AppServerSettings, DataCenterSettings, DomainServerSettings):
        settings = load(cls)
        assert settings.listen == tomllib.loads(example[1])[cls.section]["listen"]
        assert settings.tls_ca is not None


def counted_in_code(room: str, tier: str) -> set[tuple[str, str, str]]:
    """Metrics that a room counts under names written in the code: (tier, metric, name)."""
    found = set()
    for path in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
                continue
            owner, name = node.func.value, node.args[0]
            of_metrics = ast.unparse(owner).endswith("metrics")
            if of_metrics and node.func.attr in KINDS and isinstance(name, ast.Constant):
                found.add((tier, NAMES.get(node.func.attr, node.func.attr), str(name.value)))
    return found


def test_every_metric_is_in_the_table_and_no_other() -> None:
    table = MANUAL.split("| tier | metric | value | meaning |")[1].split("\n\n")[0]
    told = set()
    for line in table.splitlines()[2:]:
        tier, metric, names, meaning = (cell.strip() for cell in line.strip("|").split("|"))
        assert meaning
        told |= {(tier, metric, name) for name in re.findall(r"`(\w+)`", names)}
    counted = {("any", "events", name) for name in ("broken", "unreadable", "batch_failed")}
    for room, tier in TIERS.items():
        counted |= counted_in_code(room, tier)
    # The platform counts by the names of its kinds of requests.
    kinds = ast.parse((ROOT / "appserver" / "reading" / "asks.py").read_text("utf-8"))
    kind = next(node for node in kinds.body if isinstance(node, ast.ClassDef) and node.name == "Kind")
    named = [node.targets[0] for node in kind.body if isinstance(node, ast.Assign)]
    counted |= {("appserver", "requests", target.id) for target in named if isinstance(target, ast.Name)}
    assert told == counted


def test_links_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:\s]+)[)#]", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links {target}, which is not there"
