"""Answers to items, once all that is needed is at hand: which reply an item gets, written by `appserver.replies`."""

import msgspec

from appserver import replies
from appserver.asks import Kind
from appserver.commit import rate_usage
from appserver.counter import Counter
from appserver.items import Item
from appserver.reference import Held
from charging import rating
from charging.errors import Broken
from charging.wire import BusinessData, Done, HistoryLine, SessionOutcome

_unpack_session = msgspec.msgpack.Decoder(SessionOutcome).decode


def answer_done(counter: Counter, item: Item, done: Done) -> None:
    """Answer a commit that was done now."""
    # Whatever may fail comes before the reply is opened: an open reply is sent.
    session = _session(done) if item.kind is Kind.SESSION else None
    reply = counter.reply(item)
    if reply is None:
        return
    if item.kind is Kind.CHARGE and item.charge is not None and item.held is not None:
        replies.fill_charge(reply.charge, item.charge, done, item.held.domain, item.explain)
    elif session is not None:
        replies.fill_session(reply.session, session, done)
    else:
        replies.fill_command(reply.command, done)


def answer_stored(counter: Counter, item: Item, done: Done, line: HistoryLine | None) -> None:
    """Answer a repeat with the stored first outcome."""
    session = _session(done) if item.kind is Kind.SESSION else None
    reply = counter.reply(item)
    if reply is None:
        return
    if item.kind is Kind.CHARGE:
        domain = item.held.domain if item.held is not None else ""
        currency = item.charge.currency if item.charge is not None else ""
        if not currency and item.held is not None:
            currency = item.held.timeline.plan_at(item.time_ms).currency
        replies.fill_stored(reply.charge, done, domain, currency, line)
    elif session is not None:
        replies.fill_session(reply.session, session, done)
        reply.session.repeated = True
    else:
        replies.fill_command(reply.command, done)
        reply.command.repeated = True


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
