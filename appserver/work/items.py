"""Items that leave accounts as they are, and those that make one. What commits on known accounts is in
`appserver.accounts.chain`.
"""

from appserver.accounts.receiver import Receiver, receiver_wanted
from appserver.batches.batch import RequestBatch
from appserver.batches.item import WorkItem
from appserver.reading.request import EventRequest, PreviewRequest, QueryRequest, Request
from charging.base.contract import Contract
from charging.ledger.commands.open_account import OpenAccount
from charging.wire import BusinessData


class OpeningItem(WorkItem):
    """The command that creates an account; it names none, since the id is the owner's to give."""

    __slots__ = ("order",)

    def __init__(self, request: Request, batch: RequestBatch, position: int, order: OpenAccount) -> None:
        super().__init__(request, batch, position)
        self.order = order


class ReadItem(WorkItem):
    """What is answered from data that were asked for after it came."""

    __slots__ = ("data",)

    def __init__(self, request: Request, batch: RequestBatch, position: int) -> None:
        super().__init__(request, batch, position)
        self.data: BusinessData | None = None

    def take(self, identity: str, data: BusinessData) -> None:
        """Keep what was pulled for an identity: the request's, where nothing else was asked for."""
        self.data = data


class QuoteItem(ReadItem):
    """A dry run of one event."""

    __slots__ = ("usage",)

    def __init__(self, request: EventRequest, batch: RequestBatch, position: int) -> None:
        super().__init__(request, batch, position)
        self.usage = request.usage


class PreviewItem(ReadItem):
    """A dry run of a command."""

    __slots__ = ("contracts", "order", "other", "receiver")

    def __init__(self, request: PreviewRequest, batch: RequestBatch, position: int) -> None:
        super().__init__(request, batch, position)
        self.order = request.order
        self.contracts: dict[str, Contract] = {}
        """That are at hand, by identity: the request's, and those of other members that the order needs."""
        self.other: BusinessData | None = None
        """Of who gets a gift."""
        self.receiver: Receiver | None = None
        """The same, with the reference data of its region."""

    def take(self, identity: str, data: BusinessData) -> None:
        """Keep the contract; of the request's own identity the account, too; of who gets a gift all apart."""
        if identity == receiver_wanted(self.order):
            self.other = data
            return
        self.contracts[identity] = data.contract
        if identity == self.request.identity:
            self.data = data


class QueryItem(ReadItem):
    """A view, or the outcome of a request key."""

    __slots__ = ("query",)

    def __init__(self, request: QueryRequest, batch: RequestBatch, position: int) -> None:
        super().__init__(request, batch, position)
        self.query = request
        """The request, as what it is."""
