"""Many charges of one command, taken in one pass: each finds and leaves what it would have alone."""

from typing import cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from charging.base.account import Account, Book
from charging.base.bounds import USED_MAX
from charging.base.usage import SealedCharge, Usage
from charging.errors import Invalid, Refused
from charging.ledger import buckets
from charging.ledger.applying import apply
from charging.ledger.command import Command
from charging.ledger.commands.post_charge import Charged, PostCharge
from charging.ledger.commands.post_usage import PostUsage, RatedUse, UseOutcomes, read_outcomes
from charging.ledger.effect import VersionMoved
from charging.ledger.kinds import Event
from charging.ledger.running import ChargeRun
from charging.ledger.spreading import spread
from charging.ledger.usescharged import UsesCharged
from testkit.ledger import an_account
from testkit.usecolumns import in_columns, packed

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


@settings(deadline=None)
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


USES = st.lists(
    st.builds(
        lambda service, days, visited, amount, accruals, item, since, party: (
            Usage(OWNER, service, NOW_MS - days * DAY_MS, 60, party, visited, {"apn": "net"} if visited else {}),
            SealedCharge(amount, "CNY", (), accruals, 1, bool(accruals), Raw(b"\x90"), item, since),
        ),
        st.sampled_from(["voice", "sms"]),
        st.sampled_from([0, 0, 0, 1, 30, 34, 80]),
        st.sampled_from(["", "GX"]),
        st.sampled_from([0, 1, 7, 100, 450]),
        st.sampled_from([(), (("a@20261001", 5),), (("a@20261101", 5), ("b", 1)), (("a@20261120", 0),), (("b", -1),)]),
        st.sampled_from(["", "calls"]),
        st.sampled_from([0, 20_000]),
        st.sampled_from(["", MEMBER]),
    ),
    min_size=1,
    max_size=12,
)


@settings(deadline=None)
@given(USES, st.sampled_from([(MAIN,), BOOKS]), st.sampled_from([0, 3_000]), st.integers(0, 3), st.booleans())
def test_uses_in_columns_do_what_they_do_one_by_one(
    charges: list[tuple[Usage, SealedCharge]], books: tuple[Book, ...], credit_limit: int, closed: int, known: bool
) -> None:
    account = an_account(
        OWNER, 1, "GD", members=(OWNER, MEMBER), books=books, credit_limit=credit_limit, currency="CNY",
        zone="Asia/Shanghai", accumulators={"a@20261001": 3, **({"a@20261101": 1, "b": 0} if known else {})},
        closed=2026 * 12 + 9 + closed,
    )  # fmt: skip
    order = PostUsage("plant", 1, tuple(use for use, _ in charges), (), tuple(RatedUse(each) for _, each in charges), 1)
    travels = packed(order)
    assert (travels.uses, travels.rated, travels.at_stake()) == ((), (), order.at_stake())
    rows, columns = done(account, order), done(account, travels)
    assert columns[1:] == rows[1:]
    assert list(spread(columns[0])) == list(rows[0])
    if rows[0]:
        assert columns[1] == apply(account, columns[0], "k", NOW_MS)
        assert list(columns[1].accumulators) == list(rows[1].accumulators), "in the same order"


def done(account: Account, order: PostUsage) -> tuple[tuple[Event, ...], Account, UseOutcomes | None]:
    try:
        effect = order.decide(account, Command(OWNER, "k", b"d" * 16, "", "front", NOW_MS, order), NOW_MS)
    except VersionMoved:
        return (), account, None
    assert effect.detail is not None
    events = cast(tuple[Event, ...], effect.events)
    return events, apply(account, events, "k", NOW_MS), read_outcomes(effect.detail)


@settings(deadline=None)
@given(USES)
def test_uses_come_back_out_of_columns_as_they_went_in(charges: list[tuple[Usage, SealedCharge]]) -> None:
    columns = in_columns(charges)
    assert columns is not None
    assert list(columns.charges()) == charges
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(columns), type=UsesCharged)
    assert list(again.charges()) == charges
    assert list(columns.billed()) == [part for use, charge in charges for part in Charged(use, charge, (), ()).billed()]


def test_columns_that_do_not_fit_each_other_are_no_uses() -> None:
    columns = in_columns(
        [(Usage(OWNER, "voice", 1, 60), SealedCharge(5, "CNY", (), (("b", 1),), 1, True, Raw(b"\x90")))]
    )
    assert columns is not None
    for wrong in (
        {"amounts": (5, 5)}, {"amounts": (-5,)}, {"kind_of": (1,)}, {"kind_of": (-1,)}, {"counted": ()},
        {"steps_of": (1,)}, {"steps": ()},
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"use|counted"):
            replace(columns, **wrong)
    torn = msgspec.msgpack.encode(columns).replace(b"msisdn", b"tornnn").replace(b"\x91\x05", b"\x92\x05\x05")
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(torn, type=UsesCharged)


@pytest.mark.parametrize("quantity", [-1, USED_MAX + 1, (1 << 64) - 1])
def test_a_quantity_that_no_use_has_is_not_taken_however_it_is_posted(quantity: int) -> None:
    account = an_account(OWNER, 1, "GD", members=(OWNER,), books=(MAIN,), currency="CNY", zone="Asia/Shanghai")
    use, charge = Usage(OWNER, "sms", NOW_MS, quantity), SealedCharge(5, "CNY", (), (), 1, False, Raw(b"\x90"))
    order = PostUsage("plant", 1, (replace(use, quantity=1), use), (), (RatedUse(charge),) * 2, 1)
    for each in (order, packed(order)):
        with pytest.raises(Invalid, match="is not possible: a quantity is"):
            done(account, each)


def test_uses_of_several_identities_or_of_named_books_stay_single() -> None:
    use, charge = Usage(OWNER, "voice", 1, 60), SealedCharge(5, "CNY", (), (), 1, False, Raw(b"\x90"))
    assert in_columns([(use, charge), (replace(use, identity=MEMBER), charge)]) is None
    assert in_columns([(use, replace(charge, takes=(("minutes", 1),)))]) is None
    assert in_columns([]) is None
