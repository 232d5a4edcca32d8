"""The batches of a link that are under way, and what a link's user gives for each: where its answers go.

Nothing here costs anything per item: counts are of batches, and of the items that a part says it answered.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Generic, Protocol, TypeVar

from msgspec import Struct

from charging.errors import Broken, Fault
from runtime.telemetry import logger

log = logger("runtime.link")


class Batched(Protocol):
    """A request or response that belongs to a batch; ids are the sender's, in order from 1 for each link."""

    batch_id: int

    def ByteSize(self) -> int:
        """Bytes on the wire."""
        ...


class Mergeable(Batched, Protocol):
    """A response that has room for parts of other batches that got ready at the same time."""

    @property
    def more(self) -> Any:
        """A repeated field of the response's own type, in it empty."""
        ...


MergeableT = TypeVar("MergeableT", bound=Mergeable)
RequestT = TypeVar("RequestT", bound=Batched)
ResponseT = TypeVar("ResponseT", bound=Batched)
ResponseT_contra = TypeVar("ResponseT_contra", contravariant=True)


class LinkSink(Protocol[ResponseT_contra]):
    """Where the answers of one batch go: parts until all items are answered, or `lost` once and nothing after."""

    def part(self, response: ResponseT_contra, /) -> int:
        """Take some answers, in whatever order they got ready; give how many items they answered.

        Must not block: the answers of all other batches of the stream wait. What it raises ends its own batch alone.
        """
        ...

    def lost(self, fault: Fault, /) -> None:
        """What has no answer yet gets none: `fault` says why. Called at most once, as the last."""
        ...


def alone(response: ResponseT) -> Iterable[ResponseT]:
    """A response as its only part."""
    return (response,)


def parts_of(response: MergeableT) -> Iterable[MergeableT]:
    """All parts of a response that was merged by `runtime.stream.take_merged`, in the order in which they got ready."""
    return (response, *response.more)


class Flight(Struct, Generic[ResponseT]):
    """A batch on its way."""

    sink: LinkSink[ResponseT]
    items_left: int
    timer: asyncio.TimerHandle | None

    def lose(self, fault: Fault) -> None:
        """Tell the sink; a defect in it is its own."""
        try:
            self.sink.lost(fault)
        except Exception:
            log.exception("a lost batch could not be told", reason=fault.reason)


class Flights(Generic[ResponseT]):
    """The batches under way of one link, at most `batches_max`."""

    def __init__(self, address: str, batches_max: int) -> None:
        self.items = 0
        """That have no answer yet."""
        self.room = asyncio.Event()
        """Set while one more may begin."""
        self.room.set()
        self.idle = asyncio.Event()
        """Set while none is under way."""
        self.idle.set()
        self._address = address
        self.batches_max = batches_max
        self._flights: dict[int, Flight[ResponseT]] = {}

    def __len__(self) -> int:
        """How many batches are under way."""
        return len(self._flights)

    def __contains__(self, batch_id: int) -> bool:
        """Whether a batch is under way: it was begun and has not ended."""
        return batch_id in self._flights

    @property
    def full(self) -> bool:
        """Whether no further batch may begin."""
        return len(self._flights) >= self.batches_max

    def begin(self, batch_id: int, items: int, sink: LinkSink[ResponseT], timer: asyncio.TimerHandle) -> None:
        """Note a batch that is sent; the caller has seen that there is room, and `timer` is cancelled at its end."""
        self._flights[batch_id] = Flight(sink, items, timer)
        self.items += items
        self.idle.clear()
        if len(self._flights) >= self.batches_max:
            self.room.clear()

    def take(self, batch_id: int, part: ResponseT) -> None:
        """Give a part to the sink of its batch, which ends when all items are answered, or when the sink fails."""
        flight = self._flights.get(batch_id)
        if flight is None:
            return  # Expired meanwhile.
        try:
            answered = flight.sink.part(part)
        except Exception:
            log.exception("a part could not be taken", address=self._address)
            self.end(batch_id)
            flight.lose(Broken("ANSWER_MALFORMED", f"an answer of {self._address} can't be read; it is in the log"))
            return
        answered = min(max(answered, 0), flight.items_left)
        flight.items_left -= answered
        self.items -= answered
        if flight.items_left <= 0:
            self.end(batch_id)

    def end(self, batch_id: int) -> Flight[ResponseT] | None:
        """End a batch and give it; None when it has ended before. The caller loses what is left of it."""
        flight = self._flights.pop(batch_id, None)
        if flight is None:
            return None
        self.items -= flight.items_left
        if flight.timer is not None:
            flight.timer.cancel()
        self.room.set()
        if not self._flights:
            self.idle.set()
        return flight

    def lose_all(self, fault: Fault) -> None:
        """End all batches in the order in which they were sent, and say why."""
        for batch_id in list(self._flights):
            flight = self.end(batch_id)
            if flight is not None:
                flight.lose(fault)
