"""Rated usage by pages, as the owner of the account reads it from its journal."""

from msgspec.structs import replace

from appserver.batches.pending import Pending
from appserver.reference import DomainReference
from appserver.replies import views as replies
from appserver.uplink.outgoing import Outbox, Taker
from appserver.work.answers import unexpected
from appserver.work.batch_time import BatchTime
from appserver.work.items import QueryItem
from appserver.work.views.pages import cursor_after, position_in
from charging.base.account_id import asked_for
from charging.errors import Fault
from charging.wire import Answer, BusinessData, Detail, Failed, FetchDetail, pack
from charging.wire import fault as fault_of

DAYS_DEFAULT_MS = 31 * 86_400_000


class Details(Taker[QueryItem]):
    """Answers the query "detail": asked by a member, its own usage; asked by the account's id, that of all."""

    def __init__(self, outbox: Outbox, pending: Pending, time: BatchTime) -> None:
        self._outbox = outbox
        self._pending = pending
        self._time = time

    def show(self, item: QueryItem, data: BusinessData, reference: DomainReference) -> None:
        """Ask for the page. Raises as `position_in`, and `Overloaded` CLIENT_LINES."""
        query, asked = item.query, item.query.narrowing
        position, told = position_in(query, data.account.account_id)
        caller = item.batch.caller
        if caller is not None:
            caller.take_lines(query.lines_max, self._time.now_s)
        ask = FetchDetail(query.identity, query.lines_max, holder_of(query.identity), asked.kinds, asked.services)
        ask = replace(ask, to_ms=asked.to_ms, position=position, told=told)
        # By the clock the first page would go back less far than the last.
        since_ms = asked.from_ms or max((asked.to_ms or self._time.now_ms) - DAYS_DEFAULT_MS, 1)
        body = pack(replace(ask, from_ms=since_ms))
        self._outbox.add(query.identity, body, self, item, item.batch.deadline)

    def take(self, asked: QueryItem, answer: Answer, size: int) -> None:
        """Answer with the page; other answers become faults."""
        data = asked.data
        if isinstance(answer, Failed):
            self._pending.refuse_item(asked, fault_of(answer))
        elif isinstance(answer, Detail) and data is not None:
            following = ""
            if answer.next_position:
                of = data.account.account_id
                following = cursor_after(answer.next_position, answer.next_told, asked.query, of)
            reply = self._pending.reply(asked)
            if reply is not None:
                currency = data.account.terms.currency
                units = units_of(asked.reference, self._time.now_ms)
                replies.fill_detail(
                    reply.detail,
                    answer,
                    currency,
                    units,
                    following,
                    explain=asked.request.explain,
                    accepted=asked.language,
                )
        else:
            self._pending.refuse_item(asked, unexpected(answer))

    def lose(self, asked: QueryItem, fault: Fault) -> None:
        """Nobody answered; nothing was to be done."""
        self._pending.refuse_item(asked, fault)


def units_of(reference: DomainReference | None, now_ms: int) -> dict[str, str]:
    """Give the base unit of each service there is now."""
    plan = reference.timeline.plan_at(now_ms) if reference is not None else None
    return {name: service.unit for name, service in plan.services.items()} if plan is not None else {}


def holder_of(identity: str) -> str:
    """Give whose usage is meant: a member's own, or by the account's id that of all."""
    return "" if asked_for(identity) else identity
