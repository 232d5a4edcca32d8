"""Many charges of one command, taken in one pass: each finds and leaves what it would have alone."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from charging.base.account import Account, Book
from charging.base.usage import SealedCharge, Usage
from charging.errors import Invalid, Refused
from charging.ledger import buckets
from charging.ledger.applying import apply
from charging.ledger.commands.post_charge import Charged, PostCharge
from charging.ledger.running import ChargeRun
from testkit.ledger import an_account

NOW_MS = 1_800_000_000_000
DAY_MS = 86_400_000
OWNER, MEMBER = "msisdn:8613800138000", "msisdn:8613900139000"
MAIN = Book("main", "money", 500)
BOOKS = (
    MAIN,
    Book("bonus", "money", 200, priority=1, valid_to_ms=NOW_MS - 20 * DAY_MS),
    Book("bound", "money", 300, priority=2, allowance="voice"),
    Book("minutes", "second", 100, priority=3),
)
CHARGES = st.lists(
    st.builds(
        lambda who, days, amount, currency, takes, accruals, item, since: (
            Usage(who, "voice", NOW_MS - days * DAY_MS, 60),
            SealedCharge(amount, currency, takes, accruals, 1, bool(accruals), Raw(b"\x90"), item, since),
        ),
        st.sampled_from([OWNER, MEMBER]),
        st.integers(0, 80),
        st.sampled_from([0, 1, 7, 100, 450, -1]),
        st.sampled_from(["CNY", "CNY", "CNY", "CNY", "EUR"]),
        st.sampled_from([(), (), (), (("bound", 5),), (("minutes", 30),), (("minutes", 90), ("bound", 200))]),
        st.sampled_from([(), (("a@20261001", 5),), (("a@20261101", 5), ("b", 1)), (("d@20261120", 0),), (("b", -1),)]),
        st.sampled_from(["", "calls"]),
        st.sampled_from([0, 20_000]),
    ),
    max_size=12,
)


@given(
    CHARGES,
    st.sampled_from([(MAIN,), BOOKS, BOOKS[1:], (replace(MAIN, valid_to_ms=NOW_MS - DAY_MS),)]),
    st.sampled_from([0, 300]),
    st.sampled_from(["active", "suspended"]),
)
def test_charges_in_one_pass_are_what_they_are_one_by_one(
    charges: list[tuple[Usage, SealedCharge]], books: tuple[Book, ...], credit_limit: int, status: str
) -> None:
    account = an_account(
        OWNER, 1, "GD", members=(OWNER, MEMBER), books=books, credit_limit=credit_limit, status=status, currency="CNY",
        zone="Asia/Shanghai", accumulators={"a@20261001": 3},
    )  # fmt: skip
    run, alone, events = ChargeRun(account, NOW_MS), account, list[Charged]()
    for usage, charge in charges:
        told = outcome(alone, usage, charge)
        try:
            mine: object = Charged(usage, charge, *run.take(usage, charge))
        except (Refused, Invalid) as fault:
            mine = (fault.reason, fault.message)
        assert mine == told
        if isinstance(told, Charged):
            alone = buckets.after(alone, told.apply(alone), told, NOW_MS)
            events.append(told)
        assert (run.state().books, run.state().accumulators) == (alone.books, alone.accumulators)
    if events:
        after = apply(account, events, "k", NOW_MS)
        assert after == replace(alone, version=after.version, mark=after.mark, terms_version=after.terms_version)


def outcome(account: Account, usage: Usage, charge: SealedCharge) -> Charged | tuple[str, str]:
    try:
        return PostCharge(usage, charge, account.version, account.mark).charged(account, NOW_MS)
    except (Refused, Invalid) as fault:
        return fault.reason, fault.message
