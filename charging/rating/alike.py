"""Many uses of one subscriber, rated by what equal uses came to before: the row engine is asked once for each kind.

Inside a class of uses (`charging.rating.useclasses`) the outcome hangs on

* the number of begun increments: of the largest one into which all increments of the class divide,
* the *level*: which source of free units has enough for the whole use while those before it are empty, which marks the
  counters have reached that discounts ask, whether the cap of a period is used up.

For each pair of both `charging.rating.rating` is asked once; the answer, the explanation packed with it, serves all
uses after it, of other subscribers too: names of counters are filled in for each. What lies between two levels, such
as a source that has enough for a part of the use, is asked for each use, and so is what no class says.
"""

from collections.abc import Callable

from msgspec.structs import replace

from charging.base.account import Account
from charging.base.contract import Contract
from charging.base.usage import Charge, SealedCharge, Step, Usage
from charging.errors import Fault
from charging.ledger.accruals import accrue, accrue_into
from charging.ledger.ledger import seal
from charging.ledger.running import ChargeRun
from charging.ledger.usecolumns import UseColumns
from charging.ledger.usescharged import UseKind
from charging.plans.alike import OF_A_CLASS_MAX, ChargeClass, CoveredCharge, KnownCharge
from charging.plans.plan import Plan
from charging.rating import bound
from charging.rating.useclasses import ClassHere, class_here, level_of
from charging.rating.usetimes import UseTime, head_of, use_time

_USED = -1
_UNITS = -2
"""In the place of a quantity that is counted: as much as was used; as many units as free ones were taken."""

Rate = Callable[[Usage, Account], Charge]
Pairs = tuple[tuple[str, int], ...]


class AlikeUses:
    """Uses of one subscriber, one after the other. `account` runs on: its counters are changed while it is used."""

    def __init__(
        self, plan_of: Callable[[int], Plan], check_place: Callable[[str], None], contract: Contract, account: Account
    ) -> None:
        """`check_place` raises what a place abroad raises that nobody knows."""
        self._plan_of = plan_of
        self._check_place = check_place
        self._contract = contract
        self._account = account
        self._held = [hold for session in account.open.sessions for hold in session.holds if hold.reserved_accruals]
        self._counters = account.accumulators
        for hold in self._held:
            self._counters = accrue(self._counters, hold.reserved_accruals)
        self._possible = not (
            account.terms.limits or bound.has_bound(account) or contract.paused_from_ms or contract.status != "active"
        )
        self._time: UseTime | None = None
        self._key = 0
        """Of the use that was looked at last, among the charges of its class."""
        self._named = {*account.members, *[party for group in contract.groups.values() for party in group]}
        """Parties that are asked for by name; of others tables of destinations see the head alone."""
        self._here: dict[tuple[str, str, str, tuple[tuple[str, str], ...]], ClassHere] = {}
        self._parties: dict[tuple[str, str, str], ClassHere] = {}
        """The same classes by service, other party and place, of uses without attributes."""
        self._pinned: set[str] = set()
        """Counters from which a quota follows: when one changes, all classes are found anew."""

    def post(self, usage: Usage, run: ChargeRun, columns: UseColumns) -> bool:
        """Take a use whose like is known, and put it into columns; False = it is to be charged.

        `run` is that of the account, which runs on with it.
        """
        here = self._look(usage)
        if here is None or here.known is None:
            return False
        found = here.known.charges.get(self._key)
        if found is None or (found.capped and here.cap_total - self._counters.get(here.cap_key, 0) < found.capped):
            return False
        accruals = _accruals(here, found, usage.quantity)
        if not run.take_plain(found.amount, found.currency, accruals):
            return False
        kind, steps = here.columns.get(found) or _in_columns(here, found, usage, accruals, columns)
        columns.add(usage, found.amount, kind, steps, accruals)
        self.took(accruals)
        return True

    def charge(self, usage: Usage, rate: Rate) -> SealedCharge | None:
        """Give the charge of a use on the state as it is; None = the row engine is to be asked.

        By `rate` it is asked for the first use of a kind. Raises what that raises.
        """
        here = self._look(usage)
        if here is None or here.known is None or self._time is None:
            return None
        made = here.made.get(self._key)
        if made is not None:
            return made
        return self._charge(self._time.plan, usage, rate, here, here.known)

    def took(self, accruals: Pairs) -> None:
        """Take note of what was counted: of a use that was charged here, or by the row engine."""
        if self._held and accruals:
            accrue_into(self._counters, accruals, 1)
        if self._pinned:
            for key, _ in accruals:
                if key in self._pinned:
                    self._forget()
                    return

    def _look(self, usage: Usage) -> ClassHere | None:
        """Find the class of a use, and its key among the charges of the class; None = the row engine is to say."""
        start_ms, quantity = usage.start_ms, usage.quantity
        time = self._time
        if time is None or not time.from_ms <= start_ms < time.until_ms:
            time = self._moved_to(start_ms)
            if time is None:
                return None
        here = self._parties.get((usage.service, usage.other_party, usage.visited)) if not usage.attributes else None
        if here is None:
            here = self._class(time, usage)
        known = here.known
        if known is None or not 0 <= quantity <= here.quantity_max:
            return None
        if known.cut and start_ms // 1_000 + quantity > time.bands_until_s:
            return None
        level = level_of(here, known, self._counters, quantity)
        if level < 0:
            return None
        self._key = -(-quantity // known.increment) * here.levels + level
        return here

    def _charge(self, plan: Plan, usage: Usage, rate: Rate, here: ClassHere, known: ChargeClass) -> SealedCharge | None:
        key = self._key
        level = key % here.levels
        found = known.charges.get(key)
        left = here.cap_total - self._counters.get(here.cap_key, 0) if here.cap_key else 0
        if found is None:
            sealed = seal(_asked(usage, self._account, rate, here, known, level))
            if len(known.charges) < OF_A_CLASS_MAX:
                found = _known(here, known, sealed, left)
                if found is not None and (not found.capped or left >= found.capped):
                    plan.memory.keep(known, key, found)
            return sealed
        if found.capped and left < found.capped:
            return None
        made = _named(here, found, usage.quantity)
        if not known.raw and not found.capped:
            here.made[key] = made
        return made

    def _moved_to(self, start_ms: int) -> UseTime | None:
        """Find what holds at a moment; None = the row engine is to say."""
        contract = self._contract
        if not self._possible or start_ms < contract.valid_from_ms:
            return None
        try:
            plan = self._plan_of(start_ms)
        except Fault:
            return None
        time = self._time = use_time(plan, contract, start_ms)
        self._forget()
        return time

    def _class(self, time: UseTime, usage: Usage) -> ClassHere:
        attributes, party = usage.attributes, usage.other_party
        if party:
            party = f"={party}" if party in self._named else head_of(time.plan, party)
        of = (usage.service, party, usage.visited, tuple(sorted(attributes.items())))
        here = self._here.get(of)
        if here is None:
            if usage.visited:
                self._check_place(usage.visited)
            account = self._account
            seen = replace(account, accumulators=self._counters) if self._held else account
            here = self._here[of] = class_here(time, usage, self._contract, seen)
            self._pinned.update(here.pinned)
        if not attributes:
            self._parties[usage.service, usage.other_party, usage.visited] = here
        return here

    def _forget(self) -> None:
        self._here.clear()
        self._parties.clear()
        self._pinned.clear()


def _asked(usage: Usage, account: Account, rate: Rate, here: ClassHere, known: ChargeClass, level: int) -> Charge:
    """Ask the row engine, but for a use that free units cover and the like of which was asked."""
    source = level // here.of_source - 1
    if not known.free or source < 0 or not usage.quantity:
        return rate(usage, account)
    increment = here.sources[source].increment
    units = -(-usage.quantity // increment) * increment
    told = known.covered.get(level)
    if told is not None:
        return _covered(here, told, usage.quantity, units)
    charge = rate(usage, account)
    if len(known.covered) < OF_A_CLASS_MAX:
        _learn_covered(here, known, charge, level, units)
    return charge


def _in_columns(
    here: ClassHere, found: KnownCharge, usage: Usage, accruals: Pairs, columns: UseColumns
) -> tuple[int, int]:
    """Find the places of a charge's kind and explanation, once for a subscriber."""
    counters = tuple([key for key, _ in accruals])
    kind = UseKind(
        usage.service,
        usage.visited,
        usage.attributes,
        found.currency,
        found.catalogue,
        found.depends,
        found.item,
        here.taxed_since,
        counters,
    )
    told = here.columns[found] = columns.kind(kind), columns.explanation(found.steps)
    return told


def _accruals(here: ClassHere, found: KnownCharge, used: int) -> Pairs:
    keys = here.keys
    return tuple([(keys[place], used if counted == _USED else counted) for place, counted in found.counts])


def _named(here: ClassHere, found: KnownCharge, used: int) -> SealedCharge:
    """Fill in the names of a subscriber's counters."""
    return SealedCharge(
        found.amount,
        found.currency,
        (),
        _accruals(here, found, used),
        found.catalogue,
        found.depends,
        found.steps,
        found.item,
        here.taxed_since,
    )


def _known(here: ClassHere, known: ChargeClass, charge: SealedCharge, left: int) -> KnownCharge | None:
    """Take the names out of a charge; None = it has some that its class does not know.

    `left` is what the cap of a period had left, micro-units.
    """
    if charge.takes:
        return None
    keys = here.keys
    counts: list[tuple[int, int]] = []
    capped = known.rounding if here.cap_key and left > 0 else 0
    for key, counted in charge.accruals:
        if key not in keys:
            return None
        place = keys.index(key)
        counts.append((place, _USED if place in known.raw else counted))
        if key == here.cap_key:
            capped += counted
    return KnownCharge(
        charge.amount,
        charge.currency,
        charge.catalogue,
        charge.depends,
        charge.steps,
        charge.item,
        tuple(counts),
        capped,
    )


def _learn_covered(here: ClassHere, known: ChargeClass, charge: Charge, level: int, units: int) -> None:
    """Take from a charge what all uses cost that the same source covers; nothing when it is not as it should be."""
    source = here.sources[level // here.of_source - 1]
    steps = [place for place, step in enumerate(charge.steps) if step.kind == "allowance" and step.quantity == units]
    if charge.amount or charge.takes or len(steps) != 1:
        return
    counts: list[tuple[int, int]] = []
    for key, counted in charge.accruals:
        if key not in here.keys:
            return
        place = here.keys.index(key)
        if key == source.key or key == source.cap_key:
            if counted != units:
                return
            counted = _UNITS
        counts.append((place, _USED if place in known.raw else counted))
    known.covered[level] = CoveredCharge(charge, steps[0], tuple(counts))


def _covered(here: ClassHere, told: CoveredCharge, used: int, units: int) -> Charge:
    """Tell the charge of another use that the source covers."""
    counts: list[tuple[str, int]] = []
    for place, counted in told.counts:
        counts.append((here.keys[place], used if counted == _USED else units if counted == _UNITS else counted))
    steps, at, charge = told.charge.steps, told.step, told.charge
    step = steps[at]
    free = Step(
        step.kind, step.rule, step.origin, units, step.unit, step.numerator, step.denominator, step.detail, step.level
    )
    return Charge(
        0,
        charge.currency,
        (),
        tuple(counts),
        charge.catalogue,
        charge.depends,
        (*steps[:at], free, *steps[at + 1 :]),
        charge.item,
        here.taxed_since,
    )
