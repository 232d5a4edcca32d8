"""Identities: who is served. Normalised once, at the edge, to `kind:value` (seed 004: one person, many identities).

Mobile and fixed numbers become E.164 digits without "+"; the common Chinese spellings take a fast path, everything else
is asked of `phonenumbers`. Fullwidth characters, as Chinese keyboards make them, stand for their plain ones; digits of
other scripts are malformed, since an identity has one spelling.
"""

import re
from functools import lru_cache

from phonenumbers import NumberParseException, PhoneNumberType, is_possible_number, number_type, parse

from charging.bounds import IDENTITY_CHARS_MAX
from charging.errors import Invalid

KINDS = ("msisdn", "fixed", "broadband", "tv", "card")

_MOBILE = re.compile(r"(?:msisdn:)?(?:(?:\+|00)?86)?(1[3-9][0-9]{9})")
_NAME = re.compile(r"(broadband|tv|card):([a-z0-9][a-z0-9._@-]{0,63})")
_TELEPHONE = re.compile(r"[+0-9 ()/.-]+")
_FIXED_DIGITS = re.compile(r"fixed:(86[2-9][0-9]{8,10}|8610[0-9]{8})")
_PLAIN = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xA0: 0x20}
"""Fullwidth forms and spaces of typesetting → the characters they stand for."""


def normalise(raw: str) -> str:
    """Give the one spelling of an identity.

    Raises `Invalid` with reason IDENTITY_MALFORMED when it is none.
    """
    match = _MOBILE.fullmatch(raw)
    if match is not None:
        return "msisdn:86" + match[1]
    if len(raw) > IDENTITY_CHARS_MAX:
        raise _malformed(raw, f"at most {IDENTITY_CHARS_MAX} characters")
    return _slow(raw)


def plain(raw: str) -> str:
    """Give a text as it is meant: fullwidth characters made plain, nothing around it."""
    return raw.translate(_PLAIN).strip()


@lru_cache(maxsize=65_536)
def _slow(raw: str) -> str:
    text = plain(raw)
    if _FIXED_DIGITS.fullmatch(text):
        return text
    kind, colon, value = text.partition(":")
    kind = kind.lower()
    if colon and kind in ("broadband", "tv", "card"):
        name = _NAME.fullmatch(f"{kind}:{value.strip().lower()}")
        if name is None:
            raise _malformed(raw, "letters, digits and . _ @ - only, at most 64 characters")
        return name[0]
    if colon and kind not in ("msisdn", "fixed"):
        raise _malformed(raw, f"one of {', '.join(KINDS)} before the colon")
    return _number(raw, kind if colon else "", value if colon else text)


def _number(raw: str, kind: str, digits: str) -> str:
    text = digits.strip()
    # `phonenumbers` skips letters it doesn't know: one slip of the pen would charge somebody else.
    if not _TELEPHONE.fullmatch(text):
        raise _malformed(raw, "digits, with + ( ) / . - and spaces between them")
    if re.fullmatch(r"86[1-9][0-9]{8,11}", text) or (kind == "msisdn" and re.fullmatch(r"[1-9][0-9]{6,14}", text)):
        text = "+" + text
    try:
        number = parse(text, "CN")
    except NumberParseException as error:
        raise _malformed(raw, "a telephone number in E.164 or national form") from error
    if not is_possible_number(number):
        raise _malformed(raw, "a telephone number of a possible length")
    found = number_type(number)
    if kind == "fixed" and found == PhoneNumberType.MOBILE:
        raise _malformed(raw, "msisdn: before a mobile number")
    if not kind:
        kind = "fixed" if found == PhoneNumberType.FIXED_LINE else "msisdn"
    return f"{kind}:{number.country_code}{number.national_number}"


def _malformed(raw: str, wanted: str) -> Invalid:
    shown = mask(raw[:80])
    return Invalid(
        "IDENTITY_MALFORMED",
        f"identity {shown!r} is malformed: expected {wanted}",
        fields={"identity": wanted},
    )


def mask(identity: str) -> str:
    """Hide the middle of an identity, for logs: `msisdn:861****5678`."""
    kind, colon, value = identity.rpartition(":")
    if len(value) <= 6:
        return f"{kind}{colon}{value[:1]}****"
    return f"{kind}{colon}{value[:3]}****{value[-4:] if len(value) > 8 else value[-2:]}"
