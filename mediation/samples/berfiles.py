"""Writes files of charging data records as a switch does: by the very tables that they are read by (TS 32.298, 32.297).

So it proves nothing of the reader, which is held to encoders of others; it is for switches that are played.
"""

from collections.abc import Mapping, Sequence

from mediation.decoders import ber
from mediation.decoders.ber import BerField, BerTable
from mediation.decoders.ts32298 import RECORDS

_TABLES = {name: (tag, table) for tag, (name, table) in RECORDS.items()}
_CONSTRUCTED = 0x20
_SHORT_MAX = 0x7F
_INTERNATIONAL, _UNKNOWN = 0x91, 0x81
_RELEASE_AND_VERSION = b"\xe1\x05"
"""Release beyond 9: it stands in an octet of its own."""
_BER_CODING = 1 << 5 | 1
"""Of a record's header: BER, and the records of TS 32.251."""
_WHEN = b"\x10\x84\x28\x60"
_HEADER_OCTETS = 54


def record_of(name: str, fields: Mapping[str, str]) -> bytes:
    """Write a record; fields are named and written as the reader gives them. Raises KeyError for a field it has not."""
    tag, table = _TABLES[name]
    left = set(fields)
    content = _fields(table, fields, left)
    if left:
        raise KeyError(f"{name} has no field {', '.join(sorted(left))}")
    return _element(tag, content, constructed=True)


def file_of(records: Sequence[bytes], count: int) -> bytes:
    """Put records into a closed file that counts so many."""
    head = bytes([_RELEASE_AND_VERSION[0], _BER_CODING]) + _RELEASE_AND_VERSION[1:]
    body = b"".join(len(each).to_bytes(2) + head + each for each in records)
    fixed = _RELEASE_AND_VERSION[:1] * 2 + _WHEN * 2 + count.to_bytes(4) + (0).to_bytes(4)
    after = b"\0\0" + b"\0\0" + b"\x05\x05"
    header = (_HEADER_OCTETS + len(body)).to_bytes(4) + _HEADER_OCTETS.to_bytes(4) + fixed + b"\x02" + bytes(20) + b"\0"
    return header + after + body


def _fields(table: BerTable, fields: Mapping[str, str], left: set[str]) -> bytes:
    written = b""
    for tag, field in table.items():
        if field.kind == ber.GROUP:
            if inner := _fields(field.inner, fields, left):
                written += _element(tag, inner, constructed=True)
        elif field.name in left:
            left.discard(field.name)
            written += _element(tag, _value(field, fields[field.name]), constructed=False)
    return written


def _value(field: BerField, text: str) -> bytes:
    if field.kind == ber.WHOLE:
        number = int(text)
        return number.to_bytes(number.bit_length() // 8 + 1, signed=True)
    if field.kind == ber.TEXT:
        return text.encode()
    if field.kind == ber.OCTETS:
        return bytes.fromhex(text)
    if field.kind == ber.TBCD:
        return _packed(text)
    if field.kind == ber.ADDRESS:
        return bytes([_INTERNATIONAL if text.startswith("+") else _UNKNOWN]) + _packed(text.removeprefix("+"))
    if field.kind == ber.TIME:
        return bytes.fromhex(text[2:14]) + text[14].encode() + bytes.fromhex(text[15:])
    raise KeyError(f"nobody writes fields such as {field.name} here")


def _packed(digits: str) -> bytes:
    """Two digits an octet, the low half first, a filler at the end."""
    full = digits + "f" * (len(digits) % 2)
    return bytes(int(full[at + 1] + full[at], 16) for at in range(0, len(full), 2))


def _element(tag: int, content: bytes, *, constructed: bool) -> bytes:
    octets = bytearray(tag.to_bytes(max(1, (tag.bit_length() + 7) // 8)))
    if len(octets) > 2:
        # Numbers beyond 127 are kept as they are; in a tag they stand in groups of seven bits.
        number = int.from_bytes(octets[1:])
        octets[1:] = bytes([0x80 | number >> 7, number & 0x7F])
    octets[0] |= _CONSTRUCTED if constructed else 0
    size = len(content)
    if size <= _SHORT_MAX:
        return bytes(octets) + bytes([size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes(octets) + bytes([0x80 | len(length)]) + length + content
