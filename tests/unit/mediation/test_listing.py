"""Lists of files as FTP servers write them, read against a clock: UNIX, DOS, VMS, in many languages."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediation.collecting.listing import LINE_BYTES_MAX, read_facts, read_list
from mediation.plant.files import ListedFile

NOW = datetime(2026, 8, 26, 12)


@pytest.mark.parametrize(
    ("line", "name", "size", "modified"),
    [
        ("-rw-r--r--   1 root  staff  1234 Aug 26 10:44 a b.cdr", "a b.cdr", 1234, "2026-08-26 10:44"),
        ("-rw-r--r-- 1 o g 5 Jan 20 10:00 x", "x", 5, "2026-01-20 10:00"),
        ("-rw-r--r-- 1 o g 5 Nov  2 10:00 x", "x", 5, "2025-11-02 10:00"),
        ("-rw-r--r-- 1 o g 5 Jan 20  2025 x", "x", 5, "2025-01-20"),
        ("-rw-r--r-- 1 o g 5 Feb 29 10:00 x", "x", 5, "2024-02-29 10:00"),
        ("-rw-r--r-- 1 o 5 Jan 20 10:00 x", "x", 5, "2026-01-20 10:00"),
        ("-rw-r--r--+ 1 domain users 77 5 Jan 20 10:00 x", "x", 5, "2026-01-20 10:00"),
        ("-rw-r--r-- 1 o g 5 2026-07-26 10:44:17.123 +0800 x", "x", 5, "2026-07-26 10:44:17"),
        ("-rw-r--r-- 1 o g 5 2026-07-26 10:44 2026-07-26 x", "2026-07-26 x", 5, "2026-07-26 10:44"),
        ("-rw-r--r-- 1 o g 5 7月 26 10:44 话单", "话单", 5, "2026-07-26 10:44"),
        ("-rw-r--r-- 1 o g 5 7月 26 2025 x", "x", 5, "2025-07-26"),
        ("-rw-r--r-- 1 o g 5 2026年 1月 20日 x", "x", 5, "2026-01-20"),
        ("-rw-r--r-- 1 o g 5 1月 20日 10:44 x", "x", 5, "2026-01-20 10:44"),
        ("-rw-r--r-- 1 o g 5 26. März 2024 x", "x", 5, "2024-03-26"),
        ("-rw-r--r-- 1 o g 5 26 févr. 10:44 x", "x", 5, "2026-02-26 10:44"),
        ("-rw-r--r-- 1 o g 5 мая 20 10:44 x", "x", 5, "2026-05-20 10:44"),
        ("-rw-r--r-- 1 o g 5 qqq 20 10:44 x", "x", 5, "qqq 20 10:44"),
        ("11-26-25  10:44PM       1234 dos file", "dos file", 1234, "2025-11-26 22:44"),
        ("11-26-2025  12:04AM       1234 x", "x", 1234, "2025-11-26 00:04"),
        ("26.11.2025  22:44       1234 x", "x", 1234, "2025-11-26 22:44"),
        ("2025-11-26  22:44       1234 x", "x", 1234, "2025-11-26 22:44"),
    ],
)
def test_lines_of_many_servers_are_read(line: str, name: str, size: int, modified: str) -> None:
    listing = read_list([line.encode()], NOW)
    assert listing.unread == ()
    assert listing.files == (ListedFile(name, size, modified),)


def test_vms_tells_blocks_and_breaks_its_lines() -> None:
    lines = [
        b"Directory DISK$CDR:[GX]",
        b"",
        b"X.CDR;1    12/15   26-NOV-2025 10:44:17.12  [G,O]  (RWED,RWED,RE,)",
        b"A_VERY_LONG_NAME_OF_A_FILE.CDR;3",
        b"             2  26-NOV-2025 10:44  [G,O]  (RWED,RWED,RE,)",
        b"LOGS.DIR;1    1   26-NOV-2025 10:44  [G,O]  (RWED,RWED,RE,)",
        b"Total of 3 files, 15 blocks.",
    ]
    listing = read_list(lines, NOW)
    assert listing.unread == ()
    assert listing.files == (
        ListedFile("A_VERY_LONG_NAME_OF_A_FILE.CDR;3", 1024, "2025-11-26 10:44", exact=False),
        ListedFile("X.CDR;1", 6144, "2025-11-26 10:44:17", exact=False),
    )


def test_what_is_no_file_is_left_out_and_what_cannot_be_read_is_told_alone() -> None:
    good = b"-rw-r--r-- 1 o g 5 Jan 20 10:00 good"
    lines = [
        b"total 12",
        b"drwxr-xr-x 1 o g 5 Jan 20 10:00 folder",
        b"lrwxrwxrwx 1 o g 5 Jan 20 10:00 link -> /etc/passwd",
        b"11-26-25  10:44PM  <DIR>  folder",
        b"nonsense",
        b"-rw-r--r-- 1 o g 5 Jan 20 10:00 ../../etc/passwd",
        b"-rw-r--r-- 1 o g 5 Jan 20 10:00 /etc/passwd",
        b"-rw-r--r-- 1 o g 5 Jan 20 10:00 nul\0",
        b"-rw-r--r-- 1 o g 5 Jan 32 10:00 x",
        b"-rw-r--r-- 1 o g 5 Jan 20 10:00 " + b"x" * LINE_BYTES_MAX,
        good,
        good,
    ]
    listing = read_list(lines, NOW)
    assert [file.name for file in listing.files] == ["good"]
    assert [each.line for each in listing.unread] == [5, 6, 7, 8, 9, 10, 12]
    assert listing.unread_count == 7


def test_a_name_is_its_bytes_whatever_encoding_they_are_in() -> None:
    raw = "话单".encode("gb18030")
    (file,) = read_list([b"-rw-r--r-- 1 o g 5 11\xd4\xc2 20 2025 " + raw], NOW).files
    assert file.name.encode(errors="surrogateescape") == raw
    assert file.modified == "2025-11-20"
    assert file.shown == "\\xbb\\xb0\\xb5\\xa5"


def test_facts_are_read() -> None:
    lines = [
        b"Type=file;Size=12;Modify=20261126104417.123;UNIX.mode=0644; a b",
        b"type=cdir;modify=20261126104417; .",
        b"type=dir; d",
        b"type=file; no size",
        b"nothing",
    ]
    listing = read_facts(lines)
    assert listing.files == (ListedFile("a b", 12, "2026-11-26 10:44:17"),)
    assert [each.line for each in listing.unread] == [4, 5]


MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2035, 12, 31))
NAMES = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="/;"), min_size=1, max_size=40)


def unix(name: str, size: int, moment: datetime, now: datetime) -> bytes:
    """Write a line as ls does: hours for half a year, then the year."""
    recent = timedelta(0) <= now - moment < timedelta(days=182)
    date = moment.strftime("%b %e %H:%M" if recent else "%b %e  %Y")
    return f"-rw-r--r--   1 cdr      cdr   {size:>12} {date} {name}".encode()


@given(NAMES.filter(lambda name: name.strip() == name), st.integers(0, 10**12), MOMENTS, st.integers(0, 4_000))
def test_a_file_is_the_same_file_however_old_it_gets(name: str, size: int, moment: datetime, days: int) -> None:
    now = moment + timedelta(days=days, hours=1)
    (young,) = read_list([unix(name, size, moment, moment)], moment).files
    (old,) = read_list([unix(name, size, moment, now)], now).files
    assert (young.name, young.bytes) == (old.name, old.bytes) == (name, size)
    assert old.looks_like(young.bytes, young.modified)
    assert old.modified.startswith(moment.strftime("%Y-%m-%d")), "a date without a year is no date of the next year"
    assert not old.looks_like(size + 1, young.modified)


@given(st.lists(st.binary(max_size=80)), MOMENTS)
def test_no_line_hides_another(lines: list[bytes], now: datetime) -> None:
    good = unix("good.cdr", 5, now, now)
    rest = [line.replace(b"\n", b"").replace(b"good", b"") for line in lines]
    # A name alone on a line goes on in the next where VMS writes, so an empty one parts them.
    listing = read_list([*rest, b"", good], now)
    assert "good.cdr" in {file.name for file in listing.files}
