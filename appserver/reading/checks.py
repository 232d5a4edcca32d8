"""What is wrong with a field that requests of several kinds have. Each function lists faults, so that all wrong fields
of a request are told at once, and a front end can be mended in one go.
"""

from onetier.v1 import service_desk_pb2 as desk

from appserver.reading.keys import check_key
from charging.base.bounds import ACTOR_CHARS_MAX, CODE_CHARS_MAX
from charging.base.fieldtypes import PLAIN
from charging.base.names import is_plain
from charging.errors import Invalid


def field_fault(reason: str, field: str, message: str, text: str) -> Invalid:
    """Make the fault of one field; `text` says what was expected in it."""
    return Invalid(reason, message, fields={field: text})


def together(found: list[Invalid]) -> Invalid:
    """Make one fault of all: the reason of the first, every field."""
    first = found[0]
    fields = {field: text for fault in found for field, text in fault.fields.items()}
    return Invalid(first.reason, "; ".join(fault.message for fault in found), fields=fields)


def key_faults(message: desk.ServiceRequest, *, required: bool) -> list[Invalid]:
    """Look at the request key; gives what is wrong with it, none or one. Without a key that is not `required`: none."""
    if not required and not message.request_key:
        return []
    try:
        check_key(message.request_key)
    except Invalid as fault:
        return [fault.bare()]
    return []


def time_faults(message: desk.ServiceRequest, now_ms: int, future_tolerance_ms: int) -> list[Invalid]:
    """Look at the time of the event, UTC; 0 = none was given. How old it may be is the account's to say.

    `future_tolerance_ms` is by how much the sender's clock may be ahead of `now_ms`. Gives EVENT_TIME_INVALID,
    EVENT_IN_FUTURE or nothing.
    """
    start_ms = message.event_time_ms
    if start_ms < 0:
        text = "a time after 1970, UTC, in milliseconds"
        return [field_fault("EVENT_TIME_INVALID", "event_time_ms", f"event time {start_ms} is not {text}", text)]
    if start_ms > now_ms + future_tolerance_ms:
        text = f"at most {future_tolerance_ms} ms ahead of {now_ms}"
        told = f"event time {start_ms} is in the future: {text}"
        return [field_fault("EVENT_IN_FUTURE", "event_time_ms", told, text)]
    return []


def caller_faults(message: desk.ServiceRequest) -> list[Invalid]:
    """Say which texts about the caller can't be kept: TEXT_TOO_LONG or TEXT_MALFORMED, in the order of fields."""
    actor, channel, partner = message.actor, message.channel, message.partner
    # One glance at all three, since nearly every request is right.
    if (
        len(actor) <= ACTOR_CHARS_MAX
        and len(channel) <= CODE_CHARS_MAX
        and len(partner) <= CODE_CHARS_MAX
        and (actor + channel + partner).isprintable()
    ):
        return []
    found: list[Invalid] = []
    for field, given, most in (
        ("actor", actor, ACTOR_CHARS_MAX),
        ("channel", channel, CODE_CHARS_MAX),
        ("partner", partner, CODE_CHARS_MAX),
    ):
        if len(given) > most:
            text = f"at most {most} characters"
            told = f"the {field} has {len(given)} characters: {text}"
            found.append(field_fault("TEXT_TOO_LONG", field, told, text))
        elif not is_plain(given):
            found.append(field_fault("TEXT_MALFORMED", field, f"the {field} must be {PLAIN}", PLAIN))
    return found
