"""Core types → protobuf replies. The way in is `appserver.reading`."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from onetier.v1 import service_desk_pb2 as desk

from charging.base import accumulators
from charging.base.account import Account, Book, SpendingLimit
from charging.base.contract import Contract
from charging.base.spending import HOUSE, resets_ms, spent
from charging.base.staged import kept_less
from charging.base.tongue import ENGLISH, Tongue
from charging.base.unit_key import NONE, numbers_of
from charging.base.usage import AllowanceLeft, Charge, Step
from charging.catalogue.merge import Merged
from charging.errors import Fault
from charging.ledger.commands.post_usage import UseOutcomes
from charging.ledger.funds import balance_view
from charging.rating.explain import sentence
from charging.rating.telling import sentence_in
from charging.wire import ChargeTold, Done, HistoryLine, Movement, SessionOutcome
from runtime.languages import tongue_for
from runtime.languages.telling import to_status_in
from runtime.status import to_status

if TYPE_CHECKING:
    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer

# What the network does with a user whose last quota is used up: Final-Unit-Action, RFC 8506, 8.35.
FINAL_ACTIONS = {
    "terminate": desk.SessionResult.Grant.FINAL_ACTION_TERMINATE,
    "restrict": desk.SessionResult.Grant.FINAL_ACTION_RESTRICT,
    "redirect": desk.SessionResult.Grant.FINAL_ACTION_REDIRECT,
}


def fill_fault(reply: desk.ServiceReply, fault: Fault, accepted: str = "") -> None:
    """Answer with a fault, in a language that is `accepted` (as Accept-Language says it) too."""
    reply.error.CopyFrom(to_status_in(fault, tongue_for(accepted)) if accepted else to_status(fault))


def fill_charge(
    result: desk.ChargeResult, charge: Charge, done: Done, domain: str, explain: bool, accepted: str = ""
) -> None:
    """Answer with a charge that this request made; the explanation only when it was asked for.

    `accepted` are languages, as Accept-Language says them.
    """
    result.amount = done.amount
    result.currency = charge.currency
    result.catalogue_version = charge.catalogue
    result.account_version = done.version
    result.domain = domain
    if done.movements:
        fill_movements(result.movements, done.movements)
    if done.notices:
        result.notices.extend(done.notices)
    if explain:
        fill_steps(result.steps, charge.steps, accepted)


def fill_retold(result: desk.ChargeResult, done: Done, told: ChargeTold, explain: bool, accepted: str = "") -> None:
    """Answer with the stored outcome of a charge made before: `fill_charge` of then, marked as repeated."""
    result.amount = done.amount
    result.currency = told.currency
    result.catalogue_version = told.catalogue
    result.account_version = done.version
    result.domain = told.domain
    result.repeated = True
    result.notices.extend(done.notices)
    fill_movements(result.movements, done.movements)
    if explain:
        fill_steps(result.steps, told.steps, accepted)


def fill_quote(
    result: desk.ChargeResult, charge: Charge, version: int, domain: str, covered: bool, accepted: str = ""
) -> None:
    """Answer a dry run, always explained."""
    result.amount = charge.amount
    result.currency = charge.currency
    result.catalogue_version = charge.catalogue
    result.account_version = version
    result.domain = domain
    result.covered = covered
    fill_steps(result.steps, charge.steps, accepted)


def fill_movements(
    into: "RepeatedCompositeFieldContainer[desk.BookMovement]",
    movements: Iterable[Movement],
) -> None:
    """Write what changed on the books."""
    for each in movements:
        into.add(
            book_id=each.book_id,
            unit=each.unit,
            delta=each.after - each.before,
            before=each.before,
            after=each.after,
        )


def fill_steps(
    into: "RepeatedCompositeFieldContainer[desk.ChargeStep]",
    steps: Iterable[Step],
    accepted: str = "",
) -> None:
    """Write an explanation line by line, in a language that is `accepted`."""
    say = tongue_for(accepted) if accepted else ENGLISH
    english = say is ENGLISH
    for step in steps:
        into.add(
            kind=step.kind,
            rule=step.rule,
            origin=step.origin or "national",
            text=sentence(step) if english else sentence_in(step, say),
            quantity=step.quantity,
            unit=step.unit,
            exact=f"{step.numerator}/{step.denominator}",
            level=step.level,
        )


def fill_balance(view: desk.BalanceView, account: Account, now_ms: int) -> None:
    """Answer with the unified balance."""
    money = balance_view(account, now_ms)
    view.account_id = account.account_id
    view.domain = account.terms.domain
    view.status = account.terms.status
    view.payment_mode = account.terms.payment_mode
    view.currency = account.terms.currency
    view.real = money.real
    view.reserved = money.reserved
    view.available = money.available
    view.credit_limit = money.credit_limit
    view.version = account.version
    view.members.extend(account.members)
    view.bound = money.bound
    view.staged = money.staged
    staged = account.open.staged
    less = kept_less(staged) if staged else {}
    for book in account.books:
        _book(view.books.add(), book, book.reserved + less.get(book.book_id, 0) if less else book.reserved)
    for limit in account.terms.limits:
        _limit(view.spending_limits.add(), limit, account, now_ms)


def _limit(into: desk.SpendingLimitView, limit: SpendingLimit, account: Account, now_ms: int) -> None:
    into.limit_id = limit.limit_id
    into.period = limit.period
    into.amount = limit.amount
    into.spent = spent(account, limit, now_ms)
    into.resets_ms = resets_ms(account, limit, now_ms)
    into.member = limit.member
    into.services.extend(limit.services)
    into.scope = limit.scope
    into.warn_percent = limit.warn_percent


def _book(into: desk.BalanceBook, book: Book, reserved: int) -> None:
    into.book_id = book.book_id
    into.unit = book.unit
    into.amount = book.amount
    into.reserved = reserved
    into.priority = book.priority
    into.valid_from_ms = book.valid_from_ms
    into.valid_to_ms = book.valid_to_ms
    into.allowance = book.allowance


def fill_accumulators(view: desk.UsageView, account: Account) -> None:
    """Write the counters of an account."""
    for key, quantity in account.accumulators.items():
        if key.startswith(HOUSE):
            continue  # What limits count is told by the balance.
        parts = accumulators.parts(key)
        view.accumulators.add(
            accumulator=parts.name,
            period=parts.period,
            quantity=quantity,
            identity=parts.holder,
            subscribed_from_ms=int(parts.since) if parts.since.isdecimal() else 0,
        )


def fill_contract(into: desk.Contract, contract: Contract) -> None:
    """Answer with a contract."""
    into.identity = contract.identity
    into.account_id = contract.account_id
    into.domain = contract.domain
    into.valid_from_ms = contract.valid_from_ms
    into.valid_to_ms = contract.valid_to_ms
    into.status = contract.status
    into.attributes.update(contract.attributes)
    into.agreements.extend(contract.agreements)
    into.order_id = contract.order_id
    into.version = contract.version
    into.paused_from_ms = contract.paused_from_ms
    into.paused_to_ms = contract.paused_to_ms
    for held in contract.subscriptions:
        into.subscriptions.add(
            offering=held.offering,
            valid_from_ms=held.valid_from_ms,
            valid_to_ms=held.valid_to_ms,
            attributes=held.attributes,
            since_ms=held.since_ms,
            paused=held.paused,
            paused_end_ms=held.paused_end_ms,
            quantity=held.quantity,
            first_fees=held.first_fees,
        )
    for name, identities in contract.groups.items():
        into.groups[name].identities.extend(identities)


def fill_history(
    into: "RepeatedCompositeFieldContainer[desk.HistoryLine]",
    lines: Iterable[HistoryLine],
    explain: bool,
    accepted: str = "",
) -> None:
    """Write journal lines, newest first; with explanations when asked."""
    for line in lines:
        shown = into.add(
            request_key=line.key,
            kind=line.kind,
            time_ms=line.time_ms,
            identity=line.identity,
            service_code=line.service,
            quantity=line.quantity,
            amount=line.amount,
            actor=line.actor,
            reason=line.reason,
            account_version=line.version,
            notices=line.notices,
            principal=line.principal,
            event_time_ms=line.event_time_ms or line.time_ms,
            other_party=line.other_party,
            visited_place=line.visited,
            channel=line.channel,
        )
        for term, before, after in line.changes:
            shown.changes.add(term=term, before=before, after=after)
        for bill, how, amount in line.settled:
            shown.settled.add(bill=bill, how=how, amount=amount)
        fill_movements(shown.movements, line.movements)
        if explain:
            fill_steps(shown.steps, line.steps, accepted)


def fill_command(result: desk.CommandResult, done: Done) -> None:
    """Answer a command."""
    fill_movements(result.movements, done.movements)
    result.account_version = done.version
    result.repeated = done.repeated
    result.notices.extend(done.notices)
    result.account_id = done.account_id
    result.amount = done.amount


def fill_uses(result: desk.CommandResult, outcomes: UseOutcomes) -> None:
    """Tell what became of each use of a batch, one by one."""
    refused = {each.use: each for each in outcomes.refused}
    aside = frozenset(outcomes.set_aside)
    for place, amount in enumerate(outcomes.amounts):
        why = refused.get(place)
        if why is not None:
            result.uses.add(reason=why.reason, message=why.message)
        else:
            result.uses.add(amount=amount, currency=outcomes.currency, set_aside=place in aside)


def fill_use_outcomes(result: desk.CommandResult, outcomes: UseOutcomes) -> None:
    """Tell what became of the uses of a batch, by columns."""
    told = result.use_outcomes
    told.amounts.extend(outcomes.amounts)
    told.currency = outcomes.currency
    told.set_aside.extend(outcomes.set_aside)
    for each in outcomes.refused:
        told.refused.add(use=each.use, reason=each.reason, message=each.message)


def fill_session(result: desk.SessionResult, outcome: SessionOutcome, done: Done) -> None:
    """Answer a session step.

    Of a grant, `valid_until_ms` is its Validity-Time and `tariff_switch_ms` its Tariff-Time-Change (RFC 8506, 8.33 and
    8.20), as times, UTC, where Diameter tells seconds from now; `charged` is the total since the session began.
    """
    result.session_id = outcome.session_id
    result.invocation = outcome.invocation
    result.account_version = done.version
    result.repeated = done.repeated
    result.notices.extend(done.notices)
    for grant in outcome.grants:
        told = result.grants.add(
            service_code=grant.service,
            granted=grant.granted,
            valid_until_ms=grant.valid_until_ms,
            final_unit=grant.final_unit,
            final_action=FINAL_ACTIONS.get(grant.final_action, desk.SessionResult.Grant.FINAL_ACTION_UNSPECIFIED),
            charged=grant.charged,
            tariff_switch_ms=grant.tariff_switch_ms,
            result_code=grant.code,
            reason=grant.reason,
            redirect_address=grant.redirect,
            filters=grant.filters,
            threshold=grant.threshold,
            holding_time_s=grant.holding_s,
        )
        if grant.numbers:
            group, identifier = numbers_of(grant.numbers)
            if group != NONE:
                told.unit_key.rating_group = group
            if identifier != NONE:
                told.unit_key.service_identifier = identifier


def fill_allowances(
    into: "RepeatedCompositeFieldContainer[desk.AllowanceView]",
    left: Iterable[AllowanceLeft],
    merged: Merged,
    say: Tongue,
) -> None:
    """Write what the allowances of a contract have left, by their names in a language."""
    for each in left:
        entry = merged.allowances.get(each.allowance)
        into.add(
            allowance=each.allowance,
            name=say.label(entry.value.name, each.allowance) if entry is not None else each.name,
            unit=each.unit,
            quota=each.quota,
            used=each.used,
            remaining=each.remaining,
            period=each.period,
            valid_from_ms=each.valid_from_ms,
            valid_to_ms=each.valid_to_ms,
            member_cap=each.member_cap,
            member_used=each.member_used,
            shared=each.shared,
            rolled_from=each.rolled_from,
            subscribed_from_ms=each.subscribed_from_ms,
        )
