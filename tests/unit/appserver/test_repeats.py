"""A key again: the repeat is the first reply to the byte, the look-up tells it too, and neither does a thing."""

import time
from collections.abc import Callable

import pytest
from onetier.v1 import service_desk_pb2 as pb

from charging.bills.taxtable import TaxTable
from charging.errors import Invalid
from charging.rating.closing import closing_of, ended_ms
from testkit.front import A, B, Front, fault_of
from testkit.owner import OwnerInMemory, catalogue

pytestmark = pytest.mark.timeout(30)

YUAN = 1_000_000
OPENED = [B, "msisdn:8613000000003"]


def step(front: Front) -> pb.ServiceRequest:
    use = pb.UnitUse(service_code="data", requested=10 << 20)
    create = pb.SessionRequest(session_id="s-1", operation=pb.SessionRequest.OPERATION_CREATE, units=[use])
    return front.execute(session=create)


MAKERS: dict[str, Callable[[Front], pb.ServiceRequest]] = {
    "charge": lambda front: front.charge(),
    "charge explained": lambda front: front.charge(explain=True),
    "charge without a time": lambda front: front.charge(explain=True, event_time_ms=0),
    "charge of an allowance": lambda front: front.charge(quantity=90, explain=True),
    "refusal": lambda front: front.charge(service_code="data", quantity=1 << 40),
    "command": lambda front: front.execute(top_up=pb.TopUp(amount=5)),
    "command at a time": lambda front: front.execute(top_up=pb.TopUp(amount=5), event_time_ms=1_700_000_000_000),
    "command refused": lambda front: front.execute(refund=pb.Refund(charge_key="none")),
    "session": step,
    "opening": lambda front: front.opening(OPENED[1]),
}


def without_mark(reply: pb.ServiceReply) -> bytes:
    """The reply on the wire, but for `repeated`."""
    copy = pb.ServiceReply()
    copy.CopyFrom(reply)
    name = copy.WhichOneof("result")
    if name is not None:
        getattr(copy, name).repeated = False
    return copy.SerializeToString(deterministic=True)


@pytest.mark.parametrize("name", MAKERS)
async def test_a_repeat_is_the_first_reply_to_the_byte(front: Front, owner: OwnerInMemory, name: str) -> None:
    await front.open(money=100 * YUAN, offering="bundle")
    request = MAKERS[name](front)
    first = await front.one(request)
    owner.publish(catalogue(2, "0.9"))
    await front.one(front.execute(top_up=pb.TopUp(amount=YUAN)))
    again = await front.one(request)
    assert without_mark(again) == without_mark(first)
    result = again.WhichOneof("result")
    assert result is None or getattr(again, result).repeated
    in_batch = await front.exchange(request, request)
    assert {without_mark(reply) for reply in in_batch} == {without_mark(first)}


@pytest.mark.parametrize("name", [name for name in MAKERS if name != "command refused"])
async def test_the_outcome_of_a_key_is_told_as_its_repeat_would_be(
    front: Front, owner: OwnerInMemory, name: str
) -> None:
    await front.open(money=100 * YUAN)
    request = MAKERS[name](front)
    asked = front.query(request.identity, "outcome", request_key=request.request_key, explain=request.explain)
    if name != "opening":
        before = (await front.one(asked)).outcome
        assert (before.state, before.HasField("reply")) == (before.STATE_UNKNOWN, False)
    first = await front.one(request)
    journals = {account: len(entries) for account, entries in owner.desk.journals.items()}
    told = (await front.one(asked)).outcome
    assert told.state == (told.STATE_REFUSED if name == "refusal" else told.STATE_DONE)
    assert told.request_key == request.request_key
    assert without_mark(told.reply) == without_mark(first)
    unary = await front.stub.Query(pb.QueryRequest(request=asked), timeout=5)
    assert unary.outcome == told
    assert {account: len(entries) for account, entries in owner.desk.journals.items()} == journals


async def test_the_outcome_of_the_key_that_closed_a_period_is_told(front: Front, owner: OwnerInMemory) -> None:
    await front.open(money=100 * YUAN)
    await front.one(front.charge(event_time_ms=owner.desk.now_ms))
    for key in ("empty", "bill"):
        account = owner.desk.accounts[A]
        month = account.terms.closed + 1
        owner.desk.now_ms = ended_ms(account, month)
        done = owner.desk.do(A, closing_of(account, TaxTable(), month, owner.desk.now_ms), key)
    assert done.detail
    told = (await front.one(front.query(A, "outcome", request_key="bill"))).outcome
    assert (told.state, told.reply.command.amount) == (told.STATE_DONE, done.amount)


async def test_the_outcome_of_an_unknown_identity_or_by_a_closed_channel_is_a_fault(front: Front) -> None:
    await front.open()
    unknown, closed, unkeyed = await front.exchange(
        front.query(B, "outcome", request_key="k"),
        front.query(A, "outcome", request_key="k", channel="fax"),
        front.query(A, "outcome"),
    )
    assert fault_of(unknown).reason == "IDENTITY_UNKNOWN"
    assert fault_of(closed).reason == "CHANNEL_CLOSED"
    assert fault_of(unkeyed).reason == "REQUEST_KEY_MISSING"


async def test_a_time_that_is_not_given_is_no_content_of_the_key(front: Front, owner: OwnerInMemory) -> None:
    await front.open()
    request = front.charge(event_time_ms=0)
    before_ms = int(time.time() * 1000)
    first = (await front.one(request)).charge
    time.sleep(0.005)  # noqa: ASYNC251 - the clock is to move
    again = (await front.one(request)).charge
    assert (again.repeated, again.account_version) == (True, first.account_version)
    (event,) = owner.desk.journals[A][-1].events
    assert before_ms <= event.usage.start_ms <= int(time.time() * 1000), "the platform stamps it"
    timed = front.charge(request_key=request.request_key, event_time_ms=before_ms)
    assert fault_of(await front.one(timed)).reason == "REQUEST_KEY_REUSED", "a time that is given is content"


async def test_what_is_written_in_vain_is_refused(front: Front) -> None:
    await front.open()
    refused = [
        (front.query(quantity=5), "quantity"),
        (front.query(view="contract", explain=True), "explain"),
        (front.query(view="history", event_time_ms=5), "event_time_ms"),
        (front.query(request_key="k"), "request_key"),
        (front.quote(request_key="k"), "request_key"),
        (front.charge(top_up=pb.TopUp(amount=5)), "top_up"),
        (front.execute(top_up=pb.TopUp(amount=5), quantity=7), "quantity"),
        (front.execute(top_up=pb.TopUp(amount=5), service_code="voice"), "service_code"),
        (front.execute(top_up=pb.TopUp(amount=5), attributes={"a": "b"}), "attributes"),
    ]
    replies = await front.exchange(*(request for request, _ in refused))
    for reply, (_, field) in zip(replies, refused, strict=True):
        fault = fault_of(reply)
        assert (type(fault), fault.reason, list(fault.fields)) == (Invalid, "FIELD_WITHOUT_EFFECT", [field])
    balance = (await front.one(front.query())).balance
    assert balance.version == 1


async def test_a_contract_of_another_account_is_refused(front: Front) -> None:
    await front.open()
    outer = pb.SetContract(account_id=B, contract=pb.Contract())
    inner = pb.SetContract(contract=pb.Contract(account_id=B))
    both = pb.SetContract(account_id=A, contract=pb.Contract(account_id=B))
    opening = front.opening(B)
    opening.open_account.contract.account_id = A
    replies = await front.exchange(*(front.execute(set_contract=each) for each in (outer, inner, both)), opening)
    assert [fault_of(reply).reason for reply in replies] == ["ACCOUNT_MISMATCH"] * 4
