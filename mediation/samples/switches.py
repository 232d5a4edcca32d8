"""Three switches of different make that write files, well and badly.

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

ZONE = ZoneInfo("Asia/Shanghai")
STRANGER = "13099999999"
"""Nobody has opened this number: its records wait in suspense."""
_LAST_NUMBER = 9_999
KEPT_FILES = 500
"""Older ones are written over, as on a switch's disk."""
CALLS_S = 6
"""Records a second, of all subscribers of a switch."""


class SwitchMake(Struct, frozen=True):
    """How one make of switch writes."""

    name: str
    full_bytes: int
    """A file is closed when it has so many."""
    every_s: int
    """And at the latest after so many seconds."""
    line: Callable[[random.Random, int, str, str, int], str]
    """Chance, serial number, who pays, the other one, and when, UTC milliseconds → a record."""
    encoding: str
    ending: str
    frame: Callable[[Sequence[str]], list[str]]
    """Lines → a file's lines."""
    unfinished: str = ""
    """Ending of a file that is being written; empty = it is written in its place."""
    companion: str = ""
    """Ending of what is made beside a finished file."""


def _stamp(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, ZONE).strftime("%Y%m%d%H%M%S")


def _call(chance: random.Random, serial: int, who: str, other: str, at_ms: int) -> str:
    cause = chance.choices(("released", "busy", "no answer"), (18, 1, 1))[0]
    seconds = chance.randint(3, 600) if cause == "released" else 0
    return f"{serial},{who},{other},{_stamp(at_ms - seconds * 1_000)},{seconds},{cause}"


def _message(chance: random.Random, serial: int, who: str, other: str, at_ms: int) -> str:
    return f"{serial % 10**8:08}{who:<13}{other:<13}{_stamp(at_ms)}01"


def _volume(chance: random.Random, serial: int, who: str, other: str, at_ms: int) -> str:
    # Sessions are told in parts: three of them share a charging id.
    shown = {
        "subscriber": {"msisdn": f"86{who}F"},
        "opened": str(at_ms - 1_000),
        "volume": {"kib": chance.randint(1, 40_000)},
        "charging_id": serial // 3,
        "sequence": serial % 3 + 1,
    }
    return json.dumps(shown)


def _counted(lines: Sequence[str]) -> list[str]:
    return ["# calls", *lines, f"END {len(lines):06}"]


MAKES = (
    SwitchMake("gx", 6_000, 20, _call, "gb18030", ".cdr", _counted, companion=".ok"),
    SwitchMake("hx", 4_000, 30, _message, "ascii", ".txt", list, unfinished=".tmp"),
    SwitchMake("pgw", 12_000, 15, _volume, "utf-8", ".json", list),
)


class SampleSwitch:
    """One switch and the folder into which it writes."""

    def __init__(self, make: SwitchMake, folder: Path, numbers: Sequence[str], seed: int) -> None:
        self._make = make
        self._folder = folder
        self._numbers = numbers
        self._chance = random.Random(f"{seed} {make.name}")
        self._lines: list[str] = []
        self._opened_ms = self._told_ms = 0
        self._number = _newest(make, folder) % _LAST_NUMBER + 1
        self._serial = self._number * 100_000
        self._late: tuple[int, list[str]] | None = None
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
            self._lines.append(self._record(min(self._told_ms, now_ms)))
        full = sum(map(len, self._lines)) >= make.full_bytes
        if self._lines and (full or now_ms - self._opened_ms >= make.every_s * 1_000):
            self._close()
            self._opened_ms = now_ms
        else:
            self._write_open()

    def _record(self, at_ms: int) -> str:
        self._serial += 1
        who = STRANGER if self._chance.random() < 0.004 else self._chance.choice(self._numbers)
        return self._make.line(self._chance, self._serial, who, self._chance.choice(self._numbers), at_ms)

    def _write_open(self) -> None:
        """The file that is being written stands there, its last line half."""
        text = "\n".join(self._make.frame(self._lines))
        self._put(self._name(self._number) + self._make.unfinished, text[: len(text) * 2 // 3])

    def _close(self) -> None:
        lines, self._lines = self._lines, []
        chance, self.files = self._chance, self.files + 1
        # The switch forgets that it wrote its last records, and writes them into the next file, too.
        if self.files % 4 == 0:
            self._lines = lines[-3:]
        # A record is corrected: the same, with another content.
        if self.files % 7 == 0:
            self._lines.append(self._corrected(lines[-1]))
        if self._late is not None:
            self._finish(*self._late)
            self._late = None
        number = self._number
        self._number = number % _LAST_NUMBER + 1
        if self.files % 9 == 5:
            self._late = (number, lines)
            (self._folder / (self._name(number) + self._make.unfinished)).unlink(missing_ok=True)
            if self._make.companion:
                self._finish(number, lines, told=lines[:-1])
            return
        self._finish(number, lines)
        if chance.random() < 0.1:
            self._finish(number, lines, name=f"again-{self._name(number)}")

    def _corrected(self, line: str) -> str:
        if self._make.companion:
            head, seconds, cause = line.rsplit(",", 2)
            return f"{head},{int(seconds) + 60},{cause}"
        return line.replace('"kib": ', '"kib": 1') if self._make.name == "pgw" else line

    def _finish(self, number: int, lines: list[str], *, told: list[str] | None = None, name: str = "") -> None:
        """Write a whole file; with `told`, one whose trailer counts other records than it has."""
        make, name = self._make, name or self._name(number)
        framed = make.frame(lines)
        if told is not None:
            framed[-1] = make.frame(told)[-1]
        self._put(name + make.unfinished, "\n".join((*framed, "")))
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

    def _put(self, name: str, text: str) -> None:
        (self._folder / name).write_bytes(text.encode(self._make.encoding, "ignore"))

    def _name(self, number: int) -> str:
        return f"{self._make.name}_{number:04}{self._make.ending}"


def _newest(make: SwitchMake, folder: Path) -> int:
    """Give the number of the newest file that is there; 0 = there is none."""
    return max((int(path.name.split("_")[1][:4]) for path in folder.glob(f"{make.name}_*")), default=0)
