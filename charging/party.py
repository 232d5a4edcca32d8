"""The other party of a usage: a number, a name, or a short code; spelt so that groups and prefixes find it."""

import re

from charging.errors import Invalid
from charging.identity import normalise

_MOBILE = re.compile(r"(?:msisdn:)?(?:(?:\+|00)?86)?(1[3-9]\d{9})")
_FIXED = re.compile(r"(?:fixed:)?(?:\+|00)?86([2-9]\d{8,10}|10\d{8})")
_ABROAD = re.compile(r"(?:msisdn:)?(?:\+|00)?([1-9]\d{8,14})")
_SHORT = re.compile(r"\d{3,8}")


def party(raw: str) -> str:
    """Give the one spelling: an identity, or the digits of a short code ("10086").

    Raises `Invalid` with reason PARTY_MALFORMED. Cheaper than `normalise` for what is called all day: numbers of the
    country's plan, short codes, and anything that is E.164 as it stands.
    """
    match = _MOBILE.fullmatch(raw)
    if match is not None:
        return "msisdn:86" + match[1]
    match = _FIXED.fullmatch(raw)
    if match is not None:
        return "fixed:86" + match[1]
    if _SHORT.fullmatch(raw) is not None:
        return raw
    match = _ABROAD.fullmatch(raw)
    if match is not None:
        return "msisdn:" + match[1]
    try:
        return normalise(raw)
    except Invalid as fault:
        text = "a number, a name, or a short code"
        raise Invalid(
            "PARTY_MALFORMED", f"the other party is malformed: expected {text}", fields={"other_party": text}
        ) from fault
