# ruff: noqa: E501
"""Faults of catalogue files: each is found, with its file, its line and a sentence."""

import json
import re
from datetime import date
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from authoring.files import read_folder
from authoring.publication import effective_from_ms, zone_of
from charging.catalogue.document import pack, schema, unpack
from console.catalogues.catalog import app

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
    assert folder.warnings == []
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
        ("percent: 10}", "percent: ten}", 24, "discounts[0].percent: 'ten' can't stand here: write 0 to 100"),
        ("per: 60}]\n      - id", "pre: 60}]\n      - id", 18, "unknown field 'pre': write one of price, per, increment, from"),
        ("service: voice\n", "service: voice\n    service: data\n", 13, "is written twice"),
        ("version: 1\n", "version: nought\n", 2, "version: 'nought' can't stand here: write a whole number from 1"),
        ("unit: byte", "unit: octet", 5, "'octet' can't stand here: write one of byte, event, second"),
        ("{id: data, unit: byte}", "{unit: byte}", 5, "services[1]: 'id' is missing: write a service code"),
        ("{id: data, unit", "{id: Data.HD, unit", 5, "services[1].id: 'Data.HD' can't stand here: write a service code as requests"),
        ("bands:\n", "zones: [{id: z, places: [HK CSL]}]\nbands:\n", 6, "'HK CSL' can't stand here: write the code of a domain (GD) or"),
        ("unit: byte}", "unit: byte, item: a|b}", 5, "'a|b' can't stand here: write a name of letters"),
        ("version: 1\n", "version: 1\ncurrency: yuan\n", 3, "'yuan' can't stand here: write a code of ISO 4217"),
        ("version: 1\n", "version: 99999999999999999999999999\n", 2, "can't stand here: write a whole number from 1 to"),
        ("standard: true", "standard: maybe", 14, "'maybe' can't stand here: write true or false"),
        ("from: \"22:00\"", "from: 9:00", 7, "'9:00' can't stand here: write a time of the day: 08:30"),
        ("version: 1\n", "version: 1\nrounding: {places: 9}\n", 3, "'9' can't stand here: write a whole number from 0 to 6"),
        ("discounts:\n", "fees:\ndiscounts:\n", 23, "fees: '' can't stand here: write a list"),
        ("version: 1\n", "version: 1\nrounding: &r {mode: *r}\n", 3, "an alias that contains itself"),
        ("version: 1\n", "version: 1\n? [a]\n: b\n", 3, "unknown field"),
        ("version: 1\n", "version: 1\nx: \x07\n", 1, "special characters are not allowed"),
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
        (
            "overrides:\n",
            "tariffs: [{id: calls, service: data, prices: [{id: p, rates: [{price: 1}]}]}]\noverrides:\n",
            "put it under overrides",
        ),
        ("overrides:\n", "overrides:\n  bands: [{id: dawn}]\n", "'dawn' overrides nothing"),
        ("overrides:\n", "withdrawn: {discounts: [nine]}\noverrides:\n", "'nine' is not among the discounts"),
    ],
)
def test_a_region_overrides_only_what_is_there(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    found = lines_of(write(tmp_path, region=REGION.replace(old, new, 1)))
    assert len(found) == 1
    assert sentence in found[0]
    assert found[0].startswith("region.yaml:")


@pytest.mark.parametrize(
    ("old", "new", "warning"),
    [
        (
            "rates: [{price: 8, per: 60}]",
            "rates: [{price: 0.03, per: 1 h, increment: 1}]",
            "tariffs[0].prices[1].rates[0].increment: 1 of voice costs 0.000008333…, which half_up to 2 places makes nothing",
        ),
        ("percent: 10}", "percent: 0}", "discounts[0].percent: 0 % takes nothing off"),
        (
            "discounts:\n",
            "exclusive_groups: [{id: seasonal, choose: best}]\ndiscounts:\n",
            "exclusive_groups[0].id: no discount here is of group 'seasonal'",
        ),
    ],
)
def test_a_warning_is_printed_and_stops_nothing(tmp_path: Path, old: str, new: str, warning: str) -> None:
    text = NATIONAL.replace(old, new, 1).replace("version: 1\n", "version: 1\nrounding: {places: 2}\n", 1)
    write(tmp_path, national=text)
    assert lines_of(tmp_path) == []
    told = CliRunner().invoke(app, ["check", str(tmp_path)])
    assert told.exit_code == 0
    assert "warning: " in told.output
    assert warning in told.output.replace("\n", "")


def test_an_increment_that_a_minimum_or_connect_fee_makes_dear_is_not_warned_of(tmp_path: Path) -> None:
    cheap = "rates: [{price: 0.03, per: 1 h, increment: 1}]"
    rounded = NATIONAL.replace("version: 1\n", "version: 1\nrounding: {places: 2}\n", 1)
    for more in ("connect: 0.01, ", "minimum: 0.01, "):
        text = rounded.replace(
            "- id: world\n        rates: [{price: 8, per: 60}]", "- {id: world, " + more + cheap + "}"
        )
        write(tmp_path, national=text)
        assert read_folder(tmp_path).warnings == []


def test_all_faults_of_an_entry_are_told_at_once(tmp_path: Path) -> None:
    text = NATIONAL.replace("percent: 10", "percent: ten, stge: product").replace("unit: byte", "unit: octet, nam: x")
    found = lines_of(write(tmp_path, national=text.replace("version: 1", "version: nought")))
    for words in ("'ten'", "'stge'", "'octet'", "'nam'", "'nought'"):
        assert len([line for line in found if words in line]) == 1, found
    assert len(found) == 5


def test_a_file_nested_without_end_is_a_fault(tmp_path: Path) -> None:
    assert "not readable as YAML" in lines_of(write(tmp_path, national="services: " + "[" * 5_000))[0]


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


def test_a_faulty_folder_is_refused_before_anybody_is_asked(tmp_path: Path) -> None:
    write(tmp_path, national=NATIONAL.replace("percent: 10", "percent: ten"))
    result = CliRunner().invoke(app, ["publish", str(tmp_path), "--datacenter", "127.0.0.1:1"])
    assert result.exit_code == 1
    assert "'ten' can't stand here" in result.output.replace("\n", " ")
    assert "1 fault; nothing was published" in result.output


def test_the_examples_of_the_guide_are_sound(tmp_path: Path) -> None:
    guide = (SAMPLE.parent / "docs" / "catalogue.md").read_text(encoding="utf-8")
    national, region = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    assert lines_of(write(tmp_path, national, region)) == []
    assert [catalogue.domain for catalogue in read_folder(tmp_path).catalogues] == ["", "GD"]
    for text in (national, region):
        assert faults_by_schema(YAML(typ="safe").load(text), schema()) == []


def test_the_published_schema_is_the_models() -> None:
    result = CliRunner().invoke(app, ["schema"])
    assert result.exit_code == 0
    assert json.loads(result.output) == json.loads(json.dumps(schema()))
    published = (SAMPLE / "catalogue.schema.json").read_text(encoding="utf-8")
    assert published == result.output, "run `onetier catalog schema > catalogues/catalogue.schema.json`"


@pytest.mark.parametrize("path", sorted(SAMPLE.rglob("*.yaml")), ids=lambda path: path.name)
def test_an_editor_finds_no_fault_in_the_sample_by_the_schema(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=../catalogue.schema.json\n")
    assert faults_by_schema(YAML(typ="safe").load(path), schema()) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("unit: byte", "unit: octet"),
        ("percent: 10", "percent: ten"),
        ("per: 60", "pre: 60"),
        ("{id: data,", "{id: a b,"),
    ],
)
def test_an_editor_finds_faults_by_the_schema(old: str, new: str) -> None:
    assert faults_by_schema(YAML(typ="safe").load(NATIONAL), schema()) == []
    assert faults_by_schema(YAML(typ="safe").load(NATIONAL.replace(old, new, 1)), schema())


KINDS = {
    "string": str, "number": (int, float), "integer": int, "boolean": bool, "array": list, "object": dict, "null": type(None),
}  # fmt: skip


def faults_by_schema(value: object, node: dict, where: str = "$") -> list[str]:
    """Validate as an editor does, for whom a date is text; words of JSON schema that ours does not use are refused."""
    defs = node.get("$defs", {})

    def below(value: object, node: dict, where: str) -> list[str]:
        known = {"$schema", "$ref", "$defs", "title", "description", "default", "type", "properties", "required", "items",
                 "additionalProperties", "anyOf", "enum", "propertyNames", "pattern", "minimum", "maximum"}  # fmt: skip
        assert set(node) <= known, set(node) - known
        if "$ref" in node:
            return below(value, defs[node["$ref"].rpartition("/")[2]], where)
        if "anyOf" in node:
            found = [below(value, part, where) for part in node["anyOf"]]
            return [] if [] in found else found[0]
        value = value.isoformat() if isinstance(value, date) else value
        types = [node["type"]] if isinstance(node.get("type"), str) else node.get("type", [])
        if types and not any(isinstance(value, KINDS[name]) for name in types):
            return [f"{where}: {value!r} is no {types}"]
        if "enum" in node and value not in node["enum"]:
            return [f"{where}: {value!r} is none of {node['enum']}"]
        if isinstance(value, str) and "pattern" in node and not re.search(node["pattern"], value):
            return [f"{where}: {value!r} does not match"]
        if isinstance(value, list):
            return [each for i, item in enumerate(value) for each in below(item, node["items"], f"{where}[{i}]")]
        found = []
        if isinstance(value, dict):
            found += [f"{where}: no {name}" for name in node.get("required", []) if name not in value]
            for name, item in value.items():
                rule = node.get("properties", {}).get(name, node.get("additionalProperties", True))
                if rule is False:
                    found.append(f"{where}: {name} is unknown")
                elif rule is not True:
                    found += below(item, rule, f"{where}.{name}")
        return found

    return below(value, node, where)


def test_a_version_begins_by_the_national_clock() -> None:
    folder = read_folder(SAMPLE)
    assert (
        effective_from_ms(folder.catalogues[0], zone_of(folder.catalogues)) == 1_420_041_600_000
    )  # 2015-01-01T00:00+08:00


def test_no_fault_hides_another_of_any_kind(tmp_path: Path) -> None:
    """A price that can't be read, one that names what is not there, a date that does not exist: all at once."""
    wrong = (
        NATIONAL.replace("rates: [{price: 8, per: 60}]", "rates: [{price: 8, pre: 60}]")
        .replace("percent: 10}", "percent: ten}")
        .replace("allowances: [free]}", "allowances: [gratis]}")
        .replace("version: 1\n", "version: 1\nversion: 2\neffective_from: 2026-02-30\n")
        .replace("{id: data, unit: byte}", "{unit: byte}")
    )
    found = lines_of(write(tmp_path, wrong, REGION.replace("tariff: calls", "tariff: called")))
    told = [
        "national.yaml:3: version: is written twice",
        "national.yaml:4: effective_from: there is no 2026-02-30",
        "national.yaml:7: services[1]: 'id' is missing",
        "national.yaml:22: tariffs[0].prices[1].rates[0].pre: unknown field 'pre'",
        "national.yaml:26: discounts[0].percent: 'ten' can't stand here",
        "national.yaml:28: offerings[0].allowances[0]: 'gratis' is not among the allowances",
        "region.yaml:6: overrides.prices[0].tariff: 'called' is not among the tariffs",
    ]
    assert len(found) == len(told), found
    for line, begins in zip(found, told, strict=True):
        assert line.startswith(begins), line


def test_what_names_an_entry_that_could_not_be_read_is_not_blamed(tmp_path: Path) -> None:
    wrong = NATIONAL.replace(
        "{id: free, unit: second, quota: 100 min, when: {services: [voice]}}", "{id: free, unit: second}"
    )
    assert [line.partition(": write")[0] for line in lines_of(write(tmp_path, wrong))] == [
        "national.yaml:22: allowances[0]: 'quota' is missing"
    ]
