"""Accounts that open again: what dunning had stopped stays stopped while it is owed, whoever closed in between."""

import pytest

from charging.base.account import Account
from charging.base.dunning import END, RESTRICT, SUSPEND_ALL, Dunned, DunningStep
from charging.base.openbills import OpenBill, OpenItem
from charging.errors import Refused
from charging.ledger.command import Command
from charging.ledger.commands.dun import Dun
from charging.ledger.commands.reopen_account import Reopen
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.kinds import Action
from charging.ledger.ledger import decide
from charging.ledger.standing import DUNNING, FUNDS_ENDED
from testkit.ledger import DAY_MS, START_MS, an_account

ME = "GD/0:1001"
BILL = OpenBill("GD-1", "2026-10/1", 1, 50, (OpenItem("voice", "", 50, 50),))


def done(account: Account, action: Action) -> Account:
    return decide(account, Command(ME, "k", b"", "li", "hall", START_MS, action), START_MS + 90 * DAY_MS).account


def reopened(action: str, *bills: OpenBill) -> Account:
    dunned = (Dunned(DunningStep("stop", action, 1), "", 1),)
    closed = an_account(ME, 7, "GD", status="closed", closed_ms=START_MS, dunned=dunned, bills=bills)
    back = Reopen("", "", {}, "came back", closed_since_ms=1)
    return decide(closed, Command(ME, "again", b"", "li", "hall", START_MS, back), START_MS).account


@pytest.mark.parametrize(("action", "status"), [(SUSPEND_ALL, "suspended"), (RESTRICT, "limited")])
def test_closing_and_opening_again_pays_nothing_that_is_overdue(action: str, status: str) -> None:
    assert (reopened(action, BILL).terms.status, reopened(action, BILL).terms.status_reason) == (status, "DUNNING")


@pytest.mark.parametrize("why", ["lost phone", ""])
def test_what_staff_had_suspended_stays_suspended_for_the_same_reason_until_staff_says_so(why: str) -> None:
    suspended = an_account(ME, 7, "GD", status="suspended", status_reason=why)
    closed = done(suspended, SetStatus("closed", "moves"))
    assert closed.terms.status == "closed"
    again = done(closed, Reopen("", "", {}, "came back", closed_since_ms=1))
    assert (again.terms.status, again.terms.status_reason) == ("suspended", why)
    assert (again.open.stopped, again.open.closed_ms) == ((), 0)
    assert done(again, SetStatus("active", "has the phone again")).terms.status == "active"


@pytest.mark.parametrize("why", [FUNDS_ENDED, DUNNING])
def test_what_suspended_itself_is_no_suspension_by_staff(why: str) -> None:
    closed = done(an_account(ME, 7, "GD", status="suspended", status_reason=why), SetStatus("closed", "moves"))
    assert done(closed, Reopen("", "", {}, "came back", closed_since_ms=1)).terms.status == "active"


def test_an_account_that_dunning_ended_is_not_opened_again_and_told_so() -> None:
    step = DunningStep("out", END, 1)
    ended = done(an_account(ME, 7, "GD", bills=(BILL,)), Dun("sweep", (step,)))
    assert (ended.terms.status, ended.terms.status_reason) == ("closed", DUNNING)
    with pytest.raises(Refused) as refused:
        done(ended, Reopen("", "", {}, "came back", closed_since_ms=1))
    assert refused.value.reason == "ENDED_BY_DUNNING"


def test_who_has_paid_meanwhile_is_served_again() -> None:
    after = reopened(SUSPEND_ALL)
    assert (after.terms.status, after.open.dunned) == ("active", ())
