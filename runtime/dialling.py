"""A channel that shows servers what holds now: the newest certificate, or a proof of just now.

gRPC keeps the certificate that a channel began with. So the channel that is given out only stands for one: it is made
anew when the certificate was replaced, for the calls that begin from then on; those under way have a minute to end on
the old one. A stub made once goes on working.
"""

import asyncio
from collections.abc import Callable

import grpc

from runtime.loopback import Metadata
from runtime.tls import Renewal, Tls

OLD_CALLS_END_S = 60.0
"""How long calls may go on over a connection with a certificate that was replaced; then their links redial."""

Dial = Callable[[Tls | None], grpc.aio.Channel]


class Dialled(grpc.aio.Channel):  # type: ignore[misc]
    """Stands for the channel in force. Belongs to one event loop."""

    def __init__(self, dial: Dial, tls: Tls | None, shown: Callable[[], Metadata]) -> None:
        """`dial` makes a channel, `shown` gives the metadata of a call that begins."""
        self._dial = dial
        self._renewal = Renewal(tls) if tls is not None else None
        self._tls = tls
        self.shown = shown
        self._channel = dial(tls)
        self._retiring: set[asyncio.Task[None]] = set()
        self._closed = False

    def current(self) -> grpc.aio.Channel:
        """Give the channel for a call that begins, made anew when the certificate was replaced.

        Calls on the old one have `OLD_CALLS_END_S`. Not to be kept: the next call may need another.
        """
        tls = self._renewal.current() if self._renewal is not None else None
        if tls is not self._tls and not self._closed:
            retiring = asyncio.get_running_loop().create_task(self._channel.close(OLD_CALLS_END_S))
            self._retiring.add(retiring)
            retiring.add_done_callback(self._retiring.discard)
            self._tls, self._channel = tls, self._dial(tls)
        return self._channel

    async def __aenter__(self) -> "Dialled":
        """Give the channel."""
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Close it."""
        await self.close()

    async def close(self, grace: float | None = None) -> None:
        """End what is under way, on old connections too, after `grace` seconds; None = at once."""
        self._closed = True
        for retiring in list(self._retiring):
            retiring.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        await self._channel.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """Say how the connection is."""
        return self._channel.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Wait until the connection is another way than it was."""
        await self._channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Wait until the connection is there."""
        await self._channel.channel_ready()

    def unary_unary(self, *method: object, **options: object) -> "_Method":
        """Give a method of one request and one reply."""
        return _Method(self, "unary_unary", method, options)

    def unary_stream(self, *method: object, **options: object) -> "_Method":
        """Give a method of one request and many replies."""
        return _Method(self, "unary_stream", method, options)

    def stream_unary(self, *method: object, **options: object) -> "_Method":
        """Give a method of many requests and one reply."""
        return _Method(self, "stream_unary", method, options)

    def stream_stream(self, *method: object, **options: object) -> "_Method":
        """Give a method of many requests and many replies."""
        return _Method(self, "stream_stream", method, options)


class _Method:
    """A method of whichever channel is in force when it is called."""

    def __init__(self, dialled: Dialled, kind: str, method: tuple[object, ...], options: dict[str, object]) -> None:
        self._dialled = dialled
        self._kind = kind
        self._method = method
        self._options = options
        self._channel: grpc.aio.Channel | None = None
        self._call: Callable[..., grpc.aio.Call]

    def __call__(self, *request: object, **options: object) -> grpc.aio.Call:
        """Begin a call; arguments as of gRPC's own methods."""
        channel = self._dialled.current()
        if channel is not self._channel:
            self._channel = channel
            self._call = getattr(channel, self._kind)(*self._method, **self._options)
        shown = self._dialled.shown()
        if shown and options.get("metadata") is None:
            options["metadata"] = shown
        return self._call(*request, **options)
