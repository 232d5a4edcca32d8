"""An oracle for rating: slow and obvious, one unit after the other, with `fractions.Fraction`.

It reads the catalogue model itself and shares no code with the engine. It knows one offering, held once or twice, its
allowances and discounts, and one tariff with one price. Which price is chosen has an oracle of its own; what a region
makes of the nation is put together beforehand, by `rating_regions`.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fractions import Fraction

from charging.base.account import Account
from charging.base.contract import Contract
from charging.base.usage import Usage
from charging.catalogue.document import Catalogue
from charging.catalogue.offers import Allowance
from charging.catalogue.tariffs import Cap, Price, Rate, Tiers
from charging.catalogue.words import Rounding
from tests.unit.charging.rating_oracle_clock import Clock
from tests.unit.charging.rating_oracle_discounts import Discounts, yuan

FREE = Rate("0")


@dataclass
class Answer:
    amount: int = 0
    exact: Fraction = Fraction(0)
    takes: dict[str, int] = field(default_factory=dict)
    accruals: dict[str, int] = field(default_factory=dict)

    def accrue(self, key: str, units: int) -> None:
        if units:
            self.accruals[key] = self.accruals.get(key, 0) + units


@dataclass
class Free:
    """One source of free units. `begun` is what is left of the increment that was taken last."""

    order: tuple[int, int, int, str]
    left: int
    increment: int
    bands: tuple[str, ...]
    keys: tuple[str, ...]
    book: str = ""
    cap: str = ""
    """Key of the member cap that it shares with other sources."""
    begun: int = 0
    last: int = -2


@dataclass
class Piece:
    """A run of charged units at one rate."""

    name: str
    tiers: Tiers | None
    key: str = ""
    number: int = 0
    start: int = 0
    end: int | None = None
    flat: Fraction = Fraction(0)
    rate: Rate = FREE
    next_rate: int | None = None
    used: int = 0

    @property
    def step(self) -> int:
        return int(self.rate.increment or self.rate.per)


class Oracle(Clock):
    """Rates one usage by the definition of things."""

    def __init__(self, catalogue: Catalogue, zone: str, usage: Usage, contract: Contract, account: Account) -> None:
        super().__init__(catalogue, zone, usage, contract, account)
        self.tariff = catalogue.tariffs[0]
        self.price: Price = self.tariff.prices[0]
        self.timed = catalogue.services[0].unit == "second"
        self.answer = Answer()
        self.counted: dict[str, int] = {}
        self.touched: set[str] = set()
        self.caps: dict[str, int] = {}

    # -- free units ------------------------------------------------------------------------------------------------

    def granting(self, allowance: Allowance) -> list[int]:
        """Give when the subscriptions began that bring an allowance; a shared one is brought once."""
        since = [held.valid_from_ms for held in self.contract.subscriptions]
        return since[:1] if allowance.shared else since

    def quota(self, allowance: Allowance, today: date) -> int:
        """Give the quota of the period of a day: of each subscription that had begun, by its days if so agreed."""
        days = self.days(allowance.period, today)
        total = 0
        for since_ms in self.granting(allowance):
            begun = datetime.fromtimestamp(since_ms // 1000, UTC).astimezone(self.zone).date()
            held = [day for day in days if day >= begun]
            share = Fraction(len(held), len(days)) if allowance.prorated else Fraction(bool(held))
            total += (int(allowance.quota) * share).__ceil__()
        return total

    def sources(self) -> list[Free]:
        found = []
        granted = self.catalogue.offerings[0].allowances
        for allowance in (each for each in self.catalogue.allowances if each.id in granted):
            order = (allowance.priority, 0, 0, allowance.id)
            full = int(allowance.quota)
            if allowance.period == "call":
                quota = full * len(self.granting(allowance))
                found.append(self.source(allowance, order, quota, (), "", capped=False))
                continue
            if allowance.period == "subscription":
                for since_ms in self.granting(allowance):
                    key = self.key_of_subscription(allowance, since_ms)
                    found.append(self.source(allowance, order, full - self.had(key), (key,), ""))
                continue
            key = self.key(allowance.id, allowance.period, allowance.shared)
            quota = self.quota(allowance, self.clock(0).date())
            own = self.source(allowance, order, quota - self.had(key), (key,), "")
            roll = allowance.roll_over
            if roll is None:
                found.append(own)
                continue
            rolled = max(0, self.quota(allowance, self.day_before(allowance)) - self.had(self.key_before(allowance)))
            if roll.limit:
                rolled = min(rolled, int(roll.limit))
            key = self.key(f"{allowance.id}.rolled", allowance.period, allowance.shared)
            over = self.source(allowance, order, rolled - self.had(key), (key,), "")
            found += [over, own] if roll.used == "first" else [own, over]
        for book in self.account.books:
            scope = [a for a in self.catalogue.allowances if a.id == book.allowance]
            if book.unit == self.catalogue.services[0].unit and book.valid_at(self.usage.start_ms):
                order = (book.priority, 1, book.valid_to_ms or 1 << 62, book.book_id)
                if scope:
                    found.append(self.source(scope[0], order, book.amount, (), book.book_id))
                elif not book.allowance:
                    found.append(Free(order, book.amount, 1, (), (), book.book_id))
        return sorted(found, key=lambda free: free.order)

    def source(
        self,
        allowance: Allowance,
        order: tuple[int, int, int, str],
        left: int,
        keys: tuple[str, ...],
        book: str,
        *,
        capped: bool = True,
    ) -> Free:
        cap = ""
        if allowance.member_cap and capped:
            cap = self.key(f"{allowance.id}.member", allowance.period, shared=False)
            self.caps[cap] = int(allowance.member_cap) - self.had(cap)
            keys = (*keys, cap)
        return Free(order, left, int(allowance.increment), allowance.when.bands, keys, book, cap)

    def covered(self, sources: list[Free], offset: int) -> bool:
        """Let the first source that can pay for the unit at this offset."""
        for free in sources:
            if free.bands and not self.in_bands(free.bands, offset if self.timed else 0):
                continue
            if free.last != offset - 1:
                free.begun = 0
            if free.begun == 0:
                left = min(free.left, self.caps[free.cap]) if free.cap else free.left
                if left <= 0:
                    continue
                units = min(free.increment, left)
                free.left -= units
                if free.cap:
                    self.caps[free.cap] -= units
                free.begun = units
                if free.book:
                    self.answer.takes[free.book] = self.answer.takes.get(free.book, 0) + units
                for key in free.keys:
                    self.answer.accrue(key, units)
            free.begun -= 1
            free.last = offset
            return True
        return False

    # -- tariff ----------------------------------------------------------------------------------------------------

    def schedule(self, offset: int) -> tuple[str, tuple[Rate, ...], Tiers | None]:
        at = 0 if self.price.band_switch == "start" or not self.timed else offset
        for number, part in enumerate(self.price.bands):
            if self.in_bands(part.bands, at):
                return f"bands {number}", part.rates, part.tiers
        return "otherwise", self.price.rates, self.price.tiers

    def money(self, offsets: list[int]) -> Fraction:
        """Charge the units at these offsets, one by one. A piece is a run of them at one rate."""
        total = Fraction(0)
        piece: Piece | None = None
        last = -2
        for offset in offsets:
            if piece is not None and (offset != last + 1 or self.ends(piece, offset)):
                self.close(piece)
                piece = None
            last = offset
            if piece is None:
                piece = self.open(offset, len(offsets))
                total += piece.flat
            if self.begins_increment(piece):
                total += yuan(piece.rate.price) * piece.step / Fraction(piece.rate.per)
            piece.used += 1
            if piece.tiers is not None and piece.tiers.model == "package":
                self.counted[piece.key] += 1
        if piece is not None:
            self.close(piece)
        return total

    def open(self, offset: int, units: int) -> "Piece":
        """Begin a piece: band by the clock, tier by the count, rate by the offset."""
        name, rates, tiers = self.schedule(offset)
        piece = Piece(name, tiers)
        if tiers is not None:
            piece.key = key = self.counter(tiers)
            base = 0 if tiers.over == "call" else self.had(key)
            reached = base + units - 1 if tiers.model == "volume" else self.counted[key]
            ends = [int(tier.upto or 0) for tier in tiers.steps[:-1]]
            piece.number = sum(reached >= end for end in ends)
            tier = tiers.steps[piece.number]
            rates = tier.rates or (Rate(tier.price, tier.per, tier.increment),)
            start = ends[piece.number - 1] if piece.number else 0
            piece.start, piece.end = start, (ends[piece.number] if piece.number < len(ends) else None)
            if tiers.model == "volume":
                entered = key not in self.touched and base <= start
                self.touched.add(key)
            else:
                entered = self.counted[key] == start
            piece.flat = yuan(tier.flat) if entered else Fraction(0)
        begun = [rate for rate in rates if int(rate.start) <= offset]
        later = [int(rate.start) for rate in rates if int(rate.start) > offset]
        piece.rate = max(begun, key=lambda rate: int(rate.start))
        piece.next_rate = min(later, default=None)
        return piece

    def ends(self, piece: "Piece", offset: int) -> bool:
        """Say whether another price begins at this offset."""
        if piece.next_rate is not None and offset >= piece.next_rate:
            return True
        if piece.tiers is not None and piece.end is not None:
            if piece.tiers.model == "graduated" and self.counted[piece.key] + piece.used >= piece.end:
                return True
            if piece.tiers.model == "package" and self.counted[piece.key] >= piece.end:
                return True
        if self.price.band_switch == "increment" and piece.used % piece.step:
            return False
        return self.schedule(offset)[0] != piece.name

    def begins_increment(self, piece: "Piece") -> bool:
        if piece.tiers is not None and piece.tiers.model == "package":
            return (self.counted[piece.key] - piece.start) % piece.step == 0
        return piece.used % piece.step == 0

    def close(self, piece: "Piece") -> None:
        """Count the whole increments of a piece; graduated ones not beyond their tier."""
        if piece.tiers is None or piece.tiers.model == "package":
            return
        counted = self.counted[piece.key] + -(-piece.used // piece.step) * piece.step
        if piece.tiers.model == "graduated" and piece.end is not None:
            counted = min(counted, piece.end)
        self.counted[piece.key] = counted

    def counter(self, tiers: Tiers) -> str:
        name = tiers.accumulator or f"{self.tariff.id}/{self.price.id}"
        key = name if tiers.over == "call" else self.key(name, tiers.over, tiers.shared)
        if key not in self.counted:
            self.counted[key] = 0 if tiers.over == "call" else self.had(key)
        return key

    # -- all of it -------------------------------------------------------------------------------------------------

    def rate(self) -> Answer:
        quantity, price = self.usage.quantity, self.price
        grace = int(price.grace)
        if quantity <= grace:
            return self.counting()
        sources = self.sources()
        offsets = [i for i in range(grace if price.grace_free else 0, quantity) if not self.covered(sources, i)]
        value = self.money(offsets)
        for key, counted in self.counted.items():
            if "@" in key:
                self.answer.accrue(key, counted - self.had(key))
        if offsets or price.connect_always:
            begun = next((part for part in price.bands if self.in_bands(part.bands, 0)), None)
            connect = (begun.connect if begun else "") or price.connect
            minimum = (begun.minimum if begun else "") or price.minimum
            value = max(value + yuan(connect), yuan(minimum))
            if begun is not None and begun.cap is not None:
                value = self.capped(value, begun.cap, f"{self.tariff.id}/{price.id}/cap/{price.bands.index(begun)}")
            else:
                value = self.capped(value, price.cap, f"{self.tariff.id}/{price.id}/cap")
        value = self.discounted(value, len(offsets))
        self.answer.exact = value
        self.answer.amount = rounded(value, self.tariff.rounding or self.catalogue.rounding or Rounding())
        return self.counting()

    def counting(self) -> Answer:
        for each in self.catalogue.accumulators:
            added = {"quantity": self.usage.quantity, "events": 1, "amount": self.answer.amount}[each.counts]
            self.answer.accrue(self.key(each.id, each.period, each.shared), added)
        return self.answer

    def discounted(self, value: Fraction, charged: int) -> Fraction:
        brought = self.catalogue.offerings[0].discounts
        known = [rule for rule in self.catalogue.discounts if rule.stage != "offering" or rule.id in brought]
        rules = Discounts(known, self.catalogue.exclusive_groups, self.usage.quantity, charged)
        counted = next(iter(self.catalogue.accumulators))
        value_before = self.had(self.key(counted.id, counted.period, counted.shared))
        had = {counted.id: Fraction(value_before, 1_000_000 if counted.counts == "amount" else 1)}
        spent = {
            rule.id: self.had(self.key(f"{rule.id}.limit", rule.limit.over, rule.limit.shared))
            for rule in self.catalogue.discounts
            if rule.limit is not None and rule.limit.over != "call"
        }
        value, given = rules.run(value, had, spent)
        for rule in self.catalogue.discounts:
            if rule.id in given and rule.limit is not None:
                self.answer.accrue(self.key(f"{rule.id}.limit", rule.limit.over, rule.limit.shared), given[rule.id])
        return value

    def capped(self, value: Fraction, cap: Cap | None, name: str) -> Fraction:
        if cap is None:
            return value
        if cap.over == "call":
            return min(value, yuan(cap.amount))
        key = self.key(cap.accumulator or name, cap.over, cap.shared)
        value = min(value, max(Fraction(0), yuan(cap.amount) - self.had(key)))
        self.answer.accrue(key, rounded(value, self.tariff.rounding or self.catalogue.rounding or Rounding()))
        return value


def rounded(value: Fraction, rounding: Rounding) -> int:
    """Round by looking at the two neighbours."""
    step = Fraction(10) ** (6 - rounding.places)
    low = (value / step).__floor__()
    rest = value / step - low
    if rest == 0:
        return int(low * step)
    half = Fraction(1, 2)
    up = {
        "up": True,
        "down": False,
        "half_up": rest >= half,
        "half_down": rest > half,
        "half_even": rest > half or (rest == half and low % 2 == 1),
    }[rounding.mode]
    return int((low + up) * step)
