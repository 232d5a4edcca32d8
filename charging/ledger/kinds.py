"""The list of all commands and events: a new one is its file and its lines here.

Closed and static, so that types are checked and journals are read by it. What an action or event does not say of itself
fails when this is imported.
"""

from typing import get_args

from charging.ledger.action import BaseAction, BaseCreation
from charging.ledger.commands.address_transfer import AddressTransfer, TransferAddressed
from charging.ledger.commands.adjust import Adjust
from charging.ledger.commands.agree_instalments import AgreeInstalments, InstalmentsAgreed
from charging.ledger.commands.approve import Approve, Decided
from charging.ledger.commands.change_characteristics import ChangeCharacteristics
from charging.ledger.commands.change_identity import ChangeIdentity, IdentityChanged
from charging.ledger.commands.change_plan import ChangePlan
from charging.ledger.commands.close_period import ClosePeriod, PeriodClosed
from charging.ledger.commands.credit_bill import CreditBill
from charging.ledger.commands.dispute import Dispute, Disputed
from charging.ledger.commands.drop_book import DropBook
from charging.ledger.commands.dun import Dun
from charging.ledger.commands.expire_session import ExpireSession
from charging.ledger.commands.gift import Gift, GiftCounted
from charging.ledger.commands.give_offering import GiveOffering
from charging.ledger.commands.join import Join
from charging.ledger.commands.leave import Leave
from charging.ledger.commands.lift_voucher_block import LiftVoucherBlock, VoucherBlockLifted
from charging.ledger.commands.move_in import MovedIn, MoveIn
from charging.ledger.commands.move_money import MoveMoney
from charging.ledger.commands.move_out import MovedOut, MoveOut
from charging.ledger.commands.open_account import OpenAccount, Opened
from charging.ledger.commands.pause import Pause
from charging.ledger.commands.pay import Paid, Pay
from charging.ledger.commands.post_charge import Charged, PostCharge
from charging.ledger.commands.post_fees import PostFees
from charging.ledger.commands.post_usage import PostUsage, UsageSetAside
from charging.ledger.commands.propose import Propose, Proposed
from charging.ledger.commands.receive_bill import ReceiveBill
from charging.ledger.commands.receive_transfer import ReceiveTransfer, TransferReceived
from charging.ledger.commands.recover import Recover, Recovered
from charging.ledger.commands.redeem_voucher import RedeemVoucher, VoucherAsked
from charging.ledger.commands.refund import Refund, Refunded
from charging.ledger.commands.release_number import ReleaseNumber
from charging.ledger.commands.remember import Remember
from charging.ledger.commands.reopen_account import Reopen
from charging.ledger.commands.replay_staged import ReplayStaged
from charging.ledger.commands.resolve_dispute import DisputeResolved, ResolveDispute
from charging.ledger.commands.restate_usage import RestateUsage, UsageRestated
from charging.ledger.commands.resume import Resume
from charging.ledger.commands.reverse_payment import PaymentReversed, ReversePayment
from charging.ledger.commands.send_transfer import SendTransfer
from charging.ledger.commands.set_contract import SetContract
from charging.ledger.commands.set_credit_limit import CreditSet, SetCreditLimit
from charging.ledger.commands.set_payee import PayeeSet, SetPayee
from charging.ledger.commands.set_payer import PayerSet, SetPayer
from charging.ledger.commands.set_payment_mode import ModeSet, SetPaymentMode
from charging.ledger.commands.set_profile import ProfileSet, SetProfile
from charging.ledger.commands.set_spending_limit import LimitSet, SetSpendingLimit
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.commands.set_threshold import SetThreshold, ThresholdSet
from charging.ledger.commands.settle import Settle
from charging.ledger.commands.settle_transfer import SettleTransfer, TransferSettled
from charging.ledger.commands.settle_voucher import SettleVoucher, VoucherReturning, VoucherSettled
from charging.ledger.commands.step_session import StepSession
from charging.ledger.commands.subscribe import Subscribe
from charging.ledger.commands.take_over_bill import BillTakenOver, TakeOverBill
from charging.ledger.commands.top_up import TopUp
from charging.ledger.commands.transfer_ownership import CustomerChanged, TransferOwnership
from charging.ledger.commands.unsubscribe import Unsubscribe
from charging.ledger.commands.write_off import WriteOff, WrittenOff
from charging.ledger.crediting import BillCredited
from charging.ledger.dues import FeePosted
from charging.ledger.dunning import DunningLifted, DunningTaken
from charging.ledger.event import BaseArrival, BaseEvent
from charging.ledger.events import (
    BookDropped,
    Booked,
    BookSet,
    ContractSet,
    FirstMoney,
    Noticed,
    ReauthAsked,
    SessionStepped,
    StatusSet,
)
from charging.ledger.feeds import FeedMarked
from charging.ledger.passing import BillAssumed, BillPassed, BillReturned
from charging.ledger.rewards import BonusGiven, BonusMoved, BonusTakenBack
from charging.ledger.sending import TransferSent
from charging.ledger.settling import Settled
from charging.ledger.staging import MoneyReplayed, MoneyStaged
from charging.ledger.usescharged import UsesCharged

Action = (
    PostCharge
    | PostUsage
    | RestateUsage
    | OpenAccount
    | SetContract
    | Subscribe
    | Unsubscribe
    | ChangePlan
    | Join
    | Leave
    | Pause
    | Resume
    | ChangeIdentity
    | ChangeCharacteristics
    | Reopen
    | ReleaseNumber
    | TransferOwnership
    | SetStatus
    | SetPaymentMode
    | SetCreditLimit
    | SetThreshold
    | SetProfile
    | SetSpendingLimit
    | SetPayer
    | SetPayee
    | TopUp
    | DropBook
    | Adjust
    | Refund
    | PostFees
    | ClosePeriod
    | TakeOverBill
    | Pay
    | ReversePayment
    | Settle
    | Dispute
    | ResolveDispute
    | CreditBill
    | WriteOff
    | Recover
    | AgreeInstalments
    | Dun
    | MoveMoney
    | Gift
    | GiveOffering
    | SendTransfer
    | AddressTransfer
    | ReceiveTransfer
    | ReceiveBill
    | SettleTransfer
    | RedeemVoucher
    | SettleVoucher
    | LiftVoucherBlock
    | StepSession
    | ExpireSession
    | ReplayStaged
    | MoveOut
    | MoveIn
    | Remember
    | Propose
    | Approve
)
Event = (
    Charged
    | Opened
    | ModeSet
    | CreditSet
    | ThresholdSet
    | ProfileSet
    | LimitSet
    | FirstMoney
    | BonusGiven
    | BonusTakenBack
    | BonusMoved
    | Refunded
    | PeriodClosed
    | GiftCounted
    | TransferSent
    | TransferAddressed
    | TransferReceived
    | TransferSettled
    | PayerSet
    | PayeeSet
    | BillPassed
    | BillAssumed
    | BillReturned
    | VoucherAsked
    | VoucherReturning
    | VoucherSettled
    | VoucherBlockLifted
    | MovedOut
    | MovedIn
    | Proposed
    | Decided
    | Booked
    | BookSet
    | BookDropped
    | SessionStepped
    | ContractSet
    | IdentityChanged
    | CustomerChanged
    | StatusSet
    | FeePosted
    | FeedMarked
    | UsageRestated
    | UsageSetAside
    | UsesCharged
    | Noticed
    | ReauthAsked
    | BillTakenOver
    | Paid
    | PaymentReversed
    | Settled
    | MoneyStaged
    | MoneyReplayed
    | Disputed
    | DisputeResolved
    | BillCredited
    | WrittenOff
    | Recovered
    | InstalmentsAgreed
    | DunningTaken
    | DunningLifted
)
Revision = Subscribe | Unsubscribe | ChangePlan | Leave | Pause | Resume | ChangeIdentity | ChangeCharacteristics
"""Changes of one contract that bring the one that they were decided on, see `charging.ledger.revising`."""
ACTIONS: tuple[type[BaseAction], ...] = get_args(Action)
EVENTS: tuple[type[BaseEvent], ...] = get_args(Event)
TAGS: dict[type[BaseAction], str] = {kind: str(kind.__struct_config__.tag) for kind in ACTIONS}
"""What journals, grants and histories call an action."""


def check_whole() -> None:
    """Raise `TypeError` for an action or event that does not say all of itself."""
    for kind in ACTIONS:
        _require(kind, (BaseAction, BaseCreation), ("traits", "decide", "at_stake"))
    for event in EVENTS:
        own = ("rerates", "words") if issubclass(event, BaseArrival) else ("rerates", "words", "apply")
        _require(event, (BaseEvent,), own)


def _require(kind: type, bases: tuple[type, ...], names: tuple[str, ...]) -> None:
    for name in names:
        if getattr(kind, name, None) in [getattr(base, name, None) for base in bases]:
            raise TypeError(f"{kind.__name__} does not say its {name}")


check_whole()
