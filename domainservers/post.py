"""The way from a domain server to accounts of other domains: through a data center, like everybody."""

import asyncio
from collections.abc import Sequence

import grpc
from onetier.v1.data_center_pb2 import ReplyBatch, RouteRequest, RouteResponse
from onetier.v1.data_center_pb2_grpc import DataCenterServiceStub

from charging.errors import Fault, Unavailable
from runtime.channel import open_channel
from runtime.flights import parts_of
from runtime.link import BatchLink
from runtime.tls import Tls

BATCHES_IN_FLIGHT_MAX = 256


class _One:
    """The answer to a batch of one."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def part(self, response: RouteResponse) -> int:
        batch = ReplyBatch.FromString(response.replies)
        if batch.bodies and not self.answer.done():
            self.answer.set_result(batch.bodies[0])
        return len(batch.bodies)

    def lost(self, fault: Fault) -> None:
        if not self.answer.done():
            self.answer.set_exception(fault)


class DataCenterPost:
    """Links to the configured data centers; the first that is up is asked."""

    def __init__(self, addresses: Sequence[str], tls: Tls | None) -> None:
        self._channels: list[grpc.aio.Channel] = [
            open_channel(address, tls, role="datacenter") for address in addresses
        ]
        self._links: list[BatchLink[RouteRequest, RouteResponse]] = [
            BatchLink(
                address,
                DataCenterServiceStub(channel).Route,
                batches_in_flight_max=BATCHES_IN_FLIGHT_MAX,
                parts=parts_of,
            )
            for address, channel in zip(addresses, self._channels, strict=True)
        ]

    async def ask(self, identity: str, body: bytes, timeout_ms: int) -> bytes:
        """Send an ask and give its answer. Raises `Unavailable` when no data center is reached, `Expired`."""
        for link in self._links:
            if link.up:
                await link.room()
                one = _One()
                request = RouteRequest(timeout_ms=timeout_ms, positions=[0], routes=[identity], bodies=[body])
                link.send(request, items=1, sink=one, timeout_ms=timeout_ms)
                return await one.answer
        raise Unavailable("DATA_CENTER_AWAY", "no data center can be reached", retry_ms=500)

    async def close(self) -> None:
        """Close links and channels."""
        for link in self._links:
            await link.close(grace_ms=0)
        for channel in self._channels:
            await channel.close()
