"""Decoding: what files say, whatever stands in them, record by record with its place."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediation.decoding.decoded import Decoded, FoundRecord
from mediation.decoding.decoder import Decoder
from mediation.formats.reading import read_formats
from mediation.records import DroppedRecord, UnreadRecord, UnusableFile

FORMATS = read_formats(Path(__file__).resolve().parents[3] / "mediation" / "samples" / "formats")
DECODERS = {name: Decoder(form) for name, form in FORMATS.items()}
CALL = "7,13800138000,01065551234,20260105100000,61,released"


def decode(name: str, content: str | bytes) -> list[FoundRecord]:
    return list(DECODERS[name].decode(content if isinstance(content, bytes) else content.encode("gb18030")))


def gx(*lines: str, count: int | None = None) -> str:
    return "\n".join((*lines, f"END {len(lines) if count is None else count:06}", ""))


def test_a_call_is_read_with_its_numbers_and_its_moment() -> None:
    (found,) = decode("gx-voice", "# 甲局\n" + gx(CALL))
    assert isinstance(found, Decoded)
    record = found.record
    assert (record.identity, record.other_party) == ("msisdn:8613800138000", "fixed:861065551234")
    assert (record.service, record.quantity, record.start_ms) == ("voice", 61, 1_767_578_400_000)
    assert (record.place.position, record.place.raw) == (2, CALL.encode())
    assert found.key == ("7", "13800138000", "20260105100000")


def test_fillers_units_nested_fields_and_defaults_are_read() -> None:
    line = '{"subscriber":{"msisdn":"8613800138000F"},"opened":1767578400000,"volume":{"kib":3},"charging_id":9}'
    (found,) = decode("pgw-data", line)
    assert isinstance(found, Decoded)
    assert (found.record.identity, found.record.quantity) == ("msisdn:8613800138000", 3_072)
    assert found.record.attributes == (("apn", "internet"),)


def test_fixed_width_and_codes_are_read() -> None:
    (found,) = decode("hx-sms", "00000001  13800138000  139001390002026010510000001")
    assert isinstance(found, Decoded)
    assert (found.record.service, found.record.quantity) == ("sms", 1)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("7,13800138000,01065551234,20260105100000,61", "it has 5 fields instead of 6"),
        (CALL.replace("13800138000", "1380013800"), "identity: '1380013800' in column caller must be an identity"),
        (CALL.replace("20260105100000", "20261305100000"), "start: '20261305100000' in column began must be a time"),
        (CALL.replace(",61,", ",-1,"), "quantity: '-1' in column seconds must be a whole number"),
        (CALL.replace(",61,", ",,"), "quantity: column seconds is empty"),
    ],
)
def test_what_is_wrong_in_one_record_is_told_and_the_next_is_read(line: str, why: str) -> None:
    bad, good = decode("gx-voice", gx(line, CALL))
    assert isinstance(bad, UnreadRecord)
    assert bad.why.startswith(why)
    assert (bad.place.position, bad.place.raw) == (1, line.encode())
    assert isinstance(good, Decoded)


def test_a_local_time_that_clocks_show_twice_is_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text(
        (Path(__file__).resolve().parents[3] / "mediation" / "samples" / "formats" / "gx-voice.yaml")
        .read_text(encoding="utf-8")
        .replace("Asia/Shanghai", "Europe/Berlin"),
        encoding="utf-8",
    )
    decoder = Decoder(read_formats(tmp_path)["gx-voice"])
    times = ("20261025023000", "20260329023000", "20261025013000")
    content = gx(*(CALL.replace("20260105100000", time) for time in times)).encode()
    twice, never, once = decoder.decode(content)
    assert [each.reason for each in (twice, never) if isinstance(each, UnreadRecord)] == ["TIME_AMBIGUOUS"] * 2
    assert isinstance(once, Decoded)


def test_a_call_that_nobody_answered_is_dropped_by_rule() -> None:
    (found,) = decode("gx-voice", gx(CALL.replace("released", "busy")))
    assert isinstance(found, DroppedRecord)
    assert found.rule == "not answered"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (CALL + "\n", "does not begin with 'END'"),
        (gx(CALL, count=2), "the trailer counts '000002' records and the file has 1"),
        (gx(CALL)[:-3], "counts '0000' records"),
        ("", "does not begin with 'END'"),
    ],
)
def test_a_file_that_is_not_whole_is_held_as_a_whole(content: str, why: str) -> None:
    with pytest.raises(UnusableFile, match=r".") as caught:
        decode("gx-voice", content)
    assert why in caught.value.why


@given(st.binary(max_size=400))
def test_bytes_of_any_kind_are_records_or_told(content: bytes) -> None:
    for name in DECODERS:
        try:
            found = decode(name, content)
        except UnusableFile:
            continue
        lines = [line for line in content.split(b"\n") if line.strip()]
        assert len(found) <= len(lines)
        assert name == "gx-voice" or len(found) == len(lines)
