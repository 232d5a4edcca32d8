"""What the sample's exchange writes, somebody else's decoder reads, and so does ours."""

import pytest

from mediation.decoders.ts32297 import RecordReader
from mediation.records import UnreadRecord
from mediation.samples.berfiles import file_of, record_of
from tests.unit.mediation.charging_files import address, moment, packed, standard

FIELDS = {
    "recordType": "0",
    "servedIMSI": "460001234567890",
    "servedMSISDN": "+8613800138000",
    "calledNumber": "+861065551234",
    "location.locationAreaCode": "4a01",
    "location.cellId": "0101",
    "recordingEntity": "+8613900000001",
    "answerTime": "20260105100000+0800",
    "callDuration": "300",
    "causeForTerm": "1",
    "callReference": "0000ff80",
    "sequenceNumber": "200",
    "systemType": "1",
}


def test_a_record_that_is_written_says_the_same_to_another_decoder() -> None:
    decoder = standard("moCallRecord")
    decoder.from_ber(record_of("moCallRecord", FIELDS))  # type: ignore[attr-defined]
    name, found = decoder.get_val()  # type: ignore[attr-defined]
    assert name == "moCallRecord"
    assert found["servedIMSI"] == packed("460001234567890")
    assert found["servedMSISDN"] == address("8613800138000")
    assert found["answerTime"] == moment("260105100000")
    assert (found["callDuration"], found["sequenceNumber"], found["callReference"]) == (300, 200, b"\0\0\xff\x80")
    assert found["location"]["locationAreaCode"] == b"\x4a\x01"


@pytest.mark.parametrize("count", [1, 3])
def test_a_file_that_is_written_is_read_back(count: int) -> None:
    content = file_of([record_of("moCallRecord", FIELDS)] * count, count)
    rows = list(RecordReader(frozenset((*FIELDS, "record")), (), framed=True).rows(content))
    assert not any(isinstance(row, UnreadRecord) for row in rows)
    assert [row[0] for row in rows if not isinstance(row, UnreadRecord)] == [
        {**FIELDS, "record": "moCallRecord"}
    ] * count


def test_a_field_that_a_record_has_not_is_not_written() -> None:
    with pytest.raises(KeyError, match="has no field volume"):
        record_of("moCallRecord", {**FIELDS, "volume": "1"})
