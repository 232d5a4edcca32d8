"""The small types of the catalogue files: money, quantities, moments, and the conditions that rules share.

All scalars of a file are read as text (so `price: 0.2` is never a binary fraction) and converted by msgspec afterwards;
see `charging.catalogue.document.from_plain`.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from charging.base import names
from charging.base.bounds import ATTRIBUTE_CHARS_MAX
from charging.base.unit_key import NUMBER_MAX


def whole(pattern: str) -> str:
    """Give a pattern that all of a text must fit, in the words that Python and editors (ECMA 262) share.

    To Python alone `$` also stands before a last end of the line.
    """
    return rf"^(?:{pattern})$(?!\n)"


Id = Annotated[str, Meta(pattern=whole(names.ENTRY), description="A name of letters, digits, '.', '_' and '-'")]
ServiceId = Annotated[
    str,
    Meta(
        pattern=whole(names.SERVICE),
        description="A service code as requests name it: small letters, digits, '_' and '-', 1 to 32, a letter first",
    ),
]
DomainCode = Annotated[
    str, Meta(pattern=whole(f"({names.CODE})?"), description="The code of a domain; nothing for the national catalogue")
]
Place = Annotated[
    str,
    Meta(
        pattern=whole(rf"{names.CODE}\*?|\*"),
        description="The code of a domain (GD) or of a network abroad (HK-CSL, 45400), or how such begin: HK*, 454*",
    ),
]
LABEL_PATTERN = whole(f"[^{names.CONTROL}]{{0,100}}")
Label = Annotated[
    str,
    Meta(
        pattern=LABEL_PATTERN,
        description="Words for people, at most 100 characters, on one line",
    ),
]
LANGUAGES = ("en", "zh")
"""In which names may be written."""
Named = str | dict[str, Label]
"""What something is called: one text for everybody, or one for each language.

No `Label` beside the dict: msgspec frees the pattern of a text twice that stands in a union with a dict (0.22).
`charging.checks.values` holds the text to it, and the languages.
"""
Word = Annotated[
    str,
    Meta(
        pattern=whole(f"[^{names.CONTROL}]{{1,{ATTRIBUTE_CHARS_MAX}}}"),
        description=f"The value of an attribute, 1 to {ATTRIBUTE_CHARS_MAX} characters",
    ),
]
Money = Annotated[
    str,
    Meta(pattern=whole(r"[0-9]{1,9}(\.[0-9]{1,12})?"), description="Decimal text in whole units of the currency: 0.15"),
]
Percent = Annotated[str, Meta(pattern=whole(r"(100|[0-9]{1,2}(\.[0-9]{1,6})?)"), description="0 to 100, decimal text")]
Quantity = Annotated[
    str,
    Meta(
        pattern=whole(r"[0-9]{1,18}(\.[0-9]{1,6})?( ?(s|min|h|d|B|KB|MB|GB|TB|events?))?"),
        description="A number of base units (seconds, bytes, events), or with a unit: 1 min, 1.5 GB (1 KB = 1024 B)",
    ),
]
Divisor = Annotated[
    str,
    Meta(
        pattern=whole(r"[0-9]{1,18}(\.[0-9]{1,6})?( ?(s|min|h|d|B|KB|MB|GB|TB|events?))?"),
        description="What a price is for, a part of a base unit too: 60, 1.5 s, 0.1 MB",
    ),
]
Reached = Annotated[
    str,
    Meta(
        pattern=whole(r"[0-9]{1,18}(\.[0-9]{1,6})?( ?(s|min|h|d|B|KB|MB|GB|TB|events?))?"),
        description="What an accumulator has counted: a quantity (10 h), or money in whole units of the currency: 99.5",
    ),
]
Moment = Annotated[
    str,
    Meta(
        pattern=whole(r"([0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?)?)?"),
        description="2026-01-01, 2026-01-01T08:00 (time of the region's zone) or with an offset; empty = open",
    ),
]
ClockTime = Annotated[
    str,
    Meta(
        pattern=whole(r"([01][0-9]|2[0-4]):[0-5][0-9](:[0-5][0-9])?"),
        description="A time of the day: 08:30 or 08:30:15",
    ),
]
Day = Annotated[str, Meta(pattern=whole(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), description="A date: 2026-10-01")]
Prefix = Annotated[
    str,
    Meta(
        pattern=whole(r"(\*|[0-9?]{1,20}[$*]?)"),
        description="The beginning of a number: 8620, 86138????8888$ (? is a digit, $ the end), * for every number",
    ),
]
Number = Annotated[int, Meta(ge=0, le=NUMBER_MAX, description="A number of the network, 0 to 4294967295")]
Address = Annotated[
    str,
    Meta(
        pattern=r"^([!-~]{1,200})?$",
        description="An address that the network understands: a URL, SIP URI or IP address",
    ),
]
FilterName = Annotated[str, Meta(pattern=r"^[!-~]{1,64}$", description="A filter by the name that the network knows")]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Unit = Literal["second", "byte", "event"]
Period = Literal["call", "day", "week", "month", "cycle", "year", "life"]
"""Over what something is counted: one call (one usage), a calendar day, week (from Monday), month or year of the
region's zone, the account's bill cycle, or for ever. A usage counts for the period in which it starts."""

Level = Literal["", "S", "I", "A", "C"]


class Rounding(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Applied once a charge, at its end."""

    mode: Literal["half_up", "half_even", "half_down", "up", "down"] = "half_up"
    """Amounts are never negative, so "up" is away from zero and "down" cuts off."""
    places: Annotated[int, Meta(ge=0, le=6)] = 6
    """Decimal places of the currency's whole unit."""


class When(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Conditions on a usage. All named ones must hold; of the values of one, any."""

    services: tuple[Id, ...] = ()
    """Not for prices: a tariff has one service."""
    destinations: tuple[Id, ...] = ()
    """The other party's number is of one of these destinations (longest prefix; see `Destination`)."""
    parties: tuple[Id, ...] = ()
    """The other party belongs to one of these groups: a `PartyGroup`, a group of the contract by the same name
    ("family"), or "account" (the members of the subscriber's own account)."""
    home: tuple[Id, ...] = ()
    """The subscriber's own domain lies in one of these zones."""
    visited: tuple[Id, ...] = ()
    """Where the subscriber was lies in one of these zones. "home" = in the own domain, "away" = anywhere else."""
    bands: tuple[Id, ...] = ()
    """Allowances: which seconds of a call they cover. Else: the usage starts in one. A price whose rates change at a
    band has `bands` of its own."""
    attributes: dict[str, tuple[Word, ...]] = {}
    """Attributes of the usage, such as direction or network."""


class FinalUnit(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What becomes of a user who has used up the last quota that the account pays for (Final-Unit-Indication, RFC 8506,
    8.34)."""

    action: Literal["terminate", "redirect", "restrict"] = "terminate"
    """The service ends, all that is asked leads to one page, or little else can be reached. An attribute `final_action`
    of the contract goes before it."""
    redirect: Address = ""
    """Of the page: where to top up."""
    filters: tuple[FilterName, ...] = ()
    """What can still be reached, by names that the network knows (Filter-Id)."""


class Quota(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the quota of sessions is managed (TS 32.299, 6.5; RFC 8506, 5). What is left out is the house's, or none."""

    usual: Quantity = "0"
    """What is asked for when a gateway doesn't say how much."""
    threshold: Quantity = "0"
    """A gateway asks for more once no more than this is left (Volume-Quota-Threshold and its like)."""
    holding: Quantity = "0"
    """Quota that nothing was used of for so long, seconds, is given back (Quota-Holding-Time)."""
    validity: Quantity = "0"
    """Quota is good for so long at most, seconds (Validity-Time)."""
    final: FinalUnit = FinalUnit()


class Service(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What can be used: voice, sms, data."""

    id: ServiceId
    unit: Unit
    """Base unit. Services in seconds take time: bands and calls are split at the second."""
    name: Named = ""
    item: Id = ""
    """Account item its charges are booked under (level I of the discounts); empty = the service id."""
    quantity_max: Quantity = "0"
    """More than this in one usage is refused as absurd; nothing = 31 days of seconds, 1 PB, a million events."""
    session_time: Literal["start", "report", ""] = ""
    """Which moment a session's use counts for: its begin, or its report. Nothing = report for bytes, else start."""
    quota: Quota = Quota()
    """Of sessions that name the service, or a rating group of it without a quota of its own."""


class RatingGroup(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the numbers stand for by which a network keys the units of its sessions and events (Rating-Group and
    Service-Identifier, RFC 8506, 8.29 and 8.28): a service of ours, and attributes that its prices may ask for."""

    id: Id
    service: Id
    """The service that it charges."""
    name: Label = ""
    group: Number | None = None
    """Nothing = the identifiers alone, without a group."""
    identifiers: tuple[Number, ...] = ()
    """Of the group; none = all that no other entry names, and the group alone."""
    attributes: dict[str, Word] = {}
    """Of all usage of it. They count also where a gateway says otherwise."""
    controlled: bool = True
    """False: it is served without quota and never charged, and a gateway is told so (result code 4011)."""
    quota: Quota | None = None
    """None = that of the service."""


class Calendar(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Named days, such as the holidays of a year."""

    id: Id
    days: tuple[Day, ...]
    """By the calendar of the region."""
    name: Named = ""


class Band(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A time band by the clock of the region: weekdays, hours, calendars. `to` before `from` runs over midnight: the
    part after midnight still counts by the day it falls on."""

    id: Id
    name: Named = ""
    weekdays: tuple[Weekday, ...] = ()
    """Empty = every day."""
    start: ClockTime = field(default="00:00", name="from")
    """Inclusive."""
    end: ClockTime = field(default="24:00", name="to")
    """Exclusive."""
    calendars: tuple[Id, ...] = ()
    """Only on days of one of these."""
    except_calendars: tuple[Id, ...] = ()
    """Never on days of these."""


class Destination(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a number leads. Prefixes are digits of E.164 without +; "?" stands for one digit, "$" at the end for the
    end of the number, "*" alone for every number.

    Among the destinations that a tariff (an allowance, a discount) names, a number has the one with the longest
    matching prefix: more digits win, then the longer pattern, then the one named first.
    """

    id: Id
    prefixes: tuple[Prefix, ...]
    """Beginnings of numbers that lead there."""
    name: Named = ""


class Zone(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Places: domain codes ("GD") and networks abroad ("HK-CSL"); a trailing "*" matches what begins so."""

    id: Id
    places: tuple[Place, ...]
    """Codes, or how they begin."""
    name: Named = ""


class PartyGroup(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Called-party group known to the operator, by prefixes as in `Destination` (on-net, service numbers). The contract
    may add numbers to the group of the same name."""

    id: Id
    prefixes: tuple[Prefix, ...] = ()
    """Beginnings of the group's numbers."""
    name: Named = ""
