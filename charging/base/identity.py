"""Identities: who is served. Normalised once, at the edge, to `kind:value` (seed 004: one person, many identities).

Three spellings of a telephone number can be read for certain: `kind:digits`, which is E.164 without "+" and is never
taken for anything else; an international one, with "+" or the exit code of the country that reads it; and a national
one of that country. Which country that is, is configuration, passed in; without one only E.164 is read. Every digit
must be accounted for: what would have to be left out to make a number of it (a carrier's dial prefix, a trunk zero
behind the country code) is refused, since the rest may be somebody else's number.

Fullwidth characters, as Chinese keyboards make them, stand for their plain ones; digits of other scripts are malformed,
since an identity has one spelling.
"""

import re
from functools import lru_cache

from phonenumbers import (
    SUPPORTED_REGIONS,
    NumberParseException,
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
    country_code_for_region,
    format_number,
    is_possible_number_with_reason,
    is_valid_number,
    number_type,
    parse,
)

from charging.base import account_id
from charging.base.bounds import IDENTITY_CHARS_MAX
from charging.errors import Invalid

KINDS = ("msisdn", "fixed", "broadband", "tv", "card")

_NAME = re.compile(r"(?:broadband|tv|card):[a-z0-9][a-z0-9._@-]{0,63}")
_NAMED = re.compile(rf"\b(?:{'|'.join(KINDS)}):[A-Za-z0-9._@+*-]+")
_TELEPHONE = re.compile(r"[+0-9 ()/.-]+")
_FILLERS = re.compile(r"[ ()/.-]+")
_E164 = re.compile(r"[1-9][0-9]{6,14}")
_PLAIN = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xA0: 0x20}
"""Fullwidth forms and spaces of typesetting → the characters they stand for."""
_MOBILES: dict[str, tuple[re.Pattern[str], str]] = {}
"""By country: its mobile numbers in the spellings of every day, and what their one spelling begins with."""


class _Unreadable(Exception):
    """A text is no identity, or can't be read for certain."""

    def __init__(self, wanted: str) -> None:
        super().__init__(wanted)
        self.wanted = wanted


def normalise(raw: str, country: str = "") -> str:
    """Give the one spelling of an identity; national spellings are read as those of a country (ISO 3166: "CN").

    Raises `Invalid` with reason IDENTITY_MALFORMED when it is none, or can't be read for certain.
    """
    spelling, wanted = read(raw, country)
    if wanted:
        raise _malformed(raw, wanted)
    return spelling


def read(raw: str, country: str) -> tuple[str, str]:
    """Give the one spelling of an identity, or else, behind it, what was expected."""
    fast = _MOBILES.get(country)
    if fast is None:
        fast = _MOBILES[country] = _mobiles(country)
    match = fast[0].fullmatch(raw)
    if match is not None:
        return fast[1] + match[1], ""
    if len(raw) > IDENTITY_CHARS_MAX:
        return "", f"at most {IDENTITY_CHARS_MAX} characters"
    if raw.startswith(account_id.KIND):
        return account_id.read(raw)
    return _slow(raw, country)


def everyday_mobiles(country: str) -> tuple[str, str]:
    """Give what mobile numbers of a country look like at home, as a pattern of the whole text, and what stands before
    them in the one spelling; "" = that can't be said. Raises `Invalid` COUNTRY_UNKNOWN.
    """
    pattern, prefix = _mobiles(country)
    return pattern.pattern.partition(")?(")[2].removesuffix(")"), prefix


def is_country(code: str) -> bool:
    """Say whether national spellings of a country can be read."""
    return code in SUPPORTED_REGIONS


def plain(raw: str) -> str:
    """Give a text as it is meant: fullwidth characters made plain, nothing around it."""
    return raw.translate(_PLAIN).strip()


def _mobiles(country: str) -> tuple[re.Pattern[str], str]:
    """Make the quick look at what nearly every event carries: mobile numbers of the country, from its number plan."""
    if not country:
        return re.compile(r"(?!)"), ""
    if not is_country(country):
        raise Invalid("COUNTRY_UNKNOWN", f"{country[:8]!r} is no country whose numbers can be read: write CN, DE, US")
    code, plan = country_code_for_region(country), PhoneMetadata.metadata_for_region(country)
    pattern = plan.mobile.national_number_pattern if plan is not None and plan.mobile is not None else ""
    fixed = plan.fixed_line.national_number_pattern if plan is not None and plan.fixed_line is not None else ""
    if not pattern or pattern == fixed:
        # Where a number doesn't say what it is (North America), the long way decides.
        return re.compile(r"(?!)"), ""
    return re.compile(rf"(?:msisdn:{code}|\+{code})?({pattern})", re.ASCII), f"msisdn:{code}"


@lru_cache(maxsize=65_536)
def _slow(raw: str, country: str) -> tuple[str, str]:
    try:
        return _spelling(plain(raw), country), ""
    except _Unreadable as fault:
        return "", fault.wanted


def _spelling(text: str, country: str) -> str:
    kind, colon, value = text.partition(":")
    kind, value = (kind.lower(), value.strip()) if colon else ("", text)
    if kind in ("broadband", "tv", "card"):
        name = f"{kind}:{value.lower()}"
        if not value.isascii() or _NAME.fullmatch(name) is None:
            raise _Unreadable("letters, digits and . _ @ - only, at most 64 characters")
        return name
    if colon and kind not in ("msisdn", "fixed"):
        raise _Unreadable(f"one of {', '.join(KINDS)} before the colon")
    # `phonenumbers` skips letters it doesn't know: one slip of the pen would charge somebody else.
    if not _TELEPHONE.fullmatch(value):
        raise _Unreadable("digits, with + ( ) / . - and spaces between them")
    number = _FILLERS.sub("", value)
    if kind or number.startswith("+"):
        return _international(kind, number.removeprefix("+"))
    return _international("", _national(number, country))


def _international(kind: str, digits: str) -> str:
    """Check the digits of E.164, and say what kind of number they are where the spelling doesn't."""
    number = _parsed("+" + digits, "") if _E164.fullmatch(digits) else None
    if number is None or is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        raise _Unreadable("a telephone number of a possible length, in E.164 or the country's own form")
    if format_number(number, PhoneNumberFormat.E164) != "+" + digits:
        raise _Unreadable("the country code and the number behind it, with nothing between them")
    found = number_type(number)
    if kind == "fixed" and found == PhoneNumberType.MOBILE:
        raise _Unreadable("msisdn: before a mobile number")
    if not kind:
        kind = "fixed" if found == PhoneNumberType.FIXED_LINE else "msisdn"
    return f"{kind}:{digits}"


def _national(digits: str, country: str) -> str:
    """Give the E.164 digits of a number as it is written in the country, or dialled there to another one."""
    if not country:
        raise _Unreadable("a telephone number with + and its country code")
    number = _parsed(digits, country)
    if number is None or number.preferred_domestic_carrier_code:
        raise _Unreadable("a telephone number without a dial prefix")
    whole = format_number(number, PhoneNumberFormat.E164)[1:]
    plan = PhoneMetadata.metadata_for_region(country)
    own = str(country_code_for_region(country))
    if whole.startswith(own) and is_valid_number(number):
        trunk = (plan.national_prefix or "") if plan is not None else ""
        if digits in (whole, whole[len(own) :], trunk + whole[len(own) :]):
            return whole
    exit_code = digits[: -len(whole)]
    abroad = re.compile(plan.international_prefix or "(?!)") if plan is not None else re.compile("(?!)")
    if digits.endswith(whole) and abroad.fullmatch(exit_code):
        return whole
    elsewhere = _parsed("+" + digits, "")
    if elsewhere is not None and is_valid_number(elsewhere):
        # No number of the country, and E.164 as it stands.
        return digits
    raise _Unreadable(f"a telephone number of {country}, or + and the country code before it")


def _parsed(text: str, country: str) -> PhoneNumber | None:
    try:
        return parse(text, country or None, keep_raw_input=True)
    except NumberParseException:
        return None


def dialled(text: str, country: str) -> str:
    """Give the digits of a number of the country that was dialled behind a carrier's prefix; "" when it was not so."""
    digits = _FILLERS.sub("", text)
    plan = PhoneMetadata.metadata_for_region(country) if country else None
    if plan is None or plan.national_prefix_transform_rule or not plan.national_prefix_for_parsing:
        return ""
    found = re.match(plan.national_prefix_for_parsing, digits)
    if found is None or not found.lastindex or not found[1]:
        return ""
    _, wanted = read(digits[found.end() :], country)
    return "" if wanted else digits


def _malformed(raw: str, wanted: str) -> Invalid:
    shown = mask(raw[:80])
    return Invalid(
        "IDENTITY_MALFORMED",
        f"identity {shown!r} is malformed: expected {wanted}",
        fields={"identity": wanted},
    )


def masked_text(text: str) -> str:
    """Hide the middle of each identity that a text names by its kind."""
    return _NAMED.sub(lambda found: found[0] if "*" in found[0] else mask(found[0]), text)


def mask(identity: str) -> str:
    """Hide the middle of an identity, for logs: `msisdn:861****5678`."""
    kind, colon, value = identity.rpartition(":")
    if len(value) <= 6:
        return f"{kind}{colon}{value[:1]}****"
    return f"{kind}{colon}{value[:3]}****{value[-4:] if len(value) > 8 else value[-2:]}"
