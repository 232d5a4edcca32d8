"""Business data asked for, and who waits for it: one pull serves all who may use it."""

from collections import deque

from appserver.accounts.cache import AccountCache
from appserver.accounts.chain import CommandItem
from appserver.accounts.receiver import nobody, receiver_wanted
from appserver.batches.item import WorkItem
from appserver.batches.pending import Pending
from appserver.uplink.outgoing import Outbox, Taker
from appserver.work.answers import unexpected
from appserver.work.items import PreviewItem, ReadItem
from appserver.work.library import Library
from appserver.work.refusals import Refusals
from charging.errors import Fault, NotFound, Unavailable
from charging.wire import Answer, BusinessData, Failed, Pull, pack
from charging.wire import fault as fault_of

CONTENDED_RETRY_MS = 20


class SharedPull:
    """Business data asked for an identity, and who waits for it."""

    __slots__ = ("identity", "items")

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.items: list[WorkItem] = []


class Pulls(Taker[SharedPull]):
    """Asks owners for accounts with their contracts, keeps what comes, and lets `ready` go on with it."""

    def __init__(
        self,
        outbox: Outbox,
        accounts: AccountCache,
        library: Library,
        ready: deque[WorkItem],
        refusals: Refusals,
        pending: Pending,
    ) -> None:
        self._outbox = outbox
        self._accounts = accounts
        self._library = library
        self._ready = ready
        self._refusals = refusals
        self._pending = pending
        self._shared: dict[str, SharedPull] = {}
        """Under way, for charges and commands: these are checked by the owner, so any pull will do."""
        self._fresh: dict[str, SharedPull] = {}
        """In the batch being filled, for reads: nothing that was asked before they came would do."""
        self._fresh_batch = 0

    def pull(self, item: WorkItem, member: str = "") -> None:
        """Let an item that commits wait for its account; it may share a pull that is under way.

        `member` = it is the contract of that other identity of the account that it waits for.
        """
        self._join(self._shared, item, member)

    def pull_fresh(self, item: ReadItem, member: str = "") -> None:
        """Let an item wait for data that are asked for from now on; `item.take` gets them. `member` as of `pull`."""
        if self._fresh_batch != self._outbox.number:
            self._fresh_batch = self._outbox.number
            self._fresh = {}
        self._join(self._fresh, item, member)

    def _join(self, pulls: dict[str, SharedPull], item: WorkItem, member: str = "") -> None:
        self._accounts.misses += 1
        identity = member or item.request.identity
        pull = pulls.get(identity)
        if pull is None:
            pull = pulls[identity] = SharedPull(identity)
            self._outbox.add(identity, pack(Pull(identity)), self, pull, item.batch.deadline)
        else:
            self._outbox.keep_until(item.batch.deadline)
        pull.items.append(item)

    def take(self, asked: SharedPull, answer: Answer, size: int) -> None:
        """Keep the data; who waits goes on once the reference data they need is there.

        An identity that is not known any more is dropped, and a key that an account of it may still know is asked for
        first.
        """
        self._end(asked)
        if not isinstance(answer, BusinessData):
            self._fail(asked, fault_of(answer) if isinstance(answer, Failed) else unexpected(answer))
            return
        reads = 0
        for item in asked.items:
            if isinstance(item, ReadItem):
                item.take(asked.identity, answer)
                reads += 1
        if reads == len(asked.items):
            self._accounts.refresh(answer, size)
        else:
            self._accounts.put(answer, size)
        if self._library.is_current(answer.contract.domain, answer.revision):
            self._ready.extend(asked.items)
        else:
            self._library.want(answer.contract.domain, answer.revision, asked.items)

    def lose(self, asked: SharedPull, fault: Fault) -> None:
        """Nobody answered: nothing was done, and the callers may repeat."""
        self._end(asked)
        for item in asked.items:
            self._pending.refuse_item(item, fault)

    def _fail(self, asked: SharedPull, fault: Fault) -> None:
        if not isinstance(fault, NotFound):
            for item in asked.items:
                self._pending.refuse_item(item, fault)
            return
        self._accounts.drop(asked.identity)
        for item in asked.items:
            if isinstance(item, CommandItem | PreviewItem) and receiver_wanted(item.order) == asked.identity:
                self._refusals.fail(item, nobody(item.order))
                continue
            if item.request.identity != asked.identity:
                self._accounts.drop(item.request.identity)  # Its account has other members by now.
                text = "a member left the account while its contract was asked for"
                self._pending.refuse_item(item, Unavailable("ACCOUNT_CONTENDED", text, retry_ms=CONTENDED_RETRY_MS))
                continue
            # An identity that is known no more may have had an account, which still knows the key.
            self._refusals.fail(item, fault)

    def _end(self, asked: SharedPull) -> None:
        for pulls in (self._shared, self._fresh):
            if pulls.get(asked.identity) is asked:
                del pulls[asked.identity]
