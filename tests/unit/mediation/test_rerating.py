"""A cycle costs what one pass would, whatever the order in which usage came, and what it was charged by."""

from collections.abc import Sequence
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from charging.base.account import Account, Book
from charging.base.contract import Contract, Subscription
from charging.base.localtime import LocalTime
from charging.base.usage import Usage
from charging.catalogue.document import from_plain, pack
from charging.errors import Fault
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.refund import Refund
from charging.ledger.commands.restate_usage import RestatedAmount, RestateUsage, usage_total
from charging.ledger.ledger import seal
from charging.ledger.period_closing import is_money
from charging.plans.timeline import Timeline
from charging.rating.rating import rate
from charging.rating.restating import Restatement, restated
from charging.wire import CatalogueRef
from details.rows import rows_of
from mediation.rerating.inputs import cycle_begins_ms, past_uses
from mediation.rerating.job import RerateJob, check_job
from mediation.rerating.whatif import WhatIfSum, chart
from testkit.ledger import Desk, an_account

ME, SHE = "msisdn:8613012345678", "msisdn:8613012345679"
ZONE = "Asia/Shanghai"
LOCAL = LocalTime(ZONE)
SEPTEMBER = 2026 * 12 + 8
BEGIN_MS = LOCAL.moment_ms("2026-09-01T00:00:00")
NOW_MS = LOCAL.moment_ms("2026-10-30T12:00:00")
HOUR_MS = 3_600_000


def timeline(version: int, price: str, quota: str, *, roll: bool = True, tiers: bool = False) -> Timeline:
    priced = {"id": "p", "rates": [{"price": price, "per": "60"}]}
    if tiers:
        steps = [{"upto": "600", "price": price, "per": "60"}, {"price": "0.01", "per": "60"}]
        priced = {"id": "p", "tiers": {"steps": steps, "over": "cycle"}}
    minutes: dict[str, object] = {"id": "minutes", "unit": "second", "quota": quota, "when": {"services": ["voice"]}}
    if roll:
        minutes["roll_over"] = {"limit": "5 min"}
    catalogue = from_plain(
        {
            "catalogue": "test",
            "version": str(version),
            "currency": "CNY",
            "services": [{"id": "voice", "unit": "second"}, {"id": "sms", "unit": "event"}],
            "tariffs": [
                {"id": "v", "service": "voice", "prices": [priced]},
                {"id": "s", "service": "sms", "prices": [{"id": "p", "rates": [{"price": "0.1"}]}]},
            ],
            "allowances": [minutes],
            "accumulators": [
                {"id": "seconds", "when": {"services": ["voice"]}},
                {"id": "year", "counts": "amount", "period": "year"},
            ],
            "offerings": [{"id": "plan", "tariffs": ["v", "s"], "allowances": ["minutes"]}],
        }
    )
    return Timeline.build([CatalogueRef("", version, 0, pack(catalogue))], "GD", ZONE)


def contract(identity: str) -> Contract:
    return Contract(identity, "GD/0:me", "GD", subscriptions=(Subscription("plan"),))


CONTRACTS = {ME: contract(ME), SHE: contract(SHE)}


def opened() -> Desk:
    desk = Desk()
    desk.now_ms = NOW_MS
    account = an_account(
        "GD/0:me",
        1,
        "GD",
        members=(ME, SHE),
        books=(Book("main", "money", 0),),
        credit_limit=10**15,
        zone=ZONE,
        currency="CNY",
        cycle_day=1,
        closed=SEPTEMBER - 1,
    )
    desk.accounts[account.account_id] = account
    desk.journals[account.account_id] = []
    return desk


USES = st.lists(
    st.tuples(
        st.sampled_from([ME, SHE]),
        st.sampled_from(["voice", "voice", "sms"]),
        st.integers(0, 59 * 24),
        st.integers(1, 900),
        st.integers(0, 30 * 24),
    ),
    min_size=1,
    max_size=25,
)
"""Who, what, when it began, how much, and how many hours later it came."""
Use = tuple[str, str, int, int, int]


def usage_of(use: Use, place: int) -> Usage:
    identity, service, hour, quantity, _ = use
    return Usage(identity, service, BEGIN_MS + hour * HOUR_MS + place, quantity if service == "voice" else 1)


def charge(desk: Desk, usages: Sequence[Usage], by: Timeline) -> Account:
    """Charge usages one by one, as they stand."""
    newest_ms = 0
    for usage in usages:
        newest_ms = max(newest_ms, usage.start_ms)
        desk.now_ms = newest_ms + HOUR_MS
        account = desk.accounts["GD/0:me"]
        charged = rate(by.plan_at(usage.start_ms), usage, CONTRACTS[usage.identity], account)
        desk.do("GD/0:me", PostCharge(usage, seal(charged), account.version, account.mark))
    desk.now_ms = NOW_MS
    return desk.accounts["GD/0:me"]


def study(desk: Desk, by: Timeline, month: int = SEPTEMBER) -> Restatement:
    account = desk.accounts["GD/0:me"]
    rows = [row for seq, entry in enumerate(desk.journals["GD/0:me"]) for row in rows_of(seq, [(0, entry)])]
    from_ms = cycle_begins_ms(account, month)
    uses = past_uses([row for row in rows if row.start_ms >= from_ms], account)
    before = past_uses([row for row in rows if row.start_ms < from_ms], account)
    return restated(account, CONTRACTS, uses, before, by.plan_at)


def post(desk: Desk, found: Restatement, job: int = 1, month: int = SEPTEMBER) -> Account:
    account = desk.accounts["GD/0:me"]
    from_ms = cycle_begins_ms(account, month)
    total = usage_total(account, from_ms)
    desk.do(
        "GD/0:me",
        RestateUsage(
            "rerate", job, account.version, from_ms, total, found.lines, found.counters, found.takes, "corrected"
        ),
    )
    return desk.accounts["GD/0:me"]


def sums(account: Account) -> dict[tuple[int, str, str], int]:
    return {
        (key.month, key.item, key.member): amount
        for key, amount in zip(account.buckets.keys, account.buckets.amounts, strict=True)
        if amount and not is_money(key)
    }


def counted(account: Account) -> dict[str, int]:
    return {key: value for key, value in account.accumulators.items() if value}


@settings(max_examples=60, deadline=None)
@given(USES, st.booleans(), st.booleans(), st.sampled_from(["0", "3 min", "20 min"]))
def test_the_difference_is_that_to_one_pass_in_order(uses: list[Use], roll: bool, tiers: bool, quota: str) -> None:
    usages = [usage_of(use, place) for place, use in enumerate(uses)]
    order = sorted(range(len(uses)), key=lambda place: uses[place][2] + uses[place][4])
    came = [usages[place] for place in order]
    wrong, right = timeline(1, "0.3", "10 min"), timeline(2, "0.2", quota, roll=roll, tiers=tiers)
    desk, once = opened(), opened()
    charge(desk, came, wrong)
    found = study(desk, right)
    assert found.before == sum(sums(desk.accounts["GD/0:me"]).values())
    after = post(desk, found) if found.changes else desk.accounts["GD/0:me"]
    expected = charge(once, sorted(usages, key=lambda usage: usage.start_ms), right)
    assert sums(after) == sums(expected)
    assert counted(after) == counted(expected)
    assert after.books == expected.books
    assert not study(desk, right).changes, "the second time there is nothing to post"


@settings(max_examples=20, deadline=None)
@given(USES)
def test_where_nothing_changed_there_is_no_difference(uses: list[Use]) -> None:
    usages = sorted((usage_of(use, place) for place, use in enumerate(uses)), key=lambda usage: usage.start_ms)
    desk = opened()
    charge(desk, usages, timeline(1, "0.3", "10 min"))
    found = study(desk, timeline(1, "0.3", "10 min"))
    assert (found.changes, found.before) == (False, found.after)


@settings(max_examples=20, deadline=None)
@given(USES)
def test_a_restatement_back_to_the_former_sums_leaves_what_was(uses: list[Use]) -> None:
    desk = opened()
    usages = sorted((usage_of(use, place) for place, use in enumerate(uses)), key=lambda usage: usage.start_ms)
    before = charge(desk, usages, timeline(1, "0.3", "10 min"))
    found = study(desk, timeline(2, "0.7", "1 min"))
    if not found.changes:
        return
    post(desk, found)
    back = replace(
        found,
        lines=tuple(replace(line, difference=-line.difference) for line in found.lines),
        counters=tuple(replace(each, difference=-each.difference) for each in found.counters),
        takes=tuple(replace(each, difference=-each.difference) for each in found.takes),
    )
    after = post(desk, back, job=2)
    assert (sums(after), after.books) == (sums(before), before.books)
    # A counter that was there before the restatement and fell to nothing is nothing.
    assert counted(after) == counted(before)


def some() -> tuple[Desk, Restatement]:
    desk = opened()
    uses = [(ME, "voice", 24 * day, 600, 0) for day in range(40)]
    charge(desk, [usage_of(use, place) for place, use in enumerate(uses)], timeline(1, "0.3", "10 min"))
    return desk, study(desk, timeline(2, "0.2", "10 min"))


def test_usage_that_came_meanwhile_makes_it_stale_and_a_job_is_taken_once() -> None:
    desk, found = some()
    account = desk.accounts["GD/0:me"]
    from_ms = cycle_begins_ms(account, SEPTEMBER)
    command = RestateUsage(
        "rerate", 5, account.version, from_ms, usage_total(account, from_ms), found.lines, found.counters, (), "x"
    )
    charge(desk, [usage_of((ME, "sms", 59 * 24, 1, 0), 99)], timeline(1, "0.3", "10 min"))
    with pytest.raises(Fault) as stale:
        desk.do("GD/0:me", command)
    assert stale.value.reason == "RESTATEMENT_STALE"
    post(desk, study(desk, timeline(2, "0.2", "10 min")), job=5)
    with pytest.raises(Fault) as taken:
        post(desk, found, job=5)
    assert taken.value.reason == "BATCH_TAKEN"


def test_the_difference_of_a_closed_cycle_stands_on_the_next_bill_with_its_origin() -> None:
    desk, found = some()
    account = desk.accounts["GD/0:me"]
    # As the close of September leaves it: its bucket is gone, its bill is made.
    kept = [
        pair for pair in zip(account.buckets.keys, account.buckets.amounts, strict=True) if pair[0].month > SEPTEMBER
    ]
    buckets = replace(account.buckets, keys=tuple(k for k, _ in kept), amounts=tuple(a for _, a in kept))
    closed = replace(account, buckets=buckets, terms=replace(account.terms, closed=SEPTEMBER))
    desk.accounts["GD/0:me"] = closed
    after = post(desk, found)
    september = [line for line in found.lines if cycle_begins_ms(account, SEPTEMBER + 1) > line.time_ms]
    origins = {
        (key.month, key.origin): amount
        for key, amount in zip(after.buckets.keys, after.buckets.amounts, strict=True)
        if key.origin
    }
    assert origins == {(SEPTEMBER + 1, SEPTEMBER): sum(line.difference for line in september)}


def test_a_charge_of_which_something_was_given_back_stays_as_it_is() -> None:
    desk = opened()
    charge(desk, [usage_of((ME, "sms", 1, 1, 0), 0), usage_of((ME, "sms", 2, 1, 0), 1)], timeline(1, "0.3", "0"))
    first = desk.journals["GD/0:me"][0].key
    desk.do("GD/0:me", Refund(first, 0, "complaint"))
    assert not study(desk, timeline(1, "0.3", "0")).changes


def test_what_nothing_prices_any_more_stays_as_it_was() -> None:
    desk = opened()
    charge(desk, [usage_of((ME, "voice", 1, 60, 0), 0)], timeline(1, "0.3", "0"))
    empty = Timeline.build([], "GD", ZONE)
    found = study(desk, empty)
    assert not found.changes
    assert [use.fault for use in found.uses] == ["CATALOGUE_MISSING"]


def test_a_book_that_is_named_twice_gives_once_for_all() -> None:
    desk, found = some()
    account = desk.accounts["GD/0:me"]
    desk.accounts["GD/0:me"] = replace(account, books=(*account.books, Book("pack", "second", 100)))
    takes = tuple(RestatedAmount(line.time_ms, "pack", 60) for line in found.lines[:2])
    assert len(takes) == 2
    with pytest.raises(Fault) as missing:
        post(desk, replace(found, takes=takes))
    assert missing.value.reason == "UNITS_MISSING"
    after = post(desk, replace(found, takes=(takes[0], replace(takes[1], difference=40))))
    assert {book.book_id: book.amount for book in after.books}["pack"] == 0


@pytest.mark.parametrize(
    ("job", "regions", "why"),
    [
        (RerateJob(1, SEPTEMBER, " "), True, "a reason is kept"),
        (RerateJob(1, SEPTEMBER + 2, "x"), True, "not begun"),
        (RerateJob(1, SEPTEMBER - 4, "x"), True, "cycles back"),
        (RerateJob(1, SEPTEMBER, "x"), False, "no region"),
    ],
)
def test_a_faulty_job_is_refused_before_it_starts(job: RerateJob, regions: bool, why: str) -> None:
    by = {"GD": timeline(1, "0.3", "0")} if regions else {}
    with pytest.raises(Fault, match=why) as faulty:
        check_job(job, by, NOW_MS)
    assert faulty.value.reason == "RERATE_FAULTY"


def test_what_a_draft_would_have_earned_is_drawn_with_what_was_charged() -> None:
    drawn = chart("before & after", [WhatIfSum("plan <1>", 2_000_000, 1_000_000, 5), WhatIfSum("none")])
    root = ElementTree.fromstring(drawn)
    texts = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ["before & after", "plan <1>", "2.00", "1.00", "none", "0.00", "0.00"]
    widths = [int(each.attrib["width"]) for each in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert (widths[0], widths[2], widths[3]) == (2 * widths[1], 1, 1)
