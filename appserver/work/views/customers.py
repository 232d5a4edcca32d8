"""The accounts of a customer, by pages, as far as the caller may see their regions.

A cursor names the last account that was told, and counts those behind it that were read and not told: they are read
once more, so that no id of a region that the caller may not see leaves the platform.
"""

from appserver.batches.pending import Pending
from appserver.reading.cursors import page_foreign
from appserver.reading.request import QueryRequest
from appserver.reference import DomainReference
from appserver.uplink.outgoing import Outbox, Taker
from appserver.work.answers import unexpected
from appserver.work.items import QueryItem
from appserver.work.views.pages import cursor_after, place_in
from charging.errors import Denied, Fault
from charging.ledger.permission import names_another
from charging.wire import Answer, BusinessData, CustomerRow, CustomerRows, Failed, FetchCustomer, pack
from charging.wire import fault as fault_of

UNSEEN_MAX = 20_000
"""Accounts in one run that a cursor passes over; an owner reads no further for one page."""


class Customers(Taker[QueryItem]):
    """Answers the query "accounts": the owner of the account that is named reads the index of its customer."""

    def __init__(self, outbox: Outbox, pending: Pending) -> None:
        self._outbox = outbox
        self._pending = pending

    def show(self, item: QueryItem, data: BusinessData, reference: DomainReference) -> None:
        """Ask for a page. Raises `Invalid` PAGE_FOREIGN, PAGE_MALFORMED."""
        query = item.query
        after, unseen = _place(query, data.account.customer_id)
        ask = FetchCustomer(query.identity, query.lines_max + unseen, after)
        self._outbox.add(query.identity, pack(ask), self, item, item.batch.deadline)

    def take(self, asked: QueryItem, answer: Answer, size: int) -> None:
        """Answer with the rows that the caller may see; other answers become faults."""
        reference = asked.reference
        if isinstance(answer, Failed):
            self._pending.refuse_item(asked, fault_of(answer))
            return
        if not isinstance(answer, CustomerRows) or reference is None:
            self._pending.refuse_item(asked, unexpected(answer))
            return
        try:
            last, _ = _place(asked.query, answer.customer_id)
        except Fault as fault:
            self._pending.refuse_item(asked, fault)
            return
        reply = self._pending.reply(asked)
        if reply is None:
            return
        view, unseen, more = reply.accounts, 0, answer.more
        view.customer_id = answer.customer_id
        for row in answer.rows:
            if not _may_see(asked, row, reference):
                unseen += 1
            elif len(view.accounts) == asked.query.lines_max:
                more = True
                break
            else:
                view.accounts.add(account_id=row.account_id, domain=row.domain, opened_ms=row.since_ms)
                last, unseen = row.account_id, 0
        if more:
            view.next_cursor = cursor_after(last, unseen, asked.query, answer.customer_id)
        view.SetInParent()

    def lose(self, asked: QueryItem, fault: Fault) -> None:
        """Nobody answered; nothing was to be done."""
        self._pending.refuse_item(asked, fault)


def _place(query: QueryRequest, customer_id: str) -> tuple[str, int]:
    """Read the last account that was told, and how many behind it were not. Raises as `place_in`."""
    match place_in(query, customer_id):
        case None:
            return "", 0
        case (str(name), unseen) if 0 <= unseen <= UNSEEN_MAX:
            return name, unseen
    raise page_foreign()


def _may_see(item: QueryItem, row: CustomerRow, reference: DomainReference) -> bool:
    query, principal = item.query, item.batch.principal
    another = names_another(principal, query.actor)
    try:
        reference.policy.permit(principal, query.view, query.channel, query.partner, row.domain, another)
    except Denied:
        return False
    return True
