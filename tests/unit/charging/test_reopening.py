"""Accounts that open again: what dunning had stopped stays stopped while it is owed, whoever closed in between."""

import pytest

from charging.base.account import Account
from charging.base.dunning import RESTRICT, SUSPEND_ALL, Dunned, DunningStep
from charging.base.openbills import OpenBill, OpenItem
from charging.ledger.command import Command
from charging.ledger.commands.reopen_account import Reopen
from charging.ledger.ledger import decide
from testkit.ledger import START_MS, an_account

ME = "GD/0:1001"
BILL = OpenBill("GD-1", "2026-10/1", 1, 50, (OpenItem("voice", "", 50, 50),))


def reopened(action: str, *bills: OpenBill) -> Account:
    dunned = (Dunned(DunningStep("stop", action, 1), "", 1),)
    closed = an_account(ME, 7, "GD", status="closed", closed_ms=START_MS, dunned=dunned, bills=bills)
    back = Reopen("", "", {}, "came back", closed_since_ms=1)
    return decide(closed, Command(ME, "again", b"", "li", "hall", START_MS, back), START_MS).account


@pytest.mark.parametrize(("action", "status"), [(SUSPEND_ALL, "suspended"), (RESTRICT, "limited")])
def test_closing_and_opening_again_pays_nothing_that_is_overdue(action: str, status: str) -> None:
    assert (reopened(action, BILL).terms.status, reopened(action, BILL).terms.status_reason) == (status, "DUNNING")


def test_who_has_paid_meanwhile_is_served_again() -> None:
    after = reopened(SUSPEND_ALL)
    assert (after.terms.status, after.open.dunned) == ("active", ())
