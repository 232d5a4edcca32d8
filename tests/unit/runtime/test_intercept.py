"""What a call that ends with a fault leaves behind: nothing, before the garbage collector ever looks."""

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable, Iterator

import grpc
import pytest
from onetier.v1.data_center_pb2 import DescribeRequest, DescribeResponse
from onetier.v1.data_center_pb2_grpc import DirectoryServiceStub

from charging.errors import NotFound
from runtime.channel import open_channel
from runtime.server import RunningTier
from tests.unit.runtime.conftest import EchoTier

StartEcho = Callable[..., Awaitable[tuple[RunningTier, EchoTier]]]


class Letter:
    """A request that can be watched."""


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[weakref.ref[Letter]]]:
    """Give the requests that servers read, while nothing is collected but what nobody holds."""
    read: list[weakref.ref[Letter]] = []

    def reading(_read: Callable[[bytes], object] | None) -> Callable[[bytes], object]:
        def note(_message: bytes) -> Letter:
            letter = Letter()
            read.append(weakref.ref(letter))
            return letter

        return note

    monkeypatch.setattr("runtime.intercept._patient", reading)
    gc.collect()
    gc.disable()
    yield read
    gc.enable()


async def fail(_tier: EchoTier, request: Letter, _context: grpc.aio.ServicerContext) -> DescribeResponse:
    assert isinstance(request, Letter)
    raise NotFound.told("NOBODY", "there is nobody")


@pytest.mark.parametrize(("may", "said"), [(True, "there is nobody"), (False, "role is frontend")])
async def test_a_refused_call_holds_its_request_no_longer(
    start_echo: StartEcho,
    letters: list[weakref.ref[Letter]],
    monkeypatch: pytest.MonkeyPatch,
    may: bool,
    said: str,
) -> None:
    """Hundreds of calls of eight megabytes came to gigabytes, whatever their client was told."""
    monkeypatch.setattr(EchoTier, "Describe", fail)
    running, _tier = await start_echo()
    stranger = grpc.aio.insecure_channel(running.address)
    async with open_channel(running.address) if may else stranger as channel:
        for _ in range(5):
            with pytest.raises(grpc.aio.AioRpcError, match=said):
                await DirectoryServiceStub(channel).Describe(DescribeRequest(), timeout=5)
        await asyncio.sleep(0.1)
    assert len(letters) >= 5
    assert [letter() for letter in letters] == [None] * len(letters)
