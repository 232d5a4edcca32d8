"""`onetier rate`: a CSV is rated with no server; what has no price goes to the side file with line and reason."""

import csv
from pathlib import Path

from typer.testing import CliRunner

from console.rate import app

CATALOGUES = Path(__file__).resolve().parents[3] / "catalogues"
HEADER = "identity,domain,offerings,service,start,quantity,other_party,visited"


def rate(
    folder: Path, *lines: str, header: str = HEADER
) -> tuple[int, list[dict[str, str]], list[dict[str, str]], str]:
    (folder / "usage.csv").write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    arguments = ["--catalog", str(CATALOGUES), "--usage", str(folder / "usage.csv"), "--out", str(folder / "out.csv")]
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, _rows(folder / "out.csv"), _rows(folder / "out.errors.csv"), result.output


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def test_regional_override_and_rounding_show_in_the_steps(tmp_path: Path) -> None:
    code, good, bad, _ = rate(
        tmp_path,
        "13012345678,GD,mobile-basic,voice,2026-11-23T10:00:00,130,13912345678,",
        "13012345678,BJ,mobile-basic,data,2026-11-23T10:00:00,12345678,,",
    )
    assert (code, bad) == (0, [])
    assert [row["amount"] for row in good] == ["0.6", "0.35"]
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
        ("4", "EVENT_TIME_MALFORMED"),
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
