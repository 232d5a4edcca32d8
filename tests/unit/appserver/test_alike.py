"""Posted uses are rated by what equal uses came to before, and cost what the row engine says, one after the other."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from appserver.work.bulk import rated_uses
from charging.base.account import MAIN_BOOK, MONEY, Account, Book, Hold, Session
from charging.base.contract import Contract
from charging.base.localtime import LocalTime
from charging.base.usage import Charge, Usage
from charging.catalogue.document import Catalogue
from charging.catalogue.merge import merge
from charging.catalogue.words import Destination
from charging.errors import Invalid, Refused
from charging.ledger.commands.post_usage import PostUsage, RatedUse
from charging.ledger.ledger import available_view, seal
from charging.ledger.running import ChargeRun
from charging.plans.compile import compile_plan
from charging.plans.conditions import prefix_table
from charging.plans.plan import Plan
from charging.plans.prefixes import digits_of
from charging.rating.alike import AlikeUses
from charging.rating.rating import rate
from charging.rating.restating import PlanOf
from charging.rating.usetimes import head_of
from tests.golden.test_golden import ME, account_of, cases, contract_of, timeline, usage_of
from tests.unit.charging.rating_worlds import World, worlds

SHE = "msisdn:8613012345679"
HOUR_MS = 3_600_000
CASES = [param for param in cases() if "use" in param.values[1]]
MONEY_BOOK = Book(MAIN_BOOK, MONEY, 10**12)


class Desk:
    """Rates the uses of one subscriber in both ways."""

    def __init__(self, plan_of: PlanOf, account: Account, contract: Contract, now_ms: int) -> None:
        self.plan_of = plan_of
        self.account = account
        self.contract = contract
        self.now_ms = now_ms
        self.asked = 0

    def rate(self, usage: Usage, state: Account) -> Charge:
        self.asked += 1
        return rate(self.plan_of(usage.start_ms), usage, self.contract, available_view(state))

    def alike(self, state: Account) -> AlikeUses:
        return AlikeUses(self.plan_of, lambda place: None, self.contract, state)

    def by_kinds(self, usages: Sequence[Usage]) -> tuple[RatedUse, ...]:
        order = PostUsage("plant", 1, tuple(usages))
        made = rated_uses(order, self.account, self.now_ms, self.rate, self.alike)
        if made.charged is None:
            return made.rated
        assert [usage for usage, _ in made.charged.charges()] == list(usages)
        return tuple(RatedUse(charge) for _, charge in made.charged.charges())

    def one_by_one(self, usages: Sequence[Usage]) -> tuple[RatedUse, ...]:
        run, found = ChargeRun(self.account, self.now_ms), []
        for usage in usages:
            try:
                charge = seal(self.rate(usage, run.state()))
                run.take(usage, charge)
                found.append(RatedUse(charge))
            except (Refused, Invalid) as fault:
                found.append(RatedUse(None, fault.reason, fault.message))
        return tuple(found)

    def agree(self, usages: Sequence[Usage]) -> None:
        assert self.by_kinds(usages) == self.one_by_one(usages)


def always(plan: Plan) -> PlanOf:
    return lambda time_ms: plan


def desks_of(world: World, *, books: bool, session: bool) -> list[Desk]:
    """Let two subscribers of unlike pasts follow each other on what one plan remembers."""
    plan = world.plan()
    own = tuple(book for book in world.account.books if book.unit != MONEY) if books else ()
    account = replace(world.account, books=(MONEY_BOOK, *own), members=(ME, SHE)).with_terms(
        zone=world.zone, currency=plan.currency
    )
    fresh = replace(account, accumulators={}, books=(MONEY_BOOK,))
    if session and account.accumulators:
        hold = Hold("s", "", "", world.usage.start_ms, 0, 0, (), (), 10, (), ((min(account.accumulators), 7),))
        account = account.with_open(sessions=(Session("s-1", ME, 1, 1 << 50, (hold,)),))
    now_ms = world.usage.start_ms + 60 * HOUR_MS
    hers = replace(world.contract, identity=SHE, attributes={"grade": "gold"})
    return [
        Desk(always(plan), account, world.contract, now_ms),
        Desk(always(plan), fresh, world.contract, now_ms),
        Desk(always(plan), account, hers, now_ms),
    ]


USES = st.lists(
    st.tuples(
        st.integers(0, 50 * HOUR_MS),
        st.one_of(st.sampled_from([0, 1, 5, 29, 30, 60, 61, 400, 2900]), st.integers(0, 100)),
        st.sampled_from(["", "", "", SHE, "msisdn:8613912345678"]),
    ),
    min_size=1,
    max_size=16,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(worlds(regional=True), USES, st.booleans(), st.booleans())
def test_uses_cost_what_the_row_engine_says_and_are_explained_so(
    world: World, uses: list[tuple[int, int, str]], books: bool, session: bool
) -> None:
    usages = [
        replace(world.usage, start_ms=world.usage.start_ms + after_ms, quantity=quantity, other_party=other)
        for after_ms, quantity, other in sorted(uses)
    ]
    for desk in desks_of(world, books=books, session=session):
        mine = [replace(usage, identity=desk.contract.identity) for usage in usages]
        desk.agree(mine)
        desk.agree(mine[::-1])


@pytest.mark.parametrize(("document", "case"), CASES)
def test_a_golden_case_costs_the_same_before_and_after_it_is_known(document: dict, case: dict) -> None:
    line, local = timeline(document, case)
    contract, account = contract_of(case, local), account_of(case, local)
    usage = usage_of(case["use"], local)
    at = usage.start_ms
    account = account.with_terms(zone=local.zone)
    others = [replace(usage, start_ms=at + minute * 60_000, quantity=usage.quantity + minute) for minute in range(3)]
    for usages in ([usage] * 3, [usage, *others, usage]):
        Desk(line.plan_at, account, contract, at + HOUR_MS).agree(usages)


NUMBERS = st.text("0135", max_size=7)
PATTERNS = st.text("0135?", max_size=5).flatmap(lambda body: st.sampled_from(["*", body, f"{body}*", f"{body}$"]))


@settings(max_examples=300, deadline=None)
@given(st.lists(PATTERNS, min_size=1, max_size=5), NUMBERS, NUMBERS, st.sampled_from(["", "msisdn:", "sip:x", "+"]))
def test_numbers_with_one_head_are_alike_for_every_table(patterns: list[str], one: str, other: str, kind: str) -> None:
    destinations = tuple(Destination(f"d{place}", (pattern,)) for place, pattern in enumerate(patterns) if pattern)
    plan = compile_plan(merge(Catalogue("numbers", 1, destinations=destinations)), LocalTime("Asia/Shanghai"))
    if head_of(plan, kind + one) == head_of(plan, kind + other):
        for destination in destinations:
            table = prefix_table(plan.merged, (destination.id,))
            assert table.find(digits_of(kind + one)) == table.find(digits_of(kind + other))
