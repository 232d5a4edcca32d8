"""Rated usage by pages, as the owner of the account reads it from its journal, and what was gathered from it before."""

from msgspec.structs import replace

from appserver.batches.pending import Pending
from appserver.reading.cursors import Place, page_foreign
from appserver.reading.request import QueryRequest
from appserver.reference import DomainReference
from appserver.replies import views as replies
from appserver.uplink.outgoing import Outbox, Taker
from appserver.work.answers import unexpected
from appserver.work.batch_time import BatchTime
from appserver.work.items import QueryItem
from appserver.work.views.pages import cursor_after, place_in
from appserver.work.views.stored import FIRST_ROW, Floors, StoredDetails, StoredPlace, read_place
from charging.base.account_id import asked_for
from charging.base.bounds import OPEN_END
from charging.errors import Fault
from charging.ledger.details import RatedUsage
from charging.wire import Answer, BusinessData, Detail, Failed, FetchDetail, pack
from charging.wire import fault as fault_of
from details.store import DetailAsk, RowPlace

DAYS_DEFAULT_MS = 31 * 86_400_000


class Page:
    """A page in the making."""

    __slots__ = ("ask", "floors", "item")

    def __init__(self, item: QueryItem, ask: FetchDetail, floors: Floors) -> None:
        self.item = item
        self.ask = ask
        self.floors = floors


class Details(Taker[Page]):
    """Answers the query "detail": asked by a member, its own usage; asked by the account's id, that of all.

    Where there is a folder of details the owner is asked for what is not gathered yet, and the folder for the rest.
    """

    def __init__(self, outbox: Outbox, pending: Pending, time: BatchTime, stored: StoredDetails | None) -> None:
        self._outbox = outbox
        self._pending = pending
        self._time = time
        self._stored = stored

    def show(self, item: QueryItem, data: BusinessData, reference: DomainReference) -> None:
        """Ask for the page. Raises as `place_in`, and `Overloaded` CLIENT_LINES."""
        query, asked = item.query, item.query.narrowing
        account = data.account
        at, told = _place(query, place_in(query, account.account_id))
        caller = item.batch.caller
        if caller is not None:
            caller.take_lines(query.lines_max, self._time.now_s)
        ask = FetchDetail(query.identity, query.lines_max, holder_of(query.identity), asked.kinds, asked.services)
        # By the clock the first page would go back less far than the last.
        since_ms = asked.from_ms or max((asked.to_ms or self._time.now_ms) - DAYS_DEFAULT_MS, 1)
        floors = at.floors
        if self._stored is not None and not asked.page_cursor:
            floors = self._stored.floors(account.account_id, account.terms.domain)
        position = max(at.position, 0)
        ask = replace(ask, from_ms=since_ms, to_ms=asked.to_ms, position=position, told=told, floors=floors)
        page = Page(item, ask, floors)
        if at.row is not None:
            self._read_on(page, Detail(()), at.row)
        else:
            self._outbox.add(query.identity, pack(ask), self, page, item.batch.deadline)

    def take(self, asked: Page, answer: Answer, size: int) -> None:
        """Answer with the page; other answers become faults."""
        if isinstance(answer, Failed):
            self._pending.refuse_item(asked.item, fault_of(answer))
        elif not isinstance(answer, Detail):
            self._pending.refuse_item(asked.item, unexpected(answer))
        elif answer.next_position:
            place: int | str = answer.next_position
            if asked.floors:
                place = StoredPlace(asked.floors, answer.next_position).text()
            self._answer(asked, answer, place, answer.next_told)
        elif asked.floors and len(answer.records) >= asked.ask.records_max:
            self._answer(asked, answer, StoredPlace(asked.floors, -1, FIRST_ROW).text(), 0)
        elif asked.floors:
            self._read_on(asked, answer, None)
        else:
            self._answer(asked, answer, "", 0)

    def _read_on(self, page: Page, newer: Detail, behind: RowPlace | None) -> None:
        """Fill a page from the folder, behind what the owner told, or behind a row of the page before."""
        stored, ask, item, data = self._stored, page.ask, page.item, page.item.data
        if stored is None or data is None:
            self._pending.refuse_item(item, page_foreign())
            return

        def tell(rows: tuple[RatedUsage, ...], following: RowPlace | None) -> None:
            place = StoredPlace(page.floors, -1, following).text() if following is not None else ""
            self._answer(page, replace(newer, records=newer.records + rows), place, 0)

        def refuse(fault: Fault) -> None:
            self._pending.refuse_item(item, fault)

        wanted = DetailAsk(
            data.account.account_id, ask.holder, ask.kinds, ask.services, (), ask.from_ms, ask.to_ms, page.floors
        )
        stored.read(wanted, ask.records_max - len(newer.records), behind, tell, refuse)

    def _answer(self, page: Page, found: Detail, place: int | str, told: int) -> None:
        item = page.item
        data = item.data
        if data is None:
            return
        following = cursor_after(place, told, item.query, data.account.account_id) if place else ""
        reply = self._pending.reply(item)
        if reply is not None:
            replies.fill_detail(
                reply.detail,
                found,
                data.account.terms.currency,
                units_of(item.reference, self._time.now_ms),
                following,
                explain=item.request.explain,
                accepted=item.language,
                masked=bool(item.request.partner),
            )

    def lose(self, asked: Page, fault: Fault) -> None:
        """Nobody answered; nothing was to be done."""
        self._pending.refuse_item(asked.item, fault)


def _place(query: QueryRequest, found: Place | None) -> tuple[StoredPlace, int]:
    """Give where a page begins, and how much of what stands there was told. Raises `Invalid` PAGE_FOREIGN."""
    if found is None:
        return StoredPlace(()), 0
    place, told = found
    if isinstance(place, str):
        try:
            return read_place(place), told
        except ValueError as error:
            raise page_foreign() from error
    if not 0 < place < OPEN_END or not 0 <= told < OPEN_END:
        raise page_foreign()
    return StoredPlace((), place), told


def units_of(reference: DomainReference | None, now_ms: int) -> dict[str, str]:
    """Give the base unit of each service there is now."""
    plan = reference.timeline.plan_at(now_ms) if reference is not None else None
    return {name: service.unit for name, service in plan.services.items()} if plan is not None else {}


def holder_of(identity: str) -> str:
    """Give whose usage is meant: a member's own, or by the account's id that of all."""
    return "" if asked_for(identity) else identity
