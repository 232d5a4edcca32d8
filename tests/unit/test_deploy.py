"""What lies in deploy/ fits the house: settings that it has, metrics that it exports, log lines that it writes."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest
from prometheus_client.core import Metric
from ruamel.yaml import YAML

from charging.reasons import REASONS
from console.failures import WRONG_SETTING
from house.rooms import process_of
from runtime.settings import load
from runtime.telemetry import Metrics

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
MANUAL = (ROOT / "docs" / "operation.md").read_text("utf-8")
OF_PROMETHEUS = ("up",)
LABELS = {
    "type": ("requests", "latency"),
    "hop": ("batch",),
    "cache": ("cache",),
    "event": ("events",),
    "what": ("now",),
}
"""Label of a metric → what the manual's table calls the metrics that have it."""
Groups = list[dict[str, list[dict[str, str]]]]


def rules(folder: str) -> Iterator[tuple[str, str]]:
    """Name and expression of each alert."""
    groups: Groups = YAML(typ="safe").load(DEPLOY / folder / "rules.yml")["groups"]
    for group in groups:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]


def panels() -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads((DEPLOY / "grafana" / "onetier.json").read_text("utf-8"))["panels"]
    return found


def drawn() -> Iterator[tuple[str, str]]:
    """Title and expression of each curve of the dashboard."""
    for panel in panels():
        targets = panel.get("targets", [])
        assert isinstance(targets, list)
        for target in targets:
            yield str(panel["title"]), target["expr"]


def exported() -> set[str]:
    """Names of the series that a process serves."""
    metrics = Metrics("appserver")
    metrics.requests("CHARGE", "ok")
    metrics.latency("exchange", 0.1)
    metrics.cache("accounts", hits=1)
    metrics.batch("route", 1)
    metrics.event("broken")
    metrics.gauge("items_in_flight", lambda: 1)
    families: Iterator[Metric] = metrics.collect()
    return {sample.name for family in families for sample in family.samples}


def told() -> set[tuple[str, str, str]]:
    """Tier, metric and value of the manual's table, which test_operation_manual.py holds to the code."""
    table = MANUAL.split("| tier | metric | value | meaning |")[1].split("\n\n")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return {(tier, metric, name) for tier, metric, names, _ in cells for name in re.findall(r"`(\w+)`", names)}


EXPRESSIONS = [*rules("prometheus"), *drawn()]


@pytest.mark.parametrize(("name", "expression"), EXPRESSIONS, ids=[name for name, _ in EXPRESSIONS])
def test_every_metric_of_rules_and_dashboard_is_exported_with_its_values(name: str, expression: str) -> None:
    series = re.findall(r"\b((?:onetier_|up\b)\w*)(?:\{(.*?)\})?", re.sub(r'job="\w+"', "", expression))
    assert series
    for metric, selector in series:
        assert metric in {*exported(), *OF_PROMETHEUS}, f"{name}: no process exports {metric}"
        chosen = dict(re.findall(r'(\w+)=~?"(.*?)"', selector))
        for label, values in chosen.items():
            for value in values.split("|") if label in LABELS else ():
                fitting = {tier for tier, kind, one in told() if one == value and kind in LABELS[label]}
                wanted = {chosen["tier"], "any"} if "tier" in chosen else fitting
                assert fitting & wanted, f"{name}: nobody counts {label}={value}"


def test_reasons_that_rules_name_are_in_the_register() -> None:
    named = {
        reason
        for _, expression in EXPRESSIONS
        for values in re.findall(r'outcome=~"(.*?)"', expression)
        for reason in values.split("|")
    }
    assert named
    assert named <= set(REASONS)


def test_every_alert_has_a_name_of_its_own_and_braces_that_close() -> None:
    found = [*rules("prometheus"), *rules("loki")]
    assert len({name for name, _ in found}) == len(found)
    for name, expression in [*found, *drawn()]:
        for opened, closed in ("()", "{}", "[]"):
            assert expression.count(opened) == expression.count(closed), name


def test_every_line_that_an_alarm_is_raised_for_is_written_and_told() -> None:
    alarms = MANUAL.split("Lines to raise an alarm for:")[1].split("\n## ")[0]
    sources = "".join(
        path.read_text("utf-8")
        for room in ("runtime", "directory", "datacenter", "domainservers")
        for path in (ROOT / room).rglob("*.py")
    )
    lines = [(name, event) for name, text in rules("loki") for event in re.findall(r'event=~?"(.*?)"', text)]
    for name, event in lines:
        assert f'"{event.removesuffix(".*")}' in sources, f"{name}: nobody logs {event!r}"
    words = [event.removesuffix(".*") for _, event in lines]
    for told_line in re.findall(r"`([^`]+)`", alarms):
        assert told_line == "error" or any(word.startswith(told_line) for word in words), f"no rule for {told_line!r}"


def test_panels_of_the_dashboard_have_places_of_their_own() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        assert isinstance(place, dict)
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({str(panel["id"]) for panel in panels()}) == len(panels())


@pytest.mark.parametrize("role", ["appserver", "datacenter", "domainserver"])
def test_every_tier_starts_with_its_sample(role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONETIER_CONFIG", str(DEPLOY / "config" / f"{role}.toml"))
    settings = load(process_of(role).settings)
    assert settings.section == role
    assert settings.tls_ca == Path("/etc/onetier/ca.pem")
    assert settings.metrics_listen in (DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8")


def verified(folder: Path, unit: str) -> tuple[int, str]:
    """Ask systemd about the units, the template being `unit`, as if the machine had program and user."""
    for path in (DEPLOY / "systemd").iterdir():
        text = unit if path.name == "onetier@.service" else path.read_text("utf-8")
        text = text.replace("/opt/onetier/bin/onetier", sys.executable)
        (folder / path.name).write_text(re.sub("^(User|Group)=.*$", r"\1=root", text, flags=re.MULTILINE))
    files = [str(folder / path.name) for path in (DEPLOY / "systemd").iterdir()]
    verify = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *files]
    done = subprocess.run(verify, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr


def test_systemd_takes_the_units_and_starts_every_role(tmp_path: Path) -> None:
    text = (DEPLOY / "systemd" / "onetier@.service").read_text("utf-8")
    unit = ConfigParser(interpolation=None)
    unit.read_string(text)
    assert unit["Service"]["ExecStart"] == "/opt/onetier/bin/onetier serve %i"
    assert unit["Service"]["Environment"] == "ONETIER_CONFIG=/etc/onetier/%i.toml"
    assert unit["Service"]["RestartPreventExitStatus"] == str(WRONG_SETTING)
    if shutil.which("systemd-analyze") is not None:
        assert verified(tmp_path, text) == (0, "")
        assert "Umask" in verified(tmp_path, text.replace("UMask=", "Umask="))[1]


def test_prometheus_takes_rules_and_configuration() -> None:
    config = DEPLOY / "prometheus" / "prometheus.yml"
    assert YAML(typ="safe").load(config)["rule_files"] == ["rules.yml"]
    if shutil.which("promtool") is not None:
        check = ["promtool", "check", "config", str(config)]
        done = subprocess.run(check, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
