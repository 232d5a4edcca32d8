"""Commands as callers send them, made from the types of their fields: one that is taken, and values that none is."""

from collections.abc import Mapping

from google.protobuf.message import Message
from hypothesis import strategies as st
from onetier.v1 import service_desk_pb2 as desk

from charging.base.asked import types_of
from charging.base.bounds import AMOUNT_MAX, ID_CHARS_MAX, TEXT_CHARS_MAX
from charging.base.fieldtypes import (
    ATTRIBUTES_MAX,
    LIST_ENTRIES_MAX,
    Amount,
    Attributes,
    Choice,
    Difference,
    FieldType,
    Identity,
    Moment,
    Name,
    Names,
    Spelt,
    Text,
    Whole,
)
from charging.ledger.asking import ASKED

INT64_MAX = (1 << 63) - 1
OTHER = "msisdn:8613000000002"
OWN_EXAMPLES: Mapping[str, Message] = {
    "set_account_status": desk.SetAccountStatus(status="closed", pay_out=5, to_identity=OTHER),
    "set_contract": desk.SetContract(contract=desk.Contract(subscriptions=[desk.Subscription(offering="o")])),
    "session": desk.SessionRequest(
        session_id="s", operation=desk.SessionRequest.OPERATION_CREATE, units=[desk.UnitUse(service_code="data")]
    ),
    "restate_usage": desk.RestateUsage(
        feed="n-2",
        batch=1,
        expected_version=1,
        from_ms=1,
        lines=[desk.RestatedLine(event_time_ms=1, item="voice", difference=5)],
        reason="n",
    ),
    "post_usage": desk.PostUsage(
        feed="n-1", batch=1, uses=[desk.UsageUse(service_code="voice", event_time_ms=1, quantity=60)]
    ),
}
"""Of commands that are read by hand, or must have a list in them."""
COMMANDS = tuple(field.name for field in desk.ServiceRequest.DESCRIPTOR.oneofs_by_name["command"].fields)


def example_of(name: str) -> Message:
    """Give a command that a platform takes, with little in it: what must be given, and a reason."""
    if name in OWN_EXAMPLES:
        return OWN_EXAMPLES[name]
    message = empty(name)
    for field, said in types_of(ASKED[name]).items():
        value = _right(said, field)
        if value is not None:
            setattr(message, field, value)
    return message


def empty(name: str) -> Message:
    """Give a command with nothing in it."""
    request = desk.ServiceRequest()
    message: Message = getattr(request, name)
    return type(message)()


def _right(said: FieldType, field: str) -> str | int | None:
    match said:
        case Choice() if said.required:
            return said.words[0]
        case Amount() | Difference():
            return 5
        case Whole() if said.required:
            return max(said.least, 1)
        case Name():
            return {"watches": "balance", "to_offering": "n-2"}.get(field, "n-1")
        case Identity():
            return OTHER
        case Text() if field in ("reason", "approver"):
            return "because"
    return None


def wrong(said: FieldType) -> st.SearchStrategy[object] | None:
    """Give the values that a field of this type refuses; None when it refuses none by itself."""
    match said:
        case Text():
            long = st.text("ab", min_size=TEXT_CHARS_MAX + 1, max_size=2 * TEXT_CHARS_MAX)
            return st.one_of(long, st.sampled_from(["a\nb", "\x1b[2J", "\u2028"]))
        case Name():
            long = st.text("ab", min_size=ID_CHARS_MAX + 1, max_size=2 * ID_CHARS_MAX)
            return st.one_of(long, st.sampled_from(["a\nb", "\x00"]), *[st.just("")] * said.required)
        case Choice():
            return st.text(min_size=not said.required, max_size=20).filter(lambda word: word not in said.words)
        case Spelt():
            return st.sampled_from(["?", "a b", "\n"])
        case Whole():
            return _outside(said.least, said.most).filter(lambda number: bool(number) or not said.empty)
        case Amount():
            return _outside(1, AMOUNT_MAX)
        case Difference():
            return st.one_of(st.just(0), _outside(-AMOUNT_MAX, AMOUNT_MAX))
        case Moment():
            return st.integers(-INT64_MAX, -1)
        case Identity():
            return st.sampled_from(["nobody", "msisdn:1", "tel:5"])
        case Names():
            return st.one_of(st.just(["n"] * (LIST_ENTRIES_MAX + 1)), st.just([""]), st.just(["a\nb"]))
        case Attributes():
            many = {str(number): "v" for number in range(ATTRIBUTES_MAX + 1)}
            return st.sampled_from([many, {"": "v"}, {"n": "v" * (TEXT_CHARS_MAX + 1)}, {"n": "a\nb"}])
    return None


def _outside(least: int, most: int) -> st.SearchStrategy[int]:
    return st.one_of(st.integers(-INT64_MAX, least - 1), st.integers(most + 1, INT64_MAX))
