"""The accounts of a customer, by pages, as far as the caller may see their regions."""

from appserver.batches.pending import Pending
from appserver.reference import DomainReference
from appserver.uplink.outgoing import Outbox, Taker
from appserver.work.answers import unexpected
from appserver.work.items import QueryItem
from appserver.work.views.pages import cursor_after, name_in
from charging.errors import Denied, Fault
from charging.ledger.permission import names_another
from charging.wire import Answer, BusinessData, CustomerRow, CustomerRows, Failed, FetchCustomer, pack
from charging.wire import fault as fault_of


class Customers(Taker[QueryItem]):
    """Answers the query "accounts": the owner of the account that is named reads the index of its customer."""

    def __init__(self, outbox: Outbox, pending: Pending) -> None:
        self._outbox = outbox
        self._pending = pending

    def show(self, item: QueryItem, data: BusinessData, reference: DomainReference) -> None:
        """Ask for a page. Raises `Invalid` PAGE_FOREIGN, PAGE_MALFORMED."""
        query = item.query
        after = name_in(query, data.account.customer_id)
        self._outbox.add(
            query.identity, pack(FetchCustomer(query.identity, query.lines_max, after)), self, item, item.batch.deadline
        )

    def take(self, asked: QueryItem, answer: Answer, size: int) -> None:
        """Answer with the rows that the caller may see; other answers become faults."""
        reference = asked.reference
        if isinstance(answer, Failed):
            self._pending.refuse_item(asked, fault_of(answer))
            return
        if not isinstance(answer, CustomerRows) or reference is None:
            self._pending.refuse_item(asked, unexpected(answer))
            return
        reply = self._pending.reply(asked)
        if reply is None:
            return
        view = reply.accounts
        view.customer_id = answer.customer_id
        for row in answer.rows:
            if _may_see(asked, row, reference):
                view.accounts.add(account_id=row.account_id, domain=row.domain, opened_ms=row.since_ms)
        if answer.more:
            # Behind the last row that was read, seen or not.
            view.next_cursor = cursor_after(answer.rows[-1].account_id, 0, asked.query, answer.customer_id)
        view.SetInParent()

    def lose(self, asked: QueryItem, fault: Fault) -> None:
        """Nobody answered; nothing was to be done."""
        self._pending.refuse_item(asked, fault)


def _may_see(item: QueryItem, row: CustomerRow, reference: DomainReference) -> bool:
    query, principal = item.query, item.batch.principal
    another = names_another(principal, query.actor)
    try:
        reference.policy.permit(principal, query.view, query.channel, query.partner, row.domain, another)
    except Denied:
        return False
    return True
