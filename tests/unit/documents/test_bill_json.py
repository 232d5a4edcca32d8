"""Bills as JSON: what is written is read back, what does not add up is not printed; texts, amounts and fonts."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import cn2an
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from charging.bills.bill import MoneyMoved, PeriodBalance
from charging.bills.crediting import all_left, credit_note
from charging.errors import Invalid, NotFound
from console.operations.billing import app
from documents import fonts
from documents.document import BillDocument
from documents.jsonform import decimal, from_json, micro, schema, to_json
from documents.layout import fitted
from documents.words import WORDS, amount_text, spelled
from testkit.bills import a_bill, a_document

SCHEMA = Path(__file__).resolve().parents[3] / "docs" / "bill.schema.json"


@pytest.mark.parametrize("document", [a_document(), a_document(2, "en", details=9), BillDocument(a_bill())])
def test_a_document_is_read_back_as_it_was_written(document: BillDocument) -> None:
    assert from_json(to_json(document)) == document


def test_a_credit_note_and_a_balance_are_read_back_too() -> None:
    bill = a_bill()
    note = credit_note(bill, all_left(bill, {}), {}, day="2026-02-05", carried_in=bill.carried_out)
    assert from_json(to_json(BillDocument(note))).bill == note
    balance = PeriodBalance(5, (MoneyMoved("2026-01-05", "top-up", bill.gross, "k"),), 5)
    with_balance = msgspec.structs.replace(bill, balance=balance)
    assert from_json(to_json(BillDocument(with_balance))).bill == with_balance


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (("total",), "119.05", "BILL_WRONG"),
        (("payable",), "0", "BILL_WRONG"),
        (("lines", 0, "tax"), "4.88", "BILL_WRONG"),
        (("lines", 0, "net"), 54.13, "DOCUMENT_UNREADABLE"),
        (("lines", 0, "net"), "54.1300001", "DOCUMENT_UNREADABLE"),
        (("lines", 0, "colour"), "red", "DOCUMENT_UNREADABLE"),
        (("due_day",), "tomorrow", "DOCUMENT_UNREADABLE"),
        (("form",), "onetier.bill/2", "DOCUMENT_UNREADABLE"),
    ],
)
def test_what_is_changed_in_a_document_is_found(path: tuple[str | int, ...], value: object, reason: str) -> None:
    tree = json.loads(to_json(a_document()))
    node = tree
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    with pytest.raises(Invalid) as caught:
        from_json(json.dumps(tree).encode())
    assert caught.value.reason == reason


def test_the_schema_in_the_documents_is_the_models() -> None:
    assert json.loads(SCHEMA.read_text("utf-8")) == json.loads(json.dumps(schema())), (
        "run `onetier billing document --schema > docs/bill.schema.json`"
    )


@given(st.integers(-(10**18), 10**18))
def test_amounts_are_read_as_they_were_written(amount: int) -> None:
    assert micro(decimal(amount)) == amount


@given(st.integers(1, 10**14))
def test_an_amount_in_chinese_words_is_read_back_as_the_same_amount(cents: int) -> None:
    words = spelled(cents * 10_000, "CNY", "zh").removeprefix("人民币")
    yuan, _, rest = words.partition("元")
    if "元" not in words:
        yuan, rest = "零", words
    digits = {"零": 0, "壹": 1, "贰": 2, "叁": 3, "肆": 4, "伍": 5, "陆": 6, "柒": 7, "捌": 8, "玖": 9}
    jiao = digits[rest[rest.index("角") - 1]] if "角" in rest else 0
    fen = digits[rest[rest.index("分") - 1]] if "分" in rest else 0
    assert cn2an.cn2an(yuan, "strict") * 100 + jiao * 10 + fen == cents


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (99_040_000, "人民币玖拾玖元零肆分"),
        (100_000_000, "人民币壹佰元整"),
        (10_500_000, "人民币壹拾元伍角"),
        (50_000, "人民币伍分"),
        (-3_500_000, "人民币负叁元伍角"),
        (1_005_060_000, "人民币壹仟零伍元零陆分"),
        (1_000, ""),
    ],
)
def test_amounts_in_chinese_words_are_those_of_the_banks(amount: int, words: str) -> None:
    assert spelled(amount, "CNY", "zh") == words
    assert spelled(amount, "CNY", "en") == spelled(amount, "USD", "zh") == ""


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (1_234_500_000, "CNY", "1,234.50"),
        (-3_000, "CNY", "-0.003"),
        (5_478_000_000, "JPY", "5,478"),
        (500_000, "JPY", "0.5"),
        (1_500_000, "KWD", "1.500"),
        (0, "CNY", "0.00"),
    ],
)
def test_amounts_have_the_places_of_their_currency_and_more_where_there_is_more(
    amount: int, currency: str, text: str
) -> None:
    assert amount_text(amount, currency) == text


def test_each_language_has_all_words() -> None:
    assert WORDS["zh"].keys() == WORDS["en"].keys()


@pytest.mark.parametrize(
    ("text", "width", "cut"),
    [
        ("calls", 5, "calls"),
        ("calls!", 5, "call…"),
        ("语音通话", 8, "语音通话"),
        ("语音通话", 7, "语音…"),
        ("a\nb", 9, "a b"),
    ],
)
def test_a_text_is_cut_to_one_line_of_its_column(text: str, width: int, cut: str) -> None:
    assert fitted(text, width) == cut


def test_a_font_that_is_another_is_not_used(tmp_path: Path) -> None:
    (tmp_path / fonts.FILE).write_bytes(b"OTTO")
    with pytest.raises(NotFound, match=r"is not the font of font\.sha256") as caught:
        fonts.font_folder(print, tmp_path)
    assert caught.value.reason == "FONT_MISSING"


def test_without_apt_the_font_is_asked_for_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(fonts, "INSTALLED", tmp_path / "nowhere")
    with pytest.raises(NotFound, match=r"put wqy-microhei.ttc into "):
        fonts.font_folder(print, tmp_path / "cache")


def test_the_font_is_unpacked_from_a_package_without_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:xz") as archive:
        member = tarfile.TarInfo(f"./usr/share/fonts/truetype/wqy/{fonts.FILE}")
        member.size = 4
        archive.addfile(member, io.BytesIO(b"font"))
    archive = b"!<arch>\n" + _part("debian-binary", b"2.0\n") + _part("data.tar.xz", packed.getvalue())
    assert fonts.unpacked(archive) == b"font"
    for broken in (b"", archive[:70], b"!<arch>\n" + _part("control.tar.xz", b"x")):
        with pytest.raises(ValueError, match=r"no wqy-microhei\.ttc"):
            fonts.unpacked(broken)
    apt = tmp_path / "apt-get"
    apt.write_text(f"#!/bin/sh\ncp {tmp_path}/made.deb fonts-wqy-microhei_1_all.deb\n")
    apt.chmod(0o755)
    (tmp_path / "made.deb").write_bytes(archive)
    monkeypatch.setattr(fonts.shutil, "which", lambda _: str(apt))
    monkeypatch.setattr(fonts, "INSTALLED", tmp_path / "nowhere")
    checksum = tmp_path / "font.sha256"
    checksum.write_text(hashlib.sha256(b"font").hexdigest() + "  font")
    monkeypatch.setattr(fonts, "CHECKSUM", checksum)
    assert (fonts.font_folder(print, tmp_path / "cache") / fonts.FILE).read_bytes() == b"font"


def _part(name: str, content: bytes) -> bytes:
    return (
        f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode() + content + b"\n" * (len(content) % 2)
    )


def test_the_command_prints_a_bill_from_its_json(tmp_path: Path) -> None:
    source = tmp_path / "bill.json"
    source.write_bytes(to_json(a_document()))
    command = ["document", "--from", str(source), "--to", str(tmp_path / "out")]
    result = CliRunner().invoke(app, [*command, "--language", "en", "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.output.splitlines()[-1])
    assert told["number"] == "GD-2026-000000001"
    assert Path(told["path"]).read_bytes().startswith(b"%PDF-")
    assert CliRunner().invoke(app, [*command, "--language", "fr"]).exit_code == 2
    assert CliRunner().invoke(app, ["document"]).exit_code == 2


def test_of_several_files_the_one_that_holds_no_bill_is_named(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_bytes(to_json(a_document()))
    bad.write_text("x")
    result = CliRunner().invoke(app, ["document", "--from", str(good), "--from", str(bad), "--to", str(tmp_path)])
    assert isinstance(result.exception, Invalid)
    assert result.exception.reason == "DOCUMENT_UNREADABLE"
    assert str(bad) in result.exception.message


def test_the_name_of_a_file_stays_in_its_folder(tmp_path: Path) -> None:
    document = a_document()
    document = msgspec.structs.replace(document, bill=msgspec.structs.replace(document.bill, number="../../etc/x"))
    source = tmp_path / "bill.json"
    source.write_bytes(to_json(document))
    out = tmp_path / "out"
    result = CliRunner().invoke(app, ["document", "--from", str(source), "--to", str(out)])
    assert result.exit_code == 0, result.output
    assert [path.name for path in out.iterdir()] == ["_.._etc_x.pdf"]
