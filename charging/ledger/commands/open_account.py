"""Create an account with its first contract and its first books."""

from typing import Annotated

from msgspec.structs import replace

from charging.base import consumption
from charging.base.account import MAIN_BOOK, MONEY, NOTHING_OPEN, Account, Book, Terms
from charging.base.asked import FilledIn, Own
from charging.base.bounds import BOOKS_MAX
from charging.base.buckets import EMPTY
from charging.base.contract import Contract, Subscription
from charging.base.fields import (
    CREDIT_LIMIT,
    CYCLE_DAY,
    PAYMENT_MODE,
    Agreements,
    AttributeMap,
    CreditLimit,
    Currency,
    CycleDay,
    PaymentMode,
)
from charging.base.fieldtypes import TEXT, check_first_book
from charging.base.lateness import LATE_MS_MAX
from charging.base.localtime import month_at, zone_of
from charging.errors import Invalid, Refused
from charging.ledger import dues
from charging.ledger.action import PLATFORM, BaseCreation, Envelope, Traits
from charging.ledger.books import check_main
from charging.ledger.dues import NOTHING_DUE, Dues
from charging.ledger.effect import Effect
from charging.ledger.event import BaseArrival, Leg, legs_against
from charging.ledger.events import ContractSet
from charging.ledger.revising import PAST_MS_MAX, moment
from charging.ledger.within import check_contract


class Opened(BaseArrival, frozen=True, tag="opened"):
    """The account exists from here on, in this state."""

    rerates = True
    leads = True

    def legs(self) -> tuple[Leg, ...]:
        """Post what its books begin with."""
        return legs_against("opening", [(book.book_id, -book.amount) for book in self.account.books])

    def words(self) -> str:
        """Say nothing: kind and amount of the line tell it."""
        return ""


class OpenAccount(BaseCreation, frozen=True, tag="open"):
    """Create an account with its first contract."""

    account_id: Annotated[str, Own()]
    customer_id: Annotated[str, TEXT]
    payment_mode: PaymentMode
    currency: Currency
    credit_limit: CreditLimit
    cycle_day: CycleDay
    contract: Annotated[Contract, Own()]
    books: Annotated[tuple[Book, ...], Own()]
    account_attributes: AttributeMap
    customer_attributes: AttributeMap
    agreements: Agreements
    zone: Annotated[str, FilledIn()] = "UTC"
    """Of the region where it is opened, for its billing periods; the platform knows it."""
    carried: Annotated[bool, FilledIn()] = False
    """Something in its contract began before: it comes from elsewhere, as it was, and was paid for there."""
    dues: Annotated[Dues, FilledIn()] = NOTHING_DUE
    """Of what begins with the account."""

    traits = Traits(
        sender=PLATFORM,
        permissions=("open_account", "open_account_past"),
        predictable=False,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Give its credit and all its books, whatever their unit, without the money that its fees take at once: that is
        no gift, and the fees are those of the catalogue."""
        money = sum(book.amount for book in self.books if book.unit == MONEY and not book.allowance)
        paid = max(0, min(money, self.dues.at_stake()))
        return self.credit_limit + sum(book.amount for book in self.books) - paid

    def permission(self) -> str:
        """Give an opening that brings the past a name of its own: nothing tells whether that was so."""
        return "open_account_past" if self.carried else "open_account"

    def identities_written(self, account: Account | None) -> tuple[str, ...]:
        """Give the first member."""
        return (self.contract.identity,)

    def _begins(self, now_ms: int) -> int:
        """Give when its first billing period is that is open: that of its contract, as long as late usage is taken."""
        since_ms = self.contract.valid_from_ms
        return min(now_ms, max(since_ms, now_ms - LATE_MS_MAX)) if since_ms else now_ms

    def decide(self, account: Account | None, command: Envelope, now_ms: int) -> Effect:
        """Create an account, and take the fees of what begins with it: all or nothing.

        Refused ACCOUNT_EXISTS, IDENTITY_TAKEN, OPENED_IN_PAST, and as `charging.ledger.dues.posted`; Invalid for
        impossible terms.
        """
        if account is not None and account.account_id != self.account_id:
            raise Refused("IDENTITY_TAKEN", "the identity belongs to another account")
        if account is not None:
            raise Refused("ACCOUNT_EXISTS", f"account {self.account_id} exists")
        PAYMENT_MODE.read(self.payment_mode, "payment_mode")
        CREDIT_LIMIT.check(self.credit_limit, "credit_limit")
        CYCLE_DAY.check(self.cycle_day, "cycle_day")
        if self.account_id != command.account_id or self.contract.account_id != self.account_id:
            raise Invalid("ACCOUNT_MISMATCH", "command, self and contract name different accounts")
        _check_zone(self.zone)
        check_contract(self.contract)
        if not self.carried:
            require_new(self.contract, now_ms)
        state = self.state(now_ms)
        fees = dues.posted(state, self.dues, now_ms)
        opened = sum([book.amount for book in state.books if book.unit == MONEY])
        return Effect((Opened(state), ContractSet(replace(self.contract, version=1)), *fees), opened)

    def state(self, now_ms: int) -> Account:
        """Give the account as it begins, before fees. Raises `Invalid` BOOKS_MALFORMED."""
        books = _first_books(self.books)
        terms = Terms(
            self.contract.domain,
            payment_mode=self.payment_mode,
            currency=self.currency,
            credit_limit=self.credit_limit,
            cycle_day=self.cycle_day,
            attributes=self.account_attributes,
            customer_attributes=self.customer_attributes,
            agreements=self.agreements,
            zone=self.zone,
            closed=month_at(self.zone, self.cycle_day, self._begins(now_ms)) - 1,
        )
        members = (self.contract.identity,)
        return Account(self.account_id, 0, 0, 0, self.customer_id, members, books, {}, terms, NOTHING_OPEN, EMPTY)


def began_before(held: Subscription, now_ms: int) -> bool:
    """Say whether a subscription claims a past: a beginning that is over, or a pause that split it."""
    return bool(held.valid_from_ms < now_ms - PAST_MS_MAX or held.since_ms or held.paused or held.paused_end_ms)


def require_new(contract: Contract, now_ms: int) -> None:
    """Refuse OPENED_IN_PAST a contract in which something claims a past: terms would count as served, fees as paid."""
    for held in contract.subscriptions:
        if began_before(held, now_ms):
            text = f"{held.offering!r} would have begun {moment(held.began_ms)}, before its account"
            raise Refused("OPENED_IN_PAST", text, facts={"now_ms": str(now_ms)})


def _check_zone(zone: str) -> None:
    try:
        zone_of(zone)
    except (ValueError, KeyError, OSError) as error:
        raise Invalid("TIME_ZONE_UNKNOWN", f"there is no time zone {zone[:64]!r}") from error


def _first_books(given: tuple[Book, ...]) -> tuple[Book, ...]:
    ids = [book.book_id for book in given]
    if len(set(ids)) != len(ids) or len(ids) > BOOKS_MAX:
        raise Invalid("BOOKS_MALFORMED", f"book ids are unique and at most {BOOKS_MAX}", fields={"books": "unique ids"})
    for index, book in enumerate(given):
        if not book.book_id:
            raise Invalid("BOOKS_MALFORMED", "a book has an id", fields={f"books[{index}].book_id": "not empty"})
        check_first_book(book.amount, book.reserved, f"books[{index}]")
        check_main(book.book_id, book.unit, book.allowance, f"books[{index}].unit")
    books = list(given) if MAIN_BOOK in ids else [*given, Book(MAIN_BOOK, MONEY, 0)]
    return tuple(sorted(books, key=consumption.of_book))
