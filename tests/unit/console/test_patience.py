"""Whoever is told to wait asks again, as long as there is time; whoever gets another answer has it at once."""

import grpc
import pytest
from grpc.aio import AioRpcError, Metadata

from charging.errors import Fault, Invalid, Unavailable
from console.operations import directory_call
from console.operations.directory_call import patiently
from runtime.status import DETAILS_KEY, to_status

AWAY = Unavailable.told("SLOT_UNOWNED", "nobody serves it just now", retry_ms=10)


def failed(fault: Fault, code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE) -> AioRpcError:
    details = Metadata((DETAILS_KEY, to_status(fault).SerializeToString()))
    return AioRpcError(code, Metadata(), details, fault.message)


class Server:
    """Fails as often as there are failures, then answers."""

    def __init__(self, *failures: AioRpcError) -> None:
        self.failures = list(failures)
        self.given: list[float] = []

    async def call(self, left_s: float) -> str:
        self.given.append(left_s)
        if self.failures:
            raise self.failures.pop(0)
        return "done"


async def test_a_server_that_is_away_is_asked_again_with_the_time_that_is_left() -> None:
    server = Server(failed(AWAY), failed(AWAY))
    assert await patiently(server.call) == "done"
    assert len(server.given) == 3
    assert server.given == sorted(server.given, reverse=True)


@pytest.mark.parametrize(
    "failure",
    [
        failed(Invalid.told("DOMAIN_UNKNOWN", "there is no such domain"), grpc.StatusCode.INVALID_ARGUMENT),
        failed(Unavailable.told("SLOT_UNOWNED", "and nobody says when")),
        AioRpcError(grpc.StatusCode.UNAVAILABLE, Metadata(), Metadata(), "connection refused"),
    ],
    ids=["a mistake", "no time told", "no server"],
)
async def test_what_waiting_does_not_help_is_raised_at_once(failure: AioRpcError) -> None:
    server = Server(failure)
    with pytest.raises(AioRpcError):
        await patiently(server.call)
    assert len(server.given) == 1


async def test_the_last_answer_is_raised_when_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory_call, "CALL_TIMEOUT_S", 0.05)
    server = Server(*[failed(AWAY)] * 100)
    with pytest.raises(AioRpcError):
        await patiently(server.call)
    assert 2 <= len(server.given) < 20
