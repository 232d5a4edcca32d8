"""Queries: a view of a subscriber's data, a page of the history, or what a request key did."""

from onetier.v1 import service_desk_pb2 as desk

from appserver.reading.asks import OUTCOME
from appserver.reading.checks import caller_faults, field_fault, key_faults, together
from appserver.reading.fields import in_vain
from appserver.reading.narrowing import WHOLE, read_narrowing
from appserver.reading.request import QueryRequest
from charging.base.identity import normalise
from charging.ledger import details
from charging.ledger.kinds import TAGS

LINES_DEFAULT = {
    "balance": 0,
    "usage": 10,
    "contract": 0,
    "history": 50,
    OUTCOME: 0,
    "account": 100,
    "accounts": 100,
    "offerings": 20,
    "detail": 100,
    "month": 0,
    "compare": 0,
    "arrears": 0,
    "frozen": 0,
    "fees": 0,
}
"""Views of a query, and how many journal lines or rows they show when the quantity doesn't say."""
LINES_MAX = {"offerings": 50}
"""The most that a page of a view has; of the others `HISTORY_LINES_MAX`."""
HISTORY_LINES_MAX = 500
NARROWED = frozenset({"history", "account", "accounts", "offerings", "detail", "month", "compare", "fees"})
ALL_KINDS = frozenset(TAGS.values())
KINDS_OF = {"detail": frozenset(details.KINDS)}
"""Which kinds the rows of a view may have; of the history those of all commands."""
CURSOR_MAX = (1 << 63) - 1
VIEWS = tuple(LINES_DEFAULT)


def read_query(message: desk.ServiceRequest, now_ms: int, country: str) -> QueryRequest:
    """Normalise and check. Raises `Invalid`, all wrong fields named; numbers are read as a country writes them."""
    view = message.service_code
    if view not in LINES_DEFAULT:
        text = f"one of {', '.join(VIEWS)}"
        raise field_fault("SERVICE_UNKNOWN", "service_code", f"query {view[:32]!r} is not {text}", text)
    if message.quantity < 0:
        raise field_fault("QUANTITY_NEGATIVE", "quantity", "fewer than no lines are asked for", "0 or more")
    if message.history_cursor > CURSOR_MAX:
        text = "next_cursor of the page before"
        raise field_fault("CURSOR_UNKNOWN", "history_cursor", "no page begins there", text)
    found = caller_faults(message) + in_vain(message, view)
    kinds = message.kinds
    unknown = sorted(set(kinds) - KINDS_OF.get(view, ALL_KINDS)) if kinds else ()
    if unknown:
        text = "kinds as the view's rows have them"
        told = f"there is no kind {unknown[0][:40]!r}: give {text}"
        found.append(field_fault("NAME_MALFORMED", "kinds", told, text))
    if view == OUTCOME:
        found += key_faults(message, required=True)
    if found:
        raise together(found)
    return QueryRequest(
        normalise(message.identity, country),
        message.channel,
        message.partner,
        message.actor,
        message.request_key,
        now_ms,
        message.explain,
        view,
        min(message.quantity, LINES_MAX.get(view, HISTORY_LINES_MAX)) or LINES_DEFAULT[view],
        message.history_cursor,
        read_narrowing(message, country) if view in NARROWED else WHOLE,
    )
