"""What a plan remembers of uses that were rated: equal uses on equal states cost the same, whoever has them.

Pure data, filled and asked by `charging.rating.alike`.
"""

from dataclasses import dataclass, field

from msgspec import Raw

from charging.base.usage import Charge

CHARGES_MAX = 16_384
"""Remembered by one plan; beyond, all are forgotten and found again."""
OF_A_CLASS_MAX = 2_048
"""Of them of one class: volumes of data have no end, and what comes often comes first."""
DAYS_MAX = 400
"""Local days that one plan has laid out; beyond, it begins anew."""


@dataclass(slots=True, eq=False)
class KnownCharge:
    """What rating came to once, without the names of whom it was for."""

    amount: int
    currency: str
    catalogue: int
    depends: bool
    steps: Raw
    """The explanation, packed."""
    item: str
    counts: tuple[tuple[int, int], ...]
    """What was counted: (place among the counters of the class, quantity); -1 = as much as was used."""
    capped: int
    """Micro-units that the cap of a period must have left so that it does not cut; 0 = none is asked."""


@dataclass(slots=True, eq=False)
class CoveredCharge:
    """What a use costs that one source of free units covers: the same whatever its length, but for the units."""

    charge: Charge
    """Of one of them."""
    step: int
    """Place of the step that tells the units."""
    counts: tuple[tuple[int, int], ...]
    """As `KnownCharge.counts`; -2 = as many as the units."""


@dataclass(slots=True, eq=False)
class ChargeClass:
    """Uses that no rule of the plan can tell apart but by quantity and by what was counted before."""

    increment: int
    """Base units of which the same number of begun ones costs the same, and is explained alike."""
    cut: bool
    """A band that ends inside of a use may cut it."""
    marks: tuple[tuple[int, ...], ...]
    """Of each counter that discounts ask: the values at which an answer may change, ascending."""
    raw: frozenset[int]
    """Places of counters that count what was used, whatever was paid."""
    rounding: int
    """Micro-units to a multiple of which a charge is rounded."""
    charges: dict[int, KnownCharge] = field(default_factory=dict)
    """By number of increments and level, as `charging.rating.alike` makes one number of both."""
    free: bool = False
    """Who has free units for all of a use pays nothing, whatever its length."""
    covered: dict[int, CoveredCharge] = field(default_factory=dict)
    """By level."""


@dataclass(slots=True, eq=False)
class RuleAsks:
    """What a list of discount rules looks at besides the class of a use."""

    alone: bool
    """Something of them that only the row engine can say."""
    of_usage: bool
    """A condition on the use itself besides its service."""
    by_quantity: bool
    """A condition on the quantity, to the unit."""
    increments: tuple[int, ...]
    """Base units by which new prices are counted."""
    counters: tuple[tuple[str, tuple[int, ...]], ...]
    """Accumulators with their marks, by name."""
    subscriber: tuple[str, ...]
    account: tuple[str, ...]
    customer: tuple[str, ...]
    """Names of attributes that are asked."""


@dataclass(slots=True, eq=False)
class DayStretch:
    """A part of a local day in which no band of the plan begins or ends."""

    day: int
    """Counted from 1970-01-01."""
    from_s: int
    until_s: int
    """UTC, exclusive; the same bands may hold on behind it."""


@dataclass(slots=True, eq=False)
class PlanMemory:
    """All that one plan remembers."""

    classes: dict[tuple[object, ...], ChargeClass] = field(default_factory=dict)
    charges: int = 0
    """How many are known in all classes, the classes themselves counted too."""
    days: dict[int, tuple[DayStretch, ...]] = field(default_factory=dict)
    asks: dict[tuple[str, ...], RuleAsks] = field(default_factory=dict)
    """By the names of rules."""
    head: int = -1
    """How many digits of another party's number patterns of destinations name; -1 until it is asked for."""
    longest: int = 0
    """Of those patterns, with the digits that may be any."""
    whole: frozenset[str] = frozenset()
    """Numbers that destinations name in whole."""

    def keep(self, of: ChargeClass, key: int, charge: KnownCharge) -> None:
        """Remember a charge of a class; there is room for at most `OF_A_CLASS_MAX` of each."""
        self._count()
        of.charges[key] = charge

    def know(self, key: tuple[object, ...], found: ChargeClass) -> None:
        """Remember a class."""
        self._count()
        self.classes[key] = found

    def _count(self) -> None:
        """Make room: what is too much goes, all at once."""
        if self.charges >= CHARGES_MAX:
            self.classes.clear()
            self.charges = 0
        self.charges += 1
