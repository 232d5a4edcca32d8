"""What a query may narrow its view by: a page of it, kinds, services, a time, offerings, a pattern of use."""

from collections.abc import Sequence

from msgspec import Struct
from onetier.v1 import service_desk_pb2 as desk

from appserver.reading.checks import field_fault
from appserver.reading.patterns import PatternAsk, read_pattern
from charging.base.bounds import ID_CHARS_MAX, TIME_MS_MAX
from charging.base.names import is_service
from charging.errors import Invalid

CURSOR_CHARS_MAX = 400
NAMES_MAX = 64
"""Of kinds, services or offerings in one query."""


class Narrowing(Struct, frozen=True):
    """As the caller wrote it, within bounds."""

    page_cursor: str = ""
    kinds: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    from_ms: int = 0
    """UTC; 0 = as the view says."""
    to_ms: int = 0
    offerings: tuple[str, ...] = ()
    uses: tuple[PatternAsk, ...] = ()


WHOLE = Narrowing()
"""Of a query that asks for all of its view."""


def read_narrowing(message: desk.ServiceRequest, country: str) -> Narrowing:
    """Read what narrows a query. Raises `Invalid` for the first thing that is out of bounds."""
    if len(message.page_cursor) > CURSOR_CHARS_MAX:
        raise page_malformed()
    for field in ("from_ms", "to_ms"):
        if not 0 <= getattr(message, field) <= TIME_MS_MAX:
            text = "a moment, UTC, milliseconds since 1970, or 0"
            raise field_fault("TIMES_MALFORMED", field, f"{field} must be {text}", text)
    if message.to_ms and message.to_ms <= message.from_ms:
        text = "later than from_ms, or 0"
        raise field_fault("TIMES_MALFORMED", "to_ms", f"to_ms must be {text}", text)
    services = _names(message.services, "services")
    for service in services:
        if is_service(service) is None:
            raise field_fault("SERVICE_UNKNOWN", "services", f"{service!r} is no service", "service codes")
    return Narrowing(
        message.page_cursor,
        _names(message.kinds, "kinds"),
        services,
        message.from_ms,
        message.to_ms,
        _names(message.offerings, "offerings"),
        read_pattern(message.pattern, country) if message.HasField("pattern") else (),
    )


def page_malformed() -> Invalid:
    """Make the fault of a page's cursor that can't be read."""
    text = "`next_cursor` of the page before, to the letter"
    return field_fault("PAGE_MALFORMED", "page_cursor", f"the cursor must be {text}", text)


def _names(given: Sequence[str], field: str) -> tuple[str, ...]:
    found = tuple(given)
    if len(found) > NAMES_MAX:
        text = f"at most {NAMES_MAX}"
        raise field_fault("LIST_TOO_LONG", field, f"{len(found)} names are given: {text}", text)
    if any(not 0 < len(each) <= ID_CHARS_MAX for each in found):
        text = f"names of 1 to {ID_CHARS_MAX} characters"
        raise field_fault("NAME_MALFORMED", field, f"{field} must be {text}", text)
    return found
