"""Puts the engine together: each part is made once, after those that it is handed."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from appserver.access_log import AccessLog
from appserver.accounts.cache import AccountCache
from appserver.accounts.chain import CommitChain
from appserver.batches.item import WorkItem
from appserver.batches.pending import Pending
from appserver.reading.reader import RequestReader
from appserver.settings import AppServerSettings
from appserver.uplink.outgoing import Outbox, Way
from appserver.work.batch_time import BatchTime
from appserver.work.commits import Commits
from appserver.work.engine import Engine
from appserver.work.following import Following
from appserver.work.library import Library
from appserver.work.openings import Openings
from appserver.work.outcomes import CommitOutcomes
from appserver.work.previews import NO_KEYS
from appserver.work.pulls import Pulls
from appserver.work.reads import Reads, Viewer
from appserver.work.refusals import Refusals
from appserver.work.views.accounts import AccountViews
from appserver.work.views.comparing import Comparing
from appserver.work.views.customers import Customers
from appserver.work.views.details import Details
from appserver.work.views.fees import ComingFees
from appserver.work.views.month import Months
from appserver.work.views.offers import Offers
from appserver.work.views.stored import StoredDetails
from appserver.work.views.studies import Studies
from appserver.work.work import Work
from business.vouchers.codes import VoucherKeys
from runtime.telemetry import Metrics


def wall_clock_ms() -> int:
    """UTC, milliseconds."""
    return time.time_ns() // 1_000_000


def engine_of(
    settings: AppServerSettings,
    uplink: Way,
    pending: Pending,
    access: AccessLog,
    metrics: Metrics,
    wall_ms: Callable[[], int] = wall_clock_ms,
    keys: VoucherKeys = NO_KEYS,
) -> Engine:
    """Make the engine of a process, inside its running loop. Its replies go out by `pending`, vouchers by `keys`."""
    clock = asyncio.get_running_loop().time
    time_seen = BatchTime(clock, wall_ms)
    outbox = Outbox()
    ready: deque[WorkItem] = deque()
    turns: deque[CommitChain] = deque()
    accounts = AccountCache(settings.accounts_cached_max, settings.accounts_cached_bytes_max)
    library = Library(outbox, ready, pending, clock, settings.reference_check_ms / 1000)
    refusals = Refusals(pending, library, outbox)
    pulls = Pulls(outbox, accounts, library, ready, refusals, pending)
    outcomes = CommitOutcomes(turns, accounts, refusals, pending, settings.rerate_max)
    validity_ms = settings.session_validity_ms
    commits = Commits(accounts, pulls, library, refusals, outcomes, outbox, time_seen, validity_ms, keys)
    openings = Openings(library, refusals, accounts, outbox, pending, time_seen)
    stored = StoredDetails(settings.details) if settings.details is not None else None
    studies = Studies(pending, refusals)
    viewers: dict[str, Viewer] = {
        "account": AccountViews(pending, time_seen),
        "accounts": Customers(outbox, pending),
        "compare": Comparing(outbox, pending, studies, time_seen),
        "detail": Details(outbox, pending, time_seen, stored),
        "fees": ComingFees(pending, time_seen),
        "month": Months(pending, studies, time_seen),
        "offerings": Offers(pending, time_seen),
    }
    reads = Reads(pulls, library, refusals, access, outbox, pending, time_seen, viewers)
    work = Work(ready, turns, commits, openings, reads, refusals, outbox, pending, Following(outbox, accounts))
    reader = RequestReader(settings.future_tolerance_ms, settings.country)
    metrics.gauge("accounts_cached", lambda: len(accounts))
    return Engine(reader, work, pending, outbox, library, accounts, time_seen, uplink, metrics)
