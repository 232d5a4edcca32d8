"""Takes a job back: a restatement to the former sums, of what the job posted less what was taken back of it already.

Usage that was set aside, and had its price of this job, waits for one again: nobody else would look for it.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from zoneinfo import ZoneInfo

import polars as pl
from onetier.v1 import service_desk_pb2 as desk

from charging.ledger.commands.restate_usage import usage_total
from charging.ledger.details import LATE, RESTATED
from charging.ledger.event import Pair
from details.late import LateBook, LateUsage
from details.rows import StoredUsage
from details.store import DetailStore, day_of_use
from mediation.gathering import JournalPlace
from mediation.rerating.freezing import STALE, Freezer, FrozenAccount, LeftOut
from mediation.rerating.job import FEED, ROUNDS_MAX, SAME, AccountOutcome, keys_of, left_out, restating_request
from onetier_client import AsyncClient
from runtime.status import from_status

TAKEN_BACK = "taken back"
JOB_TAKEN_BACK = "JOB_TAKEN_BACK"
"""Why usage waits for a price that had one."""
_ALL_DAYS = ""
_KINDS = (LATE, RESTATED)
_BACK = ":back:"
_Moved = dict[tuple[int, str], int]
"""What counters or books moved by: a moment of the cycle, and the name."""


class Rollback:
    """Takes one job back in one folder of details."""

    def __init__(self, store: DetailStore, freezer: Freezer, job: int, number: int) -> None:
        """`number` is that of the taking back, which is a job of its own."""
        self._store = store
        self._freezer = freezer
        self._book = LateBook(store)
        self._job = job
        self._prefix = keys_of(job)
        self._number = number

    def accounts(self, slot: str) -> list[str]:
        """Name the accounts that the job restated."""
        frame = self._store.frame(slot).filter(pl.col("key").str.starts_with(self._prefix))
        return [str(name) for name in frame.select("account").unique().sort("account").collect()["account"].to_list()]

    async def post(self, journal: JournalPlace, client: AsyncClient, reason: str) -> AsyncIterator[AccountOutcome]:
        """Take it back on all accounts of a journal; those that moved on are frozen again."""
        accounts: Sequence[str] = self.accounts(journal.slot)
        for number in range(1, ROUNDS_MAX + 1):
            stale: list[str] = []
            async for each in self._freezer.frozen(journal, accounts, _ALL_DAYS, _KINDS):
                outcome = await self._post(journal, each, client, reason)
                if outcome.reason == STALE and number < ROUNDS_MAX:
                    stale.append(outcome.account_id)
                else:
                    yield outcome
            if not stale:
                return
            accounts = stale

    async def _post(
        self, journal: JournalPlace, found: FrozenAccount | LeftOut, client: AsyncClient, reason: str
    ) -> AccountOutcome:
        if isinstance(found, LeftOut):
            return left_out(found.account_id, found.reason, found.why)
        account = found.account
        rows = [row for row in found.rows if row.usage.kind == RESTATED and row.usage.key.startswith(self._prefix)]
        command = _back(rows)
        total = sum(line.difference for line in command.lines)
        if not (command.lines or command.counters or command.takes):
            return AccountOutcome(account.account_id, SAME)
        # Before it is taken back: rating what has its price already finds nothing to post, and what has none is told.
        for late in self._unpriced(journal, found, rows):
            self._book.again(late)
        command.feed, command.batch, command.expected_version = FEED, self._number, account.version
        command.from_ms = min(row.start_ms for row in rows)
        command.expected_total = usage_total(account, command.from_ms)
        command.reason = reason
        key = f"{self._prefix}back:{account.version}:{account.account_id}"
        request = restating_request(key, f"account:{account.account_id}", command)
        (reply,) = [reply async for _, reply in client.exchange([request], timeout_ms=60_000)]
        if reply.HasField("error"):
            fault = from_status(reply.error)
            return left_out(account.account_id, fault.reason, fault.message)
        return AccountOutcome(account.account_id, TAKEN_BACK, -total, 0, len(rows))

    def _unpriced(
        self, journal: JournalPlace, found: FrozenAccount, mine: Sequence[StoredUsage]
    ) -> Iterable[LateUsage]:
        """Give the usage at no price that no other job priced, by month."""
        others = [
            row for row in found.rows if row.usage.kind == RESTATED and not row.usage.key.startswith(self._prefix)
        ]
        gone = {row.usage.key.partition(_BACK)[0] for row in others if _BACK in row.usage.key}
        priced = max((row.position for row in others if _job(row) not in gone), default=-1)
        newest, since = max(row.position for row in mine), min(row.start_ms for row in mine)
        month = {row.start_ms: day_of_use(row.start_ms, ZoneInfo(journal.zone))[:6] for row in found.rows}
        why = f"job {self._job} priced it and was taken back: the next `rerate --late` rates it again"
        rows: dict[str, LateUsage] = {}
        for row in found.rows:
            if row.usage.kind == LATE and priced < row.position < newest and month[row.start_ms] >= month[since]:
                known = rows.get(month[row.start_ms])
                rows[month[row.start_ms]] = LateUsage(
                    journal.slot,
                    row.account_id,
                    min(row.start_ms, known.from_ms) if known is not None else row.start_ms,
                    max(row.position, known.position) if known is not None else row.position,
                    True,
                    JOB_TAKEN_BACK,
                    why,
                    month[row.start_ms],
                )
        return rows.values()


def _job(row: StoredUsage) -> str:
    """Give what the keys of its job begin with, as those of a taking back do before `_BACK`."""
    feed, _, rest = row.usage.key.partition(":")
    return f"{feed}:{rest.partition(':')[0]}"


def _back(rows: Iterable[StoredUsage]) -> desk.RestateUsage:
    """Make the opposite of rows of restatements."""
    lines: dict[tuple[int, str, str, int], int] = {}
    counters: _Moved = {}
    takes: _Moved = {}
    for row in rows:
        member = row.usage.usage.identity if row.effect.item else ""
        head = (row.start_ms, row.effect.item, member, row.effect.taxed_since)
        lines[head] = lines.get(head, 0) - row.usage.amount
        _take_off(counters, row.start_ms, row.effect.accruals)
        _take_off(takes, row.start_ms, row.effect.takes)
    command = desk.RestateUsage()
    for (time_ms, item, member, since), difference in lines.items():
        if difference:
            command.lines.add(event_time_ms=time_ms, item=item, member=member, taxed_since=since, difference=difference)
    for sums, into in ((counters, command.counters), (takes, command.takes)):
        for (time_ms, name), difference in sums.items():
            if difference:
                into.add(event_time_ms=time_ms, name=name, difference=difference)
    return command


def _take_off(sums: _Moved, time_ms: int, pairs: Iterable[Pair]) -> None:
    for name, quantity in pairs:
        sums[time_ms, name] = sums.get((time_ms, name), 0) - quantity
