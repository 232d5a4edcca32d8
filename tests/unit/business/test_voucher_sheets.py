"""Sheets of vouchers: what the two principals of a batch may do, whatever order they try it in."""

import pytest

from business.vouchers.sheets import (
    ActivateVouchers,
    BlockVouchers,
    ExportVouchers,
    MakeSheet,
    Sheet,
    SheetAction,
    apply,
    decide,
)
from business.vouchers.terms import VoucherTerms
from charging.errors import Denied, Refused

NOW_MS = 1_000_000
MADE = MakeSheet(VoucherTerms("money", 5, "CNY"), (b"a" * 16, b"b" * 16), False, "operator/li")


def done(*actions: SheetAction) -> Sheet:
    sheet: Sheet | None = None
    for action in actions:
        for event in decide(sheet, action, NOW_MS):
            sheet = apply(sheet, event)
    assert sheet is not None
    return sheet


@pytest.mark.parametrize("numbers", [(), (1,)], ids=["all", "one"])
def test_whoever_blocks_what_he_made_does_not_activate_it_thereby(numbers: tuple[int, ...]) -> None:
    blocked = BlockVouchers("lost", numbers)
    sheet = done(MADE, blocked)
    with pytest.raises(Denied) as denied:
        decide(sheet, ActivateVouchers((), "operator/li"), NOW_MS)
    assert denied.value.reason == "SAME_PRINCIPAL"
    with pytest.raises(Refused) as refused:
        decide(sheet, ActivateVouchers((1,), "operator/wu"), NOW_MS)
    assert refused.value.reason == "VOUCHER_NOT_ACTIVE"
    sold = (MADE, blocked, ActivateVouchers((), "operator/wu"))
    again = done(*sold, BlockVouchers("recalled", ()), ActivateVouchers((), "operator/li"))
    assert again.state_of(2, NOW_MS) == "active"


def test_codes_are_told_to_the_principal_that_had_them_and_to_nobody_who_knows_his_key() -> None:
    sheet = done(MADE, ExportVouchers("printed", "operator/li"))
    assert decide(sheet, ExportVouchers("printed", "operator/li"), NOW_MS)
    for key, principal in (("printed", "operator/wu"), ("other", "operator/li")):
        with pytest.raises(Refused) as refused:
            decide(sheet, ExportVouchers(key, principal), NOW_MS)
        assert refused.value.reason == "VOUCHERS_EXPORTED"
