"""How much of a service, and how many facts of it, one event may have."""

from charging.base.bounds import QUANTITY_DEFAULTS

ATTRIBUTES_MAX = 16
SECONDS_MAX, BYTES_MAX, EVENTS_MAX = (QUANTITY_DEFAULTS[unit] for unit in ("second", "byte", "event"))
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
