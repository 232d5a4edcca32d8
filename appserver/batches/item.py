"""A request as the platform works on it: which answer of which batch it owes, and on what it has been judged."""

from appserver.batches.batch import RequestBatch
from appserver.reading.request import Request
from appserver.reference import DomainReference


class WorkItem:
    """What every item has; those of a kind of their own have more."""

    __slots__ = ("batch", "confirmed", "position", "reference", "request")

    def __init__(self, request: Request, batch: RequestBatch, position: int) -> None:
        self.request = request
        self.batch = batch
        self.position = position
        """In its batch."""
        self.confirmed = False
        """Its refusal was looked at again on reference data that was the newest after it came."""
        self.reference: DomainReference | None = None
        """What it was judged by, once it was."""

    @property
    def language(self) -> str:
        """What the caller accepts, as Accept-Language says it; "" = nothing is said."""
        return str(self.batch.requests[self.position].language)
