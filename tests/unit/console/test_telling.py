"""How the console writes and reads amounts, and how it tells that something goes on."""

from io import StringIO

import pytest
import typer
from onetier.v1 import service_desk_pb2 as desk
from rich.console import Console

from console import report
from console.frontend.beforehand import preview_lines
from console.report import major
from console.systems.narrator import Narrator
from console.values import micro_units
from country.sending import Advance, Sent


@pytest.mark.parametrize(
    ("micro", "text"), [(0, "0.00"), (1, "0.000001"), (1_234_500_000, "1,234.50"), (-250_000, "-0.25")]
)
def test_yuan_are_written_exactly(micro: int, text: str) -> None:
    assert major(micro) == text


def test_amounts_are_told_in_the_currency_of_the_account() -> None:
    moved = desk.BookMovement(book_id="main", unit="money", before=0, after=5_000_000)
    view = desk.BalanceView(currency="KWD", books=[desk.BalanceBook(book_id="main", unit="money", amount=5_000_000)])
    line = desk.HistoryLine(amount=5_000_000, movements=[moved])
    for told in (
        report.balance_lines(view),
        report.history_lines(line, "KWD"),
        report.result_lines(desk.ChargeResult(currency="KWD", movements=[moved])),
        report.explanation_lines(line, "KWD"),
    ):
        text = "\n".join(told)
        assert "5.00 KWD" in text
        assert "yuan" not in text


def test_amounts_are_read_exactly() -> None:
    assert micro_units("12.345678") == 12_345_678
    for wrong in ("12.3456789", "much", "nan", "inf", "1e400", "1.0000000000000000000000000000000001", "1e999999999"):
        with pytest.raises(typer.BadParameter):
            micro_units(wrong)


@pytest.mark.parametrize("terminal", [True, False])
async def test_a_sending_shows_how_far_it_is_and_how_fast_it_was(terminal: bool) -> None:
    shown = StringIO()
    out = Console(file=shown, force_terminal=terminal, width=120)

    async def work(advance: Advance) -> Sent:
        advance(1_000)
        advance(234)
        return Sent(1_234, 2.0, [])

    sent = await Narrator(out).with_bar("usage sent", 1_234, work)
    assert sent.per_second == 617
    assert ("1234/1234" in shown.getvalue()) == terminal
    assert "usage sent: 1,234 in 2.0 s, 617/s" in shown.getvalue()


def test_a_gift_is_told_beforehand_with_price_fee_and_end() -> None:
    gift = desk.PreviewGift(
        to_identity="msisdn:8613900000001", offering="week", quantity=1, price=10_000_000, fee=500_000
    )
    gift.valid_from_ms, gift.valid_to_ms = 0, 86_400_000
    told = list(preview_lines(desk.PreviewResult(amount=10_000_000, currency="CNY", domain="GD", gift=gift)))
    assert told[1].startswith("  msisdn:8613900000001 would get 1 × week, from ")
    assert " until " in told[1]
    assert told[2] == "    price 10.00, fee of the gift 0.50"
