"""Many charges of one identity as columns: what a feed brings of a subscriber, journaled as it was rated.

A use says of itself when it began, how much it was, with whom and what it cost; all else it shares with others of its
kind. Whoever wants single charges gets them by `charging.ledger.spreading`.
"""

from collections.abc import Iterator

from msgspec import Raw, Struct
from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, Account
from charging.base.buckets import Billed
from charging.base.usage import SealedCharge, Usage
from charging.ledger import funds
from charging.ledger.accruals import accrue_into
from charging.ledger.event import BaseEvent, Leg, Pair, book_legs


class UseKind(Struct, frozen=True, array_like=True, gc=False):
    """What many uses and their charges have in common; names as in `charging.base.usage`."""

    service: str
    visited: str
    attributes: dict[str, str]
    currency: str
    catalogue: int
    depends: bool
    item: str
    taxed_since: int
    counters: tuple[str, ...]
    """Keys of the accumulators that each charge adds to, in its order."""

    def billed_as(self) -> str:
        """Name the item of the bill that it counts in."""
        return self.item or self.service


class UsesCharged(BaseEvent, frozen=True, tag="cs"):
    """Rated uses were taken one after the other, each paid by the main book alone; they took from no books by name.

    What stands at one place of all columns is one use, in the order in which they were taken.
    """

    identity: str
    kinds: tuple[UseKind, ...]
    kind_of: tuple[int, ...]
    """Place among `kinds`."""
    starts_ms: tuple[int, ...]
    """UTC."""
    quantities: tuple[int, ...]
    other_parties: tuple[str, ...]
    amounts: tuple[int, ...]
    """Micro-units, never negative."""
    counted: tuple[int, ...]
    """Added to accumulators: of each use one number for each of its kind's counters, use after use."""
    steps_of: tuple[int, ...]
    """Place among `steps`."""
    steps: tuple[Raw, ...]
    """The packed explanations: many uses have the same."""

    rerates = False

    def __post_init__(self) -> None:
        """Raise `ValueError` for columns that don't fit each other: whatever reads one finds a use in each."""
        uses, kinds = len(self.amounts), len(self.kinds)
        columns = (self.kind_of, self.starts_ms, self.quantities, self.other_parties, self.steps_of)
        if not uses or any(len(column) != uses for column in columns):
            raise ValueError(f"{uses} uses, and not as many in each column")
        if min(self.kind_of) < 0 or max(self.kind_of) >= kinds or min(self.amounts) < 0:
            raise ValueError("a use of no kind, or at a price below zero")
        if min(self.steps_of) < 0 or max(self.steps_of) >= len(self.steps):
            raise ValueError("a use without its explanation")
        several = [len(kind.counters) for kind in self.kinds]
        counted = several[0] * uses if kinds == 1 else sum([several[kind] for kind in self.kind_of])
        if len(self.counted) != counted:
            raise ValueError(f"{len(self.counted)} quantities are counted where the kinds name {counted}")

    @property
    def amount(self) -> int:
        """Give the price of all, micro-units."""
        return sum(self.amounts)

    def accrue_into(self, accumulators: dict[str, int]) -> None:
        """Count all, as they would one by one."""
        kinds, counted = self.kinds, self.counted
        known = all(key in accumulators for kind in kinds for key in kind.counters)
        if known and len(kinds) == 1:
            # No counter comes to be and none goes, so the order of additions changes nothing.
            counters = kinds[0].counters
            for place, key in enumerate(counters):
                accumulators[key] += sum(counted[place :: len(counters)])
            return
        at = 0
        for kind in self.kind_of:
            for key in kinds[kind].counters:
                if known:
                    accumulators[key] += counted[at]
                else:
                    accrue_into(accumulators, ((key, counted[at]),), 1)
                at += 1

    def apply(self, account: Account) -> Account:
        """Take from the main book and count."""
        accumulators = dict(account.accumulators)
        self.accrue_into(accumulators)
        return replace(account, books=funds.shift(account.books, self._paid(), -1), accumulators=accumulators)

    def legs(self) -> tuple[Leg, ...]:
        """Post money against revenue."""
        return (*book_legs(self._paid(), -1), Leg("revenue", self.amount))

    def billed(self) -> tuple[Billed, ...]:
        """Bill each in the period in which it began."""
        kinds = [self.kinds[kind] for kind in self.kind_of]
        told = zip(kinds, self.starts_ms, self.amounts, strict=True)
        return tuple(
            [Billed(begun, kind.billed_as(), self.identity, amount, kind.taxed_since) for kind, begun, amount in told]
        )

    def words(self) -> str:
        """Say nothing, as single charges do."""
        return ""

    def charges(self) -> tuple[tuple[Usage, SealedCharge], ...]:
        """Give each."""
        return tuple(self._each())

    def _paid(self) -> tuple[Pair, ...]:
        amount = self.amount
        return ((MAIN_BOOK, amount),) if amount else ()

    def accruals(self) -> Iterator[tuple[Pair, ...]]:
        """Give what each use adds to accumulators, use after use."""
        at = 0
        for kind in self.kind_of:
            counters = self.kinds[kind].counters
            yield tuple(zip(counters, self.counted[at : at + len(counters)], strict=True))
            at += len(counters)

    def _each(self) -> Iterator[tuple[Usage, SealedCharge]]:
        columns = (self.kind_of, self.starts_ms, self.quantities, self.other_parties, self.amounts, self.steps_of)
        for row, accruals in zip(zip(*columns, strict=True), self.accruals(), strict=True):
            of, begun, quantity, party, amount, why = row
            kind = self.kinds[of]
            usage = Usage(self.identity, kind.service, begun, quantity, party, kind.visited, kind.attributes)
            yield (
                usage,
                SealedCharge(
                    amount,
                    kind.currency,
                    (),
                    accruals,
                    kind.catalogue,
                    kind.depends,
                    self.steps[why],
                    kind.item,
                    kind.taxed_since,
                ),
            )
