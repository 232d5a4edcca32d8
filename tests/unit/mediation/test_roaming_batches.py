"""Batches of roaming partners, TAP 3, as another encoder writes them; and what begins alike."""

from pathlib import Path

import pytest
from pycrate_asn1dir import TAP3
from typer.testing import CliRunner

from console.frontend.mediating import app
from mediation.decoders.ber import number_of
from mediation.decoders.tap import EVENTS, TapReader, tap_columns
from mediation.decoding.decoded import Decoded, FoundRecord
from mediation.decoding.decoder import Decoder
from mediation.formats.reading import read_format
from mediation.records import UnusableFile
from tests.unit.mediation.roaming_files import batch, roaming_call, roaming_data

PAGE = Path(__file__).resolve().parents[3] / "mediation" / "samples" / "formats" / "tap.yaml"
READER = Decoder(read_format(PAGE))
TEN_MS = 1_767_578_400_000
"""2026-01-05 10:00 in Shanghai."""


def decode(content: bytes) -> list[FoundRecord]:
    return list(READER.decode(content))


def test_events_of_a_roaming_partner_are_uses_with_the_networks_offset() -> None:
    found = decode(batch([roaming_call(), roaming_call(b"22"), roaming_data()]))
    uses = [(each.record.service, each.record.quantity) for each in found if isinstance(each, Decoded)]
    assert uses == [("voice", 61), ("sms", 1), ("data", 2**40 + 5)]
    assert all(isinstance(each, Decoded) and each.record.start_ms == TEN_MS for each in found)
    assert isinstance(found[0], Decoded)
    assert (found[0].record.identity, found[0].record.visited) == ("msisdn:8613800138000", "DEUD1")


def test_a_batch_that_counts_other_events_or_was_cut_off_is_held() -> None:
    for content, why in [
        (batch([roaming_call()], count=2), "it counts 2 events and has 1"),
        (batch([roaming_call()])[:-3], "the file was cut off"),
        (b"", "does not begin as a file of TAP 3"),
    ]:
        with pytest.raises(UnusableFile) as caught:
            decode(content)
        assert why in caught.value.why


def test_an_event_of_a_partner_who_names_the_card_alone_is_a_use_of_the_card() -> None:
    found = decode(batch([roaming_call(number="")]))
    assert isinstance(found[0], Decoded)
    assert found[0].record.identity == "card:460001234567890"


def test_a_file_of_another_kind_that_begins_as_tap_does_is_held() -> None:
    near_real_time = b"\x61\x0f\x5f\x81\x49\x01\x02\x5f\x81\x3d\x01\x01\x5f\x81\x44\x01A"
    no_events = b"\x61\x05\x5f\x81\x49\x01\x03"
    for content in (near_real_time, no_events):
        with pytest.raises(UnusableFile) as caught:
            decode(content)
        assert caught.value.why == "it is no batch of TAP 3: that has version 3 and a list of call events"


def test_trying_a_file_counts_what_can_not_be_read_and_says_so_by_its_exit_status(tmp_path: Path) -> None:
    free = ("supplServiceEvent", {})
    file = tmp_path / "tap"
    file.write_bytes(batch([roaming_call(), free, roaming_call(number="8600")]))
    result = CliRunner().invoke(app, ["try", str(PAGE), str(file)])
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "1 read, 1 dropped, 1 unread"


def test_every_name_and_tag_of_our_table_of_tap_is_the_standards() -> None:
    theirs: dict[str, set[int]] = {}
    _tags(TAP3.TAP_0312.DataInterChange, theirs, set())
    reader = TapReader(tap_columns())
    named = [(field.name, number_of(tag)) for tag, field in reader._events.items() if field.name]
    assert len(named) > 50
    assert [(name, tag) for name, tag in named if tag not in theirs[name]] == []
    assert all(tag in theirs[name] for tag, name in EVENTS.items())
    groups = {number_of(tag) for tag, field in reader._events.items() if not field.name}
    unnamed = {39, 63, 69, 309, 449}
    """Elements of lists, which have no name of their own."""
    assert groups <= set().union(*theirs.values()) | unnamed


def _tags(of: object, found: dict[str, set[int]], seen: set[int]) -> None:
    inner = of._cont  # type: ignore[attr-defined]
    if id(of) in seen or inner is None:
        return
    seen.add(id(of))
    for name, each in inner.items() if isinstance(inner, dict) or hasattr(inner, "items") else [("", inner)]:
        if not hasattr(each, "_tagc"):
            continue
        if name and each._tagc:
            found.setdefault(name, set()).add(each._tagc[0][1])
        _tags(each, found, seen)
