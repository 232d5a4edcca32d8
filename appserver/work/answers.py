"""Answers to items, once all that is needed is at hand: which reply an item gets, written by `appserver.replies`."""

import msgspec

from appserver.asks import Kind
from appserver.batches.pending import Counter
from appserver.known.reference import Held
from appserver.replies import fill as replies
from appserver.work.commands import rate_usage
from appserver.work.items import Item
from charging.errors import Broken
from charging.rating import rating
from charging.wire import Answer, BusinessData, Done, Failed, HistoryLine, SessionOutcome, Unknown
from charging.wire import fault as fault_of

_unpack_session = msgspec.msgpack.Decoder(SessionOutcome).decode


def answer_done(counter: Counter, item: Item, done: Done) -> None:
    """Answer a commit that was done, now or before."""
    # Whatever may fail comes before the reply is opened: an open reply is sent.
    session = _session(done) if item.kind is Kind.SESSION else None
    reply = counter.reply(item)
    if reply is None:
        return
    if done.told is not None:
        replies.fill_retold(reply.charge, done, done.told, item.explain)
    elif item.kind is Kind.CHARGE and item.charge is not None and item.held is not None:
        replies.fill_charge(reply.charge, item.charge, done, item.held.domain, item.explain)
    elif session is not None:
        replies.fill_session(reply.session, session, done)
    else:
        replies.fill_command(reply.command, done)


def answer_outcome(counter: Counter, item: Item, answer: Answer) -> None:
    """Answer the question what a request key did; a fault of the look-up itself is told as such."""
    if not isinstance(answer, (Done, Failed, Unknown)):
        counter.refuse(item.batch, item.position, unexpected(answer), item.kind.name)
        return
    if isinstance(answer, Failed) and not answer.repeated:
        counter.refuse(item.batch, item.position, fault_of(answer), item.kind.name)
        return
    session = _session(answer) if isinstance(answer, Done) and answer.detail is not None else None
    reply = counter.reply(item)
    if reply is None:
        return
    view = reply.outcome
    view.request_key = item.key
    if isinstance(answer, Unknown):
        view.state = view.STATE_UNKNOWN
    elif isinstance(answer, Failed):
        view.state = view.STATE_REFUSED
        replies.fill_fault(view.reply, fault_of(answer))
    else:
        view.state = view.STATE_DONE
        if answer.told is not None:
            replies.fill_retold(view.reply.charge, answer, answer.told, item.explain)
        elif session is not None:
            replies.fill_session(view.reply.session, session, answer)
        else:
            replies.fill_command(view.reply.command, answer)


def answer_quote(counter: Counter, item: Item, data: BusinessData, held: Held, now_ms: int) -> None:
    """Answer a dry run. Raises what rating raises; nothing is answered then."""
    charge = rate_usage(item, data.account, data.contract, held, now_ms)
    reply = counter.reply(item)
    if reply is not None:
        replies.fill_quote(reply.quote, charge, data.account.version, held.domain)


def answer_query(
    counter: Counter, item: Item, data: BusinessData, held: Held, lines: tuple[HistoryLine, ...], now_ms: int
) -> None:
    """Answer a query from business data, and from journal lines where the view has some."""
    account, contract = data.account, data.contract
    left = []
    if item.view == "usage":
        left = rating.allowances(held.timeline.plan_at(now_ms), contract, account, now_ms)
    reply = counter.reply(item)
    if reply is None:
        return
    if item.view == "balance":
        replies.fill_balance(reply.balance, account, now_ms)
    elif item.view == "contract":
        replies.fill_contract(reply.contract.contract, contract)
    elif item.view == "history":
        replies.fill_history(reply.history.lines, lines, item.explain)
        reply.history.next_cursor = item.cursor
        reply.history.SetInParent()
    else:
        replies.fill_accumulators(reply.usage, account)
        replies.fill_allowances(reply.usage, left)
        replies.fill_history(reply.usage.recent, lines, item.explain)
        reply.usage.SetInParent()


def _session(done: Done) -> SessionOutcome:
    if done.detail is None:
        raise Broken("SESSION_WITHOUT_OUTCOME", "a session step was answered without its outcome")
    return _unpack_session(done.detail)


def unexpected(answer: Answer) -> Broken:
    """Make the fault of an answer to something else than was asked."""
    return Broken("ANSWER_UNEXPECTED", f"{type(answer).__name__} is no answer to what was asked")
