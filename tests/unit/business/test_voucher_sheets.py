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
    blocked = BlockVouchers("lost", numbers, "operator/li")
    sheet = done(MADE, blocked)
    with pytest.raises(Denied) as denied:
        decide(sheet, ActivateVouchers((), "operator/li"), NOW_MS)
    assert denied.value.reason == "SAME_PRINCIPAL"
    with pytest.raises(Refused) as refused:
        decide(sheet, ActivateVouchers((1,), "operator/wu"), NOW_MS)
    assert refused.value.reason == "VOUCHER_NOT_ACTIVE"
    sold = (MADE, blocked, ActivateVouchers((), "operator/wu"))
    again = done(*sold, BlockVouchers("recalled", (), "operator/wu"), ActivateVouchers((), "operator/li"))
    assert again.state_of(2, NOW_MS) == "active"


SHOP, OTHER_SHOP, LI = "distributor/shop", "distributor/other", "operator/li"


@pytest.mark.parametrize("numbers", [(), (1,)], ids=["all", "one"])
def test_what_an_operator_blocked_no_distributor_activates_again(numbers: tuple[int, ...]) -> None:
    sold = (MADE, ActivateVouchers((), SHOP))
    held = (*sold, BlockVouchers("stolen", numbers, LI))
    for more in ((), (BlockVouchers("mine, too", numbers, SHOP),), (BlockVouchers("mine", (), SHOP),)):
        sheet = done(*held, *more)
        with pytest.raises(Denied) as denied:
            decide(sheet, ActivateVouchers(numbers, SHOP), NOW_MS)
        assert denied.value.reason == "VOUCHERS_HELD"
        assert sheet.state_of(1, NOW_MS) == "blocked"
    freed = done(*held, ActivateVouchers(numbers, LI))
    assert freed.state_of(1, NOW_MS) == "active"
    again = done(*held, ActivateVouchers(numbers, LI), BlockVouchers("lost", numbers, SHOP))
    assert done(*held, ActivateVouchers(numbers, LI)).held == again.held == ()


def test_what_a_distributor_blocked_a_distributor_activates_again() -> None:
    sheet = done(MADE, ActivateVouchers((), SHOP), BlockVouchers("lost", (), SHOP), ActivateVouchers((), OTHER_SHOP))
    assert sheet.state_of(1, NOW_MS) == "active"


def test_a_distributor_does_not_begin_the_sale_of_what_an_operator_blocked_before() -> None:
    with pytest.raises(Denied) as denied:
        decide(done(MADE, BlockVouchers("wrong print", (), LI)), ActivateVouchers((), SHOP), NOW_MS)
    assert denied.value.reason == "VOUCHERS_HELD"


def test_codes_are_told_to_the_principal_that_had_them_and_to_nobody_who_knows_his_key() -> None:
    sheet = done(MADE, ExportVouchers("printed", "operator/li"))
    assert decide(sheet, ExportVouchers("printed", "operator/li"), NOW_MS)
    for key, principal in (("printed", "operator/wu"), ("other", "operator/li")):
        with pytest.raises(Refused) as refused:
            decide(sheet, ExportVouchers(key, principal), NOW_MS)
        assert refused.value.reason == "VOUCHERS_EXPORTED"
