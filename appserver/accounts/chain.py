"""The commits of one account that are under way together, and who waits until they are answered.

Commits chain within one outgoing batch, each rated on the predicted state after the one before. Once the batch is sent,
further requests wait until all its answers are there. When another instance charges the same account, whoever rates the
shorter chain gets in first: so a chain that came too late starts again short, and grows with success.
"""

from collections import deque

from appserver.accounts.prediction import Prediction
from appserver.accounts.receiver import Receiver
from appserver.batches.batch import RequestBatch
from appserver.batches.item import WorkItem
from appserver.reading.request import CommandRequest, EventRequest, Request
from charging.base.usage import Charge
from charging.ledger.command import Command
from charging.wire import BusinessData, Done

CHAIN_MAX = 400
"""Commits of one account in one batch; below the size of a batch, so that a hot account leaves room for others."""
CHAIN_CONTENDED = 16
"""The same, after another instance was first."""


class CommitItem(WorkItem):
    """A request that changes an account the platform knows: rated or planned, then committed at the owner."""

    __slots__ = ("attempts", "chain", "place")

    def __init__(self, request: Request, batch: RequestBatch, position: int) -> None:
        super().__init__(request, batch, position)
        self.attempts = 0
        """How often it was rated because the account had moved on."""
        self.place = 0
        """Position in the outgoing batch it was last sent in: the order of the commits of one account."""
        self.chain: CommitChain | None = None
        """It is under way in; None before and after."""


class ChargeItem(CommitItem):
    """A charge of one event."""

    __slots__ = ("charge", "usage")

    def __init__(self, request: EventRequest, batch: RequestBatch, position: int) -> None:
        super().__init__(request, batch, position)
        self.usage = request.usage
        self.charge: Charge | None = None
        """As rated last: its reply tells the steps from it."""


class CommandItem(CommitItem):
    """A command on an account, or a step of a session."""

    __slots__ = ("members_pulled", "order", "receiver")

    def __init__(self, request: CommandRequest, batch: RequestBatch, position: int) -> None:
        super().__init__(request, batch, position)
        self.order = request.order
        self.members_pulled = 0
        """How often it waited for the contract of another member, or for who gets a gift."""
        self.receiver: Receiver | None = None
        """Of an offering that is given."""


class CommitChain:
    """One account as the platform knows it, and the commits it has under way."""

    __slots__ = (
        "_fresh",
        "_retry",
        "account_id",
        "batch",
        "broken",
        "chain_max",
        "flight",
        "identities",
        "prediction",
        "size",
        "used",
        "waiting",
    )

    def __init__(self, account_id: str) -> None:
        self.account_id = account_id
        self.prediction = Prediction()
        self.flight = 0
        """Commits without an answer."""
        self.batch = 0
        """Number of the outgoing batch the chain belongs to; 0 = it is closed."""
        self.chain_max = CHAIN_MAX
        """How many commits may go out at once."""
        self.broken = False
        """An answer was not as predicted: the state is worth nothing."""
        self.waiting: deque[CommitItem] = deque()
        """In the order in which they go on."""
        self._fresh: BusinessData | None = None
        """The newest that came with a stale answer."""
        self._retry: list[CommitItem] = []
        """Found stale; to be rated again before anybody who waits."""
        self.identities = 0
        """Under how many identities the cache knows it. This and what follows is the cache's own."""
        self.size = 0
        """Bytes of the business data, as it came last."""
        self.used = True
        """Looked at since the cache last wanted to let it go."""

    def is_closed(self, batch: int) -> bool:
        """Say whether a further commit must wait for the answers to those under way.

        `batch` is the number of the batch being filled: commits of one account that were rated on top of each other go
        in one batch, in order, or the owner could meet the second without the first.
        """
        return self.flight > 0 and (self.batch != batch or self.flight >= self.chain_max)

    def sent(self, item: CommitItem, place: int, command: Command, batch: int, *, predictable: bool) -> None:
        """Note a command that goes out at a place of a batch. After one that can't be predicted the chain ends."""
        item.place = place
        item.chain = self
        self.flight += 1
        if predictable:
            self.batch = batch
            self.prediction.sent(place, command)
        else:
            self.batch = 0
            self.broken = True

    def settle_done(self, item: CommitItem, done: Done) -> None:
        """Take the outcome of a commit: each that was `sent` is settled once, by this or by one of the next two."""
        self.flight -= 1
        if not self.prediction.agrees(item.place, done):
            self.broken = True

    def settle_refused(self, item: CommitItem, *, certain: bool) -> None:
        """Take a fault as the outcome of a commit; `certain` when the owner decided it and nothing moved."""
        self.flight -= 1
        agreed = self.prediction.agrees_refused(item.place)
        if not (agreed and certain):
            self.broken = True

    def settle_stale(self, item: CommitItem | None, data: BusinessData) -> None:
        """Take fresh business data as the answer to a commit: the item is to be rated again (None = not again)."""
        self.flight -= 1
        self.broken = True
        if self._fresh is None or self._fresh.account.version <= data.account.version:
            self._fresh = data
        if item is not None:
            self._retry.append(item)

    def close(self) -> None:
        """Let nothing more join the commits under way."""
        self.batch = 0

    def release(self) -> bool:
        """All answers are there: renew or drop the state. Says whether somebody waits for their turn, in order."""
        self.batch = 0
        # A stale answer says that somebody else changes the account too: then few commits are risked at once, and more
        # again with each round that goes well.
        fresh, self._fresh = self._fresh, None
        self.chain_max = CHAIN_CONTENDED if fresh is not None else min(CHAIN_MAX, self.chain_max * 2)
        self.prediction.settled()
        if self.broken:
            self.prediction.forget()
            if fresh is not None:
                self.renew(fresh)
        self.broken = False
        if self._retry:
            self.waiting.extendleft(sorted(self._retry, key=_place, reverse=True))
            self._retry.clear()
        return bool(self.waiting)

    def renew(self, data: BusinessData) -> None:
        """Take business data from the owner."""
        self.prediction.renew(data, under_way=self.flight > 0)


def _place(item: CommitItem) -> int:
    return item.place
