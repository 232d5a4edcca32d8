"""What a slot asks of a kind: it reads what it wrote, says so when it can't, and lets nothing else in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.msgpack import encode

from business.billing.kind import BILL_RUNS, subject_of
from business.kinds import KINDS
from business.subjects import unborn
from business.vouchers.kind import OWNERS
from charging.base import account_id, identity
from charging.base.subject import Instruction, PackedSubject, compose, kind_of, slot_of
from charging.errors import Broken, Denied, Invalid
from charging.ledger.permission import SUBJECTS, Policy

SLOTS = st.sampled_from(("GD/17", "X.y-1/0", "A/99999"))
LOCALS = st.sampled_from(("", "1001", "a@b", "2026-10"))


@given(st.sampled_from(tuple(KINDS)), SLOTS, LOCALS)
def test_an_id_says_of_which_kind_a_subject_is_and_which_slot_has_it(kind: str, slot: str, local: str) -> None:
    subject_id = compose(kind, slot, local)
    assert (kind_of(subject_id), slot_of(subject_id)) == (kind, slot)
    # No text is a subject's id and an account's, or an identity.
    assert account_id.slot_of(subject_id) == ""
    with pytest.raises(Invalid):
        identity.normalise(subject_id, "CN")


@pytest.mark.parametrize(
    "text",
    [
        "account:GD/3:1001",
        "domain:GD/3",
        "GD/3:1001",
        "GD/3:msisdn:8613800000001",
        "msisdn:8613800000001",
        "billruns:GD",
        "billruns:GD/3:",
        "billruns:GD/3:a b",
        "BillRuns:GD/3",
        "billruns:GD/123456",
        "",
        "x:GD/1",
    ],
)
def test_what_names_no_subject_has_neither_kind_nor_slot(text: str) -> None:
    assert (kind_of(text), slot_of(text)) == ("", "")


def test_an_action_that_can_not_be_read_is_the_senders_fault() -> None:
    for packed in (encode(["close_everything", 1]), encode(["complete_bill_run", "x"]), b"\x91", b"\xc1"):
        with pytest.raises(Invalid) as met:
            BILL_RUNS.doing(Raw(packed))
        assert met.value.reason == "ACTION_MALFORMED"
    asked = Instruction("billruns:GD/0", "k", b"", "", "", 0, Raw(b"\x91"))
    with pytest.raises(Invalid):
        BILL_RUNS.rule(unborn("billruns:GD/0"), asked, 1)


def test_a_fact_or_a_state_of_a_later_version_is_said_to_be_unreadable() -> None:
    before = unborn(subject_of("GD/0"))
    with pytest.raises(Broken) as met:
        BILL_RUNS.replay(before, (Raw(encode(["merged", 1])),))
    assert met.value.reason == "FACT_UNREADABLE"
    with pytest.raises(Broken) as met:
        BILL_RUNS.state(PackedSubject(before.subject_id, 1, Raw(encode({"runs": 1}))))
    assert met.value.reason == "SUBJECT_UNREADABLE"


def test_whatever_may_be_asked_of_a_subject_can_be_granted() -> None:
    doings = {doing for kind in KINDS.values() for doing in kind.doings} - OWNERS
    assert doings | {"bill_runs", "bills", "held_bills", "vouchers"} == SUBJECTS
    policy = Policy()
    for name in SUBJECTS:
        permission = policy.permit("operator/li", name)
        assert permission.amount_max == 0 or (name == "make_vouchers" and not permission.alone(10**12))
        with pytest.raises(Denied):
            policy.permit("frontend/web-hall", name)


def test_each_kind_is_listed_under_its_name_and_its_ids_are_read_as_such() -> None:
    assert {kind.name for kind in KINDS.values()} == set(KINDS)
    assert all(kind_of(compose(name, "GD/0")) == name for name in KINDS)
