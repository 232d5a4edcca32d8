"""Who goes next when a slot has more commands than room: one lane an account, each lane gets one turn in a round.

So an account with ten thousand commands waiting delays another account's command by one of them, not by all. A lane
that waits for the store (loading the account, looking up an old outcome) keeps its order and takes no turn.
"""

from collections import deque
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")


class Lane(Generic[ItemT]):
    """The commands of one account in order of arrival."""

    __slots__ = ("blocked", "items", "queued")

    def __init__(self) -> None:
        self.items: deque[ItemT] = deque()
        self.blocked = False
        self.queued = False
        """It stands among the turns."""


class Lanes(Generic[ItemT]):
    """Bounded fair queue. `size` counts items."""

    def __init__(self, items_max: int, lane_items_max: int) -> None:
        self.size = 0
        self._lanes: dict[str, Lane[ItemT]] = {}
        self._turns: deque[str] = deque()
        self._items_max = items_max
        self._lane_items_max = lane_items_max

    def busy(self, account_id: str) -> bool:
        """Whether the account has a lane: a new command must go behind what is there."""
        return account_id in self._lanes

    def push(self, account_id: str, item: ItemT) -> bool:
        """Queue an item; False when the slot's or the account's bound is reached."""
        if self.size >= self._items_max:
            return False
        lane = self._lanes.get(account_id)
        if lane is None:
            lane = self._lanes[account_id] = Lane()
            self._queue(account_id, lane)
        elif len(lane.items) >= self._lane_items_max:
            return False
        lane.items.append(item)
        self.size += 1
        return True

    def block(self, account_id: str, first: ItemT | None = None) -> None:
        """Let a lane wait; `first` goes before what it holds. The lane is made when it isn't there."""
        lane = self._lanes.get(account_id)
        if lane is None:
            lane = self._lanes[account_id] = Lane()
        lane.blocked = True
        if first is not None:
            lane.items.appendleft(first)
            self.size += 1

    def unblock(self, account_id: str) -> None:
        """Let a lane take turns again."""
        lane = self._lanes.get(account_id)
        if lane is not None and lane.blocked:
            lane.blocked = False
            self._queue(account_id, lane)

    def _queue(self, account_id: str, lane: Lane[ItemT]) -> None:
        if not lane.queued:
            lane.queued = True
            self._turns.append(account_id)

    def first(self, account_id: str, item: ItemT) -> bool:
        """Whether a lane waits with this very item before all others: it may have been dropped and made anew since."""
        lane = self._lanes.get(account_id)
        return lane is not None and lane.blocked and bool(lane.items) and lane.items[0] is item

    def shift(self, account_id: str) -> None:
        """Take the first item off a lane: it was answered elsewhere."""
        lane = self._lanes.get(account_id)
        if lane is not None and lane.items:
            lane.items.popleft()
            self.size -= 1

    def pop(self) -> tuple[str, ItemT] | None:
        """Give the next item in turn, with its account; None when no lane is ready.

        A lane with more goes to the end of the round. The item is out of the lane: who can't do it yet puts it back
        first, by `block`.
        """
        # A turn is only a name, so it may be old: its lane was dropped, blocked, or emptied by `shift` since. Such
        # turns are passed over here instead of being sought in the line when that happens; `queued` keeps a lane from
        # standing twice.
        while self._turns:
            account_id = self._turns.popleft()
            lane = self._lanes.get(account_id)
            if lane is None:
                continue
            lane.queued = False
            if lane.blocked:
                continue
            if not lane.items:
                del self._lanes[account_id]
                continue
            item = lane.items.popleft()
            self.size -= 1
            if lane.items:
                self._queue(account_id, lane)
            else:
                del self._lanes[account_id]
            return account_id, item
        return None

    def drain(self) -> list[ItemT]:
        """Give all items, of waiting lanes too, and forget them: lane by lane, each in order of arrival."""
        items = [item for lane in self._lanes.values() for item in lane.items]
        self._lanes.clear()
        self._turns.clear()
        self.size = 0
        return items

    def drop_lane(self, account_id: str) -> list[ItemT]:
        """Give the items of one lane, in order of arrival, and forget it; none when there is no such lane."""
        lane = self._lanes.pop(account_id, None)
        if lane is None:
            return []
        self.size -= len(lane.items)
        return list(lane.items)
