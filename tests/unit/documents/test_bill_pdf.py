"""Bills as PDFs, read back by another program: everything is on them, in both languages, whoever wrote the texts."""

import io
import os
import signal
from functools import cache
from pathlib import Path

import msgspec
import pytest
from pypdf import PdfReader

from charging.bills.crediting import all_left, credit_note
from charging.errors import Invalid, Unavailable
from documents.document import BillDocument
from documents.fonts import font_folder
from documents.printing import BATCH_DOCUMENTS, PrintWorker, print_all
from documents.typesetting import Typesetter
from testkit.bills import a_bill, a_document


@cache
def fonts() -> Path:
    return font_folder(print)


@cache
def setter() -> Typesetter:
    return Typesetter(fonts())


def pages(pdf: bytes) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages]


def test_a_bill_in_chinese_says_all_of_it() -> None:
    (page,) = pages(setter().pdf(a_document()))
    for words in (
        "华南通信 账单 王小明 体育西路 1 号 510000",
        "账单编号 GD-2026-000000001",
        "账单周期 2026-01-01 至 2026-01-31",
        "本期应付 99.04 元 人民币玖拾玖元零肆分 请于 2026-02-16 前缴纳",
        "本期账单金额 119.04 已由余额支付 -20.00 以前账单未付 3.00",
        "2025-08 2025-09 2025-10 2025-11 2025-12 2026-01",
        "畅享套餐 59 元 54.13 4.87 59.00 语音通话 11.325678 1.02 12.345678",
        "移动数据流量 · 2025-12/1 补记 2.83 0.17 3.00",
        "畅享套餐 59 元 · VIP 优惠, A 级优惠 -9.17 -0.83 -10.00",
        "增值电信服务 6 % 2.83 0.17 3.00",
        "2026-02-01 账户余额 20.00 2026-02-03 缴费 alipay-77 50.00",
        "零头转入下期",
        "第 1 页，共 1 页",
    ):
        assert words in page


def test_a_bill_in_english_says_all_of_it() -> None:
    (page,) = pages(setter().pdf(a_document(language="en")))
    for words in (
        "South Telecom Bill Wang Xiaoming",
        "Period 2026-01-01 to 2026-01-31",
        "To pay 99.04 CNY Please pay by 2026-02-16",
        "This bill 119.04 Paid from your balance -20.00 Open of earlier bills 3.00",
        "Plan 59 · VIP, discount, level A -9.17 -0.83 -10.00",
        "Mobile data · late, of 2025-12/1 2.83 0.17 3.00",
        "How it was settled",
        "Page 1 of 1",
    ):
        assert words in page


def test_detail_records_follow_on_pages_of_their_own() -> None:
    found = pages(setter().pdf(a_document(details=200)))
    assert len(found) == 5
    assert "详单" in found[1]
    assert all("时间 号码 项目 对方 用量 金额" in page for page in found[1:])
    assert sum(page.count("2026-01-") for page in found[1:]) == 200
    assert found[4].endswith("第 5 页，共 5 页")


def test_a_credit_note_says_which_bill_it_takes_back_and_what_is_given() -> None:
    bill = a_bill()
    note = credit_note(bill, all_left(bill, {}), {}, day="2026-02-05", carried_in=bill.carried_out)
    (page,) = pages(setter().pdf(msgspec.structs.replace(a_document(language="en"), bill=note)))
    assert "Credit note" in page
    assert "Takes back of bill GD-2026-000000001" in page
    assert "In your favour 119.04 CNY" in page


def test_equal_documents_are_equal_to_the_byte() -> None:
    assert setter().pdf(a_document(3)) == setter().pdf(a_document(3))


def test_many_bills_in_one_file_count_their_own_pages() -> None:
    found = pages(setter().bundle([a_document(1), a_document(2, "en", details=80), a_document(3)]))
    assert [page.split()[-1] for page in (found[1], found[2], found[3])] == ["3", "3", "3"]
    assert "Page 2 of 3" in found[2]
    assert found[0].endswith("第 1 页，共 1 页")
    assert found[4].endswith("第 1 页，共 1 页")


def test_what_a_customer_wrote_is_never_markup() -> None:
    hostile = '#panic("x") $ a_b $ *b* = `c` \\ <end-0> @preview \\n \\" \\u{41} ")))#panic()'
    (page,) = pages(setter().pdf(msgspec.structs.replace(a_document(), name=hostile, address=(hostile,))))
    assert page.count(hostile) == 2


def test_a_text_that_is_too_long_for_a_line_makes_its_row_higher() -> None:
    def settled_by(reference: str) -> float:
        (payment,) = a_document().payments
        document = msgspec.structs.replace(
            a_document(language="en"), payments=(msgspec.structs.replace(payment, reference=reference),)
        )
        (page,) = PdfReader(io.BytesIO(setter().pdf(document))).pages
        found: list[float] = []
        page.extract_text(
            visitor_text=lambda text, cm, tm, *_: found.append(cm[5]) if "Prices include" in text else None
        )
        return min(found)

    assert settled_by("W" * 22) == settled_by("w")
    assert settled_by("W" * 22 + " " + "W" * 22) < settled_by("w")


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("#let x = (", "unclosed delimiter"),
        ("#nonsense()", "unknown variable"),
        ("= A page", "does not contain `bills`"),
        ("#let bills(sheets) = sheets.first().payee", "does not contain key"),
        ('#read("/etc/hostname")', "file not found"),
        ('#read("../outside.txt")', "escape the project root"),
        ('#import "@preview/tablex:0.0.1": tablex', "it asks for a package"),
        (b"\xff\xfe", "can't decode"),
        (None, "No such file"),
    ],
)
def test_a_template_with_a_fault_has_a_reason_of_its_own(
    tmp_path: Path, template: str | bytes | None, why: str
) -> None:
    (tmp_path / "outside.txt").write_text("secret")
    folder = tmp_path / "templates"
    folder.mkdir()
    path = folder / "own.typ"
    if template is not None:
        path.write_bytes(template if isinstance(template, bytes) else template.encode())
    with pytest.raises(Invalid) as caught:
        Typesetter(fonts(), path).pdf(a_document())
    assert caught.value.reason == "TEMPLATE_FAULTY"
    assert why in caught.value.message


def test_an_operators_own_template_gets_the_same_data(tmp_path: Path) -> None:
    own = tmp_path / "own.typ"
    own.write_text("#let bills(sheets) = {\n set text(font: sheets.first().fonts)\n sheets.first().number\n}")
    assert pages(Typesetter(fonts(), own).pdf(a_document(9))) == ["GD-2026-000000009"]


def test_a_process_that_has_grown_is_replaced_and_the_documents_are_the_same() -> None:
    worker = PrintWorker(fonts(), memory_bytes_max=1)
    try:
        first, second = worker.pdfs([a_document(1)]), worker.pdfs([a_document(1)])
    finally:
        worker.stop()
    assert first == second == [setter().pdf(a_document(1))]
    assert worker.started == 2


def test_a_process_that_dies_loses_its_batch_by_name_and_the_next_is_printed() -> None:
    worker = PrintWorker(fonts())
    try:
        (first,) = worker.pdfs([a_document(1)])
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(Unavailable, match="died over 1 documents") as caught:
            worker.pdfs([a_document(1)])
        assert caught.value.reason == "PRINTER_LOST"
        assert worker.pdfs([a_document(1)]) == [first]
    finally:
        worker.stop()


def test_many_documents_come_in_their_order_from_several_processes() -> None:
    wanted = [f"GD-2026-{number:09d}" for number in range(2 * BATCH_DOCUMENTS + 1)]
    documents = (a_document(number) for number in range(len(wanted)))
    found = [PdfReader(io.BytesIO(pdf)).metadata for pdf in print_all(documents, fonts(), workers=2)]
    assert [str(one.title).split()[-1] for one in found if one is not None] == wanted


def test_a_fault_in_a_batch_comes_through(tmp_path: Path) -> None:
    (tmp_path / "own.typ").write_text("#let x = (")
    worker = PrintWorker(fonts(), tmp_path / "own.typ")
    try:
        with pytest.raises(Invalid, match="unclosed delimiter"):
            worker.pdfs([a_document()])
    finally:
        worker.stop()


def test_a_bill_without_anything_beside_it_is_a_document_too() -> None:
    (page,) = pages(setter().pdf(BillDocument(a_bill())))
    assert "plan-59" in page
