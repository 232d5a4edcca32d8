"""What another tariff would have earned: the same rating on a draft, nothing posted, added up by whom it is for.

It is held against what stands: what an earlier job restated counts with the uses of its cycle, item and member, by what
each of them would cost, since a restatement says no more than their sum.
"""

from collections.abc import Mapping, Sequence
from html import escape

from msgspec import Struct

from charging.base.localtime import month_at
from charging.bills.spreading import split
from charging.rating.restating import PlanOf, RatedAnew
from mediation.rerating.job import Studied

BY = ("offering", "region", "subscriber")
NONE = "nothing subscribed"
_BAR, _ROW, _LEFT, _WIDTH = 14, 34, 210, 760


class WhatIfSum(Struct):
    """What one offering, region or subscriber paid, and would have paid."""

    name: str
    before: int = 0
    after: int = 0
    """Micro-units."""
    uses: int = 0
    unpriced: int = 0
    """Uses that the draft does not price: they count as they were charged."""

    @property
    def difference(self) -> int:
        """More than before; below zero, less."""
        return self.after - self.before


class WhatIfSums(Struct, frozen=True):
    """The sums of some accounts, by each of `BY`, and of all of them."""

    by: dict[str, tuple[WhatIfSum, ...]]
    total: WhatIfSum


class WhatIf:
    """Sums of a study, by each of `BY`."""

    def __init__(self) -> None:
        self._sums: dict[str, dict[str, WhatIfSum]] = {name: {} for name in BY}
        self.total = WhatIfSum("all")

    def add(self, region: str, studied: Studied, plan_of: PlanOf) -> None:
        """Count an account of a region."""
        account = studied.frozen.account.account_id
        standing = _standing(studied)
        for rated, before in zip(studied.result.uses, standing, strict=True):
            usage = rated.use.usage
            if usage is None:
                continue
            contract = studied.frozen.contracts.get(usage.identity)
            held = plan_of(usage.start_ms).valid_subscriptions(contract, usage.start_ms) if contract else []
            offering = held[0].offering if held else NONE
            for by, name in (("offering", offering), ("region", region), ("subscriber", account)):
                _count(self._sums[by].setdefault(name, WhatIfSum(name)), before, _after(rated, before), rated.fault)
            _count(self.total, before, _after(rated, before), rated.fault)

    def told(self) -> WhatIfSums:
        """Give all sums, to be added to others."""
        return WhatIfSums({by: tuple(sums.values()) for by, sums in self._sums.items()}, self.total)

    def join(self, other: WhatIfSums) -> None:
        """Add the sums of other accounts."""
        for by, sums in other.by.items():
            for each in sums:
                _join(self._sums[by].setdefault(each.name, WhatIfSum(each.name)), each)
        _join(self.total, other.total)

    def sums(self, by: str) -> list[WhatIfSum]:
        """Give the sums of one kind: who would pay most more first."""
        return sorted(self._sums[by].values(), key=lambda each: (-each.difference, each.name))

    def payers(self) -> Mapping[str, int]:
        """Say how many subscribers would pay more, less and the same."""
        found = {"more": 0, "less": 0, "the same": 0}
        for each in self._sums["subscriber"].values():
            found["more" if each.difference > 0 else "less" if each.difference < 0 else "the same"] += 1
        return found


def _after(rated: RatedAnew, before: int) -> int:
    """Give what a use would cost; one that the draft does not price stays at what stands."""
    return before if rated.fault else rated.amount


def _standing(studied: Studied) -> list[int]:
    """Give what stands of each use: its charge, and its share of what was restated."""
    uses, terms = studied.result.uses, studied.frozen.account.terms
    found = [rated.use.amount for rated in uses]

    def cycle(time_ms: int) -> int:
        return month_at(terms.zone, terms.cycle_day, time_ms)

    places: dict[tuple[int, str, str], list[int]] = {}
    of_cycle: dict[tuple[int, str], list[int]] = {}
    for place, rated in enumerate(uses):
        if rated.use.usage is not None:
            month, member = cycle(rated.use.start_ms), rated.use.usage.identity
            places.setdefault((month, rated.use.item or rated.use.usage.service, member), []).append(place)
            of_cycle.setdefault((month, member), []).append(place)
    for each in studied.restated:
        month = cycle(each.start_ms)
        mine = places.get((month, each.item, each.member)) or of_cycle.get((month, each.member)) or range(len(uses))
        weights = [max(0, uses[place].amount) for place in mine]
        if weights and not any(weights):
            weights = [1] * len(weights)
        for place, share in zip(mine, split(each.amount, weights) if weights else (), strict=True):
            found[place] += share
    return found


def _count(into: WhatIfSum, before: int, after: int, fault: str) -> None:
    into.before += before
    into.after += after
    into.uses += 1
    into.unpriced += bool(fault)


def _join(into: WhatIfSum, other: WhatIfSum) -> None:
    into.before += other.before
    into.after += other.after
    into.uses += other.uses
    into.unpriced += other.unpriced


def chart(title: str, sums: Sequence[WhatIfSum]) -> str:
    """Draw two bars a row, before and after, as an SVG."""
    most = max([1, *(max(each.before, each.after) for each in sums)])
    height = 60 + _ROW * len(sums)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH}" height="{height}" font-family="sans-serif"'
        f' font-size="12"><text x="8" y="22" font-size="16">{escape(title)}</text>'
    ]
    for place, each in enumerate(sums):
        top = 44 + _ROW * place
        parts.append(f'<text x="8" y="{top + 14}">{escape(each.name[:32])}</text>')
        parts += [
            f'<rect x="{_LEFT}" y="{top + row * _BAR}" width="{max(1, (_WIDTH - 160) * amount // most)}"'
            f' height="{_BAR - 2}" fill="{colour}"/>'
            f'<text x="{_LEFT + (_WIDTH - 160) * amount // most + 6}" y="{top + row * _BAR + 10}">'
            f"{amount / 1_000_000:,.2f}</text>"
            for row, amount, colour in ((0, each.before, "#9aa5b1"), (1, each.after, "#2f6f9f"))
        ]
    return "\n".join((*parts, "</svg>\n"))
