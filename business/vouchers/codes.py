"""Codes of vouchers: how they are spelt, where their sheet is, and what is kept of them.

    GD-0G15M-2K7QX-W0F4T-9RS3H     region, then slot, batch, sheet, twelve secret characters and a check

All but the region is in Crockford's alphabet of 32, in which no letter looks like a digit; how it is grouped, and small
letters, make no difference. The check finds every wrong character and nearly every exchange of two neighbours, so a
slip costs no attempt. The secret has 60 bits: whoever guesses is locked out long before.

Kept is a keyed hash of it all; the key is the platforms', and no store has it. The secret itself is made of the key and
of what was drawn for the batch, so that codes are told once without being kept anywhere: neither key nor store alone
gives a code.
"""

import re
from collections.abc import Sequence
from hashlib import blake2b
from itertools import pairwise
from zlib import crc32

from msgspec import Struct

from charging.base.subject import compose
from charging.errors import Invalid, Refused

SHEETS = "vouchers"
"""Kind of a sheet."""
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SLOT_CHARS, BATCH_CHARS, SHEET_CHARS, SECRET_CHARS = 2, 3, 2, 12
SLOTS_MAX = 32**SLOT_CHARS
CODE_CHARS = SLOT_CHARS + BATCH_CHARS + SHEET_CHARS + SECRET_CHARS + 1
SECRET_BYTES = 8
HASH_BYTES = 16
KEYS_MAX = 4
"""Of a platform: the newest, and some before it whose vouchers are still about."""
KEY_BYTES_MIN, KEY_BYTES_MAX = 32, 64
_VALUES = {letter: value for value, letter in enumerate(ALPHABET)} | {"O": 0, "I": 1, "L": 1}
_TYPED = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._]{0,31})[\s-]+([A-Za-z0-9\s-]+)")
_WANTED = "a code as it was printed, such as GD-0G15M-2K7QX-W0F4T-9RS3H"
_SERIAL = re.compile(r"([A-Za-z0-9][A-Za-z0-9._]{0,31})/(\d{1,4}):(\d{1,5})\.(\d{1,4})\.(\d{1,3})")


class Place(Struct, frozen=True, gc=False):
    """Where a sheet of vouchers is."""

    slot: str
    """"GD/17"."""
    batch: int
    sheet: int

    @property
    def subject_id(self) -> str:
        """Of the sheet."""
        return compose(SHEETS, self.slot, f"{self.batch}.{self.sheet}")

    def serial(self, number: int) -> str:
        """Name a voucher of the sheet, for whoever must not know its code."""
        return f"{self.slot}:{self.batch}.{self.sheet}.{number}"


class Code(Struct, frozen=True, gc=False):
    """A code as it was read: its place, and its one spelling."""

    place: Place
    plain: str

    @property
    def domain(self) -> str:
        """Region that has it."""
        return self.place.slot.partition("/")[0]


class VoucherKeys:
    """The secret keys of a platform, newest first."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Without any, no voucher is served."""
        self._keys = tuple(keys)

    def __bool__(self) -> bool:
        """Say whether there is any."""
        return bool(self._keys)

    @property
    def mark(self) -> str:
        """Name the newest key without telling it. Refused VOUCHERS_NOT_SERVED without any."""
        self.check()
        return _mark(self._keys[0])

    def check(self) -> None:
        """Refuse VOUCHERS_NOT_SERVED without any key."""
        if not self._keys:
            raise Refused("VOUCHERS_NOT_SERVED", "this platform has no key for vouchers: an operator sets voucher_keys")

    def hashes(self, plain: str) -> tuple[bytes, ...]:
        """Give what may be kept of a code, by each key; `plain` is its one spelling."""
        self.check()
        return tuple(hash_of(key, plain) for key in self._keys)

    def spell(self, mark: str, drawn: bytes, place: Place, number: int) -> tuple[str, bytes]:
        """Give the code of a voucher and its hash, by the key of this mark. Refused VOUCHER_KEY_LOST without it."""
        key = next((key for key in self._keys if _mark(key) == mark), None)
        if key is None:
            raise Refused("VOUCHER_KEY_LOST", f"the platform has no key {mark}, by which these codes were made")
        seed = b"%s %d %s" % (place.subject_id.encode(), number, drawn)
        secret = int.from_bytes(blake2b(seed, key=key, digest_size=SECRET_BYTES, person=b"secret").digest()) >> 4
        text = spell(place, secret)
        return text, hash_of(key, read_code(text).plain)


def spell(place: Place, secret: int) -> str:
    """Spell a code, in groups of five."""
    domain, _, slot = place.slot.partition("/")
    digits = (
        _spelt(int(slot), SLOT_CHARS)
        + _spelt(place.batch, BATCH_CHARS)
        + _spelt(place.sheet, SHEET_CHARS)
        + _spelt(secret, SECRET_CHARS)
    )
    whole = digits + ALPHABET[_check(domain, digits)]
    return "-".join((domain, *[whole[at : at + 5] for at in range(0, CODE_CHARS, 5)]))


def read_code(text: str) -> Code:
    """Read a code as people type it. Raises `Invalid` VOUCHER_MALFORMED for what is none, or has a slip in it."""
    match = _TYPED.fullmatch(text)
    if match is None:
        raise malformed_code()
    domain = match[1].upper()
    typed = re.sub(r"[\s-]", "", match[2]).upper()
    if len(typed) != CODE_CHARS or any(letter not in _VALUES for letter in typed):
        raise malformed_code()
    digits = "".join(ALPHABET[_VALUES[letter]] for letter in typed)
    if _VALUES[digits[-1]] != _check(domain, digits[:-1]):
        raise malformed_code()
    borders = (0, SLOT_CHARS, SLOT_CHARS + BATCH_CHARS, SLOT_CHARS + BATCH_CHARS + SHEET_CHARS)
    slot, batch, sheet = (_number(digits[at:to]) for at, to in pairwise(borders))
    return Code(Place(f"{domain}/{slot}", batch, sheet), f"{domain}-{digits}")


def read_sheet(subject_id: str) -> Place:
    """Give the place of a sheet from its id."""
    _, slot, local = subject_id.split(":")
    batch, _, sheet = local.partition(".")
    return Place(slot, int(batch), int(sheet))


def read_serial(text: str) -> tuple[Place, int]:
    """Read the name of a voucher, "GD/0:5.12.3". Raises `Invalid` VOUCHERS_MALFORMED."""
    match = _SERIAL.fullmatch(text)
    if match is None:
        wanted = "a serial such as GD/0:5.12.3"
        raise Invalid("VOUCHERS_MALFORMED", f"{text[:64]!r} is no serial", fields={"serial": wanted})
    return Place(f"{match[1]}/{match[2]}", int(match[3]), int(match[4])), int(match[5])


def hash_of(key: bytes, plain: str) -> bytes:
    """Give what is kept of a code; `plain` is its one spelling."""
    return blake2b(plain.encode(), key=key, digest_size=HASH_BYTES, person=b"voucher").digest()


def _mark(key: bytes) -> str:
    return blake2b(b"", key=key, digest_size=4, person=b"mark").hexdigest()


def _spelt(number: int, chars: int) -> str:
    return "".join(ALPHABET[(number >> (5 * at)) & 31] for at in reversed(range(chars)))


def _number(digits: str) -> int:
    number = 0
    for letter in digits:
        number = number * 32 + _VALUES[letter]
    return number


def _check(domain: str, digits: str) -> int:
    """Luhn's check for an alphabet of 32, begun with the region."""
    total = crc32(domain.encode()) % 32
    for at, letter in enumerate(reversed(digits)):
        doubled = _VALUES[letter] * (2 if at % 2 == 0 else 1)
        total += doubled // 32 + doubled % 32
    return -total % 32


def malformed_code() -> Invalid:
    """Make the fault of a text that is no code of a voucher."""
    text = f"this is no code of a voucher: give {_WANTED}"
    return Invalid("VOUCHER_MALFORMED", text, fields={"redeem_voucher.code": _WANTED})
