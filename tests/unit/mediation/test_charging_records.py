"""Charging data records of the 3GPP: what another's encoder wrote is read as it was meant."""

from collections.abc import Iterator
from pathlib import Path

import asn1tools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from console.frontend.mediating import app
from mediation.decoders import ber
from mediation.decoders.ber import BerField, BerItem, BerTable, read_fields
from mediation.decoders.ts32297 import RecordReader
from mediation.decoders.ts32298 import CHOICES, RECORDS, record_columns, record_lists
from mediation.decoding.decoded import Decoded, FoundRecord
from mediation.decoding.decoder import Decoder
from mediation.formats.reading import read_formats
from mediation.records import DroppedRecord, UnreadRecord, UnusableFile
from tests.unit.mediation.charging_files import (
    address,
    call,
    encoded,
    framed,
    message,
    moment,
    packed,
    session,
    standard,
)

SAMPLES = Path(__file__).resolve().parents[3] / "mediation" / "samples" / "formats"
DECODERS = {name: Decoder(form) for name, form in read_formats(SAMPLES).items()}
CHF = """
CHF DEFINITIONS IMPLICIT TAGS ::= BEGIN
Record ::= CHOICE { chargingFunctionRecord [200] Charging }
Charging ::= SET {
  recordType [0] INTEGER, recordingNetworkFunctionID [1] IA5String,
  subscriberIdentifier [2] SET {
    subscriptionIDType [0] ENUMERATED { e164(0), imsi(1) }, subscriptionIDData [1] UTF8String
  },
  listOfMultipleUnitUsage [5] SEQUENCE OF SEQUENCE {
    ratingGroup [0] INTEGER,
    usedUnitContainers [1] SEQUENCE OF SEQUENCE {
      triggerTimeStamp [3] OCTET STRING OPTIONAL, dataVolumeUplink [5] INTEGER OPTIONAL,
      dataVolumeDownlink [6] INTEGER OPTIONAL, localSequenceNumber [9] INTEGER OPTIONAL,
      pDUContainerInformation [11] SEQUENCE { timeOfFirstUsage [2] OCTET STRING OPTIONAL } OPTIONAL
    } OPTIONAL
  },
  recordOpeningTime [6] OCTET STRING, recordSequenceNumber [8] INTEGER, causeForRecClosing [9] INTEGER,
  pDUSessionChargingInformation [13] SET { pDUSessionChargingID [0] INTEGER, dataNetworkNameIdentifier [13] IA5String },
  chargingSessionIdentifier [16] OCTET STRING
}
END
"""


def decode(name: str, content: bytes) -> list[FoundRecord]:
    return list(DECODERS[name].decode(content))


def read(each: FoundRecord) -> tuple[str, str, int, int, str]:
    assert isinstance(each, Decoded), each
    record = each.record
    return record.identity, record.service, record.start_ms, record.quantity, record.other_party


def test_calls_and_messages_of_a_switch_are_uses_and_the_called_side_is_not_charged() -> None:
    incoming = encoded(
        "mtCallRecord",
        recordType=1,
        servedIMSI=packed("460001234567890"),
        recordingEntity=address("8613900000001"),
        callDuration=61,
        causeForTerm=0,
        callReference=b"\0\1",
    )
    found = decode("msc", framed([call(1), message(2), incoming, call(3, causeForTerm=3)]))
    who = "msisdn:8613800138000"
    assert read(found[0]) == (who, "voice", 1_767_578_400_000, 61, "+861065551234")
    assert read(found[1]) == (who, "sms", 1_767_578_700_000, 1, "+8613900139000")
    assert [each.rule for each in found if isinstance(each, DroppedRecord)] == ["the called side", "not answered"]


@pytest.mark.parametrize("release", [6, 7])
def test_a_record_has_its_byte_and_its_bytes_in_files_of_every_release(release: int) -> None:
    records = [call(serial) for serial in range(3)]
    content = framed(records, release=release, filter_octets=b"by-region")
    for found, raw in zip(decode("msc", content), records, strict=True):
        assert isinstance(found, Decoded)
        place = found.record.place
        assert content[place.position : place.position + len(place.raw)] == place.raw
        assert place.raw.endswith(raw)


def test_each_container_of_a_data_session_is_a_use_at_its_own_time() -> None:
    content = framed([session(7, [(10, "260104235900", 100, 200), (20, "260105000500", 1, 2)])])
    first, second = decode("packet-gateway", content)
    assert isinstance(first, Decoded)
    assert isinstance(second, Decoded)
    assert (first.record.quantity, second.record.quantity) == (300, 3)
    assert second.record.start_ms - first.record.start_ms == 360_000
    assert (first.record.visited, dict(second.record.attributes)) == (
        "46000",
        {"apn": "internet", "rating_group": "20"},
    )
    assert first.key != second.key
    places = first.record.place, second.record.place
    assert places[0].record == places[1].record < places[0].position < places[1].position


def test_used_units_of_a_5g_session_are_read_as_another_compiler_encodes_them() -> None:
    record = {
        "recordType": 200,
        "recordingNetworkFunctionID": "smf-1",
        "subscriberIdentifier": {"subscriptionIDType": "e164", "subscriptionIDData": "8613800138000"},
        "listOfMultipleUnitUsage": [
            {
                "ratingGroup": group,
                "usedUnitContainers": [
                    {"triggerTimeStamp": moment("260105100000"), "dataVolumeUplink": group, "dataVolumeDownlink": each}
                    for each in (1, 2**40)
                ],
            }
            for group in (10, 20)
        ],
        "recordOpeningTime": moment("260105095000"),
        "recordSequenceNumber": 1,
        "causeForRecClosing": 0,
        "pDUSessionChargingInformation": {"pDUSessionChargingID": 5, "dataNetworkNameIdentifier": "ims"},
        "chargingSessionIdentifier": b"\1\2",
    }
    compiled = asn1tools.compile_string(CHF, "ber")
    found = decode("smf", framed([compiled.encode("Record", ("chargingFunctionRecord", record))]))
    assert [read(each)[3] for each in found] == [11, 10 + 2**40, 21, 20 + 2**40]
    assert isinstance(found[2], Decoded)
    assert dict(found[2].record.attributes) == {"apn": "ims", "rating_group": "20"}


def test_an_ims_call_is_charged_to_whom_its_record_names() -> None:
    record = encoded(
        "aSRecord",
        recordType=69,
        role_of_Node="originating",
        session_Id="a84b4c76e66710@as.example",
        called_Party_Address=("tEL-URI", "tel:+861065551234"),
        serviceDeliveryStartTimeStamp=moment("260105100000"),
        serviceDeliveryEndTimeStamp=moment("260105100101"),
        list_of_subscription_ID=[
            {"subscriptionIDType": "eND-USER-IMSI", "subscriptionIDData": "460001234567890"},
            {"subscriptionIDType": "eND-USER-E164", "subscriptionIDData": "8613800138000"},
        ],
    )
    dropped, found = decode("ims", framed([record]))
    assert isinstance(dropped, DroppedRecord)
    assert read(found) == ("msisdn:8613800138000", "voice", 1_767_578_400_000, 61, "fixed:861065551234")


def test_every_name_tag_and_kind_of_our_tables_is_the_standards() -> None:
    for number, name in CHOICES.items():
        if name != "chargingFunctionRecord":  # Not in pycrate; encoded with another compiler above.
            theirs = dict(_fields(standard(name)))[ber.tag_of(2, number)]
            assert theirs[0] == name
            _compare(RECORDS[ber.tag_of(2, number)][1], theirs[1], name)


KINDS = {
    "INTEGER": {ber.WHOLE},
    "ENUMERATED": {ber.WHOLE},
    "OCTET STRING": {ber.OCTETS, ber.TBCD, ber.ADDRESS, ber.TIME, ber.NETWORK, ber.ADDRESS_IP},
    "BIT STRING": {ber.OCTETS},
    "IA5String": {ber.TEXT},
    "GraphicString": {ber.TEXT},
    "UTF8String": {ber.TEXT},
    "BOOLEAN": {ber.FLAG},
    "NULL": {ber.PRESENT},
    "CHOICE": {ber.FIRST, ber.GROUP},
    "SEQUENCE OF": {ber.FIRST, ber.LIST},
    "SEQUENCE": {ber.GROUP},
    "SET": {ber.GROUP},
}


def _fields(of: object) -> Iterator[tuple[int, tuple[str, object]]]:
    for name, each in of._cont.items():  # type: ignore[attr-defined]
        if each._tagc:
            yield ber.tag_of(*each._tagc[0]), (name, each)
        else:  # A choice without a tag of its own.
            yield from _fields(each)


def _compare(of: BerTable, theirs: object, path: str) -> None:
    known = dict(_fields(theirs))
    for tag, field in of.items():
        name = field.name.rpartition(".")[2]
        assert tag in known, f"{path}: {name} has another tag"
        assert known[tag][0] == name, path
        their = known[tag][1]
        assert field.kind in KINDS[their.TYPE], f"{path}.{name}"  # type: ignore[attr-defined]
        if field.kind == ber.GROUP:
            _compare(field.inner, their, field.name)
        elif field.kind == ber.LIST:
            _compare(field.inner, their._cont, field.name)  # type: ignore[attr-defined]


def test_what_is_wrong_in_one_record_is_told_with_its_bytes_and_the_next_is_read() -> None:
    bad = call(1).replace(moment("260105100000"), b"\xee" * 9)
    wrong, good = decode("msc", framed([bad, call(2)]))
    assert isinstance(wrong, UnreadRecord)
    assert wrong.reason == "RECORD_MALFORMED"
    assert "a time that has other octets than digits: eeeeeeeeeeeeeeeeee" in wrong.why
    assert isinstance(good, Decoded)


def test_a_record_of_more_uses_than_any_switch_writes_is_kept_once() -> None:
    """Thirty thousand empty containers of one record would each be kept with all its bytes, two gigabytes."""
    wanted = record_columns(("listOfServiceData",))
    body = bytes.fromhex("bf22") + b"\x82" + (8_000).to_bytes(2) + b"\x30\x00" * 4_000
    record = bytes.fromhex("bf4f") + b"\x82" + len(body).to_bytes(2) + body
    (row,) = RecordReader(wanted, ("listOfServiceData",), framed=True).rows(framed([record]))
    assert isinstance(row, UnreadRecord)
    assert "4000 uses" in row.why


def test_a_record_without_content_harms_nobody_also_at_the_end_of_its_file() -> None:
    for records, good in (([call(1), b""], 0), ([b"", call(1)], 1)):
        found = decode("msc", framed(records))
        bad = found[1 - good]
        assert isinstance(found[good], Decoded)
        assert isinstance(bad, UnreadRecord)
        assert "a record without content" in bad.why


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (framed([call(1)])[:-1], "its header says"),
        (framed([call(1)], count=2), "its header counts 2 records and the file has 1"),
        (framed([call(1)], count=0xFFFFFFFF), "the file was never closed"),
        (b"", "0 bytes are no header of TS 32.297"),
        ((60).to_bytes(4) + (58).to_bytes(4) + bytes(52), "the record at byte 58 is cut off"),
    ],
)
def test_a_file_whose_totals_disagree_is_held_as_a_whole(content: bytes, why: str) -> None:
    with pytest.raises(UnusableFile) as caught:
        decode("msc", content)
    assert (caught.value.reason, why in caught.value.why) == ("FILE_NOT_WHOLE", True), caught.value.why


def bare(content: bytes) -> list[dict[str, str]]:
    rows = RecordReader(record_columns(()), (), framed=False).rows(content)
    return [row[0] for row in rows if not isinstance(row, UnreadRecord)]


def test_records_without_a_frame_are_read_over_fillers_and_a_file_that_is_cut_off_is_held() -> None:
    content = b"\0" * 30 + call(1) + b"\xff" * 7 + call(2) + bytes(2)
    assert [row["callReference"] for row in bare(content)] == ["00000001", "00000002"]
    with pytest.raises(UnusableFile, match="cut off"):
        bare(call(1)[:-1])


def _indefinite(raw: bytes) -> bytes:
    """Encode constructed elements once more, each of indefinite length."""
    out, at = b"", 0
    while at < len(raw):
        _, start, stop, after = ber.element(raw, at, len(raw))
        if raw[at] & 0x20:
            tag_end = at + 1
            if raw[at] & 0x1F == 0x1F:
                while raw[tag_end] & 0x80:
                    tag_end += 1
                tag_end += 1
            out += raw[at:tag_end] + b"\x80" + _indefinite(raw[start:stop]) + b"\0\0"
        else:
            out += raw[at:after]
        at = after
    return out


def test_indefinite_lengths_and_tags_that_nobody_knows_are_passed_over() -> None:
    wanted = record_columns(("listOfServiceData",))
    reader = RecordReader(wanted, ("listOfServiceData",), framed=False)
    raw = session(7, [(10, "260104235900", 100, 200), (20, "260105000500", 1, 2)])
    other = _indefinite(raw)
    assert other != raw

    def cells(content: bytes) -> list[dict[str, str]]:
        return [row[0] for row in reader.rows(content) if not isinstance(row, UnreadRecord)]

    assert cells(other) == cells(raw)
    assert len(cells(raw)) == 2
    item = BerItem(0)
    table: BerTable = {ber.tag_of(2, 1): BerField("known", ber.WHOLE)}
    read_fields(bytes.fromhex("bf8f7f03800101810105"), 0, 10, table, item)
    assert item.cells == {"known": "5"}


@pytest.mark.parametrize(
    ("kind", "octets", "text"),
    [
        (ber.TBCD, "64001032f4", "460001234"),
        (ber.TBCD, "21ffff", "12"),
        (ber.TBCD, "1afb", "*1#"),
        (ber.ADDRESS, "91683108", "+8613 80".replace(" ", "")),
        (ber.ADDRESS, "a1683108", "861380"),
        (ber.NETWORK, "64f000", "46000"),
        (ber.NETWORK, "130062", "310260"),
        (ber.WHOLE, "ff", "-1"),
        (ber.WHOLE, "00ffffffffffffffff", str(2**64 - 1)),
        (ber.ADDRESS_IP, "0a000001", "10.0.0.1"),
        (ber.TEXT, "e5b180", "局"),
        (ber.BCD, "1234ff", "1234"),
    ],
)
def test_values_are_read_by_their_kind(kind: int, octets: str, text: str) -> None:
    data = bytes.fromhex(octets)
    assert ber.text_of(kind, data, 0, len(data)) == text


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_bytes_of_any_kind_are_records_or_told(content: bytes) -> None:
    for framed_ in (True, False):
        reader = RecordReader(record_columns(tuple(record_lists())), tuple(sorted(record_lists())), framed_)
        try:
            rows = list(reader.rows(content))
        except UnusableFile:
            continue
        assert len(rows) <= len(content)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_record_with_any_octet_changed_is_read_or_told_and_its_neighbours_are_read(data: st.DataObject) -> None:
    records = [call(1), session(2, [(10, "260104235900", 100, 200)]), call(3)]
    at = data.draw(st.integers(0, len(records[1]) - 1))
    records[1] = records[1][:at] + bytes([data.draw(st.integers(0, 255))]) + records[1][at + 1 :]
    wanted = record_columns(("listOfServiceData",))
    rows = list(RecordReader(wanted, ("listOfServiceData",), framed=True).rows(framed(records)))
    assert [not isinstance(row, UnreadRecord) for row in (rows[0], rows[-1])] == [True, True]


def test_elements_nested_without_end_end() -> None:
    deep = b"\x30\x80" * 5_000
    with pytest.raises(UnusableFile, match="nested deeper"):
        bare(deep)


def test_a_file_is_tried_from_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "1.dat"
    file.write_bytes(framed([call(1), message(2)]))
    result = CliRunner().invoke(app, ["try", str(SAMPLES / "msc.yaml"), str(file)])
    assert result.exit_code == 0, result.output
    assert "voice 61 at" in result.stdout
    assert "sms 1 at" in result.stdout
