"""One account pays the bills of others, of whatever customer: each bill is owed once, by whoever is to pay it."""

from copy import deepcopy

import pytest
from msgspec.structs import replace

from charging.base.account import Account
from charging.base.house_keys import PREFIX
from charging.base.openbills import BILLS_MAX
from charging.base.receivables import open_of
from charging.base.usage import Usage
from charging.bills.bill import Bill
from charging.bills.taxtable import TaxSpan, TaxTable
from charging.errors import Refused
from charging.ledger.auditing import audit
from charging.ledger.commands.close_period import PeriodClosed
from charging.ledger.commands.credit_bill import CreditBill
from charging.ledger.commands.pay import Pay
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.send_transfer import SendTransfer
from charging.ledger.commands.set_payee import SetPayee
from charging.ledger.commands.set_payer import SetPayer
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.commands.take_over_bill import TakeOverBill
from charging.ledger.commands.top_up import TopUp
from charging.ledger.commands.transfer_ownership import TransferOwnership
from charging.ledger.ledger import seal
from charging.ledger.own import receive_command, settle_command
from charging.ledger.passing import payer_of
from charging.rating.closing import closing_of
from testkit.ledger import Desk, charge_of, opening

FIRM, SON, MAID = "GD/3:1001", "GD/3:1002", "XJ/1:1003"
YUAN = 1_000_000
MONTH_MS = 31 * 86_400_000
TAXES = TaxTable({"*": (TaxSpan(0, 1 << 20, "basic", 9_000_000),)}, coin=10_000, due_days=15)


@pytest.fixture
def desk() -> Desk:
    """A firm that pays for two accounts from February on; all three have called in January and February."""
    desk = Desk()
    for account_id in (FIRM, SON, MAID):
        command = replace(opening(account_id, 0, credit_limit=500 * YUAN), payment_mode="postpaid")
        desk.do(account_id, replace(command, customer_id=f"customer of {account_id}"))
        call(desk, account_id, 7 * YUAN)
    for account_id in (SON, MAID):
        desk.do(account_id, SetPayer(FIRM, "works there"))
        desk.do(FIRM, SetPayee(account_id, "yes", "works here"))
    desk.now_ms += MONTH_MS
    for account_id, amount in ((FIRM, 11), (SON, 13), (MAID, 17)):
        call(desk, account_id, amount * YUAN)
        close(desk, account_id)
    return desk


def call(desk: Desk, account_id: str, amount: int) -> None:
    account = desk.accounts[account_id]
    usage = Usage(account.members[0], "voice", desk.now_ms, 60)
    desk.do(
        account_id, PostCharge(usage, replace(seal(charge_of(amount)), item="voice"), account.version, account.mark)
    )


def close(desk: Desk, account_id: str) -> None:
    account = desk.accounts[account_id]
    month = account.terms.closed + 1
    desk.do(account_id, closing_of(account, TAXES, month, desk.now_ms).numbered(f"{account_id}-{month}"))


def carry(desk: Desk, account_id: str, *, times: int = 1) -> str:
    """Carry what is under way to its payer, as the courier does, offered so many times; gives why it was refused."""
    for row in desk.accounts[account_id].open.outgoing:
        refusal = ""
        for _ in range(times):
            command = receive_command(desk.accounts[account_id], row, FIRM, desk.now_ms)
            try:
                desk.do(FIRM, command.action, command.key)
            except Refused as refused:
                refusal = refused.reason
        settled = settle_command(desk.accounts[account_id], row, refusal, desk.now_ms)
        desk.do(account_id, settled.action, settled.key)
        return refusal
    return ""


def owed(account: Account) -> int:
    return open_of(account)


def sound(desk: Desk) -> None:
    for account_id in (FIRM, SON, MAID):
        assert audit(desk.journals[account_id], account_id).findings == ()


def test_a_payer_changes_at_the_border_of_a_period_alone(desk: Desk) -> None:
    assert [owed(desk.accounts[each]) for each in (FIRM, SON, MAID)] == [7 * YUAN] * 3, "January is everybody's own"
    assert all(not desk.accounts[each].open.outgoing for each in (SON, MAID))


def test_a_change_leaves_periods_whose_bills_are_not_made_yet_to_whoever_paid_in_them(desk: Desk) -> None:
    """The run is late: February is billed in April, and in March somebody else was to pay from April on."""
    desk.do(SON, SetPayer(MAID, "marries"))  # From March on.
    desk.now_ms += MONTH_MS
    call(desk, SON, YUAN)
    desk.do(SON, SetPayer("", "pays alone"))  # From April on.
    desk.now_ms += MONTH_MS
    close(desk, SON)
    close(desk, SON)
    assert [row.to_identity for row in desk.accounts[SON].open.outgoing] == [f"account:{FIRM}", f"account:{MAID}"]


def test_who_will_have_a_payer_pays_until_then_and_who_had_one_may_pay_for_others_again(desk: Desk) -> None:
    other = "GD/3:1009"
    desk.do(other, opening(other))
    desk.do(other, SetPayer(FIRM, "from the next period on"))
    assert payer_of(desk.accounts[other], desk.accounts[other].terms.closed + 1) == ""
    desk.do(other, SetPayer("", "not after all"))
    desk.do(other, SetPayee(SON, "yes", "father"))
    desk.do(SON, SetPayer("", "left"))
    with pytest.raises(Refused, match="another account pays"):
        desk.do(SON, SetPayee(MAID, "yes", ""))
    desk.now_ms += MONTH_MS
    close(desk, SON)
    desk.do(SON, SetPayee(MAID, "yes", ""))
    assert desk.accounts[SON].open.payees == (MAID,)


def test_no_transfer_of_a_caller_has_the_key_of_a_bill_that_is_passed_on(desk: Desk) -> None:
    desk.do(SON, TopUp("main", "money", 50 * YUAN, 0, 0, "", "pocket money"))
    foreseen = deepcopy(desk)
    foreseen.now_ms += MONTH_MS
    close(foreseen, SON)
    number = closed_of(foreseen, SON).number
    for key in (number, f"bill {number}"):
        desk.do(SON, SendTransfer("main", FIRM, "main", YUAN, ""), key)
    call(desk, SON, 90 * YUAN)
    desk.now_ms += MONTH_MS
    close(desk, SON)
    assert closed_of(desk, SON).number == number
    keys = [row.key for row in desk.accounts[SON].open.outgoing]
    assert len(set(keys)) == 3
    assert keys[-1].startswith(PREFIX), "which no key of a caller does"
    for _ in keys:
        assert carry(desk, SON) == ""
    assert not desk.accounts[SON].open.outgoing
    sound(desk)


def test_bills_of_others_are_lines_of_the_payers_bill_and_owed_by_it_alone(desk: Desk) -> None:
    desk.now_ms += MONTH_MS
    for account_id in (SON, MAID):
        close(desk, account_id)
        assert carry(desk, account_id) == ""
    close(desk, FIRM)
    bill = closed_of(desk, FIRM)
    lines = {(line.kind, line.member, line.rule): (line.gross, line.tax, line.origin) for line in bill.lines}
    assert lines["payee", f"account:{SON}", closed_of(desk, SON).number] == (13 * YUAN, 0, "")
    assert lines["payee", f"account:{MAID}", closed_of(desk, MAID).number] == (17 * YUAN, 0, "")
    assert bill.total == (11 + 13 + 17) * YUAN
    assert bill.tax == round(11 * YUAN * 9 / 109 / 10_000) * 10_000, "what was taxed once is not taxed again"
    assert [owed(desk.accounts[each]) for each in (FIRM, SON, MAID)] == [48 * YUAN, 7 * YUAN, 7 * YUAN]
    desk.do(FIRM, Pay(48 * YUAN, "", "", "", "bank", ""))
    assert owed(desk.accounts[FIRM]) == 0
    sound(desk)


def test_a_bill_that_comes_late_is_on_the_next_one_with_its_origin_and_not_lost_with_its_account(
    desk: Desk,
) -> None:
    desk.now_ms += MONTH_MS
    close(desk, FIRM)
    desk.do(SON, Pay(20 * YUAN, "", "", "", "bank", ""))
    close(desk, SON)
    assert carry(desk, SON) == ""
    desk.do(SON, SetStatus("closed", "moves abroad"))
    desk.now_ms += MONTH_MS
    close(desk, FIRM)
    (line,) = [line for line in closed_of(desk, FIRM).lines if line.kind == "payee"]
    assert line.origin == closed_of(desk, SON).period
    sound(desk)


def test_a_bill_that_is_offered_many_times_is_taken_over_once(desk: Desk) -> None:
    desk.now_ms += MONTH_MS
    close(desk, SON)
    carry(desk, SON, times=5)
    close(desk, FIRM)
    assert [line.gross for line in closed_of(desk, FIRM).lines if line.kind == "payee"] == [13 * YUAN]
    sound(desk)


def test_a_bill_that_the_payer_refuses_is_owed_where_it_was_made(desk: Desk) -> None:
    desk.do(FIRM, SetPayee(SON, "no", "left"))
    desk.now_ms += MONTH_MS
    close(desk, SON)
    assert owed(desk.accounts[SON]) == 7 * YUAN
    assert carry(desk, SON) == "PAYEE_UNKNOWN"
    assert owed(desk.accounts[SON]) == 20 * YUAN
    sound(desk)


def test_there_is_always_room_for_a_bill_that_comes_back(desk: Desk) -> None:
    desk.do(FIRM, SetPayee(SON, "no", "left"))
    for number in range(BILLS_MAX - 2):
        desk.do(SON, TakeOverBill(f"old-{number}", "2026-12/1", "calls", "", YUAN, desk.now_ms, ""))
    desk.now_ms += MONTH_MS
    close(desk, SON)
    with pytest.raises(Refused) as refused:
        desk.do(SON, TakeOverBill("old", "2026-12/1", "calls", "", YUAN, desk.now_ms, ""))
    assert refused.value.reason == "BILLS_FULL"
    assert carry(desk, SON) == "PAYEE_UNKNOWN"
    assert len(desk.accounts[SON].open.bills) == BILLS_MAX
    assert not desk.accounts[SON].open.outgoing


def test_a_credit_note_of_a_bill_that_was_passed_on_goes_to_the_balance_of_its_account(desk: Desk) -> None:
    desk.now_ms += MONTH_MS
    close(desk, SON)
    carry(desk, SON)
    desk.do(SON, replace(CreditBill(closed_of(desk, SON).number, 3 * YUAN, "", "goodwill"), number="C-1"))
    assert owed(desk.accounts[SON]) == 4 * YUAN, "of its own bill of January"
    sound(desk)


def test_whoever_an_account_is_given_to_is_not_paid_for_and_pays_for_nobody_but_bills_of_before_stay(
    desk: Desk,
) -> None:
    desk.now_ms += MONTH_MS
    call(desk, SON, 19 * YUAN)
    desk.do(SON, TransferOwnership("customer new", "", {}, True, "sold"))
    close(desk, SON)
    assert carry(desk, SON) == "", "February was the firm's to pay, though it is billed late"
    desk.do(FIRM, TransferOwnership("customer newer", "", {}, True, "sold"))
    assert desk.accounts[FIRM].open.payees == ()
    desk.now_ms += MONTH_MS
    close(desk, SON)
    assert not desk.accounts[SON].open.outgoing
    assert owed(desk.accounts[SON]) == (7 + 19) * YUAN
    close(desk, MAID)
    assert carry(desk, MAID) == "PAYEE_UNKNOWN"
    sound(desk)


def test_what_was_credited_while_a_bill_was_under_way_is_not_credited_again_when_it_comes_back(desk: Desk) -> None:
    desk.do(FIRM, SetPayee(SON, "no", "left"))
    desk.now_ms += MONTH_MS
    close(desk, SON)
    number = closed_of(desk, SON).number
    desk.do(SON, replace(CreditBill(number, 3 * YUAN, "", "goodwill"), number="C-1"))
    assert carry(desk, SON) == "PAYEE_UNKNOWN"
    assert owed(desk.accounts[SON]) == (4 + 13) * YUAN, "what was credited paid for the bill of January"
    with pytest.raises(Refused) as refused:
        desk.do(SON, replace(CreditBill(number, 11 * YUAN, "", "goodwill"), number="C-2"))
    assert refused.value.reason == "CREDIT_EXCEEDS_BILL"
    sound(desk)


def test_nobody_pays_in_circles_and_nothing_is_noted_twice(desk: Desk) -> None:
    for account_id, command, reason in (
        (FIRM, SetPayer(SON, ""), "PAYS_FOR_OTHERS"),
        (SON, SetPayee(MAID, "yes", ""), "HAS_A_PAYER"),
        (SON, SetPayer(SON, ""), "PAYER_IS_ITSELF"),
        (FIRM, SetPayee(FIRM, "yes", ""), "PAYER_IS_ITSELF"),
        (SON, SetPayer(FIRM, ""), "PAYER_UNCHANGED"),
        (FIRM, SetPayee(SON, "yes", ""), "PAYER_UNCHANGED"),
    ):
        with pytest.raises(Refused) as refused:
            desk.do(account_id, command)
        assert refused.value.reason == reason


def test_reconciliation_tells_a_bill_that_was_taken_over_and_is_on_no_bill(desk: Desk) -> None:
    desk.now_ms += MONTH_MS
    close(desk, SON)
    carry(desk, SON)
    *entries, last = desk.journals[FIRM]
    (event,) = [each for each in last.events if type(each).__name__ == "BillAssumed"]
    false = replace(
        last, events=tuple(replace(event, number="GD-9") if each is event else each for each in last.events)
    )
    close(desk, FIRM)
    found = audit([*entries, false, desk.journals[FIRM][-1]], FIRM).findings
    assert any("line payee payee" in each and "GD-9" in each for each in found)


def closed_of(desk: Desk, account_id: str) -> Bill:
    for entry in reversed(desk.journals[account_id]):
        for event in entry.events:
            if isinstance(event, PeriodClosed) and event.bill is not None:
                return event.bill
    raise AssertionError(account_id)
