"""A job: accounts rated anew, journal by journal, and the difference of each posted as one restatement.

A faulty job is refused before it starts (`check_job`). Killed anywhere it is begun again: what was posted is among the
rows by then, so nothing is posted twice, whatever the number of the job.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace
from onetier.v1 import service_desk_pb2 as desk

from charging.base.lateness import LATE_CYCLES_MAX, TOO_LATE
from charging.base.localtime import CYCLE, LocalTime, month_at, span
from charging.errors import Invalid
from charging.ledger.commands.restate_usage import COUNTERS_MAX, LINES_MAX, TAKES_MAX, RestatedAmount, usage_total
from charging.plans.timeline import Timeline
from charging.rating.restating import PastUse, Restatement
from details.late import LateUsage
from mediation.gathering import JournalPlace
from mediation.rerating.bycolumns import Anew, Restater, Ways
from mediation.rerating.freezing import CHANNEL, STALE, Freezer, FrozenAccount, LeftOut
from mediation.rerating.inputs import (
    GIVEN_BACK,
    cycle_begins_ms,
    has_refunds,
    missing_parts,
    past_uses,
    posted_total,
    replaced_parts,
)
from mediation.rerating.tariffs import Tariffs
from onetier_client import AsyncClient
from runtime.status import from_status

FEED = "rerate"
ROUNDS_MAX = 8
"""How often an account is frozen again because it moved on."""
CYCLES_MAX = LATE_CYCLES_MAX + 1
"""Cycles that a job may go back: what rolls over from the one before must be in the details, too. One more than late
usage is taken for, so that it can still be rated in the cycle after the one in which it came.
"""
LEAD_IN = 1
SAME, RESTATED, LEFT_OUT = "same", "restated", "left out"


class RerateJob(Struct, frozen=True):
    """What is to be rated anew."""

    number: int
    """Jobs of a country grow; the time at which it was made will do."""
    month: int
    """First cycle, months since the year 0; all up to now follows."""
    reason: str
    accounts: tuple[str, ...] = ()
    """Empty = all that used something."""
    late: Mapping[str, LateUsage] = {}
    """Late usage by account: each is rated from the cycle in which its oldest began; empty = all from `month`."""


class AccountOutcome(Struct, frozen=True):
    """What became of one account."""

    account_id: str
    status: str
    """same, restated, taken back, left out"""
    before: int = 0
    after: int = 0
    """Micro-units of the usage that was rated."""
    uses: int = 0
    kept: int = 0
    """Uses that stay as they were, because nothing prices them now, or their session goes on."""
    reason: str = ""
    why: str = ""
    unrated: str = ""
    """Why a use that was set aside stays at no price, a word of docs/reasons.md; "" = all have one."""


def left_out(account_id: str, reason: str, why: str) -> AccountOutcome:
    """Tell of an account that a job leaves as it is."""
    return AccountOutcome(account_id, LEFT_OUT, reason=reason, why=why)


def keys_of(number: int) -> str:
    """Give what the request keys of all restatements of a job begin with."""
    return f"{FEED}:{number}:"


class Studied(Struct, frozen=True):
    """An account as it was rated anew."""

    frozen: FrozenAccount
    from_ms: int
    """When the first cycle began that was rated anew, UTC."""
    result: Restatement
    restated: tuple[PastUse, ...] = ()
    """What earlier jobs restated, and parts that are rated with their whole call: what stands is the uses and these."""


class AskedAnew(Struct, frozen=True):
    """An account that is to be rated anew."""

    frozen: FrozenAccount
    from_ms: int
    """As of `Studied`."""
    anew: Anew


def check_job(job: RerateJob, timelines: Mapping[str, Timeline], now_ms: int) -> None:
    """Refuse a faulty job before it starts. Raises `Invalid` RERATE_FAULTY."""
    text = ""
    months = {span_month(timeline.local, now_ms) for timeline in timelines.values()}
    if not timelines:
        text = "there is no region to rate in"
    elif job.month > max(months):
        text = "the cycle has not begun anywhere"
    elif job.month < min(months) - CYCLES_MAX:
        text = f"more than {CYCLES_MAX} cycles back: journals and counters do not reach so far"
    elif not job.reason.strip():
        text = "a reason is kept with each restatement: give one"
    if text:
        raise Invalid("RERATE_FAULTY", text)


def span_month(local: LocalTime, now_ms: int) -> int:
    """Give the month of now, counted from the year 0."""
    text = span(CYCLE, local.day(now_ms // 1_000), 1).text
    return int(text[:4]) * 12 + int(text[4:6]) - 1


class Rerating:
    """Rates the accounts of journals anew."""

    def __init__(self, freezer: Freezer, tariffs: Tariffs) -> None:
        self._freezer = freezer
        self._tariffs = tariffs
        self._restaters: dict[str, Restater] = {}

    async def study(
        self, job: RerateJob, journal: JournalPlace, accounts: Sequence[str]
    ) -> AsyncIterator[Studied | AccountOutcome]:
        """Rate accounts of a journal; posts nothing. Those left out say why."""
        restater = self._restater(journal.slot.rpartition("/")[0])
        waiting: list[AskedAnew] = []
        uses = 0
        async for each in self._freezer.frozen(journal, accounts, first_day_of(job.month - LEAD_IN)):
            if isinstance(each, LeftOut):
                yield left_out(each.account_id, each.reason, each.why)
                continue
            asked = ask(each, job.month, job.late.get(each.account.account_id))
            if isinstance(asked, AccountOutcome):
                yield asked
                continue
            waiting.append(asked)
            uses += len(asked.anew.uses)
            if uses >= USES_AT_ONCE:
                for studied in rated_anew(restater, waiting):
                    yield studied
                waiting, uses = [], 0
        for studied in rated_anew(restater, waiting):
            yield studied

    def _restater(self, region: str) -> Restater:
        if region not in self._restaters:
            self._restaters[region] = self._tariffs.restater(region)
        return self._restaters[region]

    def ways(self) -> Ways:
        """Say how many uses were rated by columns, and why others were not."""
        found = Ways()
        for restater in self._restaters.values():
            found.add(restater.ways)
        return found

    async def post(
        self, job: RerateJob, journal: JournalPlace, accounts: Sequence[str], client: AsyncClient
    ) -> AsyncIterator[AccountOutcome]:
        """Rate accounts of a journal and post; those that moved on are frozen again, `ROUNDS_MAX` times at most."""
        again = [account async for account in self._round(job, journal, client, accounts)]
        for number in range(1, ROUNDS_MAX + 1):
            stale = [each.account_id for each in again if each.reason == STALE]
            for each in again:
                if each.reason != STALE or number == ROUNDS_MAX:
                    yield each
            if not stale or number == ROUNDS_MAX:
                return
            again = [account async for account in self._round(job, journal, client, stale)]

    async def _round(
        self, job: RerateJob, journal: JournalPlace, client: AsyncClient, accounts: Sequence[str]
    ) -> AsyncIterator[AccountOutcome]:
        studied = self.study(job, journal, accounts)
        waiting: dict[str, Studied] = {}
        async for each in studied:
            if isinstance(each, AccountOutcome):
                yield each
            elif not each.result.changes:
                yield unchanged(job, each)
            else:
                waiting[each.frozen.account.account_id] = each
                if len(waiting) >= POSTED_AT_ONCE:
                    async for outcome in posted(job, client, waiting):
                        yield outcome
                    waiting = {}
        async for outcome in posted(job, client, waiting):
            yield outcome


POSTED_AT_ONCE = 200
USES_AT_ONCE = 100_000
"""Rated together by columns; so many are in memory."""


def ask(frozen: FrozenAccount, month: int, late: LateUsage | None = None) -> AskedAnew | AccountOutcome:
    """Say what of an account is to be rated anew, up to now: from a cycle on, or from that of its late usage."""
    account = frozen.account
    if late is not None:
        terms = account.terms
        begun = month_at(terms.zone, terms.cycle_day, late.from_ms)
        if begun < month:
            why = "its cycle is too long ago to be rated again: adjust the account by hand"
            return left_out(account.account_id, TOO_LATE, why)
        if begun > account.terms.closed and not late.set_aside:
            return AccountOutcome(account.account_id, SAME)  # Late, but not for its cycle, which is open.
        month = begun
    from_ms = cycle_begins_ms(account, month)
    rows = [row for row in frozen.rows if row.start_ms >= from_ms]
    if not has_refunds(frozen.rows):
        # Of closed cycles the account knows no sums any more; what is open must be there to the micro-unit.
        open_ms = max(from_ms, cycle_begins_ms(account, account.terms.closed + 1))
        said, known = usage_total(account, open_ms), posted_total([row for row in rows if row.start_ms >= open_ms])
        if said != known:
            why = f"the account says {said}, the details {known}: its journal is not kept, or not gathered, so far"
            return left_out(account.account_id, "DETAILS_INCOMPLETE", why)
    if missing_parts(frozen.rows):
        why = "the part of a call that its whole replaces is not among them: it is older than what was gathered"
        return left_out(account.account_id, "DETAILS_INCOMPLETE", why)
    replaced = replaced_parts(frozen.rows)
    uses = past_uses(rows, account, replaced)
    before = past_uses([row for row in frozen.rows if row.start_ms < from_ms], account, replaced)
    return AskedAnew(frozen, from_ms, Anew(account, frozen.contracts, uses, before))


def rated_anew(restater: Restater, asked: Sequence[AskedAnew]) -> Iterator[Studied | AccountOutcome]:
    """Rate accounts anew, in their order; those left out say why."""
    for each, result in zip(asked, restater.restate([each.anew for each in asked]), strict=True):
        if reason := lost_price(each.anew, result):
            why = "a use that was set aside has no price now, and what was charged for it would be given back"
            yield left_out(each.frozen.account.account_id, reason, why)
        else:
            restated = tuple([use for use in each.anew.uses if use.usage is None])
            yield Studied(each.frozen, each.from_ms, result, restated)


def lost_price(anew: Anew, result: Restatement) -> str:
    """Say why uses that were set aside have no price any more, whose former one, or a part's, would be given back.

    "" = there are none: what is charged for a use stands with it, and stays when nothing prices it.
    """
    paid = {use.member for use in anew.uses if use.usage is None and use.amount}
    for each in result.uses:
        usage = each.use.usage
        if each.fault and each.fault != GIVEN_BACK and not each.use.item and usage and usage.identity in paid:
            return each.fault
    return ""


def unchanged(job: RerateJob, studied: Studied) -> AccountOutcome:
    """Tell of an account where nothing differs: the same, or restated by this very job before it was told."""
    outcome = outcome_of(studied, SAME)
    mine = [row for row in studied.frozen.rows if row.usage.key.startswith(keys_of(job.number))]
    if not mine:
        return outcome
    return replace(outcome, status=RESTATED, before=outcome.before - posted_total(mine), uses=outcome.uses - len(mine))


def outcome_of(studied: Studied, status: str, reason: str = "", why: str = "") -> AccountOutcome:
    """Tell what became of an account that was rated."""
    result = studied.result
    kept = sum(bool(use.fault) for use in result.uses)
    name = studied.frozen.account.account_id
    # A charge has an account item; what was set aside has none.
    unrated = next((use.fault for use in result.uses if use.fault and not use.use.item), "")
    return AccountOutcome(name, status, result.before, result.after, len(result.uses), kept, reason, why, unrated)


async def posted(job: RerateJob, client: AsyncClient, studied: Mapping[str, Studied]) -> AsyncIterator[AccountOutcome]:
    """Post what accounts come to; one command each."""
    requests: dict[str, desk.ServiceRequest] = {}
    of: dict[str, Studied] = {}
    for account_id, each in studied.items():
        result = each.result
        many = (len(result.lines), len(result.counters), len(result.takes))
        if any(count > most for count, most in zip(many, (LINES_MAX, COUNTERS_MAX, TAKES_MAX), strict=True)):
            yield outcome_of(each, LEFT_OUT, "LIST_TOO_LONG", "more differs than one command can say")
            continue
        request = _request(job, each)
        requests[account_id] = request
        of[request.request_key] = each
    async for request, reply in client.exchange(requests.values(), timeout_ms=60_000):
        each = of[request.request_key]
        if reply.HasField("error"):
            fault = from_status(reply.error)
            yield outcome_of(each, LEFT_OUT, fault.reason, fault.message)
        else:
            yield outcome_of(each, RESTATED)


def _request(job: RerateJob, studied: Studied) -> desk.ServiceRequest:
    account, result, from_ms = studied.frozen.account, studied.result, studied.from_ms
    return restating_request(
        f"{keys_of(job.number)}{account.version}:{account.account_id}",
        f"account:{account.account_id}",
        desk.RestateUsage(
            feed=FEED,
            batch=job.number,
            expected_version=account.version,
            from_ms=from_ms,
            expected_total=usage_total(account, from_ms),
            lines=[
                desk.RestatedLine(
                    event_time_ms=line.time_ms,
                    item=line.item,
                    member=line.member,
                    taxed_since=line.taxed_since,
                    difference=line.difference,
                )
                for line in result.lines
            ],
            counters=_amounts(result.counters),
            takes=_amounts(result.takes),
            reason=job.reason,
        ),
    )


def restating_request(key: str, identity: str, command: desk.RestateUsage) -> desk.ServiceRequest:
    """Make the request of a restatement."""
    return desk.ServiceRequest(
        identity=identity,
        request_type=desk.REQUEST_TYPE_EXECUTE,
        request_key=key,
        channel=CHANNEL,
        restate_usage=command,
    )


def _amounts(amounts: Iterable[RestatedAmount]) -> list[desk.RestatedAmount]:
    return [
        desk.RestatedAmount(event_time_ms=each.time_ms, name=each.name, difference=each.difference) for each in amounts
    ]


def first_day_of(month: int) -> str:
    """Give the first day of a cycle, whatever the cycle day: that of the month."""
    return f"{month // 12:04}{month % 12 + 1:02}01"
