"""The platform without a data center, and with another one."""

from collections.abc import Awaitable, Callable

from charging.errors import Unavailable
from testkit.front import A, DataCenterInMemory, Front, fault_of
from testkit.owner import OwnerInMemory


async def test_no_datacenter_is_unavailable_and_comes_back(
    front_of: Callable[..., Awaitable[Front]], datacenter: DataCenterInMemory, owner: OwnerInMemory
) -> None:
    front = await front_of()
    await front.open()
    await datacenter.stop()
    request = front.charge()
    fault = fault_of(await front.one(request))
    assert isinstance(fault, Unavailable)
    assert fault.retry_ms > 0
    await datacenter.start(datacenter.address)
    for _ in range(100):
        reply = await front.one(request)
        if reply.WhichOneof("result"):
            break
    assert reply.charge.amount == 200_000
    assert len(owner.desk.journals[A]) == 2


async def test_second_datacenter_takes_over(
    front_of: Callable[..., Awaitable[Front]], datacenter: DataCenterInMemory, owner: OwnerInMemory
) -> None:
    other = DataCenterInMemory(owner)
    await other.start()
    front = await front_of(datacenters=[datacenter.address, other.address])
    await front.open()
    first = datacenter if datacenter.requests else other
    await first.stop()
    for _ in range(100):
        reply = await front.one(front.charge(request_key="k"))
        if reply.WhichOneof("result"):
            break
    assert reply.charge.amount == 200_000
    await other.stop()
