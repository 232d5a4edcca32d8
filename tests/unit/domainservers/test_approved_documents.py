"""A document whose command waited for approval has a number of its slot's series, as one that did not wait."""

import pytest
from msgspec.structs import replace

from charging.errors import Refused
from charging.ledger.auditing import Audit
from charging.ledger.commands.approve import Approve
from charging.ledger.commands.credit_bill import CreditBill
from charging.ledger.commands.propose import proposal_of
from charging.ledger.commands.take_over_bill import TakeOverBill
from domainservers.bills.bills import SlotBills
from testkit.ledger import DAY_MS, START_MS, Desk
from tests.unit.domainservers.room import ALICE, FlakyUnit


def test_credit_notes_that_were_approved_are_numbered_in_the_owners_series() -> None:
    desk, bills = Desk(), SlotBills("GD/0", FlakyUnit(), {})
    desk.open(ALICE, 0)
    desk.do(ALICE, TakeOverBill("B-1", "2026-12/1", "calls", "", 90, START_MS + 20 * DAY_MS, ""))
    for key in ("first", "second", "third"):
        with pytest.raises(Refused, match="approv"):
            desk.do(ALICE, proposal_of(CreditBill("B-1", 10, "", "goodwill")), key, "li", "operator/li")
        asked = desk.command(ALICE, Approve(key, key == "second", "seen"), f"yes-{key}", "wang", "operator/wang")
        desk.commit(bills.prepared(asked, desk.accounts[ALICE], desk.now_ms))
        bills.numbers.note(desk.journals[ALICE][-1].events)
    bills.numbers.note(desk.journals[ALICE][-1].events)
    audit = Audit(ALICE)
    for entry in desk.journals[ALICE]:
        audit.add(entry)
    assert (audit.findings, audit.numbers) == ([], ["GD-0-C-2027-0000001", "GD-0-C-2027-0000002"])
    assert replace(asked, action=Approve("gone", False, "")) == bills.prepared(
        replace(asked, action=Approve("gone", False, "")), desk.accounts[ALICE], desk.now_ms
    )
