"""What a caller may write into a field of a command, said once, beside the field:

    amount: Annotated[int, Amount("TOP_UP_NOT_POSITIVE", beside="unit")]
    reason: Reason

Types that several commands have stand in `charging.base.fields`, what is made of them in `charging.base.asked`. They
say what needs no account to be known; whether the account allows it is the ledger's to decide. The owner reads the same
fields by the same types again, for it trusts no platform; where it has a word of its own for it, it says so there.
"""

import re
from collections.abc import Mapping, Sequence, Sized

from msgspec import Struct

from charging.base.bounds import AMOUNT_MAX, ID_CHARS_MAX, MOMENT_MS_MAX, TEXT_CHARS_MAX, UNITS_MAX
from charging.base.names import is_plain
from charging.errors import Invalid

MICRO_UNITS = "micro-units"
PLAIN = "one line of text, without control characters"
LIST_ENTRIES_MAX = 256
ATTRIBUTES_MAX = 64


# `wanted` is what a caller is told; `required` says that a call names the field always, in front of the others; `unit`
# is what a number counts, "" where it says nothing.


class Text(Struct, frozen=True):
    """What is only kept and shown, or looked up at the account."""

    empty: str = ""
    """What stands for a text that is not given."""
    required = False
    unit = ""

    @property
    def wanted(self) -> str:
        """What a caller is told."""
        return f"at most {TEXT_CHARS_MAX} characters"

    def read(self, given: str, path: str) -> str:
        """Give what is meant. Raises `Invalid` TEXT_TOO_LONG, TEXT_MALFORMED."""
        if len(given) > TEXT_CHARS_MAX:
            raise refusal("TEXT_TOO_LONG", path, self.wanted)
        if not is_plain(given):
            raise refusal("TEXT_MALFORMED", path, PLAIN)
        return given or self.empty


class Name(Struct, frozen=True):
    """What something is called: it can become the key of what is remembered."""

    required: bool = True
    """False: it may be left empty, too."""
    unit = ""

    @property
    def wanted(self) -> str:
        """What a caller is told."""
        return f"{1 if self.required else 0} to {ID_CHARS_MAX} characters"

    def read(self, given: str, path: str) -> str:
        """Give it as it is. Raises `Invalid` NAME_MALFORMED."""
        if given or self.required:
            check_name(given, path)
        return given


class Choice(Struct, frozen=True):
    """One of a few words. `reason` is that of another word's refusal."""

    reason: str
    words: tuple[str, ...]
    empty: str = ""
    """The word that stands for none; "" = one must be given."""
    unit = ""

    @property
    def required(self) -> bool:
        """Say whether a word must be given."""
        return not self.empty

    @property
    def wanted(self) -> str:
        """What a caller is told."""
        return " or ".join((", ".join(self.words[:-1]), self.words[-1]))

    def read(self, given: str, path: str) -> str:
        """Give the word that is meant. Raises `Invalid` for any other."""
        word = given or self.empty
        if word not in self.words:
            raise refusal(self.reason, path, self.wanted)
        return word


class Spelt(Struct, frozen=True):
    """A text that a pattern spells, or none. `reason` is that of any other's refusal."""

    reason: str
    pattern: str
    wanted: str
    """What a caller is told."""
    required = False
    unit = ""

    def read(self, given: str, path: str) -> str:
        """Give it as it is. Raises `Invalid` when it is spelt otherwise."""
        if given and re.fullmatch(self.pattern, given) is None:
            raise refusal(self.reason, path, self.wanted)
        return given


class Whole(Struct, frozen=True):
    """A whole number between two bounds, both of them allowed. `reason` is that of any other's refusal."""

    least: int
    most: int
    reason: str = "AMOUNT_OUT_OF_RANGE"
    unit: str = ""
    beside: str = ""
    """As of `Amount`."""
    empty: int = 0
    """What stands for a number that is not given."""
    required: bool = False

    @property
    def wanted(self) -> str:
        """What a caller is told."""
        return f"{self.least} to {self.most}"

    def read(self, given: int, path: str) -> int:
        """Give the number that is meant. Raises `Invalid` when it is out of bounds."""
        number = given or self.empty
        self.check(number, path)
        return number

    def check(self, number: int, path: str) -> None:
        """Raise `Invalid` when a number, none that is left to be filled in, is out of bounds."""
        if not self.least <= number <= self.most:
            raise refusal(self.reason, path, self.wanted)


class Amount(Struct, frozen=True):
    """More than nothing, of money or of what a book counts. `reason` is that of the refusal of nothing, or less."""

    reason: str
    beside: str = ""
    """The field that tells what is counted (a unit, a book, what a mark watches); "" = it is always money."""
    required = True
    unit = MICRO_UNITS

    @property
    def wanted(self) -> str:
        """What a caller is told."""
        return f"more than zero, at most {AMOUNT_MAX}"

    def read(self, given: int, path: str) -> int:
        """Give it as it is. Raises `Invalid`."""
        if given <= 0:
            raise refusal(self.reason, path, "more than zero")
        if given > AMOUNT_MAX:
            raise refusal("AMOUNT_OUT_OF_RANGE", path, f"1 to {AMOUNT_MAX}")
        return given


class Difference(Struct, frozen=True):
    """A difference, up or down. `reason` is that of the refusal of none."""

    reason: str
    beside: str = ""
    """As of `Amount`."""
    """Reason of the refusal of more than `AMOUNT_MAX` either way."""
    required = True
    unit = MICRO_UNITS

    @property
    def wanted(self) -> str:
        """What a caller is told."""
        return f"not zero, {-AMOUNT_MAX} to {AMOUNT_MAX}"

    def read(self, given: int, path: str) -> int:
        """Give it as it is. Raises `Invalid`."""
        if given == 0:
            raise refusal(self.reason, path, "not zero")
        if abs(given) > AMOUNT_MAX:
            raise refusal("AMOUNT_OUT_OF_RANGE", path, f"{-AMOUNT_MAX} to {AMOUNT_MAX}")
        return given


CALENDAR = "before the year 9999"


class Moment(Struct, frozen=True):
    """A border of a time of validity; see `check_validity`."""

    wanted: str = "0, or a time after 1970"
    required = False
    unit = "UTC, milliseconds"

    def read(self, given: int, path: str) -> int:
        """Give it as it is. Raises `Invalid` VALIDITY_OVER for a time that the calendar does not have."""
        if not 0 <= given <= MOMENT_MS_MAX:
            raise refusal("VALIDITY_OVER", path, f"{self.wanted}, {CALENDAR}" if given > 0 else self.wanted)
        return given


class Flag(Struct, frozen=True):
    """Yes or no."""

    wanted = "yes or no"
    required = False
    unit = ""

    def read(self, given: bool, _path: str) -> bool:
        """Give it as it is."""
        return given


class Identity(Struct, frozen=True):
    """A subscriber or an account as people write them; `checked` normalises it, as it knows the country."""

    required: bool = True
    """False: it may be left empty, too."""
    wanted = "an identity, such as msisdn:8613012345678, or a number as people write it"
    unit = ""

    def read(self, given: str, _path: str) -> str:
        """Give it as it is."""
        return given


class Names(Struct, frozen=True):
    """A list of names."""

    required = False
    unit = ""

    @property
    def wanted(self) -> str:
        """What a caller is told."""
        return f"at most {LIST_ENTRIES_MAX}, of 1 to {ID_CHARS_MAX} characters each"

    def read(self, given: Sequence[str], path: str) -> tuple[str, ...]:
        """Give them in their order. Raises `Invalid` LIST_TOO_LONG, NAME_MALFORMED."""
        check_length(given, path)
        for each in given:
            check_name(each, path)
        return tuple(given)


class Attributes(Struct, frozen=True):
    """Facts by name, which rules of the catalogue may ask for."""

    required = False
    unit = ""

    @property
    def wanted(self) -> str:
        """What a caller is told."""
        return f"at most {ATTRIBUTES_MAX}, names of 1 to {ID_CHARS_MAX}, values of at most {TEXT_CHARS_MAX} characters"

    def read(self, given: Mapping[str, str], path: str) -> dict[str, str]:
        """Give them by name. Raises `Invalid` LIST_TOO_LONG, NAME_MALFORMED, TEXT_TOO_LONG, TEXT_MALFORMED."""
        if not given:
            return {}
        if len(given) > ATTRIBUTES_MAX:
            raise refusal("LIST_TOO_LONG", path, f"at most {ATTRIBUTES_MAX}")
        # The order of a protobuf map is anyone's; the digest needs one.
        return {check_name(name, path): TEXT.read(given[name], path) for name in sorted(given)}


FieldType = Text | Name | Choice | Spelt | Whole | Amount | Difference | Moment | Flag | Identity | Names | Attributes


TEXT = Text()
NAME = Name()
ATTRIBUTES = Attributes()
NAMES = Names()


def refusal(reason: str, path: str, wanted: str) -> Invalid:
    """Make the fault of one field that is not as wanted."""
    return Invalid(reason, f"{path} must be {wanted}", fields={path: wanted})


def check_name(given: str, path: str) -> str:
    """Give a name as it is. Raises `Invalid` NAME_MALFORMED."""
    if not given or len(given) > ID_CHARS_MAX or not given.isprintable():
        raise refusal("NAME_MALFORMED", path, NAME.wanted)
    return given


def check_validity(
    valid_from_ms: int, valid_to_ms: int, path: str, begins: str = "valid_from_ms", ends: str = "valid_to_ms"
) -> None:
    """Refuse a time that ends before it begins; the fields' names are told. Raises `Invalid` VALIDITY_OVER."""
    if valid_from_ms < 0:
        raise refusal("VALIDITY_OVER", f"{path}.{begins}", "0, or a time after 1970")
    if valid_to_ms and valid_to_ms <= valid_from_ms:
        raise refusal("VALIDITY_OVER", f"{path}.{ends}", f"0, or a time after {begins}")
    for name, given in ((begins, valid_from_ms), (ends, valid_to_ms)):
        if given > MOMENT_MS_MAX:
            raise refusal("VALIDITY_OVER", f"{path}.{name}", f"0, or a time {CALENDAR}")


def check_length(given: Sized, path: str) -> None:
    """Refuse a list that is too long. Raises `Invalid` LIST_TOO_LONG."""
    if len(given) > LIST_ENTRIES_MAX:
        raise refusal("LIST_TOO_LONG", path, f"at most {LIST_ENTRIES_MAX}")


def check_first_book(amount: int, reserved: int, path: str) -> None:
    """Refuse a book that an account can't begin with. Raises `Invalid` BOOKS_MALFORMED."""
    if not 0 <= amount <= AMOUNT_MAX:
        raise refusal("BOOKS_MALFORMED", f"{path}.amount", f"0 to {AMOUNT_MAX}")
    if reserved:
        raise refusal("BOOKS_MALFORMED", f"{path}.reserved", "0: sessions reserve, nobody else")


def check_units(keys: Sequence[str], path: str, reason: str) -> None:
    """Refuse a step of a session that names a unit twice, or too many. Raises `Invalid` with this reason."""
    if len(keys) > UNITS_MAX or len(set(keys)) != len(keys):
        raise refusal(reason, path, f"given for each unit once, at most {UNITS_MAX}")
