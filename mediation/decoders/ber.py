"""The basic encoding rules (ITU-T X.690), read by tables: what no table names is passed over by its length alone.

Nothing is trusted: every length is held to what contains it, nesting and tag numbers are bounded, so whatever bytes
come, reading ends after one look at each of them a level, and no byte outside is touched.
"""

from typing import Final, final

WHOLE: Final = 0
"""Kinds of values, each with what its text is: a signed whole number, also of an enumeration."""
TEXT: Final = 1
"""Characters as they stand, UTF-8."""
OCTETS: Final = 2
"""Hexadecimal digits."""
TBCD: Final = 3
"""Packed digits, the low half first; fillers at the end are no digits (TS 29.002, TBCD-STRING)."""
ADDRESS: Final = 4
"""An octet that says of what type the number is, then packed digits (TS 29.002, AddressString)."""
TIME: Final = 5
"""Nine octets, YYMMDDhhmmss, sign, hhmm (TS 32.298, TimeStamp): `20260105100000+0800`."""
FLAG: Final = 6
"""`true` or `false`."""
PRESENT: Final = 7
"""`true`: it is there, and has no content."""
NETWORK: Final = 8
"""Country and network of three octets, `46000` (TS 24.008, 10.5.1.13)."""
ADDRESS_IP: Final = 9
"""Four or sixteen octets, as people write such an address."""
BCD: Final = 10
"""Packed digits, the high half first; fillers at the end are no digits."""
GROUP: Final = 11
"""Fields of its own; or one choice of several, inside the tag."""
LIST: Final = 12
"""Elements with fields of their own."""
FIRST: Final = 13
"""The text of the first of its elements that has one."""

DEPTH_MAX: Final = 24
TAG_MAX: Final = 0xFFFF
_LENGTH_OCTETS_MAX: Final = 4
_WHOLE_OCTETS_MAX: Final = 9
_INTERNATIONAL: Final = 1
_TIME_OCTETS: Final = 9
_SWAPPED: Final = bytes((octet & 0x0F) << 4 | octet >> 4 for octet in range(256))
_DIGITS: Final = str.maketrans("abcde", "*#abc")


class BadBer(Exception):
    """Bytes are no elements, or not of the kind that their tag says."""

    def __init__(self, at: int, why: str) -> None:
        super().__init__(why)
        self.at = at
        self.why = why


@final
class BerField:
    """An element that a table names."""

    __slots__ = ("inner", "kind", "name")

    def __init__(self, name: str, kind: int, inner: "dict[int, BerField] | None" = None) -> None:
        self.name = name
        self.kind = kind
        self.inner: dict[int, BerField] = {} if inner is None else inner


BerTable = dict[int, BerField]
"""Fields by `tag_of`."""


@final
class BerItem:
    """What a record, or an element of a list in it, says."""

    __slots__ = ("at", "cells", "lists")

    def __init__(self, at: int) -> None:
        self.at = at
        """Byte at which it begins."""
        self.cells: dict[str, str] = {}
        self.lists: dict[str, list[BerItem]] = {}


def tag_of(tag_class: int, number: int) -> int:
    """Give what tables name an element by: its class (0 universal, 1 application, 2 context, 3 private) and number.

    For short tags, nearly all, it is the octet itself, whether the element is constructed or not.
    """
    if number < 0x1F:
        return tag_class << 6 | number
    return (tag_class << 6 | 0x1F) << (8 if number < 0x80 else 16) | number


def number_of(tag: int) -> int:
    """Give the number in what `tag_of` gave."""
    return tag & 0x1F if tag < 0x100 else tag & 0xFF if tag < 0x10000 else tag & TAG_MAX


def element(data: bytes, at: int, end: int) -> tuple[int, int, int, int]:
    """Read the head of an element: its tag, where its content begins and ends, and where the next begins.

    Raises `BadBer` when it is none, or reaches beyond `end`.
    """
    return _element(data, at, end, 0)


def read_fields(data: bytes, at: int, end: int, table: BerTable, item: BerItem, depth: int = 0) -> None:
    """Read the elements between two places into an item, as far as a table names them.

    Raises `BadBer` when there is anything else between them.
    """
    if depth > DEPTH_MAX:
        raise BadBer(at, f"elements are nested deeper than {DEPTH_MAX}")
    cells, begin = item.cells, at
    try:
        while at < end:
            first = data[at]
            size = data[at + 1]
            if size < 0x80 and first & 0x1F != 0x1F:
                # Nearly all: a tag and a length of one octet each.
                tag, start = first & 0xDF, at + 2
                stop = after = start + size
            elif size < 0x80 and data[at + 2] < 0x80:
                tag, start = (first & 0xDF) << 8 | size, at + 3
                stop = after = start + data[at + 2]
            else:
                tag, start, stop, after = _element(data, at, end, depth)
            field = table.get(tag)
            if field is not None:
                kind = field.kind
                if after > end:
                    break
                if kind >= GROUP:
                    _read_inner(data, start, stop, field, item, depth + 1)
                elif field.name not in cells:
                    cells[field.name] = text_of(kind, data, start, stop)
            at = after
    except IndexError:
        at = end + 1
    if at != end:
        # One reaches too far: step by step it is found which.
        while begin < end:
            begin = _element(data, begin, end, depth)[3]


def _read_inner(data: bytes, start: int, stop: int, field: BerField, item: BerItem, depth: int) -> None:
    if field.kind == GROUP:
        read_fields(data, start, stop, field.inner, item, depth)
    elif field.kind == LIST:
        _read_list(data, start, stop, field, item, depth)
    elif field.name not in item.cells:
        item.cells[field.name] = _first(data, start, stop, depth)


def text_of(kind: int, data: bytes, start: int, stop: int) -> str:
    """Give the text of a value. Raises `BadBer` when its bytes are none of its kind."""
    if kind == WHOLE:
        if not start < stop <= start + _WHOLE_OCTETS_MAX:
            raise BadBer(start, f"a whole number of {stop - start} octets")
        return str(int.from_bytes(data[start:stop], "big", signed=True))
    if kind == TBCD:
        digits = data[start:stop].translate(_SWAPPED).hex().rstrip("f")
        return digits if digits.isdecimal() else _odd(digits, start)
    if kind == ADDRESS:
        if stop <= start:
            raise BadBer(start, "an address without octets")
        digits = data[start + 1 : stop].translate(_SWAPPED).hex().rstrip("f")
        if not digits.isdecimal():
            digits = _odd(digits, start)
        return "+" + digits if data[start] >> 4 & 7 == _INTERNATIONAL and digits else digits
    if kind == TIME:
        return _time(data, start, stop)
    if kind == TEXT:
        try:
            return data[start:stop].decode("utf-8")
        except UnicodeDecodeError:
            raise BadBer(start, "characters that are no UTF-8") from None
    if kind == OCTETS:
        return data[start:stop].hex()
    return _rare(kind, data, start, stop)


def _rare(kind: int, data: bytes, start: int, stop: int) -> str:
    size = stop - start
    if kind == FLAG and size == 1:
        return "true" if data[start] else "false"
    if kind == PRESENT and size == 0:
        return "true"
    if kind == BCD:
        return _packed(data[start:stop].hex(), start)
    if kind == NETWORK and size == 3:
        halves = data[start:stop].translate(_SWAPPED).hex()
        return _packed(halves[:3] + halves[4:] + halves[3].replace("f", ""), start)
    if kind == ADDRESS_IP and size == 4:
        return ".".join([str(octet) for octet in data[start:stop]])
    if kind == ADDRESS_IP and size == 16:
        digits = data[start:stop].hex()
        return ":".join([digits[at : at + 4] for at in range(0, 32, 4)])
    raise BadBer(start, f"a value of {size} octets, which none of its kind has")


def _packed(digits: str, at: int) -> str:
    """Take the fillers off."""
    plain = digits.rstrip("f")
    return plain if plain.isdecimal() else _odd(plain, at)


def _odd(digits: str, at: int) -> str:
    """Give what is not all digits: `*`, `#` and letters of keys stand as they are dialled."""
    if "f" in digits:
        raise BadBer(at, f"packed digits with a filler among them: {digits[:40]}")
    return digits.translate(_DIGITS)


def _time(data: bytes, start: int, stop: int) -> str:
    octets = data[start:stop].hex()
    sign = octets[12:14]
    if len(octets) != 2 * _TIME_OCTETS:
        raise BadBer(start, f"a time of {stop - start} octets instead of {_TIME_OCTETS}")
    if sign not in ("2b", "2d") or not (octets[:12] + octets[14:]).isdecimal():
        raise BadBer(start, f"a time that has other octets than digits: {octets}")
    return f"20{octets[:12]}{'+' if sign == '2b' else '-'}{octets[14:]}"


def _read_list(data: bytes, at: int, end: int, field: BerField, item: BerItem, depth: int) -> None:
    found = item.lists.setdefault(field.name, [])
    while at < end:
        _, start, stop, after = _element(data, at, end, depth)
        each = BerItem(at)
        read_fields(data, start, stop, field.inner, each, depth + 1)
        found.append(each)
        at = after


def _first(data: bytes, at: int, end: int, depth: int) -> str:
    """Give the text of the first element in which there is one, at whatever depth."""
    while at < end:
        constructed = data[at] & 0x20
        _, start, stop, after = _element(data, at, end, depth)
        text = _first(data, start, stop, depth + 1) if constructed else text_of(TEXT, data, start, stop)
        if text:
            return text
        at = after
    return ""


def _element(data: bytes, at: int, end: int, depth: int) -> tuple[int, int, int, int]:
    if depth > DEPTH_MAX:
        raise BadBer(at, f"elements are nested deeper than {DEPTH_MAX}")
    begin, first = at, data[at]
    at += 1
    number = first & 0x1F
    if number == 0x1F:
        number = 0
        while True:
            if at >= end or number > TAG_MAX >> 7:
                raise BadBer(begin, "a tag that does not end")
            octet = data[at]
            at += 1
            number = number << 7 | octet & 0x7F
            if octet < 0x80:
                break
    if at >= end:
        raise BadBer(begin, "an element without a length")
    size = data[at]
    at += 1
    tag = tag_of(first >> 6, number)
    if size < 0x80:
        stop = at + size
        after = stop
    elif size == 0x80:
        if not first & 0x20:
            raise BadBer(begin, "a value of indefinite length")
        stop = _end_of_contents(data, at, end, depth)
        after = stop + 2
    else:
        count = size & 0x7F
        if count > _LENGTH_OCTETS_MAX or at + count > end:
            raise BadBer(begin, f"a length of {count} octets")
        size = int.from_bytes(data[at : at + count], "big")
        at += count
        stop = at + size
        after = stop
    if after > end:
        raise BadBer(begin, f"an element that ends {after - end} octets behind what holds it")
    return tag, at, stop, after


def _end_of_contents(data: bytes, at: int, end: int, depth: int) -> int:
    """Find the two zero octets that end an element of indefinite length."""
    begin = at
    while at + 1 < end:
        if data[at] == 0 and data[at + 1] == 0:
            return at
        _, _, _, at = _element(data, at, end, depth + 1)
    raise BadBer(begin, "an element of indefinite length that does not end")
