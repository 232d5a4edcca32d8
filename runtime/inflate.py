"""Decompression with a hard bound, in one place. What is compressed may claim to be anything.

A zstd frame may state its size, and the library then believes the frame rather than the bound it was given; zlib has
no bound of its own. gRPC's decompression knows none either and is switched off in `runtime.channel`.
"""

import zlib

import zstandard


class Inflated(Exception):
    """What was given is damaged, or larger than its bound; the message says which."""


def unzstd(frame: bytes, bytes_max: int) -> bytes:
    """Give the content of a zstd frame. Raises `Inflated`."""
    try:
        stated = zstandard.frame_content_size(frame)
        if stated > bytes_max:
            raise Inflated(f"the zstd frame states {stated} bytes, over the bound of {bytes_max}")
        return zstandard.decompress(frame, bytes_max)
    except zstandard.ZstdError as error:
        raise Inflated(f"the payload is no zstd frame of at most {bytes_max} bytes: {error}") from error


def unzlib(content: bytes, bytes_max: int) -> bytes:
    """Give what zlib compressed, all of it. Raises `Inflated`."""
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(content, bytes_max)
    except zlib.error as error:
        raise Inflated(f"the content is no zlib stream: {error}") from error
    if not inflater.eof:
        raise Inflated(f"the content is cut off, or over the bound of {bytes_max} bytes")
    return plain
