"""The grammar of every name that one part of the house writes and another reads.

What a catalogue, the directory and a front end's request call by one name is checked here by one rule: else a service
could be published that no request may name. A name of a narrower kind is always one of the wider kinds it stands among.
"""

import re

ENTRY = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
"""Entries of a catalogue: tariffs, offerings, allowances, accumulators, rules. Contracts and books call them by it."""
CODE = r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}"
"""Domains, channels, partners and units of the directory; and places, which are domains or networks abroad."""
SERVICE = r"[a-z][a-z0-9_-]{0,31}"
"""Services, in catalogues and in requests."""
NETWORK = r"[A-Z]{2}-[A-Za-z0-9._-]{1,28}|[0-9]{5,6}"
"""Networks abroad: "HK-CSL", or their MCC and MNC."""
CURRENCY = r"[A-Z]{3}"
"""ISO 4217."""
CONTROL = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
"""Characters that move the cursor instead of being read (Unicode Cc, and ends of lines), for a class of a pattern:
in logs, bills and terminals they would forge what stands beside them."""

is_code = re.compile(CODE).fullmatch
is_service = re.compile(SERVICE).fullmatch
is_place = is_code
is_network = re.compile(NETWORK).fullmatch
is_currency = re.compile(CURRENCY).fullmatch
_controls = re.compile(f"[{CONTROL}]").search


def is_plain(text: str) -> bool:
    """Say whether a text has nothing in it but what can be read on one line."""
    return text.isprintable() or _controls(text) is None
