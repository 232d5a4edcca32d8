"""Many uses of a subscriber in one command: they cost what they would one by one, and a batch is taken once."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onetier.v1 import service_desk_pb2 as pb

from charging.base.account import Account
from charging.ledger.commands.adjust import Adjust
from testkit.front import A, B, Front, fault_of
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
