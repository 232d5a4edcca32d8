"""Many charges taken from an account one after the other: what each finds is what those before it left.

State is kept open between them: books as they are, counters in one dictionary, sums of bills by what they are of.
"""

from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, MONEY, Account, Book
from charging.base.buckets import Buckets, SumKey
from charging.base.lateness import LATE_MS_MAX, refuse_late
from charging.base.localtime import month_at
from charging.base.usage import SealedCharge, Usage
from charging.ledger import buckets, funds, taking
from charging.ledger.accruals import accrue_into
from charging.ledger.event import Pair
from charging.ledger.taking import Taking
from charging.ledger.usescharged import UsesCharged

SumOf = tuple[int, str, str, int]
"""Month, item, identity, since when taxes are as they were."""


class ChargeRun:
    """Charges of one command, each rated on the state that the one before left."""

    def __init__(self, account: Account, now_ms: int) -> None:
        terms = account.terms
        self._account = account
        self._now_ms = now_ms
        self._books: tuple[Book, ...] = account.books
        self._main_left = _main_alone(account)
        self._main_paid = 0
        self._accumulators: dict[str, int] = dict(account.accumulators)
        self._plain = terms.status == "active" and not terms.limits

    def take(self, usage: Usage, charge: SealedCharge) -> Taking:
        """Take one, and say from which books. Raises what `charging.ledger.taking.taken` raises, nothing taken."""
        account = self._account
        amount = charge.amount
        if (
            self._plain
            and not charge.takes
            and 0 <= amount <= self._main_left - self._main_paid
            and charge.currency == account.terms.currency
        ):
            refuse_late(charge, usage.start_ms, self._now_ms)
            self._main_paid += amount
            taken: Taking = ((MAIN_BOOK, amount),) if amount else (), ()
        else:
            state = self.state()
            taken = taking.taken(state, charge, usage, state.version, state.mark, self._now_ms)
            self._books = funds.shift(funds.shift(state.books, taken[0], -1), taken[1], -1)
            self._main_paid = 0
            self._main_left = _main_alone(self.state())
        if charge.accruals:
            accrue_into(self._accumulators, charge.accruals, 1)
        return taken

    def running(self) -> Account:
        """Give the account whose counters run on with what is taken; its books are as they were before."""
        return replace(self._account, accumulators=self._accumulators)

    def take_uses(self, uses: UsesCharged) -> bool:
        """Take all at once where the main book pays each, and say so; else take none: they are taken one by one."""
        currency, amount = self._account.terms.currency, uses.amount
        if (
            not self._plain
            or amount > self._main_left - self._main_paid
            or min(uses.starts_ms) < self._now_ms - LATE_MS_MAX
            or any(kind.currency != currency for kind in uses.kinds)
        ):
            return False
        self._main_paid += amount
        uses.accrue_into(self._accumulators)
        return True

    def take_plain(self, amount: int, currency: str, accruals: tuple[Pair, ...]) -> bool:
        """Take one that is not late and names no books, where the main book alone pays; False = it does not."""
        if (
            not self._plain
            or not 0 <= amount <= self._main_left - self._main_paid
            or currency != self._account.terms.currency
        ):
            return False
        self._main_paid += amount
        if accruals:
            accrue_into(self._accumulators, accruals, 1)
        return True

    def state(self) -> Account:
        """Give the account as those that were taken left it; version and sums of bills are as they were before."""
        books = self._books
        if self._main_paid:
            books = funds.shift(books, ((MAIN_BOOK, self._main_paid),), -1)
        return replace(self._account, books=books, accumulators=dict(self._accumulators))


class SumRun:
    """Adds charges that named no books to the sums of an account's bills, each sum once."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._sums: dict[SumOf, int] = {}

    def add(self, usage: Usage, charge: SealedCharge) -> None:
        """Count one."""
        terms = self._account.terms
        month = month_at(terms.zone, terms.cycle_day, usage.start_ms)
        of = (month, charge.item or usage.service, usage.identity, charge.taxed_since)
        self._sums[of] = self._sums.get(of, 0) + charge.amount

    def add_uses(self, uses: UsesCharged) -> None:
        """Count all."""
        terms = self._account.terms
        first = month_at(terms.zone, terms.cycle_day, min(uses.starts_ms))
        if first != month_at(terms.zone, terms.cycle_day, max(uses.starts_ms)):
            for usage, charge in uses.charges():
                if charge.amount:
                    self.add(usage, charge)
            return
        amounts: dict[int, int] = {}
        for of, amount in zip(uses.kind_of, uses.amounts, strict=True):
            if amount:
                amounts[of] = amounts.get(of, 0) + amount
        for of, amount in amounts.items():
            kind = uses.kinds[of]
            key = (first, kind.billed_as(), uses.identity, kind.taxed_since)
            self._sums[key] = self._sums.get(key, 0) + amount

    def buckets(self) -> Buckets:
        """Give the sums of bills as they are now: a new one stands where the first of its charges would put it."""
        account = self._account
        made = account.buckets
        for (month, item, identity, since), amount in self._sums.items():
            made = buckets.added(made, sum_of(account, month, item, identity, since), amount)
        return made


def _main_alone(account: Account) -> int:
    """Give what the main book can pay where no other book pays for just anything; -1 = there are others, or nothing."""
    paying = [book for book in account.books if book.unit == MONEY and not book.allowance]
    if len(paying) != 1 or paying[0].book_id != MAIN_BOOK or paying[0].valid_from_ms or paying[0].valid_to_ms:
        return -1
    return paying[0].amount - paying[0].reserved + account.terms.credit_limit


def sum_of(account: Account, month: int, item: str, identity: str, since: int) -> SumKey:
    """Name the sum that a charge counts in: of its own month, or of the oldest that is open."""
    member = "" if account.account_id.endswith(identity) else identity
    closed = account.terms.closed
    return SumKey(month, item, member, 0, since) if month > closed else SumKey(closed + 1, item, member, month, since)
