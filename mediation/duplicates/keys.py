"""Keys of uses: 128 bits of the fields that a format names, and 64 of what would be charged.

Two uses with the same key are one use: the second is a duplicate. With the same key and another content they are a
conflict, which a person has to look at: charging either once more, or neither, would be a guess.

Whoever is charged may choose some of these fields, such as the name of a call, so keys are cut from SHA-256, by which
nobody makes two of one key. The content only tells a correction from a copy: XXH3 is enough. Both are for ever.
"""

from collections.abc import Iterable
from hashlib import sha256

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars_hash import CryptographicHashingNameSpace as Cryptographic
from polars_hash import NonCryptographicHashingNameSpace as Quick

Columns = NDArray[np.uint64]
"""Shape (3, n): high and low half of the key, content."""
HIGH, LOW, CONTENT = 0, 1, 2
KEY_BYTES = 16
ROW_BYTES = KEY_BYTES + 8
CONTENTS = ("identity", "service", "start_ms", "quantity", "other_party", "visited", "partner", "attributes")
"""Columns that decide what a use costs."""
_HEX_CHARS = 2 * KEY_BYTES
_BETWEEN = "\x1f"
"""Between what a use costs by."""


def packed(format_name: str, fields: Iterable[str]) -> str:
    """Give the text of which a key is made: each part behind its length, so that no two mean the same.

    Fields of other formats are other keys, even where they are equal.
    """
    return "".join([f"{len(text.encode())}:{text}" for text in (format_name, *fields)])


def packed_columns(format_name: str, fields: Iterable[pl.Expr]) -> pl.Expr:
    """Give `packed` of each row."""
    parts: list[pl.Expr] = [pl.lit(packed(format_name, ()))]
    for each in fields:
        parts += (each.str.len_bytes().cast(pl.String), pl.lit(":"), each)
    return pl.concat_str(parts)


def key_of(format_name: str, fields: tuple[str, ...]) -> bytes:
    """Give the 16 bytes of a use's key."""
    return sha256(packed(format_name, fields).encode()).digest()[:KEY_BYTES]


def key_column(text: pl.Expr) -> pl.Expr:
    """Give the keys of packed texts."""
    return Cryptographic(text).sha2_256().str.head(_HEX_CHARS).str.decode("hex")


def key_rows(uses: pl.DataFrame) -> Columns:
    """Give what is kept of uses, which have columns `key` and those of `CONTENTS`, in their order."""
    halves = [pl.col("key").bin.slice(at, 8).bin.reinterpret(dtype=pl.UInt64, endianness="big") for at in (0, 8)]
    texts = [pl.col(name).cast(pl.String) for name in CONTENTS]
    content = Quick(pl.concat_str(texts, separator=_BETWEEN)).xxh3_64()
    made = uses.select(halves[0].alias("high"), halves[1].alias("low"), content.alias("content"))
    return np.stack([made[name].to_numpy() for name in ("high", "low", "content")])


def columns(rows: list[bytes]) -> Columns:
    """Put rows of key and content into columns, in their order."""
    return np.frombuffer(b"".join(rows), dtype=">u8").reshape(-1, 3).T.astype(np.uint64, order="C")
