"""The parts of a compiled catalogue: flat objects with integers only, made once a version by `charging.plans.compile`.

Amounts inside a price are whole numbers of 1/`denominator` micro-unit, the common denominator of all its rates, so that
rating adds integers.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from charging.base import accumulators
from charging.base.account import Account
from charging.base.contract import Contract
from charging.base.localtime import WHOLE_LIFE, span
from charging.base.usage import Usage
from charging.plans.bands import BandTable
from charging.plans.prefixes import PrefixTable, digits_of

GRADUATED, VOLUME, PACKAGE = range(3)
SWITCH_SECOND, SWITCH_INCREMENT, SWITCH_START = range(3)
PERCENT, AMOUNT, PRICE, TOTAL, THRESHOLDS = range(5)

Test = Callable[[Usage, Contract, Account], bool]


@dataclass(slots=True, eq=False)
class CompiledRate:
    """From `start` (offset in the call) on, each begun `increment` costs `cost`."""

    start: int
    """Offset in the usage, base units."""
    increment: int
    """Base units that are priced together; what is begun is paid."""
    cost: int
    """Of one increment, in 1/denominator micro-unit of its price."""
    detail: str


@dataclass(slots=True, eq=False)
class CompiledTier:
    """Counted units in (start, end]."""

    start: int
    """Base units counted before this tier, of the accumulator that the tiers look at."""
    end: int
    """Base units that the last of its own makes; `OPEN_END` = there is no tier behind it."""
    flat: int
    """Due once when the tier is entered, in 1/denominator micro-unit of its price; 0 = nothing."""
    rates: tuple[CompiledRate, ...]
    flat_detail: str


@dataclass(slots=True, eq=False)
class Counter:
    """Names an accumulator of a period."""

    name: str
    period: int
    """One of `charging.base.localtime.PERIODS`."""
    shared: bool
    """One for all members of the account; else each has its own."""
    escaped: str = field(init=False)
    """The name as keys hold it."""

    def __post_init__(self) -> None:
        """Escape the name once, since each charge makes some keys."""
        self.escaped = accumulators.escaped(self.name)

    def key(self, identity: str, cycle_day: int, day: int) -> str:
        """Give the key of the period that contains a local day, counted from 1970-01-01.

        `cycle_day` is the account's day of the month on which periods of a cycle begin.
        """
        period = span(self.period, day, cycle_day).text
        return accumulators.key_of_escaped(self.escaped, period, "" if self.shared else identity)

    def value(self, account: Account, identity: str, day: int) -> int:
        """Give what the account has counted in the period that contains a local day; nothing yet is zero."""
        return account.accumulators.get(self.key(identity, account.terms.cycle_day, day), 0)

    def key_before(self, identity: str, cycle_day: int, day: int) -> str:
        """Give the key of the period before that one."""
        period = span(self.period, day, cycle_day).previous_text
        return accumulators.key_of_escaped(self.escaped, period, "" if self.shared else identity)

    def key_since(self, identity: str, since_ms: int) -> str:
        """Give the key of the one period of a subscription that began then."""
        return accumulators.key_of_escaped(self.escaped, WHOLE_LIFE, "" if self.shared else identity, str(since_ms))


@dataclass(slots=True, eq=False)
class Schedule:
    """Rates of one group of bands: plain ones, or those of tiers."""

    rates: tuple[CompiledRate, ...]
    tiers: tuple[CompiledTier, ...]
    model: int
    """GRADUATED, VOLUME or PACKAGE; see `charging.rating.tiers`."""
    counter: Counter | None
    """What the tiers look at; None = there are none."""


@dataclass(slots=True, eq=False)
class CompiledRounding:
    """Mode and the multiple, in micro-units, to which a charge is rounded."""

    mode: int
    """One of `charging.base.money.MODES`."""
    step: int
    """Micro-units, at least 1."""
    name: str
    origin: str
    """The domain whose rounding it is; "" = the nation's."""


@dataclass(slots=True, eq=False)
class Bounds:
    """What is due besides the units, in 1/denominator micro-unit: for the usages that begin in one group of bands."""

    connect: int
    """Due once a usage, whatever its length; 0 = nothing."""
    minimum: int
    """0 = none."""
    cap: int
    """Of one call; -1 = none."""
    cap_counter: Counter | None
    """Counts for a cap over a period; None = there is no such cap."""
    cap_total: int
    """Of the period, whole micro-units."""
    cap_detail: str


@dataclass(slots=True, eq=False)
class CompiledPrice:
    """One price with all it needs."""

    rule: str
    """tariff/price"""
    tariff: str
    price: str
    origin: str
    item: str
    unit: str
    denominator: int
    """Amounts of the price are whole numbers of 1/denominator micro-unit."""
    tests: tuple[Test, ...]
    schedules: tuple[Schedule | None, ...]
    """One for each entry of `bands`, then the price's own, so that index -1 (outside) finds it. None = unpriced."""
    table: BandTable | None
    """Gives the index into `schedules`; None = no bands, the price's own alone."""
    timed: bool
    switch: int
    """What happens where a band ends inside a call: SWITCH_SECOND, SWITCH_INCREMENT or SWITCH_START."""
    bounds: tuple[Bounds, ...]
    """In the order of `schedules`."""
    connect: int
    """Of the price's own bounds, for the quick way."""
    connect_always: bool
    grace: int
    """Base units; a usage of no more costs nothing."""
    grace_free: bool
    """A longer usage is charged without its first `grace` units."""
    rounding: CompiledRounding
    flat: CompiledRate | None
    """The only rate, when there is but one and nothing else to look at."""
    depends: bool


@dataclass(slots=True, eq=False)
class CompiledTariff:
    """The prices of a tariff, sorted by destination beforehand."""

    name: str
    origin: str
    service: str
    table: PrefixTable[str] | None
    """Destinations that its prices name; None = none names any."""
    prices: tuple[CompiledPrice, ...]
    by_destination: dict[tuple[str, ...], tuple[CompiledPrice, ...]]
    """For the destinations that a number has: its prices in order."""

    def find(self, usage: Usage, contract: Contract, account: Account) -> CompiledPrice | None:
        """Give the first price, in the order of the catalogue, that holds for a usage; None = none does."""
        prices = self.prices
        if self.table is not None:
            prices = self.by_destination[self.table.find(digits_of(usage.other_party))]
        for price in prices:
            for test in price.tests:
                if not test(usage, contract, account):
                    break
            else:
                return price
        return None


@dataclass(slots=True, eq=False)
class CompiledAllowance:
    """Free units: scope, quota and how they are counted."""

    name: str
    label: str
    changed: str
    """What a region replaced in its scope, for the explanation."""
    origin: str
    unit: str
    quota: int
    """Base units each period; 0 = only a scope for books."""
    priority: int
    """See `charging.base.consumption`."""
    tests: tuple[Test, ...]
    table: BandTable | None
    """Index 0 = inside."""
    increment: int
    """Base units that are taken together; what is begun is taken."""
    counter: Counter
    member_cap: int
    """Base units that one member may take in a period; 0 = any."""
    member_counter: Counter
    roll_counter: Counter | None
    roll_limit: int
    """Base units that roll over at most."""
    roll_first: bool
    """What rolled over is used before the period's own quota."""
    prorated: bool
    """The quota of the period in which a subscription begins is cut by days."""
    by_subscription: bool
    """Each subscription has one quota for its whole life."""
    per_call: bool
    """Each call has the quota anew; nothing is counted."""
    blocks: bool
    """Books that it gives their scope alone may pay what is in it."""


@dataclass(slots=True, eq=False)
class GrantedAllowance:
    """An allowance together with the valid subscriptions that give it (their places in the list)."""

    allowance: CompiledAllowance
    places: tuple[int, ...]
    quota: int
    """Base units that all these subscriptions give together in a whole period."""
    plain: bool
    """The quota is the same in every period, and nothing rolls over."""


@dataclass(slots=True, eq=False)
class DiscountFacts:
    """What conditions of discounts are asked about."""

    usage: Usage
    contract: Contract
    account: Account
    held: frozenset[str]
    item: dict[str, str]
    quantity: int
    """Base units used."""
    charged: int
    """Base units left to money, before increments."""
    numerator: int
    """Value before all discounts, micro-units = numerator / denominator."""
    denominator: int
    """Of the value; not zero."""
    day: int
    """Local day of the beginning, counted from 1970-01-01."""


@dataclass(slots=True, eq=False)
class CompiledRule:
    """A discount: when it holds and what it does."""

    name: str
    origin: str
    level: str
    order: tuple[int, int, str]
    """(stage, priority, id): the order in which rules work on each other's result."""
    targets: tuple[str, ...]
    services: frozenset[str]
    tests: tuple[Callable[[DiscountFacts], bool], ...]
    kind: int
    """PERCENT, AMOUNT, PRICE, TOTAL or THRESHOLDS."""
    numerator: int
    denominator: int
    """What is left of it (percent; no unit), what goes off (amount), what it becomes (total), or one increment costs
    (price): micro-units."""
    increment: int
    """Base units of a new price."""
    steps: tuple[tuple[int, int, int], ...]
    """Thresholds, highest first: (at least, numerator, denominator of what is left)."""
    counter: Counter | None
    """What thresholds look at."""
    limit_numerator: int
    """Most that it takes off, micro-units = limit_numerator / limit_denominator: of one usage, or with `limit_counter`
    of its period. -1 = no limit."""
    limit_denominator: int
    limit_counter: Counter | None
    """None = the limit is of each usage."""
    exclusive: str
    """Name of a group of which only one rule holds; "" = of none."""
    best: bool
    """Of its group the rule holds that takes most off; else the first."""
    depends: bool
    """Looks at an accumulator, so the outcome holds for this state of the account alone."""
    reads: tuple[Counter, ...]
    """All counters that it looks at."""
    bases: frozenset[str]
    """What of a bill it works on: "item", "member" (all that one member brought) or "account" (all of it)."""
    detail: str


@dataclass(slots=True, eq=False)
class CompiledAccumulator:
    """Counts usages that meet its tests."""

    counter: Counter
    counts: str
    tests: tuple[Test, ...]
    services: frozenset[str]


@dataclass(slots=True, eq=False)
class CompiledService:
    """A service as the catalogue knows it."""

    name: str
    unit: str
    quantity_max: int
    """Of one usage, base units."""
    by_report: bool
    """Sessions are rated piece by piece, see `charging.rating.pieces`."""


@dataclass(slots=True, eq=False)
class CompiledOffering:
    """An offering, bundles not opened."""

    name: str
    origin: str
    label: str
    priority: int
    """Of several subscriptions, the tariffs of the lower one are asked first."""
    includes: tuple[str, ...]
    services: frozenset[str]
    tariffs: tuple[str, ...]
    allowances: tuple[str, ...]
    discounts: tuple[str, ...]
    fees: tuple[str, ...]
    validity_ms: int
    """Of a subscription that names no end; 0 = it has none."""


@dataclass(slots=True, eq=False)
class CompiledFee:
    """A fee of an offering; amount in micro-units as a fraction."""

    name: str
    label: str
    origin: str
    item: str
    numerator: int
    """Amount of a whole period, micro-units = numerator / denominator."""
    denominator: int
    recurring: bool
    period: int
    """Of a recurring fee; one of `charging.base.localtime.PERIODS`."""
    prorated: bool
    thirty: bool
    """A part is counted by months of 30 days."""
    trial_days: int
    free_months: int
    """What costs nothing of a subscription: days from its first one, then months."""
    minus: Counter | None
    """Amounts whose sum over the period is taken off."""
    rounding: CompiledRounding
