"""Books of money with a scope pay what is in it, in their turn; a budget that blocks pays alone."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, MONEY, Account, Book
from charging.base.contract import Contract, Subscription
from charging.base.localtime import LocalTime
from charging.base.usage import Charge, Usage
from charging.catalogue.document import Catalogue
from charging.catalogue.merge import merge
from charging.catalogue.offers import Allowance, Offering
from charging.catalogue.tariffs import Price, Rate, Tariff
from charging.catalogue.words import Band, PartyGroup, Service, When
from charging.checks.check import check
from charging.errors import Refused
from charging.ledger.commands.drop_book import DropBook
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.top_up import TopUp
from charging.ledger.effect import VersionMoved
from charging.ledger.funds import balance_view
from charging.ledger.ledger import available_view, seal
from charging.plans.compile import compile_plan
from charging.rating import rating
from charging.rating.explain import adds_up, sentence
from charging.rating.pieces import piece_end
from charging.rating.quotas import quota_terms
from charging.rating.session_asks import Pricing, SessionAsk, UnitAsk
from charging.rating.sessions import plan
from testkit.ledger import START_MS, Desk

ME = "msisdn:8613000000001"
LOCAL = LocalTime("Asia/Shanghai")
MB = 1_000_000
CATALOGUE = Catalogue(
    "scopes",
    1,
    currency="CNY",
    services=(Service("data", "byte"), Service("voice", "second"), Service("game", "event")),
    bands=(Band("weekend", weekdays=("sat", "sun")),),
    parties=(PartyGroup("studio", ("95",)),),
    tariffs=(
        Tariff("d", "data", (Price("p", rates=(Rate("1", "1000000 B"),)),)),
        Tariff("v", "voice", (Price("p", rates=(Rate("0.1", "60 s"),)),)),
        Tariff("g", "game", (Price("p", rates=(Rate("2"),)),)),
    ),
    allowances=(
        Allowance("data-only", MONEY, "0", when=When(services=("data",))),
        Allowance("weekends", MONEY, "0", when=When(bands=("weekend",))),
        Allowance("studios", MONEY, "0", when=When(parties=("studio",))),
        Allowance("nothing", MONEY, "0", when=When(services=("game",), bands=("weekend",), parties=("studio",))),
        Allowance("child-data", MONEY, "0", when=When(services=("data",)), blocks=True),
        Allowance("child-bytes", "byte", "0", when=When(services=("data",)), blocks=True),
    ),
    offerings=(Offering("plan", tariffs=("d", "v", "g")),),
)
PLAN = compile_plan(merge(CATALOGUE), LOCAL)
CONTRACT = Contract(ME, ME, "GD", subscriptions=(Subscription("plan"),))
SATURDAY, MONDAY = LOCAL.moment_ms("2027-01-16T12:00"), LOCAL.moment_ms("2027-01-18T12:00")
PRICING = Pricing(
    lambda _: PLAN, rating.rate_sum, rating.rate_quota, rating.quantity_max, rating.next_switch, piece_end, quota_terms
)


def holder(*books: Book, main: int = 100 * MB) -> tuple[Desk, Account]:
    desk = Desk()
    return desk, desk.open(ME, main, books=books)


def rated(account: Account, service: str, quantity: int, *, at_ms: int = MONDAY, party: str = "") -> Charge:
    usage = Usage(ME, service, at_ms, quantity, party)
    charge = rating.rate(PLAN, usage, CONTRACT, available_view(account))
    assert adds_up(charge)
    return charge


def charge(desk: Desk, service: str, quantity: int, *, at_ms: int = MONDAY, party: str = "") -> Charge:
    desk.now_ms = max(desk.now_ms, at_ms)
    account = desk.accounts[ME]
    found = rated(account, service, quantity, at_ms=at_ms, party=party)
    usage = Usage(ME, service, at_ms, quantity, party)
    desk.do(ME, PostCharge(usage, seal(found), account.version, account.mark))
    return found


def amounts(desk: Desk) -> dict[str, int]:
    return {book.book_id: book.amount for book in desk.accounts[ME].books}


def step(desk: Desk, operation: str, number: int, asks: Sequence[UnitAsk]) -> None:
    account = desk.accounts[ME]
    ask = SessionAsk("s", operation, number, ME, tuple(asks), desk.now_ms + 60_000, desk.now_ms)
    desk.do(ME, plan(PRICING, account, CONTRACT, ask))


def test_money_for_data_pays_for_data_and_for_nothing_else() -> None:
    desk, _ = holder(Book("bound", MONEY, 3 * MB, priority=10, allowance="data-only"))
    found = charge(desk, "data", 2 * MB)
    assert (found.takes, found.depends) == ((("bound", 2 * MB),), True)
    assert "pays 2 of it" in " ".join(sentence(each) for each in found.steps)
    assert charge(desk, "voice", 60).takes == ()
    assert amounts(desk) == {"bound": MB, "main": 100 * MB - 100_000}


def test_what_bound_money_lacks_the_next_books_pay() -> None:
    desk, _ = holder(Book("bound", MONEY, 3 * MB, priority=10, allowance="data-only"))
    charge(desk, "data", 5 * MB)
    assert amounts(desk) == {"bound": 0, "main": 98 * MB}


def test_money_for_all_that_goes_first_pays_first() -> None:
    desk, _ = holder(
        Book("first", MONEY, 1 * MB, priority=1),
        Book("bound", MONEY, 3 * MB, priority=10, allowance="data-only"),
    )
    charge(desk, "data", 3 * MB)
    assert amounts(desk) == {"first": 0, "bound": MB, "main": 100 * MB}


@pytest.mark.parametrize(
    ("scope", "at_ms", "party", "pays"),
    [
        ("weekends", SATURDAY, "", True),
        ("weekends", MONDAY, "", False),
        ("studios", MONDAY, "9512345", True),
        ("studios", MONDAY, "msisdn:8613012345678", False),
        ("nothing", SATURDAY, "9512345", False),
        ("taken-out-of-the-catalogue", SATURDAY, "9512345", False),
    ],
)
def test_bands_and_partners_are_scopes_too(scope: str, at_ms: int, party: str, pays: bool) -> None:
    desk, _ = holder(Book("bound", MONEY, 5 * MB, priority=10, allowance=scope))
    charge(desk, "voice", 60, at_ms=at_ms, party=party)
    assert (amounts(desk)["bound"] < 5 * MB) is pays


def test_a_session_keeps_and_takes_bound_money_first_and_never_for_another_service() -> None:
    desk, _ = holder(Book("bound", MONEY, 3 * MB, priority=10, allowance="data-only"), main=4 * MB)
    step(desk, "create", 0, [UnitAsk("data", 2 * MB, 0, START_MS), UnitAsk("voice", 60, 0, START_MS)])
    books = {book.book_id: book for book in desk.accounts[ME].books}
    assert (books["bound"].reserved, books["main"].reserved) == (2 * MB, 100_000)
    step(desk, "release", 1, [UnitAsk("data", 0, 2 * MB, 0), UnitAsk("voice", 0, 60, 0)])
    assert amounts(desk) == {"bound": MB, "main": 4 * MB - 100_000}
    assert all(book.reserved == 0 for book in desk.accounts[ME].books)


def test_an_empty_budget_refuses_what_it_is_for_although_there_is_other_money() -> None:
    desk, _ = holder(Book("child", MONEY, 3 * MB, priority=500, allowance="child-data"))
    charge(desk, "data", 2 * MB)
    with pytest.raises(Refused) as refused:
        charge(desk, "data", 2 * MB)
    assert refused.value.reason == "BUDGET_SPENT"
    assert refused.value.facts == {"book": "child", "left": str(MB), "asked": str(2 * MB)}
    charge(desk, "voice", 60)
    assert amounts(desk) == {"child": MB, "main": 100 * MB - 100_000}


def test_a_budget_of_bytes_refuses_what_it_does_not_cover() -> None:
    desk, _ = holder(Book("child", "byte", 3 * MB, allowance="child-bytes"))
    charge(desk, "data", 3 * MB)
    with pytest.raises(Refused, match="alone pays") as refused:
        charge(desk, "data", MB)
    assert refused.value.reason == "BUDGET_SPENT"
    charge(desk, "voice", 60)
    charge(desk, "game", 1)
    assert amounts(desk) == {"child": 0, "main": 98 * MB - 100_000}


def test_a_session_is_granted_what_the_budget_reaches_and_then_told_why_no_more() -> None:
    desk, _ = holder(Book("child", MONEY, 3 * MB, allowance="child-data"))
    step(desk, "create", 0, [UnitAsk("data", 10 * MB, 0, START_MS)])
    hold = desk.accounts[ME].open.sessions[0].holds[0]
    assert (hold.granted, hold.reserved) == (3 * MB, (("child", 3 * MB),))
    step(desk, "update", 1, [UnitAsk("data", MB, 3 * MB, 0)])
    assert desk.accounts[ME].open.sessions[0].holds[0].granted == 0
    step(desk, "release", 2, [])
    ask = SessionAsk("t", "create", 0, ME, (UnitAsk("data", MB, 0, START_MS),), desk.now_ms + 60_000, desk.now_ms)
    another = plan(PRICING, desk.accounts[ME], CONTRACT, ask)
    with pytest.raises(Refused) as refused:
        desk.do(ME, another)
    assert refused.value.reason == "BUDGET_SPENT"


def test_what_was_used_beyond_a_budget_is_paid_all_the_same() -> None:
    desk, _ = holder(Book("child", MONEY, 3 * MB, allowance="child-data"))
    step(desk, "create", 0, [UnitAsk("data", MB, 0, START_MS)])
    step(desk, "release", 1, [UnitAsk("data", 0, 5 * MB, 0)])
    assert amounts(desk) == {"child": 0, "main": 98 * MB}


def test_a_charge_that_was_rated_before_bound_money_came_is_stale() -> None:
    desk, account = holder()
    usage = Usage(ME, "data", MONDAY, MB)
    late = PostCharge(usage, seal(rated(account, "data", MB)), account.version, account.mark)
    desk.do(ME, TopUp("child", MONEY, MB, 0, 0, "child-data", "deposit"))
    with pytest.raises(VersionMoved):
        desk.do(ME, late)


def test_an_empty_budget_is_taken_away_and_its_scope_is_free_again() -> None:
    desk, _ = holder(Book("child", MONEY, MB, allowance="child-data"))
    with pytest.raises(Refused, match="holds something"):
        desk.do(ME, DropBook("child", "grown up"))
    charge(desk, "data", MB)
    desk.do(ME, DropBook("child", "grown up"))
    charge(desk, "data", MB)
    assert amounts(desk) == {"main": 99 * MB}
    with pytest.raises(Refused):
        desk.do(ME, DropBook(MAIN_BOOK, "no"))


def test_the_balance_tells_bound_money_apart() -> None:
    _, account = holder(Book("bound", MONEY, 3 * MB, reserved=0, allowance="data-only"), main=MB)
    view = balance_view(account, MONDAY)
    assert (view.real, view.available, view.bound) == (4 * MB, MB, 3 * MB)


@pytest.mark.parametrize(
    "faulty",
    [
        Allowance("x", MONEY, "5"),
        Allowance("x", MONEY, "0", shared=True),
        Allowance("x", MONEY, "0", member_cap="5"),
        Allowance("x", "byte", "5 MB", blocks=True),
    ],
)
def test_a_scope_that_says_more_than_it_is_is_a_fault_of_the_catalogue(faulty: Allowance) -> None:
    document = replace(CATALOGUE, allowances=(*CATALOGUE.allowances, faulty))
    assert check(CATALOGUE) == []
    assert check(document) != []
