"""The call that follows the feed (docs/watch.md)."""

from itertools import cycle
from typing import Unpack

from onetier.v1.watch_pb2 import WatchRequest

from onetier_client.asking import Asking
from onetier_client.feed import Watch, WatchWanted


class Watching(Asking):
    """What happens to accounts, as it happens."""

    def watch(self, **wanted: Unpack[WatchWanted]) -> Watch:
        """Follow the feed: `async for event, cursor in client.watch(kinds=["suspended"], cursor=kept)`, until closed.

        It begins behind `cursor`, with the oldest event that is kept (`from_oldest`), or else when the feed first
        answers; goes on by cursor at the next of the client's `feeds` when one fails; raises the fault where a repeat
        is of no use. Raises `ValueError` when the client was given no `feeds`.
        """
        if not self._feeds:
            raise ValueError("the client needs the address of a process of the feed: feeds=['host:port']")
        watch = Watch(cycle(self._feeds).__next__, WatchRequest(**wanted), self._tls)
        self._watches.add(watch)
        return watch
