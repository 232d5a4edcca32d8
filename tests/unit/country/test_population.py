"""The sample population: all domains by weight, every kind of access, numbers that the plan routes home."""

from collections import Counter

import pytest

from charging.base.identity import normalise
from country import offers, population
from country.domains import REGIONS
from country.number_plan import NationalPlan, read
from country.population import Population

DAY_MS = 1_760_000_000_000


@pytest.fixture(scope="module")
def plan() -> NationalPlan:
    return read()


@pytest.fixture(scope="module")
def people(plan: NationalPlan) -> Population:
    return population.populate(plan, 20_000, seed=1, day_ms=DAY_MS)


def test_twenty_thousand_over_all_domains_by_weight(people: Population) -> None:
    counts = Counter(member.domain for member in people.subscribers())
    assert counts.total() == 20_000
    assert set(counts) == {region.code for region in REGIONS}
    total = sum(region.population for region in REGIONS)
    for region in REGIONS:
        assert abs(counts[region.code] - 20_000 * region.population / total) < 8


def test_every_domain_has_every_kind(people: Population) -> None:
    kinds = {(member.domain, member.kind) for member in people.subscribers()}
    assert kinds == {(region.code, kind) for region in REGIONS for kind in population.KINDS}


def test_identities_are_unique_normal_and_at_home(people: Population, plan: NationalPlan) -> None:
    resolver = plan.resolver()
    identities = [member.identity for member in people.subscribers()]
    assert len(set(identities)) == len(identities)
    for member in people.subscribers():
        assert normalise(member.identity) == member.identity
        if member.kind != population.BROADBAND:
            assert resolver.domain_of(member.identity.partition(":")[2]) == member.domain


def test_accounts_of_all_sorts(people: Population) -> None:
    accounts = people.accounts
    assert {account.payment_mode for account in accounts} == {"prepaid", "postpaid"}
    assert max(len(account.members) for account in accounts) == 4
    assert any(account.suspended for account in accounts)
    assert any(account.agreements for account in accounts)
    assert all(account.account_id == account.members[0].identity for account in accounts)
    assert all(
        (account.opening == 0) == (account.payment_mode == "postpaid") for account in accounts if account.opening
    )
    assert any(member.away not in ("", member.domain) for member in people.subscribers())
    held = {offering for member in people.subscribers() for offering in member.offerings}
    assert held == set(offers.ALL_OFFERINGS)


def test_same_seed_same_people(plan: NationalPlan) -> None:
    first, again, other = (population.populate(plan, 500, seed, DAY_MS) for seed in (7, 7, 8))
    assert first == again
    assert first != other


@pytest.mark.parametrize("total", [0, 1, 31, 500, 20_000])
def test_shares_add_up(total: int) -> None:
    shares = population.share_out(total)
    assert sum(shares.values()) == total
    assert min(shares.values()) >= 0
