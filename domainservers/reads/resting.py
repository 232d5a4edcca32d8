"""Reads of the numbers that rest in the slot's region: whichever slot is asked, for the list is in the shared unit."""

from charging import wire
from domainservers.base.surroundings import Surroundings
from domainservers.contracts.resting import RestingNumbers
from domainservers.desk.answers import pack_fault
from domainservers.journal.groups import ReplySink
from domainservers.reads.readers import Readers
from domainservers.reads.turns import Turns


class RestingReads:
    """Of one slot: a task a page, in turn with other long reads."""

    def __init__(self, numbers: RestingNumbers, around: Surroundings, turns: Turns, readers: Readers) -> None:
        self._numbers = numbers
        self._around = around
        self._turns = turns
        self._readers = readers

    def tell(self, sink: ReplySink, place: int, ask: wire.FetchResting) -> None:
        """Answer with a page."""
        self._readers.begin(self._tell(sink, place, ask), lambda fault: sink.answer(place, pack_fault(fault)))

    async def _tell(self, sink: ReplySink, place: int, ask: wire.FetchResting) -> None:
        self._around.look()
        async with self._turns.reader(sink.deadline):
            rows = await self._numbers.page(
                self._around.domain, ask.bucket, ask.after, ask.rows_max, self._around.newest_ms
            )
        sink.answer(place, wire.pack(rows))
