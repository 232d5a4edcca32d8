"""Files decoded by columns: whatever stands in them, each record is what the decoder of single records makes of it."""

from itertools import chain
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediation.decoding import bycolumns
from mediation.decoding.bycolumns import columns_say
from mediation.decoding.decoded import Decoded
from mediation.decoding.decoder import Decoder
from mediation.decoding.pieces import records_in
from mediation.duplicates.keys import key_of
from mediation.formats.format import Delimited, FixedWidth, Format
from mediation.formats.reading import read_formats
from mediation.records import DetailRecord, UnreadRecord, UnusableFile
from mediation.samples.plant import FORMATS

ALL = read_formats(FORMATS)
BY_COLUMNS = {name: form for name, form in ALL.items() if columns_say(form)}
Found = tuple[list[tuple[bytes, DetailRecord]], list[UnreadRecord], list[int]]

TEXTS = st.one_of(
    st.sampled_from(
        [
            "13800138000", "+8613800138000", "msisdn:8613800138000", "86 138 0013 8000", "13800138000F", "01065551234",
            "1３８00138000", "10086", "17951 010 6555 1234", "+447911123456", "x", "", " ", "　", "\x1f", "\u0663",
            "20260105100000", "20260230100000", "20260105100060", "19860504003000", "19860914013000", "00000101000000",
            "2026-01-05 10:00:00", "2026-1-5 10:00:00", "1767578400", "99999999999999999999", "4611686018427387905",
            "30", "0", "007", "-1", "3.5", "1e3", "busy", "no answer", "NO ANSWER", "released", "ANSWERED", "BYE", "01",
            "甲局", "a;b", "😀", "\x00", "a" * 130, "a" * 300, "END 000001", "#", "INTEGER", '"', 'say "x"',
        ]
    ),
    st.text(max_size=6),
)  # fmt: skip
ENDS = st.sampled_from(["\n", "\n", "\n", "\r\n", "\r\r\n", "\n\n", " \n"])


def by_rows(decoder: Decoder, content: bytes) -> Found | str:
    try:
        found = list(decoder.decode(content))
    except UnusableFile as unusable:
        return f"{unusable.reason}: {unusable.why}"
    uses = [(key_of(decoder.form.format, each.key), each.record) for each in found if isinstance(each, Decoded)]
    unread = [each for each in found if isinstance(each, UnreadRecord)]
    gone = [each.place.position for each in found if not isinstance(each, Decoded | UnreadRecord)]
    return uses, unread, gone


def by_columns(decoder: Decoder, content: bytes) -> Found | str:
    try:
        pieces = list(decoder.pieces(content))
    except UnusableFile as unusable:
        return f"{unusable.reason}: {unusable.why}"
    uses = [list(zip(piece.uses["key"], records_in(piece.uses), strict=True)) for piece in pieces]
    unread = chain.from_iterable(piece.unread for piece in pieces)
    return list(chain.from_iterable(uses)), list(unread), [at for piece in pieces for at, _ in piece.dropped]


USUAL = {
    "caller": "13800138000", "called": "13900139000", "began": "20260105100000", "seconds": "30", "cause": "released",
    "src": "13800138000", "dst": "10086", "answer": "2026-01-05 10:00:00", "billsec": "30", "disposition": "ANSWERED",
    "caller_id_number": "13800138000", "destination_number": "13900139000", "answer_stamp": "2026-01-05 10:00:00",
    "callee": "13900139000", "start_time": "2026-01-05 10:00:00", "end_time": "2026-01-05 10:00:31", "method": "INVITE",
    "created": "1767578400", "ms_duration": "30001", "sender": "  13800138000", "receiver": "  13900139000",
    "time": "20260105100000", "kind": "01", "callingPartyNumber": "13800138000", "duration": "30",
    "dateTimeConnect": "1767578400", "finalCalledPartyNumber": "13900139000", "cdrRecordType": "1",
}  # fmt: skip


@st.composite
def files(draw: st.DrawFn, form: Format) -> bytes:
    """Make a file of a format of which some fields, and the frame, are not as they should be."""
    lines = [draw(st.sampled_from([form.lines.header + " made"] if form.lines.header else [""]))]
    layout = form.records
    assert isinstance(layout, Delimited | FixedWidth)
    names = [column.name for column in layout.columns] if isinstance(layout, FixedWidth) else list(layout.columns)
    if isinstance(layout, Delimited) and not names:
        names = [*sorted(form.wanted()), "other"]
        lines.append(layout.delimiter.join(names))
    for serial in range(draw(st.integers(0, 5))):
        cells = {name: USUAL.get(name, f"{serial:05}") for name in names}
        for name in draw(st.lists(st.sampled_from(names), max_size=2)):
            cells[name] = draw(TEXTS)
        if isinstance(layout, FixedWidth):
            lines.append("".join(cells[column.name].ljust(column.width) for column in layout.columns))
        else:
            quoted = draw(st.booleans()) and layout.quote
            told = [f'"{cells[name]}"' if quoted else cells[name] for name in names]
            lines.append(layout.delimiter.join(told) + draw(st.sampled_from(["", "", "", layout.delimiter])))
    if form.lines.trailer and draw(st.integers(0, 9)):
        lines.append(f"{form.lines.trailer} {len(lines) - 1:06}")
    content = b"".join((line + draw(ENDS)).encode(form.encoding, "replace") for line in lines)
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(content)))
        content = content[:at] + draw(st.binary(max_size=2)) + content[at:]
    return content


def test_formats_of_lines_go_by_columns() -> None:
    assert sorted(BY_COLUMNS) == [
        "asterisk", "cucm", "freeswitch-csv", "gx-voice", "hx-sms", "kamailio", "opensips",
    ]  # fmt: skip


@pytest.mark.parametrize("name", sorted(BY_COLUMNS))
@settings(max_examples=40, deadline=None)
@given(data=st.data(), piece_bytes=st.sampled_from([40, 1 << 24]))
def test_columns_say_of_each_record_what_the_decoder_of_single_records_says(
    name: str, data: st.DataObject, piece_bytes: int
) -> None:
    form = BY_COLUMNS[name]
    content = data.draw(files(form))
    with patch.object(bycolumns, "PIECE_BYTES", piece_bytes):
        assert by_columns(Decoder(form), content) == by_rows(Decoder(form), content)
