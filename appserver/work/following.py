"""The steps of a traced item: what it did is read off the parts that did it, which know nothing of traces."""

from appserver.accounts.cache import AccountCache
from appserver.accounts.chain import CommitItem
from appserver.batches.followed import FollowedItem
from appserver.batches.item import WorkItem
from appserver.uplink.outgoing import Outbox
from appserver.work.items import OpeningItem, QuoteItem
from runtime.tracing import now_ns


class FollowedStep:
    """One step of a traced item, under way."""

    __slots__ = ("_began_ns", "_followed", "_item", "_items", "_misses", "_parts")

    def __init__(self, parts: "Following", followed: FollowedItem, item: WorkItem) -> None:
        followed.go_on()
        self._parts = parts
        self._followed = followed
        self._item = item
        self._items = parts.outbox.items
        self._misses = parts.accounts.misses
        self._began_ns = now_ns()

    def done(self) -> None:
        """The step is over: it was answered, sent its commit, or waits for data or for its turn."""
        item, followed, outbox = self._item, self._followed, self._parts.outbox
        asked = outbox.items > self._items
        commits = (isinstance(item, CommitItem) and item.chain is not None) or (
            isinstance(item, OpeningItem) and asked and item.reference is not None
        )
        answered = item.batch.answered(item.position)
        if commits or (answered and isinstance(item, QuoteItem)):
            followed.did("rate", self._began_ns)
        elif answered:
            followed.did("tell", self._began_ns)
        if answered:
            return
        if commits:
            waits = "commit"
        elif self._parts.accounts.misses > self._misses:
            waits = "pull"
        else:
            waits = "ask" if asked else "turn"
        context = followed.wait(waits)
        if asked:
            outbox.trace(outbox.items - 1, context)


class Following:
    """Makes the steps of traced items."""

    def __init__(self, outbox: Outbox, accounts: AccountCache) -> None:
        self.outbox = outbox
        self.accounts = accounts

    def step(self, item: WorkItem) -> FollowedStep | None:
        """Begin a step of an item whose batch has a traced one; None when it is another's."""
        followed = item.batch.followed
        if followed is None or followed.position != item.position:
            return None
        return FollowedStep(self, followed, item)
