"""A month of a pattern of use, and last month's use on another plan: allowances run, fees count, nothing is posted."""

from collections.abc import Iterable

from msgspec.structs import replace
from onetier.v1 import service_desk_pb2 as pb

from appserver.reading.patterns import PatternAsk
from appserver.work.views import comparing
from appserver.work.views.month import spread
from charging.base.localtime import LocalTime
from charging.catalogue.document import Catalogue
from charging.catalogue.offers import Fee
from runtime.status import from_status
from testkit.front import A, Front
from testkit.owner import OwnerInMemory, catalogue

SHANGHAI = LocalTime("Asia/Shanghai")
DAY_MS = 86_400_000
OCTOBER_MS, NOVEMBER_MS = 1_790_784_000_000, 1_793_462_400_000
"""2026, by the clock of Shanghai."""


def with_fees() -> Catalogue:
    """The bundle costs 15 a cycle, the plan 1."""
    plain = catalogue(2)
    offerings = tuple(replace(each, fees=(f"fee-{each.id}",)) for each in plain.offerings)
    return replace(plain, offerings=offerings, fees=(Fee("fee-plan", "1"), Fee("fee-bundle", "15")))


def pattern(*uses: pb.PatternUse) -> pb.UsagePattern:
    return pb.UsagePattern(uses=uses)


CALLS = pb.PatternUse(service_code="voice", quantity=600, count=20)
"""Two hundred minutes a month; the bundle has a hundred."""


async def month(front: Front, *uses: pb.PatternUse, offerings: Iterable[str] = (), **fields: object) -> pb.ServiceReply:
    request = front.query(A, "month", pattern=pattern(*uses), **fields)
    request.offerings.extend(offerings)
    return await front.one(request)


async def test_a_pattern_is_priced_with_the_allowance_running_down(front: Front, owner: OwnerInMemory) -> None:
    owner.publish(with_fees())
    await front.open()
    before = (await front.one(front.query())).balance
    plain = (await month(front, CALLS)).month
    assert [(each.service_code, each.fee, each.amount) for each in plain.lines] == [
        ("voice", "", 40_000_000),
        ("", "fee-plan", 1_000_000),
    ]
    bundle = (await month(front, CALLS, offerings=["bundle"])).month
    (calls, fee) = bundle.lines
    assert (calls.count, calls.quantity, calls.free_quantity, calls.amount) == (20, 12_000, 6_000, 20_000_000)
    assert (fee.fee, fee.amount) == ("fee-bundle", 15_000_000)
    assert bundle.amount == 35_000_000
    assert [(left.allowance, left.used, left.remaining) for left in bundle.allowances] == [("minutes-100", 6_000, 0)]
    assert bundle.to_ms - bundle.from_ms >= 28 * DAY_MS
    assert (await front.one(front.query())).balance == before


async def test_a_month_that_has_begun_is_priced_whole(front: Front, owner: OwnerInMemory) -> None:
    owner.publish(with_fees())
    await front.open(offering="bundle")
    await front.one(front.charge(quantity=6_000))
    now_ms = owner.desk.now_ms
    view = (await month(front, CALLS, from_ms=now_ms)).month
    assert view.from_ms <= now_ms < view.to_ms
    assert view.lines[0].free_quantity == 6_000


async def refused(front: Front, *uses: pb.PatternUse, offerings: Iterable[str] = (), **fields: object) -> str:
    reply = await month(front, *uses, offerings=offerings, **fields)
    assert reply.HasField("error"), reply
    return from_status(reply.error).reason


async def test_patterns_that_can_t_be_are_refused(front: Front) -> None:
    await front.open()
    assert await refused(front) == "PATTERN_MALFORMED"
    assert await refused(front, *[CALLS] * 65) == "PATTERN_MALFORMED"
    assert await refused(front, pb.PatternUse(service_code="voice", quantity=1, count=3_001)) == "PATTERN_MALFORMED"
    assert await refused(front, pb.PatternUse(service_code="voice", quantity=1)) == "PATTERN_MALFORMED"
    assert await refused(front, pb.PatternUse(service_code="voice", count=1)) == "QUANTITY_OUT_OF_RANGE"
    assert await refused(front, pb.PatternUse(service_code="Ü", quantity=1, count=1)) == "SERVICE_UNKNOWN"
    assert await refused(front, pb.PatternUse(service_code="tv", quantity=1, count=1)) == "SERVICE_UNKNOWN"
    late = pb.PatternUse(service_code="voice", quantity=1, count=1, from_hour=9, to_hour=9)
    assert await refused(front, late) == "PATTERN_MALFORMED"
    assert await refused(front, CALLS, offerings=["nothing"]) == "OFFERING_UNKNOWN"
    assert await refused(front, CALLS, from_ms=5) == "TIMES_MALFORMED"


def ask(**fields: object) -> PatternAsk:
    given: dict[str, object] = {"weekdays": tuple(range(7)), "from_hour": 0, "to_hour": 24}
    plain = PatternAsk("voice", 60, 1, "", "", {}, (), 0, 24)
    return replace(plain, **(given | fields))


def test_usages_are_spread_over_the_days_and_hours_that_are_named() -> None:
    sundays = ask(count=100, weekdays=(6,), from_hour=20, to_hour=22)
    found = spread((sundays, ask(count=3)), A, SHANGHAI, OCTOBER_MS, NOVEMBER_MS)
    assert len(found) == 103
    assert found == sorted(found, key=lambda usage: usage.start_ms)
    evenings = [usage for usage in found if (usage.start_ms + 8 * 3_600_000) % DAY_MS // 3_600_000 in (20, 21)]
    assert len(evenings) >= 100
    assert all(OCTOBER_MS <= usage.start_ms < NOVEMBER_MS for usage in found)


async def compare(front: Front, offering: str, **fields: object) -> pb.CompareView:
    request = front.query(A, "compare", **fields)
    request.offerings.append(offering)
    reply = await front.one(request)
    assert reply.WhichOneof("result") == "compare", reply
    return reply.compare


async def test_what_was_used_is_priced_on_another_plan(front: Front, owner: OwnerInMemory) -> None:
    owner.publish(with_fees())
    await front.open()
    now_ms = owner.desk.now_ms
    charges = [front.charge(quantity=3_000, event_time_ms=now_ms - 60_000 * n) for n in range(1, 5)]
    for reply in await front.exchange(*charges, front.charge(service_code="sms", quantity=2)):
        assert reply.HasField("charge"), reply
    begins_ms = now_ms - 3_600_000
    view = await compare(front, "bundle", from_ms=begins_ms, to_ms=0)
    lines = {each.service_code or each.fee: each for each in view.lines}
    assert (lines["voice"].before, lines["voice"].after) == (40_000_000, 20_000_000)
    assert lines["voice"].count == 4
    assert lines["voice"].difference == -20_000_000
    assert (lines["sms"].before, lines["sms"].after) == (200_000, 200_000)
    assert lines["fee-plan"].after == lines["fee-bundle"].before == 0
    assert view.difference == view.after - view.before
    assert view.before == sum(each.before for each in view.lines)


async def test_a_session_is_one_usage_and_a_refund_lowers_what_it_cost(front: Front, owner: OwnerInMemory) -> None:
    await front.open()
    call = front.charge(quantity=600)
    await front.one(call)
    await front.one(front.execute(refund=pb.Refund(charge_key=call.request_key, amount=500_000)))
    operations = (
        pb.SessionRequest.OPERATION_CREATE,
        pb.SessionRequest.OPERATION_UPDATE,
        pb.SessionRequest.OPERATION_RELEASE,
    )
    for number, (operation, used) in enumerate(zip(operations, (0, 1 << 20, 1 << 20), strict=True)):
        units = [pb.UnitUse(service_code="data", used=used, requested=1 << 20 if number < 2 else 0)]
        step = pb.SessionRequest(session_id="s", operation=operation, invocation=number, units=units)
        assert (await front.one(front.execute(session=step))).HasField("session")
    view = await compare(front, "bundle", from_ms=owner.desk.now_ms - 3_600_000)
    lines = {each.service_code: each for each in view.lines if each.service_code}
    assert (lines["data"].count, lines["data"].quantity, lines["data"].before) == (1, 2 << 20, 580_000)
    assert lines["data"].after == 580_000
    assert (lines["voice"].before, lines["voice"].after) == (1_500_000, 0)


async def test_an_empty_month_compares_its_fees_alone(front: Front, owner: OwnerInMemory) -> None:
    owner.publish(with_fees())
    await front.open()
    view = await compare(front, "bundle")
    assert [(each.fee, each.before, each.after) for each in view.lines] == [
        ("fee-bundle", 0, 15_000_000),
        ("fee-plan", 1_000_000, 0),
    ]
    assert view.difference == 14_000_000


async def test_comparisons_that_can_t_be_are_refused(front: Front, owner: OwnerInMemory) -> None:
    await front.open()
    now_ms = owner.desk.now_ms

    async def reason(offering: str, **fields: object) -> str:
        request = front.query(A, "compare", **fields)
        if offering:
            request.offerings.append(offering)
        return from_status((await front.one(request)).error).reason

    assert await reason("") == "OFFERING_UNKNOWN"
    assert await reason("nothing") == "OFFERING_UNKNOWN"
    assert await reason("bundle", from_ms=now_ms - 90 * DAY_MS) == "TIMES_MALFORMED"
    assert await reason("bundle", from_ms=now_ms - DAY_MS, to_ms=now_ms + DAY_MS) == "TIMES_MALFORMED"


async def test_more_use_than_one_comparison_takes_is_refused(front: Front, owner: OwnerInMemory) -> None:
    await front.open()
    await front.exchange(*(front.charge() for _ in range(30)))
    most, comparing.USAGES_MAX = comparing.USAGES_MAX, 20
    try:
        request = front.query(A, "compare", from_ms=owner.desk.now_ms - 3_600_000)
        request.offerings.append("bundle")
        assert from_status((await front.one(request)).error).reason == "USE_TOO_MUCH"
    finally:
        comparing.USAGES_MAX = most


async def test_a_price_may_be_asked_for_a_time_ahead(front: Front, owner: OwnerInMemory) -> None:
    await front.open(offering="bundle")
    await front.one(front.charge(quantity=6_000))
    now_ms = owner.desk.now_ms
    used_up = (await front.one(front.quote(quantity=600, event_time_ms=now_ms))).quote
    assert used_up.amount == 2_000_000
    ahead = (await front.one(front.quote(quantity=600, event_time_ms=now_ms + 62 * DAY_MS))).quote
    assert ahead.amount == 0, "another cycle has its own allowance"
    reply = await front.one(front.quote(event_time_ms=now_ms + 500 * DAY_MS))
    assert from_status(reply.error).reason == "EVENT_IN_FUTURE"
    reply = await front.one(front.charge(event_time_ms=now_ms + DAY_MS))
    assert from_status(reply.error).reason == "EVENT_IN_FUTURE"
