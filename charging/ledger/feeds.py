"""Batches of feeds: each is taken once for a subscriber, for ever, whatever request key it comes under."""

from charging.base.account import Account
from charging.errors import Refused
from charging.ledger.event import BaseEvent

FEEDS_MAX = 16
"""That are remembered of each member; a feed is a whole mediation plant, not one of its files."""


class FeedMarked(BaseEvent, frozen=True, tag="fed"):
    """A batch of a feed was taken; it and those before it are not taken again."""

    feed: str
    identity: str
    batch: int

    rerates = False

    def apply(self, account: Account) -> Account:
        """Remember it."""
        of = (self.feed, self.identity)
        others = tuple([mark for mark in account.open.feeds if mark[:2] != of])
        return account.with_open(feeds=(*others, (*of, self.batch)))

    def words(self) -> str:
        """Name it."""
        return f"batch {self.batch} of {self.feed}"


def require_new(account: Account, feed: str, identity: str, batch: int) -> None:
    """Raise `Refused` BATCH_TAKEN, FEEDS_FULL."""
    marks = {known: newest for known, of, newest in account.open.feeds if of == identity}
    taken = marks.get(feed, 0)
    if batch <= taken:
        text = f"batch {batch} of {feed} was taken, as were all before {taken}"
        raise Refused("BATCH_TAKEN", text, facts={"batch": str(taken)})
    if feed not in marks and len(marks) >= FEEDS_MAX:
        raise Refused("FEEDS_FULL", f"batches of {FEEDS_MAX} feeds were taken, as many as are remembered")
