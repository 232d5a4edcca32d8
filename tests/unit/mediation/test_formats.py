"""Formats: what a page says, and every fault of one, with its line."""

import re
from pathlib import Path

import pytest

from mediation.formats.reading import read_format, read_formats
from mediation.line import read_rules
from mediation.written import FaultyFile

FORMATS = Path(__file__).resolve().parents[3] / "mediation" / "samples" / "formats"
GOOD = (FORMATS / "gx-voice.yaml").read_text(encoding="utf-8")


def faults(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "f.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FaultyFile) as caught:
        read_format(file)
    return [f"{fault.line}: {fault.message}" for fault in caught.value.faults]


def test_the_formats_of_the_samples_are_read() -> None:
    assert {"gx-voice", "hx-sms", "pgw-data", "smf"} <= set(read_formats(FORMATS))


@pytest.mark.parametrize(
    ("was", "becomes", "fault"),
    [
        ("from: caller", "from: callr", "6: identity.from: names column 'callr', and there is none of that name"),
        ("zone: Asia/Shanghai", "zone: Asia/Shanghi", "8: start.read: zone: 'Asia/Shanghi' is no zone"),
        (", zone: Asia/Shanghai", "", "8: start.read: zone: write the switch's zone"),
        ("{type: duration}", "{type: text}", "9: quantity.read: must be of type duration or integer"),
        ("{value: voice}", "{value: voice, empty: x}", "7: service.empty: has no effect beside value"),
        ("{value: voice}", "{value: voice, else: {value: sms}}", "7: service.else: has no effect without from"),
        (
            "{type: duration}",
            "{type: duration}, else: {from: cause, read: {type: text}}",
            "9: quantity.else.read: must be of type duration or integer",
        ),
        ("{type: duration}", "{type: duration}, else: {from: caus}", "9: quantity.else.from: names column 'caus'"),
        ("{value: voice}", "{}", "7: service: must have either from or value"),
        ("key: [id, caller, began]", "key: []", "13: key: must name at least one column"),
        ("key: [id, caller, began]", "key: [ident]", "13: key.0: names column 'ident'"),
        ("encoding: gb18030", "encoding: gb99", "4: encoding: 'gb99' is no encoding"),
        ("layout: delimited", "layout: delimeted", "3: records"),
        ("cause]", "cause, id]", "3: records.columns: has 'id' twice"),
        ("about:", "abuot:", "2: abuot: is no field here"),
        ('trailer: "END", ', "", "5: lines.count: has no effect without trailer"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, was: str, becomes: str, fault: str) -> None:
    assert was in GOOD
    told = faults(tmp_path, GOOD.replace(was, becomes))
    assert any(each.startswith(fault) for each in told), told


@pytest.mark.parametrize("text", ["", "[]", "a: *b", "format: [", "\x00", "format: x\nformat: y"])
def test_what_is_no_format_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    assert faults(tmp_path, text)


def test_two_formats_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(GOOD, encoding="utf-8")
    with pytest.raises(FaultyFile, match="'gx-voice' is the name of another format, too"):
        read_formats(tmp_path)


def test_the_page_about_mediation_shows_files_that_work(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "mediation.md").read_text(encoding="utf-8")
    sources, form = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "formats").mkdir()
    (tmp_path / "formats" / "gx.yaml").write_text(form, encoding="utf-8")
    (tmp_path / "formats" / "pgw.yaml").write_text((FORMATS / "pgw-data.yaml").read_text("utf-8"), encoding="utf-8")
    (tmp_path / "sources.yaml").write_text(sources, encoding="utf-8")
    rules = read_rules(tmp_path)
    assert [source.source for source in rules.sources] == ["gx", "pgw"]
    assert form == GOOD
