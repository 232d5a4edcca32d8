"""Every mutation of an account, as a keyed command to the one domain server that owns it.

A `Command` is what travels and what the journal keeps under its key. The platform normalises, validates and rates;
`charging.ledger.ledger.decide` checks against the state and says which events follow.
"""

from msgspec import Struct

from charging.base.account import Book, Threshold
from charging.base.contract import Contract
from charging.base.usage import SealedCharge, Usage

PROPOSED = "propose"
"""Kind of the entries of `Propose`: they change the account and yet tell a refusal, APPROVAL_NEEDED."""
REMEMBERED = "remember"
"""Kind of the entries of `Remember`: their outcome tells of movements in another domain's journal."""


class PostCharge(Struct, frozen=True, array_like=True, tag="c", gc=False):
    """Take a rated charge. `base_version` is the account version it was rated on.

    Stale when `charge.depends` and version or mark are not the account's, or when `base_version` is older than the
    account's `terms_version`.
    """

    usage: Usage
    charge: SealedCharge
    base_version: int
    base_mark: int = 0
    """`Account.mark` of the state it was rated on; 0 = compare the version only."""


class OpenAccount(Struct, frozen=True, array_like=True, tag="open", gc=False):
    """Create an account with its first contract."""

    account_id: str
    customer_id: str
    payment_mode: str
    currency: str
    credit_limit: int
    cycle_day: int
    contract: Contract
    books: tuple[Book, ...]
    attributes: dict[str, str]
    customer_attributes: dict[str, str]
    agreements: tuple[str, ...]


class SetContract(Struct, frozen=True, array_like=True, tag="contract", gc=False):
    """Add or replace the contract of a member."""

    contract: Contract
    expected_version: int = 0
    """Of the contract that it replaces; 0 = whatever it is."""


class SetStatus(Struct, frozen=True, array_like=True, tag="status", gc=False):
    """Suspend, resume or close the account."""

    status: str
    reason: str


class SetPaymentMode(Struct, frozen=True, array_like=True, tag="mode", gc=False):
    """Switch between prepaid and postpaid without stopping service."""

    payment_mode: str


class SetCreditLimit(Struct, frozen=True, array_like=True, tag="credit", gc=False):
    """Change how far money may go below zero, micro-units."""

    credit_limit: int
    reason: str


class SetThreshold(Struct, frozen=True, array_like=True, tag="threshold", gc=False):
    """Set or remove a mark that raises a notice."""

    threshold: Threshold
    remove: bool


class SetProfile(Struct, frozen=True, array_like=True, tag="profile", gc=False):
    """Replace the attributes and agreements that discount rules read on the levels A and C."""

    attributes: dict[str, str]
    customer_attributes: dict[str, str]
    agreements: tuple[str, ...]


class TopUp(Struct, frozen=True, array_like=True, tag="topup", gc=False):
    """Deposit, payment, bonus, voucher: add to a book, making it if need be."""

    book_id: str
    unit: str
    amount: int
    valid_to_ms: int
    priority: int
    allowance: str
    kind: str
    valid_from_ms: int = 0
    """From when a book that it makes holds; 0 = a pack from its purchase on, plain money whenever."""


class Adjust(Struct, frozen=True, array_like=True, tag="adjust", gc=False):
    """Correct a book by hand; actor and reason are required."""

    book_id: str
    delta: int
    reason: str


class Refund(Struct, frozen=True, array_like=True, tag="refund", gc=False):
    """Give back a charge of this account. `original` is filled in by the owner from its journal."""

    charge_key: str
    amount: int
    """0 = all that is left."""
    reason: str
    original: "ChargedFact | None" = None


class ChargedFact(Struct, frozen=True, array_like=True, gc=False):
    """What the journal says of a charge that is to be refunded."""

    amount: int
    """Micro-units that the charge took."""
    postings: tuple[tuple[str, int], ...]
    """From money books, in the order of taking."""
    accruals: tuple[tuple[str, int], ...]
    units: tuple[tuple[str, int], ...] = ()
    """From books of free units."""
    time_ms: int = 0
    """When it was charged, by the owner's clock."""
    session_id: str = ""
    """Of the session whose step it was; "" = of none."""


class MoveMoney(Struct, frozen=True, array_like=True, tag="move", gc=False):
    """Between two books of the same account."""

    from_book_id: str
    to_book_id: str
    amount: int
    reason: str


class SendTransfer(Struct, frozen=True, array_like=True, tag="send", gc=False):
    """First half of a transfer to another account: take, and remember as outgoing until it has arrived."""

    from_book_id: str
    to_identity: str
    to_book_id: str
    amount: int
    """In the currency of the sender's account."""
    reason: str


class ReceiveTransfer(Struct, frozen=True, array_like=True, tag="receive", gc=False):
    """Second half, at the other account, under a key derived from the first."""

    from_account: str
    to_book_id: str
    amount: int
    reason: str
    sent_ms: int = 0
    """When the first half was journaled: tells the receiver whether the key may be forgotten again; 0 = not known."""
    currency: str = ""
    """Of the amount."""


class SettleTransfer(Struct, frozen=True, array_like=True, tag="settle", gc=False):
    """Last step at the sender: forget it, or give it back when the other side refused."""

    transfer_key: str
    arrived: bool
    reason: str


class SessionUnit(Struct, frozen=True, array_like=True, gc=False):
    """One service of a session step, already rated by the platform (`charging.rating.sessions.plan`)."""

    usage: Usage
    """Start of the service in this session, and the whole quantity used so far."""
    charge: SealedCharge
    """Rating of that whole quantity: what the session must have paid in the end, as if it were one piece."""
    granted: int
    reservation: SealedCharge | None
    """Rating of whole quantity + grant; what it asks beyond `charge` is kept."""
    final_unit: bool
    final_action: str
    tariff_switch_ms: int
    valid_until_ms: int = 0
    """When the quota ends because the piece of the session does; 0 = with the session."""


class StepSession(Struct, frozen=True, array_like=True, tag="session", gc=False):
    """Create, update or release a charging session."""

    session_id: str
    operation: str
    """create, update, release"""
    invocation: int
    identity: str
    units: tuple[SessionUnit, ...]
    valid_until_ms: int
    base_version: int
    base_mark: int = 0
    """As in `PostCharge`; a step always depends on its account."""


class ExpireSession(Struct, frozen=True, array_like=True, tag="expire", gc=False):
    """The owner's own command when a session's validity has passed: unused quota returns."""

    session_id: str
    valid_until_ms: int


class MoveOut(Struct, frozen=True, array_like=True, tag="out", gc=False):
    """The account leaves for another domain; nothing but MoveOut again is accepted afterwards."""

    to_domain: str


class MoveIn(Struct, frozen=True, array_like=True, tag="in", gc=False):
    """The account arrives from another domain, packed, with the contracts of its members."""

    account: bytes
    contracts: tuple[Contract, ...]
    domain: str = ""
    """Where it arrives; "" = as its contracts say."""


class Remember(Struct, frozen=True, array_like=True, tag=REMEMBERED, gc=False):
    """Keep, under the command's key, the outcome that an earlier domain of the account gave it.

    A caller who never heard that outcome repeats the key at the new domain, and must not be charged again.
    """

    outcome: bytes
    """`wire.Done` or `wire.Failed`, packed."""
    charged: ChargedFact | None = None
    """What a refund of it needs to know, when it charged something."""


class Propose(Struct, frozen=True, array_like=True, tag=PROPOSED, gc=False):
    """What an owner makes of a command that its sender may not do alone: it waits for another principal."""

    kind: str
    """Tag of the action."""
    action: bytes
    """The action, packed by `charging.ledger.handlers.approvals.pack_action`."""
    amount: int
    """What a limit is held against, micro-units."""


class Approve(Struct, frozen=True, array_like=True, tag="approve", gc=False):
    """Decide a proposal, as another principal than its own."""

    of_key: str
    """Request key of the proposed command."""
    reject: bool
    reason: str


Action = (
    PostCharge
    | OpenAccount
    | SetContract
    | SetStatus
    | SetPaymentMode
    | SetCreditLimit
    | SetThreshold
    | SetProfile
    | TopUp
    | Adjust
    | Refund
    | MoveMoney
    | SendTransfer
    | ReceiveTransfer
    | SettleTransfer
    | StepSession
    | ExpireSession
    | MoveOut
    | MoveIn
    | Remember
    | Propose
    | Approve
)


class Command(Struct, frozen=True, array_like=True, gc=False):
    """An action on an account, with the key that makes it happen once."""

    account_id: str
    key: str
    digest: bytes
    """16 bytes over the content of the caller's request (not over what rating made of it)."""
    actor: str
    channel: str
    time_ms: int
    """Event time of the request."""
    action: Action
    principal: str = ""
    """Who sent it, as authenticated: `runtime.principal.Principal.name`; empty = the owner itself."""
    partner: str = ""
