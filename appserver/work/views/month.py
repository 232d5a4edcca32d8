"""What a month of a pattern of use would cost: usages spread over the days and hours that the pattern names."""

from collections.abc import Iterator

from appserver.batches.pending import Pending
from appserver.reading.checks import field_fault
from appserver.reading.patterns import PatternAsk
from appserver.reference import DomainReference
from appserver.replies import months as replies
from appserver.work.batch_time import BatchTime
from appserver.work.items import QueryItem
from appserver.work.views.studies import SLICE, Studies
from charging.base.account_id import require_subscriber
from charging.base.localtime import CYCLE, LocalTime, next_cycle_ms, span, weekday
from charging.base.usage import Usage
from charging.rating.months import RunningUse, drafted, fees_of, free_of
from charging.rating.remains import allowances
from charging.rating.selling import check_offerings
from charging.wire import BusinessData
from runtime.languages import tongue_for

DAY_MS = 86_400_000
AHEAD_MS_MAX = 400 * DAY_MS
BEHIND_MS_MAX = 366 * DAY_MS
HOUR_S = 3_600


class Months:
    """Answers the query "month"."""

    def __init__(self, pending: Pending, studies: Studies, time: BatchTime) -> None:
        self._pending = pending
        self._studies = studies
        self._time = time

    def show(self, item: QueryItem, data: BusinessData, reference: DomainReference) -> None:
        """Begin to price. Raises `Invalid` for a pattern, a time or offerings that can't be; `Overloaded`."""
        asked, now_ms = item.query.narrowing, self._time.now_ms
        require_subscriber(item.query.identity, "identity")
        if not asked.uses:
            text = "what is used"
            raise field_fault("PATTERN_MALFORMED", "pattern", f"the pattern must say {text}", text)
        for use in asked.uses:
            if use.visited:
                reference.check_place(use.visited, "pattern.uses.visited_place")
        cycle_day, local = data.account.terms.cycle_day, reference.timeline.local
        begins_ms, ends_ms = _month(local, asked.from_ms, now_ms, cycle_day)
        contract = drafted(data.contract, asked.offerings, begins_ms)
        check_offerings(reference.timeline.plan_at(begins_ms), contract, begins_ms, "offerings")
        usages = spread(asked.uses, item.query.identity, local, begins_ms, ends_ms)
        if item.batch.caller is not None:
            item.batch.caller.take_lines(len(usages), self._time.now_s)
        running = RunningUse(reference.timeline.plan_at, contract, data.account, begins_ms)
        self._studies.begin(item, self._price(item, running, usages, reference, begins_ms, ends_ms))

    def _price(
        self,
        item: QueryItem,
        running: RunningUse,
        usages: list[Usage],
        reference: DomainReference,
        begins_ms: int,
        ends_ms: int,
    ) -> Iterator[None]:
        sums: dict[str, replies.Sum] = {}
        for number, usage in enumerate(usages, 1):
            charge = running.price(usage)
            found = sums.setdefault(usage.service, replies.Sum())
            found.add(usage.quantity, free_of(charge), charge.amount)
            if number % SLICE == 0:
                yield
        plan = reference.timeline.plan_at(ends_ms - 1)
        fees = list(fees_of(plan, running.contract, running.account, begins_ms, ends_ms))
        left = allowances(plan, running.contract, running.account, ends_ms - 1)
        reply = self._pending.reply(item)
        if reply is not None:
            reply.month.from_ms, reply.month.to_ms = begins_ms, ends_ms
            replies.fill_month(reply.month, plan, sums, fees, left, tongue_for(item.language))


def _month(local: LocalTime, from_ms: int, now_ms: int, cycle_day: int) -> tuple[int, int]:
    """Give the bill cycle that a moment lies in, 0 = the next one. Raises `Invalid` TIMES_MALFORMED."""
    moment_ms = from_ms or next_cycle_ms(local, now_ms, cycle_day)
    if not now_ms - BEHIND_MS_MAX <= moment_ms <= now_ms + AHEAD_MS_MAX:
        text = "a moment at most a year ago or 400 days ahead"
        raise field_fault("TIMES_MALFORMED", "from_ms", f"from_ms must be {text}", text)
    cycle = span(CYCLE, local.day(moment_ms // 1000), cycle_day)
    return local.day_begins(cycle.start) * 1000, local.day_begins(cycle.end) * 1000


def spread(uses: tuple[PatternAsk, ...], identity: str, local: LocalTime, begins_ms: int, ends_ms: int) -> list[Usage]:
    """Make the usages of a pattern in the order of time, each use evenly over its days and hours.

    Raises `Invalid` PATTERN_MALFORMED when the time has none of its days.
    """
    first, after = local.day(begins_ms // 1000), local.day(ends_ms // 1000 - 1) + 1
    found: list[Usage] = []
    for place, use in enumerate(uses):
        days = [day for day in range(first, after) if weekday(day) in use.weekdays]
        if not days:
            text = "days that the month has"
            raise field_fault("PATTERN_MALFORMED", f"pattern.uses[{place}].weekdays", f"the use must name {text}", text)
        each_s = (use.to_hour - use.from_hour) * HOUR_S
        for number in range(use.count):
            # The middle of its share of all seconds, so that one alone is at the middle of the month.
            at = len(days) * each_s * (2 * number + 1) // (2 * use.count)
            start_s = local.day_begins(days[at // each_s]) + use.from_hour * HOUR_S + at % each_s
            found.append(
                Usage(identity, use.service, start_s * 1000, use.quantity, use.other_party, use.visited, use.attributes)
            )
    return sorted(found, key=_start)


def _start(usage: Usage) -> int:
    return usage.start_ms
