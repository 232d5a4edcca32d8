"""RADIUS, flows, XML, JSON and lines of softswitches: each as its standard or its maker writes it."""

from collections.abc import Callable
from pathlib import Path

import netflow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from console.frontend.mediating import app
from mediation.decoders.flows import FlowReader
from mediation.decoders.jsonfile import JsonReader
from mediation.decoders.radius import RadiusReader
from mediation.decoders.tap import TapReader, tap_columns
from mediation.decoders.xmlfile import XmlReader
from mediation.decoding.decoded import Decoded, FoundRecord
from mediation.decoding.decoder import Decoder
from mediation.formats.reading import read_formats
from mediation.records import DroppedRecord, FoundRow, UnreadRecord, UnusableFile
from tests.unit.mediation.roaming_files import batch, roaming_call

SAMPLES = Path(__file__).resolve().parents[3] / "mediation" / "samples" / "formats"
DECODERS = {name: Decoder(form) for name, form in read_formats(SAMPLES).items()}
TEN_MS = 1_767_578_400_000
"""2026-01-05 10:00 in Shanghai."""
TEN_S = TEN_MS // 1_000


def decode(name: str, content: str | bytes) -> list[FoundRecord]:
    return list(DECODERS[name].decode(content if isinstance(content, bytes) else content.encode()))


def read(name: str, content: str | bytes) -> tuple[str, str, int, int, str]:
    (each,) = [each for each in decode(name, content) if not isinstance(each, DroppedRecord)]
    assert isinstance(each, Decoded), each
    record = each.record
    return record.identity, record.service, record.start_ms, record.quantity, record.other_party


def test_a_call_of_asterisk_is_a_use() -> None:
    line = (
        '"","13800138000","01065551234","from-internal","""甲"" <13800138000>","PJSIP/1-1","PJSIP/2-2","Dial","x,30",'
        '"2026-01-05 09:59:50","2026-01-05 10:00:00","2026-01-05 10:01:01",71,61,"ANSWERED","DOCUMENTATION","1.1",""\n'
    )
    assert read("asterisk", line) == ("msisdn:8613800138000", "voice", TEN_MS, 61, "01065551234")
    assert isinstance(decode("asterisk", line.replace("ANSWERED", "BUSY"))[0], DroppedRecord)


def test_a_call_of_freeswitch_is_the_same_use_as_csv_json_and_xml() -> None:
    csv = (
        '"Jia","13800138000","01065551234","default","2026-01-05 09:59:50","2026-01-05 10:00:00","2026-01-05 10:01:01",'
        '"71","61","NORMAL_CLEARING","0b2f","9c1e",""\n'
    )
    variables = {
        "uuid": "0b2f",
        "direction": "inbound",
        "answer_epoch": str(TEN_S),
        "billmsec": "60500",
        "effective_caller_id_number": "13800138000",
        "destination_number": "01065551234",
    }
    json = '{"core-uuid":"c",\n "variables":{' + ",".join(f'"{name}":"{value}"' for name, value in variables.items())
    xml = "".join(f"<{name}>{value}</{name}>" for name, value in variables.items())
    xml = f'<?xml version="1.0"?>\n<cdr core-uuid="c"><variables>{xml}</variables><callflow dialplan="XML"/></cdr>'
    found = [read("freeswitch-csv", csv), read("freeswitch-json", json + "}}"), read("freeswitch-xml", xml)]
    assert found == [("msisdn:8613800138000", "voice", TEN_MS, 61, "01065551234")] * 3


def test_a_call_of_cisco_is_read_by_its_first_line_and_its_second_is_none() -> None:
    columns = (
        "cdrRecordType,globalCallID_callManagerId,globalCallID_callId,origLegCallIdentifier,callingPartyNumber,"
        "finalCalledPartyNumber,dateTimeConnect,duration,destLegIdentifier"
    )
    text = f"{columns}\nINTEGER,INTEGER,INTEGER,INTEGER,VARCHAR(50),VARCHAR(50),INTEGER,INTEGER,INTEGER\n"
    line = f'1,1,4711,9,"13800138000","01065551234",{TEN_S},61,10\n'
    assert read("cucm", text + line) == ("msisdn:8613800138000", "voice", TEN_MS, 61, "01065551234")


def test_calls_of_opensips_and_kamailio_are_uses() -> None:
    opensips = f"INVITE|a|b|c@h|200|OK|{TEN_S}|61|60500|3|{TEN_S}|13800138000|01065551234\n"
    kamailio = "2026-01-05 02:00:00|2026-01-05 02:01:01|61.00|c@h|a|b|13800138000|01065551234\n"
    wanted = ("msisdn:8613800138000", "voice", TEN_MS, 61, "01065551234")
    assert (read("opensips", opensips), read("kamailio", kamailio)) == (wanted, wanted)


DETAIL = f"""Mon Jan  5 10:30:00 2026
\tUser-Name = "li\\\\.na@bj"
\tNAS-IP-Address = 10.0.0.9
\tAcct-Status-Type = Stop
\tAcct-Session-Id = "4D\\"2"
\tAcct-Input-Octets = 5
\tAcct-Input-Gigawords = 1
\tAcct-Output-Octets = 10
\tCisco-AVPair += "a=1"
\tCisco-AVPair += "a=2"
\tTimestamp = {TEN_S}

"""


def test_a_session_of_radius_has_its_octets_whole() -> None:
    text = DETAIL.replace("\\\\.", ".")
    assert read("radius", text * 1) == ("broadband:li.na@bj", "data", TEN_MS, 2**32 + 15, "")
    cells, place = next(row for row in RadiusReader("utf-8").rows(DETAIL.encode()) if not isinstance(row, UnreadRecord))
    assert (cells["User-Name"], cells["Acct-Session-Id"], cells["Cisco-AVPair"]) == ("li\\.na@bj", '4D"2', "a=1")
    assert (cells["Detail-Time"], place.position) == ("Mon Jan  5 10:30:00 2026", 0)


def test_what_is_no_attribute_harms_its_own_record_and_a_record_without_end_the_file() -> None:
    bad, good = RadiusReader("utf-8").rows((DETAIL.replace("Timestamp =", "Timestamp") + DETAIL).encode())
    assert isinstance(bad, UnreadRecord)
    assert "is no attribute" in bad.why
    assert not isinstance(good, UnreadRecord)
    with pytest.raises(UnusableFile, match="cut off"):
        list(RadiusReader("utf-8").rows(DETAIL.encode()[:-20]))


def whole(*pairs: tuple[int, int]) -> bytes:
    return b"".join(value.to_bytes(octets) for value, octets in pairs)


FLOW_5 = (
    bytes([10, 0, 0, 1, 10, 0, 0, 2])
    + bytes(8)
    + whole((3, 4), (1500, 4), (1_000, 4), (2_000, 4), (443, 2), (5, 2))
    + bytes(12)
)
FIVE = whole((5, 2), (2, 2), (10_000, 4), (TEN_S, 4), (0, 4), (1, 4), (0, 1), (7, 1), (0, 2)) + FLOW_5 * 2
TEMPLATE = whole((8, 2), (4, 2), (1, 2), (8, 2), (22, 2), (4, 2), (21, 2), (4, 2))
DATA = bytes([10, 0, 0, 1]) + whole((2**33, 8), (1_000, 4), (2_000, 4))


def nine(*sets: bytes, count: int) -> bytes:
    return whole((9, 2), (count, 2), (10_000, 4), (TEN_S, 4), (1, 4), (77, 4)) + b"".join(sets)


def flow_set(number: int, content: bytes) -> bytes:
    padding = -len(content) % 4
    return whole((number, 2), (4 + len(content) + padding, 2)) + content + bytes(padding)


TEMPLATES_9 = flow_set(0, whole((256, 2), (4, 2)) + TEMPLATE)
PLAIN = whole((8, 2), (4, 2), (1, 2), (8, 2), (152, 2), (8, 2))
IPFIX_SETS = flow_set(2, whole((300, 2), (4, 2)) + PLAIN + whole((0x8000 | 9, 2), (0xFFFF, 2), (29305, 4)))
IPFIX_FLOW = bytes([10, 0, 0, 1]) + whole((2**33, 8), (TEN_MS, 8))
IPFIX_DATA = flow_set(300, IPFIX_FLOW + b"\x03abc")


def ipfix(*sets: bytes) -> bytes:
    body = b"".join(sets)
    return whole((10, 2), (16 + len(body), 2), (TEN_S, 4), (1, 4), (77, 4)) + body


def flows(content: bytes) -> list[dict[str, str]]:
    return [row[0] for row in FlowReader().rows(content) if not isinstance(row, UnreadRecord)]


def test_flows_of_all_versions_in_one_file_are_uses_and_templates_may_come_late() -> None:
    late = nine(flow_set(256, DATA), count=1)
    content = FIVE + late + nine(TEMPLATES_9, flow_set(256, DATA * 2), count=3) + ipfix(IPFIX_SETS, IPFIX_DATA)
    found = decode("netflow", content)
    uses = [each.record.quantity for each in found if isinstance(each, Decoded)]
    assert uses == [1500, 1500, 2**33, 2**33, 2**33, 2**33]
    starts = {each.record.start_ms - TEN_MS for each in found if isinstance(each, Decoded)}
    assert starts == {-9_000, 0}, "NetFlow counts from when the router was started"
    assert {each.record.identity for each in found if isinstance(each, Decoded)} == {"broadband:10.0.0.1"}
    assert flows(content)[-1]["element-29305-9"] == b"abc".hex()


def test_another_reader_of_flows_reads_the_same() -> None:
    nines = nine(TEMPLATES_9, flow_set(256, DATA * 2), count=3)
    plain = ipfix(flow_set(2, whole((300, 2), (3, 2)) + PLAIN), flow_set(300, IPFIX_FLOW))
    theirs = [flow.data["IN_OCTETS"] for flow in netflow.parse_packet(FIVE, {}).flows]
    theirs += [flow.data["IN_BYTES"] for flow in netflow.parse_packet(nines, {"netflow": {}}).flows]
    theirs += [flow.data["octetDeltaCount"] for flow in netflow.parse_packet(plain, {"ipfix": {}}).flows]
    assert [int(row["octetDeltaCount"]) for row in flows(FIVE + nines + plain)] == theirs


def test_flows_without_a_template_are_told_and_a_datagram_that_is_cut_off_holds_the_file() -> None:
    (row,) = FlowReader().rows(nine(flow_set(999, DATA), count=1))
    assert isinstance(row, UnreadRecord)
    for content in (FIVE[:-1], ipfix(IPFIX_SETS)[:-1], b"\0\x08abc"):
        with pytest.raises(UnusableFile):
            list(FlowReader().rows(content))


XML = """<?xml version="1.0" encoding="{encoding}"?>
<calls made="甲"><head><records>2</records></head>
 <call id="1"><from>8613800138000</from><leg n="a"><to>局</to></leg><leg n="b"/></call><call id="2">\
<from>2</from></call>
</calls>"""


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_records_of_xml_are_read_in_every_encoding_with_their_bytes(encoding: str) -> None:
    content = XML.format(encoding=encoding).encode(encoding)
    rows = [
        row for row in XmlReader("call", "head.records", encoding).rows(content) if not isinstance(row, UnreadRecord)
    ]
    assert rows[0][0] == {"@id": "1", "from": "8613800138000", "leg.@n": "a", "leg.to": "局"}
    assert [row[0]["@id"] for row in rows] == ["1", "2"]
    if encoding != "utf-16":
        assert [content[place.position :].startswith(place.raw) for _, place in rows] == [True, True]
        assert rows[1][1].raw == b'<call id="2"><from>2</from></call>'


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (XML.format(encoding="utf-8")[:-3], "unclosed token"),
        (XML.format(encoding="utf-8").replace(">2</records", ">3</records"), "it counts '3' records and has 2"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "document type"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "document type"),
        ("<a>" * 100, "nested deeper"),
        ("", "no element found"),
    ],
)
def test_xml_that_is_not_whole_or_wants_more_than_to_be_read_is_held(content: str, why: str) -> None:
    with pytest.raises(UnusableFile) as caught:
        list(XmlReader("call", "head.records", "utf-8").rows(content.encode()))
    assert why in caught.value.why


def test_records_of_a_json_document_are_read_one_by_one() -> None:
    document = b'{"calls": {"list": [{"a": {"b": 1}, "c": null, "d": 1.50, "e": true}, 7]}}'
    good, bad = JsonReader("calls.list").rows(document)
    assert not isinstance(good, UnreadRecord)
    assert good[0] == {"a.b": "1", "d": "1.5", "e": "true"}
    assert isinstance(bad, UnreadRecord)
    with pytest.raises(UnusableFile):
        list(JsonReader("").rows(document[:-1]))


READERS: list[Callable[[bytes], list[FoundRow]]] = [
    lambda content: list(TapReader(tap_columns()).rows(content)),
    lambda content: list(RadiusReader("utf-8").rows(content)),
    lambda content: list(FlowReader().rows(content)),
    lambda content: list(XmlReader("call", "", "utf-8").rows(content)),
    lambda content: list(JsonReader("").rows(content)),
]
SEEDS = [
    batch([roaming_call()]),
    DETAIL.encode(),
    FIVE + nine(TEMPLATES_9, flow_set(256, DATA), count=2) + ipfix(IPFIX_SETS, IPFIX_DATA),
    XML.format(encoding="utf-8").encode(),
    b'{"a": 1}',
]


@given(st.data())
@settings(deadline=None)
def test_whatever_bytes_come_are_records_or_told(data: st.DataObject) -> None:
    for reader, seed in zip(READERS, SEEDS, strict=True):
        at = data.draw(st.integers(0, len(seed)))
        content = seed[:at] + data.draw(st.binary(max_size=6)) + seed[at + data.draw(st.integers(0, 6)) :]
        try:
            rows = reader(content)
        except UnusableFile:
            continue
        for row in rows:
            if isinstance(row, UnreadRecord):
                assert "" not in (row.reason, row.why)
            else:
                assert all(isinstance(text, str) for text in row[0].values()), row


def test_a_sample_of_each_is_tried_from_the_command_line(tmp_path: Path) -> None:
    for name, content in {
        "tap": SEEDS[0],
        "netflow": SEEDS[2],
        "radius": DETAIL.replace("\\\\.", ".").encode(),
    }.items():
        file = tmp_path / name
        file.write_bytes(content)
        result = CliRunner().invoke(app, ["try", str(SAMPLES / f"{name}.yaml"), str(file)])
        assert (result.exit_code, " 0 unread" in result.output) == (0, True), result.output
