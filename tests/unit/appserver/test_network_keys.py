"""What a network calls units and events, at the front door: rating groups, results of each, and what an event costs."""

import pytest
from onetier.v1 import service_desk_pb2 as pb

from testkit.front import Front, fault_of

YUAN, MB = 1_000_000, 1 << 20
Grant = pb.SessionResult.Grant


def key(group: int | None = None, identifier: int | None = None) -> pb.UnitKey:
    return pb.UnitKey(rating_group=group, service_identifier=identifier)


def step(operation: int, invocation: int, *units: pb.UnitUse) -> pb.SessionRequest:
    return pb.SessionRequest(session_id="pdu-1", operation=operation, invocation=invocation, units=units)


async def test_two_rating_groups_of_one_service_and_one_that_nobody_knows(front: Front) -> None:
    await front.open(money=100 * YUAN)
    units = [pb.UnitUse(unit_key=key(group), requested=10 * MB) for group in (10, 20, 77, 99)]
    create = front.execute(session=step(pb.SessionRequest.OPERATION_CREATE, 0, *units))
    created = (await front.one(create)).session
    told = {grant.unit_key.rating_group: grant for grant in created.grants}
    assert {group: (grant.service_code, grant.granted, grant.result_code) for group, grant in told.items()} == {
        10: ("data", 10 * MB, Grant.RESULT_CODE_SUCCESS),
        20: ("data", 10 * MB, Grant.RESULT_CODE_SUCCESS),
        77: ("", 0, Grant.RESULT_CODE_RATING_FAILED),
        99: ("data", 0, Grant.RESULT_CODE_CREDIT_CONTROL_NOT_APPLICABLE),
    }
    assert told[77].reason == "UNIT_KEY_UNKNOWN"
    assert not told[10].unit_key.HasField("service_identifier")
    again = (await front.one(create)).session
    assert (again.repeated, again.grants) == (True, created.grants)
    used = [pb.UnitUse(unit_key=key(group), used=4 * MB) for group in (10, 20)]
    released = (await front.one(front.execute(session=step(pb.SessionRequest.OPERATION_RELEASE, 1, *used)))).session
    assert {grant.unit_key.rating_group: grant.charged for grant in released.grants} == {10: 1_160_000, 20: 1_160_000}
    balance = (await front.one(front.query())).balance
    assert (balance.real, balance.reserved) == (100 * YUAN - 2_320_000, 0)


async def test_units_named_by_service_have_results_too_and_no_key(front: Front) -> None:
    await front.open(money=YUAN)
    unit = pb.UnitUse(service_code="data", requested=100 * MB)
    (grant,) = (
        await front.one(front.execute(session=step(pb.SessionRequest.OPERATION_CREATE, 0, unit)))
    ).session.grants
    assert not grant.HasField("unit_key")
    assert (grant.result_code, grant.reason, grant.final_unit) == (2001, "INSUFFICIENT_FUNDS", True)


@pytest.mark.parametrize(
    "units",
    [
        [pb.UnitUse(unit_key=key(10)), pb.UnitUse(unit_key=key(10))],
        [pb.UnitUse(unit_key=key(10)), pb.UnitUse(unit_key=key(10), service_code="data")],
        [pb.UnitUse(unit_key=key())],
        [pb.UnitUse()],
        [pb.UnitUse(unit_key=key(10, number)) for number in range(100)],
    ],
    ids=["twice", "twice, once by service", "empty key", "nothing", "a hundred"],
)
async def test_units_that_can_not_be_meant_refuse_the_step(front: Front, units: list[pb.UnitUse]) -> None:
    await front.open()
    reply = await front.one(front.execute(session=step(pb.SessionRequest.OPERATION_CREATE, 0, *units)))
    assert fault_of(reply).reason == "SESSION_UNITS_MALFORMED"


async def test_zero_is_a_number_and_the_largest_too(front: Front) -> None:
    await front.open(money=100 * YUAN)
    largest = (1 << 32) - 1
    units = [
        pb.UnitUse(unit_key=key(*numbers), service_code="data", requested=MB)
        for numbers in ((0, None), (None, 0), (0, 0), (largest, largest))
    ]
    created = (await front.one(front.execute(session=step(pb.SessionRequest.OPERATION_CREATE, 0, *units)))).session
    assert [grant.unit_key for grant in created.grants] == [unit.unit_key for unit in units]


async def test_an_event_is_debited_priced_checked_and_refunded_by_its_key(front: Front) -> None:
    await front.open(money=150_000)
    event = {"service_code": "", "unit_key": key(5), "quantity": 1}
    price = (await front.one(front.quote(**event))).quote
    assert (price.amount, price.covered) == (100_000, True)
    debit = front.charge(**event)
    assert (await front.one(debit)).charge.amount == 100_000
    assert (await front.one(debit)).charge.repeated
    assert not (await front.one(front.quote(**event))).quote.covered
    assert fault_of(await front.one(front.charge(**event))).reason == "INSUFFICIENT_FUNDS"
    refund = await front.one(front.execute(refund=pb.Refund(charge_key=debit.request_key)))
    assert refund.command.movements[0].delta == 100_000
    (line,) = [
        line
        for line in (await front.one(front.query(view="history"))).history.lines
        if line.kind == "c" and line.amount
    ]
    assert line.service_code == "sms"


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"service_code": "", "unit_key": key(77)}, "UNIT_KEY_UNKNOWN", "unit_key"),
        ({"service_code": "", "unit_key": key(99)}, "UNIT_NOT_CONTROLLED", "unit_key"),
        ({"service_code": "", "unit_key": key()}, "SERVICE_UNKNOWN", "unit_key"),
        ({"unit_key": key(5)}, "FIELD_WITHOUT_EFFECT", "unit_key"),
    ],
)
async def test_an_event_whose_key_says_nothing_is_refused_and_nothing_moves(
    front: Front, fields: dict[str, object], reason: str, field: str
) -> None:
    await front.open()
    for request in (front.charge(**fields), front.quote(**fields)):
        fault = fault_of(await front.one(request))
        assert fault.reason == reason
        assert field in fault.fields
    assert (await front.one(front.query())).balance.version == 1
