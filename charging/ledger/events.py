"""Events that several commands make; those of one command alone are in its own file.

Events are facts: they name what moved, so replay needs no rule and no clock. All pairs are (book id, amount), and all
amounts of money are micro-units.
"""

from msgspec import Struct
from msgspec.structs import replace

from charging.base import consumption
from charging.base.account import Account, Book, Session
from charging.base.buckets import Billed
from charging.base.contract import Contract
from charging.base.usage import SealedCharge, Usage
from charging.ledger import funds
from charging.ledger.accruals import accrue
from charging.ledger.event import BaseEvent, Leg, Pair, TermChange, book_legs, legs_against

ENDED_SESSIONS_KEPT_MAX = 8
ARROW = " → "
"""Between what was and what is, in the words of a change."""


class Booked(BaseEvent, frozen=True, tag="b"):
    """Books grew or shrank by hand: a deposit, an adjustment, a move between books, the end of an expired book."""

    kind: str
    """Kind of the top-up (deposit, payment, …), or adjust, move, lapse."""
    postings: tuple[Pair, ...]
    """Signed: what each book gained."""
    reason: str

    rerates = False
    leads = True

    def apply(self, account: Account) -> Account:
        """Add to the books."""
        return replace(account, books=funds.shift(account.books, self.postings, 1))

    def legs(self) -> tuple[Leg, ...]:
        """Post against the kind; a move between books is its own other side."""
        if self.kind == "move":
            return book_legs(self.postings, 1)
        return (*book_legs(self.postings, 1), Leg(self.kind, -sum(amount for _, amount in self.postings)))

    def words(self) -> str:
        """Say the reason, or the kind."""
        return self.reason or self.kind


class BookSet(BaseEvent, frozen=True, tag="book"):
    """A book exists with these terms; a new one starts at nothing, the amount of an existing one stays."""

    book: Book

    rerates = False

    def apply(self, account: Account) -> Account:
        """Make the book, or give it these terms."""
        new = self.book
        old = funds.book_of(account, new.book_id)
        amount, reserved = (old.amount, old.reserved) if old is not None else (0, 0)
        others = [book for book in account.books if book.book_id != new.book_id]
        kept = replace(new, amount=amount, reserved=reserved)
        return replace(account, books=tuple(sorted([*others, kept], key=consumption.of_book)))

    def words(self) -> str:
        """Name the book."""
        return f"book {self.book.book_id}"


class BookDropped(BaseEvent, frozen=True, tag="drop"):
    """An empty book is gone: it was over, or taken away."""

    book_id: str
    reason: str = ""
    """Why somebody took it away; empty = it was over."""

    rerates = False

    def apply(self, account: Account) -> Account:
        """Leave the book out."""
        return replace(account, books=tuple(book for book in account.books if book.book_id != self.book_id))

    def words(self) -> str:
        """Name the book."""
        return self.reason or f"book {self.book_id} is over"


class FirstMoney(BaseEvent, frozen=True, tag="first"):
    """Money was topped up for the first time: no other top-up is the first."""

    rerates = False

    def apply(self, account: Account) -> Account:
        """Note it."""
        return account.with_terms(topped_up=True)

    def words(self) -> str:
        """Say it."""
        return "first top-up"


class SessionPosting(Struct, frozen=True, array_like=True, gc=False):
    """What one service of a session step posted: the difference to what the session had posted before."""

    usage: Usage
    """Whole quantity used since the start."""
    charge: SealedCharge
    """Rating of that whole quantity."""
    amount: int
    """Money posted now, signed."""
    postings: tuple[Pair, ...]
    """Taken from money books now, signed."""
    units: tuple[Pair, ...]
    """Taken from books of free units now, signed."""
    accruals: tuple[Pair, ...]
    """Added to accumulators now, signed."""
    shortfall: int
    """What the whole quantity costs beyond the money there was, when more was used than granted."""
    used_before: int
    """Whole quantity as the step before reported it; 0 = this is the first one of the piece."""

    def legs(self) -> tuple[Leg, ...]:
        """Post money against revenue, units against use."""
        revenue = Leg("revenue", self.amount)
        return (*book_legs(self.postings, -1), revenue, *legs_against("use", self.units))

    def as_billed(self) -> Billed:
        """Bill it in the period in which the piece began, under the item that the whole quantity has now."""
        usage, charge = self.usage, self.charge
        return Billed(usage.start_ms, charge.item or usage.service, usage.identity, self.amount, charge.taxed_since)


class SessionStepped(BaseEvent, frozen=True, tag="s"):
    """A session began, went on or ended. Reservations are the difference between its holds before and after."""

    session: Session
    """After the step; without open quota when it ended."""
    ended: str
    """Empty = open; released, expired."""
    postings: tuple[SessionPosting, ...]

    rerates = False
    leads = True

    def apply(self, account: Account) -> Account:
        """Free what the session kept, post, keep anew; one that ended goes to those that are remembered."""
        session = self.session
        old = next((known for known in account.open.sessions if known.session_id == session.session_id), None)
        books, accumulators = account.books, account.accumulators
        for hold in old.holds if old is not None else ():
            books = funds.keep(books, hold.reserved, -1)
        for posting in self.postings:
            books = funds.shift(funds.shift(books, posting.postings, -1), posting.units, -1)
            if posting.accruals:
                accumulators = accrue(accumulators, posting.accruals)
        for hold in session.holds:
            books = funds.keep(books, hold.reserved, 1)
        others = tuple(known for known in account.open.sessions if known is not old)
        posted = replace(account, books=books, accumulators=accumulators)
        if not self.ended:
            return posted.with_open(sessions=(*others, session))
        row = (session.session_id, session.invocation, self.ended, session.outcome)
        ended = (*account.open.ended, row)[-ENDED_SESSIONS_KEPT_MAX:]
        return posted.with_open(sessions=others, ended=ended)

    def legs(self) -> tuple[Leg, ...]:
        """Post what each service took now."""
        return tuple(leg for posting in self.postings for leg in posting.legs())

    def billed(self) -> tuple[Billed, ...]:
        """Bill what each service took now."""
        return tuple(posting.as_billed() for posting in self.postings)

    def words(self) -> str:
        """Say how it ended, or name it."""
        return self.ended or f"session {self.session.session_id}"

    def charges(self) -> tuple[tuple[Usage, SealedCharge], ...]:
        """Give each service's whole quantity so far."""
        return tuple((posting.usage, posting.charge) for posting in self.postings)


BEGUN_MAX = 64
"""Of what members had taken that left: earlier periods count no more."""


class ContractSet(BaseEvent, frozen=True, tag="contract"):
    """A member's contract; the domain server projects it to the shared unit. Status ended: the member left."""

    contract: Contract
    told: str = ""
    """What changed in it, for the history: before and after."""
    changed: tuple[TermChange, ...] = ()
    """Of what it says besides what it subscribes to."""
    begun: tuple[tuple[str, str, int], ...] = ()
    """Of one that is over: as `Open.begun`."""

    rerates = True

    def apply(self, account: Account) -> Account:
        """Count its identity among the members, or no more, and remember what it had taken."""
        identity = self.contract.identity
        if self.begun:
            account = account.with_open(begun=(*account.open.begun, *self.begun)[-BEGUN_MAX:])
        if self.contract.status == "ended":
            return replace(account, members=tuple(member for member in account.members if member != identity))
        if identity in account.members:
            return account
        return replace(account, members=(*account.members, identity))

    def changes(self) -> tuple[TermChange, ...]:
        """Give what the contract subscribed to, where that was told, or what else changed in it."""
        if self.changed:
            return self.changed
        before, arrow, after = self.told.partition(": ")[2].partition(ARROW)
        return (("subscriptions", before, after),) if arrow else ()

    def words(self) -> str:
        """Say what changed; of a contract that was set whole, name the member and the status."""
        return self.told or f"contract of {self.contract.identity} {self.contract.status}"


class StatusSet(BaseEvent, frozen=True, tag="status"):
    """The account became active, suspended or closed."""

    status: str
    reason: str
    before: str = ""
    """Status until then; "" = it was not written down."""
    closed_ms: int = 0
    """Of one that closes: when, by the owner's clock."""
    stopped: tuple[str, ...] = ()
    """Of one that closes: as `Open.stopped`."""

    rerates = False
    regrants = True

    def apply(self, account: Account) -> Account:
        """Set the status; of one that closes, remember when, and what stopped it before."""
        set_ = account.with_terms(status=self.status, status_reason=self.reason)
        if (self.closed_ms, self.stopped) == (account.open.closed_ms, account.open.stopped):
            return set_
        return set_.with_open(closed_ms=self.closed_ms, stopped=self.stopped)

    def changes(self) -> tuple[TermChange, ...]:
        """Give the status."""
        return (("status", self.before, self.status),)

    def words(self) -> str:
        """Say the reason, or the status."""
        return self.reason or self.status


class Noticed(BaseEvent, frozen=True, tag="n"):
    """Somebody should be told: `low-balance:<threshold>`, `usage:<threshold>`, `suspended`, `resumed`, `shortfall`."""

    notices: tuple[str, ...]

    rerates = False

    def apply(self, account: Account) -> Account:
        """Change nothing."""
        return account

    def words(self) -> str:
        """Say nothing: a line of the history has its notices in a field of their own."""
        return ""


class Affected(Struct, frozen=True, array_like=True, gc=False):
    """An open session whose quota was granted on what is no more so."""

    session_id: str
    identity: str
    """Whose it is."""
    units: tuple[tuple[str, str], ...]
    """Service and numbers of each, as in `Hold`; none = the session has none open."""


class ReauthAsked(BaseEvent, frozen=True, tag="reauth"):
    """The network should ask for quota of these sessions anew; see `charging.ledger.reauthorising`."""

    sessions: tuple[Affected, ...]

    rerates = False

    def apply(self, account: Account) -> Account:
        """Change nothing."""
        return account

    def words(self) -> str:
        """Say nothing: it is told to the network, and follows from what the entry says before."""
        return ""
