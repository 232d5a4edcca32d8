"""Charges and dry runs: one event each, as the network or a partner saw it.

A charge is immediate event charging (TS 32.290; direct debiting of RFC 8506, 6.3), a dry run the price enquiry of
RFC 8506, 6.1. A quantity is in base units: seconds, bytes, events.
"""

from collections.abc import Mapping
from hashlib import blake2b

import msgspec
from msgspec.structs import replace
from onetier.v1 import service_desk_pb2 as desk

from appserver.reading.asks import Kind
from appserver.reading.checks import caller_faults, field_fault, key_faults, time_faults, together
from appserver.reading.fields import in_vain
from appserver.reading.keys import is_key, numbers_of
from appserver.reading.quantities import ATTRIBUTES_MAX, BYTES_MAX, QUANTITY_MAX
from appserver.reading.request import EventRequest
from charging.base.account_id import require_subscriber
from charging.base.bounds import ACTOR_CHARS_MAX, ATTRIBUTE_CHARS_MAX, CODE_CHARS_MAX
from charging.base.fieldtypes import PLAIN
from charging.base.identity import normalise
from charging.base.names import is_place, is_plain, is_service
from charging.base.party import party
from charging.base.unit_key import is_numbered, unit_key
from charging.base.usage import Usage
from charging.errors import Invalid

QUOTE_AHEAD_MS_MAX = 400 * 86_400_000
"""How far ahead a price may be asked for: what is published and subscribed to for then."""

_NO_ATTRIBUTES: dict[str, str] = {}
_pack = msgspec.msgpack.Encoder().encode


class EventReader:
    """Reads events. `future_tolerance_ms` is how far ahead of our clock one may be, `country` whose national spellings
    of numbers are read (`charging.base.identity`)."""

    def __init__(self, future_tolerance_ms: int, country: str) -> None:
        self._future_tolerance_ms = future_tolerance_ms
        self._country = country

    def read(self, message: desk.ServiceRequest, kind: Kind, now_ms: int) -> EventRequest:
        """Normalise and check. Raises `Invalid`, all wrong fields named."""
        service, key = message.service_code or _keyed(message), message.request_key
        quantity, start_ms = message.quantity, message.event_time_ms
        visited, other = message.visited_place, message.other_party
        channel, partner, actor = message.channel, message.partner, message.actor
        charged = kind is Kind.CHARGE
        if start_ms == 0:
            start_ms = now_ms
        # One glance at all of it, since nearly every event is right; what is wrong is looked for only then.
        if (
            (is_service(service) is None and not is_numbered(service))
            or (message.service_code and message.HasField("unit_key"))
            or not 0 <= quantity <= QUANTITY_MAX.get(service, BYTES_MAX)
            or not 0 < start_ms <= now_ms + (self._future_tolerance_ms if charged else QUOTE_AHEAD_MS_MAX)
            or charged is not bool(key)
            or (key and not is_key(key))
            or (visited and is_place(visited) is None)
            or len(actor) > ACTOR_CHARS_MAX
            or not (actor.isprintable() or is_plain(actor))
            or len(channel) > CODE_CHARS_MAX
            or len(partner) > CODE_CHARS_MAX
            or message.WhichOneof("command") is not None
        ):
            raise self._faults(message, kind, now_ms)
        attributes = _attributes(message.attributes, "attributes") if message.attributes else _NO_ATTRIBUTES
        identity = normalise(message.identity, self._country)
        require_subscriber(identity, "identity")
        called = party(other, self._country) if other else ""
        usage = Usage(identity, service, start_ms, quantity, called, visited, attributes)
        digest = b""
        if charged:
            # A time that the caller didn't give is not content: our clock must not tell the repeat from the first.
            content = usage if message.event_time_ms else replace(usage, start_ms=0)
            digest = blake2b(_pack((content, channel, partner, actor)), digest_size=16).digest()
        return EventRequest(kind, identity, channel, partner, actor, key, digest, start_ms, message.explain, usage)

    def _faults(self, message: desk.ServiceRequest, kind: Kind, now_ms: int) -> Invalid:
        found = key_faults(message, required=kind is Kind.CHARGE)
        found += _service_faults(message)
        ahead_ms = self._future_tolerance_ms if kind is Kind.CHARGE else QUOTE_AHEAD_MS_MAX
        found += time_faults(message, now_ms, ahead_ms)
        if message.visited_place and is_place(message.visited_place) is None:
            text = "the code of a region or of a network abroad"
            found.append(field_fault("REGION_UNKNOWN", "visited_place", f"the visited place must be {text}", text))
        found += caller_faults(message) + in_vain(message, kind.name.lower())
        try:
            normalise(message.identity, self._country)
        except Invalid as fault:
            found.append(fault.bare())
        return together(found)


def _keyed(message: desk.ServiceRequest) -> str:
    """Give what stands for the service of an event that the network names by numbers; "" = it names none."""
    if not message.HasField("unit_key"):
        return ""
    group, identifier = numbers_of(message.unit_key)
    return unit_key("", group, identifier)


def _service_faults(message: desk.ServiceRequest) -> list[Invalid]:
    service, quantity = message.service_code, message.quantity
    found: list[Invalid] = []
    if message.HasField("unit_key"):
        if service:
            text = "nothing, beside a service code"
            told = "an event is named by its service or by the numbers of the network: give one of both"
            found.append(field_fault("FIELD_WITHOUT_EFFECT", "unit_key", told, text))
        elif not _keyed(message):
            text = "a rating group, a service identifier, or both"
            found.append(field_fault("SERVICE_UNKNOWN", "unit_key", f"the key is empty: give {text}", text))
    elif is_service(service) is None:
        text = "a service code of the catalogue, such as voice, sms, data"
        told = f"{service[:32]!r} is no service code: {text}"
        found.append(field_fault("SERVICE_UNKNOWN", "service_code", told, text))
    largest = QUANTITY_MAX.get(service, BYTES_MAX)
    if quantity < 0:
        found.append(field_fault("QUANTITY_NEGATIVE", "quantity", f"quantity {quantity} is negative", "0 or more"))
    elif quantity > largest:
        text = f"at most {largest} for one {service or 'request'}"
        found.append(field_fault("QUANTITY_ABSURD", "quantity", f"quantity {quantity} is absurd: {text}", text))
    return found


def _attributes(given: Mapping[str, str], field: str) -> dict[str, str]:
    if len(given) > ATTRIBUTES_MAX:
        text = f"at most {ATTRIBUTES_MAX}"
        raise field_fault("LIST_TOO_LONG", field, f"{len(given)} attributes: {text}", text)
    for name, value in given.items():
        if not 0 < len(name) <= ATTRIBUTE_CHARS_MAX or len(value) > ATTRIBUTE_CHARS_MAX:
            text = f"names and values of at most {ATTRIBUTE_CHARS_MAX} characters"
            raise field_fault("ATTRIBUTE_TOO_LONG", field, f"attribute {name[:32]!r}: {text}", text)
        if not (is_plain(name) and is_plain(value)):
            raise field_fault("TEXT_MALFORMED", field, f"attribute {name[:32]!r} must be {PLAIN}", PLAIN)
    # The order of a protobuf map is anyone's; the digest needs one.
    return dict(sorted(given.items()))
