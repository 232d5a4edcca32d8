"""Reach: prices and tariffs that no usage meets, because what stands before them holds whenever they would.

Several earlier prices may do that together: one at home and one away, one until July and one from then on. A price's
usages are cut into the cases that its own conditions name, and its time into stretches; it is out of reach when each
case is taken in each stretch. What that leaves open (a zone inside another) is not called a fault.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import prod

from msgspec import Struct

from charging.catalogue.document import Catalogue
from charging.catalogue.tariffs import Price, Tariff
from charging.catalogue.words import When
from charging.checks.values import FIRST_DAY, LAST_DAY, moment_ms
from charging.checks.walk import Finding, Path, structs

CASES_MAX = 4096
CONDITIONS = ("services", "destinations", "parties", "home", "visited", "bands")
NOTHING: frozenset[str] = frozenset()
SIDES = ("home", "away")
"""Everybody is one or the other, whatever zone that is in."""

Wants = tuple[tuple[str, frozenset[str]], ...]
"""The conditions that a rule has, each with the values of which one must be met."""
Case = Mapping[str, frozenset[str]]


class Rule(Struct, frozen=True):
    """Something that takes usages for a time."""

    name: str
    wants: Wants
    from_ms: int
    to_ms: int


def check_reach(catalogue: Catalogue, national: Catalogue | None) -> Iterator[Finding]:
    """Find prices behind others of their tariff, and tariffs behind one that prices all of the service."""
    for path, node in structs(catalogue):
        if isinstance(node, Tariff):
            yield from _prices(path, node)
    known = {tariff.id: tariff for tariff in (*(national.tariffs if national else ()), *catalogue.tariffs)}
    standard = [(("tariffs", index), tariff) for index, tariff in enumerate(catalogue.tariffs) if tariff.standard]
    yield from _tariffs(standard)
    for at, offering in enumerate(catalogue.offerings):
        named = [
            (("offerings", at, "tariffs", index), known[name])
            for index, name in enumerate(offering.tariffs)
            if name in known
        ]
        yield from _tariffs(named)


def _prices(path: Path, tariff: Tariff) -> Iterator[Finding]:
    rules = [_rule(price, _wants(price.when), repr(price.id)) for price in tariff.prices]
    for index, rule in enumerate(rules):
        before = _hiding(rule, tariff.prices[index].when, rules[:index])
        if before:
            holds = "holds" if len(before) == 1 else "together hold"
            names = ", ".join(before)
            yield Finding(
                (*path, "prices", index),
                f"price {rule.name} is never reached: {names} before it {holds} whenever this one does",
            )


def _tariffs(tariffs: Sequence[tuple[Path, Tariff]]) -> Iterator[Finding]:
    for index, (path, tariff) in enumerate(tariffs):
        earlier = [
            _within(price, one) for _, one in tariffs[:index] if one.service == tariff.service for price in one.prices
        ]
        before = _hiding(_rule(tariff, (), tariff.id), When(), earlier)
        if before:
            holds = "holds" if len(before) == 1 else "together hold"
            yield Finding(
                path,
                f"no price of tariff {tariff.id!r} is ever reached: {', '.join(before)} before it {holds} "
                f"for every usage of {tariff.service}",
            )


def _rule(entry: Price | Tariff, wants: Wants, name: str) -> Rule:
    """Take the time of an entry; one whose dates don't exist has none, and hides nothing."""
    start, end = moment_ms(entry.effective_from or FIRST_DAY), moment_ms(entry.effective_to or LAST_DAY)
    return Rule(name, wants, start or 0, end if start is not None and end is not None else start or 0)


def _within(price: Price, tariff: Tariff) -> Rule:
    own = _rule(price, _wants(price.when), f"price {price.id!r} of tariff {tariff.id!r}")
    around = _rule(tariff, (), "")
    return Rule(own.name, own.wants, max(own.from_ms, around.from_ms), min(own.to_ms, around.to_ms))


def _hiding(rule: Rule, when: When, earlier: Sequence[Rule]) -> list[str]:
    """Name the earlier rules that take all that a rule would; empty when something is left for it."""
    wanted = _conditions(when)
    if rule.from_ms >= rule.to_ms or prod(len(found) for found in wanted.values()) > CASES_MAX:
        return []
    edges = {edge for other in earlier for edge in (other.from_ms, other.to_ms)}
    starts = sorted({rule.from_ms, *(edge for edge in edges if rule.from_ms < edge < rule.to_ms)})
    taking: dict[str, None] = {}
    for start in starts:
        live = [other for other in earlier if other.from_ms <= start < other.to_ms]
        for chosen in product(*wanted.values()):
            case = dict(zip(wanted, chosen, strict=True))
            taker = next((other.name for other in live if _takes(other.wants, case)), None)
            if taker is None:
                return []
            taking[taker] = None
    return list(taking)


def _conditions(when: When) -> dict[str, list[frozenset[str]]]:
    """Give, for each condition, the cases a usage that meets it can be in: what is true of it there, at the least."""
    found = {name: [frozenset((value,)) for value in values] for name, values in _named(when)}
    places = when.visited or ("",)
    found["visited"] = [
        frozenset({place, side} - {""}) for place in places for side in SIDES if place not in SIDES or place == side
    ]
    return found


def _wants(when: When) -> Wants:
    return tuple((name, frozenset(values)) for name, values in _named(when))


def _takes(wants: Wants, case: Case) -> bool:
    for name, values in wants:  # noqa: SIM110 - asked for every two prices of a tariff: a generator costs more
        if case.get(name, NOTHING).isdisjoint(values):
            return False
    return True


def _named(when: When) -> list[tuple[str, tuple[str, ...]]]:
    plain = [(name, getattr(when, name)) for name in CONDITIONS]
    plain += [(f"attribute {name}", values) for name, values in when.attributes.items()]
    return [(name, values) for name, values in plain if values]
