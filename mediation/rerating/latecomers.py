"""The jobs that rate the cycles anew which late usage came to, one a journal, and what becomes of who waits.

Killed anywhere it is begun again: an account that was restated and is still said to wait is rated once more, and
nothing differs.
"""

from collections.abc import Mapping

from charging.base.localtime import LocalTime
from details.late import LateBook, LateUsage
from mediation.gathering import JournalPlace
from mediation.rerating.inputs import GIVEN_BACK
from mediation.rerating.job import CYCLES_MAX, AccountOutcome, RerateJob, span_month

REASON = "late usage"


def late_job(
    book: LateBook,
    journal: JournalPlace,
    number: int,
    reason: str,
    now_ms: int,
    after: Mapping[str, LateUsage] | None = None,
) -> RerateJob | None:
    """Give the job for the accounts of a journal that wait; None = nobody does. `reason` "" = that they are late.

    `after` = only these accounts, from the month on that follows the one with which they were left out: what can't be
    rated, or paid, keeps nothing waiting that came later.
    """
    book.find(journal.slot)
    waiting: dict[str, LateUsage] = {}
    for each in book.waiting(journal.slot):
        tried = after.get(each.account_id) if after is not None else None
        if after is None or (tried is not None and each.month > tried.month):
            waiting.setdefault(each.account_id, each)
    if not waiting:
        return None
    # A cycle begins in the month of its day or the one before; what is older than jobs go back is left out.
    local = LocalTime(journal.zone)
    oldest = min(span_month(local, each.from_ms) for each in waiting.values()) - 1
    month = max(oldest, span_month(local, now_ms) - CYCLES_MAX)
    return RerateJob(number, month, reason or REASON, tuple(waiting), waiting)


def note(book: LateBook, late: LateUsage, outcome: AccountOutcome) -> None:
    """Note what became of an account that waited: rated, or why not."""
    if outcome.reason:
        book.left(late, outcome.reason, outcome.why)
    elif outcome.unrated and outcome.unrated != GIVEN_BACK:
        book.left(late, outcome.unrated, "a use that was set aside has no price: mend the cause, then again")
    else:
        book.rated(late)
