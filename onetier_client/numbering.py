"""Calls about numbers that nobody has just now; they are no requests of a desk, and rare."""

import asyncio
import time
from itertools import cycle

import grpc
from onetier.v1 import numbers_pb2 as pb
from onetier.v1.numbers_pb2_grpc import NumberServiceStub

from charging.errors import Unavailable
from onetier_client.asking import Asking
from onetier_client.lines import back_off_s
from runtime.channel import open_channel
from runtime.status import from_rpc_error


class Numbering(Asking):
    """Numbers of a region."""

    async def resting_numbers(
        self, domain: str, rows_max: int = 0, *, page_cursor: str = "", actor: str = "", channel: str = ""
    ) -> pb.ListRestingNumbersResponse:
        """Give a page of the numbers of a region that were let go and rest; `next_cursor` begins the next one.

        Asks one endpoint after another, within the client's time. Raises what the platform answers, as a `Fault`.
        """
        request = pb.ListRestingNumbersRequest(
            domain=domain,
            page_cursor=page_cursor,
            rows_max=rows_max,
            channel=channel or self._defaults["channel"],
            actor=actor,
        )
        until = time.monotonic() + self._timeout_ms / 1000
        for attempt, endpoint in enumerate(cycle(self._endpoints)):
            opened = open_channel(endpoint, self._tls, role="appserver")
            left_s = min(max(until - time.monotonic(), 0.001), self._attempt_timeout_ms / 1000)
            try:
                return await NumberServiceStub(opened).ListRestingNumbers(request, timeout=left_s)  # type: ignore[no-any-return]
            except grpc.aio.AioRpcError as error:
                fault = from_rpc_error(error)
                pause_s = back_off_s(attempt, fault.retry_ms)
                if not isinstance(fault, Unavailable) or time.monotonic() + pause_s > until:
                    raise fault from error
            finally:
                await opened.close()
            await asyncio.sleep(pause_s)
        raise AssertionError("a client has endpoints")
