"""Usage files that nobody would write: none ends the run, each line is rated or refused, sound ones cost the same.

`ONETIER_FUZZ_SECONDS` says for how long, `ONETIER_FUZZ_SEED` which files; the seed and the number of a file that fails
are printed, and make it again.
"""

import csv
import os
import random
import time
from collections import Counter
from io import BytesIO, TextIOWrapper
from pathlib import Path

from authoring.files import read_folder
from authoring.offline import REQUIRED, OfflineRater, Rated, rate_lines, unused
from authoring.usage_lines import LINE_CHARS_MAX, columns, read_lines
from charging.errors import Invalid

SECONDS = float(os.environ.get("ONETIER_FUZZ_SECONDS", "5"))
SAMPLE = Path(__file__).resolve().parents[3] / "catalogues"
MESSAGE_CHARS_MAX = 1_000
HEADER = "identity,domain,offerings,service,start,quantity,other_party,visited,cycle_day,payment_mode,customer.grade"
SOUND = "msisdn:8613012345678,{},mobile-basic,voice,2026-11-23T10:00:00,60,13912345678,,,,"
LINES = (
    SOUND.format("BJ"),
    "13912345678,GD,mobile-59,data,2026-11-23T10:00:00+08:00,1048576,,,15,prepaid,gold",
    "broadband:bj0012@adsl,BJ,broadband-100,broadband,1795400000000,1073741824,,,,,",
    "13912345678,GD,mobile-59,sms,2026-11-23,1,10086,HK-CSL,1,postpaid,",
)
PIECES = (
    "", "0", "-1", "9" * 19, "9" * 5_000, "1e9", "٣", "²", "0x10", "\x00", '"', '""', '"a', "a\nb", "\r", "\ufeff",
    ";" * 50, "NaN", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-02-30", "24:00", "28", "29",
    "msisdn:", "msisdn:13105551234", "+" * 200, "x" * 200, "GD", "XX", "voice", "Voice.HD", "data", "\u202e", "=1",
)  # fmt: skip
BYTES = (b"\xff", b"\xc3", b"\x00", b"\xed\xa0\x80", b"\r", b"\n", b'"', b",", b"\xef\xbb\xbf", b"\xff\xfe")


def _cells(chance: random.Random) -> str:
    cells = chance.choice(LINES).split(",")
    for _ in range(chance.choice((0, 1, 1, 1, 2, 4))):
        cells[chance.randrange(len(cells))] = chance.choice(PIECES)
    if chance.random() < 0.1:
        chance.shuffle(cells)
    if chance.random() < 0.1:
        cells = cells[: chance.randrange(len(cells) + 1)] + [chance.choice(PIECES)] * chance.randrange(3)
    return ",".join(cells)


def _file(chance: random.Random) -> bytes:
    """Make a file with a sound line after every other one, the other kind broken in some way."""
    lines = [line for _ in range(chance.randrange(1, 30)) for line in (_cells(chance), SOUND.format("SH"))]
    if chance.random() < 0.05:
        lines[0] = "y" * chance.choice((LINE_CHARS_MAX, LINE_CHARS_MAX + 1, 400_000))
    content = [line.encode("utf-8", "surrogatepass") for line in lines]
    for _ in range(chance.randrange(4)):
        place = 2 * chance.randrange(len(content) // 2)
        cut = chance.randrange(len(content[place]) + 1)
        content[place] = content[place][:cut] + chance.choice(BYTES) + content[place][cut:]
    end = chance.choice((b"\n", b"\r\n"))
    return chance.choice((b"", b"\xef\xbb\xbf")) + HEADER.encode() + end + end.join(content)


def _check(content: bytes, rater: OfflineRater, told: Counter[str]) -> None:
    file = TextIOWrapper(BytesIO(content), encoding="utf-8-sig", errors="surrogateescape", newline="")
    lines = read_lines(file)
    names = columns(next(lines), REQUIRED)
    kept = list(lines)
    prices = []
    for result in rate_lines(rater, names, kept):
        if isinstance(result, Rated):
            told["rated"] += 1
            "".join(result.row.values()).encode()
            if result.row["identity"] == "msisdn:8613012345678" and result.row["domain"] == "SH":
                prices.append(result.charge.amount)
        else:
            told[result.reason] += 1
            assert 0 < len(result.message) <= MESSAGE_CHARS_MAX, result
            assert "\n" not in result.message
    assert len(prices) == content.count(SOUND.format("SH").encode())
    assert set(prices) <= {250_000}


def _check_header(chance: random.Random, rater: OfflineRater, told: Counter[str]) -> None:
    header = HEADER.encode()
    cut = chance.randrange(len(header) + 1)
    header = header[:cut] + chance.choice((*BYTES, b"", b"x" * 70_000)) + header[cut + chance.randrange(3) :]
    file = TextIOWrapper(BytesIO(header + b"\n" + LINES[1].encode()), "utf-8-sig", "surrogateescape", newline="")
    lines = read_lines(file)
    try:
        names = columns(next(lines, None), REQUIRED)
    except Invalid as fault:
        told[fault.reason] += 1
        return
    unused(names)
    csv.writer(TextIOWrapper(BytesIO(), encoding="utf-8")).writerow(names)
    list(rate_lines(rater, names, lines))


def test_no_file_ends_the_run_and_no_line_harms_another() -> None:
    seed = int(os.environ.get("ONETIER_FUZZ_SEED", "0")) or time.time_ns() // 1_000_000
    rater = OfflineRater(read_folder(SAMPLE).catalogues)
    told: Counter[str] = Counter()
    end, number = time.monotonic() + SECONDS, 0
    while time.monotonic() < end:
        number += 1
        chance = random.Random(f"{seed}/{number}")
        content = _file(chance)
        try:
            _check(content, rater, told)
            _check_header(chance, rater, told)
        except BaseException:
            print(f"seed {seed}, file {number}: {content[:2_000]!r}")
            raise
    print(f"seed {seed}: {number} files, {told.total()} lines: {dict(told.most_common())}")
    assert told["rated"] > 0
