"""Payloads of journal groups: each entry can be found and read alone, whatever the others are."""

import msgspec
import pytest
from msgspec import Raw

from charging import wire
from charging.errors import Invalid
from charging.ledger.entry import Entry
from domainservers.journal.framing import BLOCK_ENTRIES, Frame, account_mark, pack_frame
from domainservers.journal.groups import (
    Groups,
    pack_entries,
    read_back,
    unpack_at,
    unpack_entries,
    unpack_group,
    unpack_of,
)

_pack = msgspec.msgpack.Encoder().encode
OUTCOME = Raw(_pack("done"))


def _entry(number: int, outcome: bytes = OUTCOME, kind: str = "c") -> Entry:
    return Entry(
        f"account-{number % 7}",
        f"key-{number}",
        b"d" * 16,
        number,
        -1,
        0,
        kind,
        "msisdn:1",
        "",
        "web",
        (),
        Raw(outcome),
    )


def test_a_large_payload_is_compressed_and_read_whole_or_by_place_or_by_account() -> None:
    entries = [_entry(number) for number in range(400)]
    parts = [_pack(entry) for entry in entries]
    payload = pack_entries(parts)
    assert len(payload) < sum(map(len, parts)) // 3
    assert [_pack(entry) for entry in unpack_entries(payload)] == parts
    assert _pack(unpack_at(Frame(payload), 357)) == parts[357]
    assert [(place, entry.key) for place, entry in unpack_of(Frame(payload), "account-3")] == [
        (place, f"key-{place}") for place in range(3, 400, 7)
    ]
    assert unpack_of(Frame(payload), "account-9") == []


def test_one_entry_of_a_large_group_opens_one_block() -> None:
    parts = [_pack(_entry(number)) for number in range(2_000)]
    frame = Frame(pack_entries(parts))
    before = frame.weight
    unpack_at(frame, 1_500)
    opened = sum(len(part) for part in parts[1_500 // BLOCK_ENTRIES * BLOCK_ENTRIES :][:BLOCK_ENTRIES])
    assert opened < frame.weight - before < 3 * opened


@pytest.mark.parametrize("size", [1, BLOCK_ENTRIES - 1, BLOCK_ENTRIES, BLOCK_ENTRIES + 1, 3 * BLOCK_ENTRIES])
def test_groups_of_any_size_give_back_what_went_in(size: int) -> None:
    parts = [_pack(_entry(number)) for number in range(size)]
    payload = pack_entries(parts)
    read_back(payload, parts)
    assert [_pack(entry) for entry in unpack_entries(payload)] == parts


def test_a_payload_cut_off_anywhere_is_a_fault_of_decoding() -> None:
    payload = pack_entries([_pack(_entry(number)) for number in range(200)])
    for end in (0, 3, 20, len(payload) // 2, len(payload) - 1):
        with pytest.raises(msgspec.DecodeError):
            unpack_entries(payload[:end])


@pytest.mark.parametrize("bad", [b"", b"\xc1", b"\x93\xa1a", b"\xa9account-4", b"\x9f\xa9account-4\xc1"])
def test_an_entry_that_cannot_be_read_hides_no_other(bad: bytes) -> None:
    parts = [_pack(_entry(number)) for number in range(300)]
    parts[4] = bad
    payload = pack_frame(parts, [account_mark(f"account-{number % 7}") for number in range(300)])
    entries, aside = unpack_group(payload)
    assert [index for index, _ in entries] == [*range(4), *range(5, 300)]
    assert [(each.index, each.mark) for each in aside] == [(4, account_mark("account-4"))]
    assert aside[0].account_id in ("", "account-4")
    with pytest.raises(msgspec.DecodeError, match="entry 4"):
        unpack_entries(payload)


@pytest.mark.parametrize(
    "outcome",
    [
        b"",
        b"\xc1",
        _pack("done"),
        wire.pack(wire.Unknown("k")),
        wire.pack(wire.Done("a", 1, 0, ())) + b"\xc0",
        wire.pack(wire.Done("a", 1, 0, (), (), b"no detail")),
        b"\x93\xa1f\xa1\xff\xa1x",
    ],
    ids=["nothing", "no msgpack", "a text", "another answer", "two values", "a detail that is none", "no UTF-8"],
)
def test_what_could_not_be_read_again_is_never_added(outcome: bytes) -> None:
    groups = Groups(-1, 100, 1_000_000, 100)
    with pytest.raises(Invalid) as caught:
        groups.add(_entry(1, outcome, "remember"))
    assert caught.value.reason == "ENTRY_UNREADABLE"
    assert groups.open.parts == []
    assert groups.open.marks == []


def test_a_packed_group_that_does_not_give_back_its_entries_is_found_before_it_is_written() -> None:
    parts = [_pack(_entry(number)) for number in range(200)]
    for wrong in (parts[:-1], [*parts[:-1], parts[0]], [*parts[:150], b"\xc0", *parts[151:]]):
        with pytest.raises(msgspec.DecodeError):
            read_back(pack_entries(wrong), parts)
