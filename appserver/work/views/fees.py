"""Which fees of a member come next, and what each would be: by today's contract, counts and published catalogues."""

from itertools import islice

from appserver.batches.pending import Pending
from appserver.reading.checks import field_fault
from appserver.reference import DomainReference
from appserver.replies.fees import fill_fees
from appserver.work.batch_time import BatchTime
from appserver.work.items import QueryItem
from charging.base.account_id import require_subscriber
from charging.base.localtime import LocalTime, next_cycle_ms
from charging.rating.fee_schedule import coming
from charging.wire import BusinessData
from runtime.languages import tongue_for

AHEAD_MS_MAX = 400 * 86_400_000
FEES_MAX = 500
"""Of one reply."""


class ComingFees:
    """Answers the query "fees"."""

    def __init__(self, pending: Pending, time: BatchTime) -> None:
        self._pending = pending
        self._time = time

    def show(self, item: QueryItem, data: BusinessData, reference: DomainReference) -> None:
        """Answer with what falls due until a moment, what is due already included; nothing is posted.

        Raises `Invalid` TIMES_MALFORMED, and what rating raises.
        """
        require_subscriber(item.query.identity, "identity")
        timeline, account, now_ms = reference.timeline, data.account, self._time.now_ms
        until_ms = _until(timeline.local, item.query.narrowing.to_ms, now_ms, account.terms.cycle_day)
        found = list(islice(coming(timeline.plan_at, (data.contract,), account, until_ms), FEES_MAX + 1))
        if item.batch.caller is not None:
            item.batch.caller.take_lines(len(found), self._time.now_s)
        plan = timeline.plan_at(now_ms)
        reply = self._pending.reply(item)
        if reply is not None:
            fill_fees(reply.fees, plan, account, found[:FEES_MAX], tongue_for(item.language))
            reply.fees.until_ms, reply.fees.more = until_ms, len(found) > FEES_MAX


def _until(local: LocalTime, to_ms: int, now_ms: int, cycle_day: int) -> int:
    """Give the last moment that is asked for, 0 = that at which the next bill cycle begins."""
    if not to_ms:
        return next_cycle_ms(local, now_ms, cycle_day)
    if not now_ms < to_ms <= now_ms + AHEAD_MS_MAX:
        text = "a moment at most 400 days ahead"
        raise field_fault("TIMES_MALFORMED", "to_ms", f"to_ms must be {text}", text)
    return to_ms - 1
