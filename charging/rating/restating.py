"""The usage of an account rated anew: in the order of time, from the opening state, as one pass would have done it.

The opening state is the account as it is now, less all that its usage since then counted and took; what rolls over, and
counters that run for longer, follow by themselves, for all usage up to now is rated again. Nothing is posted here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from charging.base.account import Account
from charging.base.contract import Contract
from charging.base.localtime import month_at
from charging.base.usage import Charge, Usage
from charging.errors import Fault
from charging.ledger.commands.restate_usage import RestatedAmount, RestatedLine
from charging.ledger.event import Pair
from charging.plans.plan import Plan
from charging.rating.rating import rate_sum

PlanOf = Callable[[int], Plan]
"""Gives the plan in force at a moment, UTC, milliseconds."""


class PastUse(Struct, frozen=True, gc=False):
    """One use as it was charged: a charge, all steps of one piece of a session, or an earlier restatement."""

    usage: Usage | None
    """None = nothing is to be rated: sums of an earlier restatement, or a part that is rated with its whole call."""
    start_ms: int
    amount: int
    """Micro-units."""
    item: str
    member: str
    taxed_since: int
    accruals: tuple[Pair, ...]
    takes: tuple[Pair, ...]
    """From books that rating named."""
    fixed: str = ""
    """Reason for which it stays as it was whatever it would cost; "" = it is rated."""


class RatedAnew(Struct, frozen=True, gc=False):
    """One use, and what it comes to now."""

    use: PastUse
    amount: int
    fault: str = ""
    """Reason for which it can't be rated now: then it stays as it was."""


class Restatement(Struct, frozen=True):
    """What all usage comes to, beside what it came to before."""

    before: int
    after: int
    """Micro-units of all uses."""
    lines: tuple[RestatedLine, ...]
    """That differ."""
    counters: tuple[RestatedAmount, ...]
    takes: tuple[RestatedAmount, ...]
    uses: tuple[RatedAnew, ...]

    @property
    def changes(self) -> bool:
        """Say whether there is anything to post."""
        return bool(self.lines or self.counters or self.takes)


def restated(
    account: Account,
    contracts: Mapping[str, Contract],
    uses: Sequence[PastUse],
    before: Iterable[PastUse],
    plan_of: PlanOf,
) -> Restatement:
    """Rate uses anew, all that began since the opening; `before` are those that began earlier, as far as known.

    Those before count for what rolls over, where the account itself does not remember it any more.
    """
    running = _Running(opened(account, uses, before), contracts, plan_of)
    done = [running.rate(use) for use in in_order(uses)]
    return restatement(account, uses, [after for _, after in done], [rated for rated, _ in done])


def in_order(uses: Iterable[PastUse]) -> list[PastUse]:
    """Give the uses that are rated, in the order in which they are."""
    return sorted((use for use in uses if use.usage is not None), key=lambda use: use.start_ms)


def restatement(
    account: Account, uses: Sequence[PastUse], after: Iterable[PastUse], rated: Iterable[RatedAnew]
) -> Restatement:
    """Give the difference between uses as they were and as they would have been charged, each or added up."""
    sums = _Sums(account)
    for use in uses:
        sums.add(use, -1)
    total = 0
    for use in after:
        total += use.amount
        sums.add(use, 1)
    return Restatement(
        sum(use.amount for use in uses),
        total,
        sums.lines(),
        sums.amounts(sums.counters),
        sums.amounts(sums.takes),
        tuple(rated),
    )


def opened(account: Account, uses: Iterable[PastUse], before: Iterable[PastUse]) -> Account:
    """Give the account as it was before all of some uses; its accumulators are a copy of its own.

    What open sessions keep is not looked at: it may be given back.
    """
    counters, books = dict(account.accumulators), {book.book_id: book.amount for book in account.books}
    gone: dict[str, int] = {}
    for use in before:
        for key, quantity in use.accruals:
            if key not in counters:
                gone[key] = gone.get(key, 0) + quantity
    for use in uses:
        for key, quantity in use.accruals:
            if key in counters:
                counters[key] -= quantity
        for book_id, amount in use.takes:
            if book_id in books:
                books[book_id] += amount
    changed = tuple([replace(book, amount=books[book.book_id]) for book in account.books])
    return replace(account, accumulators=gone | counters, books=changed)


class _Running:
    """The account as it runs on."""

    def __init__(self, account: Account, contracts: Mapping[str, Contract], plan_of: PlanOf) -> None:
        """`account` is as it was before; its accumulators are changed in place."""
        self._account = account
        self._counters = account.accumulators
        self._contracts = contracts
        self._plan_of = plan_of

    def rate(self, use: PastUse) -> tuple[RatedAnew, PastUse]:
        """Rate one use, and count it; gives what it comes to, and the use as it would have been charged."""
        usage = use.usage
        assert usage is not None
        if use.fixed:
            return self._as_it_was(use, use.fixed)
        try:
            contract = self._contracts[usage.identity]
            charge = rate_sum(self._plan_of(usage.start_ms), usage, contract, self._account)
        except KeyError:
            return self._as_it_was(use, "IDENTITY_UNKNOWN")
        except Fault as fault:
            return self._as_it_was(use, fault.reason)
        if charge.currency != self._account.terms.currency:
            return self._as_it_was(use, "CURRENCY_MISMATCH")
        after = _charged(use, usage, charge)
        self._count(after)
        return RatedAnew(use, charge.amount), after

    def _as_it_was(self, use: PastUse, reason: str) -> tuple[RatedAnew, PastUse]:
        self._count(use)
        return RatedAnew(use, use.amount, reason), use

    def _count(self, use: PastUse) -> None:
        for key, quantity in use.accruals:
            self._counters[key] = self._counters.get(key, 0) + quantity
        if use.takes:
            taken = dict(use.takes)
            books = [
                replace(book, amount=book.amount - taken[book.book_id]) if book.book_id in taken else book
                for book in self._account.books
            ]
            self._account = replace(self._account, books=tuple(books))


def _charged(use: PastUse, usage: Usage, charge: Charge) -> PastUse:
    item = charge.item or usage.service
    return PastUse(
        usage, use.start_ms, charge.amount, item, usage.identity, charge.taxed_since, charge.accruals, charge.takes
    )


class _Sums:
    """Differences by line, counter and book."""

    def __init__(self, account: Account) -> None:
        self._terms = account.terms
        self.counters: dict[tuple[int, str], int] = {}
        self.takes: dict[tuple[int, str], int] = {}
        self._lines: dict[tuple[int, str, str, int], int] = {}
        self._moments: dict[int, int] = {}

    def add(self, use: PastUse, sign: int) -> None:
        """Count a use as it was, -1, or as it is now, 1."""
        month = month_at(self._terms.zone, self._terms.cycle_day, use.start_ms)
        self._moments.setdefault(month, use.start_ms)
        head = (month, use.item, use.member, use.taxed_since)
        self._lines[head] = self._lines.get(head, 0) + sign * use.amount
        for pairs, sums in ((use.accruals, self.counters), (use.takes, self.takes)):
            for name, quantity in pairs:
                sums[month, name] = sums.get((month, name), 0) + sign * quantity

    def amounts(self, sums: Mapping[tuple[int, str], int]) -> tuple[RestatedAmount, ...]:
        """Give the counters or books that differ, cycle by cycle."""
        return tuple(
            RestatedAmount(self._moments[month], name, difference)
            for (month, name), difference in sums.items()
            if difference
        )

    def lines(self) -> tuple[RestatedLine, ...]:
        """Give the lines that differ."""
        return tuple(
            RestatedLine(self._moments[month], item, member, since, difference)
            for (month, item, member, since), difference in self._lines.items()
            if difference
        )
