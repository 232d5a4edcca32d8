"""Answers to items, once all that is needed is at hand: which reply an item gets, written by `appserver.replies`."""

import msgspec

from appserver.accounts.chain import ChargeItem, CommandItem
from appserver.batches.item import WorkItem
from appserver.batches.pending import Pending
from appserver.reading.asks import Kind
from appserver.reference import DomainReference
from appserver.replies import fill as replies
from appserver.replies.arrears import fill_arrears
from appserver.work.commands import rate_usage
from appserver.work.items import QueryItem, QuoteItem
from charging.base.unit_key import is_numbered
from charging.errors import Broken
from charging.ledger.commands.post_usage import PostUsage, UseOutcomes, read_outcomes
from charging.ledger.history import read_detail
from charging.ledger.session_state import covers
from charging.rating.quotas import keyed_usage
from charging.rating.remains import allowances
from charging.wire import Answer, BusinessData, Done, Failed, History, SessionOutcome, Unknown, pack
from charging.wire import fault as fault_of
from runtime.languages import tongue_for

_unpack_session = msgspec.msgpack.Decoder(SessionOutcome).decode


def answer_done(pending: Pending, item: WorkItem, done: Done) -> None:
    """Answer a commit that was done, now or before; nothing when its deadline has passed.

    Raises `msgspec.MsgspecError` when the outcome can't be read, with nothing answered.
    """
    # Whatever may fail comes before the reply is opened: an open reply is sent.
    request = item.request
    session = _session(done) if request.kind is Kind.SESSION else None
    uses = _uses(done) if isinstance(item, CommandItem) and isinstance(item.order, PostUsage) else None
    reply = pending.reply(item)
    if reply is None:
        return
    if done.told is not None:
        replies.fill_retold(reply.charge, done, done.told, request.explain, item.language)
    elif isinstance(item, ChargeItem) and item.charge is not None and item.reference is not None:
        accepted = item.language if request.explain else ""
        replies.fill_charge(reply.charge, item.charge, done, item.reference.domain, request.explain, accepted)
    elif session is not None:
        replies.fill_session(reply.session, session, done)
    else:
        replies.fill_command(reply.command, done)
        if uses is None:
            return
        if item.batch.requests[item.position].post_usage.HasField("columns"):
            replies.fill_use_outcomes(reply.command, uses)
        else:
            replies.fill_uses(reply.command, uses)


def answer_outcome(pending: Pending, item: QueryItem, answer: Answer) -> None:
    """Answer the question what a request key did; a fault of the look-up itself is told as such."""
    if not isinstance(answer, (Done, Failed, Unknown)):
        pending.refuse_item(item, unexpected(answer))
        return
    if isinstance(answer, Failed) and not answer.repeated:
        pending.refuse_item(item, fault_of(answer))
        return
    # Whatever may fail comes before the reply is opened: an open reply is sent.
    said = read_detail(answer.detail) if isinstance(answer, Done) and answer.detail is not None else None
    reply = pending.reply(item)
    if reply is None:
        return
    view = reply.outcome
    view.request_key = item.request.key
    if isinstance(answer, Unknown):
        view.state = view.STATE_UNKNOWN
    elif isinstance(answer, Failed):
        view.state = view.STATE_REFUSED
        replies.fill_fault(view.reply, fault_of(answer))
    else:
        view.state = view.STATE_DONE
        if answer.told is not None:
            replies.fill_retold(view.reply.charge, answer, answer.told, item.request.explain, item.language)
        elif isinstance(said, SessionOutcome):
            replies.fill_session(view.reply.session, said, answer)
        else:
            replies.fill_command(view.reply.command, answer)
            if said is not None:
                replies.fill_uses(view.reply.command, said)


def answer_quote(
    pending: Pending, item: QuoteItem, data: BusinessData, reference: DomainReference, now_ms: int
) -> None:
    """Answer a dry run. Raises what rating raises; nothing is answered then."""
    usage, account = item.usage, data.account
    if is_numbered(usage.service):
        usage = keyed_usage(reference.timeline.plan_at(usage.start_ms), usage)
    charge = rate_usage(usage, account, data.contract, reference, now_ms)
    covered = account.terms.status == "active" and covers(account, charge, usage.start_ms)
    reply = pending.reply(item)
    if reply is not None:
        replies.fill_quote(reply.quote, charge, account.version, reference.domain, covered, item.language)


def answer_query(
    pending: Pending,
    item: QueryItem,
    data: BusinessData,
    reference: DomainReference,
    history: History,
    now_ms: int,
) -> None:
    """Answer a query from business data, and from a page of the history where the view has one.

    `now_ms`, UTC, decides which allowances and books are valid.
    """
    account, contract = data.account, data.contract
    left = []
    if item.query.view == "usage":
        plan = reference.timeline.plan_at(now_ms)
        left = allowances(plan, contract, account, now_ms)
    reply = pending.reply(item)
    if reply is None:
        return
    if item.query.view == "balance":
        replies.fill_balance(reply.balance, account, now_ms)
    elif item.query.view == "arrears":
        fill_arrears(reply.arrears, account, now_ms)
    elif item.query.view == "frozen":
        reply.frozen.account, reply.frozen.contract = pack(account), pack(contract)
    elif item.query.view == "contract":
        replies.fill_contract(reply.contract.contract, contract)
    elif item.query.view == "history":
        replies.fill_history(reply.history.lines, history.lines, item.request.explain, item.language)
        reply.history.next_cursor = history.next_position
        reply.history.time_zone = account.terms.zone
        reply.history.SetInParent()
    else:
        replies.fill_accumulators(reply.usage, account)
        replies.fill_allowances(reply.usage.allowances, left, plan.merged, tongue_for(item.language))
        replies.fill_history(reply.usage.recent, history.lines, item.request.explain, item.language)
        reply.usage.SetInParent()


def _uses(done: Done) -> UseOutcomes | None:
    return read_outcomes(done.detail) if done.detail is not None else None


def _session(done: Done) -> SessionOutcome:
    if done.detail is None:
        raise Broken("SESSION_WITHOUT_OUTCOME", "a session step was answered without its outcome")
    return _unpack_session(done.detail)


def unexpected(answer: Answer) -> Broken:
    """Make the fault of an answer to something else than was asked."""
    return Broken("ANSWER_UNEXPECTED", f"{type(answer).__name__} is no answer to what was asked")
