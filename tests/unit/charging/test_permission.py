"""Who may do what: grants of a principal before those of its role before the built-in ones."""

import pytest

from charging.errors import Denied
from charging.ledger.commands.adjust import Adjust
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.commands.top_up import TopUp
from charging.ledger.permission import ALL, BUILT_IN, NAMES, NO_LIMIT, Grant, Policy, names_another
from testkit.ledger import opening

DANGEROUS = ("adjust", "refund", "set_credit_limit", "close_account", "approve", "amend_plan", "amend_units", "publish")


def reason(policy: Policy, principal: str, command: str, **named: str) -> str:
    with pytest.raises(Denied) as caught:
        policy.permit(principal, command, **named)
    return caught.value.reason


def test_a_front_end_makes_no_money_and_closes_nothing() -> None:
    policy = Policy()
    for command in DANGEROUS:
        assert reason(policy, "frontend/web-hall", command) == "COMMAND_NOT_GRANTED"
    assert not policy.permit("frontend", "open_account").allows(1)
    assert policy.permit("frontend", "top_up").allows(1_000_000_000)
    assert not policy.permit("frontend", "top_up").allows(1_000_000_001)
    assert policy.permit("frontend", "charge").allows(10**15)


def test_a_front_end_sells_what_has_fees_and_ends_what_gives_some_back() -> None:
    for command in ("subscribe", "unsubscribe", "change_plan", "leave", "pause", "resume"):
        for principal in ("frontend/web-hall", "operator/li"):
            permission = Policy().permit(principal, command)
            assert permission.allows(15_000_000)
            assert permission.alone(15_000_000)


def test_an_operator_is_not_alone_with_credit_and_large_adjustments() -> None:
    policy = Policy()
    assert policy.permit("operator/li", "adjust").alone(1_000_000_000)
    assert not policy.permit("operator/li", "adjust").alone(1_000_000_001)
    assert not policy.permit("operator/li", "set_credit_limit").alone(1)


def test_who_has_no_name_or_an_unknown_role_may_do_nothing() -> None:
    for principal in ("", "frontends", "appserver", "front/end"):
        for command in NAMES:
            assert reason(Policy(), principal, command) == "COMMAND_NOT_GRANTED"


def test_grants_of_a_principal_stand_for_those_of_its_role() -> None:
    own = Grant("frontend/acme", ("charge",), NO_LIMIT, NO_LIMIT, ("partner",), ("acme",), ("GD",))
    policy = Policy([own])
    assert policy.permit("frontend/acme", "charge", "partner", "acme", "GD").allows(5)
    assert reason(policy, "frontend/acme", "balance") == "COMMAND_NOT_GRANTED"
    assert reason(policy, "frontend/acme", "charge", channel="pos", partner="acme") == "CHANNEL_NOT_GRANTED"
    assert reason(policy, "frontend/acme", "charge", channel="partner", partner="blue") == "PARTNER_NOT_GRANTED"
    assert reason(policy, "frontend/acme", "charge", channel="partner") == "PARTNER_NOT_GRANTED"
    named = {"channel": "partner", "partner": "acme"}
    assert reason(policy, "frontend/acme", "charge", domain="BJ", **named) == "REGION_NOT_GRANTED"
    assert policy.permit("frontend/other", "balance").allows(0), "the role keeps what it had"


def test_a_grant_for_a_role_replaces_the_built_in_ones_of_that_role_alone() -> None:
    policy = Policy([Grant("frontend", ("quote",))])
    assert reason(policy, "frontend", "charge") == "COMMAND_NOT_GRANTED"
    assert policy.permit("operator", "adjust").allows(1)


def test_who_may_not_name_an_actor_may_name_itself() -> None:
    policy = Policy([Grant("operator/li", (ALL,), NO_LIMIT)])
    assert not names_another("operator/li", "li")
    assert not names_another("operator/li", "")
    assert names_another("operator/li", "CEO")
    with pytest.raises(Denied) as caught:
        policy.permit("operator/li", "adjust", actor=True)
    assert caught.value.reason == "ACTOR_NOT_GRANTED"


def test_limits_of_several_grants_are_the_largest() -> None:
    policy = Policy([Grant("pos", ("top_up",), 5, 2), Grant("pos", ("top_up",), 3, NO_LIMIT)])
    permission = policy.permit("pos", "top_up")
    assert (permission.amount_max, permission.alone_max) == (5, NO_LIMIT)


def test_remembered_permissions_are_bounded_whatever_callers_write() -> None:
    policy = Policy()
    for number in range(30_000):
        policy.permit("local", "charge", channel=f"c{number}")
    policy.permit("local", "charge", channel="x" * 1_000_000)
    assert len(policy._known) <= 10_000
    assert max(len(question[2]) for question in policy._known) <= 64


def test_commands_have_the_names_that_grants_use() -> None:
    assert SetStatus("closed", "").permission() == "close_account"
    assert SetStatus("suspended", "").permission() == "set_account_status"
    assert TopUp("gift", "byte", 1, 0, 0, "", "").permission() == "top_up_units"
    assert TopUp("main", "money", 1, 0, 0, "", "").permission() == "top_up"
    assert Adjust("main", 1, "").permission() == "adjust"
    assert opening("a").permission() == "open_account_past"  # As it was, for these tests.
    assert all(name in NAMES or name == ALL for grant in BUILT_IN for name in grant.commands)
