"""Records that want to be charged for less, or to keep their reader busy: each harms itself at most."""

import pytest

from mediation.decoding.decoded import Decoded
from mediation.records import UnreadRecord, UnusableFile
from tests.unit.mediation.roaming_files import roaming_data
from tests.unit.mediation.test_other_decoders import (
    DETAIL,
    batch,
    decode,
    flow_set,
    flows,
    ipfix,
    nine,
    whole,
)


def test_a_detail_file_that_ends_within_a_record_is_held_also_where_a_line_ends() -> None:
    whole_file = DETAIL.replace("\\\\.", ".")
    assert isinstance(decode("radius", whole_file.replace("\n", "\r\n"))[0], Decoded)
    cut = whole_file[: whole_file.index("\tAcct-Input-Gigawords")]
    with pytest.raises(UnusableFile, match="cut off"):
        decode("radius", cut)


def test_a_volume_below_zero_takes_nothing_off_the_other_direction() -> None:
    name, data = roaming_data()
    volumes = {"dataVolumeIncoming": 100, "dataVolumeOutgoing": -40, "chargeInformationList": []}
    (row,) = decode("tap", batch([(name, {**data, "gprsServiceUsed": volumes})]))
    assert isinstance(row, UnreadRecord)
    assert "quantity: '-40'" in row.why


def test_fields_without_octets_cost_nothing_and_a_time_of_no_size_harms_its_own_flow() -> None:
    """A datagram of 40 KB, in which each octet is a flow of eight thousand fields, would be read for minutes."""
    empty = b"".join(whole((2_000 + at, 2), (0, 2)) for at in range(8_000))
    bomb = ipfix(flow_set(2, whole((300, 2), (8_001, 2)) + empty + whole((4, 2), (1, 2))), flow_set(300, bytes(8_000)))
    assert [set(row) for row in flows(bomb)] == [{"version", "observationDomainId", "protocolIdentifier"}] * 8_000
    times = flow_set(0, whole((256, 2), (1, 2), (22, 2), (9, 2)))
    (row,) = flows(nine(times, flow_set(256, b"\xaa" * 9), count=2))
    assert "flowStartMilliseconds" not in row
