"""Keys of accumulators: one meaning each, whatever stands in them, and every reader reads what the writer meant."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from charging.base import accumulators
from charging.base.account import Threshold
from charging.base.accumulators import KeyParts
from charging.base.localtime import LIFE, MONTH
from charging.ledger.accruals import accrue
from charging.ledger.standing import consequences
from charging.plans.compile_tariffs import cap_name
from charging.plans.compiled import Counter
from testkit.ledger import an_account

TEXTS = st.text(st.sampled_from("a1@|%/.:~47C25é"), max_size=6) | st.text(max_size=6)
KEYS = st.builds(KeyParts, TEXTS, TEXTS, TEXTS, TEXTS)
REALM, OTHER_REALM = "broadband:bj0012@adsl", "broadband:bj0012@ftth"


@given(KEYS)
@example(KeyParts("%7C", "%25", "@", "|"))
def test_a_key_is_read_as_it_was_written(meant: KeyParts) -> None:
    assert accumulators.parts(accumulators.key(*meant)) == meant
    assert accumulators.name_of(accumulators.key(*meant)) == meant.name


@given(KEYS, KEYS)
@example(KeyParts("a", "p", "b", "c"), KeyParts("a|b", "p", "c"))
def test_two_meanings_never_have_one_key(one: KeyParts, other: KeyParts) -> None:
    assert (accumulators.key(*one) == accumulators.key(*other)) == (one == other)


@given(KEYS, KEYS)
def test_a_counter_is_the_same_in_all_its_periods_and_no_other(one: KeyParts, other: KeyParts) -> None:
    same = one._replace(period="") == other._replace(period="")
    assert accumulators.same_counter(accumulators.key(*one), accumulators.key(*other)) == same


def test_an_identity_with_a_realm_keeps_counters_of_its_own() -> None:
    counts: dict[str, int] = {}
    for month in range(20_000, 20_400, 40):
        for identity in (REALM, OTHER_REALM):
            counts = accrue(counts, ((Counter("bytes", MONTH, False).key(identity, 1, month), 1),))
    kept = [accumulators.parts(key) for key in counts]
    assert [parts.holder for parts in kept].count(REALM) == 4
    assert [parts.holder for parts in kept].count(OTHER_REALM) == 4
    assert all(parts.name == "bytes" for parts in kept)


@pytest.mark.parametrize("shared", [True, False])
def test_a_threshold_watches_shared_counters_and_those_of_each_identity(shared: bool) -> None:
    counter = Counter("called", LIFE, shared)
    account = an_account("acc", 1, "GD", thresholds=(Threshold("mark", "called", 3),))
    noticed = []
    for count in range(1, 5):
        after = an_account(
            "acc", 1, "GD", accumulators={counter.key(REALM, 1, 0): count}, thresholds=account.terms.thresholds
        )
        noticed.append([event.notices for event in consequences(account, after, 0)])  # type: ignore[union-attr]
        account = after
    assert noticed == [[], [], [("usage:mark",)], []]


def test_a_threshold_does_not_watch_counters_whose_names_only_begin_alike() -> None:
    before = an_account("acc", 1, "GD", thresholds=(Threshold("mark", "called", 1),))
    after = an_account("acc", 1, "GD", accumulators={"called.member|x@all": 5}, thresholds=before.terms.thresholds)
    assert consequences(before, after, 0) == ()


def test_prices_whose_ids_read_alike_when_joined_keep_caps_of_their_own() -> None:
    assert cap_name("a.b", "c") != cap_name("a", "b.c")
