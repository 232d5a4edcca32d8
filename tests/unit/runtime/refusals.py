"""What a server refuses a stream with, when it does so before the client's item has left."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import grpc

SENDING_TRIES_MAX = 10
AnswerT = TypeVar("AnswerT")


async def answered(ask: Callable[[], Awaitable[AnswerT]]) -> AnswerT:
    """Ask until the server itself is heard: give its answer, or raise its refusal.

    A refusal can be faster than our item; gRPC's client then tells that the item could not be sent, and nothing else.
    """
    for _ in range(SENDING_TRIES_MAX):
        try:
            return await ask()
        except grpc.aio.AioRpcError as error:
            if "execute_batch" not in str(error.debug_error_string()):
                raise
    raise AssertionError("no answer of the server's own came")
