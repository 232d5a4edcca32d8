"""The one item of a batch whose way is traced, and the steps that it is seen to do; see `runtime.tracing`."""

from onetier.v1 import service_desk_pb2 as desk

from runtime.tracing import OpenSpan, now_ns


class FollowedItem:
    """A traced item inside this process, from the door to its reply. It does one step at a time, or waits for one."""

    __slots__ = ("_door", "_waits", "position")

    def __init__(self, position: int, door: OpenSpan) -> None:
        self.position = position
        """In its batch."""
        self._door = door
        self._waits: OpenSpan | None = None

    def wait(self, name: str) -> str:
        """Begin to wait for something, until the next step; gives the context for whoever is asked."""
        self._waits = self._door.begin(name)
        return self._waits.traceparent

    def go_on(self) -> None:
        """It waits no more."""
        if self._waits is not None:
            self._waits.end()
            self._waits = None

    def did(self, name: str, began_ns: int) -> None:
        """Note a step that has just ended."""
        self._door.part(name, began_ns, now_ns())

    def end(self, reply: desk.ServiceReply) -> None:
        """It has its reply, which goes out now."""
        self.go_on()
        if reply.HasField("error"):
            self._door.end(outcome="refused", code=reply.error.code)
        else:
            self._door.end(outcome=reply.WhichOneof("result") or "")
