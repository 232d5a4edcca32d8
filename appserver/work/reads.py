"""Queries and dry runs: answered from a pull made for them, since no owner checks afterwards what was told."""

from collections.abc import Mapping
from typing import Protocol

from appserver.access_log import AccessLog
from appserver.accounts.receiver import Receiver, receiver_wanted
from appserver.batches.pending import Pending
from appserver.reading.asks import OUTCOME
from appserver.reference import DomainReference
from appserver.uplink.outgoing import Outbox, Taker
from appserver.work.answers import answer_outcome, answer_query, answer_quote, unexpected
from appserver.work.batch_time import BatchTime
from appserver.work.items import PreviewItem, QueryItem, QuoteItem, ReadItem
from appserver.work.library import Library
from appserver.work.previews import answer_preview
from appserver.work.pulls import Pulls
from appserver.work.refusals import Refusals
from appserver.work.whole import member_wanted
from charging.errors import Fault
from charging.wire import Answer, BusinessData, Failed, FetchHistory, History, Lookup, pack
from charging.wire import fault as fault_of

_NO_LINES = History(())


class Viewer(Protocol):
    """A part that answers one view."""

    def show(self, item: QueryItem, data: BusinessData, reference: DomainReference) -> None:
        """Answer an item that was let in, at once or later. Raises the `Fault` that it is answered instead."""


class Reads(Taker[QueryItem]):
    """Answers queries and quotes, once `access` has noted who sees whose data."""

    def __init__(
        self,
        pulls: Pulls,
        library: Library,
        refusals: Refusals,
        access: AccessLog,
        outbox: Outbox,
        pending: Pending,
        time: BatchTime,
        viewers: Mapping[str, Viewer],
    ) -> None:
        """`viewers` answer the views that they are listed under; the others are answered here."""
        self._viewers = viewers
        self._pulls = pulls
        self._library = library
        self._refusals = refusals
        self._access = access
        self._outbox = outbox
        self._pending = pending
        self._time = time

    def step(self, item: ReadItem) -> None:
        """Do the next thing: pull, see whether it may, ask for journal lines, answer.

        Raises what rating raises, and `Overloaded` CLIENT_LINES.
        """
        data = item.data
        if data is None:
            self._pulls.pull_fresh(item)
            return
        reference = self._library.get(data.contract.domain, item, self._time.now_s)
        if reference is None:
            return
        item.reference = reference
        refusal = reference.admit(item.request, item.batch.principal)
        if isinstance(item, QueryItem):
            refusal = self._note(item, data, refusal)
        if refusal is not None:
            self._refusals.fail(item, refusal)
        elif isinstance(item, QueryItem):
            self._answer(item, data, reference)
        elif isinstance(item, PreviewItem):
            self._preview(item, data, reference)
        elif isinstance(item, QuoteItem):
            answer_quote(self._pending, item, data, reference, self._time.now_ms)

    def _preview(self, item: PreviewItem, data: BusinessData, reference: DomainReference) -> None:
        """Answer a dry run, once the contracts of all members that it rests on are at hand."""
        now_ms = self._time.now_ms
        wanted = member_wanted(item.order, data.account, item.contracts, reference, now_ms)
        if wanted:
            self._pulls.pull_fresh(item, wanted)
        elif not (other := receiver_wanted(item.order)) or self._find_receiver(item, other):
            answer_preview(self._pending, item, data, reference, now_ms)

    def _find_receiver(self, item: PreviewItem, identity: str) -> bool:
        """Get who would be given something; False = the item waits for that."""
        found = item.other
        if found is None:
            self._pulls.pull_fresh(item, identity)
            return False
        reference = self._library.get(found.contract.domain, item, self._time.now_s)
        if reference is None:
            return False
        item.receiver = Receiver(found.account, found.contract, reference)
        return True

    def _note(self, item: QueryItem, data: BusinessData, refusal: Fault | None) -> Fault | None:
        """Note a query, let in or not; gives why it isn't answered."""
        reason = "" if refusal is None else refusal.reason
        account_id = data.account.account_id
        unseen = self._access.note(item.query, item.batch.principal, account_id, self._time.now_ms, reason)
        return unseen or refusal

    def _answer(self, item: QueryItem, data: BusinessData, reference: DomainReference) -> None:
        query = item.query
        viewer = self._viewers.get(query.view)
        if viewer is not None:
            viewer.show(item, data, reference)
        elif query.view == OUTCOME:
            self._ask(item, pack(Lookup(query.identity, query.key)))
        elif query.view == "history" or (query.view == "usage" and query.explain):
            caller = item.batch.caller
            if caller is not None:
                caller.take_lines(query.lines_max, self._time.now_s)
            kinds = query.narrowing.kinds
            self._ask(item, pack(FetchHistory(query.identity, query.lines_max, 0, query.cursor, "", kinds)))
        else:
            answer_query(self._pending, item, data, reference, _NO_LINES, self._time.now_ms)

    def _ask(self, item: QueryItem, body: bytes) -> None:
        self._outbox.add(item.request.identity, body, self, item, item.batch.deadline)

    def take(self, asked: QueryItem, answer: Answer, size: int) -> None:
        """Answer with the stored outcome of a key, or with journal lines; other answers become faults."""
        if asked.query.view == OUTCOME:
            answer_outcome(self._pending, asked, answer)
        elif isinstance(answer, Failed):
            self._pending.refuse_item(asked, fault_of(answer))
        elif isinstance(answer, History) and asked.data is not None and asked.reference is not None:
            answer_query(self._pending, asked, asked.data, asked.reference, answer, self._time.now_ms)
        else:
            self._pending.refuse_item(asked, unexpected(answer))

    def lose(self, asked: QueryItem, fault: Fault) -> None:
        """Nobody answered; nothing was to be done."""
        self._pending.refuse_item(asked, fault)
