"""Which price is chosen, against an oracle: offerings by priority, tariffs in order, the first price that holds."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from charging.base.account import Account
from charging.base.contract import Contract, Subscription
from charging.base.localtime import LocalTime
from charging.base.usage import Usage
from charging.catalogue.document import Catalogue
from charging.catalogue.merge import merge
from charging.catalogue.offers import Offering
from charging.catalogue.tariffs import Price, Rate, Tariff
from charging.catalogue.words import Destination, PartyGroup, Service, When, Zone
from charging.plans.compile import compile_plan
from charging.plans.prefixes import PrefixTable
from charging.rating.rating import Unrated, rate
from testkit.ledger import an_account

ME = "msisdn:8613012345678"
NOW_MS = 1_772_000_000_000
LOCAL = LocalTime("Asia/Shanghai")

number = st.text("123", max_size=5)
pattern = st.one_of(
    st.just("*"),
    st.builds(
        lambda body, end: body + end, st.text("12?", min_size=1, max_size=4), st.sampled_from(["", "", "$", "*"])
    ),
)
some = st.lists(st.integers(0, 3), max_size=2, unique=True)


def names(kind: str, numbers: Sequence[int]) -> tuple[str, ...]:
    return tuple(f"{kind}{each}" for each in numbers)


@st.composite
def whens(draw: st.DrawFn) -> When:
    return When(
        destinations=names("d", draw(some)),
        parties=draw(st.sampled_from([(), (), ("g0",), ("account", "g1"), ("g0", "g1")])),
        home=draw(st.sampled_from([(), (), (), ("z0",), ("z1", "z2")])),
        visited=draw(st.sampled_from([(), (), (), ("home",), ("away",), ("z0", "home"), ("z1",)])),
        attributes=draw(st.sampled_from([{}, {}, {}, {"kind": ("a", "b")}])),
    )


@st.composite
def catalogues(draw: st.DrawFn) -> Catalogue:
    tariffs = tuple(
        Tariff(
            f"t{index}",
            draw(st.sampled_from(["s", "s", "s", "other"])),
            tuple(Price(f"p{at}", when=draw(whens()), rates=(Rate("1"),)) for at in range(draw(st.integers(0, 4)))),
            standard=draw(st.booleans()),
        )
        for index in range(4)
    )
    offerings = tuple(
        Offering(
            f"o{index}",
            priority=draw(st.sampled_from([1, 100, 100])),
            includes=names("o", [each for each in draw(some) if each > index]),
            services=draw(st.sampled_from([(), ("s",), ("other",)])),
            tariffs=names("t", draw(some)),
        )
        for index in range(4)
    )
    return Catalogue(
        "choice",
        1,
        services=(Service("s", "event"), Service("other", "event")),
        destinations=tuple(
            Destination(f"d{index}", tuple(draw(st.lists(pattern, min_size=1, max_size=3)))) for index in range(4)
        ),
        zones=(Zone("z0", ("GD", "HK*")), Zone("z1", ("BJ", "US-1")), Zone("z2", ("G*",))),
        parties=(PartyGroup("g0", tuple(draw(st.lists(pattern, max_size=2)))), PartyGroup("g1")),
        tariffs=tariffs,
        offerings=offerings,
    )


def matches(text: str, digits: str) -> bool:
    body = text.rstrip("*").rstrip("$")
    if len(digits) < len(body) or (text.endswith("$") and len(digits) != len(body)):
        return False
    return all(wanted in ("?", digit) for wanted, digit in zip(body, digits, strict=False))


def destinations_of(catalogue: Catalogue, named: Sequence[str], digits: str) -> set[str]:
    """Try every pattern of the named destinations; keep those of the best one."""
    best, found = (-1, -1, ""), set()
    for name in named:
        for prefix in next(each.prefixes for each in catalogue.destinations if each.id == name):
            text = prefix.rstrip("*")
            weight = (sum(c.isdigit() for c in text), len(text), text)
            if matches(prefix, digits):
                if weight[:2] > best[:2]:
                    best, found = weight, {name}
                elif weight == best:
                    found.add(name)
    return found


def holds(catalogue: Catalogue, tariff: Tariff, when: When, usage: Usage, contract: Contract, account: Account) -> bool:
    party = usage.other_party
    named = list(dict.fromkeys(name for price in tariff.prices for name in price.when.destinations))
    if when.destinations and not destinations_of(catalogue, named, party) & set(when.destinations):
        return False
    if when.parties:
        groups = [group for group in catalogue.parties if group.id in when.parties]
        known = any(matches(text, party) for group in groups for text in group.prefixes)
        mine = any(party in contract.groups.get(name, ()) for name in when.parties)
        if not party or not (known or mine or ("account" in when.parties and party in account.members)):
            return False
    place = usage.visited or contract.domain
    if when.home and not in_zones(catalogue, when.home, contract.domain):
        return False
    if when.visited:
        at_home = place == contract.domain
        if not (("away" if not at_home else "home") in when.visited or in_zones(catalogue, when.visited, place)):
            return False
    return all(usage.attributes.get(name) in values for name, values in when.attributes.items())


def in_zones(catalogue: Catalogue, zones: Sequence[str], place: str) -> bool:
    texts = [text for zone in catalogue.zones if zone.id in zones for text in zone.places]
    return any(place == text or (text.endswith("*") and place.startswith(text[:-1])) for text in texts)


def tariffs_of(catalogue: Catalogue, contract: Contract) -> Iterator[Tariff]:
    """Open the valid subscriptions and give their tariffs in the order in which they are asked."""
    offerings = {offering.id: offering for offering in catalogue.offerings}
    opened: list[Offering] = []
    for held in contract.subscriptions:
        mine: list[Offering] = []
        waiting = [held.offering] if held.valid_at(NOW_MS) else []
        while waiting:
            offering = offerings[waiting.pop(0)]
            if offering not in mine:
                mine.append(offering)
                waiting.extend(offering.includes)
        opened.extend(mine)
    own = [
        tariff
        for offering in sorted(opened, key=lambda each: each.priority)
        for name in offering.tariffs
        for tariff in catalogue.tariffs
        if tariff.id == name and tariff.service == "s"
    ]
    yield from own
    if own or any("s" in offering.services for offering in opened):
        yield from (tariff for tariff in catalogue.tariffs if tariff.standard and tariff.service == "s")


dense = st.builds(lambda body, end: body + end, st.text("12?", min_size=1, max_size=3), st.sampled_from(["", "$"]))


@settings(max_examples=500, deadline=None)
@given(st.lists(dense, min_size=1, max_size=5, unique=True), st.text("12", max_size=3))
def test_the_longest_prefix_is_found(patterns: list[str], digits: str) -> None:
    """Few digits and short patterns, so that many of them match one number."""
    catalogue = Catalogue("dense", 1, destinations=tuple(Destination(text, (text,)) for text in patterns))
    found = PrefixTable((text, text) for text in patterns).find(digits)
    assert set(found) == destinations_of(catalogue, patterns, digits)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    catalogues(),
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0, 0, 0, NOW_MS])), min_size=1, max_size=3),
    number,
    st.sampled_from(["", "", "GD", "BJ", "HK-CSL", "US-1"]),
    st.sampled_from(["", "a", "c"]),
    st.sampled_from(["GD", "BJ", "GX"]),
    st.lists(number.filter(bool), max_size=2),
    st.lists(number.filter(bool), max_size=2),
)
def test_the_price_is_the_first_that_holds(
    catalogue: Catalogue,
    held: list[tuple[int, int]],
    party: str,
    visited: str,
    kind: str,
    domain: str,
    friends: list[str],
    members: list[str],
) -> None:
    subscriptions = tuple(Subscription(f"o{index}", 0, until) for index, until in held)
    contract = Contract(ME, "acc", domain, subscriptions=subscriptions, groups={"g1": tuple(friends)})
    account = an_account("acc", 1, domain, members=(ME, *members))
    usage = Usage(ME, "s", NOW_MS, 1, party, visited, {"kind": kind} if kind else {})
    wanted = next(
        (
            f"{tariff.id}/{price.id}"
            for tariff in tariffs_of(catalogue, contract)
            for price in tariff.prices
            if holds(catalogue, tariff, price.when, usage, contract, account)
        ),
        None,
    )
    plan = compile_plan(merge(catalogue), LOCAL)
    if wanted is not None:
        assert rate(plan, usage, contract, account).steps[0].rule == wanted
        return
    with pytest.raises(Unrated) as refused:
        rate(plan, usage, contract, account)
    assert refused.value.facts["nearest"]
    assert refused.value.reason in ("SUBSCRIPTION_MISSING", "SERVICE_NOT_SUBSCRIBED", "USAGE_UNRATED")
