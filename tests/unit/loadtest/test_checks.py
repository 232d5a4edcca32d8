"""The load test's own checks: a right answer passes, and each kind of wrong one is named."""

from collections.abc import Callable

import pytest
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from onetier.v1 import service_desk_pb2 as desk

from loadtest import checks

HOME = {"GD"}


def charged() -> desk.ServiceReply:
    """300 micro-units from the main book and a minute from a pack, explained."""
    money = desk.BookMovement(book_id="main", unit="money", delta=-300, before=1_000, after=700)
    units = desk.BookMovement(book_id="pack", unit="second", delta=-60, before=600, after=540)
    steps = [desk.ChargeStep(kind="tariff", exact="901/3"), desk.ChargeStep(kind="rounding", exact="-1/3")]
    charge = desk.ChargeResult(
        amount=300, currency="CNY", movements=[money, units], steps=steps, account_version=7, domain="GD"
    )
    return desk.ServiceReply(charge=charge)


def test_a_right_charge_passes() -> None:
    assert checks.charge_fault(charged(), HOME, resent=False) == ""


def _double(reply: desk.ServiceReply) -> None:
    reply.charge.amount *= 2


def _wrong_after(reply: desk.ServiceReply) -> None:
    reply.charge.movements[1].after += 1


def _unexplained(reply: desk.ServiceReply) -> None:
    reply.charge.steps[0].exact = "300/1"


def _elsewhere(reply: desk.ServiceReply) -> None:
    reply.charge.domain = "XJ"


def _repeated(reply: desk.ServiceReply) -> None:
    reply.charge.repeated = True


def _no_money(reply: desk.ServiceReply) -> None:
    reply.error.CopyFrom(Status(code=9, message="no balance"))


def _balance(reply: desk.ServiceReply) -> None:
    reply.balance.real = 1


def _unversioned(reply: desk.ServiceReply) -> None:
    reply.charge.account_version = 0


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_double, "charged 600, but 300 was taken"),
        (_wrong_after, "does not hold"),
        (_unexplained, "the steps add up to"),
        (_elsewhere, "charged in XJ, not in GD"),
        (_repeated, "never sent before"),
        (_no_money, "refused with FAILED_PRECONDITION: no balance"),
        (_balance, "balance instead of charge"),
        (_unversioned, "at version 0"),
    ],
)
def test_a_wrong_charge_is_named(spoil: Callable[[desk.ServiceReply], None], words: str) -> None:
    reply = charged()
    spoil(reply)
    assert words in checks.charge_fault(reply, HOME, resent=False)


def test_a_key_that_was_sent_again_may_be_told_its_first_outcome() -> None:
    reply = charged()
    reply.charge.repeated = True
    assert checks.charge_fault(reply, HOME, resent=True) == ""


def test_views_must_be_those_asked_for() -> None:
    asked = desk.ServiceRequest(identity="a", request_type=desk.REQUEST_TYPE_QUERY, service_code="balance")
    view = desk.BalanceView(domain="GD", real=10, reserved=4, available=6)
    assert checks.query_fault(asked, desk.ServiceReply(balance=view), "GD") == ""
    assert "subscriber is of XJ" in checks.query_fault(asked, desk.ServiceReply(balance=view), "XJ")
    view.available = 10
    assert "available 10" in checks.query_fault(asked, desk.ServiceReply(balance=view), "GD")
    asked.service_code = "contract"
    other = desk.ServiceReply(contract=desk.ContractView(contract=desk.Contract(identity="b")))
    assert "contract of b" in checks.query_fault(asked, other, "GD")
    asked.request_type = desk.REQUEST_TYPE_QUOTE
    assert "explains nothing" in checks.query_fault(asked, desk.ServiceReply(quote=desk.ChargeResult()), "GD")


def test_a_session_step_answers_its_own_invocation_and_takes_nothing_back() -> None:
    unit = desk.UnitUse(service_code="data", requested=100, used=50)
    asked = desk.ServiceRequest(session=desk.SessionRequest(session_id="s", invocation=1, units=[unit]))
    grant = desk.SessionResult.Grant(service_code="data", granted=100, charged=30)
    told = desk.SessionResult(session_id="s", invocation=1, grants=[grant])
    reply = desk.ServiceReply(session=told)
    assert checks.session_fault(asked, reply, 30, last=False) == ""
    assert "charged 30 so far, 31 before" in checks.session_fault(asked, reply, 31, last=False)
    assert "granted 100" in checks.session_fault(asked, reply, 30, last=True)
    asked.session.invocation = 2
    assert "another session" in checks.session_fault(asked, reply, 30, last=False)


def test_what_is_repeated_and_how_soon() -> None:
    detail = Any()
    detail.Pack(RetryInfo(retry_delay=Duration(nanos=250_000_000)))
    busy = desk.ServiceReply(error=Status(code=8, message="full", details=[detail]))
    assert checks.transient(busy)
    assert checks.pause_s(busy) == 0.25
    assert checks.pause_s(desk.ServiceReply(error=Status(code=14))) == checks.PAUSE_S
    assert not checks.transient(desk.ServiceReply(error=Status(code=9)))
    assert not checks.transient(charged())
