"""Discounts of bills are rated again: one that the catalogue does not give is told, however well it is explained."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from audit.bill_rerating import NO_CONTRACT
from audit.rerating import RegionCatalogues, Rerater
from charging.base.contract import Contract
from charging.base.usage import Usage
from charging.bills.bill import DISCOUNT, Bill
from charging.bills.taxtable import TaxTable
from charging.catalogue.document import from_plain, pack
from charging.ledger.auditing import audit
from charging.ledger.commands.close_period import PeriodClosed
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.entry import Entry
from charging.ledger.ledger import seal
from charging.plans.timeline import Timeline
from charging.rating.bill_discounts import bill_discounts
from charging.rating.closing import closing_of, ended_ms, sums_of
from charging.wire import CatalogueRef
from testkit.examples import ALICE
from testkit.ledger import START_MS, Desk, charge_of, opening

YUAN = 1_000_000
CONTENT = {
    "catalogue": "test", "version": "1", "currency": "CNY", "rounding": {"mode": "half_up", "places": "6"},
    "discounts": [
        {"id": "staff", "stage": "product", "percent": "20", "applies_to": ["bill"], "when": {"items": ["voice"]}}
    ],
}  # fmt: skip
REFS = (CatalogueRef("", 1, 0, pack(from_plain(CONTENT))),)


def journal() -> list[Entry]:
    """A month of an account, and its bill, of which the catalogue takes a fifth off."""
    desk = Desk()
    desk.do(ALICE, replace(opening(ALICE, 90 * YUAN), payment_mode="postpaid"))
    account = desk.accounts[ALICE]
    sealed = replace(seal(charge_of(50 * YUAN)), item="voice")
    desk.do(ALICE, PostCharge(Usage(ALICE, "voice", START_MS, 60), sealed, account.version, account.mark))
    desk.now_ms += 31 * 86_400_000
    account = desk.accounts[ALICE]
    month = account.terms.closed + 1
    last_ms = ended_ms(account, month) - 1
    plan = Timeline.build(REFS, "GD", "UTC").plan_at(last_ms)
    off = bill_discounts(plan, [Contract(ALICE, ALICE, "GD")], account, sums_of(account, month), last_ms)
    desk.do(ALICE, closing_of(account, TaxTable(), month, desk.now_ms, discounts=off))
    return desk.journals[ALICE]


def told(entries: list[Entry]) -> tuple[list[str], Rerater]:
    rerater = Rerater(RegionCatalogues("GD", "UTC", REFS))
    found: list[str] = []
    for place, entry in enumerate(entries):
        before = audit(entries[:place], ALICE).account if place else None
        found += [each for each in rerater.take(entry, before) if "discount" in each]
    return found, rerater


def bent(event: PeriodClosed, change: Callable[[int], int]) -> PeriodClosed:
    bill = event.bill
    assert bill is not None
    lines = tuple(replace(line, net=change(line.net)) if line.kind == DISCOUNT else line for line in bill.lines)
    return replace(event, bill=replace(bill, lines=lines))


def test_a_discount_of_the_catalogue_is_found_again() -> None:
    entries = journal()
    bill = entries[-1].events[-1]
    assert isinstance(bill, PeriodClosed)
    assert isinstance(bill.bill, Bill)
    assert [line.net for line in bill.bill.lines if line.kind == DISCOUNT] == [-10 * YUAN]
    assert told(entries)[0] == []


@pytest.mark.parametrize("change", [lambda net: net - 1, lambda net: 0, lambda net: 2 * net])
def test_another_one_is_told_by_its_line(change: Callable[[int], int]) -> None:
    *entries, last = journal()
    assert isinstance(last.events[-1], PeriodClosed)
    false = bent(last.events[-1], change)
    (found,) = told([*entries, replace(last, events=(*last.events[:-1], false))])[0]
    assert "discount voice staff" in found
    assert "rated again it gives -10000000" in found


def test_a_bill_of_members_whose_contracts_are_not_known_is_counted() -> None:
    entries = journal()
    rerater = Rerater(RegionCatalogues("GD", "UTC", REFS))
    rerater.take(entries[-1], audit(entries[:-1], ALICE).account)
    assert rerater.left_out[NO_CONTRACT] == 1
