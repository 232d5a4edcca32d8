"""A platform with real sockets, between a front end played by the test and a data center with its owners in memory."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from appserver.main import build
from appserver.room import PROCESS as APPSERVER
from appserver.settings import AppServerSettings
from runtime.server import RunningTier, start_tier
from runtime.settings import load
from testkit.front import DataCenterInMemory, Front
from testkit.owner import OwnerInMemory


@pytest.fixture
def owner() -> OwnerInMemory:
    return OwnerInMemory()


@pytest.fixture
async def datacenter(owner: OwnerInMemory) -> AsyncIterator[DataCenterInMemory]:
    center = DataCenterInMemory(owner)
    await center.start()
    yield center
    await center.stop()


Platforms = Callable[..., Awaitable[RunningTier]]


@pytest.fixture
async def start_platform(datacenter: DataCenterInMemory) -> AsyncIterator[Platforms]:
    """Starts platforms with settings; stops them at the end."""
    async with AsyncExitStack() as stack:

        async def start(**given: object) -> RunningTier:
            fixed: dict[str, object] = {
                "datacenters": [datacenter.address],
                "metrics_listen": "",
                "country": "CN",
                "drain_grace_ms": 1_000,
            }
            tier = await start_tier(APPSERVER, load(AppServerSettings, **(fixed | given)), build)
            stack.push_async_callback(tier.stop)
            return tier

        yield start


@pytest.fixture
async def front(start_platform: Platforms) -> AsyncIterator[Front]:
    """A front end of a platform with plain settings."""
    tier = await start_platform()
    it = Front(tier.address)
    yield it
    await it.channel.close()


@pytest.fixture
async def front_of(start_platform: Platforms) -> AsyncIterator[Callable[..., Awaitable[Front]]]:
    """Makes a platform with given settings, and a front end of it."""
    async with AsyncExitStack() as stack:

        async def make(**given: object) -> Front:
            tier = await start_platform(**given)
            it = Front(tier.address)
            stack.push_async_callback(it.channel.close)
            return it

        yield make
