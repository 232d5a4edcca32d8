"""Planning a session on the platform: what one piece would cost, grants shrunk to what there is, the next tariff."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from charging.errors import Invalid, Refused
from charging.rating import session_asks, sessions
from charging.rating.session_asks import UnitAsk
from testkit.ledger import START_MS, Desk, contract_of, flat_pricing
from tests.unit.charging.session_steps import ID, ask, outcome, step, view


@given(
    pieces=st.lists(st.integers(0, 40), min_size=1, max_size=8),
    requested=st.integers(0, 50),
    free=st.integers(0, 100),
)
def test_a_session_costs_what_one_piece_would(pieces: list[int], requested: int, free: int) -> None:
    desk = Desk()
    desk.open(ID, 10_000)
    step(desk, "create", 0, ask(requested), free=free)
    for number, used in enumerate(pieces):
        operation = "release" if number == len(pieces) - 1 else "update"
        step(desk, operation, number + 1, ask(requested, used=used), free=free)
    whole = sum(pieces)
    assert view(desk.accounts[ID]) == (10_000 - max(0, whole - free) * 10, 0, 10_000 - max(0, whole - free) * 10)
    assert desk.accounts[ID].accumulators.get("free-voice@2027-01", 0) == whole


def test_the_grant_shrinks_to_what_is_left_and_is_marked_final_with_the_action_of_the_contract() -> None:
    desk = Desk()
    desk.open(ID, 95)
    grant = outcome(step(desk, "create", 0, ask(1_000_000))).grants[0]
    assert (grant.granted, grant.final_unit, grant.final_action) == (9, True, "terminate")
    account = desk.accounts[ID]
    contract = replace(contract_of(ID), attributes={"final_action": "redirect"})
    plan = sessions.plan(
        flat_pricing(), account, contract, session_asks.SessionAsk("s", "update", 1, ID, (ask(5, used=9),), 1)
    )
    grant = outcome(desk.do(ID, plan)).grants[0]
    assert (grant.granted, grant.final_unit, grant.final_action, grant.charged) == (0, True, "redirect", 90)


def test_credit_can_be_granted_to_its_end() -> None:
    desk = Desk()
    desk.open(ID, 5, credit_limit=95)
    assert outcome(step(desk, "create", 0, ask(11))).grants[0].granted == 10
    step(desk, "release", 1, ask(0, used=10))
    assert desk.accounts[ID].books[0].amount == -95


def test_no_quota_at_all_refuses_the_session() -> None:
    desk = Desk()
    before = desk.open(ID, 9)
    with pytest.raises(Refused) as refusal:
        step(desk, "create", 0, ask(1))
    assert (refusal.value.reason, desk.accounts[ID]) == ("INSUFFICIENT_FUNDS", before)


@pytest.mark.parametrize(
    ("unit", "reason"),
    [
        (ask(-1), "QUOTA_OUT_OF_RANGE"),
        (ask(1 << 60), "QUOTA_OUT_OF_RANGE"),
        (ask(1, used=-1), "USED_OUT_OF_RANGE"),
    ],
)
def test_planning_refuses_absurd_quantities(unit: UnitAsk, reason: str) -> None:
    desk = Desk()
    desk.open(ID, 1_000)
    with pytest.raises(Invalid) as fault:
        step(desk, "create", 0, unit)
    assert fault.value.reason == reason
    with pytest.raises(Invalid, match="each unit once"):
        step(desk, "create", 0, ask(1), ask(1))


def test_the_time_of_the_next_tariff_reaches_the_caller() -> None:
    desk = Desk()
    desk.open(ID, 1_000)
    flat = flat_pricing()
    switching = replace(flat, next_switch=lambda _, __, ___, usage: usage.start_ms + 5_000)
    done = desk.do(ID, desk.plan(ID, "s", "create", 0, ask(10), pricing=switching))
    assert outcome(done).grants[0].tariff_switch_ms == START_MS + 5_000
