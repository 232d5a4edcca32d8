"""Payloads of journal groups."""

import msgspec
import pytest
from msgspec import Raw

from charging.entry import Entry
from domainservers.groups import COMPRESSED_BYTES_MIN, pack_entries, unpack_at, unpack_entries

_pack = msgspec.msgpack.Encoder().encode
OUTCOME = Raw(_pack("done"))


def _entry(number: int) -> Entry:
    return Entry(
        f"account-{number % 7}", f"key-{number}", b"d" * 16, number, -1, 0, "c", "msisdn:1", "", "web", (), OUTCOME
    )


def test_a_large_payload_is_compressed_and_read_whole_or_by_index() -> None:
    entries = [_entry(number) for number in range(200)]
    parts = [_pack(entry) for entry in entries]
    payload = pack_entries(parts)
    assert len(payload) < sum(map(len, parts)) // 3
    assert [_pack(entry) for entry in unpack_entries(payload)] == parts
    assert _pack(unpack_at(payload, 157)) == parts[157]


def test_a_small_payload_stays_as_it_is() -> None:
    part = _pack(_entry(1))
    assert len(part) < COMPRESSED_BYTES_MIN
    assert pack_entries([part]) == b"\xdd\x00\x00\x00\x01" + part
    assert _pack(unpack_at(pack_entries([part]), 0)) == part


def test_a_damaged_payload_is_a_fault_of_decoding() -> None:
    payload = pack_entries([_pack(_entry(number)) for number in range(200)])
    with pytest.raises(msgspec.DecodeError, match="zstd"):
        unpack_entries(payload[: len(payload) // 2])
