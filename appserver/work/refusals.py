"""Requests that the platform can't serve, and what is looked at before one is told so."""

from appserver.batches.item import WorkItem
from appserver.batches.pending import Pending
from appserver.uplink.outgoing import Outbox, Taker
from appserver.work.answers import answer_done, unexpected
from appserver.work.items import QueryItem
from appserver.work.library import Library
from charging.errors import (
    Broken,
    Conflict,
    Denied,
    Expired,
    Fault,
    Invalid,
    NotFound,
    Overloaded,
    Refused,
    Unavailable,
)
from charging.wire import Answer, Done, Failed, Lookup, Unknown, pack
from charging.wire import fault as fault_of

MOVING_RETRY_MS = 100
UNCERTAIN = (Unavailable, Expired, Broken)
"""Faults after which nobody here knows whether it was done."""
_OF_THE_KEY = (*UNCERTAIN, Conflict, Overloaded)
"""Faults of a look-up that win over what the platform found: the key may be another request's, or not known about."""


class KeyAsked:
    """The look-up of what was done under the key of an item before the platform's own fault is told."""

    __slots__ = ("fault", "item")

    def __init__(self, item: WorkItem, fault: Fault) -> None:
        self.item = item
        self.fault = fault


class Refusals(Taker[KeyAsked]):
    """Refuses items, those with a key only when nothing was done under it before."""

    def __init__(self, pending: Pending, library: Library, outbox: Outbox) -> None:
        self._pending = pending
        self._library = library
        self._outbox = outbox

    def fail(self, item: WorkItem, fault: Fault) -> None:
        """The platform can't serve it. Under a key something may have been done before: that outcome wins.

        What rests on reference data is said only of the newest.
        """
        reference = item.reference
        judged = isinstance(fault, (Invalid, Denied, NotFound, Refused))
        if judged and reference is not None and self._library.confirm(item, reference):
            return
        request = item.request
        if not request.key or isinstance(item, QueryItem):
            self._pending.refuse_item(item, fault)
            return
        # Bare, since a fault that is kept with its trace keeps the whole batch.
        asked = KeyAsked(item, fault.bare())
        body = pack(Lookup(request.identity, request.key, request.digest))
        self._outbox.add(request.identity, body, self, asked, item.batch.deadline)

    def refuse(self, item: WorkItem, fault: Fault) -> None:
        """Tell the fault of a commit, or one after which nothing is to be looked up."""
        if fault.reason == "ACCOUNT_MOVED":
            # Its new domain serves it as soon as the route is known; nothing was done here.
            fault = Unavailable("ACCOUNT_MOVING", fault.message, retry_ms=MOVING_RETRY_MS)
        self._pending.refuse_item(item, fault)

    def take(self, asked: KeyAsked, answer: Answer, size: int) -> None:
        """Tell the stored outcome; where there is none, or it can't be of this request, the platform's own fault."""
        if isinstance(answer, Done):
            answer_done(self._pending, asked.item, answer)
        elif isinstance(answer, Unknown):
            self._pending.refuse_item(asked.item, asked.fault)
        elif isinstance(answer, Failed):
            found = fault_of(answer)
            stands = answer.repeated or isinstance(found, _OF_THE_KEY)
            self._pending.refuse_item(asked.item, found if stands else asked.fault)
        else:
            self._pending.refuse_item(asked.item, unexpected(answer))

    def lose(self, asked: KeyAsked, fault: Fault) -> None:
        """Whether there is an outcome isn't known."""
        self._pending.refuse_item(asked.item, fault if isinstance(fault, _OF_THE_KEY) else asked.fault)
