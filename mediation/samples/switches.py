"""Four switches of different make that write files, well and badly.

Each closes a file when it is full or when its time is over, as switches do (seed 002), numbers its files, and does what
real ones do: it writes records twice, sends a file again under another name, corrects a record that it sent, miscounts
a file and mends it later, skips a number and comes back to it, and stands in the middle of a file when looked at.
"""

import json
import random
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import Struct

from mediation.samples.berfiles import file_of, record_of

ZONE = ZoneInfo("Asia/Shanghai")
STRANGER = "13099999999"
"""Nobody has opened this number: its records wait in suspense."""
_LAST_NUMBER = 9_999
KEPT_FILES = 500
"""Older ones are written over, as on a switch's disk."""
PART_S = 120
"""After so many seconds a switch writes what there is of a call, and goes on in another record."""
CALLS_S = 6
"""Records a second, of all subscribers of a switch."""


class SwitchMake(Struct, frozen=True):
    """How one make of switch writes."""

    name: str
    full_bytes: int
    """A file is closed when it has so many."""
    every_s: int
    """And at the latest after so many seconds."""
    records: Callable[[random.Random, int, str, str, int], list[bytes]]
    """Chance, serial number, who pays, the other one, and when it ended, UTC milliseconds → the records of a use.

    Of several, which are parts, each following one stands in the next file.
    """
    file: Callable[[Sequence[bytes], int], bytes]
    """Records, and how many the file says that it has → a file."""
    ending: str
    unfinished: str = ""
    """Ending of a file that is being written; empty = it is written in its place."""
    companion: str = ""
    """Ending of what is made beside a finished file."""
    counts: bool = False
    """A file says how many records it has."""
    corrected: Callable[[bytes], bytes] | None = None
    """A record → the same, with another content; None = it corrects none."""


def _stamp(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, ZONE).strftime("%Y%m%d%H%M%S")


def _call(chance: random.Random, serial: int, who: str, other: str, at_ms: int) -> list[bytes]:
    cause = chance.choices(("released", "busy", "no answer"), (18, 1, 1))[0]
    seconds = chance.randint(3, 600) if cause == "released" else 0
    return [f"{serial},{who},{other},{_stamp(at_ms - seconds * 1_000)},{seconds},{cause}".encode()]


def _longer(line: bytes) -> bytes:
    head, seconds, cause = line.rsplit(b",", 2)
    return b"%s,%d,%s" % (head, int(seconds) + 60, cause)


def _message(chance: random.Random, serial: int, who: str, other: str, at_ms: int) -> list[bytes]:
    return [f"{serial % 10**8:08}{who:<13}{other:<13}{_stamp(at_ms)}01".encode()]


def _volume(chance: random.Random, serial: int, who: str, other: str, at_ms: int) -> list[bytes]:
    # Sessions are told in parts: three of them share a charging id.
    shown = {
        "subscriber": {"msisdn": f"86{who}F"},
        "opened": str(at_ms - 1_000),
        "volume": {"kib": chance.randint(1, 40_000)},
        "charging_id": serial // 3,
        "sequence": serial % 3 + 1,
    }
    return [json.dumps(shown).encode()]


def _more(line: bytes) -> bytes:
    return line.replace(b'"kib": ', b'"kib": 1')


def _switched(chance: random.Random, serial: int, who: str, other: str, at_ms: int) -> list[bytes]:
    """Calls in the records of TS 32.298, a long one in parts; now and then one of them never comes."""
    seconds = chance.randint(3, 400)
    begins = range(0, seconds, PART_S)
    began_ms = at_ms - seconds * 1_000
    parts = [
        record_of(
            "moCallRecord",
            {
                "recordType": "0",
                "servedIMSI": f"46000{who[-10:]}",
                "servedMSISDN": f"+86{who}",
                "calledNumber": f"+86{other}",
                "recordingEntity": "+8613900000001",
                "answerTime": f"{_stamp(began_ms + begin * 1_000)}+0800",
                "callDuration": str(min(PART_S, seconds - begin)),
                "causeForTerm": "0" if begin == begins[-1] else "1",
                "callReference": f"{serial % 2**32:08x}",
                "sequenceNumber": str(number),
            },
        )
        for number, begin in enumerate(begins, 1)
    ]
    if len(parts) > 1 and chance.random() < 0.03:
        del parts[chance.randrange(len(parts))]
    return parts


def _counted(lines: Sequence[bytes], count: int) -> bytes:
    return b"\n".join((b"# calls", *lines, b"END %06d" % count, b""))


def _lines(lines: Sequence[bytes], count: int) -> bytes:
    return b"\n".join((*lines, b""))


MAKES = (
    SwitchMake("gx", 6_000, 20, _call, _counted, ".cdr", companion=".ok", counts=True, corrected=_longer),
    SwitchMake("hx", 4_000, 30, _message, _lines, ".txt", unfinished=".tmp"),
    SwitchMake("pgw", 12_000, 15, _volume, _lines, ".json", corrected=_more),
    SwitchMake("msc", 8_000, 20, _switched, file_of, ".ber", counts=True),
)


class SampleSwitch:
    """One switch and the folder into which it writes."""

    def __init__(self, make: SwitchMake, folder: Path, numbers: Sequence[str], seed: int) -> None:
        self._make = make
        self._folder = folder
        self._numbers = numbers
        self._chance = random.Random(f"{seed} {make.name}")
        self._records: list[bytes] = []
        self._parts: list[list[bytes]] = []
        """Of long calls, what the next file and those after it bring."""
        self._opened_ms = self._told_ms = 0
        self._number = _newest(make, folder) % _LAST_NUMBER + 1
        self._serial = self._number * 100_000
        self._late: tuple[int, list[bytes]] | None = None
        """A file that was skipped, or miscounted, and is written with the next."""
        self._kept: deque[str] = deque()
        self.files = 0

    def tick(self, now_ms: int) -> None:
        """Let time go on: records come in, and a file that is full or whose time is over is closed. Raises OSError."""
        make = self._make
        # It has been at work for a while before anybody looks: its first file is full, or its time is over.
        self._opened_ms = self._opened_ms or now_ms - make.every_s * 1_000
        self._told_ms = self._told_ms or now_ms - make.every_s * 1_000
        while self._told_ms < now_ms:
            self._told_ms += self._chance.randint(1, 2_000 // CALLS_S)
            self._record(min(self._told_ms, now_ms))
        full = sum(map(len, self._records)) >= make.full_bytes
        if self._records and (full or now_ms - self._opened_ms >= make.every_s * 1_000):
            self._close()
            self._opened_ms = now_ms
        else:
            self._write_open()

    def _record(self, at_ms: int) -> None:
        self._serial += 1
        who = STRANGER if self._chance.random() < 0.004 else self._chance.choice(self._numbers)
        first, *parts = self._make.records(self._chance, self._serial, who, self._chance.choice(self._numbers), at_ms)
        self._records.append(first)
        if parts:
            self._parts.append(parts)

    def _write_open(self) -> None:
        """The file that is being written stands there, its last record half."""
        content = self._make.file(self._records, len(self._records))
        self._put(self._name(self._number) + self._make.unfinished, content[: len(content) * 2 // 3])

    def _close(self) -> None:
        records, self._records = self._records, []
        chance, self.files = self._chance, self.files + 1
        # The switch forgets that it wrote its last records, and writes them into the next file, too.
        if self.files % 4 == 0:
            self._records = records[-3:]
        # A record is corrected: the same, with another content.
        if self.files % 7 == 0 and self._make.corrected is not None:
            self._records.append(self._make.corrected(records[-1]))
        self._records += [parts.pop(0) for parts in self._parts]
        self._parts = [parts for parts in self._parts if parts]
        if self._late is not None:
            self._finish(*self._late)
            self._late = None
        number = self._number
        self._number = number % _LAST_NUMBER + 1
        if self.files % 9 == 5:
            self._late = (number, records)
            (self._folder / (self._name(number) + self._make.unfinished)).unlink(missing_ok=True)
            if self._make.counts:
                self._finish(number, records, told=len(records) - 1)
            return
        self._finish(number, records)
        if chance.random() < 0.1:
            self._finish(number, records, name=f"again-{self._name(number)}")

    def _finish(self, number: int, records: list[bytes], *, told: int = -1, name: str = "") -> None:
        """Write a whole file; with `told`, one that counts other records than it has."""
        make, name = self._make, name or self._name(number)
        self._put(name + make.unfinished, make.file(records, len(records) if told < 0 else told))
        if make.unfinished:
            (self._folder / (name + make.unfinished)).rename(self._folder / name)
        if make.companion:
            (self._folder / (name + make.companion)).touch()
        if name not in self._kept:
            self._kept.append(name)
        while len(self._kept) > KEPT_FILES:
            oldest = self._kept.popleft()
            (self._folder / oldest).unlink(missing_ok=True)
            (self._folder / (oldest + make.companion)).unlink(missing_ok=True)

    def _put(self, name: str, content: bytes) -> None:
        (self._folder / name).write_bytes(content)

    def _name(self, number: int) -> str:
        return f"{self._make.name}_{number:04}{self._make.ending}"


def _newest(make: SwitchMake, folder: Path) -> int:
    """Give the number of the newest file that is there; 0 = there is none."""
    return max((int(path.name.split("_")[1][:4]) for path in folder.glob(f"{make.name}_*")), default=0)
