"""Protobuf requests → core types, with every check that needs no business data. The way back is `appserver.replies`.

A fault names each wrong field, so that a front end can be mended in one go.
"""

from collections.abc import Mapping
from hashlib import blake2b

import msgspec
from msgspec.structs import replace
from onetier.v1 import service_desk_pb2 as desk

from appserver.asks import OUTCOME, Kind, Order
from appserver.reading.fields import in_vain
from appserver.reading.keys import check_key
from appserver.reading.orders import order_of
from appserver.reading.request import CommandRequest, EventRequest, QueryRequest, Request
from charging.base.account_id import require_subscriber
from charging.base.asked import Asked
from charging.base.bounds import ACTOR_CHARS_MAX, ATTRIBUTE_CHARS_MAX, CODE_CHARS_MAX, KEY_CHARS_MAX
from charging.base.house_keys import PREFIX
from charging.base.identity import normalise
from charging.base.names import is_place, is_service
from charging.base.party import party
from charging.base.usage import Usage
from charging.errors import Fault, Invalid

COMMAND_BYTES_MAX = 100_000
"""Of a request with a command: what it makes must fit a journal entry, a contract record and the account's snapshot."""
SESSION_BYTES_MAX = 8_000
"""The same of a session step, since an account keeps many."""
ATTRIBUTES_MAX = 16
SECONDS_MAX = 31 * 86_400
BYTES_MAX = 1 << 50
EVENTS_MAX = 1_000_000
QUANTITY_MAX = {
    "voice": SECONDS_MAX,
    "fixed": SECONDS_MAX,
    "tv": SECONDS_MAX,
    "data": BYTES_MAX,
    "broadband": BYTES_MAX,
    "sms": EVENTS_MAX,
    "mms": EVENTS_MAX,
    "content": EVENTS_MAX,
}
"""Largest believable quantity of one request by service; what the table doesn't know may be as large as bytes."""
LINES_DEFAULT = {"balance": 0, "usage": 10, "contract": 0, "history": 50, OUTCOME: 0}
"""Views of a query, and how many journal lines they show when the quantity doesn't say."""
HISTORY_LINES_MAX = 500
CURSOR_MAX = (1 << 63) - 1
VIEWS = tuple(LINES_DEFAULT)

_NO_ATTRIBUTES: dict[str, str] = {}
_KINDS = {
    desk.REQUEST_TYPE_CHARGE: Kind.CHARGE,
    desk.REQUEST_TYPE_QUOTE: Kind.QUOTE,
    desk.REQUEST_TYPE_QUERY: Kind.QUERY,
    desk.REQUEST_TYPE_EXECUTE: Kind.COMMAND,
}
_pack = msgspec.msgpack.Encoder().encode


class Codec:
    """Reads requests. `future_tolerance_ms` is how far ahead of our clock an event may be, `country` whose national
    spellings of numbers are read (`charging.base.identity`)."""

    def __init__(self, future_tolerance_ms: int, country: str) -> None:
        self._future_tolerance_ms = future_tolerance_ms
        self._country = country

    def read(self, request: desk.ServiceRequest, now_ms: int) -> Request:
        """Normalise and check one request that came at a time, UTC. Raises `Invalid`, all wrong fields named."""
        kind = _KINDS.get(request.request_type)
        if kind is Kind.CHARGE or kind is Kind.QUOTE:
            return self._event(request, kind, now_ms)
        if kind is Kind.QUERY:
            return self._query(request, now_ms)
        if kind is Kind.COMMAND:
            return self._command(request, now_ms)
        raise Invalid(
            "REQUEST_TYPE_UNKNOWN",
            f"request type {request.request_type} is not one of charge, quote, query, execute",
            fields={"request_type": "one of charge, quote, query, execute"},
        )

    def _event(self, request: desk.ServiceRequest, kind: Kind, now_ms: int) -> EventRequest:
        service, key = request.service_code, request.request_key
        quantity, start_ms = request.quantity, request.event_time_ms
        visited, other = request.visited_place, request.other_party
        channel, partner, actor = request.channel, request.partner, request.actor
        charged = kind is Kind.CHARGE
        if start_ms == 0:
            start_ms = now_ms
        if (
            is_service(service) is None
            or not 0 <= quantity <= QUANTITY_MAX.get(service, BYTES_MAX)
            or not 0 < start_ms <= now_ms + self._future_tolerance_ms
            or charged is not bool(key)
            or (key and (len(key) > KEY_CHARS_MAX or not (key.isascii() and key.isprintable()) or key[0] == PREFIX))
            or (visited and is_place(visited) is None)
            or len(actor) > ACTOR_CHARS_MAX
            or len(channel) > CODE_CHARS_MAX
            or len(partner) > CODE_CHARS_MAX
            or request.WhichOneof("command") is not None
        ):
            raise self._faults(request, kind, now_ms)
        attributes = _attributes(request.attributes, "attributes") if request.attributes else _NO_ATTRIBUTES
        identity = normalise(request.identity, self._country)
        require_subscriber(identity, "identity")
        called = party(other, self._country) if other else ""
        usage = Usage(identity, service, start_ms, quantity, called, visited, attributes)
        digest = b""
        if charged:
            # A time that the caller didn't give is not content: our clock must not tell the repeat from the first.
            content = usage if request.event_time_ms else replace(usage, start_ms=0)
            digest = blake2b(_pack((content, channel, partner, actor)), digest_size=16).digest()
        return EventRequest(kind, identity, channel, partner, actor, key, digest, start_ms, request.explain, usage)

    def _query(self, request: desk.ServiceRequest, now_ms: int) -> QueryRequest:
        view = request.service_code
        if view not in VIEWS:
            raise Invalid(
                "SERVICE_UNKNOWN",
                f"query {view[:32]!r} is not one of {', '.join(VIEWS)}",
                fields={"service_code": f"one of {', '.join(VIEWS)}"},
            )
        if request.quantity < 0:
            raise _fault("QUANTITY_NEGATIVE", "quantity", "fewer than no lines are asked for", "0 or more")
        if request.history_cursor > CURSOR_MAX:
            raise _fault("CURSOR_UNKNOWN", "history_cursor", "no page begins there", "next_cursor of the page before")
        found = _caller_faults(request) + in_vain(request, view)
        if view == OUTCOME:
            found += self._key_faults(request, required=True)
        if found:
            raise _together(found)
        identity = normalise(request.identity, self._country)
        channel, partner = request.channel, request.partner
        return QueryRequest(
            identity,
            channel,
            partner,
            request.actor,
            request.request_key,
            now_ms,
            request.explain,
            view,
            min(request.quantity, HISTORY_LINES_MAX) or LINES_DEFAULT[view],
            request.history_cursor,
        )

    def _command(self, request: desk.ServiceRequest, now_ms: int) -> CommandRequest:
        found = self._key_faults(request, required=True) + self._time_faults(request, now_ms)
        found += _size_faults(request) + in_vain(request, "execute")
        if found:
            raise _together(found)
        identity = normalise(request.identity, self._country)
        time_ms = request.event_time_ms or now_ms
        order = order_of(request, Asked(identity, time_ms, request.actor, self._country))
        channel, partner, actor = request.channel, request.partner, request.actor
        kind = Kind.SESSION if request.HasField("session") else Kind.COMMAND
        digest = self._digest(request, identity, order)
        return CommandRequest(
            kind, identity, channel, partner, actor, request.request_key, digest, time_ms, request.explain, order
        )

    @staticmethod
    def _digest(request: desk.ServiceRequest, identity: str, order: Order) -> bytes:
        # The time as the caller gave it: our clock must not tell the repeat from the first.
        content = (identity, request.event_time_ms, order, request.channel, request.partner, request.actor)
        return blake2b(_pack(content), digest_size=16).digest()

    def _faults(self, request: desk.ServiceRequest, kind: Kind, now_ms: int) -> Invalid:
        charged = kind is Kind.CHARGE
        found = self._key_faults(request, required=charged)
        service, quantity = request.service_code, request.quantity
        if is_service(service) is None:
            text = "a service code of the catalogue, such as voice, sms, data"
            found.append(
                _fault("SERVICE_UNKNOWN", "service_code", f"{service[:32]!r} is no service code: {text}", text)
            )
        largest = QUANTITY_MAX.get(service, BYTES_MAX)
        if quantity < 0:
            found.append(_fault("QUANTITY_NEGATIVE", "quantity", f"quantity {quantity} is negative", "0 or more"))
        elif quantity > largest:
            text = f"at most {largest} for one {service or 'request'}"
            found.append(_fault("QUANTITY_ABSURD", "quantity", f"quantity {quantity} is absurd: {text}", text))
        found += self._time_faults(request, now_ms)
        if request.visited_place and is_place(request.visited_place) is None:
            text = "the code of a region or of a network abroad"
            found.append(_fault("REGION_UNKNOWN", "visited_place", f"the visited place must be {text}", text))
        found += _caller_faults(request) + in_vain(request, kind.name.lower())
        try:
            normalise(request.identity, self._country)
        except Invalid as fault:
            found.append(fault.bare())
        return _together(found)

    def _time_faults(self, request: desk.ServiceRequest, now_ms: int) -> list[Invalid]:
        start_ms = request.event_time_ms
        if start_ms < 0:
            text = "a time after 1970, UTC, in milliseconds"
            return [_fault("EVENT_TIME_INVALID", "event_time_ms", f"event time {start_ms} is not {text}", text)]
        if start_ms > now_ms + self._future_tolerance_ms:
            text = f"at most {self._future_tolerance_ms} ms ahead of {now_ms}"
            return [_fault("EVENT_IN_FUTURE", "event_time_ms", f"event time {start_ms} is in the future: {text}", text)]
        return []

    @staticmethod
    def _key_faults(request: desk.ServiceRequest, *, required: bool) -> list[Invalid]:
        if not required and not request.request_key:
            return []
        try:
            check_key(request.request_key)
        except Invalid as fault:
            return [fault.bare()]
        return []


def _caller_faults(request: desk.ServiceRequest) -> list[Invalid]:
    """Say which texts about the caller are too long to be kept."""
    found: list[Invalid] = []
    for field, given, most in (
        ("actor", request.actor, ACTOR_CHARS_MAX),
        ("channel", request.channel, CODE_CHARS_MAX),
        ("partner", request.partner, CODE_CHARS_MAX),
    ):
        if len(given) > most:
            text = f"at most {most} characters"
            found.append(_fault("TEXT_TOO_LONG", field, f"the {field} has {len(given)} characters: {text}", text))
    return found


def _size_faults(request: desk.ServiceRequest) -> list[Invalid]:
    found = _caller_faults(request)
    name = request.WhichOneof("command") or "command"
    size, limit = request.ByteSize(), SESSION_BYTES_MAX if name == "session" else COMMAND_BYTES_MAX
    if size > limit and not found:
        text = f"at most {limit} bytes for the whole request"
        found.append(_fault("REQUEST_TOO_LARGE", name, f"the request has {size} bytes: {text}", text))
    return found


def _attributes(given: Mapping[str, str], field: str) -> dict[str, str]:
    if len(given) > ATTRIBUTES_MAX:
        text = f"at most {ATTRIBUTES_MAX}"
        raise _fault("ATTRIBUTES_TOO_MANY", field, f"{len(given)} attributes: {text}", text)
    for name, value in given.items():
        if not 0 < len(name) <= ATTRIBUTE_CHARS_MAX or len(value) > ATTRIBUTE_CHARS_MAX:
            text = f"names and values of at most {ATTRIBUTE_CHARS_MAX} characters"
            raise _fault("ATTRIBUTE_TOO_LONG", field, f"attribute {name[:32]!r}: {text}", text)
    # The order of a protobuf map is anyone's; the digest needs one.
    return dict(sorted(given.items()))


def _fault(reason: str, field: str, message: str, text: str) -> Invalid:
    return Invalid(reason, message, fields={field: text})


def _together(found: list[Invalid]) -> Invalid:
    """One fault for all: the reason of the first, every field."""
    first = found[0]
    fields = {field: text for fault in found for field, text in fault.fields.items()}
    return Invalid(first.reason, "; ".join(fault.message for fault in found), fields=fields)


__all__ = ["Codec", "Fault"]
