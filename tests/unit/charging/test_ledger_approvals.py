"""Four eyes in the ledger: a proposal does nothing, its approval does exactly it, once, and names both."""

import pytest

from charging.base.account import MAIN_BOOK, MONEY
from charging.errors import Denied, Fault, Refused
from charging.ledger import history
from charging.ledger.approvals import PROPOSAL_KEEP_MS
from charging.ledger.auditing import audit
from charging.ledger.commands.adjust import Adjust
from charging.ledger.commands.approve import Approve, Decided
from charging.ledger.commands.propose import PROPOSALS_MAX, proposal_of
from charging.ledger.commands.refund import Refund
from charging.ledger.commands.send_transfer import SendTransfer
from charging.ledger.commands.set_credit_limit import SetCreditLimit
from charging.ledger.commands.top_up import TopUp
from charging.ledger.kinds import Action
from charging.ledger.originals import with_original
from testkit.ledger import Desk, charge_of, post

ME = "msisdn:8613000000001"
LI, WANG = "operator/li", "operator/wang"


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.open(ME, 1_000)
    return desk


def propose(desk: Desk, action: Action, key: str = "p", principal: str = LI, actor: str = "li") -> None:
    with pytest.raises(Refused) as caught:
        desk.do(ME, proposal_of(action), key, actor, principal)
    assert caught.value.reason == "APPROVAL_NEEDED"
    assert caught.value.facts["of_key"] == key


def refusal(desk: Desk, action: Action, key: str = "", principal: str = WANG) -> str:
    with pytest.raises(Fault) as caught:
        desk.do(ME, action, key, "li", principal)
    return caught.value.reason


def money(desk: Desk) -> int:
    return desk.accounts[ME].books[0].amount


def approve(desk: Desk, of_key: str = "p", key: str = "", principal: str = WANG, *, reject: bool = False) -> int:
    return desk.do(ME, Approve(of_key, reject, "seen"), key, "wang", principal).amount


def test_a_proposal_moves_nothing_until_another_principal_approves_it(desk: Desk) -> None:
    propose(desk, Adjust(MAIN_BOOK, 5_000, "error of May"))
    assert money(desk) == 1_000
    approve(desk)
    assert money(desk) == 6_000
    assert not desk.accounts[ME].open.proposals


def test_nobody_approves_their_own(desk: Desk) -> None:
    propose(desk, Adjust(MAIN_BOOK, 5_000, "mine"))
    with pytest.raises(Denied) as caught:
        approve(desk, principal=LI)
    assert caught.value.reason == "SAME_PRINCIPAL"
    assert money(desk) == 1_000
    approve(desk)
    assert money(desk) == 6_000


def test_approving_twice_has_no_effect(desk: Desk) -> None:
    propose(desk, Adjust(MAIN_BOOK, 5_000, "once"))
    approve(desk, key="a")
    approve(desk, key="a")
    assert refusal(desk, Approve("p", False, "seen")) == "PROPOSAL_UNKNOWN"
    assert money(desk) == 6_000


def test_the_first_key_tells_the_outcome_once_it_is_decided(desk: Desk) -> None:
    proposal = proposal_of(Adjust(MAIN_BOOK, 5_000, "again"))
    propose(desk, Adjust(MAIN_BOOK, 5_000, "again"))
    propose(desk, Adjust(MAIN_BOOK, 5_000, "again"))
    approve(desk)
    done = desk.do(ME, proposal, "p", "li", LI)
    assert [(move.before, move.after) for move in done.movements] == [(1_000, 6_000)]
    assert money(desk) == 6_000


def test_a_rejected_proposal_is_over(desk: Desk) -> None:
    propose(desk, SetCreditLimit(9, "trust"))
    approve(desk, principal=LI, reject=True)
    assert refusal(desk, proposal_of(SetCreditLimit(9, "trust")), "p", LI) == "PROPOSAL_REJECTED"
    assert refusal(desk, Approve("p", False, "")) == "PROPOSAL_UNKNOWN"
    assert desk.accounts[ME].terms.credit_limit == 0


def test_what_nobody_decides_ends_after_a_week(desk: Desk) -> None:
    propose(desk, Adjust(MAIN_BOOK, 5_000, "old"))
    desk.now_ms += PROPOSAL_KEEP_MS
    assert refusal(desk, Approve("p", False, "late")) == "PROPOSAL_EXPIRED"
    propose(desk, Adjust(MAIN_BOOK, 1, "new"), "q")
    assert [each.key for each in desk.accounts[ME].open.proposals] == ["q"]


def test_proposals_of_an_account_are_bounded(desk: Desk) -> None:
    for number in range(PROPOSALS_MAX):
        propose(desk, Adjust(MAIN_BOOK, 5, "many"), f"p{number}")
    assert refusal(desk, proposal_of(Adjust(MAIN_BOOK, 5, "one more")), "more", LI) == "PROPOSALS_FULL"


def test_what_could_not_be_done_is_not_proposed(desk: Desk) -> None:
    assert refusal(desk, proposal_of(Adjust("nowhere", -5, "typo")), "p", LI) == "BOOK_UNKNOWN"
    assert not desk.accounts[ME].open.proposals


def test_an_approval_of_what_can_no_longer_be_done_leaves_it_waiting(desk: Desk) -> None:
    propose(desk, Adjust(MAIN_BOOK, -900, "take"))
    desk.do(ME, post(desk.accounts[ME], charge_of(500)))
    refused = refusal(desk, Approve("p", False, "seen"), "a")
    assert refused != "PROPOSAL_UNKNOWN"
    assert [each.key for each in desk.accounts[ME].open.proposals] == ["p"]
    assert money(desk) == 500


def test_a_refund_is_given_back_once_though_it_was_proposed_twice(desk: Desk) -> None:
    desk.do(ME, post(desk.accounts[ME], charge_of(400)), "call")
    fact = with_original(desk.command(ME, Refund("call", 0, "noise")), desk.journals[ME][-1]).action
    propose(desk, fact, "p1")
    propose(desk, fact, "p2")
    approve(desk, "p1")
    assert refusal(desk, Approve("p2", False, "seen")) == "REFUNDED_ALREADY"
    assert money(desk) == 1_000


def test_a_transfer_leaves_under_the_key_of_its_proposal(desk: Desk) -> None:
    propose(desk, SendTransfer(MAIN_BOOK, "msisdn:8613000000002", MAIN_BOOK, 300, "gift"))
    approve(desk)
    assert [(row.key, row.amount) for row in desk.accounts[ME].open.outgoing] == [("p", 300)]


def test_both_principals_and_both_actors_are_in_the_entry_of_the_approval(desk: Desk) -> None:
    propose(desk, Adjust(MAIN_BOOK, 5_000, "names"))
    approve(desk)
    entry = desk.journals[ME][-1]
    decided = next(event for event in entry.events if isinstance(event, Decided))
    assert (entry.principal, entry.actor) == (WANG, "wang")
    assert (decided.proposer, decided.proposer_actor, decided.approved) == (LI, "li", True)
    told = [history.line(each) for each in desk.journals[ME]]
    assert told[-1].principal == WANG
    assert told[-2].principal == LI
    assert told[-2].reason == "APPROVAL_NEEDED: adjust of 5000: names"


def test_a_new_owner_knows_what_waits_and_the_audit_finds_nothing(desk: Desk) -> None:
    propose(desk, Adjust(MAIN_BOOK, 5_000, "one"), "p1")
    propose(desk, TopUp(MAIN_BOOK, MONEY, 7_000, 0, 100, "", "bonus"), "p2")
    propose(desk, SetCreditLimit(50, "three"), "p3")
    approve(desk, "p1")
    approve(desk, "p2", reject=True)
    before = desk.accounts[ME]
    desk.crash()
    assert desk.accounts[ME] == before
    report = audit(desk.journals[ME], ME)
    assert report.findings == ()
    approve(desk, "p3")
    assert desk.accounts[ME].terms.credit_limit == 50
