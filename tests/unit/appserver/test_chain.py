"""Many charges of one account in flight: each rated on the state after the one before, whoever else writes."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from onetier.v1 import service_desk_pb2 as pb

from charging.base.account import MAIN_BOOK
from charging.base.contract import Subscription
from charging.errors import Unavailable
from charging.ledger.commands.adjust import Adjust
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.set_contract import SetContract
from charging.ledger.commands.top_up import TopUp
from charging.wire import Commit, Stale
from testkit.front import A, B, DataCenterInMemory, Front, fault_of
from testkit.owner import OwnerInMemory

pytestmark = pytest.mark.timeout(30)

ALLOWANCE_S = 6_000
MINUTE = 200_000


def paid(seconds: int) -> int:
    """What the minutes beyond the allowance cost when each call is a whole number of minutes."""
    return max(0, seconds - ALLOWANCE_S) // 60 * MINUTE


async def test_charges_of_a_batch_chain_over_the_end_of_an_allowance(front: Front, owner: OwnerInMemory) -> None:
    await front.open(offering="bundle")
    replies = await front.exchange(*(front.charge(quantity=600) for _ in range(30)))
    amounts = [reply.charge.amount for reply in replies]
    assert amounts == [0] * 10 + [10 * MINUTE] * 20
    assert [reply.charge.account_version for reply in replies] == list(range(2, 32))
    assert owner.asked["Commit"] == 31, "nothing was rated twice"
    assert owner.asked["Pull"] == 1


async def test_later_batches_go_on_without_another_pull(front: Front, owner: OwnerInMemory) -> None:
    await front.open(offering="bundle")
    stream = front.stream()
    total = 0
    for _ in range(6):
        replies = await stream.exchange(*(front.charge(quantity=300) for _ in range(5)))
        total += sum(reply.charge.amount for reply in replies)
    assert total == paid(6 * 5 * 300)
    assert owner.asked["Pull"] == 1
    assert owner.asked["Commit"] == 31


async def test_members_share_one_chain(front: Front, owner: OwnerInMemory) -> None:
    await front.open(offering="bundle")
    contract = pb.Contract(identity=B, domain="GD", subscriptions=[pb.Subscription(offering="bundle")])
    await front.one(front.execute(set_contract=pb.SetContract(contract=contract)))
    requests = [front.charge(A if n % 2 else B, quantity=60, service_code="voice") for n in range(40)]
    replies = await front.exchange(*requests)
    assert sorted(reply.charge.account_version for reply in replies) == list(range(3, 43))
    replies = await front.exchange(*requests)
    assert all(reply.charge.repeated for reply in replies)


async def test_commands_keep_their_place_among_charges(front: Front) -> None:
    await front.open(money=MINUTE)
    replies = await front.exchange(
        front.charge(),
        front.charge(),
        front.execute(top_up=pb.TopUp(amount=MINUTE)),
        front.charge(),
        front.execute(set_account_status=pb.SetAccountStatus(status="suspended")),
        front.charge(),
    )
    assert replies[0].charge.amount == MINUTE
    assert fault_of(replies[1]).reason == "INSUFFICIENT_FUNDS"
    assert replies[2].command.account_version == 3
    assert replies[3].charge.amount == MINUTE
    assert replies[4].command.account_version == 5
    assert fault_of(replies[5]).reason == "ACCOUNT_SUSPENDED"


async def test_refund_ends_a_chain_and_the_next_charge_goes_on(front: Front) -> None:
    await front.open()
    first = front.charge()
    replies = await front.exchange(
        first, front.execute(refund=pb.Refund(charge_key=first.request_key)), front.charge(), front.charge()
    )
    assert [reply.WhichOneof("result") for reply in replies] == ["charge", "command", "charge", "charge"]
    assert replies[3].charge.account_version == 5


async def test_foreign_change_makes_stale_and_rated_again(front: Front, owner: OwnerInMemory) -> None:
    """Somebody used the allowance up behind our back: what we predicted must not be charged."""
    await front.open(offering="bundle")
    await front.one(front.charge(quantity=60))
    usage = owner.desk.journals[A][-1].events[0]
    used = next(iter(owner.desk.accounts[A].accumulators))
    charge = usage.charge  # type: ignore[union-attr]
    taken = type(charge)(0, "CNY", (), ((used, ALLOWANCE_S),), 1, False, charge.steps)
    owner.desk.do(A, PostCharge(usage.usage, taken, owner.desk.accounts[A].version))  # type: ignore[union-attr]
    replies = await front.exchange(*(front.charge(quantity=60) for _ in range(10)))
    assert [reply.charge.amount for reply in replies] == [MINUTE] * 10
    assert owner.asked["Commit"] == 2 + 10 + 10


async def test_chain_never_lands_on_a_foreign_state_with_the_predicted_version(
    front: Front, owner: OwnerInMemory
) -> None:
    """The second of our chain expects version 4; by chance the account is at 4, but by another hand."""
    await front.open(offering="bundle")
    await front.one(front.charge(quantity=60))
    owner.desk.do(A, TopUp(MAIN_BOOK, "money", 1, 0, 100, "", "deposit"))
    seen: list[int] = []

    def watch(ask: object) -> None:
        if isinstance(ask, Commit) and isinstance(ask.command.action, PostCharge):
            action = ask.command.action
            account = owner.desk.accounts[A]
            if action.base_version == account.version and action.base_mark != account.mark:
                seen.append(action.base_version)

    owner.intercept = watch
    replies = await front.exchange(*(front.charge(quantity=60) for _ in range(3)))
    assert seen, "the coincidence must have happened for this to prove anything"
    assert all(reply.charge.amount == 0 for reply in replies)
    used = sum(owner.desk.accounts[A].accumulators.values())
    assert used == 4 * 60


async def test_new_terms_reach_even_charges_that_depend_on_nothing(front: Front, owner: OwnerInMemory) -> None:
    await front.open()
    await front.one(front.charge())
    contract = owner.contracts[A]
    renewed = type(contract)(A, A, "GD", subscriptions=(Subscription("bundle"),))
    owner.desk.do(A, SetContract(renewed))
    owner.contracts[A] = renewed
    replies = await front.exchange(front.charge(), front.charge())
    assert [reply.charge.amount for reply in replies] == [0, 0], "the bundle includes these minutes"


async def test_free_minutes_given_elsewhere_reach_charges_that_found_none(front: Front, owner: OwnerInMemory) -> None:
    await front.open()
    assert (await front.one(front.charge())).charge.amount == MINUTE
    owner.desk.do(A, TopUp("gift", "second", 90, 0, 10, "", "bonus"))
    replies = await front.exchange(front.charge(), front.charge())
    assert [reply.charge.amount for reply in replies] == [0, MINUTE]


async def test_endless_contention_ends_with_unavailable(
    front_of: Callable[..., Awaitable[Front]], owner: OwnerInMemory
) -> None:
    front = await front_of(rerate_max=3)
    await front.open(offering="bundle")
    await front.open(B)
    owner.intercept = lambda ask: Stale(owner.data(A)) if isinstance(ask, Commit) and ask.identity == A else None
    replies = await front.exchange(front.charge(), front.charge(B))
    fault = fault_of(replies[0])
    assert (type(fault), fault.reason) == (Unavailable, "ACCOUNT_CONTENDED")
    assert fault.retry_ms > 0
    assert owner.asked["Commit"] == 2 + 4 + 1
    assert replies[1].charge.amount == MINUTE
    owner.intercept = None
    assert (await front.one(front.charge())).charge.amount == 0


async def test_two_platforms_on_one_account_lose_and_double_nothing(
    front_of: Callable[..., Awaitable[Front]], owner: OwnerInMemory
) -> None:
    fronts = [await front_of(), await front_of()]
    await fronts[0].open(offering="bundle")

    async def drive(front: Front, who: int) -> int:
        stream, total = front.stream(), 0
        for turn in range(10):
            todo = [front.charge(request_key=f"{who}-{turn}-{n}", quantity=60) for n in range(10)]
            while todo:
                replies = await stream.exchange(*todo)
                total += sum(reply.charge.amount for reply in replies)
                todo = [request for request, reply in zip(todo, replies, strict=True) if not reply.WhichOneof("result")]
                await asyncio.sleep(0.001 * who)
        return total

    total = sum(await asyncio.gather(*(drive(front, who) for who, front in enumerate(fronts))))
    assert total == paid(200 * 60)
    assert len(owner.desk.journals[A]) == 201
    account = owner.desk.accounts[A]
    assert sum(book.amount for book in account.books) == 100_000_000 - total


async def test_thousands_wait_for_one_account_in_order(
    front_of: Callable[..., Awaitable[Front]], owner: OwnerInMemory, datacenter: DataCenterInMemory
) -> None:
    front = await front_of(stream_items_max=10_000)
    await front.open(offering="bundle", money=10**12)
    await front.one(front.charge(quantity=60))
    stream = front.stream()
    datacenter.gate = asyncio.Event()
    requests = [[front.charge(quantity=60) for _ in range(1_000)] for _ in range(3)]
    numbers = [await stream.send(*batch) for batch in requests]
    await asyncio.sleep(0.2)
    datacenter.gate.set()
    versions: dict[tuple[int, int], int] = {}
    while len(versions) < 3_000:
        response = await asyncio.wait_for(stream.call.read(), 10)
        for position, reply in zip(response.positions, response.replies, strict=True):
            versions[numbers.index(response.batch_id), position] = reply.charge.account_version
    assert [versions[place] for place in sorted(versions)] == list(range(3, 3_003))
    assert owner.asked["Commit"] == 3_002, "nothing was rated twice"
    assert max(len(request.positions) for request in datacenter.requests) <= 500


async def test_stuck_items_do_not_hold_up_others(front: Front, datacenter: DataCenterInMemory) -> None:
    await front.open()
    await front.open(B)
    await front.exchange(front.charge(), front.charge(B))
    datacenter.stuck.add(A)
    stream = front.stream()
    await stream.send(front.charge(), front.charge(B), front.charge(B), timeout_ms=600)
    first = await stream.call.read()
    assert sorted(first.positions) == [1, 2]
    assert (await front.one(front.charge(B))).charge.amount == MINUTE
    late = await stream.call.read()
    assert list(late.positions) == [0]
    assert fault_of(late.replies[0]).reason == "DEADLINE_EXCEEDED"


async def test_charge_after_an_unknown_outcome_starts_from_fresh_data(
    front: Front, datacenter: DataCenterInMemory, owner: OwnerInMemory
) -> None:
    await front.open(offering="bundle")
    await front.one(front.charge(quantity=60))
    datacenter.stuck.add(A)
    lost = front.charge(quantity=60)
    (reply,) = await front.exchange(lost, timeout_ms=100)
    assert fault_of(reply).reason == "DEADLINE_EXCEEDED"
    datacenter.stuck.clear()
    owner.desk.do(A, Adjust(MAIN_BOOK, -1, "meanwhile"), actor="staff")
    assert (await front.one(front.charge(quantity=60))).charge.amount == 0
    assert not (await front.one(lost)).charge.repeated, "it had not happened, so now it does"
