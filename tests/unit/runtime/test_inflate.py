"""What is decompressed has a hard bound, whatever it says of itself."""

import ast
import zlib
from pathlib import Path

import pytest
import zstandard

from runtime.inflate import Inflated, unzlib, unzstd

ROOT = Path(__file__).parents[3]
ZEROS = bytes(1_000_000)


@pytest.mark.parametrize("stated", [True, False])
def test_a_frame_over_the_bound_is_refused_whether_it_states_its_size_or_not(stated: bool) -> None:
    frame = zstandard.ZstdCompressor(write_content_size=stated).compress(ZEROS)
    assert unzstd(frame, 1_000_000) == ZEROS
    with pytest.raises(Inflated, match=r"bound|at most"):
        unzstd(frame, 999_999)


def test_a_stream_over_the_bound_is_refused() -> None:
    content = zlib.compress(ZEROS)
    assert unzlib(content, 1_000_000) == ZEROS
    with pytest.raises(Inflated, match="bound"):
        unzlib(content, 999_999)


@pytest.mark.parametrize("damaged", [b"", b"\x28\xb5\x2f\xfd", b"plain text"])
def test_damage_is_told(damaged: bytes) -> None:
    with pytest.raises(Inflated):
        unzstd(damaged, 100)
    with pytest.raises(Inflated):
        unzlib(damaged, 100)


def test_nothing_is_decompressed_anywhere_else() -> None:
    rooms = ("appserver", "charging", "console", "datacenter", "directory", "domainservers", "storage")
    found = [
        f"{path}:{node.lineno}"
        for room in rooms
        for path in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in ("decompress", "decompressobj", "ZstdDecompressor")
        and isinstance(node.value, ast.Name)
        and node.value.id in ("zlib", "zstandard", "gzip", "bz2", "lzma")
    ]
    assert found == []
