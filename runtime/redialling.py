"""One long stream to one address, redialled for ever with back-off. What goes over it is its user's: `runtime.link`."""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from typing import Generic

import grpc

from charging.errors import Fault, Unavailable
from runtime.flights import RequestT, ResponseT
from runtime.status import from_rpc_error
from runtime.telemetry import logger

log = logger("runtime.link")

BACKOFF_MIN_MS = 50
BACKOFF_MAX_MS = 1_000
SILENCE_MS_MAX = 5_000
"""A peer that lets a batch expire and has said nothing at all for so long is taken for stuck, and redialled."""


class RedialledStream(Generic[RequestT, ResponseT]):
    """A stream that is there, or is being dialled again after 50 to 1,000 ms, with jitter, for ever."""

    def __init__(
        self,
        address: str,
        open_stream: Callable[[], grpc.aio.StreamStreamCall],
        *,
        take: Callable[[ResponseT], None],
        wanted: Callable[[RequestT], bool],
        broke: Callable[[Fault], None],
        on_change: Callable[[bool], None] | None,
    ) -> None:
        """`take` gets each response; a request that is not `wanted` any more when its turn comes is not written.

        `broke` hears why a stream ended, `on_change` whether there is one.
        """
        self._address = address
        self._open_stream = open_stream
        self._take = take
        self._wanted = wanted
        self._broke = broke
        self._on_change = on_change
        self._outbox: deque[RequestT] = deque()
        self._written = asyncio.Event()
        self._ending = False
        self._down = False
        self._backoff_ms = BACKOFF_MIN_MS
        self._loop = asyncio.get_running_loop()
        self._call: grpc.aio.StreamStreamCall | None = None
        self._heard_at = 0.0
        self._redial_at = 0.0
        self._task = self._loop.create_task(self._run(), name=f"link to {address}")

    @property
    def up(self) -> bool:
        """False while it waits to be dialled again."""
        return not self._down

    def redialled_in_ms(self) -> int:
        """Milliseconds until it is dialled again, at least 1."""
        return max(1, int((self._redial_at - self._loop.time()) * 1000) + 1)

    def write(self, request: RequestT) -> None:
        """Write a request in its turn, in order; it is dropped when the stream breaks before."""
        self._outbox.append(request)
        self._written.set()

    def cut_if_silent(self) -> None:
        """End the stream, to dial again, when the peer has said nothing for `SILENCE_MS_MAX`."""
        if self._call is not None and self._loop.time() - self._heard_at > SILENCE_MS_MAX / 1000:
            self._call.cancel()

    async def end(self) -> None:
        """End it for good; nothing is told of what was not written. Idempotent."""
        self._ending = True
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._outbox.clear()

    async def _run(self) -> None:
        """Dial, serve, tell, wait, until it is ended."""
        while True:
            fault = await self._one_stream()
            if self._ending:
                return  # gRPC may swallow the cancellation of a call that fails while it is being dialled.
            self._down = True
            self._tell(False)
            self._outbox.clear()
            self._broke(fault)
            # Jitter keeps a fleet from redialling in step.
            pause_s = self._backoff_ms / 1000 * random.uniform(0.5, 1.0)
            self._redial_at = self._loop.time() + pause_s
            await asyncio.sleep(pause_s)
            self._backoff_ms = min(self._backoff_ms * 2, BACKOFF_MAX_MS)
            self._down = False
            self._tell(True)

    async def _one_stream(self) -> Fault:
        """Serve one stream until it breaks; gives why, as what its batches are told."""
        try:
            self._call = call = self._open_stream()
        except grpc.aio.UsageError as error:
            return self._broken(str(error))
        self._heard_at = self._loop.time()
        writer = self._loop.create_task(self._write(call))
        try:
            return await self._read(call)
        except grpc.aio.AioRpcError as error:
            fault = from_rpc_error(error)
            return self._broken(fault.message, fault.reason)
        except asyncio.CancelledError:
            if not call.cancelled() or self._ending:
                raise
            return self._broken("it was silent for too long")
        except Exception:
            # A channel closed under us, for example: the link must go on, or its batches would hang.
            log.exception("link failed", address=self._address)
            return self._broken("an internal error")
        finally:
            self._call = None
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            call.cancel()

    async def _read(self, call: grpc.aio.StreamStreamCall) -> Fault:
        """Take responses until the peer ends the stream; gives why it did."""
        while True:
            response = await call.read()
            if response is grpc.aio.EOF:
                code = await call.code()
                detail = await call.details()
                return self._broken(f"{code.name} {detail or ''}".strip())
            self._heard_at = self._loop.time()
            self._backoff_ms = BACKOFF_MIN_MS
            if response is None:  # gRPC's way to say that it can't be read; what it answers expires.
                log.warning("response can't be read", address=self._address)
                continue
            self._take(response)

    async def _write(self, call: grpc.aio.StreamStreamCall) -> None:
        try:
            while True:
                await self._written.wait()
                self._written.clear()
                while self._outbox:
                    request = self._outbox.popleft()
                    if self._wanted(request):  # Else it expired while it waited.
                        await call.write(request)
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            # The reader sees the same break and tells the batches.
            return

    def _broken(self, why: str, cause: str = "STREAM_ENDED") -> Unavailable:
        if self._backoff_ms == BACKOFF_MIN_MS:  # Once, not at each vain attempt to redial.
            log.warning("stream broke", address=self._address, why=why, unwritten=len(self._outbox))
        text = f"the stream to {self._address} broke ({why}); repeat the same request key"
        return Unavailable("STREAM_BROKEN", text, facts={"cause": cause}, retry_ms=self._backoff_ms)

    def _tell(self, up: bool) -> None:
        if self._on_change is not None:
            self._on_change(up)
