"""Accounts that begin: there is nothing to pull and nothing to predict, but a domain to find and an offer to check."""

from appserver.accounts.cache import AccountCache
from appserver.batches.pending import Pending
from appserver.uplink.outgoing import Outbox, Taker
from appserver.work.answers import answer_done, unexpected
from appserver.work.batch_time import BatchTime
from appserver.work.commands import open_command
from appserver.work.items import OpeningItem
from appserver.work.library import Library
from appserver.work.refusals import Refusals
from charging.errors import Fault, NotFound
from charging.wire import Answer, Commit, Done, Failed, pack
from charging.wire import fault as fault_of


class Openings(Taker[OpeningItem]):
    """Opens accounts in the domain that the order names, or where its identity is served."""

    def __init__(
        self,
        library: Library,
        refusals: Refusals,
        accounts: AccountCache,
        outbox: Outbox,
        pending: Pending,
        time: BatchTime,
    ) -> None:
        self._library = library
        self._refusals = refusals
        self._accounts = accounts
        self._outbox = outbox
        self._pending = pending
        self._time = time

    def step(self, item: OpeningItem) -> None:
        """Do the next thing: find the domain, see whether it may, commit. Raises what `open_command` raises."""
        domain = item.order.contract.domain
        if not domain and item.reference is not None:
            domain = item.reference.domain
        if not domain:
            self._library.find_domain(item)
            return
        reference = self._library.get(domain, item, self._time.now_s)
        if reference is None:
            return
        item.reference = reference
        request = item.request
        refusal = reference.admit(request, item.batch.principal)
        if refusal is not None:
            self._refusals.fail(item, refusal)
            return
        command = open_command(item, reference, self._time.now_ms)
        self._outbox.add(request.identity, pack(Commit(request.identity, command)), self, item, item.batch.deadline)

    def take(self, asked: OpeningItem, answer: Answer, size: int) -> None:
        """Tell what came of it. An opening has no chain: the account exists from its answer on."""
        if isinstance(answer, Done):
            answer_done(self._pending, asked, answer)
        else:
            self.lose(asked, fault_of(answer) if isinstance(answer, Failed) else unexpected(answer))

    def lose(self, asked: OpeningItem, fault: Fault) -> None:
        """It was refused, or nobody knows."""
        if isinstance(fault, NotFound):
            self._accounts.drop(asked.request.identity)
        self._refusals.refuse(asked, fault)
