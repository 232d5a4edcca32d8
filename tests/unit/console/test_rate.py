"""`onetier rate`: a CSV is rated with no server; what has no price goes to the side file with line and reason."""

import csv
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.catalogues.rate import app

CATALOGUES = Path(__file__).resolve().parents[3] / "catalogues"
HEADER = "identity,domain,offerings,service,start,quantity,other_party,visited"


def rate(
    folder: Path, *lines: str, header: str = HEADER
) -> tuple[int, list[dict[str, str]], list[dict[str, str]], str]:
    (folder / "usage.csv").write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    return rated(folder)


def rated(folder: Path, out_name: str = "out.csv") -> tuple[int, list[dict[str, str]], list[dict[str, str]], str]:
    arguments = ["--catalog", str(CATALOGUES), "--usage", str(folder / "usage.csv"), "--out", str(folder / out_name)]
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, _rows(folder / "out.csv"), _rows(folder / "out.errors.csv"), result.output


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def test_regional_override_and_rounding_show_in_the_steps(tmp_path: Path) -> None:
    code, good, bad, _ = rate(
        tmp_path,
        "13012345678,GD,mobile-basic,voice,2026-11-23T10:00:00,130,13912345678,",
        "13012345678,BJ,mobile-basic,data,2026-11-23T10:00:00,12345678,,",
    )
    assert (code, bad) == (0, [])
    assert [row["amount"] for row in good] == ["0.6", "0.353232"]
    assert "[GD]" in good[0]["steps"]
    assert "Rounded once" in good[1]["steps"]


def test_allowances_run_on_from_line_to_line(tmp_path: Path) -> None:
    line = "13012345678,HB,mobile-59,voice,2026-11-23T1{}:00:00,3600,13912345678,"
    _, good, _, _ = rate(tmp_path, line.format(0), line.format(2))
    # 100 minutes are free: the first hour and forty minutes of the second; twenty minutes at 0.25 are left.
    assert [row["amount"] for row in good] == ["0", "5"]


def test_lines_without_a_price_are_told_with_their_reason(tmp_path: Path) -> None:
    code, good, bad, output = rate(
        tmp_path,
        "13012345678,BJ,mobile-basic,tv,2026-11-23T10:00:00,1,,",
        "not-a-number,BJ,mobile-basic,sms,2026-11-23T10:00:00,1,,",
        "13012345678,BJ,mobile-basic,sms,yesterday,1,,",
        "13012345678,BJ,mobile-basic,sms,2026-11-23T10:00:00,many,,",
        "13012345678,BJ,mobile-basic,sms,2026-11-23T10:00:00,-1,,",
        "13012345678,BJ,,sms,2026-11-23T10:00:00,1,,",
        "13012345678,BJ,mobile-basic,sms,2026-11-23T10:00:00,1,13912345678,",
    )
    assert code == 0
    assert [row["amount"] for row in good] == ["0.1"]
    assert [(row["line"], row["reason"]) for row in bad] == [
        ("2", "SERVICE_NOT_SUBSCRIBED"),
        ("3", "IDENTITY_MALFORMED"),
        ("4", "EVENT_TIME_INVALID"),
        ("5", "QUANTITY_INVALID"),
        ("6", "QUANTITY_INVALID"),
        ("7", "OFFERINGS_MISSING"),
    ]
    assert "tv-standard" in bad[0]["nearest"]
    assert "refused 6 lines" in output


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    code, _, _, output = rate(tmp_path, "13012345678,1", header="identity,quantity")
    assert code == 1
    assert "no column domain, offerings, service, start" in output.replace("\n", " ")


def test_it_needs_no_server_and_shows_its_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("no server is asked")

    monkeypatch.setattr(socket, "socket", refuse)
    code, good, _, output = rate(tmp_path, "13012345678,HB,mobile-basic,sms,2026-11-23T10:00:00,1,13912345678,")
    assert (code, good[0]["amount"]) == (0, "0.1")
    assert "rating" in output
    assert "bytes" in output
    assert "by the national catalogue alone, for lack of a regional one: HB" in output


def test_attributes_and_agreements_of_all_levels_count(tmp_path: Path) -> None:
    header = "identity,domain,offerings,service,start,quantity,other_party,customer.grade,account_agreements,note"
    line = "13012345678,HB,mobile-basic,voice,2026-11-23T10:00:00,60,13912345678,{}"
    lines = (line.format(",,x"), line.format("gold,,"), line.format("gold,corporate-voice,"))
    code, good, bad, output = rate(tmp_path, *lines, header=header)
    # 0.25; 5 % off for gold: 0.2375 → 0.24; 15 % more by the account's agreement: 0.201875 → 0.20
    assert (code, bad, [row["amount"] for row in good]) == (0, [], ["0.25", "0.24", "0.2"])
    assert "columns handed on without a look: note" in output
    assert good[0]["note"] == "x"


def test_accumulators_are_per_cycle_of_the_account(tmp_path: Path) -> None:
    line = "13012345678,HB,mobile-59,sms,2026-11-{}T10:00:00,50,13912345678,,15"
    _, good, _, _ = rate(tmp_path, line.format(14), line.format(14), line.format(15), header=HEADER + ",cycle_day")
    assert [row["amount"] for row in good] == ["0", "5", "0"]


MALFORMED = [
    ("13012345678,BJ,mobile-basic,sms,2026-11-23T10:00:00,1,13912345678,,5", "LINE_MALFORMED"),
    ("13012345678,BJ,mobile-basic,sms", "LINE_MALFORMED"),
    ("13012345678,BJ,mobile-basic,sms,2026-11-23T10:00:00,1,\udcff13912345678,", "LINE_MALFORMED"),
    ('13012345678,BJ,mobile-basic,sms,2026-11-23T10:00:00,1,"' + "1" * 200_000 + '",', "LINE_MALFORMED"),
    ("13012345678,BJ,mobile-basic,sms,2026-11-23T10:00:00,1_0,13912345678,", "QUANTITY_INVALID"),
    ("13012345678,BJ,mobile-basic,sms,2026-11-23T10:00:00,²,13912345678,", "QUANTITY_INVALID"),
    ("13012345678,BJ,mobile-basic,sms,2026-11-23T10:00:00,1.0,13912345678,", "QUANTITY_INVALID"),
    ("13012345678,BJ,mobile-basic,sms,2026-11-23T10:00:00," + "9" * 40 + ",13912345678,", "QUANTITY_INVALID"),
    ("13012345678,BJ,mobile-basic,sms," + "9" * 40 + ",1,13912345678,", "EVENT_TIME_INVALID"),
    ("13012345678,BJ,mobile-basic,sms,9999-12-31T00:00:00,1,13912345678,", "EVENT_TIME_INVALID"),
    ("13012345678,BJ,mobile-basic,sms,2014-12-31T23:59:59,1,13912345678,", "CATALOGUE_MISSING"),
    ("13012345678,,mobile-basic,sms,2026-11-23T10:00:00,1,13912345678,", "REGION_UNKNOWN"),
    ("13012345678,BJ,mobile-basic;moblie-59,sms,2026-11-23T10:00:00,1,13912345678,", "OFFERING_UNKNOWN"),
    ("13012345678,BJ,mobile-basic,sms,2026-11-23T10:00:00,1,(),", "PARTY_MALFORMED"),
    ("13012345678,BJ,mobile-basic,fax,2026-11-23T10:00:00,1,13912345678,", "SERVICE_UNKNOWN"),
]


def test_no_malformed_line_is_priced_or_ends_the_run(tmp_path: Path) -> None:
    sound = "13012345678,BJ,mobile-basic,sms,2026-11-23T10:00:00,1,13912345678,"
    lines = [sound, *(line for line, _ in MALFORMED), sound]
    text = "\ufeff" + "\n".join((HEADER, *lines)) + "\n"
    (tmp_path / "usage.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
    code, good, bad, output = rated(tmp_path)
    assert code == 0, output
    assert [row["amount"] for row in good] == ["0.1", "0.1"]
    assert [row["reason"] for row in bad] == [reason for _, reason in MALFORMED]
    assert [int(row["line"]) for row in bad] == list(range(3, 3 + len(MALFORMED)))
    assert all(row["message"] for row in bad)


def test_an_agreement_that_is_not_there_is_refused(tmp_path: Path) -> None:
    line = "13012345678,BJ,mobile-basic,sms,2026-11-23T10:00:00,1,13912345678,,corporate"
    _, good, bad, _ = rate(tmp_path, line, header=HEADER + ",agreements")
    assert (good, bad[0]["reason"]) == ([], "AGREEMENT_UNKNOWN")
    assert "corporate-voice" in bad[0]["message"]


@pytest.mark.parametrize(
    ("out_name", "header", "told"),
    [
        ("usage.csv", HEADER, "would overwrite the usage"),
        ("there/out.csv", HEADER, "there is no such folder"),
        ("out.csv", HEADER + ",start", "has column start twice"),
        ("out.csv", "", "has no column identity"),
    ],
)
def test_what_can_not_begin_says_why(tmp_path: Path, out_name: str, header: str, told: str) -> None:
    (tmp_path / "usage.csv").write_text(header + "\n", encoding="utf-8")
    code, *_, output = rated(tmp_path, out_name)
    assert code == 1
    assert told in output.replace("\n", " ")
    assert (tmp_path / "usage.csv").read_text(encoding="utf-8") == header + "\n"
