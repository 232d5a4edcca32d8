"""Fees that are posted one after the other leave what each would leave by itself, to the last sum and mark."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw, msgpack
from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, MONEY, Account, Book
from charging.base.buckets import Buckets, SumKey
from charging.base.due import Due
from charging.base.feemark import FeeMark
from charging.base.usage import SealedCharge, Step
from charging.ledger import buckets
from charging.ledger.applying import apply
from charging.ledger.dues import FeePosted
from testkit.ledger import DAY_MS, START_MS, an_account

ALICE, BOB = "msisdn:8613000000001", "msisdn:8613000000002"


def _charge(amount: int, off: int, counter: str) -> SealedCharge:
    steps = [Step("fee", "rent", "", 1, "day", amount + off, 1)]
    if off:
        steps.append(Step("discount", "friends", "", 0, "", -off, 1, level="S"))
    accruals = ((counter, amount),) if counter else ()
    return SealedCharge(amount, "CNY", (), accruals, 1, False, Raw(msgpack.encode(steps)), "", 0)


def _posted(book: str, member: str, fee: str, day: int, amount: int, off: int, credit: bool, counter: str) -> FeePosted:
    from_ms = START_MS + day * DAY_MS
    due = Due(member, "plan", fee, "rent", from_ms, from_ms + DAY_MS, _charge(amount, off, counter), credit)
    return FeePosted(due, ((book, -amount if credit else amount),) if amount else ())


POSTED = st.builds(
    _posted,
    st.sampled_from([MAIN_BOOK, "bonus", "bound"]),
    st.sampled_from([ALICE, BOB]),
    st.sampled_from(["rent", "line"]),
    st.integers(-40, 40),
    st.integers(0, 1_000),
    st.sampled_from([0, 7]),
    st.booleans(),
    st.sampled_from(["", "spent@20260101"]),
)


def _account() -> Account:
    books = (
        Book(MAIN_BOOK, MONEY, 10**6),
        Book("bonus", MONEY, 10**6),
        Book("bound", MONEY, 10**6, allowance="music"),
    )
    fees = (FeeMark(ALICE, "plan", "rent", START_MS, START_MS + DAY_MS, 5),)
    sums = Buckets((SumKey(24_000, "voice"),), (3,))
    return an_account(ALICE, 7, "GD", members=(ALICE,), books=books, fees=fees, buckets=sums)


@given(st.lists(POSTED, max_size=6))
def test_a_run_of_fees_leaves_what_each_alone_would_leave(events: list[FeePosted]) -> None:
    before = state = _account()
    for event in events:
        state = buckets.after(state, event.apply(state), event, START_MS)
    together = apply(before, events, "key", START_MS)
    assert replace(together, version=0, mark=0, terms_version=0) == replace(state, version=0, mark=0, terms_version=0)
