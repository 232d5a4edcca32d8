"""Events, one of each kind, and an account that has something of everything for them to change."""

from collections.abc import Mapping

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from charging.base.account import Book, Hold, Proposal, Session, SpendingLimit, Threshold
from charging.base.buckets import Billed, Buckets, SumKey
from charging.base.contract import Contract
from charging.base.discounted import DiscountedPeriod
from charging.base.due import Due
from charging.base.dunning import Dunned, DunningStep
from charging.base.feemark import FeeMark
from charging.base.openbills import NEVER_LATE, OpenBill, OpenItem, Share, pack_settled
from charging.base.outgoing import Outgoing, Redemption
from charging.base.staged import StagedMoney
from charging.base.usage import SealedCharge, Usage
from charging.bills.bill import Bill, TaxedLine, TaxGroup
from charging.ledger.commands.address_transfer import TransferAddressed
from charging.ledger.commands.agree_instalments import InstalmentsAgreed
from charging.ledger.commands.approve import Decided
from charging.ledger.commands.change_identity import IdentityChanged
from charging.ledger.commands.close_period import PeriodClosed
from charging.ledger.commands.dispute import Disputed
from charging.ledger.commands.gift import GiftCounted
from charging.ledger.commands.lift_voucher_block import VoucherBlockLifted
from charging.ledger.commands.move_in import MovedIn
from charging.ledger.commands.move_out import MovedOut
from charging.ledger.commands.open_account import Opened
from charging.ledger.commands.pay import Paid
from charging.ledger.commands.post_charge import Charged
from charging.ledger.commands.post_usage import ReplacedUse, UsageSetAside
from charging.ledger.commands.propose import Proposed
from charging.ledger.commands.receive_transfer import TransferReceived
from charging.ledger.commands.recover import Recovered
from charging.ledger.commands.redeem_voucher import VoucherAsked
from charging.ledger.commands.refund import Refunded
from charging.ledger.commands.resolve_dispute import DisputeResolved
from charging.ledger.commands.restate_usage import RestatedAmount, RestatedLine, UsageRestated
from charging.ledger.commands.reverse_payment import PaymentReversed
from charging.ledger.commands.set_credit_limit import CreditSet
from charging.ledger.commands.set_payee import PayeeSet
from charging.ledger.commands.set_payer import PayerSet
from charging.ledger.commands.set_payment_mode import ModeSet
from charging.ledger.commands.set_profile import ProfileSet
from charging.ledger.commands.set_spending_limit import LimitSet
from charging.ledger.commands.set_threshold import ThresholdSet
from charging.ledger.commands.settle_transfer import TransferSettled
from charging.ledger.commands.settle_voucher import VoucherReturning, VoucherSettled
from charging.ledger.commands.take_over_bill import BillTakenOver
from charging.ledger.commands.transfer_ownership import CustomerChanged
from charging.ledger.commands.write_off import WrittenOff
from charging.ledger.crediting import BillCredited
from charging.ledger.dues import FeePosted
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
from charging.ledger.feeds import FeedMarked
from charging.ledger.passing import BillAssumed, BillPassed, BillReturned
from charging.ledger.rewards import BonusGiven, BonusMoved, BonusTakenBack
from charging.ledger.sending import TransferSent
from charging.ledger.settling import Settled
from charging.ledger.staging import MoneyReplayed, MoneyStaged
from charging.ledger.usescharged import UseKind, UsesCharged
from testkit.examples import ALICE, BOB, DAILY
from testkit.ledger import START_MS, an_account

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
VOUCHER = Redemption("vouchers:GD/0:1.0", (b"a hash of code16",), "pos", "acme", b"digest")
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
    outgoing=(
        Outgoing("sent-1", "main", BOB, "main", 40, 1, "XTS", to_account="account-3"),
        Outgoing("asked-1", "", "", "", 0, 1, "XTS", voucher=VOUCHER),
        Outgoing(
            "bill B-7",
            "main",
            "account:GD/3:1001",
            "main",
            BILL.open,
            1,
            "XTS",
            bill=replace(BILL, number="B-7"),
            of_ms=1,
        ),
    ),
    payers=((2026 * 12, "GD/3:1001"),),
    payees=("GD/3:1003",),
    redeemed=(("asked-0", b"outcome", b"digest"),),
    missed=(START_MS,),
    barred_ms=START_MS,
    moved=(("side", "main", 9),),
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
    places=("XJ/1",),
    fees=(FeeMark(ALICE, "plan", "monthly", 1, 9, 30),),
    reversed=(("paid-0", START_MS),),
    closed_ms=START_MS,
    stopped=("lost phone",),
    begun=((ALICE, "extra", 5),),
    discounted=(DiscountedPeriod(24_320, b"packed"),),
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
    UsesCharged: (
        UsesCharged(
            ALICE,
            (
                UseKind("voice", "", {}, "XTS", 1, True, "calls", 1, (COUNTER,)),
                UseKind("sms", "GX", {}, "XTS", 1, False, "", 0, ()),
            ),
            (0, 1, 0),
            (START_MS, START_MS + 1, START_MS + 2),
            (60, 1, 30),
            (BOB, BOB, ""),
            (20, 5, 5),
            (60, 30),
            (0, 1, 0),
            (Raw(b"\x90"), Raw(b"\x91\x01")),
        ),
        {"books", "buckets", "accumulators"},
    ),
    FeedMarked: (FeedMarked("plant", ALICE, 8), {"feeds"}),
    UsageRestated: (
        UsageRestated(
            "rerate",
            8,
            (RestatedLine(1, "voice", ALICE, 0, 9),),
            (("main", 9),),
            (("minutes", 3),),
            (RestatedAmount(1, COUNTER, 5),),
            "dearer",
            (RestatedAmount(1, "minutes", 3),),
        ),
        {"books", "buckets", "accumulators"},
    ),
    UsageSetAside: (UsageSetAside(USAGE, ReplacedUse(0, "part", 1, 30)), set()),
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
    TransferAddressed: (TransferAddressed("sent-1", "account-2"), {"outgoing"}),
    TransferReceived: (TransferReceived("account-2", "main", 12, "gift", "XTS"), {"books", "buckets"}),
    TransferSettled: (TransferSettled("sent-1", False, "main", 40, "BOOK_BOUND"), {"books", "buckets", "outgoing"}),
    PayerSet: (PayerSet(2027 * 12, "GD/3:1001", "the firm pays"), {"payers"}),
    PayeeSet: (PayeeSet("GD/3:1002", True, "asked"), {"payees"}),
    BillPassed: (
        BillPassed("bill B-1", BILL, "GD/3:1001", START_MS, START_MS, "XTS"),
        {"books", "bills", "settled", "outgoing"},
    ),
    BillAssumed: (BillAssumed("GD/3:1002", "B-9", 12, START_MS), {"books", "buckets"}),
    BillReturned: (
        BillReturned("bill B-7", replace(BILL, number="B-7"), "PAYEE_UNKNOWN"),
        {"books", "bills", "outgoing"},
    ),
    VoucherAsked: (
        VoucherAsked(Outgoing("asked-2", "", "", "", 0, 1, "XTS", voucher=VOUCHER)),
        {"outgoing"},
    ),
    VoucherReturning: (VoucherReturning("asked-1", "BOOK_FULL"), {"outgoing"}),
    VoucherSettled: (
        VoucherSettled("asked-1", "VOUCHER_UNKNOWN", "", (START_MS, START_MS + 1), 0, b"outcome"),
        {"outgoing", "redeemed", "missed", "barred_ms"},
    ),
    VoucherBlockLifted: (VoucherBlockLifted("seen"), {"missed", "barred_ms"}),
    SessionStepped: (
        SessionStepped(
            replace(SESSION, invocation=2, holds=()),
            "released",
            (SessionPosting(USAGE, CHARGE, 8, (("main", 8),), (("minutes", 2),), ((COUNTER, 2),), 0, 0),),
        ),
        {"books", "buckets", "accumulators", "sessions", "ended"},
    ),
    IdentityChanged: (IdentityChanged(ALICE, "tv:new", "lost"), {"members", "fees", "feeds"}),
    ContractSet: (
        ContractSet(Contract("tv:new", "account-1", "GD"), begun=(("tv:new", "extra", 5),)),
        {"members", "begun"},
    ),
    CustomerChanged: (
        CustomerChanged("account-1", "GD", "customer-1", "customer-2", {"grade": "new"}, "sold", 2027 * 12),
        {"customer_id", "customer_attributes", "payers", "payees"},
    ),
    StatusSet: (StatusSet("active", "paid"), {"status", "status_reason", "closed_ms", "stopped"}),
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
    BonusMoved: (BonusMoved("presents", "main", 5), {"moved"}),
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
