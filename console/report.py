"""What the demo and other commands print: tables for people; nothing is computed here but sums and percentiles."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
from onetier.v1 import service_desk_pb2 as desk
from rich.console import Console
from rich.table import Table

from audit.following import SlotReport
from audit.proof import Verdict
from console import units
from country.domains import BY_CODE, REGIONS
from country.sending import Sent
from country.tally import NOWHERE, RegionCount, Tally

WIDTH_CHARS = 120
REGIONS_PER_BAND = 16
MICRO = Decimal(1_000_000)
OF_ACCOUNT = "in the account's currency"
"""Said where an answer doesn't name the currency of its amounts."""


def console() -> Console:
    """Make the console: as wide as the terminal, a fixed width when output goes to a file."""
    plain = Console()
    return plain if plain.is_terminal else Console(width=WIDTH_CHARS)


def major(micro: int) -> str:
    """Write micro-units as whole units of the currency (yuan, dollars), to the micro-unit where it matters."""
    text = f"{Decimal(micro) / MICRO:,.6f}"
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


def regions_table(tally: Tally) -> Table:
    """Requests, charges and amounts of each region."""
    table = Table(title="By region", title_justify="left")
    table.add_column("region")
    for name in ("requests", "charges", "amount, yuan", "repeats", "refused"):
        table.add_column(name, justify="right")
    for code in [region.code for region in REGIONS] + [NOWHERE]:
        if code in tally.regions:
            name = f"{code} {BY_CODE[code].name}" if code in BY_CODE else "belongs to nobody"
            table.add_row(*_region_row(name, tally.regions[code]))
    table.add_section()
    table.add_row(*_region_row("country", tally.total), style="bold")
    return table


def _region_row(name: str, count: RegionCount) -> tuple[str, ...]:
    return (
        name,
        f"{count.requests:,}",
        f"{count.charges:,}",
        major(count.amount),
        f"{count.repeats:,}",
        f"{count.refusals.total():,}",
    )


def refusal_tables(tally: Tally) -> Iterable[Table]:
    """Refusals by reason, one column a region, in bands that fit a page."""
    codes = [code for code in [*(region.code for region in REGIONS), NOWHERE] if code in tally.regions]
    reasons = sorted(tally.total.refusals)
    for start in range(0, len(codes), REGIONS_PER_BAND):
        band = codes[start : start + REGIONS_PER_BAND]
        last = start + REGIONS_PER_BAND >= len(codes)
        table = Table(title="Refusals by reason" if start == 0 else None, title_justify="left", padding=(0, 0, 0, 1))
        table.add_column("reason", no_wrap=True)
        for code in band:
            table.add_column(code, justify="right", min_width=3)
        if last:
            table.add_column("all", justify="right", style="bold")
        for reason in reasons:
            counts = [tally.regions[code].refusals[reason] for code in band]
            cells = [str(count) if count else "·" for count in counts]
            table.add_row(reason, *cells, *([f"{tally.total.refusals[reason]:,}"] if last else []))
        yield table


def speed_table(bulk: Sent, single: Sent) -> Table:
    """Throughput and latency percentiles, under load and one at a time."""
    table = Table(title="Speed", title_justify="left")
    table.add_column("how")
    for name in ("requests", "seconds", "requests/s", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms"):
        table.add_column(name, justify="right")
    for name, sent in (("stream, as fast as it goes", bulk), ("one at a time", single)):
        if sent.latencies_ms:
            cuts = np.percentile(np.array(sent.latencies_ms), (50, 90, 99, 99.9, 100))
            numbers = [f"{cut:,.1f}" for cut in cuts]
            table.add_row(name, f"{sent.requests:,}", f"{sent.seconds:,.1f}", f"{sent.per_second:,.0f}", *numbers)
    return table


def verdict_table(verdict: Verdict) -> Table:
    """Print the two counts side by side."""
    table = Table(title="Proof: replies against journals", title_justify="left")
    table.add_column("")
    table.add_column("charges", justify="right")
    table.add_column("yuan", justify="right")
    table.add_row(
        "acknowledged to callers (each key once)", f"{verdict.acknowledged:,}", major(verdict.acknowledged_amount)
    )
    table.add_row("postings in the journals of all units", f"{verdict.journaled:,}", major(verdict.journaled_amount))
    table.add_row("movements of balances under charges", "", major(verdict.moved_amount))
    table.add_section()
    table.add_row("opening balances", "", major(verdict.opened_amount))
    table.add_row("deposits", "", major(verdict.booked_amount))
    table.add_row("fees, bills, payments, replays", "", major(verdict.billed_amount))
    table.add_row("closing balances", "", major(verdict.closing_amount))
    table.add_row("opening + these - charged - closing", "", major(verdict.difference))
    table.add_section()
    table.add_row("lost / doubled / different", f"{verdict.lost} / {verdict.doubled} / {verdict.different}", "")
    return table


def audit_table(slots: Sequence[SlotReport]) -> Table:
    """What the audit of slots found."""
    table = Table(title="Audit of journals (amounts in the currency of the accounts)", title_justify="left")
    table.add_column("slot")
    for name in (
        "groups",
        "entries",
        "refusals",
        "accounts",
        "snapshots",
        "revenue",
        "in books",
        "findings",
    ):
        table.add_column(name, justify="right")
    for slot in slots:
        counts = (slot.groups, slot.entries, slot.refusals, slot.accounts, slot.snapshots)
        money = (major(slot.revenue), major(slot.money))
        table.add_row(slot.name, *(f"{count:,}" for count in counts), *money, f"{len(slot.findings):,}")
    return table


def balance_lines(view: desk.BalanceView) -> Iterable[str]:
    """Tell a balance."""
    staged = f" · staged {major(view.staged)}" if view.staged else ""
    yield f"balance of account {view.account_id} in {view.domain}: {view.status}, {view.payment_mode}"
    yield (
        f"  real {major(view.real)} · reserved {major(view.reserved)} · credit {major(view.credit_limit)} · "
        f"available {major(view.available)}{staged} {view.currency}; version {view.version}, "
        f"members {len(view.members)}"
    )
    for book in view.books:
        amount = f"{major(book.amount)} {view.currency}" if book.unit == "money" else f"{book.amount:,} {book.unit}"
        yield f"  book {book.book_id}: {amount}"


def usage_lines(view: desk.UsageView) -> Iterable[str]:
    """Tell the usage of a cycle."""
    yield "usage:"
    for left in view.allowances:
        name = f"{left.name} ({left.allowance})" if left.name not in ("", left.allowance) else left.allowance
        used = f"{units.quantity(left.used, left.unit)} of {units.quantity(left.quota, left.unit)}"
        rest = f"{units.quantity(left.remaining, left.unit)} left"
        until = f" until {units.moment(left.valid_to_ms)}" if left.valid_to_ms else ""
        came = f", rolled over from {units.day(left.rolled_from)}" if left.rolled_from else ""
        cap = f", of this member at most {units.quantity(left.member_cap, left.unit)}" if left.member_cap else ""
        yield f"  allowance {name} since {units.day(left.period)}: {used}, {rest}{until}{came}{cap}"
    for accumulator in view.accumulators:
        holder = f" of {accumulator.identity}" if accumulator.identity else ""
        yield f"  accumulator {accumulator.accumulator}{holder} in {accumulator.period}: {accumulator.quantity:,}"


def contract_lines(contract: desk.Contract) -> Iterable[str]:
    """Tell a contract."""
    offerings = ", ".join(subscription.offering for subscription in contract.subscriptions)
    yield f"contract of {contract.identity} ({contract.status}), order {contract.order_id}: {offerings}"


def explanation_lines(line: desk.HistoryLine, currency: str) -> Iterable[str]:
    """Tell why a charge is what it is, step by step."""
    yield (
        f"charge {line.request_key} of {line.identity}: {line.service_code}, quantity {line.quantity:,}, "
        f"{major(line.amount)} {currency}, because"
    )
    yield from step_lines(line.steps)
    yield from movement_lines(line.movements, currency)
    if line.notices:
        yield f"  raised: {', '.join(line.notices)}"


def step_lines(steps: Iterable[desk.ChargeStep]) -> Iterable[str]:
    """Number the steps of an explanation."""
    for number, step in enumerate(steps, 1):
        yield f"  {number}. {step.text}  [{step.kind} {step.rule}, {step.origin}, exactly {step.exact} micro-units]"


def movement_lines(movements: Iterable[desk.BookMovement], currency: str = OF_ACCOUNT) -> Iterable[str]:
    """Tell which books changed."""
    for movement in movements:
        before, after = movement.before, movement.after
        if movement.unit == "money":
            yield f"  book {movement.book_id}: {major(before)} → {major(after)} {currency}"
        else:
            yield f"  book {movement.book_id}: {before:,} → {after:,} {movement.unit}"


def result_lines(result: desk.ChargeResult) -> Iterable[str]:
    """Tell the outcome of a charge or a quote."""
    repeated = ", as it was charged before" if result.repeated else ""
    yield f"{major(result.amount)} {result.currency} in {result.domain}{repeated}"
    yield from step_lines(result.steps)
    yield from movement_lines(result.movements, result.currency)


def moment(time_ms: int) -> str:
    """Tell a moment in UTC."""
    return datetime.fromtimestamp(time_ms / 1_000, UTC).isoformat(sep=" ", timespec="milliseconds")


def outcome_lines(view: desk.OutcomeView) -> Iterable[str]:
    """Tell what a request key did."""
    reply = view.reply
    if view.state == view.STATE_UNKNOWN:
        yield f"request key {view.request_key} did nothing here, or is under way, or older than keys are kept"
    elif view.state == view.STATE_REFUSED:
        yield f"request key {view.request_key} was refused: {reply.error.message}"
    elif reply.HasField("charge"):
        yield f"request key {view.request_key} charged:"
        yield from result_lines(reply.charge)
    elif reply.HasField("session"):
        yield f"request key {view.request_key} was {_step(reply.session)}"
        yield from grant_lines(reply.session)
    else:
        yield f"request key {view.request_key} was done, as version {reply.command.account_version} of the account"
        yield from movement_lines(reply.command.movements)


def done_lines(reply: desk.ServiceReply) -> Iterable[str]:
    """Tell what a command did."""
    result = reply.session if reply.HasField("session") else reply.command
    repeated = ", as it was done before" if result.repeated else ""
    if isinstance(result, desk.SessionResult):
        yield f"{_step(result)}: version {result.account_version} of the account{repeated}"
        yield from grant_lines(result)
    else:
        yield f"version {result.account_version} of account {result.account_id}{repeated}"
        yield from movement_lines(result.movements)
    if result.notices:
        yield f"  raised: {', '.join(result.notices)}"


def grant_lines(step: desk.SessionResult) -> Iterable[str]:
    """Tell what a step of a session granted."""
    for grant in step.grants:
        yield f"  {grant.service_code}: {grant.granted:,} granted, {major(grant.charged)} charged so far"


def _step(step: desk.SessionResult) -> str:
    return f"step {step.invocation} of session {step.session_id}"


def history_lines(line: desk.HistoryLine, currency: str = OF_ACCOUNT) -> Iterable[str]:
    """Tell one change of an account."""
    when = moment(line.time_ms)
    what = f"{line.service_code} {line.quantity:,}" if line.service_code else line.reason
    who = (f" by {line.actor}" if line.actor else "") + (f" as {line.principal}" if line.principal else "")
    amount = f"{major(line.amount)} {currency}"
    what += f" with {line.other_party}" if line.other_party else ""
    what += f" in {line.visited_place}" if line.visited_place else ""
    what += f" begun {units.moment(line.event_time_ms)}" if line.event_time_ms != line.time_ms else ""
    who += f" by way of {line.channel}" if line.channel else ""
    yield f"{when}  v{line.account_version}  {line.kind} {what}  {amount}{who}  {line.request_key}"
    for change in line.changes:
        yield f"  {change.term}: {change.before or 'nothing'} → {change.after or 'nothing'}"
    yield from step_lines(line.steps)
    yield from movement_lines(line.movements, currency)
    if line.notices:
        yield f"  raised: {', '.join(line.notices)}"


def longest_explained(lines: Sequence[desk.HistoryLine]) -> desk.HistoryLine | None:
    """Choose the charge with most steps among history lines; None when no charge is there."""
    explained = [line for line in lines if line.steps]
    return max(explained, key=lambda line: (len(line.steps), line.amount), default=None)
