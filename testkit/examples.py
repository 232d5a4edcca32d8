"""Examples of every kind of command, and of every kind of event: a kind without one fails in the tests that go by them.

`lively` gives two accounts on which each of the commands can be done, and `EXAMPLES` the commands. `FULL` is a state
with no field at its default, and `SAMPLES` has an event of each kind that changes it.
"""

from collections.abc import Callable, Mapping

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from charging.base.account import MONEY, Book, FeeMark, Hold, Outgoing, Proposal, Session, SpendingLimit, Threshold
from charging.base.buckets import Billed, Buckets, SumKey
from charging.base.contract import Contract
from charging.base.dunning import Dunned, DunningStep
from charging.base.localtime import day_of, zone_of
from charging.base.openbills import NEVER_LATE, OpenBill, OpenItem, Share, pack_settled
from charging.base.staged import StagedMoney
from charging.base.usage import SealedCharge, Usage
from charging.bills.bill import Bill, TaxedLine, TaxGroup
from charging.bills.taxtable import TaxTable
from charging.errors import Fault
from charging.ledger.action import BaseAction
from charging.ledger.commands.adjust import Adjust
from charging.ledger.commands.agree_instalments import AgreeInstalments, InstalmentsAgreed
from charging.ledger.commands.approve import Approve, Decided
from charging.ledger.commands.change_identity import ChangeIdentity, IdentityChanged
from charging.ledger.commands.change_plan import ChangePlan
from charging.ledger.commands.close_period import ClosePeriod, PeriodClosed
from charging.ledger.commands.credit_bill import CreditBill
from charging.ledger.commands.dispute import Dispute, Disputed
from charging.ledger.commands.drop_book import DropBook
from charging.ledger.commands.dun import Dun
from charging.ledger.commands.expire_session import ExpireSession
from charging.ledger.commands.gift import Gift, GiftCounted, GiftTerms
from charging.ledger.commands.leave import Leave
from charging.ledger.commands.move_in import MovedIn, MoveIn
from charging.ledger.commands.move_money import MoveMoney
from charging.ledger.commands.move_out import MovedOut, MoveOut
from charging.ledger.commands.open_account import OpenAccount, Opened
from charging.ledger.commands.pause import Pause
from charging.ledger.commands.pay import Paid, Pay
from charging.ledger.commands.post_charge import Charged, PostCharge
from charging.ledger.commands.post_fees import PostFees
from charging.ledger.commands.post_usage import FeedMarked, PostUsage, RatedUse
from charging.ledger.commands.propose import Propose, Proposed, proposal_of
from charging.ledger.commands.receive_transfer import ReceiveTransfer, TransferReceived
from charging.ledger.commands.recover import Recover, Recovered
from charging.ledger.commands.refund import Refund, Refunded
from charging.ledger.commands.remember import Remember
from charging.ledger.commands.replay_staged import ReplayStaged
from charging.ledger.commands.resolve_dispute import DisputeResolved, ResolveDispute
from charging.ledger.commands.resume import Resume
from charging.ledger.commands.reverse_payment import PaymentReversed, ReversePayment
from charging.ledger.commands.send_transfer import SendTransfer
from charging.ledger.commands.set_contract import SetContract
from charging.ledger.commands.set_credit_limit import CreditSet, SetCreditLimit
from charging.ledger.commands.set_payment_mode import ModeSet, SetPaymentMode
from charging.ledger.commands.set_profile import ProfileSet, SetProfile
from charging.ledger.commands.set_spending_limit import LimitSet, SetSpendingLimit
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.commands.set_threshold import SetThreshold, ThresholdSet
from charging.ledger.commands.settle import Settle
from charging.ledger.commands.settle_transfer import SettleTransfer, TransferSettled
from charging.ledger.commands.step_session import StepSession
from charging.ledger.commands.subscribe import Subscribe
from charging.ledger.commands.take_over_bill import BillTakenOver, TakeOverBill
from charging.ledger.commands.top_up import TopUp
from charging.ledger.commands.unsubscribe import Unsubscribe
from charging.ledger.commands.write_off import WriteOff, WrittenOff
from charging.ledger.crediting import BillCredited
from charging.ledger.dues import Due, Dues, FeePosted
from charging.ledger.dunning import DunningLifted, DunningTaken
from charging.ledger.event import BaseEvent
from charging.ledger.events import (
    Affected,
    BookDropped,
    Booked,
    BookSet,
    ContractSet,
    FirstMoney,
    Noticed,
    ReauthAsked,
    SessionPosting,
    SessionStepped,
    StatusSet,
)
from charging.ledger.ledger import seal
from charging.ledger.outcome import Done
from charging.ledger.rewards import BonusGiven, BonusPart, BonusTakenBack
from charging.ledger.sending import TransferSent
from charging.ledger.settling import BY_HAND, Settled
from charging.ledger.staging import MoneyReplayed, MoneyStaged
from charging.rating.closing import closing_of, first_day
from charging.rating.session_asks import UnitAsk
from charging.wire import pack
from testkit.ledger import DAY_MS, START_MS, Desk, an_account, charge_of, contract_of, opening, post

ROOMMATE = "msisdn:8613000000009"
"""Of Alice's account, too."""
ALICE, BOB, NEW, TV = "msisdn:8613000000001", "msisdn:8613000000002", "msisdn:8613000000003", "tv:sh-1"
CHARGED, SENT, WAITING, OVER = "charged", "sent", "waiting", "s-over"
BILL_NUMBER = "B-2026"
BILLED = 2026 * 12 + 11
"""What has happened to Alice: request keys of a charge, of a transfer under way and of a proposal, an old session."""


WELCOME = BonusPart("welcome", "Welcome", 7, "presents", 0, 100, "", False)
FRIENDS = GiftTerms("Friends", MONEY, (), 1, 100, 1_000, 0, 1, "main", "", 0, ALICE)
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
    usages = tuple(Usage(ALICE, "voice", START_MS + place, 60) for place in range(2))
    batch = max((batch for _, _, batch in account.open.feeds), default=0) + 1
    rated = (RatedUse(seal(charge_of(7, depends=True))), RatedUse(None, "SERVICE_UNKNOWN", "no such service"))
    return PostUsage("plant", batch, usages, rated, account.version, account.mark)


EXAMPLES: Mapping[type[BaseAction], Callable[[Desk], BaseAction]] = {
    PostCharge: lambda desk: post(desk.accounts[ALICE], charge_of(7, depends=True)),
    PostUsage: _uses_of,
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
    Leave: lambda desk: Leave("moves abroad", 0, "", contract_of(ROOMMATE, ALICE)),
    SetStatus: lambda desk: SetStatus("suspended", "asked"),
    SetPaymentMode: lambda desk: SetPaymentMode("postpaid"),
    SetCreditLimit: lambda desk: SetCreditLimit(500, "risk"),
    SetThreshold: lambda desk: SetThreshold(Threshold("low", "balance", 50), False),
    SetProfile: lambda desk: SetProfile({"segment": "gold"}, {"grade": "vip"}, ("vip-2026",)),
    SetSpendingLimit: lambda desk: SetSpendingLimit(DAILY, False),
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
    SendTransfer: lambda desk: SendTransfer("main", BOB, "main", 11, "gift"),
    ReceiveTransfer: lambda desk: ReceiveTransfer(BOB, "main", 12, "gift", desk.now_ms, "CNY"),
    SettleTransfer: lambda desk: SettleTransfer(SENT, False, "BOOK_UNKNOWN"),
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

COUNTER = "voice@2027-01"
USAGE = Usage(ALICE, "voice", 1, 60)
CHARGE = SealedCharge(30, "XTS", (("minutes", 60),), ((COUNTER, 60),), 1, True, Raw(msgspec.msgpack.encode([])))
HOLD = Hold("data", "", "", 1, 5, 10, (("main", 10),), (), 5, (("main", 7),), ())
SESSION = Session("s-1", ALICE, 1, 9, (HOLD,))
STEP = DunningStep("all", "suspend_all", 30)
BILL = OpenBill(
    "B-1",
    "2026-12/9",
    START_MS,
    100,
    (OpenItem("voice", "voice", 60, 40), OpenItem("tv", "tv", 40, 40, disputed=20)),
    written_off=5,
)
WAITS = StagedMoney("top-1", "deposit", "cash", 25, (("main", 25),), (), START_MS, 1970 * 12, "counter")
PAYS = StagedMoney(
    "pay-1", "settlement", "bank", 30, (("main", 10),), (Share("B-1", "voice", "voice", 20),), 1, 1970 * 12, ""
)
FULL = an_account(
    account_id="account-1",
    version=7,
    domain="GD",
    customer_id="customer-1",
    status="suspended",
    payment_mode="postpaid",
    currency="XTS",
    credit_limit=500,
    cycle_day=9,
    zone="Asia/Shanghai",
    carried=3,
    closed=1969 * 12,
    buckets=Buckets((SumKey(1970 * 12, "voice"),), (44,)),
    members=(ALICE, BOB),
    books=(
        Book("main", "money", 1_000, reserved=7 + 60 - 25),
        Book("minutes", "second", 600, allowance="minutes"),
        Book("old", "money", 0),
    ),
    accumulators={COUNTER: 1},
    attributes={"segment": "gold"},
    customer_attributes={"grade": "vip"},
    agreements=("vip-2026",),
    sessions=(SESSION,),
    thresholds=(Threshold("t-1", "balance", 5),),
    outgoing=(Outgoing("sent-1", "main", BOB, "main", 40, 1, "XTS"),),
    mark=77,
    terms_version=3,
    status_reason="asked",
    before_move=("active", ""),
    topped_up=True,
    limits=(SpendingLimit("l-1", "", "day", 50, (), "", 0),),
    refunds=(("charge-1", 5, False, 1),),
    ended=(("s-0", 2, "released", b"o"),),
    proposals=(Proposal("proposed-1", "adjust", b"a", 9, "operator/li", "li", "pos", 1, b"digest"),),
    decided=(("proposed-0", b"outcome", b"digest"),),
    bills=(BILL,),
    settled=pack_settled((replace(BILL, number="B-0", items=()),)),
    feeds=(("plant", ALICE, 7),),
    staged=(WAITS,),
    fees=(FeeMark(ALICE, "plan", "monthly", 1, 9, 30),),
    reversed=(("paid-0", START_MS),),
    dunned=(Dunned(STEP, "", 1),),
)
SHARE = (Share("B-1", "voice", "voice", 20),)
CLOSED = Bill(
    "bill", "", "account-1", "customer-1", "1970-01/9", "1970-01-09", "1970-02-08", "1970-02-09", "1970-02-24", "XTS",
    10,
    "include", "bill", (TaxedLine("voice", "", "usage", 49, 0, "", 0),), (TaxGroup("", 0, 49, 0),), 0, 9, 40,
)  # fmt: skip
SAMPLES: Mapping[type[BaseEvent], tuple[BaseEvent, set[str]]] = {
    MoneyStaged: (MoneyStaged(PAYS), {"books", "staged"}),
    MoneyReplayed: (MoneyReplayed(WAITS), {"books", "buckets", "staged"}),
    Opened: (Opened(replace(FULL, version=0, mark=0)), {"buckets"}),
    MovedIn: (MovedIn(FULL, (Contract(ALICE, "account-1", "GD"),)), set()),
    MovedOut: (MovedOut("GX"), {"status", "status_reason", "before_move"}),
    Charged: (Charged(USAGE, CHARGE, (("main", 30),), (("minutes", 60),)), {"books", "buckets", "accumulators"}),
    FeedMarked: (FeedMarked("plant", ALICE, 8), {"feeds"}),
    Booked: (Booked("deposit", (("main", 100),), "paid"), {"books", "buckets"}),
    BookSet: (BookSet(Book("bonus", "money", 0, priority=5)), {"books"}),
    BookDropped: (BookDropped("old"), {"books"}),
    Refunded: (
        Refunded(
            "charge-2",
            9,
            (("main", 9),),
            (("minutes", 3),),
            ((COUNTER, 1),),
            False,
            1,
            (),
            "complaint",
            (Billed(1, "voice", ALICE, 9),),
        ),
        {"books", "buckets", "accumulators", "refunds"},
    ),
    PeriodClosed: (
        PeriodClosed(
            1970 * 12,
            replace(CLOSED, number="GD-0-B-1970-0000001"),
            5,
            9,
            (OpenItem("voice", "", 40, 40),),
            NEVER_LATE,
            (),
        ),
        {"books", "buckets", "bills", "carried", "closed"},
    ),
    GiftCounted: (GiftCounted("friends", BOB, ((COUNTER, 9),)), {"accumulators"}),
    TransferSent: (TransferSent("sent-2", "main", BOB, "main", 11, "gift", 1, "XTS"), {"books", "buckets", "outgoing"}),
    TransferReceived: (TransferReceived("account-2", "main", 12, "gift", "XTS"), {"books", "buckets"}),
    TransferSettled: (TransferSettled("sent-1", False, "main", 40, "BOOK_BOUND"), {"books", "buckets", "outgoing"}),
    SessionStepped: (
        SessionStepped(
            replace(SESSION, invocation=2, holds=()),
            "released",
            (SessionPosting(USAGE, CHARGE, 8, (("main", 8),), (("minutes", 2),), ((COUNTER, 2),), 0, 0),),
        ),
        {"books", "buckets", "accumulators", "sessions", "ended"},
    ),
    IdentityChanged: (IdentityChanged(ALICE, "tv:new", "lost"), {"members", "fees", "feeds"}),
    ContractSet: (ContractSet(Contract("tv:new", "account-1", "GD")), {"members"}),
    StatusSet: (StatusSet("active", "paid"), {"status", "status_reason"}),
    ModeSet: (ModeSet("prepaid", "postpaid"), {"payment_mode"}),
    CreditSet: (CreditSet(900, "risk", 100), {"credit_limit"}),
    ThresholdSet: (ThresholdSet(Threshold("t-2", "balance", 6), False), {"thresholds"}),
    ProfileSet: (
        ProfileSet({"segment": "new"}, {"grade": "new"}, ("new",), (("agreements", "", "new"),)),
        {"attributes", "customer_attributes", "agreements"},
    ),
    FeePosted: (
        FeePosted(Due(ALICE, "plan", "monthly", "rent", 9, 17, CHARGE), (("main", 30),)),
        {"books", "buckets", "accumulators", "fees"},
    ),
    FirstMoney: (FirstMoney(), set()),
    BonusGiven: (BonusGiven("welcome", "Welcome", "main", 7), {"books", "buckets"}),
    BonusTakenBack: (BonusTakenBack("welcome", "main", 5, 2), {"books", "buckets"}),
    LimitSet: (LimitSet(DAILY, False, "none → some"), {"limits"}),
    Noticed: (Noticed(("low-balance:t-1",)), set()),
    ReauthAsked: (ReauthAsked((Affected("s-1", ALICE, (("data", "#10"),)),)), set()),
    Proposed: (
        Proposed(Proposal("p-2", "adjust", b"a", 9, "operator/li", "li", "pos", 1, b"digest"), (), "why"),
        {"proposals"},
    ),
    BillTakenOver: (BillTakenOver(replace(BILL, number="B-9"), "moving in"), {"books", "bills"}),
    Paid: (Paid("payment", 35, SHARE, START_MS, "counter"), {"books", "buckets", "bills"}),
    PaymentReversed: (
        PaymentReversed("paid-1", "payment", 24, SHARE, (("main", 4),), 0, START_MS, ("paid-0",), "chargeback"),
        {"books", "buckets", "bills", "reversed"},
    ),
    Settled: (Settled((("main", 20),), SHARE, START_MS), {"books", "buckets", "bills"}),
    Disputed: (Disputed(SHARE, START_MS, "not mine"), {"books", "bills"}),
    DisputeResolved: (DisputeResolved((Share("B-1", "tv", "tv", 20),), START_MS, "ours"), {"books", "bills"}),
    BillCredited: (BillCredited("B-1", "B-1-C1", 25, 0, SHARE, START_MS, "goodwill"), {"books", "buckets", "bills"}),
    WrittenOff: (WrittenOff("B-1", SHARE, "wang", START_MS, "gone"), {"books", "bills"}),
    Recovered: (Recovered("B-1", "payment", 5, "collected"), {"bills"}),
    InstalmentsAgreed: (
        InstalmentsAgreed((("B-1", ((START_MS + 9, 60),)),), START_MS, "asked"),
        {"bills"},
    ),
    DunningTaken: (DunningTaken((Dunned(STEP, "tv", 9),)), {"dunned"}),
    DunningLifted: (DunningLifted((("all", ""),)), {"dunned"}),
    Decided: (Decided("proposed-1", True, "operator/li", "li", "seen", b"outcome"), {"proposals", "decided"}),
}
"""By the event: one of its kind, and the fields of an account that it changes in `FULL`."""
