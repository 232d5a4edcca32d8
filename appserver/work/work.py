"""Items between their arrival and their reply: each goes on, in order, with the part that does its kind.

A charge needs the account, the contract and the catalogue. Whatever is missing is asked for and the item goes on by
`ready` when it is there, from its beginning, since what it had may have changed meanwhile.
"""

from collections import deque

from appserver.accounts.chain import ChargeItem, CommandItem, CommitChain, CommitItem
from appserver.batches.batch import RequestBatch
from appserver.batches.item import WorkItem
from appserver.batches.pending import Pending
from appserver.reading.asks import Kind
from appserver.reading.request import CommandRequest, EventRequest, PreviewRequest, QueryRequest, Request
from appserver.uplink.outgoing import Outbox
from appserver.work.commits import Commits
from appserver.work.following import Following
from appserver.work.items import OpeningItem, PreviewItem, QueryItem, QuoteItem, ReadItem
from appserver.work.openings import Openings
from appserver.work.reads import Reads
from appserver.work.refusals import Refusals
from charging.errors import Fault, internal
from charging.ledger.commands.open_account import OpenAccount
from runtime.telemetry import logger

log = logger("appserver.work")


class Work:
    """Steps items on. One that fails, for whatever reason, fails alone."""

    def __init__(
        self,
        ready: deque[WorkItem],
        turns: deque[CommitChain],
        commits: Commits,
        openings: Openings,
        reads: Reads,
        refusals: Refusals,
        outbox: Outbox,
        pending: Pending,
        following: Following,
    ) -> None:
        """`ready` are items that can go on now, `turns` accounts without a commit under way that somebody waits for.

        Whoever is in `CommitChain.waiting` either waits for answers, or the account is listed in `turns`.
        """
        self._ready = ready
        self._turns = turns
        self._commits = commits
        self._openings = openings
        self._reads = reads
        self._refusals = refusals
        self._outbox = outbox
        self._pending = pending
        self._following = following

    @property
    def waits(self) -> bool:
        """Say whether anybody can go on as soon as there is room."""
        return bool(self._turns or self._ready)

    def begin(self, request: Request, batch: RequestBatch, position: int) -> None:
        """Make an item of what was read, and begin with it."""
        self._step(_item(request, batch, position), False)

    def go_on(self) -> None:
        """Take up who waited, in order and before anything new, until the batch is full."""
        outbox, turns, ready = self._outbox, self._turns, self._ready
        while turns and not outbox.is_full:
            chain = turns[0]
            waiting = chain.waiting
            while waiting and not chain.is_closed(outbox.number) and not outbox.is_full:
                self._step(waiting.popleft(), True)
            if not waiting or chain.flight:
                turns.popleft()
        while ready and not outbox.is_full:
            self._step(ready.popleft(), False)

    def _step(self, item: WorkItem, turn: bool) -> None:
        """Do the next thing for an item. `turn` says that it has waited for its account."""
        if item.batch.answered(item.position):
            return
        traced = self._following.step(item) if item.batch.followed is not None else None
        try:
            if isinstance(item, CommitItem):
                self._commits.step(item, turn)
            elif isinstance(item, ReadItem):
                self._reads.step(item)
            elif isinstance(item, OpeningItem):
                self._openings.step(item)
        except Fault as fault:
            self._refusals.fail(item, fault)
        except Exception:
            log.exception("request failed", kind=item.request.kind.name)
            self._pending.refuse_item(item, internal())
        if traced is not None:
            traced.done()


def _item(request: Request, batch: RequestBatch, position: int) -> WorkItem:
    if isinstance(request, EventRequest):
        if request.kind is Kind.CHARGE:
            return ChargeItem(request, batch, position)
        return QuoteItem(request, batch, position)
    if isinstance(request, QueryRequest):
        return QueryItem(request, batch, position)
    if isinstance(request, PreviewRequest):
        return PreviewItem(request, batch, position)
    assert isinstance(request, CommandRequest)
    if isinstance(request.order, OpenAccount):
        return OpeningItem(request, batch, position, request.order)
    return CommandItem(request, batch, position)
