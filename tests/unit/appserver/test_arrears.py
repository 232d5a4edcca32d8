"""Who owes, at the platform: bills told, paid, listed for operators and dunned by the catalogue in force."""

from collections.abc import AsyncIterator

import grpc
import pytest
from msgspec import convert
from msgspec.structs import replace
from onetier.v1 import receivables_pb2 as owing
from onetier.v1 import service_desk_pb2 as pb
from onetier.v1.receivables_pb2_grpc import ReceivablesServiceStub

from charging.catalogue.document import from_plain
from charging.catalogue.dunning import DunningRule
from charging.errors import Refused
from charging.ledger.events import ContractSet
from charging.ledger.permission import Grant
from runtime.channel import open_channel
from runtime.status import from_rpc_error, from_status
from testkit.front import A, Front
from testkit.owner import OwnerInMemory, catalogue
from tests.unit.appserver.conftest import Platforms

DAY_MS = 86_400_000
ID = "account:msisdn:8613800000001"
RULES = from_plain(
    {
        "catalogue": "dunning",
        "version": "1",
        "dunning": [
            {
                "id": "all",
                "late_fee": {"per_mille_a_day": "3"},
                "steps": [
                    {"id": "reminder", "days": "1", "do": "notice"},
                    {"id": "calls", "days": "10", "do": "suspend_outgoing", "per": "service"},
                ],
            }
        ],
    }
).dunning


def dunning(*rules: DunningRule) -> tuple[DunningRule, ...]:
    return rules or RULES


@pytest.fixture
async def front(start_platform: Platforms, owner: OwnerInMemory) -> AsyncIterator[Front]:
    """A front end of a platform whose catalogue duns; the account has no money of its own."""
    owner.publish(replace(catalogue(2), dunning=dunning()))
    tier = await start_platform()
    found = Front(tier.address)
    await found.open(money=0)
    yield found
    await found.channel.close()


async def done(front: Front, **command: object) -> pb.CommandResult:
    reply = await front.one(front.execute(**command))
    if reply.HasField("error"):
        raise from_status(reply.error)
    return reply.command


async def arrears(front: Front) -> pb.ArrearsView:
    reply = await front.one(front.query(view="arrears"))
    assert not reply.HasField("error"), reply.error
    return reply.arrears


def owes(owner: OwnerInMemory, days: int, amount: int = 50_000_000, service: str = "voice") -> pb.TakeOverBill:
    return pb.TakeOverBill(bill="B-1", amount=amount, service=service, due_ms=owner.desk.now_ms - days * DAY_MS)


async def test_an_account_is_told_what_it_owes_with_the_late_fee_of_its_catalogue(
    front: Front, owner: OwnerInMemory
) -> None:
    await done(front, take_over_bill=owes(owner, 10))
    view = await arrears(front)
    assert (view.open, view.overdue, view.status) == (50_000_000, 50_000_000, "active")
    (bill,) = view.bills
    assert (bill.number, bill.late_fee, bill.items[0].service_code) == ("B-1", 1_500_000, "voice")


async def test_a_sweep_takes_what_is_due_and_a_payment_lets_service_go_on_at_once(
    front: Front, owner: OwnerInMemory
) -> None:
    await done(front, take_over_bill=owes(owner, 10))
    swept = await done(front, dun=pb.Dun(reason="sweep"))
    assert list(swept.notices) == ["dunning:reminder", "dunning:calls:voice"]
    assert not (await done(front, dun=pb.Dun(reason="sweep"))).notices
    stopped = await front.one(front.charge())
    assert from_status(stopped.error).reason == "SERVICE_STOPPED"
    incoming = front.charge(attributes={"direction": "incoming"})
    assert from_status((await front.one(incoming)).error).reason == "INSUFFICIENT_FUNDS"
    paid = await done(front, pay=pb.Pay(amount=60_000_000))
    assert "resumed:voice" in paid.notices
    assert not (await front.one(front.charge())).HasField("error")
    assert (await arrears(front)).status == "active"


async def test_what_is_named_is_paid_and_nothing_beyond_what_is_owed(front: Front, owner: OwnerInMemory) -> None:
    await done(front, take_over_bill=owes(owner, -5))
    for command, reason in (
        (pb.Pay(amount=50_000_001, bill="B-1"), "PAYMENT_EXCEEDS_BILL"),
        (pb.Pay(amount=1, bill="B-2"), "BILL_UNKNOWN"),
        (pb.Pay(amount=1, service="tv"), "NOTHING_OWED"),
    ):
        with pytest.raises(Refused) as caught:
            await done(front, pay=command)
        assert caught.value.reason == reason


async def test_a_payment_that_comes_after_its_reversal_is_refused(front: Front, owner: OwnerInMemory) -> None:
    await done(front, reverse_payment=pb.ReversePayment(of_key="lost"))
    reply = await front.one(front.execute(request_key="lost", pay=pb.Pay(amount=5)))
    assert from_status(reply.error).reason == "PAYMENT_REVERSED"


async def test_operators_list_who_owes_slot_by_slot(front: Front, owner: OwnerInMemory) -> None:
    await done(front, take_over_bill=owes(owner, 3))
    channel = open_channel(front.address)
    stub = ReceivablesServiceStub(channel)
    told = await stub.ListOwing(owing.ListOwingRequest(domain="GD", channel="front"))
    assert [(each.account_id, each.overdue) for each in told.accounts] == [(A, 50_000_000)]
    assert (told.next_page, told.slots) == ("", 3)
    with pytest.raises(grpc.aio.AioRpcError) as met:
        await stub.ListOwing(owing.ListOwingRequest(domain="GD", slot=3, channel="front"))
    assert from_rpc_error(met.value).reason == "SLOT_UNKNOWN"
    owner.grants = (Grant("local", ("charge",)),)
    with pytest.raises(grpc.aio.AioRpcError) as met:
        await stub.ListOwing(owing.ListOwingRequest(domain="GD", channel="front"))
    assert from_rpc_error(met.value).reason == "COMMAND_NOT_GRANTED"
    await channel.close()


async def test_the_numbers_of_an_account_that_dunning_ends_rest(front: Front, owner: OwnerInMemory) -> None:
    ends = convert([{"id": "all", "steps": [{"id": "out", "days": 1, "do": "end"}]}], tuple[DunningRule, ...])
    owner.publish(replace(catalogue(3), dunning=ends, quarantine_days=90))
    await done(front, take_over_bill=owes(owner, 10))
    await done(front, dun=pb.Dun(reason="sweep"))
    (over,) = [each.contract for each in owner.desk.journals[A][-1].events if isinstance(each, ContractSet)]
    assert over.status == "ended"
    assert over.rests_until_ms > owner.desk.now_ms + 89 * DAY_MS
