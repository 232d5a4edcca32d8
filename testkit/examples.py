"""Examples of every kind of command, and of every kind of event: a kind without one fails in the tests that go by them.

`lively` gives two accounts on which each of the commands can be done, and `EXAMPLES` the commands. `FULL` is a state
with no field at its default, and `SAMPLES` has an event of each kind that changes it.
"""

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from charging.base.account import (
    MONEY,
    Account,
    Book,
    SpendingLimit,
    Threshold,
)
from charging.base.contract import Contract, Subscription
from charging.base.due import Due
from charging.base.dunning import DunningStep
from charging.base.localtime import day_of, zone_of
from charging.base.usage import SealedCharge, Usage
from charging.bills.taxtable import TaxTable
from charging.errors import Fault
from charging.ledger.action import BaseAction
from charging.ledger.commands.address_transfer import AddressTransfer
from charging.ledger.commands.adjust import Adjust
from charging.ledger.commands.agree_instalments import AgreeInstalments
from charging.ledger.commands.approve import Approve
from charging.ledger.commands.change_characteristics import ChangeCharacteristics
from charging.ledger.commands.change_identity import ChangeIdentity
from charging.ledger.commands.change_plan import ChangePlan
from charging.ledger.commands.close_period import ClosePeriod
from charging.ledger.commands.credit_bill import CreditBill
from charging.ledger.commands.dispute import Dispute
from charging.ledger.commands.drop_book import DropBook
from charging.ledger.commands.dun import Dun
from charging.ledger.commands.expire_session import ExpireSession
from charging.ledger.commands.gift import Gift, GiftTerms
from charging.ledger.commands.give_offering import GiveOffering, OfferingTerms
from charging.ledger.commands.join import Join
from charging.ledger.commands.leave import Leave
from charging.ledger.commands.lift_voucher_block import LiftVoucherBlock
from charging.ledger.commands.move_in import MoveIn
from charging.ledger.commands.move_money import MoveMoney
from charging.ledger.commands.move_out import MoveOut
from charging.ledger.commands.open_account import OpenAccount
from charging.ledger.commands.pause import Pause
from charging.ledger.commands.pay import Pay
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.post_fees import PostFees
from charging.ledger.commands.post_usage import PostUsage, RatedUse, ReplacedUse
from charging.ledger.commands.propose import Propose, proposal_of
from charging.ledger.commands.receive_bill import ReceiveBill
from charging.ledger.commands.receive_transfer import ReceiveTransfer
from charging.ledger.commands.recover import Recover
from charging.ledger.commands.redeem_voucher import CodeRead, RedeemVoucher
from charging.ledger.commands.refund import Refund
from charging.ledger.commands.release_number import ReleaseNumber
from charging.ledger.commands.remember import Remember
from charging.ledger.commands.reopen_account import Reopen
from charging.ledger.commands.replay_staged import ReplayStaged
from charging.ledger.commands.resolve_dispute import ResolveDispute
from charging.ledger.commands.restate_usage import RestatedAmount, RestatedLine, RestateUsage, usage_total
from charging.ledger.commands.resume import Resume
from charging.ledger.commands.reverse_payment import ReversePayment
from charging.ledger.commands.send_transfer import SendTransfer
from charging.ledger.commands.set_contract import SetContract
from charging.ledger.commands.set_credit_limit import SetCreditLimit
from charging.ledger.commands.set_payee import SetPayee
from charging.ledger.commands.set_payer import SetPayer
from charging.ledger.commands.set_payment_mode import SetPaymentMode
from charging.ledger.commands.set_profile import SetProfile
from charging.ledger.commands.set_spending_limit import SetSpendingLimit
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.commands.set_threshold import SetThreshold
from charging.ledger.commands.settle import Settle
from charging.ledger.commands.settle_transfer import SettleTransfer
from charging.ledger.commands.settle_voucher import SettleVoucher
from charging.ledger.commands.step_session import StepSession
from charging.ledger.commands.subscribe import Subscribe
from charging.ledger.commands.take_over_bill import TakeOverBill
from charging.ledger.commands.top_up import TopUp
from charging.ledger.commands.transfer_ownership import TransferOwnership
from charging.ledger.commands.unsubscribe import Unsubscribe
from charging.ledger.commands.write_off import WriteOff
from charging.ledger.dues import Dues
from charging.ledger.giving import GivenOffering, pack_given
from charging.ledger.ledger import seal
from charging.ledger.outcome import Done, Failed
from charging.ledger.rewards import BonusPart
from charging.ledger.settling import BY_HAND
from charging.ledger.vouchers import Worth
from charging.rating.closing import closing_of, first_day
from charging.rating.session_asks import UnitAsk
from charging.wire import pack
from testkit.ledger import DAY_MS, START_MS, Desk, an_account, charge_of, contract_of, opening, post
from testkit.usecolumns import packed

ROOMMATE = "msisdn:8613000000009"
"""Of Alice's account, too."""
ALICE, BOB, NEW, TV = "msisdn:8613000000001", "msisdn:8613000000002", "msisdn:8613000000003", "tv:sh-1"
GONE = "msisdn:8613000000004"
"""Whose account is closed."""
CHARGED, SENT, WAITING, OVER = "charged", "sent", "waiting", "s-over"
ASKED, WRONG_CODE = "asked", "wrong-code"
BILL_NUMBER = "B-2026"
BILLED = 2026 * 12 + 11
"""What has happened to Alice: request keys of a charge, of a transfer under way and of a proposal, an old session."""


WELCOME = BonusPart("welcome", "Welcome", 7, "presents", 0, 100, "", False)
FRIENDS = GiftTerms("Friends", MONEY, (), 1, 100, 1_000, 0, 1, "main", "", 0, ALICE)
WORTH = Worth("GD/0:1.0.7", MONEY, 50, "", "", 0)
DAILY = SpendingLimit("daily", ALICE, "day", 1_000, ("voice",), "", 80)


def lively() -> Desk:
    """Give a desk with Alice, to whom something of everything has happened, and Bob."""
    desk = Desk()
    side = (
        Book("side", MONEY, 1_000, priority=200),
        Book("minutes", "second", 600, allowance="minutes"),
        Book("empty", MONEY, 0),
    )
    desk.open(ALICE, 100_000, books=side)
    desk.open(BOB, 100_000)
    desk.open(GONE, 0)
    desk.do(GONE, SetStatus("closed", "moved away"))
    desk.do(ALICE, SetContract(contract_of(ROOMMATE, ALICE)))
    charge = charge_of(30, takes=(("minutes", 60),), accruals=(("voice@2027-01", 60),), depends=True)
    desk.do(ALICE, post(desk.accounts[ALICE], charge), CHARGED)
    desk.do(ALICE, desk.plan(ALICE, OVER, "create", 0, UnitAsk("data", 5, 0, START_MS), validity_ms=1_000))
    desk.do(ALICE, SendTransfer("main", BOB, "main", 40, "gift"), SENT)
    try:
        desk.do(ALICE, proposal_of(Adjust("main", 9, "goodwill")), WAITING, "li", "operator/li")
    except Fault as waiting:
        if waiting.reason != "APPROVAL_NEEDED":
            raise
    for key in (ASKED, WRONG_CODE):
        try:
            desk.do(ALICE, RedeemVoucher("", CodeRead("vouchers:GD/0:1.0", (b"a hash of code16",))), key)
        except Fault as waiting:
            if waiting.reason != "VOUCHER_UNDER_WAY":
                raise
    desk.do(ALICE, SettleVoucher(WRONG_CODE, None, Failed("refused", "VOUCHER_UNKNOWN", "no such"), ""))
    desk.do(ALICE, TopUp("guarantee", MONEY, 30, 0, 0, "guarantee", "guarantee"))
    desk.do(ALICE, SetProfile({BY_HAND: "yes"}, {}, ()))
    desk.do(ALICE, TakeOverBill(BILL_NUMBER, "2026-12/1", "line", "voice", 300, START_MS, "from the old system"))
    desk.do(ALICE, Dispute(BILL_NUMBER, "", "", 40, "not mine"))
    desk.do(ALICE, WriteOff(BILL_NUMBER, 20, "wang", "gone"), actor="li")
    desk.do(ALICE, TopUp("", "", 25, 0, 0, "", "cash").staged(BILLED))
    desk.now_ms += 2_000
    return desk


def _expiry(desk: Desk) -> ExpireSession:
    over = [session for session in desk.accounts[ALICE].open.sessions if session.session_id == OVER]
    return ExpireSession(OVER, over[0].valid_until_ms if over else 1)


def _rent(desk: Desk) -> Dues:
    account = desk.accounts[ALICE]
    rent = Due(ALICE, "plan", "rent", "rent", START_MS, START_MS + DAY_MS, seal(charge_of(3)))
    return Dues((rent,), account.version, account.mark)


def pack_terms(
    account: Account, contract: Contract, added: Subscription, price: SealedCharge, fee: int, giver: str
) -> OfferingTerms:
    """Decide what is given to a member of an account, as the platform does; `price` is what its one fee costs."""
    begins_ms = added.valid_from_ms
    due = Due(contract.identity, added.offering, "once", "packs", begins_ms, begins_ms + 1, price)
    given = GivenOffering(contract, added, Dues((due,), account.version, account.mark))
    return OfferingTerms(given.price(), account.terms.currency, fee, giver, added.valid_to_ms, pack_given(given))


def given_to(desk: Desk, giver: str, receiver: str) -> OfferingTerms:
    """Decide a pack for somebody."""
    added = Subscription("pack", desk.now_ms, desk.now_ms + 30 * DAY_MS)
    return pack_terms(desk.accounts[receiver], contract_of(receiver), added, seal(charge_of(9)), 1, giver)


def _closing(desk: Desk) -> ClosePeriod:
    account = desk.accounts[ALICE]
    terms = account.terms
    month = terms.closed + 1
    over_ms = zone_of(terms.zone).day_begins(day_of(first_day(month + 1, terms.cycle_day).isoformat())) * 1000
    desk.now_ms = max(desk.now_ms, over_ms)
    return closing_of(account, TaxTable(), month, desk.now_ms).numbered("bill-1")


def _parcel(desk: Desk) -> MoveIn:
    parcel = an_account(NEW, 7, "XJ", currency="CNY", members=(NEW,), books=(Book("main", MONEY, 500),))
    return MoveIn(pack(parcel), (contract_of(NEW, domain="XJ"),), "GD")


def _uses_of(desk: Desk) -> PostUsage:
    account = desk.accounts[ALICE]
    usages = tuple(Usage(ALICE, "voice", START_MS + place, 60) for place in range(3))
    batch = max((batch for _, _, batch in account.open.feeds), default=0) + 1
    if batch % 2:  # Every other batch is all charged, and travels in columns.
        charges = (RatedUse(seal(charge_of(amount, depends=True))) for amount in (7, 0, 3))
        return packed(PostUsage("plant", batch, usages, (), tuple(charges), account.version, account.mark))
    refused = RatedUse(None, "SERVICE_UNKNOWN", "no such service")
    rated = (RatedUse(seal(charge_of(7, depends=True))), refused, RatedUse(None, set_aside=True))
    replaces = (ReplacedUse(2, "part", START_MS + 2, 30),)
    return PostUsage("plant", batch, usages, replaces, rated, account.version, account.mark)


def _restating(desk: Desk) -> RestateUsage:
    account = desk.accounts[ALICE]
    batch = max((batch for feed, _, batch in account.open.feeds if feed == "rerate"), default=0) + 1
    lines = (RestatedLine(desk.now_ms, "voice", ALICE, 0, 3),)
    total = usage_total(account, desk.now_ms)
    counters = (RestatedAmount(desk.now_ms, "minutes@20200101", 60),)
    return RestateUsage("rerate", batch, account.version, desk.now_ms, total, lines, counters, (), "new price")


def _bill_of_another(desk: Desk) -> ReceiveBill:
    for action in (SetPayer("", "pays itself"), SetPayee("GD/3:1002", "yes", "asked")):
        try:
            desk.do(ALICE, action)
        except Fault:
            continue
    return ReceiveBill("GD/3:1002", "GD-3-B-2026-0000007", 12, "CNY", START_MS, desk.now_ms)


EXAMPLES: Mapping[type[BaseAction], Callable[[Desk], BaseAction]] = {
    PostCharge: lambda desk: post(desk.accounts[ALICE], charge_of(7, depends=True)),
    PostUsage: _uses_of,
    RestateUsage: _restating,
    OpenAccount: lambda desk: opening(NEW, 100),
    SetContract: lambda desk: SetContract(contract_of(TV, ALICE)),
    Subscribe: lambda desk: Subscribe("pack", "now", desk.now_ms, 0, {}, 0, 1, contract_of(ALICE)),
    Unsubscribe: lambda desk: Unsubscribe("plan", "now", desk.now_ms, 0, contract_of(ALICE)),
    ChangePlan: lambda desk: ChangePlan("plan", "rival", "now", desk.now_ms, {}, 0, 1, 0, contract_of(ALICE)),
    Pause: lambda desk: Pause("", "now", desk.now_ms, 0, "abroad", 0, contract_of(ALICE)),
    Resume: lambda desk: Resume(
        "", "now", desk.now_ms, "back", 0, replace(contract_of(ALICE), paused_from_ms=desk.now_ms - 5)
    ),
    ChangeIdentity: lambda desk: ChangeIdentity(TV, "new card", 0, contract_of(ROOMMATE, ALICE)),
    ChangeCharacteristics: lambda desk: ChangeCharacteristics(
        {"grade": "gold"}, "family", (ALICE,), ("vip-2026",), (), "asked at the hall", 0, contract_of(ROOMMATE, ALICE)
    ),
    Join: lambda desk: Join(TV, "plan", "now", desk.now_ms, {}, "family", 0),
    Leave: lambda desk: Leave("moves abroad", 0, "", contract_of(ROOMMATE, ALICE)),
    Reopen: lambda desk: Reopen(GONE, "plan", {}, "came back", from_ms=desk.now_ms, closed_since_ms=1),
    ReleaseNumber: lambda desk: ReleaseNumber(TV, "wanted by a hospital"),
    TransferOwnership: lambda desk: TransferOwnership("customer-2", "", {"grade": "new"}, True, "sold"),
    SetStatus: lambda desk: SetStatus("suspended", "asked"),
    SetPaymentMode: lambda desk: SetPaymentMode("postpaid"),
    SetCreditLimit: lambda desk: SetCreditLimit(500, "risk"),
    SetThreshold: lambda desk: SetThreshold(Threshold("low", "balance", 50), False),
    SetProfile: lambda desk: SetProfile({"segment": "gold"}, {"grade": "vip"}, ("vip-2026",)),
    SetSpendingLimit: lambda desk: SetSpendingLimit(DAILY, False),
    SetPayer: lambda desk: SetPayer("GD/3:1001", "the firm pays"),
    SetPayee: lambda desk: SetPayee("GD/3:1002", "yes", "asked by the firm"),
    DropBook: lambda desk: DropBook("empty", "no longer"),
    TopUp: lambda desk: TopUp("gift", "money", 100, 0, 0, "", "bonus", 0, (WELCOME,)),
    Adjust: lambda desk: Adjust("main", -5, "typing error"),
    PostFees: lambda desk: PostFees(_rent(desk)),
    ClosePeriod: _closing,
    Refund: lambda desk: Refund(CHARGED, 0, "complaint"),
    TakeOverBill: lambda desk: TakeOverBill("B-2025", "2025-12/1", "", "tv", 70, START_MS, "from the old system"),
    Pay: lambda desk: Pay(30, "", "", "", "cash", "counter"),
    ReversePayment: lambda desk: ReversePayment("never-came", "fate unknown"),
    Settle: lambda desk: Settle("guarantee", "", "", 5, "agreed"),
    Dispute: lambda desk: Dispute(BILL_NUMBER, "", "", 5, "not mine"),
    ResolveDispute: lambda desk: ResolveDispute(BILL_NUMBER, 3, "half of it"),
    CreditBill: lambda desk: CreditBill(BILL_NUMBER, 5, "", "goodwill"),
    WriteOff: lambda desk: WriteOff(BILL_NUMBER, 5, "zhao", "moved abroad"),
    Recover: lambda desk: Recover(BILL_NUMBER, 4, "", "collected"),
    AgreeInstalments: lambda desk: AgreeInstalments("", 3, desk.now_ms + 86_400_000, 30, "asked"),
    Dun: lambda desk: Dun("sweep", (DunningStep("reminder", "notice", 0), DunningStep("out", "suspend_outgoing", 0))),
    MoveMoney: lambda desk: MoveMoney("main", "side", 3, "saving"),
    Gift: lambda desk: Gift(BOB, "friends", 9, "main", FRIENDS),
    GiveOffering: lambda desk: GiveOffering(BOB, "pack", {}, 1, "main", given_to(desk, ALICE, BOB)),
    SendTransfer: lambda desk: SendTransfer("main", BOB, "main", 11, "gift"),
    AddressTransfer: lambda desk: AddressTransfer(SENT, BOB),
    ReceiveBill: _bill_of_another,
    ReceiveTransfer: lambda desk: ReceiveTransfer(BOB, "main", 12, "gift", desk.now_ms, "CNY"),
    SettleTransfer: lambda desk: SettleTransfer(SENT, False, "BOOK_UNKNOWN"),
    RedeemVoucher: lambda desk: RedeemVoucher("", CodeRead("vouchers:GD/0:1.0", (b"another code 16b",))),
    SettleVoucher: lambda desk: SettleVoucher(ASKED, WORTH, None, ""),
    LiftVoucherBlock: lambda desk: LiftVoucherBlock("seen with the card"),
    StepSession: lambda desk: desk.plan(ALICE, "s-new", "create", 0, UnitAsk("data", 5, 0, START_MS)),
    ExpireSession: _expiry,
    ReplayStaged: lambda desk: ReplayStaged(BILLED),
    MoveOut: lambda desk: MoveOut("XJ"),
    MoveIn: _parcel,
    Remember: lambda desk: Remember(pack(Done(ALICE, 3, 5, ()))),
    Propose: lambda desk: proposal_of(TopUp("main", "money", 100, 0, 0, "", "bonus")),
    Approve: lambda desk: Approve(WAITING, False, "seen"),
}
"""By the action: one that is done on the accounts of `lively`, or on them as they have become."""
OF_NOBODY = (OpenAccount, MoveIn)
"""Whose account there is only when they are done."""


def account_of(kind: type[BaseAction]) -> str:
    """Say whose account an example is done on."""
    return NEW if kind in OF_NOBODY else GONE if kind is Reopen else ALICE
