"""Rated uses as they are put into columns, one after the other."""

from msgspec import Raw

from charging.base.usage import SealedCharge, Usage
from charging.ledger.event import Pair
from charging.ledger.usescharged import UseKind, UsesCharged


class UseColumns:
    """Columns that grow, of the uses of one identity that no book is named for."""

    def __init__(self) -> None:
        self._kinds: list[UseKind] = []
        self._kind_of: list[int] = []
        self._starts_ms: list[int] = []
        self._quantities: list[int] = []
        self._other_parties: list[str] = []
        self._amounts: list[int] = []
        self._counted: list[int] = []
        self._steps_of: list[int] = []
        self._steps: dict[bytes, int] = {}
        self._known: dict[tuple[object, ...], int] = {}

    def kind(self, kind: UseKind) -> int:
        """Give the place of a kind."""
        named = tuple(kind.attributes.items())
        key = (kind.service, kind.visited, named, kind.currency, kind.catalogue, kind.depends, kind.item,
               kind.taxed_since, kind.counters)  # fmt: skip
        place = self._known.get(key)
        if place is None:
            place = self._known[key] = len(self._kinds)
            self._kinds.append(kind)
        return place

    def explanation(self, steps: Raw) -> int:
        """Give the place of an explanation."""
        return self._steps.setdefault(bytes(steps), len(self._steps))

    def add(self, usage: Usage, amount: int, kind: int, steps: int, accruals: tuple[Pair, ...]) -> None:
        """Add a use; `kind` and `steps` are the places of both, the counters those of the kind."""
        self._kind_of.append(kind)
        self._starts_ms.append(usage.start_ms)
        self._quantities.append(usage.quantity)
        self._other_parties.append(usage.other_party)
        self._amounts.append(amount)
        self._steps_of.append(steps)
        for _, quantity in accruals:
            self._counted.append(quantity)

    def charge(self, usage: Usage, charge: SealedCharge) -> None:
        """Add a use with its charge; it takes from no book by name."""
        kind = UseKind(
            usage.service,
            usage.visited,
            usage.attributes,
            charge.currency,
            charge.catalogue,
            charge.depends,
            charge.item,
            charge.taxed_since,
            tuple([key for key, _ in charge.accruals]),
        )
        self.add(usage, charge.amount, self.kind(kind), self.explanation(charge.steps), charge.accruals)

    def made(self, identity: str) -> UsesCharged:
        """Give all; there is one at least."""
        return UsesCharged(
            identity,
            tuple(self._kinds),
            tuple(self._kind_of),
            tuple(self._starts_ms),
            tuple(self._quantities),
            tuple(self._other_parties),
            tuple(self._amounts),
            tuple(self._counted),
            tuple(self._steps_of),
            tuple([Raw(steps) for steps in self._steps]),
        )
