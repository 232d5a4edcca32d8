"""Many uses of a subscriber in one command: they cost what they would one by one, and a batch is taken once."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onetier.v1 import service_desk_pb2 as pb

from charging.base.account import Account
from charging.ledger.commands.adjust import Adjust
from testkit.front import A, B, DataCenterInMemory, Front, fault_of
from testkit.owner import OwnerInMemory

pytestmark = pytest.mark.timeout(60)
USES = st.lists(st.tuples(st.sampled_from(("voice", "sms")), st.integers(0, 2_000)), min_size=1, max_size=12)


def batch(number: int, uses: list[tuple[str, int]], feed: str = "plant") -> pb.PostUsage:
    began = int(time.time() * 1_000) - 60_000
    made = [
        pb.UsageUse(service_code=service, quantity=quantity if service == "voice" else 1, event_time_ms=began + place)
        for place, (service, quantity) in enumerate(uses)
    ]
    return pb.PostUsage(feed=feed, batch=number, uses=made)


def column(texts: list[str]) -> pb.TextColumn:
    """The texts of a column, each once."""
    each = sorted(set(texts))
    return pb.TextColumn(texts=each, text_of=[each.index(text) for text in texts] if len(each) > 1 else [])


def by_columns(command: pb.PostUsage) -> pb.PostUsage:
    """The same batch, its uses by columns."""
    uses = command.uses
    sets = [dict(use.attributes) for use in uses]
    each = [one for place, one in enumerate(sets) if one not in sets[:place]]
    columns = pb.UseColumns(
        event_times_ms=[use.event_time_ms for use in uses],
        quantities=[use.quantity for use in uses],
        service_codes=column([use.service_code for use in uses]),
        other_parties=column([use.other_party for use in uses]),
        visited_places=column([use.visited_place for use in uses]),
        attributes=[pb.UseAttributes(values=one) for one in each],
        attributes_of=[each.index(one) for one in sets],
    )
    return pb.PostUsage(feed=command.feed, batch=command.batch, replaces=command.replaces, columns=columns)


def rows_of(told: pb.UseOutcomes) -> list[pb.UseResult]:
    """What is told by columns, one by one."""
    rows = [pb.UseResult(amount=amount, currency=told.currency) for amount in told.amounts]
    for each in told.refused:
        assert not rows[each.use].amount
        rows[each.use] = pb.UseResult(reason=each.reason, message=each.message)
    for place in told.set_aside:
        rows[place].set_aside = True
    return rows


def money(account: Account) -> dict[str, int]:
    return {book.book_id: book.amount for book in account.books}


@given(uses=USES, funds=st.integers(0, 10_000_000))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_batch_costs_what_its_uses_would_one_by_one(
    uses: list[tuple[str, int]], funds: int, front: Front, owner: OwnerInMemory
) -> None:
    alice, bob = f"msisdn:8613{len(owner.desk.accounts):09}", f"msisdn:8615{len(owner.desk.accounts):09}"
    for identity in (alice, bob):
        await front.open(identity, funds, "bundle")
    command = batch(1, uses)
    reply = await front.one(front.execute(alice, post_usage=command))
    single = [
        await front.one(
            front.charge(bob, service_code=each.service_code, quantity=each.quantity, event_time_ms=each.event_time_ms)
        )
        for each in command.uses
    ]
    told = [(each.amount, each.reason) for each in reply.command.uses]
    assert told == [(each.charge.amount, fault_of(each).reason if each.HasField("error") else "") for each in single]
    one, other = owner.desk.accounts[alice], owner.desk.accounts[bob]
    assert money(one) == money(other)
    assert {key.replace(alice, ""): value for key, value in one.accumulators.items()} == {
        key.replace(bob, ""): value for key, value in other.accumulators.items()
    }
    assert one.buckets == other.buckets
    assert one.version == 2


ANY_USE = st.builds(
    pb.UsageUse,
    service_code=st.sampled_from(("voice", "sms", "data")),
    quantity=st.integers(0, 3_000),
    other_party=st.sampled_from(("", "10086", "13912345678", "+8613912345679")),
    visited_place=st.sampled_from(("", "GD")),
    attributes=st.sampled_from(({}, {"apn": "ims"}, {"apn": "web", "rat": "5"})),
)


@given(uses=st.lists(ANY_USE, min_size=1, max_size=12), funds=st.integers(0, 2_000_000), part=st.booleans())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_columns_say_what_rows_do_and_are_answered_by_columns(
    uses: list[pb.UsageUse], funds: int, part: bool, front: Front, owner: OwnerInMemory
) -> None:
    alice = f"msisdn:8613{len(owner.desk.accounts):09}"
    await front.open(alice, funds, "bundle")
    command = batch(1, [("voice", 1)] * len(uses))
    for use, times in zip(uses, command.uses, strict=True):
        times.MergeFrom(use)
        times.quantity = use.quantity
    if part:
        began = command.uses[-1].event_time_ms
        command.replaces.add(use=len(uses) - 1, request_key="part", event_time_ms=began, quantity=1)
    request = front.execute(alice, post_usage=by_columns(command))
    reply = (await front.one(request)).command
    assert not reply.uses
    assert len(reply.use_outcomes.amounts) == len(uses)
    assert [row.set_aside for row in rows_of(reply.use_outcomes)][-1] is part
    version = owner.desk.accounts[alice].version
    request.post_usage.CopyFrom(command)
    again = (await front.one(request)).command
    assert again.repeated, "it is the same request, one by one"
    assert list(again.uses) == rows_of(reply.use_outcomes)
    assert owner.desk.accounts[alice].version == version


async def test_a_batch_is_taken_once_whatever_key_it_comes_under(front: Front, owner: OwnerInMemory) -> None:
    await front.open()
    request = front.execute(post_usage=batch(7, [("voice", 60)]))
    first, again = await front.one(request), await front.one(request)
    assert [each.amount for each in again.command.uses] == [each.amount for each in first.command.uses] == [200_000]
    assert (first.command.repeated, again.command.repeated) == (False, True)
    before = owner.desk.accounts[A]
    for number in (7, 6):
        reply = await front.one(front.execute(post_usage=batch(number, [("voice", 60)])))
        assert fault_of(reply).reason == "BATCH_TAKEN"
    assert money(owner.desk.accounts[A]) == money(before)
    reply = await front.one(front.execute(post_usage=batch(1, [("voice", 60)], "another")))
    assert [each.amount for each in reply.command.uses] == [200_000]
    view = (await front.one(front.query(view="outcome", request_key=request.request_key))).outcome
    assert [each.amount for each in view.reply.command.uses] == [200_000]


async def test_what_somebody_else_changes_meanwhile_makes_the_batch_rated_anew(
    front: Front, owner: OwnerInMemory
) -> None:
    await front.open(money=500_000)
    await front.one(front.charge(quantity=60))
    owner.desk.do(A, Adjust("main", -200_000, "behind our back"), actor="li")
    reply = await front.one(front.execute(post_usage=batch(1, [("voice", 60), ("voice", 60)])))
    assert [(each.amount, each.reason) for each in reply.command.uses] == [
        (0, "INSUFFICIENT_FUNDS"),
        (0, "INSUFFICIENT_FUNDS"),
    ]
    assert owner.desk.accounts[A].books[0].amount == 100_000


async def test_many_batches_at_once_go_on_in_pieces_so_that_others_have_their_turn(
    front: Front, datacenter: DataCenterInMemory
) -> None:
    people = [f"1300000{number:04}" for number in range(40)]
    await front.exchange(*(front.opening(each) for each in people))
    await front.exchange(*(front.charge(each) for each in people))
    before = len(datacenter.requests)
    command = by_columns(batch(1, [("sms", 1)] * 200))
    replies = await front.exchange(*(front.execute(each, post_usage=command) for each in people))
    assert all(len(reply.command.use_outcomes.amounts) == 200 for reply in replies)
    sizes = [len(request.routes) for request in datacenter.requests[before:]]
    assert sum(sizes) >= len(people)
    assert max(sizes) <= 30, "8,000 uses are the work of 2,000 charges: that is no one batch"


def uneven(**columns: object) -> pb.PostUsage:
    """Two uses by columns of which some are not right."""
    right = {"event_times_ms": [1, 2], "quantities": [1, 1], "service_codes": pb.TextColumn(texts=["voice"])}
    return pb.PostUsage(feed="plant", batch=1, columns=pb.UseColumns(**{**right, **columns}))


@pytest.mark.parametrize(
    ("columns", "reason", "field"),
    [
        ({"event_times_ms": []}, "USE_COLUMNS_WRONG", "quantities"),
        ({"quantities": [1]}, "USE_COLUMNS_WRONG", "quantities"),
        ({"event_times_ms": [1, 0]}, "EVENT_TIME_INVALID", "event_times_ms[1]"),
        ({"event_times_ms": [1, 1 << 52]}, "EVENT_TIME_INVALID", "event_times_ms[1]"),
        ({"quantities": [1, -1]}, "QUANTITY_NEGATIVE", "quantities[1]"),
        ({"quantities": [1 << 60, 1]}, "QUANTITY_ABSURD", "quantities[0]"),
        ({"service_codes": None}, "SERVICE_UNKNOWN", "service_codes.texts[0]"),
        ({"service_codes": pb.TextColumn(texts=["voice", "!"], text_of=[0, 0])}, "SERVICE_UNKNOWN", "texts[1]"),
        ({"service_codes": pb.TextColumn(texts=["voice", "sms"])}, "USE_COLUMNS_WRONG", "service_codes.text_of"),
        ({"service_codes": pb.TextColumn(texts=["voice"], text_of=[0])}, "USE_COLUMNS_WRONG", "text_of"),
        ({"service_codes": pb.TextColumn(texts=["voice"], text_of=[0, 1])}, "USE_COLUMNS_WRONG", "text_of"),
        ({"other_parties": pb.TextColumn(texts=["10086"], text_of=[0, -1])}, "USE_COLUMNS_WRONG", "text_of"),
        ({"other_parties": pb.TextColumn(texts=["1", "2", "3"], text_of=[0, 1])}, "USE_COLUMNS_WRONG", "texts"),
        ({"visited_places": pb.TextColumn(texts=["?"])}, "REGION_UNKNOWN", "visited_places.texts[0]"),
        ({"attributes": [pb.UseAttributes()] * 3}, "USE_COLUMNS_WRONG", "attributes"),
        ({"attributes_of": [0, 1]}, "USE_COLUMNS_WRONG", "attributes_of"),
        ({"attributes": [pb.UseAttributes(values={"": "x"})]}, "NAME_MALFORMED", "attributes[0]"),
        ({"event_times_ms": [1] * 201, "quantities": [1] * 201}, "LIST_TOO_LONG", "columns"),
        ({"event_times_ms": [], "quantities": []}, "USES_MISSING", "uses"),
    ],
)
async def test_columns_that_are_wrong_are_refused_by_name(
    columns: dict[str, object], reason: str, field: str, front: Front, owner: OwnerInMemory
) -> None:
    await front.open()
    fault = fault_of(await front.one(front.execute(post_usage=uneven(**columns))))
    assert fault.reason == reason
    assert any(name.endswith(field) for name in fault.fields), fault.fields
    assert owner.desk.accounts[A].version == 1


async def test_uses_are_given_one_by_one_or_by_columns_and_not_both(front: Front) -> None:
    await front.open()
    both = uneven()
    both.uses.extend(batch(1, [("voice", 1)]).uses)
    assert fault_of(await front.one(front.execute(post_usage=both))).reason == "USE_COLUMNS_WRONG"


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (pb.PostUsage(feed="plant", batch=1), "USES_MISSING"),
        (batch(1, [("voice", 1)] * 201), "LIST_TOO_LONG"),
        (batch(1, [("nonsense!", 1)]), "SERVICE_UNKNOWN"),
        (pb.PostUsage(feed="plant", batch=1, uses=[pb.UsageUse(service_code="voice")]), "EVENT_TIME_INVALID"),
        (batch(0, [("voice", 1)]), "AMOUNT_OUT_OF_RANGE"),
        (batch(1, [("voice", 1)], ""), "NAME_MALFORMED"),
    ],
)
async def test_a_batch_that_is_wrong_as_a_whole_is_refused_and_nothing_moves(
    command: pb.PostUsage, reason: str, front: Front, owner: OwnerInMemory
) -> None:
    await front.open()
    assert fault_of(await front.one(front.execute(post_usage=command))).reason == reason
    assert owner.desk.accounts[A].version == 1


async def test_a_stranger_has_no_usage(front: Front) -> None:
    assert fault_of(await front.one(front.execute(B, post_usage=batch(1, [("voice", 1)])))).reason == "IDENTITY_UNKNOWN"
