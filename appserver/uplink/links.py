"""Links to all data-center instances, with one preferred.

Any data-center instance serves any request, so a batch goes to the first in this process's order of preference that
is up. The order is by rendezvous hash, so that many platform processes spread over the instances.
"""

from collections.abc import Sequence
from zlib import crc32

import grpc
from onetier.v1.data_center_pb2 import RouteRequest, RouteResponse
from onetier.v1.data_center_pb2_grpc import DataCenterServiceStub

from runtime.channel import open_channel
from runtime.flights import parts_of
from runtime.link import BatchLink
from runtime.tls import Tls


class Uplink:
    """Links to all data-center instances."""

    def __init__(
        self, addresses: Sequence[str], own_name: str, tls: Tls | None, batches_max: int, bytes_max: int
    ) -> None:
        order = sorted(addresses, key=lambda address: crc32(f"{own_name} {address}".encode()))
        self._batches_max = batches_max
        self._channels: list[grpc.aio.Channel] = []
        self._links: list[BatchLink[RouteRequest, RouteResponse]] = []
        for address in order:
            channel = open_channel(address, tls, role="datacenter", message_bytes_max=bytes_max)
            self._channels.append(channel)
            stub = DataCenterServiceStub(channel)
            self._links.append(BatchLink(address, stub.Route, batches_in_flight_max=batches_max, parts=parts_of))

    def pick(self) -> "BatchLink[RouteRequest, RouteResponse] | None":
        """Give the link for the next batch; None while all that are up are full.

        When none is up it gives one that fails the batch at once, so that callers hear it.
        """
        down = True
        for link in self._links:
            if link.up:
                if link.batches_in_flight < self._batches_max:
                    return link
                down = False
        return self._links[0] if down else None

    async def close(self, grace_ms: int) -> None:
        """Let batches in flight finish, then close."""
        for link in self._links:
            await link.close(grace_ms)
        for channel in self._channels:
            await channel.close()
