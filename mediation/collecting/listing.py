"""Lists of files as FTP servers write them: MLSD (RFC 3659), and the lines of LIST, which nothing prescribes.

Pure. LIST is read in the forms of UNIX (also with months in other languages), DOS and VMS, dates without a year against
a clock that is handed in: each is the newest such day that isn't ahead. A time goes down to what its line says and no
further, so that `Nov 26 10:44` and, half a year on, `Nov 26  2026` are one file that nobody touched. A line that can't
be read is told, and the others are read.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from mediation.plant.files import ListedFile, shown_name

LINE_BYTES_MAX = 4_096
UNREAD_TOLD_MAX = 100
VMS_BLOCK = 512
_AHEAD = timedelta(days=1)
"""The clock of a server, or its zone, may be so far ahead of ours."""
_MONTHS = (
    "jan janv jän ene gen sty янв oca led 1月",
    "feb févr fev lut фев şub úno 2月",
    "mar mär mrz mars mrt мар bře 3月",
    "apr avr abr kwi апр nis dub 4月",
    "may mai mag mei maj май мая kvě 5月",
    "jun juin giu cze июн haz červ 6月",
    "jul juil lug lip июл tem čvc 7月",
    "aug août ago sie авг ağu srp 8月",
    "sep sept set wrz сен eyl zář 9月",
    "oct okt ott out paź окт eki říj 10月",
    "nov lis ноя kas 11月",
    "dec déc dez dic gru дек ara pro 12月",
)
_TOKEN = re.compile(r"[^ \t]+")
_MODE = re.compile(r"([-bcdlps])[-rwxsStTlL]{9}[.+@]?")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?")
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_MARKED = re.compile(r"(\d{1,4})[^\d\s:]{1,6}")
"""A number with what it counts behind it: `11月`, `26日`, `2026年`, `26.`"""
_DOS = re.compile(
    r"(\d{1,4})([-/.])(\d{1,2})\2(\d{2,4})[ \t]+(\d{1,2}):(\d{2})[ \t]*([AaPp][Mm])?[ \t]+(<\w+>|\d+) ?(.+)"
)
_VMS = re.compile(
    r"(\S+;\d+)[ \t]+(\d+)(?:/\d+)?[ \t]+"
    r"(\d{1,2})-([A-Za-z]{3})-(\d{4})[ \t]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\b.*"
)
_VMS_NAME = re.compile(r"[^ \t]+;\d+")
_NOISE = re.compile(r"total[ \t]+[\d.,]+[KMGT]?|Total of \d.*|Directory \S+|[ \t]*", re.IGNORECASE)
_ZONE = re.compile(r"[+-]\d{4}")
_LineReader = Callable[[str], ListedFile | None]


class UnreadLine(Struct, frozen=True):
    """A line of a list that could not be read."""

    line: int
    text: str
    why: str


class Listing(Struct, frozen=True):
    """What a source showed."""

    files: tuple[ListedFile, ...]
    """By name. Folders, links and the like are left out."""
    unread: tuple[UnreadLine, ...] = ()
    """The first of them."""
    unread_count: int = 0


class UnreadableEntry(Exception):
    """A line can't be read."""


def read_list(lines: Iterable[bytes], now: datetime) -> Listing:
    """Read the lines of LIST; `now` is naive, in the server's zone as far as it is known."""
    return _listing(_joined(lines), lambda text: _list_line(text, now))


def read_facts(lines: Iterable[bytes]) -> Listing:
    """Read the lines of MLSD."""
    return _listing(enumerate(lines, 1), _facts_line)


def refused_name(name: str) -> str:
    """Say why nobody may ask for a file of that name; "" = one may."""
    if "/" in name or "\0" in name or "\r" in name or "\n" in name:
        return "its name has a character that leads elsewhere"
    return "" if name else "it has no name"


def _listing(lines: Iterable[tuple[int, bytes]], read: _LineReader) -> Listing:
    files: dict[str, ListedFile] = {}
    unread: list[UnreadLine] = []
    count = 0
    for number, line in lines:
        text = line.decode(errors="surrogateescape")
        try:
            if len(line) > LINE_BYTES_MAX:
                raise UnreadableEntry(f"it has more than {LINE_BYTES_MAX} bytes")
            file = read(text)
            if file is None or file.name in (".", ".."):
                continue
            if why := refused_name(file.name):
                raise UnreadableEntry(why)
            if file.name in files:
                raise UnreadableEntry("its name stands in the list twice")
            files[file.name] = file
        except UnreadableEntry as wrong:
            count += 1
            if len(unread) < UNREAD_TOLD_MAX:
                unread.append(UnreadLine(number, shown_name(text[:200]), str(wrong)))
    return Listing(tuple(files[name] for name in sorted(files)), tuple(unread), count)


def _joined(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Give lines by number; VMS puts a long name on a line of its own."""
    held: tuple[int, bytes] | None = None
    for number, line in enumerate(lines, 1):
        if held is not None and line[:1] in (b" ", b"\t"):
            yield held[0], held[1] + line
            held = None
            continue
        if held is not None:
            yield held
            held = None
        if _VMS_NAME.fullmatch(line.decode(errors="surrogateescape").rstrip()):
            held = (number, line.rstrip())
        else:
            yield number, line
    if held is not None:
        yield held


def _list_line(text: str, now: datetime) -> ListedFile | None:
    """Read one line of LIST; None = it is no file. Raises `UnreadableEntry`."""
    if _NOISE.fullmatch(text):
        return None
    if (mode := _MODE.match(text)) is not None:
        return _unix(text, mode, now)
    if (match := _VMS.fullmatch(text)) is not None:
        return _vms(match)
    if (match := _DOS.fullmatch(text)) is not None:
        return _dos(match)
    raise UnreadableEntry("it is in no form of UNIX, DOS or VMS")


def _facts_line(text: str) -> ListedFile | None:
    facts_text, space, name = text.partition(" ")
    if not space:
        raise UnreadableEntry("it has no name after its facts")
    facts = {key.lower(): value for key, _, value in (fact.partition("=") for fact in facts_text.split(";") if fact)}
    if facts.get("type", "").lower() != "file":
        if "type" not in facts:
            raise UnreadableEntry("it doesn't say what it is")
        return None
    size, modify = facts.get("size", ""), facts.get("modify", "")
    if not _is_size(size):
        raise UnreadableEntry("it doesn't say its size")
    return ListedFile(name, int(size), fact_moment(modify))


def fact_moment(modify: str) -> str:
    """Write a time of RFC 3659 (`20261126104417.123`, UTC) as those of LIST are written; another text stays."""
    digits = modify.strip().partition(".")[0]
    if len(digits) != 14 or not _is_size(digits):
        return shown_name(modify[:40])
    year, rest = digits[:4], [digits[at : at + 2] for at in range(4, 14, 2)]
    return f"{year}-{rest[0]}-{rest[1]} {rest[2]}:{rest[3]}:{rest[4]}"


def _unix(text: str, mode: re.Match[str], now: datetime) -> ListedFile | None:
    if mode[1] != "-":
        return None
    tokens = [match for _, match in zip(range(14), _TOKEN.finditer(text), strict=False)]
    words = [token[0] for token in tokens]
    # Links, owner and group may be missing or have spaces: the size is the first number with a date behind it.
    for at in range(1, len(words) - 2):
        if _is_size(words[at]) and (dated := _date(words[at + 1 :], now)) is not None:
            modified, used = dated
            name = text[tokens[at + used].end() + 1 :]
            return ListedFile(name, int(words[at]), modified)
    raise UnreadableEntry("it has no size with a date behind it")


def _vms(match: re.Match[str]) -> ListedFile | None:
    name, blocks, day, month, year, *clock = match.groups()
    if name.rpartition(";")[0].upper().endswith(".DIR"):
        return None
    if (number := _month(month)) is None:
        raise UnreadableEntry(f"{shown_name(month)} is no month")
    modified = _moment(int(year), number, int(day), tuple(clock))
    # It tells blocks, which is more or less.
    return ListedFile(name, int(blocks) * VMS_BLOCK, modified, exact=False)


def _dos(match: re.Match[str]) -> ListedFile | None:
    first, mark, second, third, hour, minute, half, size, name = match.groups()
    if not size.isdecimal():
        return None
    if len(first) > 2:
        year, month, day = int(first), int(second), int(third)
    else:
        year, month, day = int(third), int(first), int(second)
        if mark == "." or month > 12:
            month, day = day, month
    if year < 100:
        year += 1900 if year >= 70 else 2000
    hours = int(hour)
    if half:
        hours = hours % 12 + (12 if half.lower() == "pm" else 0)
    return ListedFile(name.lstrip(" "), int(size), _moment(year, month, day, (str(hours), minute, None)))


def _date(words: Sequence[str], now: datetime) -> tuple[str, int] | None:
    """Read a date at the beginning of words; gives what it says and how many words it has."""
    if (iso := _ISO.fullmatch(words[0])) is not None and len(words) > 2:
        clock = _CLOCK.fullmatch(words[1])
        used = 3 if len(words) > 3 and _ZONE.fullmatch(words[2]) else 2
        return (_moment(int(iso[1]), int(iso[2]), int(iso[3]), clock.groups()), used) if clock else None
    if len(words) < 4:
        return None
    parts = [_number(word) for word in words[:3]]
    for month_at, day_at in ((0, 1), (1, 0)):
        month, day, last = _month(words[month_at]), parts[day_at], words[2]
        if month is None or day is None or not 1 <= day <= 31:
            continue
        if (clock := _CLOCK.fullmatch(last)) is not None:
            return _without_year(month, day, clock.groups(), now), 3
        if (year := parts[2]) is not None and 1900 <= year <= 9999:
            return _moment(year, month, day, None), 3
    if parts[0] is not None and parts[0] >= 1900 and (month := _month(words[1])) is not None and parts[2] is not None:
        return _moment(parts[0], month, parts[2], None), 3
    return _unknown_month(words, parts)


def _unknown_month(words: Sequence[str], parts: Sequence[int | None]) -> tuple[str, int] | None:
    """Take a date of a language that isn't known as it stands: that it is another one still means something."""
    word, day = (words[0], parts[1]) if parts[0] is None else (words[1], parts[0])
    if any(char.isdecimal() for char in word) or day is None or not 1 <= day <= 31:
        return None
    if _CLOCK.fullmatch(words[2]) or (parts[2] is not None and 1900 <= parts[2] <= 9999):
        return shown_name(" ".join(words[:3])), 3
    return None


def _without_year(month: int, day: int, clock: Sequence[str | None], now: datetime) -> str:
    for year in range(now.year + 1, now.year - 9, -1):
        try:
            moment = _moment(year, month, day, clock)
        except UnreadableEntry:
            continue  # The 29th of February is in one year of four.
        if datetime.fromisoformat(moment) <= now + _AHEAD:
            return moment
    raise UnreadableEntry("no year has such a day and time")


def _moment(year: int, month: int, day: int, clock: Sequence[str | None] | None) -> str:
    """Write a moment as MLSD does, down to what is known of it."""
    hour, minute, second = clock if clock is not None else (None, None, None)
    try:
        moment = datetime(year, month, day, int(hour or 0), int(minute or 0), int(second or 0))
    except ValueError as error:
        raise UnreadableEntry(f"it has no possible date: {error}") from None
    if hour is None:
        return moment.strftime("%Y-%m-%d")
    return moment.strftime("%Y-%m-%d %H:%M" if second is None else "%Y-%m-%d %H:%M:%S")


def _number(word: str) -> int | None:
    if word.isascii() and word.isdecimal() and len(word) <= 4:
        return int(word)
    marked = _MARKED.fullmatch(word)
    return int(marked[1]) if marked is not None and marked[1].isascii() else None


def _month(word: str) -> int | None:
    """Give the number of a month by its name, in any of the languages that are known."""
    if (number := _number(word)) is not None and not (word.isdecimal() or word.endswith(".")):
        return number if 1 <= number <= 12 and not word.endswith("日") else None
    plain = _plain(_letters(word).rstrip("."))
    return _BY_NAME.get(plain[:4]) or _BY_NAME.get(plain[:3])


def _letters(word: str) -> str:
    raw = word.encode(errors="surrogateescape")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _plain(word: str) -> str:
    apart = unicodedata.normalize("NFD", word.casefold())
    return "".join(char for char in apart if not unicodedata.combining(char))


_BY_NAME = {_plain(name)[:4]: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}


def _is_size(word: str) -> bool:
    return word.isascii() and word.isdecimal() and len(word) <= 15
