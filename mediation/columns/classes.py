"""Sorts the uses of a chunk into classes: uses that no test of the catalogue can tell apart have one shape.

What tests look at is made an integer each: the subscriptions and attributes behind a contract, the service, the kind of
number, place, attributes, who the other party is to the subscriber, and the set of bands. The first use of a class
answers for all.
"""

from collections.abc import Callable, Iterator

import msgspec
import numpy as np
import polars as pl

from charging.base.account import Account
from charging.base.contract import Contract, Subscription
from charging.base.usage import Usage
from charging.errors import Fault
from charging.plans.conditions import OWN_ACCOUNT
from charging.plans.plan import Plan
from mediation.columns.chunk import CLOCK, Chunk, numbered
from mediation.columns.numbers import PartyKinds
from mediation.columns.planner import BITS, Planner, UseShape
from mediation.columns.ruler import Ints, Ruler, ruler_of

PlanOf = Callable[[int], Plan]
NO_CATALOGUE = "no catalogue was in force"
CURRENCY = "another currency than the catalogue's"
_attributes = msgspec.json.Decoder(dict[str, str]).decode


class Placed:
    """Where uses stand: for each row its shape, local day, piece of contract, and when its bands end."""

    __slots__ = ("alike_until_s", "chunk", "day", "held", "shape", "unit")

    def __init__(self, chunk: Chunk) -> None:
        rows = len(chunk.account)
        self.chunk = chunk
        self.shape: Ints = np.full(rows, -1, dtype=np.int64)
        self.day: Ints = np.zeros(rows, dtype=np.int64)
        self.alike_until_s: Ints = np.zeros(rows, dtype=np.int64)
        self.unit: Ints = np.zeros(rows, dtype=np.int64)
        """A contract in a stretch of time in which none of its subscriptions begins or ends."""
        self.held: dict[tuple[int, int], list[Subscription]] = {}
        """By plan (its place among the classes) and unit."""


class PlanClasses:
    """Classes of one plan, kept from chunk to chunk."""

    def __init__(self, plan: Plan, number: int) -> None:
        self.plan = plan
        self.number = number
        self.numbers = PartyKinds(plan)
        self.signs: dict[tuple[object, ...], int] = {}
        self.texts: tuple[dict[str, int], ...] = ({}, {}, {})
        self.relations: dict[tuple[str, ...], int] = {(): 0}
        self.shapes: dict[tuple[int, ...], int] = {}
        self.groups = _groups_asked(plan)
        self.by_rules = plan.discounts("usage")
        self.planner = Planner(plan)
        self.asked = _Asked(plan)
        self._ruler: Ruler | None = None
        self._until_ms = 0

    def ruler(self, from_ms: int, to_ms: int) -> Ruler:
        """Give the stretches of a time; made anew only where it reaches further."""
        if self._ruler is None or from_ms < self._ruler.starts_ms[0] or to_ms > self._until_ms:
            first = from_ms if self._ruler is None else min(from_ms, int(self._ruler.starts_ms[0]))
            first -= first % 1_000
            self._until_ms = max(to_ms, self._until_ms)
            self._ruler = ruler_of(self.plan, first, self._until_ms)
        return self._ruler

    def sign(self, held: list[Subscription], contract: Contract, account: Account) -> int:
        """Number all of a contract and its account that a test of usage may look at."""
        terms = account.terms
        sign: tuple[object, ...] = (
            tuple([subscription.offering for subscription in held]),
            contract.domain,
            contract.agreements,
            terms.agreements,
        )
        if self.by_rules:
            sign = (*sign, *self.asked.answers(contract, account))
        return self.signs.setdefault(sign, len(self.signs))


class _Asked:
    """What discounts ask of contracts, accounts and customers, by name."""

    def __init__(self, plan: Plan) -> None:
        whens = [entry.value.when for entry in plan.merged.discounts.values()]
        self._subscriber = sorted({name for when in whens for name in when.subscriber})
        self._account = sorted({name for when in whens for name in when.account})
        self._customer = sorted({name for when in whens for name in when.customer})

    def answers(self, contract: Contract, account: Account) -> list[str]:
        """Give what they are told; a name may be a field or an attribute, so both count."""
        terms = account.terms
        found = [contract.attributes.get(name, "") for name in self._subscriber]
        for name in self._account:
            found += [str(getattr(terms, name, "")), terms.attributes.get(name, "")]
        for name in self._customer:
            found += [account.customer_id if name == "customer_id" else "", terms.customer_attributes.get(name, "")]
        return found


class Classes:
    """Finds the shape of each use. One for a job: what it learns of catalogues serves all chunks."""

    def __init__(self, plan_of: PlanOf) -> None:
        self._plan_of = plan_of
        self._plans: dict[int, PlanClasses] = {}
        self.shapes: list[UseShape] = []
        self.plan_numbers: list[int] = []
        """By shape: the number of its plan, as in `Placed.held`."""

    def place(self, chunk: Chunk) -> Placed:
        """Place all uses of a chunk; accounts of whose uses some have no shape for columns are escapes then."""
        placed = Placed(chunk)
        parts = list(self._by_plan(chunk))
        _units(placed, [classes.plan for classes, _ in parts])
        for classes, rows in parts:
            self._place(placed, classes, rows)
        whys = {number: shape.why for number, shape in enumerate(self.shapes) if shape.why}
        if whys:
            for number in np.unique(placed.shape).tolist():
                if number in whys:
                    chunk.escapes.add(chunk.account[placed.shape == number], whys[number])
        return placed

    def _by_plan(self, chunk: Chunk) -> Iterator[tuple[PlanClasses, Ints]]:
        left = np.flatnonzero(~chunk.escapes.out[chunk.account])
        while len(left):
            times = chunk.start_ms[left]
            first = left[int(np.argmin(times))]
            try:
                plan = self._plan_of(int(chunk.start_ms[first]))
            except Fault:
                chunk.escapes.add(chunk.account[first : first + 1], NO_CATALOGUE)
                left = left[chunk.account[left] != chunk.account[first]]
                continue
            here = times < plan.to_ms
            yield self._classes(plan), left[here]
            left = left[~here]

    def _classes(self, plan: Plan) -> PlanClasses:
        known = self._plans.get(id(plan))
        if known is None:
            known = self._plans[id(plan)] = PlanClasses(plan, len(self._plans))
        return known

    def _place(self, placed: Placed, classes: PlanClasses, rows: Ints) -> None:
        chunk = placed.chunk
        moments = chunk.start_ms[rows]
        ruler = classes.ruler(int(moments.min()), int(moments.max()))
        places = ruler.places(moments)
        placed.day[rows] = ruler.days[places]
        placed.alike_until_s[rows] = ruler.alike_until_s[places]
        frame = chunk.frame if len(rows) == len(chunk.frame) else chunk.frame[rows]
        service, visited, attributes = (
            numbered(frame[name], known)
            for name, known in zip(("service", "visited", "attributes"), classes.texts, strict=True)
        )
        columns = (
            self._signs(placed, classes, rows),
            service,
            classes.numbers.kinds(frame["other_party"]),
            visited,
            attributes,
            self._relations(placed, classes, rows, frame),
            ruler.bands[places],
        )
        packed = _packed(columns)
        different, first = np.unique(packed, return_index=True) if len(rows) < 4_096 else _first(packed)
        shapes = [self._shape(placed, classes, int(rows[at]), tuple(int(c[at]) for c in columns)) for at in first]
        placed.shape[rows] = np.array(shapes, dtype=np.int64)[np.searchsorted(different, packed)]

    def _shape(self, placed: Placed, classes: PlanClasses, row: int, kind: tuple[int, ...]) -> int:
        known = classes.shapes.get(kind)
        if known is None:
            chunk = placed.chunk
            usage = usage_at(chunk, row)
            account, contract = chunk.accounts[chunk.account[row]], chunk.contracts[chunk.holder[row]]
            held = placed.held[classes.number, int(placed.unit[row])]
            found = classes.planner.shape(held, usage, contract, account, int(placed.day[row]))
            known = classes.shapes[kind] = len(self.shapes)
            self.shapes.append(found)
            self.plan_numbers.append(classes.number)
        return known

    def _signs(self, placed: Placed, classes: PlanClasses, rows: Ints) -> Ints:
        chunk, plan = placed.chunk, classes.plan
        units = placed.unit[rows]
        begins = np.flatnonzero(np.diff(units, prepend=-1))
        signs: dict[int, int] = {}
        for at in begins.tolist():
            unit = int(units[at])
            if unit in signs:
                continue
            row = rows[at]
            contract, account = chunk.contracts[chunk.holder[row]], chunk.accounts[chunk.account[row]]
            held = placed.held[classes.number, unit] = plan.valid_subscriptions(contract, int(chunk.start_ms[row]))
            signs[unit] = classes.sign(held, contract, account)
            if account.terms.currency != plan.currency:
                chunk.escapes.add([int(chunk.account[row])], CURRENCY)
            if account.terms.zone != plan.local.zone:
                chunk.escapes.add([int(chunk.account[row])], CLOCK)
        found = np.array([signs[unit] for unit in units[begins].tolist()], dtype=np.int64)
        return np.repeat(found, np.diff(begins, append=len(units)))

    def _relations(self, placed: Placed, classes: PlanClasses, rows: Ints, frame: pl.DataFrame) -> Ints:
        """Number who the other parties are: members of the account, or in groups of the contract that are asked for."""
        found = np.zeros(len(rows), dtype=np.int64)
        if not classes.groups:
            return found
        chunk = placed.chunk
        if OWN_ACCOUNT in classes.groups:
            own = (frame["other_party"] == frame["identity"]).to_numpy()
            if own.any():
                found[own] = classes.relations.setdefault((OWN_ACCOUNT,), len(classes.relations))
        lists = [
            _related(contract, chunk.accounts[account], classes.groups)
            for contract, account in zip(chunk.contracts, chunk.of_account.tolist(), strict=False)
        ]
        asked = np.array([bool(each) for each in lists], dtype=np.bool_)
        some = np.flatnonzero(asked[chunk.holder[rows]])
        if not len(some):
            return found
        holders = [(number, party, names) for number, each in enumerate(lists) for party, names in each.items()]
        known = pl.DataFrame(
            {
                "holder": [number for number, _, _ in holders],
                "other_party": [party for _, party, _ in holders],
                "relation": [classes.relations.setdefault(names, len(classes.relations)) for *_, names in holders],
            },
            schema={"holder": pl.Int64(), "other_party": pl.String(), "relation": pl.Int64()},
        )
        asking = pl.DataFrame({"holder": chunk.holder[rows[some]], "other_party": frame["other_party"].gather(some)})
        joined = asking.join(known, on=["holder", "other_party"], how="left", maintain_order="left")
        found[some] = joined["relation"].fill_null(0).to_numpy()
        return found


def usage_at(chunk: Chunk, row: int) -> Usage:
    """Give the use of a row."""
    _, identity, service, start_ms, quantity, other_party, visited, attributes = chunk.frame.row(row)
    named = _attributes(attributes) if attributes else {}
    return Usage(identity, service, start_ms, quantity, other_party, visited, named)


def _packed(columns: tuple[Ints, ...]) -> Ints:
    """Make one number of several, which tells them apart."""
    packed, kinds = columns[0], int(columns[0].max()) + 1
    for column in columns[1:]:
        most = int(column.max()) + 1
        if kinds * most >= 1 << BITS:
            packed = np.unique(packed, return_inverse=True)[1].astype(np.int64)
            kinds = int(packed.max()) + 1
        packed, kinds = packed * most + column, kinds * most
    return packed


def _first(packed: Ints) -> tuple[Ints, Ints]:
    """Find the different values and where each stands first, without sorting all."""
    series = pl.DataFrame({"kind": packed}).with_row_index("row")
    found = series.group_by("kind").agg(pl.col("row").min()).sort("kind")
    return found["kind"].to_numpy(), found["row"].cast(pl.Int64).to_numpy()


def _units(placed: Placed, plans: list[Plan]) -> None:
    """Cut contracts where a subscription begins or ends."""
    chunk = placed.chunk
    count = 0
    firsts: list[int] = []
    several: list[tuple[int, int, list[int]]] = []
    if not len(chunk.start_ms):
        return
    low, high = int(chunk.start_ms.min()), int(chunk.start_ms.max())
    limited = [plan.limited for plan in plans if plan.limited]
    for number, contract in enumerate(chunk.contracts):
        ends: set[int] = set()
        for held in contract.subscriptions:
            ends.update((held.valid_from_ms, held.valid_to_ms))
            ends.update(held.valid_from_ms + some[held.offering] for some in limited if held.offering in some)
        cuts = sorted(end for end in ends if low < end <= high)
        firsts.append(count)
        if cuts:
            several.append((number, count, cuts))
        count += len(cuts) + 1
    placed.unit = np.array(firsts or [0], dtype=np.int64)[chunk.holder]
    for number, first, cuts in several:
        rows = chunk.rows_of(int(chunk.of_account[number]))
        mine = np.flatnonzero(chunk.holder[rows] == number) + rows.start
        placed.unit[mine] = first + np.searchsorted(np.array(cuts), chunk.start_ms[mine], side="right")


def _groups_asked(plan: Plan) -> frozenset[str]:
    merged = plan.merged
    whens = [price.when for entry in merged.tariffs.values() for price in entry.value.prices]
    whens += [entry.value.when for entry in merged.allowances.values()]
    whens += [entry.value.when for entry in merged.accumulators.values()]
    whens += [entry.value.when.usage for entry in merged.discounts.values()]
    return frozenset(name for when in whens for name in when.parties)


def _related(contract: Contract, account: Account, asked: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """Say who is who to a subscriber; of one alone, who has no groups, nothing: he may only call himself."""
    found: dict[str, tuple[str, ...]] = {}
    if OWN_ACCOUNT in asked and (len(account.members) > 1 or contract.groups):
        found = dict.fromkeys(account.members, (OWN_ACCOUNT,))
    for name, parties in sorted(contract.groups.items()):
        if name in asked:
            for party in set(parties):
                # A group of a contract that is called as the members are is still another.
                found[party] = (*found.get(party, ()), f"group {name}")
    return found
