"""What happened to an account. Replaying the events of its entries in order gives its state.

Events are facts: they name what moved, so replay needs no rule and no clock. All pairs are (book id, amount), and all
amounts of money are micro-units. `charging.ledger.history.legs` gives the double-entry reading of each event.
"""

from msgspec import Struct

from charging.base.account import Account, Book, Proposal, Session, Threshold
from charging.base.contract import Contract
from charging.base.usage import SealedCharge, Usage


class Opened(Struct, frozen=True, array_like=True, tag="opened", gc=False):
    """The account exists from here on, in this state."""

    account: Account


class Charged(Struct, frozen=True, array_like=True, tag="c", gc=False):
    """A rated event was taken. Accumulators grow by `charge.accruals`."""

    usage: Usage
    charge: SealedCharge
    postings: tuple[tuple[str, int], ...]
    """Taken from money books; they add up to `charge.amount`."""
    units: tuple[tuple[str, int], ...]
    """Taken from books of free units."""


class Booked(Struct, frozen=True, array_like=True, tag="b", gc=False):
    """Books grew or shrank by hand: a deposit, an adjustment, a move between books, the end of an expired book."""

    kind: str
    """Kind of the top-up (deposit, payment, …), or adjust, move, lapse."""
    postings: tuple[tuple[str, int], ...]
    """Signed: what each book gained."""
    reason: str


class BookSet(Struct, frozen=True, array_like=True, tag="book", gc=False):
    """A book exists with these terms; a new one starts at nothing, the amount of an existing one stays."""

    book: Book


class BookDropped(Struct, frozen=True, array_like=True, tag="drop", gc=False):
    """An empty expired book is gone."""

    book_id: str


class Refunded(Struct, frozen=True, array_like=True, tag="refund", gc=False):
    """A charge was given back, in part or wholly."""

    charge_key: str
    amount: int
    postings: tuple[tuple[str, int], ...]
    """Given back to money books."""
    units: tuple[tuple[str, int], ...]
    accruals: tuple[tuple[str, int], ...]
    """Taken off accumulators, positive."""
    wholly: bool
    charged_ms: int
    forgets: tuple[str, ...]
    """Charges too old to be refunded again; what the account remembered of them goes."""
    reason: str


class TransferSent(Struct, frozen=True, array_like=True, tag="sent", gc=False):
    """Money left a book and is under way."""

    key: str
    from_book_id: str
    to_identity: str
    to_book_id: str
    amount: int
    reason: str
    sent_ms: int = 0
    currency: str = ""


class TransferReceived(Struct, frozen=True, array_like=True, tag="received", gc=False):
    """Money arrived from another account."""

    from_account: str
    book_id: str
    amount: int
    reason: str
    currency: str = ""


class TransferSettled(Struct, frozen=True, array_like=True, tag="settled", gc=False):
    """The other side has it, or it is given back to `book_id`."""

    key: str
    arrived: bool
    book_id: str
    amount: int
    reason: str


class SessionPosting(Struct, frozen=True, array_like=True, gc=False):
    """What one service of a session step posted: the difference to what the session had posted before."""

    usage: Usage
    """Whole quantity used since the start."""
    charge: SealedCharge
    """Rating of that whole quantity."""
    amount: int
    """Money posted now, signed."""
    postings: tuple[tuple[str, int], ...]
    """Taken from money books now, signed."""
    units: tuple[tuple[str, int], ...]
    """Taken from books of free units now, signed."""
    accruals: tuple[tuple[str, int], ...]
    """Added to accumulators now, signed."""
    shortfall: int
    """What the whole quantity costs beyond the money there was, when more was used than granted."""


class SessionStepped(Struct, frozen=True, array_like=True, tag="s", gc=False):
    """A session began, went on or ended. Reservations are the difference between its holds before and after."""

    session: Session
    """After the step; without open quota when it ended."""
    ended: str
    """Empty = open; released, expired."""
    postings: tuple[SessionPosting, ...]


class ContractSet(Struct, frozen=True, array_like=True, tag="contract", gc=False):
    """A member's contract; the domain server projects it to the shared unit. Status ended: the member left."""

    contract: Contract


class StatusSet(Struct, frozen=True, array_like=True, tag="status", gc=False):
    """The account became active, suspended or closed."""

    status: str
    reason: str


class ModeSet(Struct, frozen=True, array_like=True, tag="mode", gc=False):
    """Prepaid or postpaid from here on."""

    payment_mode: str


class CreditSet(Struct, frozen=True, array_like=True, tag="credit", gc=False):
    """How far money may go below zero from here on, micro-units."""

    credit_limit: int
    reason: str


class ThresholdSet(Struct, frozen=True, array_like=True, tag="threshold", gc=False):
    """A mark was set or removed."""

    threshold: Threshold
    remove: bool


class ProfileSet(Struct, frozen=True, array_like=True, tag="profile", gc=False):
    """What discount rules read on the levels A and C was replaced."""

    attributes: dict[str, str]
    customer_attributes: dict[str, str]
    agreements: tuple[str, ...]


class Noticed(Struct, frozen=True, array_like=True, tag="n", gc=False):
    """Somebody should be told: `low-balance:<threshold>`, `usage:<threshold>`, `suspended`, `resumed`, `shortfall`."""

    notices: tuple[str, ...]


class MovedOut(Struct, frozen=True, array_like=True, tag="out", gc=False):
    """The account left for another domain."""

    to_domain: str


class MovedIn(Struct, frozen=True, array_like=True, tag="in", gc=False):
    """The account arrived from another domain, in this state, with the contracts of its members."""

    account: Account
    contracts: tuple[Contract, ...]


class Proposed(Struct, frozen=True, array_like=True, tag="proposed", gc=False):
    """A command waits for approval; nothing else has happened."""

    proposal: Proposal
    forgets: tuple[str, ...]
    """Keys of proposals that nobody decided in time."""
    reason: str


class Decided(Struct, frozen=True, array_like=True, tag="decided", gc=False):
    """A proposal is over. Approved, what it does are the other events of the same entry."""

    key: str
    approved: bool
    proposer: str
    """Principal that proposed; the entry's own is the one that decided."""
    proposer_actor: str
    reason: str
    outcome: bytes = b""
    """Packed `wire.Done` or `wire.Failed`: what a repeat of the proposed command is answered from here on."""


Event = (
    Opened
    | Charged
    | Booked
    | BookSet
    | BookDropped
    | Refunded
    | TransferSent
    | TransferReceived
    | TransferSettled
    | SessionStepped
    | ContractSet
    | StatusSet
    | ModeSet
    | CreditSet
    | ThresholdSet
    | ProfileSet
    | Noticed
    | MovedOut
    | MovedIn
    | Proposed
    | Decided
)
