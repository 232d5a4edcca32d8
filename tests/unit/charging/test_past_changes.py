"""Changes of a contract that hold from a moment in the past: doing it late costs what doing it at the time had cost."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from charging.base.bounds import PAST_DAYS_MAX
from charging.base.contract import Contract, Subscription
from charging.base.feemark import FeeMark
from charging.catalogue.document import from_plain, pack
from charging.errors import Refused
from charging.ledger import buckets, feemarks, revising
from charging.ledger.dues import posted
from charging.ledger.effect import VersionMoved
from charging.ledger.revising import Late
from charging.plans.plan import Plan
from charging.plans.timeline import Timeline
from charging.rating.past_changes import check_past, of_past_change
from charging.wire import CatalogueRef
from tests.unit.charging.test_fees_of_a_life import ALICE, BEGIN, FEES, TIMELINE, Life, ms, steps


def changed(before: Contract, what: str, fee: str, at_ms: int, quantity: int, whole: bool) -> Contract | None:
    """The contract after a step; None = there is nothing to do."""
    named = "" if whole else fee
    try:
        match what:
            case "take":
                return revising.started(before, Subscription(fee, at_ms, quantity=quantity), at_ms, "x")
            case "end":
                return revising.ended(before, fee, at_ms, at_ms)
            case "pause":
                return revising.paused(before, named, at_ms, 0, at_ms)
            case "resume":
                return revising.resumed(before, named, at_ms, at_ms)
    except Refused:
        return None
    return None


@settings(max_examples=200, deadline=None)
@given(
    fee=st.sampled_from(sorted(FEES)),
    steps=steps,
    quantity=st.integers(1, 5),
    whole=st.booleans(),
    prompt=st.lists(st.booleans(), min_size=14, max_size=14),
)
def test_what_is_done_late_costs_what_it_had_cost_at_the_time(
    fee: str, steps: list[tuple[str, int]], quantity: int, whole: bool, prompt: list[bool]
) -> None:
    """One does each step at its time, the other later, several at once; meanwhile what falls due is posted for both."""
    then, late, now = Life(fee), Life(fee), BEGIN
    waiting: list[tuple[str, int]] = []
    for (what, hours), comes in zip(steps, prompt, strict=False):
        now += timedelta(hours=hours)
        then.run(ms(now))
        late.run(ms(now))
        after = changed(then.contract, what, fee, ms(now), quantity, whole)
        if after is not None:
            then.change(after, ms(now))
            waiting.append((what, ms(now)))
        if comes or (waiting and ms(now) - waiting[0][1] > (PAST_DAYS_MAX - 38) * 86_400_000):
            catch_up(late, waiting, ms(now), quantity, whole)
            assert (late.contract, late.paid) == (then.contract, then.paid)
    now += timedelta(hours=1)
    catch_up(late, waiting, ms(now), quantity, whole)
    then.run(ms(now))
    late.run(ms(now))
    assert (late.contract, late.paid, marks(late)) == (then.contract, then.paid, marks(then))


def catch_up(life: Life, waiting: list[tuple[str, int]], now_ms: int, quantity: int, whole: bool) -> None:
    """Do what waits, in order, each as of its own moment."""
    for what, at_ms in waiting:
        basis = life.contract
        if what == "resume" and whole:
            basis = replace(basis, paused_from_ms=0, paused_to_ms=0)
        about = () if whole and what in ("pause", "resume") else (life.fee,)
        assert revising.required_late(life.account, basis, Late(0), about, at_ms, now_ms) == at_ms
        after = changed(life.contract, what, life.fee, at_ms, quantity, whole)
        assert after is not None
        life.post(
            of_past_change(TIMELINE.plan_at, life.contract, after, life.account, at_ms, now_ms, changes=False), now_ms
        )
        life.contract = after
    waiting.clear()


def marks(life: Life) -> list[tuple[str, int, int]]:
    newest = [feemarks.newest(mark) for mark in life.account.open.fees]
    return sorted((mark.fee, mark.to_ms, mark.amount) for mark in newest)


def test_a_plan_that_is_changed_late_is_set_right_period_by_period_on_the_next_bill_with_its_origin() -> None:
    life = Life("plain")
    life.change(revising.started(life.contract, Subscription("plain", ms(BEGIN)), ms(BEGIN), "x"), ms(BEGIN))
    now = BEGIN + timedelta(days=40)
    life.run(ms(now))
    january = 2027 * 12
    life.account = life.account.with_terms(zone="Asia/Shanghai", closed=january)
    at_ms = ms(BEGIN + timedelta(days=10))
    ended = revising.ended(life.contract, "plain", at_ms, at_ms)
    after = revising.started(ended, Subscription("thirty", at_ms), at_ms, "x")
    dues = of_past_change(TIMELINE.plan_at, life.contract, after, life.account, at_ms, ms(now), changes=True)
    told = [(due.fee, due.credit, due.charge.amount) for due in dues.fees]
    assert told == [
        ("plain", True, 10_000_003),  # February
        ("plain", True, 10_000_003 - 3_225_807),  # 21 of 31 days of January
        ("thirty", False, 6_666_669),  # 20 of 30 days of January
        ("thirty", False, 10_000_003),  # February
    ]
    before = life.account
    for event in posted(before, dues, ms(now)):
        life.account = buckets.after(life.account, event.apply(life.account), event, ms(now))
    added = {(key.item, key.origin): amount for key, amount in life.account.buckets.of(january + 1)}
    assert added == {
        ("plain", 0): -10_000_003,
        ("plain", january): -6_774_196,
        ("thirty", january): 6_666_669,
        ("thirty", 0): 10_000_003,
    }


DAY = timedelta(days=1)
NOW = BEGIN + 60 * DAY


@pytest.mark.parametrize(
    ("days", "closed", "rule", "begins", "reason"),
    [
        (31, 0, "refuse", 0, "CHANGE_TOO_FAR_BACK"),
        (30, 0, "refuse", 0, ""),
        (20, 0, "refuse", 19, "CHANGE_BEFORE_CONTRACT"),
        (20, 2027 * 12 + 1, "refuse", 0, "CHANGE_IN_CLOSED_PERIOD"),
        (20, 2027 * 12, "refuse", 0, ""),
        (20, 2027 * 12 + 1, "next_bill", 0, ""),
    ],
)
def test_what_the_catalogue_and_the_beginning_rule_out_has_reasons_of_its_own(
    days: int, closed: int, rule: str, begins: int, reason: str
) -> None:
    life = Life("plain")
    account = life.account.with_terms(zone="Asia/Shanghai", closed=closed)
    contract = replace(life.contract, valid_from_ms=ms(NOW - begins * DAY) if begins else 0)
    plan = plan_that_allows(30, rule)
    if not reason:
        check_past(plan, contract, account, ms(NOW - days * DAY), ms(NOW))
        return
    with pytest.raises(Refused) as raised:
        check_past(plan, contract, account, ms(NOW - days * DAY), ms(NOW))
    assert raised.value.reason == reason


def test_what_was_changed_since_is_taken_back_first() -> None:
    life = Life("plain")
    at_ms, since_ms = ms(BEGIN), ms(BEGIN + DAY)
    held = replace(life.contract, subscriptions=(Subscription("plain", since_ms),))
    for basis, about in ((held, ("plain",)), (held, ()), (replace(life.contract, paused_from_ms=since_ms), ("plain",))):
        with pytest.raises(Refused) as raised:
            revising.required_late(life.account, basis, Late(0), about, at_ms, ms(NOW))
        assert (raised.value.reason, raised.value.facts) == ("CHANGE_OVERTAKEN", {"changed_ms": str(since_ms)})
    assert revising.required_late(life.account, held, Late(0), ("free",), at_ms, ms(NOW)) == at_ms
    with pytest.raises(VersionMoved):
        revising.required_late(life.account, held, Late(1), ("free",), at_ms, ms(NOW))


def test_of_a_fee_by_the_day_as_many_postings_are_known_as_are_kept_and_a_change_before_them_is_refused() -> None:
    mark = FeeMark(ALICE, "plain", "plain", 0, 0, 0)
    for day in range(50):
        mark = feemarks.following(mark, replace(mark, from_ms=day * 1000, to_ms=(day + 1) * 1000, amount=day))
    assert [each.amount for each in feemarks.postings(mark)] == list(range(49, 49 - feemarks.EARLIER_MAX - 1, -1))
    assert feemarks.known_since_ms(mark) == (49 - feemarks.EARLIER_MAX) * 1000


def plan_that_allows(days: int, rule: str) -> Plan:
    said = {"catalogue": "t", "version": "1", "currency": "CNY", "past_days": str(days), "past_closed": rule}
    content = pack(from_plain({**said, "rounding": {"mode": "half_up", "places": "2"}}))
    return Timeline.build([CatalogueRef("", 1, 0, content)], "GD", "Asia/Shanghai").plan_at(ms(NOW))
