"""The state of an account: books, accumulators, sessions. Immutable values; `charging.ledger.ledger` changes them.

An account is the unit of consistency: one slot owns it, one version counts its mutations.
"""

from sys import intern
from typing import Annotated
from zlib import crc32

from msgspec import Struct
from msgspec.structs import replace

from charging.base.bounds import AMOUNT_MAX, PRIORITY_DEFAULT
from charging.base.fieldtypes import MICRO_UNITS, NAME, Name, Whole
from charging.base.money import NO_CURRENCY

MONEY = "money"
MAIN_BOOK = "main"


class Book(Struct, frozen=True, array_like=True, gc=False):
    """One balance: money (micro-units) or free units (seconds, bytes, events)."""

    book_id: str
    unit: str
    amount: int
    reserved: int = 0
    priority: int = PRIORITY_DEFAULT
    """Lower goes first."""
    valid_from_ms: int = 0
    valid_to_ms: int = 0
    """0 = open end; the end is exclusive."""
    allowance: str = ""
    """Allowance of the catalogue that gives scope and caps; empty = no restriction."""

    def valid_at(self, time_ms: int) -> bool:
        """Say whether it may be used at a moment."""
        return self.valid_from_ms <= time_ms and (self.valid_to_ms == 0 or time_ms < self.valid_to_ms)


class Hold(Struct, frozen=True, array_like=True, gc=False):
    """What a session keeps for one of its services: a reservation, and what it has charged so far."""

    service: str
    other_party: str
    visited: str
    start_ms: int
    used: int
    """Whole quantity reported so far."""
    charged: int
    """Amount posted for `used`, micro-units."""
    postings: tuple[tuple[str, int], ...]
    """What was taken for `used`: (book id, amount), money books included. Less than rated when money ended."""
    accruals: tuple[tuple[str, int], ...]
    granted: int
    """Open quota."""
    reserved: tuple[tuple[str, int], ...]
    """(book id, amount) kept for the open quota."""
    reserved_accruals: tuple[tuple[str, int], ...]
    attributes: dict[str, str] = {}
    charged_before: int = 0
    """Amount posted for pieces that have ended (`charging.rating.pieces`); the fields above are the running one's."""


class Session(Struct, frozen=True, array_like=True, gc=False):
    """A charging session (3GPP TS 32.290): survives its owner, and ends by itself at `valid_until_ms`."""

    session_id: str
    identity: str
    invocation: int
    valid_until_ms: int
    holds: tuple[Hold, ...]
    outcome: bytes = b""
    """Packed SessionOutcome of the newest invocation: what its repeat is answered."""


class Threshold(Struct, frozen=True, array_like=True, gc=False):
    """Raises a notice when a mark is crossed. `watches` is "balance" or an accumulator id."""

    threshold_id: Annotated[str, NAME]
    watches: Annotated[str, Name(required=False)]
    mark: Annotated[int, Whole(-AMOUNT_MAX, AMOUNT_MAX, unit=MICRO_UNITS, beside="watches")]


class Outgoing(Struct, frozen=True, array_like=True, gc=False):
    """A transfer under way to another account; see `charging.ledger.commands.send_transfer`."""

    key: str
    from_book_id: str
    to_identity: str
    to_book_id: str
    amount: int
    sent_ms: int = 0
    """When, by the sender's owner; 0 = it was not written down."""
    currency: str = ""
    """Of the amount."""


class Proposal(Struct, frozen=True, array_like=True, gc=False):
    """A command that waits for a second principal's approval; see `charging.ledger.commands.approve`."""

    key: str
    kind: str
    """Tag of its action."""
    action: bytes
    """The action, packed."""
    amount: int
    """What it asks for, micro-units; what an approver's limit is held against."""
    principal: str
    actor: str
    channel: str
    time_ms: int
    """When it was proposed, by the owner's clock."""
    digest: bytes = b""
    """Of the command, as `charging.ledger.command.Command.digest`."""


class Account(Struct, frozen=True, array_like=True, gc=False):
    """Everything private of an account."""

    account_id: str
    version: int
    domain: str
    customer_id: str = ""
    status: str = "active"
    """active, suspended, closed, moved"""
    payment_mode: str = "prepaid"
    currency: str = NO_CURRENCY
    credit_limit: int = 0
    """How far money may go below zero, micro-units."""
    cycle_day: int = 1
    members: tuple[str, ...] = ()
    books: tuple[Book, ...] = ()
    """In the order of `charging.base.consumption`."""
    accumulators: dict[str, int] = {}
    """Key, as `charging.base.accumulators` writes it → quantity; kept as long as usage of its period is taken, see
    `charging.base.lateness`."""
    attributes: dict[str, str] = {}
    customer_attributes: dict[str, str] = {}
    agreements: tuple[str, ...] = ()
    sessions: tuple[Session, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    outgoing: tuple[Outgoing, ...] = ()
    """Transfers under way."""
    mark: int = 0
    """Fingerprint of the past, `next_mark` of every mutation's key. Two states with one version but different pasts
    differ in it, so a chain of predicted charges can't land on a state that only happens to have the version."""
    terms_version: int = 0
    """Version of the last mutation that changed what every rating reads: contract of a member, attributes, agreements,
    domain, and what books of free units there are, other than by charges. A charge rated on an older version is stale,
    whether it depends or not."""
    status_reason: str = ""
    """Why it is suspended or closed; `charging.ledger.standing.FUNDS_ENDED` marks what a top-up undoes by itself."""
    before_move: tuple[str, ...] = ()
    """Status and its reason before the account moved out, so that the move can be told again."""
    refunds: tuple[tuple[str, int, bool, int], ...] = ()
    """Refunded so far: (charge key, micro-units, wholly, time of the charge); `charging.ledger.commands.refund`."""
    ended: tuple[tuple[str, int, str, bytes], ...] = ()
    """Newest sessions that ended: (session id, invocation, why, packed SessionOutcome)."""
    proposals: tuple[Proposal, ...] = ()
    """What waits for approval, oldest first."""
    decided: tuple[tuple[str, bytes, bytes], ...] = ()
    """Newest proposals that were decided: (key, packed outcome, digest), what a repeat of the key is answered."""


_NO_TEXTS: dict[str, str] = {}
_NO_SUMS: dict[str, int] = {}


def sharing(account: Account) -> Account:
    """Give the same account, its values shared with those of other accounts where they are equal.

    Each charge looks at every field once more, and of a million accounts none is in a cache of the processor: what an
    account does not have of its own is what it need not wait for.
    """
    account_id = account.account_id
    return replace(
        account,
        domain=intern(account.domain),
        status=intern(account.status),
        payment_mode=intern(account.payment_mode),
        currency=intern(account.currency),
        members=tuple([account_id if member == account_id else member for member in account.members]),
        books=tuple([_sharing_book(book) for book in account.books]),
        accumulators={intern(key): value for key, value in account.accumulators.items()} or _NO_SUMS,
        attributes=_sharing_texts(account.attributes),
        customer_attributes=_sharing_texts(account.customer_attributes),
        agreements=tuple([intern(agreement) for agreement in account.agreements]),
    )


def _sharing_book(book: Book) -> Book:
    book_id, unit, allowance = intern(book.book_id), intern(book.unit), intern(book.allowance)
    return replace(book, book_id=book_id, unit=unit, allowance=allowance)


def _sharing_texts(texts: dict[str, str]) -> dict[str, str]:
    return {intern(key): intern(value) for key, value in texts.items()} or _NO_TEXTS


class BalanceView(Struct, frozen=True):
    """The unified view of an account's money over all its services, micro-units."""

    real: int
    """In valid money books."""
    reserved: int
    """Kept for open sessions."""
    available: int
    """What may still be spent, credit included; never negative."""
    credit_limit: int


def next_mark(mark: int, key: str) -> int:
    """Give the mark of the state that the mutation with this request key makes."""
    return crc32(key.encode(), mark)
