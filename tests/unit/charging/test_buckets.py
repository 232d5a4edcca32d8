"""The period as data: every posting counts in the bucket of its billing period, whichever comes first."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from charging.base.account import Account, sharing
from charging.base.buckets import Buckets, SumKey
from charging.base.localtime import CYCLE, cycle_month, day_text, month_at, span
from charging.base.usage import Usage
from charging.errors import Fault, Refused
from charging.ledger.commands.adjust import Adjust
from charging.ledger.commands.close_period import ClosePeriod
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.refund import Refund
from charging.ledger.commands.remember import Remember
from charging.ledger.commands.send_transfer import SendTransfer
from charging.ledger.commands.top_up import TopUp
from charging.ledger.ledger import seal
from charging.rating.session_asks import UnitAsk
from testkit.examples import ALICE, BOB, EXAMPLES, OF_NOBODY, ROOMMATE, account_of, lively
from testkit.ledger import START_MS, Desk, charge_of, opening

JANUARY = 2027 * 12
"""Of `START_MS`, 2027-01-15."""
DAY_MS = 86_400_000
EPOCH = date(1970, 1, 1)


def charge(
    desk: Desk, amount: int, *, item: str = "", start_ms: int = START_MS, identity: str = ALICE, key: str = ""
) -> None:
    account = desk.accounts[ALICE]
    sealed = replace(seal(charge_of(amount)), item=item)
    desk.do(ALICE, PostCharge(Usage(identity, "voice", start_ms, 60), sealed, account.version, account.mark), key)


def sums(account: Account) -> dict[tuple[int, str, str, int], int]:
    pairs = zip(account.buckets.keys, account.buckets.amounts, strict=True)
    return {(key.month, key.item, key.member, key.origin): amount for key, amount in pairs}


def opened(cycle_day: int = 1, zone: str = "UTC") -> Desk:
    desk = Desk()
    desk.do(ALICE, replace(opening(ALICE, 1_000_000), cycle_day=cycle_day, zone=zone))
    return desk


def balanced(account: Account) -> bool:
    held = sum(book.amount for book in account.books if book.unit == "money" and not book.allowance)
    found = sum(amount if item.startswith("~") else -amount for (_, item, _, _), amount in sums(account).items())
    return held == found


def test_charges_add_up_by_item_and_member() -> None:
    desk = opened()
    charge(desk, 30, item="calls")
    charge(desk, 12, item="calls")
    charge(desk, 7)
    charge(desk, 5, item="calls", identity=ROOMMATE)
    charge(desk, 0, item="free")
    assert sums(desk.accounts[ALICE]) == {
        (JANUARY, "~opening", "", 0): 1_000_000,
        (JANUARY, "calls", "", 0): 42,
        (JANUARY, "voice", "", 0): 7,
        (JANUARY, "calls", ROOMMATE, 0): 5,
    }


def test_old_and_new_periods_stand_open_side_by_side() -> None:
    desk = opened()
    charge(desk, 1, start_ms=START_MS + 31 * DAY_MS)
    charge(desk, 2)
    charge(desk, 4, start_ms=START_MS + 31 * DAY_MS)
    assert desk.accounts[ALICE].buckets.of(JANUARY)[1:] == ((SumKey(JANUARY, "voice"), 2),)
    assert desk.accounts[ALICE].buckets.of(JANUARY + 1) == ((SumKey(JANUARY + 1, "voice"), 5),)
    assert desk.accounts[ALICE].buckets.months() == (JANUARY, JANUARY + 1)


def test_what_belongs_to_a_closed_period_goes_to_the_oldest_open_one_and_keeps_its_origin() -> None:
    desk = opened()
    charge(desk, 3, start_ms=START_MS - 40 * DAY_MS)
    assert sums(desk.accounts[ALICE])[(JANUARY, "voice", "", JANUARY - 1)] == 3


def test_a_refund_goes_off_where_it_was_billed_last_taken_first() -> None:
    desk = opened()
    charge(desk, 30, item="calls", key="call")
    desk.now_ms += 31 * DAY_MS
    desk.do(ALICE, Refund("call", 10, "complaint"))
    desk.do(ALICE, Refund("call", 0, "all of it"))
    assert sums(desk.accounts[ALICE]) == {(JANUARY, "~opening", "", 0): 1_000_000, (JANUARY, "calls", "", 0): 0}


def test_a_session_posts_the_difference_of_each_step() -> None:
    desk = opened()
    desk.do(ALICE, desk.plan(ALICE, "s", "create", 0, UnitAsk("data", 50, 0, START_MS)))
    desk.do(ALICE, desk.plan(ALICE, "s", "update", 1, UnitAsk("data", 50, 30, START_MS)))
    desk.do(ALICE, desk.plan(ALICE, "s", "release", 2, UnitAsk("data", 0, 45, START_MS)))
    assert sums(desk.accounts[ALICE])[(JANUARY, "data", "", 0)] == 750


def test_money_that_comes_in_or_goes_out_is_counted_by_its_place_and_the_owners_time() -> None:
    desk = opened()
    desk.open(BOB, 10)
    desk.now_ms += 31 * DAY_MS
    desk.do(ALICE, TopUp("", "", 100, 0, 0, "", "payment"))
    desk.do(ALICE, Adjust("main", -5, "slip"), actor="li")
    desk.do(ALICE, SendTransfer("main", BOB, "main", 11, "gift"))
    assert sums(desk.accounts[ALICE]) == {
        (JANUARY, "~opening", "", 0): 1_000_000,
        (JANUARY + 1, "~payment", "", 0): 100,
        (JANUARY + 1, "adjustment", "", 0): 5,
        (JANUARY + 1, "~transit", "", 0): -11,
    }


@pytest.mark.parametrize(
    "kind",
    [kind for kind in EXAMPLES if kind not in (*OF_NOBODY, Remember, ClosePeriod)],
    ids=lambda kind: kind.__name__,
)
def test_after_every_command_money_is_what_came_in_less_what_was_charged(kind: type) -> None:
    desk = lively()
    account_id = account_of(kind)
    assert balanced(desk.accounts[account_id])
    try:
        desk.do(account_id, EXAMPLES[kind](desk), actor="li", principal="operator/wang")  # type: ignore[arg-type]
    except Fault as waiting:
        # A proposal is kept, or a voucher asked for, and that is all.
        assert waiting.reason in ("APPROVAL_NEEDED", "VOUCHER_UNDER_WAY")  # noqa: PT017
    assert balanced(desk.accounts[account_id])
    before = dict(desk.accounts)
    desk.crash()
    assert desk.accounts == before


def test_a_charge_that_would_make_one_sum_too_many_is_refused_and_nothing_moves() -> None:
    desk = opened()
    account = desk.accounts[ALICE]
    keys = tuple(SumKey(JANUARY, f"item-{number}") for number in range(2_000))
    full = replace(account, buckets=Buckets(keys, (1,) * 2_000))
    desk.accounts[ALICE] = full
    with pytest.raises(Refused, match="sums"):
        charge(desk, 1, item="one-more")
    charge(desk, 1, item="item-7")
    assert desk.accounts[ALICE].buckets.amounts[7] == 2


def test_accounts_with_the_same_items_share_the_keys_of_their_sums() -> None:
    keys = (SumKey(JANUARY, "".join(["da", "ta"])), SumKey(JANUARY, "".join(["ca", "lls"])))
    one = sharing(replace(opened().accounts[ALICE], buckets=Buckets(keys, (1, 2))))
    other = sharing(replace(opened().accounts[ALICE], buckets=Buckets((*keys,), (3, 4))))
    assert one.buckets.keys is other.buckets.keys


def test_the_cycle_of_the_31st_begins_on_the_last_day_of_a_short_month() -> None:
    def month(text: str) -> int:
        return month_at("Asia/Shanghai", 31, int(datetime.fromisoformat(text).timestamp() * 1000))

    assert month("2027-02-27T23:59:59+08:00") == JANUARY
    assert month("2027-02-28T00:00:00+08:00") == JANUARY + 1
    assert month("2027-03-30T23:59:59+08:00") == JANUARY + 1
    assert month("2027-03-31T00:00:00+08:00") == JANUARY + 2
    assert month("2028-02-28T12:00:00+08:00") == JANUARY + 12


@given(st.integers(-200_000, 200_000), st.integers(1, 31))
def test_a_cycle_is_the_month_in_which_its_span_begins(day: int, cycle_day: int) -> None:
    found = span(CYCLE, day, cycle_day)
    first = EPOCH + timedelta(days=found.start)
    assert cycle_month(day, cycle_day) == first.year * 12 + first.month - 1
    assert found.start <= day < found.end
    assert span(CYCLE, found.end, cycle_day).start == found.end
    assert found.text == day_text(found.start)


@given(st.integers(0, 4_000_000_000), st.integers(1, 31), st.sampled_from(["UTC", "Asia/Shanghai", "Asia/Urumqi"]))
def test_a_moment_belongs_to_the_period_of_its_local_day(moment_s: int, cycle_day: int, zone: str) -> None:
    local = datetime.fromtimestamp(moment_s, UTC).astimezone(ZoneInfo(zone)).date()
    assert month_at(zone, cycle_day, moment_s * 1000) == cycle_month((local - EPOCH).days, cycle_day)


def test_a_moment_that_no_calendar_reaches_has_its_period_too() -> None:
    assert month_at("UTC", 31, 1 << 53) == 287_396 * 12 + 8
