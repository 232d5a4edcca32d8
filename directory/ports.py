"""Ports: accounts on their way to another domain, and how those of the past ended."""

from collections import OrderedDict

from msgspec import Struct

from directory.changes import PortBegun, PortEnded


class Port(Struct, frozen=True, gc=False):
    """A port and how far the log knows it: begun, or ended well (`failure` empty) or in vain."""

    begun: PortBegun
    ended: bool = False
    failure: bytes = b""
    revision: int = 0
    """Of the last change of it."""


class PortBook(OrderedDict[str, Port]):
    """Ports by request key: those that have not ended, and of the others the newest `kept_max` in all."""

    def __init__(self, kept_max: int) -> None:
        super().__init__()
        self.open: dict[str, str] = {}
        """Account id → key of the port under way."""
        self._kept_max = kept_max

    def begin(self, begun: PortBegun, revision: int) -> None:
        """Note that a port has begun; the checks have seen that no other of its account is under way."""
        self[begun.key] = Port(begun, revision=revision)
        self.open[begun.account_id] = begun.key

    def end(self, ended: PortEnded, revision: int) -> None:
        """Note how a port has ended, and forget the oldest of those that have."""
        port = self[ended.key]
        self[ended.key] = Port(port.begun, ended=True, failure=ended.failure, revision=revision)
        if self.open.get(port.begun.account_id) == ended.key:
            del self.open[port.begun.account_id]
        self.move_to_end(ended.key)
        while len(self) > self._kept_max:
            oldest = next(iter(self))
            if not self[oldest].ended:
                break
            del self[oldest]

    def under_way(self) -> list[Port]:
        """Give the ports that have begun and not ended."""
        return [self[key] for key in self.open.values()]
