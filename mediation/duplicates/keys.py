"""Keys of uses: 128 bits of the fields that a format names, and 64 of what would be charged.

Two uses with the same key are one use: the second is a duplicate. With the same key and another content they are a
conflict, which a person has to look at: charging either once more, or neither, would be a guess.
"""

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from mediation.records import DetailRecord

Columns = NDArray[np.uint64]
"""Shape (3, n): high and low half of the key, content."""
HIGH, LOW, CONTENT = 0, 1, 2
KEY_BYTES = 16
ROW_BYTES = KEY_BYTES + 8
_PART = b"\x1f"


def key_of(format_name: str, fields: tuple[str, ...]) -> bytes:
    """Give the 16 bytes of a use's key. Fields of other formats are other keys, even where they are equal."""
    packed = b"".join(len(field := text.encode()).to_bytes(4) + field for text in (format_name, *fields))
    return blake2b(packed, digest_size=KEY_BYTES, person=b"onetier use").digest()


def content_of(record: DetailRecord) -> bytes:
    """Give 8 bytes of all that decides what a use costs."""
    parts = (
        record.identity,
        record.service,
        str(record.start_ms),
        str(record.quantity),
        record.other_party,
        record.visited,
        record.partner,
        *(f"{name}={value}" for name, value in record.attributes),
    )
    return blake2b(_PART.join(part.encode() for part in parts), digest_size=8, person=b"onetier content").digest()


def columns(rows: list[bytes]) -> Columns:
    """Put rows of key and content into columns, in their order."""
    return np.frombuffer(b"".join(rows), dtype=">u8").reshape(-1, 3).T.astype(np.uint64, order="C")
