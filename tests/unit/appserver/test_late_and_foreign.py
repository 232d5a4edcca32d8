"""What comes late, and numbers and money of other countries, through the platform over real gRPC."""

import time

import pytest
from onetier.v1 import service_desk_pb2 as pb

from charging.base.lateness import LATE_MS_MAX
from testkit.front import A, Front, fault_of
from testkit.owner import OwnerInMemory

pytestmark = pytest.mark.timeout(30)

YUAN = 1_000_000


def ago_ms(more_ms: int) -> int:
    return time.time_ns() // 1_000_000 - LATE_MS_MAX - more_ms


async def test_usage_that_counts_is_refused_when_its_counters_are_kept_no_more(front: Front) -> None:
    await front.open(offering="bundle")
    in_time = await front.one(front.charge(event_time_ms=ago_ms(-60_000)))
    assert in_time.charge.amount == 0
    late, quote = await front.exchange(
        front.charge(event_time_ms=ago_ms(60_000)), front.quote(event_time_ms=ago_ms(60_000))
    )
    for reply in (late, quote):
        assert fault_of(reply).reason == "USAGE_TOO_LATE"
        assert fault_of(reply).facts["days"] == "35"


async def test_usage_that_counts_for_nothing_is_never_too_late(front: Front) -> None:
    await front.open()
    assert (await front.one(front.charge(event_time_ms=ago_ms(86_400_000)))).charge.amount == 200_000


async def test_a_contract_that_is_read_and_written_back_stays_as_it_is(front: Front) -> None:
    await front.open()
    family = pb.IdentityGroup(identities=["+13105551234", "13912345678"])
    contract = pb.Contract(subscriptions=[pb.Subscription(offering="plan")], groups={"family": family})
    await front.one(front.execute(set_contract=pb.SetContract(contract=contract)))
    first = (await front.one(front.query(view="contract"))).contract.contract
    assert list(first.groups["family"].identities) == ["msisdn:13105551234", "msisdn:8613912345678"]
    again = pb.Contract()
    again.CopyFrom(first)
    again.version = 0
    await front.one(front.execute(set_contract=pb.SetContract(contract=again)))
    second = (await front.one(front.query(view="contract"))).contract.contract
    assert second.groups == first.groups


async def test_an_account_that_names_no_currency_has_that_of_the_catalogue(front: Front, owner: OwnerInMemory) -> None:
    await front.open()
    assert owner.desk.accounts[A].terms.currency == "CNY"
    assert (await front.one(front.charge())).charge.currency == "CNY"


async def test_a_pack_does_not_pay_for_usage_from_before_it_was_bought(front: Front) -> None:
    await front.open(money=10 * YUAN)
    pack = pb.TopUp(book_id="pack", unit="byte", amount=5 << 20)
    await front.one(front.execute(top_up=pack))
    yesterday = front.charge(service_code="data", quantity=1 << 20, event_time_ms=int(time.time() * 1000) - 86_400_000)
    assert (await front.one(yesterday)).charge.amount == 290_000
    now = front.charge(service_code="data", quantity=1 << 20, event_time_ms=int(time.time() * 1000) + 1_000)
    assert (await front.one(now)).charge.amount == 0
