"""Conditions of the catalogue as functions, made once: `When` for usages, `DiscountWhen` for discounts."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from charging.base.account import Account
from charging.base.bounds import OPEN_END
from charging.base.contract import Contract
from charging.base.localtime import LocalTime, day_of
from charging.base.money import micro, quantity
from charging.base.usage import Usage
from charging.catalogue.merge import Merged
from charging.catalogue.offers import DiscountWhen
from charging.catalogue.words import Destination, When
from charging.errors import Invalid
from charging.plans.bands import BandTable
from charging.plans.compiled import Counter, DiscountFacts, Test
from charging.plans.prefixes import PrefixTable, digits_of

OWN_ACCOUNT = "account"
TABLES_KEPT_MAX = 32
"""Tables of destinations kept to be shared: a nation's tariffs have a few, of many thousand prefixes perhaps."""
HOME, AWAY = "home", "away"


def usage_tests(when: When, merged: Merged, local: LocalTime, *, destinations: bool, bands: bool) -> tuple[Test, ...]:
    """Compile the conditions; destinations and bands only where the caller does not treat them by itself.

    All must hold; without conditions there is no test. Raises `Invalid` CATALOGUE_FAULTY for a name that is not there.
    """
    tests: list[Test] = []
    if when.services:
        tests.append(_service_test(frozenset(when.services)))
    if destinations and when.destinations:
        tests.append(_destination_test(prefix_table(merged, when.destinations)))
    if when.parties:
        tests.append(_party_test(when.parties, merged))
    if when.home:
        tests.append(_home_test(places(merged, when.home)))
    if when.visited:
        tests.append(_visited_test(frozenset(when.visited), places(merged, when.visited)))
    if bands and when.bands:
        tests.append(_band_test(band_table([when.bands], merged, local)))
    tests.extend(_attribute_test(name, frozenset(values)) for name, values in when.attributes.items())
    return tuple(tests)


def discount_tests(
    when: DiscountWhen, merged: Merged, local: LocalTime, counters: Mapping[str, Counter]
) -> tuple[Callable[[DiscountFacts], bool], ...]:
    """Compile the conditions of a discount; all must hold.

    Raises `Invalid` CATALOGUE_FAULTY for a name that is not there.
    """
    tests: list[Callable[[DiscountFacts], bool]] = []
    for test in usage_tests(when.usage, merged, local, destinations=True, bands=True):
        tests.append(_on_usage(test))
    if when.items:
        tests.append(_item_test("item", frozenset(when.items)))
    if when.tariffs:
        tests.append(_item_test("tariff", frozenset(when.tariffs)))
    if when.offerings:
        wanted = frozenset(when.offerings)
        tests.append(lambda facts: not wanted.isdisjoint(facts.held))
    tests.extend(_subscriber_test(name, frozenset(values)) for name, values in when.subscriber.items())
    tests.extend(_item_test(name, frozenset(values)) for name, values in when.item.items())
    tests.extend(_account_test(name, frozenset(values)) for name, values in when.account.items())
    tests.extend(_customer_test(name, frozenset(values)) for name, values in when.customer.items())
    least = quantity(when.quantity_min)
    if least:
        tests.append(lambda facts: facts.quantity >= least)
    amount = micro(when.amount_min)
    if amount:
        top, bottom = amount.numerator, amount.denominator
        tests.append(lambda facts: facts.numerator * bottom >= top * facts.denominator)
    for asked in when.accumulators:
        counter = counters.get(asked.accumulator)
        if counter is None:
            raise Invalid("CATALOGUE_FAULTY", f"there is no accumulator {asked.accumulator!r}")
        low, high = asked.at_least, asked.below
        most = reached(high, asked.accumulator, merged) if high else OPEN_END
        tests.append(_range_test(counter, reached(low, asked.accumulator, merged), most))
    return tuple(tests)


def reached(text: str, accumulator: str, merged: Merged) -> int:
    """Read what an accumulator is asked to have reached: money of one that counts amounts, units of any other."""
    counting = merged.accumulators.get(accumulator)
    if counting is not None and counting.value.counts == "amount":
        return int(micro(text))
    return quantity(text)


def prefix_table(merged: Merged, names: Iterable[str]) -> PrefixTable[str]:
    """Make the table of some destinations. Raises `Invalid` CATALOGUE_FAULTY for one that is not there."""
    found = []
    for name in names:
        if name not in merged.destinations:
            raise Invalid("CATALOGUE_FAULTY", f"there is no destination {name!r}")
        found.append(merged.destinations[name].value)
    return _table_of(tuple(found))


@lru_cache(maxsize=TABLES_KEPT_MAX)
def _table_of(destinations: tuple[Destination, ...]) -> PrefixTable[str]:
    """Make a table once for all regions and stretches of time in which the destinations are the same."""
    return PrefixTable([(pattern, destination.id) for destination in destinations for pattern in destination.prefixes])


def band_table(groups: Iterable[Iterable[str]], merged: Merged, local: LocalTime) -> BandTable:
    """Make the table of some groups of bands: its index is the place of the first group that has the second.

    Raises `Invalid` CATALOGUE_FAULTY for a band that is not there.
    """
    bands = []
    for group in groups:
        missing = [name for name in group if name not in merged.bands]
        if missing:
            raise Invalid("CATALOGUE_FAULTY", f"there is no band {missing[0]!r}")
        bands.append([merged.bands[name].value for name in group])
    calendars = {name: frozenset(day_of(day) for day in entry.value.days) for name, entry in merged.calendars.items()}
    return BandTable(bands, calendars, local)


def places(merged: Merged, zones: Iterable[str]) -> Callable[[str], bool]:
    """Make a test of a place: does it lie in one of the zones? A pattern may end in "*", any continuation.

    Raises `Invalid` CATALOGUE_FAULTY for a zone that is not there. The words for home and away are passed over.
    """
    exact: set[str] = set()
    begins: list[str] = []
    for zone in zones:
        if zone in (HOME, AWAY):
            continue
        if zone not in merged.zones:
            raise Invalid("CATALOGUE_FAULTY", f"there is no zone {zone!r}")
        for place in merged.zones[zone].value.places:
            if place.endswith("*"):
                begins.append(place[:-1])
            else:
                exact.add(place)
    heads = tuple(begins)
    return lambda place: place in exact or (bool(heads) and place.startswith(heads))


def _service_test(wanted: frozenset[str]) -> Test:
    return lambda usage, contract, account: usage.service in wanted


def _destination_test(table: PrefixTable[str]) -> Test:
    return lambda usage, contract, account: bool(table.find(digits_of(usage.other_party)))


def _party_test(names: tuple[str, ...], merged: Merged) -> Test:
    patterns = [(p, name) for name in names if name in merged.parties for p in merged.parties[name].value.prefixes]
    table = PrefixTable(patterns) if patterns else None
    own = OWN_ACCOUNT in names

    def test(usage: Usage, contract: Contract, account: Account) -> bool:
        party = usage.other_party
        if not party:
            return False
        if own and party in account.members:
            return True
        for name in names:
            if party in contract.groups.get(name, ()):
                return True
        return table is not None and bool(table.find(digits_of(party)))

    return test


def _home_test(inside: Callable[[str], bool]) -> Test:
    return lambda usage, contract, account: inside(contract.domain)


def _visited_test(names: frozenset[str], inside: Callable[[str], bool]) -> Test:
    home, away = HOME in names, AWAY in names

    def test(usage: Usage, contract: Contract, account: Account) -> bool:
        place = usage.visited or contract.domain
        if home and place == contract.domain:
            return True
        return (away and place != contract.domain) or inside(place)

    return test


def _band_test(table: BandTable) -> Test:
    return lambda usage, contract, account: table.at(usage.start_ms // 1000)[0] == 0


def _attribute_test(name: str, values: frozenset[str]) -> Test:
    return lambda usage, contract, account: usage.attributes.get(name, "") in values


def _on_usage(test: Test) -> Callable[[DiscountFacts], bool]:
    return lambda facts: test(facts.usage, facts.contract, facts.account)


def _item_test(name: str, values: frozenset[str]) -> Callable[[DiscountFacts], bool]:
    return lambda facts: facts.item.get(name, "") in values


def _subscriber_test(name: str, values: frozenset[str]) -> Callable[[DiscountFacts], bool]:
    return lambda facts: facts.contract.attributes.get(name, "") in values


def _account_test(name: str, values: frozenset[str]) -> Callable[[DiscountFacts], bool]:
    if name in ("payment_mode", "status", "domain", "currency"):
        return lambda facts: str(getattr(facts.account.terms, name)) in values
    return lambda facts: facts.account.terms.attributes.get(name, "") in values


def _customer_test(name: str, values: frozenset[str]) -> Callable[[DiscountFacts], bool]:
    if name == "customer_id":
        return lambda facts: facts.account.customer_id in values
    return lambda facts: facts.account.terms.customer_attributes.get(name, "") in values


def _range_test(counter: Counter, low: int, high: int) -> Callable[[DiscountFacts], bool]:
    def test(facts: DiscountFacts) -> bool:
        return low <= counter.value(facts.account, facts.contract.identity, facts.day) < high

    return test
