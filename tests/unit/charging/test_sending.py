"""What is under way for longer than its request key is remembered: a late repeat sends nothing a second time."""

import pytest

from charging.base.account import MONEY, Book
from charging.base.outgoing import Outgoing
from charging.errors import Refused
from charging.ledger.action import BaseAction
from charging.ledger.command import Command
from charging.ledger.commands.redeem_voucher import CodeRead, RedeemVoucher
from charging.ledger.commands.send_transfer import SendTransfer
from charging.ledger.commands.set_status import SetStatus
from testkit.ledger import START_MS, an_account

ME, YOU = "GD/0:1001", "msisdn:8613000000009"
READ = CodeRead("vouchers:GD/0:1.0", (b"h" * 16,))


@pytest.mark.parametrize(
    ("action", "status"),
    [
        (SendTransfer("main", YOU, "", 5, ""), "active"),
        (RedeemVoucher("", READ), "active"),
        (SetStatus("closed", "", 50, YOU), "closed"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_is_still_under_way_is_not_sent_again_under_its_key(action: BaseAction, status: str) -> None:
    row = Outgoing("late", "main", YOU, "main", 5, 1, "CNY")
    account = an_account(ME, 7, "GD", status=status, outgoing=(row,), books=(Book("main", MONEY, 50),))
    command = Command(ME, "late", b"", "", "hall", START_MS, action)  # type: ignore[arg-type]
    with pytest.raises(Refused) as refused:
        action.decide(account, command, START_MS)
    assert refused.value.reason == "TRANSFERS_PENDING"
