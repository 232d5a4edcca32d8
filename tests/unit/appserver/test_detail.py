"""Usage in detail: pages that follow each other, whose usage it is, and cursors that are not of the list."""

from onetier.v1 import service_desk_pb2 as pb

from runtime.status import from_status
from testkit.front import A, B, Front


def units(quantity: int, used: int = 0) -> list[pb.UnitUse]:
    return [pb.UnitUse(service_code="data", requested=quantity, used=used)]


def step(session_id: str, operation: int, invocation: int, used: int = 0, asked: int = 0) -> pb.SessionRequest:
    return pb.SessionRequest(
        session_id=session_id, operation=operation, invocation=invocation, units=units(asked, used)
    )


async def pages(front: Front, identity: str = A, **asked: object) -> list[pb.DetailView]:
    found: list[pb.DetailView] = []
    cursor = ""
    while True:
        request = front.query(identity, "detail", quantity=asked.get("quantity", 4), page_cursor=cursor)
        request.kinds.extend(asked.get("kinds", ()))
        request.services.extend(asked.get("services", ()))
        request.explain = bool(asked.get("explain", False))
        reply = await front.one(request)
        assert reply.WhichOneof("result") == "detail", reply
        found.append(reply.detail)
        cursor = reply.detail.next_cursor
        if not cursor:
            return found


async def test_each_usage_is_told_once_with_what_it_cost(front: Front) -> None:
    await front.open()
    charges = [front.charge(quantity=60 * (n + 1), other_party="10086") for n in range(9)]
    for reply in await front.exchange(*charges):
        assert reply.HasField("charge")
    found = [record for page in await pages(front, explain=True) for record in page.records]
    assert [record.request_key for record in reversed(found)] == [charge.request_key for charge in charges]
    newest = found[0]
    assert (newest.kind, newest.service_code, newest.unit) == ("charge", "voice", "second")
    assert (newest.quantity, newest.amount, newest.other_party) == (540, 1_800_000, "10086")
    assert newest.event_time_ms == charges[-1].event_time_ms
    assert newest.steps
    assert all(len(page.records) <= 4 and page.currency == "CNY" for page in await pages(front))


async def test_a_step_of_a_session_tells_what_it_added(front: Front) -> None:
    await front.open()
    steps = [
        step("s", pb.SessionRequest.OPERATION_CREATE, 0, asked=1 << 20),
        step("s", pb.SessionRequest.OPERATION_UPDATE, 1, used=1 << 20, asked=1 << 20),
        step("s", pb.SessionRequest.OPERATION_RELEASE, 2, used=1 << 19),
    ]
    for each in steps:
        assert (await front.one(front.execute(session=each))).HasField("session")
    (page,) = await pages(front, kinds=["session"])
    assert [(each.quantity, each.piece_quantity) for each in page.records] == [
        (1 << 19, (1 << 20) + (1 << 19)),
        (1 << 20, 1 << 20),
        (0, 0),
    ]
    assert sum(each.amount for each in page.records) == 435_000
    assert {each.session_id for each in page.records} == {"s"}


async def test_a_filter_leaves_the_rest_out(front: Front) -> None:
    await front.open()
    await front.exchange(front.charge(), front.charge(service_code="sms", quantity=1), front.charge())
    found = [record for page in await pages(front, services=["sms"]) for record in page.records]
    assert [record.service_code for record in found] == ["sms"]


async def test_a_member_sees_its_own_usage_alone(front: Front) -> None:
    await front.open()
    member = pb.SetContract(contract=pb.Contract(identity=B, subscriptions=[pb.Subscription(offering="plan")]))
    assert (await front.one(front.execute(set_contract=member))).HasField("command")
    await front.exchange(front.charge(), front.charge(B), front.charge())
    for identity, count in ((A, 2), (B, 1)):
        own = [record for page in await pages(front, identity) for record in page.records]
        assert [record.identity for record in own] == [identity] * count


async def test_an_account_without_usage_has_one_empty_page(front: Front) -> None:
    await front.open()
    (page,) = await pages(front)
    assert not page.records
    assert page.currency == "CNY"


async def refused(front: Front, cursor: str, identity: str = A, **fields: object) -> str:
    reply = await front.one(front.query(identity, "detail", page_cursor=cursor, **fields))
    assert reply.HasField("error"), reply
    return from_status(reply.error).reason


async def test_cursors_that_are_not_of_the_list_are_refused_each_with_its_reason(front: Front) -> None:
    await front.open()
    await front.open(B)
    await front.exchange(*(front.charge() for _ in range(3)))
    await front.exchange(*(front.charge(B) for _ in range(3)))
    cursor = (await front.one(front.query(A, "detail", quantity=1))).detail.next_cursor
    assert await refused(front, cursor, B) == "PAGE_FOREIGN"
    assert await refused(front, cursor, from_ms=5) == "PAGE_FOREIGN"
    assert await refused(front, cursor[:-1]) == "PAGE_MALFORMED"
    assert await refused(front, "x" + cursor[1:]) == "PAGE_MALFORMED"
    assert await refused(front, "no cursor") == "PAGE_MALFORMED"
    assert await refused(front, "A" * 500) == "PAGE_MALFORMED"
    assert await refused(front, "é") == "PAGE_MALFORMED"


async def test_a_time_that_ends_before_it_begins_and_a_kind_that_is_none_are_refused(front: Front) -> None:
    await front.open()
    assert await refused(front, "", from_ms=20, to_ms=10) == "TIMES_MALFORMED"
    assert await refused(front, "", from_ms=-1) == "TIMES_MALFORMED"
    request = front.query(A, "detail")
    request.kinds.append("gift")
    assert from_status((await front.one(request)).error).reason == "NAME_MALFORMED"
    request.kinds[:] = ["charge"] * 100
    assert from_status((await front.one(request)).error).reason == "LIST_TOO_LONG"
