"""What was used, on another plan: the journal's usage of a time replayed on other offerings, beside what it cost.

The owner tells the usage by pages; each piece of a session counts as one usage, as it was priced. It is priced by the
catalogue of today, as if the other offerings had begun with the time.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from appserver.batches.pending import Pending
from appserver.reading.checks import field_fault
from appserver.reference import DomainReference
from appserver.replies import months as replies
from appserver.replies.months import Versus
from appserver.uplink.outgoing import Outbox, Taker
from appserver.work.answers import unexpected
from appserver.work.batch_time import BatchTime
from appserver.work.items import QueryItem
from appserver.work.views.studies import SLICE, Studies
from charging.base.account_id import require_subscriber
from charging.base.localtime import CYCLE, LocalTime, span
from charging.base.usage import Usage
from charging.errors import Fault, Invalid
from charging.ledger.details import REFUND, RatedUsage
from charging.plans.unrated import Unrated
from charging.rating.months import RunningUse, drafted, fees_of
from charging.rating.selling import check_offerings
from charging.wire import Answer, BusinessData, Detail, Failed, FetchDetail, pack
from charging.wire import fault as fault_of
from runtime.languages import tongue_for

PAGE = 1_000
USAGES_MAX = 5_000
"""Records of one comparison: about a tenth of a second of rating."""
PAGES_MAX = 200
SPAN_MS_MAX = 62 * 86_400_000


class Replay:
    """A comparison in the making: whose, of which time, and what was found so far."""

    __slots__ = ("begins_ms", "ends_ms", "item", "kept_no_further", "pages", "records")

    def __init__(self, item: QueryItem, begins_ms: int, ends_ms: int) -> None:
        self.item = item
        self.begins_ms = begins_ms
        self.ends_ms = ends_ms
        self.records: list[RatedUsage] = []
        self.pages = 0
        self.kept_no_further = False


class Comparing(Taker[Replay]):
    """Answers the query "compare"."""

    def __init__(self, outbox: Outbox, pending: Pending, studies: Studies, time: BatchTime) -> None:
        self._outbox = outbox
        self._pending = pending
        self._studies = studies
        self._time = time

    def show(self, item: QueryItem, data: BusinessData, reference: DomainReference) -> None:
        """Ask for the usage. Raises `Invalid` for a time or offerings that can't be; `Overloaded` CLIENT_LINES."""
        asked, now_ms = item.query.narrowing, self._time.now_ms
        require_subscriber(item.query.identity, "identity")
        if not asked.offerings:
            text = "offerings to compare with"
            raise field_fault("OFFERING_UNKNOWN", "offerings", f"give {text}", text)
        begins_ms, ends_ms = _time(reference.timeline.local, item, data, now_ms)
        draft = drafted(data.contract, asked.offerings, begins_ms)
        check_offerings(reference.timeline.plan_at(now_ms), draft, begins_ms, "offerings")
        self._fetch(Replay(item, begins_ms, ends_ms), 0, 0)

    def _fetch(self, replay: Replay, position: int, told: int) -> None:
        item = replay.item
        if item.batch.caller is not None:
            item.batch.caller.take_lines(PAGE // 10, self._time.now_s)
        identity, services = item.query.identity, item.query.narrowing.services
        ask = FetchDetail(identity, PAGE, identity, (), services, replay.begins_ms, replay.ends_ms, position, told)
        self._outbox.add(identity, pack(ask), self, replay, item.batch.deadline)

    def take(self, asked: Replay, answer: Answer, size: int) -> None:
        """Take a page of usage: ask for the next, or price what is there."""
        item = asked.item
        if item.batch.answered(item.position):
            return
        try:
            if isinstance(answer, Failed):
                raise fault_of(answer)
            if not isinstance(answer, Detail):
                raise unexpected(answer)
            asked.pages += 1
            asked.records += answer.records
            if len(asked.records) > USAGES_MAX or (answer.next_position and asked.pages >= PAGES_MAX):
                raise _too_much()
            if answer.next_position:
                self._fetch(asked, answer.next_position, answer.next_told)
                return
            asked.kept_no_further = answer.kept_no_further
            self._studies.begin(item, self._price(asked))
        except Fault as fault:
            self._pending.refuse_item(item, fault.bare())

    def lose(self, asked: Replay, fault: Fault) -> None:
        """Nobody answered; nothing was to be done."""
        self._pending.refuse_item(asked.item, fault)

    def _price(self, replay: Replay) -> Iterator[None]:
        item, data, reference = replay.item, replay.item.data, replay.item.reference
        assert data is not None
        assert reference is not None
        today = reference.timeline.plan_at(self._time.now_ms)
        offerings = item.query.narrowing.offerings
        draft = drafted(data.contract, offerings, replay.begins_ms)
        running = RunningUse(lambda _: today, draft, data.account, replay.begins_ms)
        services: dict[str, Versus] = {}
        for number, (usage, charged) in enumerate(pieces(replay.records), 1):
            _compare(services.setdefault(usage.service, Versus()), running, usage, charged)
            if number % SLICE == 0:
                yield
        fees: dict[str, Versus] = {}
        then = reference.timeline.plan_at(replay.begins_ms)
        for due in fees_of(then, data.contract, data.account, replay.begins_ms, replay.ends_ms):
            fees.setdefault(due.fee, Versus()).before += due.amount
        for due in fees_of(today, draft, running.account, replay.begins_ms, replay.ends_ms):
            fees.setdefault(due.fee, Versus()).after += due.amount
        reply = self._pending.reply(item)
        if reply is not None:
            view = reply.compare
            view.from_ms, view.to_ms, view.kept_no_further = replay.begins_ms, replay.ends_ms, replay.kept_no_further
            view.offerings.extend(offerings)
            replies.fill_comparison(view, today, services, fees, tongue_for(item.language))


def _compare(found: Versus, running: RunningUse, usage: Usage, charged: int) -> None:
    found.before += charged
    if not usage.service:
        found.after += charged
        return
    found.count += 1
    found.quantity += usage.quantity
    try:
        found.after += running.price(usage).amount
    except Unrated:
        found.unrated += 1
        found.after += charged


def pieces(records: list[RatedUsage]) -> list[tuple[Usage, int]]:
    """Give each usage once, in the order of time, with what it was charged in the end.

    The steps of a session that are of one piece are one usage, of the whole quantity. What was given back counts for
    the service of its charge, where that is among the records, else for none.
    """
    usages: dict[object, Usage] = {}
    charged: dict[object, int] = {}
    key_of: dict[str, object] = {}
    for record in reversed(records):
        usage = record.usage
        of: object = record.key
        if record.session_id:
            of = (record.session_id, usage.service, usage.start_ms)
        elif record.kind == REFUND:
            of = key_of.get(record.of_key, record.key)
            usage = usages.get(of, replace(usage, service=""))
        key_of[record.key] = of
        known = usages.get(of)
        if known is None or usage.quantity >= known.quantity:
            usages[of] = usage
        charged[of] = charged.get(of, 0) + record.amount
    return sorted(((usage, charged[of]) for of, usage in usages.items()), key=_begin)


def _begin(pair: tuple[Usage, int]) -> int:
    return pair[0].start_ms


def _time(local: LocalTime, item: QueryItem, data: BusinessData, now_ms: int) -> tuple[int, int]:
    """Give the time that is compared: what was asked for, else the bill cycle before this one."""
    asked = item.query.narrowing
    if not asked.from_ms and not asked.to_ms:
        cycle = span(CYCLE, local.day(now_ms // 1000), data.account.terms.cycle_day)
        return local.day_begins(cycle.previous_start) * 1000, local.day_begins(cycle.start) * 1000
    ends_ms = asked.to_ms or now_ms
    if not asked.from_ms or ends_ms > now_ms or ends_ms - asked.from_ms > SPAN_MS_MAX or ends_ms <= asked.from_ms:
        text = f"from_ms with a to_ms at most {SPAN_MS_MAX // 86_400_000} days later, not after now"
        raise field_fault("TIMES_MALFORMED", "from_ms", f"the time must be {text}", text)
    return asked.from_ms, ends_ms


def _too_much() -> Invalid:
    text = f"a time with at most {USAGES_MAX} records, or fewer services"
    return Invalid("USE_TOO_MUCH", f"more was used than is compared in one go: give {text}", fields={"from_ms": text})
