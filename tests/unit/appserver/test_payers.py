"""Who pays for whom is looked up when it is said: what can't be is refused at once, and nothing moves."""

import pytest
from msgspec.structs import replace
from onetier.v1 import service_desk_pb2 as pb

from charging.ledger.commands.set_payee import SetPayee
from charging.ledger.commands.set_payer import SetPayer
from charging.ledger.commands.set_status import SetStatus
from testkit.front import Front, fault_of
from testkit.ledger import opening
from testkit.owner import OwnerInMemory

pytestmark = pytest.mark.timeout(30)

FIRM, SON, ABROAD, CLOSED, PAID = (f"GD/3:{number}" for number in (1001, 1002, 1003, 1004, 1005))
NOBODY = "GD/3:9999"


@pytest.fixture
def desk(front: Front, owner: OwnerInMemory) -> Front:
    """Accounts of one region: one in dollars, one that is closed, and one whose bills the firm pays."""
    for account_id in (FIRM, SON, ABROAD, CLOSED, PAID):
        command = replace(opening(account_id, 1), currency="USD" if account_id == ABROAD else "CNY")
        owner.desk.do(account_id, command)
    owner.desk.do(CLOSED, SetStatus("closed", "left"))
    owner.desk.do(PAID, SetPayer(FIRM, ""))
    owner.desk.do(FIRM, SetPayee(PAID, "yes", ""))
    return front


async def said(desk: Front, account_id: str, **order: object) -> str:
    reply = await desk.one(desk.execute(f"account:{account_id}", **order))
    return fault_of(reply).reason if reply.HasField("error") else ""


@pytest.mark.parametrize(
    ("account_id", "order", "reason"),
    [
        (SON, pb.SetPayer(payer_account_id=NOBODY), "PAYER_UNKNOWN"),
        (FIRM, pb.SetPayee(payee_account_id=NOBODY), "PAYER_UNKNOWN"),
        (SON, pb.SetPayer(payer_account_id="1001"), "ACCOUNT_ID_MALFORMED"),
        (SON, pb.SetPayer(payer_account_id=SON), "PAYER_IS_ITSELF"),
        (SON, pb.SetPayer(payer_account_id=ABROAD), "CURRENCY_MISMATCH"),
        (ABROAD, pb.SetPayee(payee_account_id=SON), "CURRENCY_MISMATCH"),
        (SON, pb.SetPayer(payer_account_id=CLOSED), "ACCOUNT_CLOSED"),
        (SON, pb.SetPayer(payer_account_id=PAID), "HAS_A_PAYER"),
        (FIRM, pb.SetPayer(payer_account_id=PAID), "PAYS_FOR_OTHERS"),
        (PAID, pb.SetPayee(payee_account_id=FIRM), "HAS_A_PAYER"),
    ],
)
async def test_what_can_not_be_is_refused_when_it_is_said(
    desk: Front, owner: OwnerInMemory, account_id: str, order: pb.SetPayer | pb.SetPayee, reason: str
) -> None:
    before = dict(owner.desk.accounts)
    name = "set_payer" if isinstance(order, pb.SetPayer) else "set_payee"
    assert await said(desk, account_id, **{name: order}) == reason
    assert owner.desk.accounts == before


async def test_a_payer_that_there_is_is_set_and_one_that_is_gone_can_be_given_up(
    desk: Front, owner: OwnerInMemory
) -> None:
    assert await said(desk, SON, set_payer=pb.SetPayer(payer_account_id=FIRM)) == ""
    assert await said(desk, FIRM, set_payee=pb.SetPayee(payee_account_id=SON)) == ""
    assert owner.desk.accounts[SON].open.payers[-1][1] == FIRM
    # A wrong payer of before this was looked up, or one that is closed by now, is no reason not to pay for oneself.
    owner.desk.do(SON, SetPayer(NOBODY, ""))
    assert await said(desk, SON, set_payer=pb.SetPayer(payer_account_id="")) == ""
    owner.desk.do(FIRM, SetPayee(NOBODY, "yes", ""))
    assert await said(desk, FIRM, set_payee=pb.SetPayee(payee_account_id=NOBODY, pays="no")) == ""
