# ruff: noqa: E501
"""Faults of catalogue files: each is found, with its file, its line and a sentence."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from charging.catalogue import pack, unpack
from console.catalog import app, effective_from_ms
from console.catalogue_files import read_folder

SAMPLE = Path(__file__).resolve().parents[3] / "catalogues"

NATIONAL = """\
catalogue: test
version: 1
services:
  - {id: voice, unit: second}
  - {id: data, unit: byte}
bands:
  - {id: night, from: "22:00", to: "06:00"}
  - {id: late, from: "23:00", to: "24:00"}
destinations:
  - {id: domestic, prefixes: ["86"]}
tariffs:
  - id: calls
    service: voice
    standard: true
    prices:
      - id: domestic
        when: {destinations: [domestic]}
        rates: [{price: 0.25, per: 60}]
      - id: world
        rates: [{price: 8, per: 60}]
allowances:
  - {id: free, unit: second, quota: 100 min, when: {services: [voice]}}
discounts:
  - {id: ten, stage: product, percent: 10}
offerings:
  - {id: plan, services: [voice], allowances: [free]}
"""
REGION = """\
catalogue: region
version: 1
domain: GD
overrides:
  prices:
    - tariff: calls
      price: {id: domestic, when: {destinations: [domestic]}, rates: [{price: 0.2, per: 60}]}
"""


def lines_of(folder: Path) -> list[str]:
    return [f"{Path(fault.file).name}:{fault.line}: {fault.message}" for fault in read_folder(folder).faults]


def write(folder: Path, national: str = NATIONAL, region: str = REGION) -> Path:
    (folder / "national.yaml").write_text(national, encoding="utf-8")
    (folder / "region.yaml").write_text(region, encoding="utf-8")
    return folder


def test_the_sample_has_no_fault_and_changes_at_least_six_provinces() -> None:
    folder = read_folder(SAMPLE)
    assert folder.faults == []
    assert len(folder.catalogues) >= 7
    for catalogue in folder.catalogues:
        assert unpack(pack(catalogue)) == catalogue


def test_a_sound_catalogue_passes(tmp_path: Path) -> None:
    assert lines_of(write(tmp_path)) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "sentence"),
    [
        ("allowances: [free]}", "allowances: [gratis]}", 26, "'gratis' is not among the allowances"),
        ("service: voice\n", "service: vioce\n", 13, "'vioce' is not among the services"),
        ("{destinations: [domestic]}", "{destinations: [domestik]}", 17, "did you mean 'domestic'?"),
        ("- id: world\n", "- id: domestic\n", 19, "'domestic' is there already"),
        ("quota: 100 min", "quota: 100 MB", 22, "'100 MB' is not a number of seconds, the unit of allowance 'free'"),
        ("{services: [voice]}}", "{services: [data]}}", 22, "in seconds but service 'data' in bytes"),
        ("{price: 8, per: 60}", "{price: 8, per: 1 KB}", 20, "'1 KB' is not a number of seconds"),
        ("{price: 8, per: 60}", "{price: 8, per: 0}", 20, "per is 0"),
        ("{price: 8, per: 60}", "{price: 8, per: 60, from: 60}", 20, "gap: nothing prices the first 60"),
        ("[{price: 8, per: 60}]", "[{price: 8}, {price: 1, from: 9}, {price: 2, from: 9}]", 20, "not after the one before"),
        ("        when: {destinations: [domestic]}\n", "", 18, "price 'world' is never reached: 'domestic' before it"),
        ("rates: [{price: 8, per: 60}]", "tiers: {steps: [{upto: 10, price: 1}]}", 20, "gap: nothing prices what lies over 10"),
        ("rates: [{price: 8, per: 60}]", "tiers: {steps: [{upto: 9, price: 1}, {upto: 9}, {}]}", 20, "overlap or wrong order"),
        ("rates: [{price: 8, per: 60}]", "tiers: {steps: [{price: 1}, {price: 2}]}", 20, "the steps after it are never reached"),
        ("rates: [{price: 8, per: 60}]", "connect: 1", 19, "neither rates nor tiers"),
        (
            "rates: [{price: 8, per: 60}]",
            "rates: [{price: 8}]\n        bands: [{bands: [night], rates: [{price: 1}]},\n"
            "          {bands: [late], rates: [{price: 2}]}]",
            21,
            "bands 'night' and 'late' overlap",
        ),
        ("percent: 10}", "percent: 10, amount: 1}", 24, "has percent, amount: give exactly one"),
        ("percent: 10}", "effective_from: 2026-02-01, effective_to: 2026-01-01, percent: 1}", 24, "not after it begins"),
        ("{id: plan, services: [voice]", "{id: plan, services: [data]", 26, "opens 'data', but no standard tariff"),
        ("{id: plan,", "{id: plan, includes: [plan],", 26, "includes itself"),
        ("percent: 10}", "percent: ten}", 24, "discounts[0].percent"),
        ("per: 60}]\n      - id", "pre: 60}]\n      - id", 18, "unknown field `pre`"),
        ("service: voice\n", "service: voice\n    service: data\n", 13, "is written twice"),
        ("version: 1\n", "version: nought\n", 2, "version"),
        ("services:\n", "services: {\n", 4, "not readable as YAML"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_line(tmp_path: Path, old: str, new: str, line: int, sentence: str) -> None:
    assert NATIONAL.count(old) >= 1
    text = NATIONAL.replace(old, new, 1)
    found = lines_of(write(tmp_path, national=text))
    assert any(sentence in entry for entry in found), found
    told = next(entry for entry in found if sentence in entry)
    assert abs(int(told.split(":")[1]) - line) <= 1, told


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("tariff: calls", "tariff: cals", "'cals' is not among the tariffs"),
        ("{id: domestic,", "{id: dom,", "tariff 'calls' has no price 'dom' to override"),
        ("overrides:\n", "tariffs: [{id: calls, service: voice, prices: []}]\noverrides:\n", "put it under overrides"),
        ("overrides:\n", "overrides:\n  bands: [{id: dawn}]\n", "'dawn' overrides nothing"),
        ("overrides:\n", "withdrawn: {discounts: [nine]}\noverrides:\n", "'nine' is not among the discounts"),
    ],
)
def test_a_region_overrides_only_what_is_there(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    found = lines_of(write(tmp_path, region=REGION.replace(old, new, 1)))
    assert len(found) == 1
    assert sentence in found[0]
    assert found[0].startswith("region.yaml:")


def test_several_faults_are_told_at_once(tmp_path: Path) -> None:
    text = NATIONAL.replace("percent: 10", "percent: ten").replace("unit: byte", "unit: octet")
    assert len(lines_of(write(tmp_path, national=text))) >= 2


def test_check_and_diff_by_the_command(tmp_path: Path) -> None:
    runner = CliRunner()
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    write(old)
    write(new, national=NATIONAL.replace("price: 8", "price: 7"))
    assert runner.invoke(app, ["check", str(old)]).exit_code == 0
    result = runner.invoke(app, ["diff", str(old), str(new)])
    assert result.exit_code == 1
    assert "tariffs calls prices world rates[0] price: 8 → 7" in result.output
    assert runner.invoke(app, ["diff", str(old), str(old)]).exit_code == 0
    write(new, national=NATIONAL.replace("percent: 10", "percent: -1"))
    faulty = runner.invoke(app, ["check", str(new)])
    assert faulty.exit_code == 1
    assert "national.yaml:24" in faulty.output.replace("\n", "")


def test_schema_names_every_section() -> None:
    result = CliRunner().invoke(app, ["schema"])
    assert result.exit_code == 0
    assert '"tariffs"' in result.output


def test_a_version_begins_by_the_national_clock() -> None:
    folder = read_folder(SAMPLE)
    assert effective_from_ms(folder.catalogues[0]) == 1_420_041_600_000  # 2015-01-01T00:00+08:00
