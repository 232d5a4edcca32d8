"""The other party of a usage: a number, a name, or a short code; spelt so that groups and prefixes find it."""

import re

from charging.bounds import IDENTITY_CHARS_MAX
from charging.errors import Invalid
from charging.identity import normalise, plain

_MOBILE = re.compile(r"(?:msisdn:)?(?:(?:\+|00)?86)?(1[3-9][0-9]{9})")
_FIXED = re.compile(r"(?:fixed:)?(?:\+|00)?86([2-9][0-9]{8,10}|10[0-9]{8})")
_ABROAD = re.compile(r"(?:msisdn:)?(?:\+|00)?([1-9][0-9]{8,14})")
_SHORT = re.compile(r"[0-9]{3,8}")


def party(raw: str) -> str:
    """Give the one spelling: an identity, or the digits of a short code ("10086").

    Raises `Invalid` with reason PARTY_MALFORMED. Cheaper than `normalise` for what is called all day: numbers of the
    country's plan, short codes, and anything that is E.164 as it stands.
    """
    found = _usual(raw) or (_usual(plain(raw)) if len(raw) <= IDENTITY_CHARS_MAX else "")
    if found:
        return found
    try:
        return normalise(raw)
    except Invalid as fault:
        text = "a number, a name, or a short code"
        raise Invalid(
            "PARTY_MALFORMED", f"the other party is malformed: expected {text}", fields={"other_party": text}
        ) from fault


def _usual(text: str) -> str:
    """Give the one spelling of what is called all day; "" for anything else."""
    match = _MOBILE.fullmatch(text)
    if match is not None:
        return "msisdn:86" + match[1]
    match = _FIXED.fullmatch(text)
    if match is not None:
        return "fixed:86" + match[1]
    if _SHORT.fullmatch(text) is not None:
        return text
    match = _ABROAD.fullmatch(text)
    return "msisdn:" + match[1] if match is not None else ""
