"""What nobody here wrote: read in place out of the packages that bring it, and shapes that public samples have.

Other public samples were tried by hand, and what they showed is in docs/adding-a-switch.md.
"""

import inspect
import re
import struct
from pathlib import Path

import dpkt.netflow

from mediation.decoders.flows import FlowReader
from mediation.decoding.decoder import Decoder
from mediation.formats.reading import read_formats
from mediation.records import DroppedRecord, UnreadRecord

SAMPLES = Path(__file__).resolve().parents[3] / "mediation" / "samples" / "formats"
EXPORTED_MS = 1_767_578_400_000


def cells(content: bytes) -> list[dict[str, str]]:
    rows = list(FlowReader().rows(content))
    assert [row for row in rows if isinstance(row, UnreadRecord)] == []
    return [row[0] for row in rows if not isinstance(row, UnreadRecord)]


def test_the_export_of_a_router_that_dpkt_brings_is_read_as_dpkt_reads_it() -> None:
    source = inspect.getsource(dpkt.netflow.test_net_flow_v5_unpack)
    content = bytes.fromhex("".join(re.findall(r"'([0-9a-f]{40,})'", source)))
    theirs = dpkt.netflow.Netflow5(content)
    ours = cells(content)
    assert len(ours) == len(theirs.data) == theirs.count == 29
    exported_ms = theirs.unix_sec * 1_000
    for mine, other in zip(ours, theirs.data, strict=True):
        source_address = ".".join(str(octet) for octet in other.src_addr.to_bytes(4))
        assert mine["sourceIPv4Address"] == source_address
        assert int(mine["octetDeltaCount"]) == other.bytes_sent
        assert int(mine["packetDeltaCount"]) == other.pkts_sent
        assert (int(mine["sourceTransportPort"]), int(mine["destinationTransportPort"])) == (
            other.src_port,
            other.dst_port,
        )
        assert int(mine["flowStartMilliseconds"]) == exported_ms - theirs.sys_uptime + other.start_time


def ipfix(*sets: tuple[int, bytes]) -> bytes:
    body = b"".join(struct.pack(">HH", number, 4 + len(content)) + content for number, content in sets)
    return struct.pack(">HHIII", 10, 16 + len(body), EXPORTED_MS // 1_000, 1, 7) + body


def test_what_a_router_says_of_itself_is_no_flow_and_times_its_flows() -> None:
    # As softflowd writes it: the one place where IPFIX says since when a router counts.
    options = struct.pack(">HHHHHHH", 256, 2, 1, 143, 4, 160, 8)
    said = struct.pack(">IQ", 1, EXPORTED_MS - 10_000)
    template = struct.pack(">HHHHHHHH", 1024, 3, 8, 4, 22, 4, 1, 4)
    flow = bytes([10, 0, 0, 1]) + struct.pack(">II", 4_000, 555)
    (found,) = cells(ipfix((3, options), (256, said), (2, template), (1024, flow)))
    assert (found["octetDeltaCount"], int(found["flowStartMilliseconds"])) == ("555", EXPORTED_MS - 6_000)
    # The number is given to flows later on.
    again = struct.pack(">HHHH", 256, 1, 1, 4)
    (found,) = cells(ipfix((3, options), (2, again), (256, struct.pack(">I", 9))))
    assert found["octetDeltaCount"] == "9"


def test_a_flow_from_before_a_routers_count_began_anew_is_of_that_time_and_not_of_weeks_ahead() -> None:
    head = struct.pack(">HHIIIIBBH", 5, 1, 3_000, EXPORTED_MS // 1_000, 0, 1, 0, 0, 0)
    begins, ends = 2**32 - 2_000, 1_000
    flow = struct.pack(">IIIHHIIIIHHBBBBHHBBH", 1, 2, 0, 0, 0, 1, 40, begins, ends, 1, 2, 0, 0, 6, 0, 0, 0, 0, 0, 0)
    (found,) = cells(head + flow)
    assert int(found["flowStartMilliseconds"]) == EXPORTED_MS - 5_000
    assert int(found["flowEndMilliseconds"]) == EXPORTED_MS - 2_000


def test_freeswitch_escapes_what_it_writes_and_says_the_called_number_where_the_call_went() -> None:
    """Both as in the specifications of public projects that read them; whether values are escaped is its setting."""
    forms = {name: Decoder(form) for name, form in read_formats(SAMPLES).items()}
    variables = {"effective_caller_id_number": "%2B8613800138000", "answer_epoch": "1767578400", "billmsec": "60500"}
    profile = "<caller_profile><destination_number>01065551234</destination_number><uuid>9135</uuid></caller_profile>"
    fields = "".join(f"<{name}>{value}</{name}>" for name, value in variables.items())
    xml = f'<cdr><variables>{fields}</variables><callflow dialplan="XML">{profile}</callflow></cdr>'
    said = ",".join(f'"{name}":"{value}"' for name, value in {**variables, "uuid": "9135"}.items())
    called = '"callflow":{"caller_profile":{"destination_number":"01065551234"}}'
    found = [
        *forms["freeswitch-xml"].decode(xml.encode()),
        # It writes the flow of a transferred call twice under one name: the last one counts.
        *forms["freeswitch-json"].decode(f'{{"variables":{{{said}}},"callflow":{{}},{called}}}'.encode()),
    ]
    for each in found:
        assert not isinstance(each, UnreadRecord | DroppedRecord), each
        assert (each.record.identity, each.record.other_party) == ("msisdn:8613800138000", "01065551234")
