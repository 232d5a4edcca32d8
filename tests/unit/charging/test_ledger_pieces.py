"""Sessions under real rating, where sums, days and falling prices meet them.

What was used is always charged, each day has its caps, and the largest grant is found whatever the price does.
"""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charging.base.account import MAIN_BOOK, MONEY, Account, Book
from charging.base.contract import Contract, Subscription
from charging.base.lateness import LATE_MS_MAX
from charging.base.localtime import LocalTime
from charging.base.usage import Usage
from charging.catalogue.document import from_plain, pack
from charging.errors import Fault, Invalid, Refused
from charging.ledger import ledger
from charging.ledger.commands.open_account import OpenAccount
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.set_contract import SetContract
from charging.ledger.commands.top_up import TopUp
from charging.plans.plan import Plan
from charging.plans.timeline import Timeline
from charging.rating import grants
from charging.rating.pieces import PIECE_MS_MAX, piece_end
from charging.rating.quotas import quota_terms
from charging.rating.rating import next_switch, quantity_max, rate, rate_quota, rate_sum
from charging.rating.session_asks import Pricing, SessionAsk, UnitAsk
from charging.rating.sessions import plan
from charging.wire import CatalogueRef, SessionGrant, SessionOutcome
from testkit.ledger import Desk, an_account

ME, FRIEND = "msisdn:8613012345678", "msisdn:8613012345679"
ZONE = "Asia/Shanghai"
MB = 1 << 20
YUAN = 1_000_000
DAY_MS = 86_400_000
CATALOGUE = {
    "catalogue": "pieces",
    "version": "1",
    "currency": "CNY",
    "rounding": {"mode": "half_up", "places": "2"},
    "services": [
        {"id": "call", "unit": "second", "quantity_max": "24 h"},
        {"id": "data", "unit": "byte", "quantity_max": "1 TB"},
        {"id": "meter", "unit": "byte", "session_time": "start"},
        {"id": "api", "unit": "event"},
    ],
    "bands": [{"id": "night", "from": "22:00", "to": "07:00"}],
    "tariffs": [
        {
            "id": "inside",
            "service": "call",
            "prices": [{"id": "own", "when": {"parties": ["account"]}, "rates": [{"price": "0.06", "per": "60"}]}],
        },
        {
            "id": "calls",
            "service": "call",
            "standard": "true",
            "prices": [
                {
                    "id": "any",
                    "connect": "0.1",
                    "rates": [{"price": "0.6", "per": "60", "increment": "1"}],
                    "bands": [{"bands": ["night"], "rates": [{"price": "0.06", "per": "60", "increment": "1"}]}],
                }
            ],
        },
        {
            "id": "net",
            "service": "data",
            "standard": "true",
            "prices": [
                {
                    "id": "any",
                    "rates": [{"price": "1", "per": "1 MB", "increment": "1 KB"}],
                    "cap": {"amount": "98", "over": "day"},
                }
            ],
        },
        {
            "id": "whole",
            "service": "meter",
            "standard": "true",
            "prices": [{"id": "any", "rates": [{"price": "1", "per": "1 MB"}], "cap": {"amount": "98", "over": "day"}}],
        },
        {
            "id": "volume",
            "service": "api",
            "standard": "true",
            "prices": [
                {
                    "id": "any",
                    "tiers": {"model": "volume", "steps": [{"upto": "60", "price": "0.01"}, {"price": "0.001"}]},
                }
            ],
        },
    ],
    "allowances": [
        {"id": "daily", "unit": "byte", "quota": "10 MB", "period": "day", "when": {"services": ["data"]}},
        {"id": "monthly", "unit": "byte", "quota": "15 MB", "period": "month", "when": {"services": ["data"]}},
    ],
    "offerings": [
        {"id": "plan", "services": ["call", "data", "meter", "api"], "tariffs": ["inside"]},
        {"id": "free", "services": ["data"], "allowances": ["daily", "monthly"]},
    ],
}
LINE = Timeline.build([CatalogueRef("", 1, 0, pack(from_plain(CATALOGUE)))], "GD", ZONE)
PRICING: Pricing[Plan] = Pricing(LINE.plan_at, rate_sum, rate_quota, quantity_max, next_switch, piece_end, quota_terms)


def at(text: str) -> int:
    return LocalTime(ZONE).moment_ms(text)


NOON = at("2026-03-02T12:00")


class Phone:
    """One subscriber's sessions, each step planned and decided as in service."""

    def __init__(self, money: int, *offerings: str, pricing: Pricing[Plan] = PRICING) -> None:
        self.desk = Desk()
        self.desk.now_ms = NOON
        self.pricing = pricing
        held = tuple(Subscription(name) for name in offerings or ("plan",))
        self.contract = Contract(ME, ME, "GD", subscriptions=held)
        main = Book(MAIN_BOOK, MONEY, money)
        self.desk.do(ME, OpenAccount(ME, "", "prepaid", "CNY", 0, 1, self.contract, (main,), {}, {}, (), carried=True))
        self._invocation = -1

    @property
    def account(self) -> Account:
        return self.desk.accounts[ME]

    @property
    def money(self) -> int:
        return self.account.books[0].amount

    def step(
        self, time_ms: int, service: str, requested: int = 0, used: int = 0, *, end: bool = False, to: str = ""
    ) -> SessionGrant:
        self._invocation += 1
        operation = "release" if end else "update" if self._invocation else "create"
        unit = UnitAsk(service, requested, used, time_ms, to)
        ask = SessionAsk("s", operation, self._invocation, ME, (unit,), time_ms + 10**7, time_ms)
        done = self.desk.do(ME, plan(self.pricing, self.account, self.contract, ask))
        assert done.detail is not None
        return msgspec.msgpack.decode(done.detail, type=SessionOutcome).grants[0]

    def charge(self, time_ms: int, service: str, quantity: int) -> None:
        usage = Usage(ME, service, time_ms, quantity)
        charge = ledger.seal(rate(LINE.plan_at(time_ms), usage, self.contract, self.account))
        self.desk.do(ME, PostCharge(usage, charge, self.account.version, self.account.mark))


def test_data_used_on_two_days_meets_the_cap_of_each_day() -> None:
    phone = Phone(1000 * YUAN)
    phone.step(at("2026-03-02T12:00"), "data")
    phone.step(at("2026-03-02T23:00"), "data", used=200 * MB)
    assert phone.step(at("2026-03-03T23:00"), "data", used=200 * MB).charged == 196 * YUAN
    assert phone.step(at("2026-03-03T23:30"), "data", end=True).charged == 196 * YUAN
    assert phone.money == (1000 - 196) * YUAN


@pytest.mark.parametrize("zone", ["Africa/Cairo", "America/Santiago", "America/Havana", "Asia/Beirut", "Europe/Berlin"])
def test_each_piece_ends_with_its_day_also_where_clocks_change_at_midnight(zone: str) -> None:
    local = LocalTime(zone)
    plan = Timeline.build([CatalogueRef("", 1, 0, pack(from_plain(CATALOGUE)))], "GD", zone).plan_at(NOON)
    contract, account = Contract(ME, ME, "GD", subscriptions=(Subscription("plan"),)), an_account(ME, 1, "GD")
    for hour in range(366 * 24):
        start_s = local.moment_ms("2026-01-01") // 1000 + hour * 3600
        end_s = piece_end(plan, contract, account, Usage(ME, "data", start_s * 1000, 0)) // 1000
        assert local.day(end_s - 1) == local.day(start_s) == local.day(end_s) - 1


def test_a_service_may_say_that_its_sessions_are_rated_by_their_start() -> None:
    phone = Phone(1000 * YUAN)
    phone.step(at("2026-03-02T12:00"), "meter")
    phone.step(at("2026-03-02T23:00"), "meter", used=200 * MB)
    assert phone.step(at("2026-03-03T23:00"), "meter", used=200 * MB, end=True).charged == 98 * YUAN


def test_quota_ends_with_the_day_so_that_its_use_is_reported_there() -> None:
    phone = Phone(1000 * YUAN)
    midnight = at("2026-03-03T00:00")
    assert phone.step(midnight - 60_000, "data", 10 * MB).valid_until_ms == midnight
    assert phone.step(midnight - 50_000, "data", 10 * MB, 2 * MB).valid_until_ms == midnight
    # Reported at the end or after it: a new piece, whose quota lives as long as the session.
    assert phone.step(midnight, "data", 10 * MB, 1 * MB).valid_until_ms == midnight + 10**7
    kept = phone.account.open.sessions[0].holds[0]
    assert (kept.start_ms, kept.used, kept.charged, kept.charged_before) == (midnight, MB, YUAN, 2 * YUAN)
    assert phone.account.books[0].reserved == 10 * YUAN


@settings(max_examples=60, deadline=None)
@given(
    reports=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 30 * MB)), min_size=1, max_size=8),
    requested=st.sampled_from((0, 5 * MB)),
)
def test_a_session_costs_what_one_charge_a_day_would(reports: list[tuple[int, int]], requested: int) -> None:
    phone, twin = Phone(10_000 * YUAN, "plan", "free"), Phone(10_000 * YUAN, "plan", "free")
    phone.step(NOON, "data", requested)
    hour, days = 0, {NOON // DAY_MS: 0}
    for later, used in reports:
        hour += later
        phone.step(NOON + hour * 3_600_000, "data", requested, used)
        day = (NOON + 8 * 3_600_000 + hour * 3_600_000) // DAY_MS
        days[day] = days.get(day, 0) + used
    phone.step(NOON + hour * 3_600_000, "data", end=True)
    for day, quantity in days.items():
        if quantity:
            twin.charge(day * DAY_MS, "data", quantity)
    assert phone.money == twin.money
    assert {key: n for key, n in phone.account.accumulators.items() if n} == twin.account.accumulators


def test_what_was_used_is_charged_however_much_it_adds_up_to() -> None:
    phone = Phone(10_000 * YUAN)
    phone.step(NOON, "call", 3_600)
    phone.step(NOON + 82_000_000, "call", 3_600, 82_000)
    phone.step(NOON + 85_600_000, "call", 1_000, 3_600)
    before = phone.money
    phone.step(NOON + 93_600_000, "call", used=8_000, end=True)
    whole = rate_sum(LINE.plan_at(NOON), Usage(ME, "call", NOON, 93_600), phone.contract, phone.account)
    assert phone.money == 10_000 * YUAN - whole.amount < before
    # The guard against absurd events is one of each report.
    with pytest.raises(Invalid) as refused:
        Phone(10_000 * YUAN).step(NOON, "call", used=86_401)
    assert refused.value.reason == "QUANTITY_INVALID"


def test_quota_is_granted_up_to_what_the_service_allows() -> None:
    grant = Phone(10**6 * YUAN).step(NOON, "call", 1 << 40)
    assert (grant.granted, grant.final_unit) == (86_400, False)
    poor = Phone(5 * YUAN).step(NOON, "data", 1 << 41)
    assert (poor.granted, poor.final_unit) == (5 * MB, True)


def test_behind_a_cheaper_volume_more_can_be_granted() -> None:
    grant = Phone(70_000).step(NOON, "api", 100)
    assert (grant.granted, grant.final_unit) == (70, True)


@pytest.mark.parametrize("money", [0, 1])
def test_an_account_without_money_is_granted_nothing_that_costs(money: int) -> None:
    # 10 KB cost 0.0098, which rounds to nothing where the smallest coin is larger.
    with pytest.raises(Fault) as refused:
        Phone(money).step(NOON, "data", 100 * MB)
    assert refused.value.reason == "INSUFFICIENT_FUNDS"
    assert Phone(10_000).step(NOON, "data", 100 * MB).granted == 10 << 10


def test_the_switch_is_that_of_the_price_that_the_call_has() -> None:
    phone = Phone(100 * YUAN)
    friend = Contract(FRIEND, ME, "GD", subscriptions=phone.contract.subscriptions)
    phone.desk.do(ME, SetContract(friend))
    evening = at("2026-03-02T21:59")
    assert phone.step(evening, "call", 300, to=FRIEND).tariff_switch_ms == 0
    assert Phone(100 * YUAN).step(evening, "call", 300).tariff_switch_ms == at("2026-03-02T22:00")


def test_a_pack_bought_during_a_session_pays_for_what_is_reported_after() -> None:
    phone = Phone(100 * YUAN)
    phone.step(NOON, "data")
    phone.step(NOON + 3_600_000, "data", used=MB)
    phone.desk.now_ms = NOON + 7_200_000
    phone.desk.do(ME, TopUp("pack", "byte", 5 * MB, 0, 0, "", ""))
    phone.step(NOON + 10_800_000, "data", used=MB, end=True)
    assert phone.money == 99 * YUAN
    assert [book.amount for book in phone.account.books if book.book_id == "pack"] == [4 * MB]


def test_a_piece_never_lasts_longer_than_its_counters_are_kept() -> None:
    phone = Phone(10**6 * YUAN)
    phone.step(NOON, "meter")
    phone.step(NOON + 1, "meter", used=MB)
    phone.desk.now_ms = NOON + LATE_MS_MAX + DAY_MS
    phone.step(phone.desk.now_ms, "meter", used=MB)
    assert phone.account.open.sessions[0].holds[0].start_ms == phone.desk.now_ms
    assert PIECE_MS_MAX < LATE_MS_MAX


_PRICES = st.decimals("0", "0.05", places=3).map(str)
_BORDERS = st.lists(st.integers(1, 80), min_size=1, max_size=4, unique=True).map(sorted)


@st.composite
def falling(draw: st.DrawFn) -> dict[str, object]:
    """Make a catalogue whose costs may fall: volume tiers, discounts from a quantity or an amount on, caps."""
    borders = draw(_BORDERS)
    steps: list[dict[str, str]] = [{"upto": str(border), "price": draw(_PRICES)} for border in borders]
    steps.append({"price": draw(_PRICES)})
    price: dict[str, object] = {
        "id": "any",
        "tiers": {"model": draw(st.sampled_from(("volume", "graduated"))), "steps": steps},
    }
    if draw(st.booleans()):
        price["cap"] = {"amount": draw(_PRICES)}
    discounts = []
    for number in range(draw(st.integers(0, 2))):
        when = draw(st.sampled_from(({"quantity_min": str(draw(st.integers(1, 90)))}, {"amount_min": draw(_PRICES)})))
        effect = draw(st.sampled_from(({"percent": "60"}, {"total": draw(_PRICES)}, {"amount": draw(_PRICES)})))
        discounts.append({"id": f"d{number}", "stage": "product", "when": when, **effect})
    return {
        "catalogue": "falling",
        "version": "1",
        "currency": "CNY",
        "rounding": {"mode": draw(st.sampled_from(("half_up", "up", "down"))), "places": draw(st.sampled_from("236"))},
        "services": [{"id": "api", "unit": "event"}],
        "tariffs": [{"id": "t", "service": "api", "standard": "true", "prices": [price]}],
        "discounts": discounts,
        "offerings": [{"id": "plan", "services": ["api"]}],
    }


@settings(max_examples=150, deadline=None)
@given(document=falling(), money=st.integers(0, 2_000_000), requested=st.integers(1, 100), used=st.integers(0, 60))
def test_the_largest_grant_is_the_one_that_trying_all_finds(
    document: dict[str, object], money: int, requested: int, used: int
) -> None:
    line = Timeline.build([CatalogueRef("", 1, 0, pack(from_plain(document)))], "GD", ZONE)
    phone = Phone(money, pricing=msgspec.structs.replace(PRICING, plan_at=line.plan_at))
    catalogue, account = line.plan_at(NOON), phone.account

    def cost(quantity: int) -> int:
        return rate_quota(catalogue, Usage(ME, "api", NOON, quantity), phone.contract, account).amount

    spent = rate_sum(catalogue, Usage(ME, "api", NOON, used), phone.contract, account).amount
    covered = [grant for grant in range(1, requested + 1) if cost(used + grant) <= max(money, spent)]
    wanted = max(covered, default=0) if spent <= money else 0
    try:
        granted = phone.step(NOON, "api", requested, used).granted
    except Refused:  # A session that begins with nothing does not begin.
        granted = 0
    assert granted == wanted


def test_a_search_without_end_ends_with_what_it_has() -> None:
    asked: list[int] = []
    contract = Contract(ME, ME, "GD", subscriptions=(Subscription("plan"),))
    charge = rate(LINE.plan_at(NOON), Usage(ME, "api", NOON, 1), contract, an_account(ME, 1, "GD"))

    def attempt_of(quantity: int) -> grants.Attempt:
        asked.append(quantity)
        step = msgspec.structs.replace(charge.steps[0], detail=str(quantity))
        return grants.Attempt(msgspec.structs.replace(charge, steps=(step,)), None)

    assert grants.largest(1 << 40, attempt_of) == (0, grants.NOTHING)
    assert len(asked) <= grants.GRANT_RATINGS_MAX + 1
