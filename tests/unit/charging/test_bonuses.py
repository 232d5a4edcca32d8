"""Bonuses come with a top-up in the same act, bounded and told; a reversal takes back what of them is unused."""

import pytest
from msgspec.structs import replace

from charging.base.account import MONEY, Book
from charging.base.localtime import LocalTime
from charging.catalogue.document import Catalogue
from charging.catalogue.merge import merge
from charging.catalogue.offers import Allowance
from charging.catalogue.rewards import Bonus, BonusStep, GiftRule
from charging.catalogue.words import Service, When
from charging.checks.check import check
from charging.errors import Invalid, Refused
from charging.ledger.auditing import Audit
from charging.ledger.commands.move_money import MoveMoney
from charging.ledger.commands.reverse_payment import ReversePayment
from charging.ledger.commands.top_up import TopUp
from charging.ledger.history import line
from charging.ledger.outcome import Done
from charging.ledger.rewards import BonusPart, BonusTakenBack
from charging.plans.compile import compile_plan
from charging.rating.bonuses import due
from testkit.ledger import START_MS, Desk, charge_of, post

ME = "msisdn:8613000000001"
YUAN = 1_000_000
DAY_MS = 86_400_000
CATALOGUE = Catalogue(
    "bonuses",
    1,
    currency="CNY",
    services=(Service("data", "byte"),),
    allowances=(Allowance("data-only", MONEY, "0", when=When(services=("data",))),),
    bonuses=(
        Bonus("steps", (BonusStep("50", "5"), BonusStep("100", "5", "10")), "presents", most="40", validity="30 d"),
        Bonus("first", (BonusStep("0", percent="50"),), "welcome", first=True, allowance="data-only", priority=5),
        Bonus("web", (BonusStep("10", "1"),), "presents", kinds=("deposit",), channels=("web-hall",)),
    ),
)
PLAN = compile_plan(merge(CATALOGUE), LocalTime("UTC"))


def top_up(
    desk: Desk, yuan: int, key: str, *, channel: str = "shop", kind: str = "deposit", book: str = "main"
) -> Done:
    bonuses = due(PLAN, yuan * YUAN, kind, channel, desk.now_ms)
    return desk.do(ME, TopUp(book, MONEY, yuan * YUAN, 0, 0, "", kind, 0, bonuses), key)


def amounts(desk: Desk) -> dict[str, int]:
    return {book.book_id: book.amount for book in desk.accounts[ME].books}


def audited(desk: Desk) -> list[str]:
    audit = Audit(ME)
    for entry in desk.journals[ME]:
        audit.add(entry)
    return list(audit.findings)


@pytest.mark.parametrize(
    ("yuan", "bonus"), [(49, 0), (50, 5 * YUAN), (99, 5 * YUAN), (100, 15 * YUAN), (1_000, 40 * YUAN)]
)
def test_the_highest_step_that_is_reached_counts_up_to_the_most(yuan: int, bonus: int) -> None:
    desk = Desk()
    desk.open(ME)
    top_up(desk, 1, "first")
    before = amounts(desk)
    done = top_up(desk, yuan, "second")
    assert amounts(desk).get("presents", 0) - before.get("presents", 0) == bonus
    assert ("bonus:steps" in done.notices) is bool(bonus)
    assert audited(desk) == []


def test_only_the_first_top_up_has_the_bonus_of_the_first_with_scope_and_validity() -> None:
    desk = Desk()
    desk.open(ME, 9 * YUAN)
    both = due(PLAN, 60 * YUAN, "deposit", "shop", desk.now_ms)
    done = top_up(desk, 60, "one")
    assert done.notices == ("bonus:steps", "bonus:first")
    books = {book.book_id: book for book in desk.accounts[ME].books}
    assert (books["welcome"].amount, books["welcome"].allowance, books["welcome"].priority) == (
        30 * YUAN, "data-only", 5,
    )  # fmt: skip
    assert books["presents"].valid_to_ms == START_MS + 30 * DAY_MS
    # The platform may know less than the owner: it asks for the first bonus again, and does not get it.
    late = desk.do(ME, TopUp("main", MONEY, 60 * YUAN, 0, 0, "", "deposit", 0, both), "two")
    assert late.notices == ("bonus:steps",)
    assert line(desk.journals[ME][-1]).movements == late.movements


def test_kind_and_channel_say_whose_bonus_it_is() -> None:
    desk = Desk()
    desk.open(ME)
    assert "bonus:web" in top_up(desk, 10, "a", channel="web-hall").notices
    assert "bonus:web" not in top_up(desk, 10, "b", channel="web-hall", kind="payment").notices
    assert "bonus:web" not in top_up(desk, 10, "c").notices


def test_a_repeat_is_one_top_up_with_one_bonus() -> None:
    desk = Desk()
    desk.open(ME)
    first, again = top_up(desk, 100, "once"), top_up(desk, 100, "once")
    assert first.movements == again.movements
    assert amounts(desk) == {"main": 100 * YUAN, "presents": 15 * YUAN, "welcome": 50 * YUAN}


def test_a_bonus_that_its_book_can_not_take_keeps_no_payment_back() -> None:
    desk = Desk()
    desk.open(ME, books=(Book("presents", "second", 5),))
    assert top_up(desk, 60, "a").notices == ("bonus-lost:steps", "bonus:first")
    assert amounts(desk)["main"] == 60 * YUAN


def test_the_owner_trusts_no_number_of_a_bonus() -> None:
    desk = Desk()
    desk.open(ME)
    part = BonusPart("x", "x", 10**18, "presents", 0, 100, "", False)
    for bonuses in ((part,), (replace(part, amount=-5),), tuple(replace(part, amount=1) for _ in range(9))):
        with pytest.raises(Invalid):
            desk.do(ME, TopUp("main", MONEY, YUAN, 0, 0, "", "deposit", 0, bonuses))
    assert amounts(desk) == {"main": 0}


def test_a_reversal_takes_the_payment_whole_and_the_bonus_as_far_as_it_is_unused() -> None:
    desk = Desk()
    desk.open(ME, 9 * YUAN)
    top_up(desk, 100, "paid")
    spent = charge_of(12 * YUAN, takes=(("presents", 12 * YUAN),), depends=True)
    desk.do(ME, post(desk.accounts[ME], spent))
    done = desk.do(ME, ReversePayment("paid", "the bank took it back"), "back", "li")
    assert amounts(desk) == {"main": 9 * YUAN, "presents": 0, "welcome": 0}
    assert done.amount == 100 * YUAN
    assert line(desk.journals[ME][-1]).reason == "the bank took it back"
    with pytest.raises(Refused) as refused:
        desk.do(ME, ReversePayment("paid", "again"))
    assert refused.value.reason == "REVERSED_ALREADY"
    assert audited(desk) == []
    before = desk.accounts
    desk.crash()
    assert desk.accounts == before


def test_nobody_paid_units_in_so_nobody_takes_them_back() -> None:
    desk = Desk()
    desk.open(ME, 9)
    desk.do(ME, TopUp("pack", "byte", 9, 0, 0, "", "deposit"), "units")
    with pytest.raises(Refused) as refused:
        desk.do(ME, ReversePayment("units", ""))
    assert refused.value.reason == "NOT_A_PAYMENT"


@pytest.mark.parametrize(
    "faulty",
    [
        Bonus("x", (), "b"),
        Bonus("x", (BonusStep("5"),), "b"),
        Bonus("x", (BonusStep("5", "1"), BonusStep("5", "2")), "b"),
        Bonus("x", (BonusStep("5", "1"),), "main"),
        Bonus("x", (BonusStep("5", "0.0000001"),), "b"),
        Bonus("x", (BonusStep("5", "1"),), "b", validity="5 MB"),
        Bonus("x", (BonusStep("5", "1"),), "b", allowance="nowhere"),
        GiftRule("x", "money", "5 MB"),
        GiftRule("x", "money", "5", least="6"),
        GiftRule("x", "byte", "5 min"),
        GiftRule("x", "byte", "5", to_book="main"),
        GiftRule("x", "byte", "5", allowance="data-only"),
        GiftRule("x", "money", "5", least="2", per_day="1"),
    ],
)
def test_what_gives_nothing_or_does_not_fit_is_a_fault_of_the_catalogue(faulty: Bonus | GiftRule) -> None:
    assert check(CATALOGUE) == []
    if isinstance(faulty, Bonus):
        assert check(replace(CATALOGUE, bonuses=(*CATALOGUE.bonuses, faulty))) != []
    else:
        assert check(replace(CATALOGUE, gifts=(faulty,))) != []


def test_a_bonus_that_was_moved_before_its_top_up_is_taken_back_goes_from_where_it_is() -> None:
    desk = Desk()
    desk.open(ME, books=(Book("side", MONEY, 0), Book("end", MONEY, 0)))
    summer = BonusPart("summer", "Summer", 15, "presents", 0, 100, "", False)
    desk.do(ME, TopUp("main", MONEY, 100, 0, 0, "", "deposit", 0, (summer,)), "paid")
    desk.do(ME, MoveMoney("presents", "side", 12, "hides it"))
    desk.do(ME, MoveMoney("side", "end", 7, "hides it better"))
    desk.do(ME, TopUp("side", MONEY, 50, 0, 0, "", "deposit"))
    before = desk.accounts
    desk.crash()
    assert desk.accounts == before
    desk.do(ME, ReversePayment("paid", "chargeback"))
    held = {book.book_id: book.amount for book in desk.accounts[ME].books}
    assert held == {"main": 0, "presents": 0, "side": 43, "end": 7}
    assert audited(desk) == []


def test_what_of_a_moved_bonus_was_used_stays_used() -> None:
    desk = Desk()
    desk.open(ME)
    part = BonusPart("s", "S", 15, "p", 0, 100, "", False)
    desk.do(ME, TopUp("main", MONEY, 100, 0, 0, "", "deposit", 0, (part,)), "k")
    desk.do(ME, MoveMoney("p", "main", 15, "hides it"))
    desk.do(ME, post(desk.accounts[ME], charge_of(12, depends=True)))
    desk.do(ME, ReversePayment("k", "chargeback"))
    assert sum(book.amount for book in desk.accounts[ME].books) == 0
    assert [event.used for event in desk.journals[ME][-1].events if isinstance(event, BonusTakenBack)] == [12]


def test_a_bonus_that_was_moved_in_a_circle_is_not_taken_back_twice() -> None:
    desk = Desk()
    desk.open(ME, books=(Book("side", MONEY, 0),))
    part = BonusPart("s", "S", 10, "p", 0, 100, "", False)
    desk.do(ME, TopUp("main", MONEY, 100, 0, 0, "", "deposit", 0, (part,)), "k")
    desk.do(ME, MoveMoney("p", "side", 5, "there"))
    desk.do(ME, MoveMoney("side", "p", 5, "and back"))
    desk.do(ME, MoveMoney("p", "main", 7, "all but three"))
    desk.do(ME, post(desk.accounts[ME], charge_of(7, depends=True)))
    desk.do(ME, ReversePayment("k", "chargeback"))
    assert all(book.amount >= 0 for book in desk.accounts[ME].books)
    assert sum(event.amount for event in desk.journals[ME][-1].events if isinstance(event, BonusTakenBack)) == 3
    assert audited(desk) == []
