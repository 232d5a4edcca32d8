"""The state of an account: books, accumulators, sessions. Immutable values; `charging.ledger.ledger` changes them.

An account is the unit of consistency: one slot owns it, one version counts its mutations.
"""

from sys import intern
from typing import Annotated
from zlib import crc32

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from charging.base.bounds import AMOUNT_MAX, PRIORITY_DEFAULT
from charging.base.buckets import Buckets, sharing_keys
from charging.base.discounted import DiscountedPeriod
from charging.base.dunning import Dunned
from charging.base.feemark import FeeMark
from charging.base.fieldtypes import MICRO_UNITS, NAME, NAMES, Choice, Identity, Name, Whole
from charging.base.money import NO_CURRENCY
from charging.base.openbills import OpenBill
from charging.base.outgoing import Outgoing
from charging.base.staged import StagedMoney

MONEY = "money"
MAIN_BOOK = "main"


class Book(Struct, frozen=True, array_like=True, gc=False):
    """One balance: money (micro-units) or free units (seconds, bytes, events)."""

    book_id: str
    unit: str
    amount: int
    """What it holds; below zero only the main book, as far as the credit limit lets it."""
    reserved: int = 0
    """Of the amount, kept for open sessions, and in the main book for bills not paid: nobody else may take it. Less by
    what is staged for the book, which is as good as there: below zero where that is more."""
    priority: int = PRIORITY_DEFAULT
    """Lower goes first."""
    valid_from_ms: int = 0
    """UTC, inclusive."""
    valid_to_ms: int = 0
    """0 = open end; the end is exclusive."""
    allowance: str = ""
    """Allowance of the catalogue that gives scope and caps; empty = no restriction."""

    def valid_at(self, time_ms: int) -> bool:
        """Say whether it may be used at a moment."""
        return self.valid_from_ms <= time_ms and (self.valid_to_ms == 0 or time_ms < self.valid_to_ms)


class Hold(Struct, frozen=True, array_like=True, gc=False):
    """What a session keeps for one of its units: a reservation, and what it has charged so far."""

    service: str
    other_party: str
    visited: str
    start_ms: int
    """When the running piece began, UTC."""
    used: int
    """Whole quantity of the running piece reported so far, base units."""
    charged: int
    """Amount posted for `used`, micro-units."""
    postings: tuple[tuple[str, int], ...]
    """What was taken for `used`: (book id, amount), money books included. Less than rated when money ended."""
    accruals: tuple[tuple[str, int], ...]
    """What was counted for `used`: (accumulator's key, quantity)."""
    granted: int
    """Open quota, base units beyond `used`."""
    reserved: tuple[tuple[str, int], ...]
    """(book id, amount) kept for the open quota."""
    reserved_accruals: tuple[tuple[str, int], ...]
    """What the open quota counts for as long as it is open: (accumulator's key, quantity)."""
    attributes: dict[str, str] = {}
    charged_before: int = 0
    """Micro-units posted for pieces that ended (`charging.rating.pieces`); the fields above are of the running one."""
    numbers: str = ""
    """Its key in the session (`charging.base.unit_key`); "" = the service stands for it."""
    final: bool = False
    """Its quota was said to be the last that the account pays for."""

    @property
    def key(self) -> str:
        """Which unit of the session it is for."""
        return self.numbers or self.service


class Session(Struct, frozen=True, array_like=True, gc=False):
    """A charging session (3GPP TS 32.290): survives its owner, and ends by itself at `valid_until_ms`."""

    session_id: str
    identity: str
    invocation: int
    """Number of its newest step."""
    valid_until_ms: int
    holds: tuple[Hold, ...]
    outcome: bytes = b""
    """Packed SessionOutcome of the newest invocation: what its repeat is answered."""


class Threshold(Struct, frozen=True, array_like=True, gc=False):
    """Raises a notice when a mark is crossed. `watches` is "balance" or an accumulator id."""

    threshold_id: Annotated[str, NAME]
    watches: Annotated[str, Name(required=False)]
    mark: Annotated[int, Whole(-AMOUNT_MAX, AMOUNT_MAX, unit=MICRO_UNITS, beside="watches")]


class SpendingLimit(Struct, frozen=True, array_like=True, gc=False):
    """How much may be spent in a day or a cycle: beyond it, what costs money is refused.

    What is spent is counted in accumulators (`charging.base.spending`), from the moment on at which it is set.
    """

    limit_id: Annotated[str, NAME]
    member: Annotated[str, Identity(required=False)]
    """Identity whose spending counts; empty = that of all members together."""
    period: Annotated[str, Choice("LIMIT_PERIOD_UNKNOWN", ("day", "cycle"), empty="day")]
    """Of the region's clock."""
    amount: Annotated[int, Whole(0, AMOUNT_MAX, unit=MICRO_UNITS)]
    """0 = nothing that costs money."""
    services: Annotated[tuple[str, ...], NAMES]
    """Empty = all of them."""
    scope: Annotated[str, Name(required=False)]
    """Allowance of the catalogue whose scope it has; empty = no other than the services."""
    warn_percent: Annotated[int, Whole(0, 100)]
    """Of the amount, at which a notice is raised; 0 = none."""


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


class Terms(Struct, frozen=True, array_like=True, gc=False):
    """What holds for an account until a command changes it.

    Most accounts of a region have terms that many others have too, and share them in memory (`sharing`). So what
    differs from one account to the next is not here, but in `Account` or `Open`.
    """

    domain: str
    """Region whose slots hold it."""
    status: str = "active"
    """active, limited (by dunning, in part), suspended, closed, moved"""
    status_reason: str = ""
    """Why it is suspended or closed; `charging.ledger.standing.FUNDS_ENDED` marks what a top-up undoes by itself."""
    payment_mode: str = "prepaid"
    """prepaid, postpaid"""
    currency: str = NO_CURRENCY
    """Of all its money, ISO 4217; never changes."""
    credit_limit: int = 0
    """How far money may go below zero, micro-units."""
    cycle_day: int = 1
    """Day of the month, 1 to `CYCLE_DAY_MAX`, on which its periods begin."""
    attributes: dict[str, str] = {}
    """What discount rules read of the account (level A)."""
    customer_attributes: dict[str, str] = {}
    """The same of its customer (level C)."""
    agreements: tuple[str, ...] = ()
    """Rules of the catalogue that are agreed for the whole account."""
    thresholds: tuple[Threshold, ...] = ()
    before_move: tuple[str, ...] = ()
    """Status and its reason before the account moved out, so that the move can be told again."""
    zone: str = "UTC"
    """Whose clock says to which billing period a moment belongs; never changes."""
    closed: int = 0
    """Newest billing period that is closed, months since the year 0; what is posted for it or before goes to the one
    after it. 0 = none."""
    limits: tuple[SpendingLimit, ...] = ()
    """How much may be spent."""
    topped_up: bool = False
    """Money was added by a top-up or a voucher before, so that no other is the first."""


class Open(Struct, frozen=True, array_like=True, gc=False):
    """What is under way on an account, and what is remembered of what was. Most accounts have nothing of it."""

    sessions: tuple[Session, ...] = ()
    outgoing: tuple[Outgoing, ...] = ()
    """Transfers under way, and vouchers that are asked for."""
    refunds: tuple[tuple[str, int, bool, int], ...] = ()
    """Refunded so far: (charge key, micro-units, wholly, time of the charge); `charging.ledger.commands.refund`."""
    ended: tuple[tuple[str, int, str, bytes], ...] = ()
    """Newest sessions that ended: (session id, invocation, why, packed SessionOutcome)."""
    proposals: tuple[Proposal, ...] = ()
    """What waits for approval, oldest first."""
    decided: tuple[tuple[str, bytes, bytes], ...] = ()
    """Newest proposals that were decided: (key, packed outcome, digest), what a repeat of the key is answered."""
    bills: tuple[OpenBill, ...] = ()
    """Of which something is still to come, oldest first; see `charging.base.receivables`."""
    settled: bytes = b""
    """Newest bills of which nothing is, packed by `charging.base.openbills`."""
    carried: int = 0
    """What was left below the coin, or below the minimum, by the newest bill, and is asked by the next; micro-units."""
    fees: tuple[FeeMark, ...] = ()
    """Until when each fee is posted that ever was, one a fee."""
    dunned: tuple[Dunned, ...] = ()
    """Steps of dunning that hold, oldest first; `charging.ledger.dunning`."""
    reversed: tuple[tuple[str, int], ...] = ()
    """Payments that were taken back, come or not: (request key, when); `charging.ledger.reversals`."""
    feeds: tuple[tuple[str, str, int], ...] = ()
    """Newest batch taken of each feed of usage: (feed, identity, batch); `charging.ledger.commands.post_usage`."""
    staged: tuple[StagedMoney, ...] = ()
    """Money that came in during a bill run in mode `staged`, until its replay; `charging.ledger.staging`."""
    redeemed: tuple[tuple[str, bytes, bytes], ...] = ()
    """Newest vouchers that were decided: (key, packed outcome, digest), what a repeat of the key is answered."""
    missed: tuple[int, ...] = ()
    barred_ms: int = 0
    """When wrong codes of vouchers were given, and since when they are too many, 0 = they aren't; `ledger.vouchers`."""
    moved: tuple[tuple[str, str, int], ...] = ()
    """Money that was moved by hand out of books other than the main one: (from, to, micro-units); `ledger.rewards`."""
    places: tuple[str, ...] = ()
    """Slots that it lived in before, oldest first: where the bills are that were made there."""
    payers: tuple[tuple[int, str], ...] = ()
    """Which account pays its bills: (since which period, account id), newest last; "" = it does itself."""
    payees: tuple[str, ...] = ()
    """Accounts whose bills it takes over; `charging.ledger.passing`."""
    closed_ms: int = 0
    """When the account was closed, UTC; 0 = it is not, or that was not written down."""
    stopped: tuple[str, ...] = ()
    """Of a closed account that staff had suspended: the reason; () = it had not been."""
    begun: tuple[tuple[str, str, int], ...] = ()
    """What members had taken that left since, as far as the catalogue counts it: (identity, offering, when, UTC)."""
    discounted: tuple[DiscountedPeriod, ...] = ()
    """What discounts of its newest bills looked at, oldest first, so that they can look again at what comes late."""


NOTHING_OPEN = Open()


class Account(Struct, frozen=True, array_like=True, gc=False):
    """Everything private of an account.

    Each charge makes a new one, naming every field: none has a default, so a field that was added here and forgotten
    there fails at once. What charges don't change belongs to `Terms` or `Open`, where a field costs them nothing.
    """

    account_id: str
    version: int
    """Counts its mutations."""
    mark: int
    """Fingerprint of the past, `next_mark` of every mutation's key. Two states with one version but different pasts
    differ in it, so a chain of predicted charges can't land on a state that only happens to have the version."""
    terms_version: int
    """Version of the last mutation that changed what every rating reads: contract of a member, attributes, agreements,
    domain, and what books of free units there are, other than by charges. A charge rated on an older version is stale,
    whether it depends or not."""
    customer_id: str
    members: tuple[str, ...]
    """Identities that it pays for."""
    books: tuple[Book, ...]
    """In the order of `charging.base.consumption`."""
    accumulators: dict[str, int]
    """Key, as `charging.base.accumulators` writes it → quantity; kept as long as usage of its period is taken, see
    `charging.base.lateness`."""
    terms: Terms
    open: Open
    buckets: Buckets
    """Sums of the open billing periods, see `charging.base.buckets`."""

    def with_terms(self, **changes: object) -> "Account":
        """Give it with other terms."""
        return replace(self, terms=replace(self.terms, **changes))

    def with_open(self, **changes: object) -> "Account":
        """Give it with other things under way."""
        return replace(self, open=replace(self.open, **changes))


SHARED_TERMS_MAX = 10_000
"""Different terms that are held for sharing at once; beyond, they are forgotten and found again."""

_NO_SUMS: dict[str, int] = {}
_terms: dict[bytes, Terms] = {}
_pack = msgspec.msgpack.Encoder().encode


def sharing(account: Account) -> Account:
    """Give the same account, its values shared with those of other accounts where they are equal.

    Each charge looks at most of them once more, and of a million accounts none is in a cache of the processor: what an
    account does not have of its own is what it need not wait for.
    """
    account_id = account.account_id
    return replace(
        account,
        members=tuple([account_id if member == account_id else member for member in account.members]),
        books=tuple([_sharing_book(book) for book in account.books]),
        accumulators={intern(key): value for key, value in account.accumulators.items()} or _NO_SUMS,
        terms=shared_terms(account.terms),
        open=NOTHING_OPEN if account.open == NOTHING_OPEN else account.open,
        buckets=sharing_keys(account.buckets),
    )


def _sharing_book(book: Book) -> Book:
    book_id, unit, allowance = intern(book.book_id), intern(book.unit), intern(book.allowance)
    return replace(book, book_id=book_id, unit=unit, allowance=allowance)


def shared_terms(terms: Terms) -> Terms:
    """Give terms that are equal to these, the same for all accounts that have them."""
    packed = _pack(terms)
    known = _terms.get(packed)
    if known is not None:
        return known
    if len(_terms) >= SHARED_TERMS_MAX:
        _terms.clear()
    _terms[packed] = terms
    return terms


class BalanceView(Struct, frozen=True):
    """The unified view of an account's money over all its services, micro-units."""

    real: int
    """In valid money books."""
    reserved: int
    """Kept for open sessions."""
    available: int
    """What may still be spent on anything, credit included; never negative."""
    credit_limit: int
    """How far money may go below zero."""
    bound: int = 0
    """Of the real money that is not reserved: what pays only what is in the scope of its book; not in `available`."""
    staged: int = 0
    """Came in during a bill run and waits for its replay: not in `real` yet, and in `available` as far as no bill needs
    it."""


def next_mark(mark: int, key: str) -> int:
    """Give the mark of the state that the mutation with this request key makes."""
    return crc32(key.encode(), mark)
