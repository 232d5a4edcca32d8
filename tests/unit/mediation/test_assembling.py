"""Long calls in parts: whatever the order and the files in which parts come, each call is one use, charged once."""

import asyncio
from pathlib import Path

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from console.frontend.mediating import app
from mediation.formats.format import DropRule, PartsRule
from mediation.line import MediationLine, read_rules
from mediation.plant.assembler import CallAssembler
from mediation.plant.base import PlantBase
from mediation.plant.batches import DETAILS, KeyedRecord, read_batch, write_batch, write_details
from mediation.plant.parts import PartBook
from mediation.plant.plant import Plant
from mediation.plant.work import OPEN
from mediation.proving import Prover
from mediation.records import CallPart, DetailRecord, RecordPlace, ReplacedCharge

NOW_MS = 1_795_680_000_000
HOUR_MS = 3_600_000
FORMAT = """
format: calls
about: Calls, the long ones in parts.
records: {layout: delimited, columns: [who, to, id, number, began, seconds, cause]}
identity: {from: who, read: {type: number, country: CN}}
service: {value: voice}
start: {from: began, read: {type: time, pattern: epoch_s}}
quantity: {from: seconds, read: {type: duration}}
other_party: {from: to}
key: [who, id, number, began]
parts:
  of: [who, id]
  number: number
  more: {from: cause, among: [partial], why: another part follows}
"""


class Yard:
    """A plant with one source."""

    def __init__(self, home: Path, more: str = "") -> None:
        self.folder, self.home = home / "in", home / "plant"
        self.folder.mkdir(parents=True)
        (self.home / "formats").mkdir(parents=True)
        (self.home / "formats" / "calls.yaml").write_text(FORMAT + more, encoding="utf-8")
        source = f"sources:\n  - {{source: s, folder: {self.folder}, format: calls, whole: {{not_ending: .tmp}}}}\n"
        (self.home / "sources.yaml").write_text(source, encoding="utf-8")
        self.open()

    def open(self) -> None:
        """Open the plant by what its files say now."""
        self.plant = Plant(self.home)
        self.rules = read_rules(self.home)
        self.line = MediationLine(self.plant, self.rules)

    def take(self, lines: list[str], now_ms: int = NOW_MS) -> None:
        name = f"{len(list(self.folder.iterdir()))}.csv"
        (self.folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        self.look(now_ms)

    def look(self, now_ms: int) -> None:
        asyncio.run(self.line.collect(now_ms))
        self.line.decode(now_ms)

    def uses(self) -> list[tuple[str, int, int]]:
        """Who, when it began (seconds), how long; in the order of time."""
        rows = [
            row.record
            for batch in self.plant.work.batches()
            for row in read_batch(self.plant.folder.batch(batch.number))
        ]
        return sorted((row.identity[-4:], row.start_ms // 1_000, row.quantity) for row in rows)

    def records(self) -> list[DetailRecord]:
        batches = self.plant.work.batches()
        return [row.record for each in batches for row in read_batch(self.plant.folder.batch(each.number))]

    def charge(self) -> None:
        """Say that all batches are charged, as posting does."""
        plant = self.plant
        for batch in plant.work.batches(OPEN):
            details: list[tuple[object, ...]] = []
            for row in read_batch(plant.folder.batch(batch.number)):
                said, key = row.record, f"cdr:{batch.number}"
                use = (row.key, said.identity, said.service, said.start_ms, said.quantity)
                details.append((*use, 1, "CNY", said.place.position, key, said.replaces is not None))
            frame = pl.DataFrame(details, schema=DETAILS, orient="row")
            write_details(plant.folder.details(batch.number), frame)
            with plant.commit():
                plant.work.charged(batch.number, len(details))

    def waiting(self) -> list[str]:
        return [each.reason for each in self.plant.suspense.all()]

    def proven(self) -> bool:
        return not any(each.differences for each in Prover(self.plant, self.rules.formats).files())


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path)


RULE = PartsRule(("id",), "number", DropRule("cause", ("partial",), ""))
BEGAN = NOW_MS // 1_000 - 400_000
WHO = "13800138000"


def part(number: int | str, began: int, seconds: int, *, last: bool = False, call: int = 7, who: str = WHO) -> str:
    return f"{who},10086,{call},{number},{BEGAN + began},{seconds},{'released' if last else 'partial'}"


LONG = [part(1, 0, 1800), part(2, 1800, 1800), part(3, 3601, 77, last=True)]


def test_parts_over_files_are_one_call_from_its_beginning(yard: Yard) -> None:
    yard.take([LONG[1]])
    yard.take([LONG[2], part("", 9000, 5, last=True, call=8)])
    assert yard.uses() == [("8000", BEGAN + 9000, 5)], "what is whole does not wait for others"
    assert yard.proven()
    yard.take([LONG[0]])
    assert yard.uses() == [("8000", BEGAN, 3677), ("8000", BEGAN + 9000, 5)]
    assert yard.proven()


def test_a_call_of_three_days_over_the_end_of_a_month_is_one(yard: Yard) -> None:
    parts = [part(number, 10_800 * (number - 1), 10_800, last=number == 24) for number in range(1, 25)]
    for at, line in enumerate(parts):
        yard.take([line], NOW_MS + 47 * HOUR_MS * at)
    assert yard.uses() == [("8000", BEGAN, 259_200)]


def test_a_part_that_comes_twice_is_a_duplicate(yard: Yard) -> None:
    yard.take(LONG[:2])
    yard.take([LONG[0], *LONG[2:]])
    assert yard.uses() == [("8000", BEGAN, 3677)]
    assert [file.duplicates for file in yard.plant.files.all()] == [0, 1]
    assert yard.proven()


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_what_waits_is_seen_and_charged_as_it_is_when_its_time_is_up(yard: Yard, missing: int) -> None:
    there = [line for at, line in enumerate(LONG) if at != missing]
    yard.take(there)
    shown = CliRunner().invoke(app, ["waiting", str(yard.home)]).stdout
    assert f"without {missing + 1}" in shown
    assert "1 calls wait" in shown
    yard.look(NOW_MS + 48 * HOUR_MS - 1)
    assert yard.uses() == []
    yard.look(NOW_MS + 48 * HOUR_MS)
    seconds = 3677 - (1800, 1800, 77)[missing]
    assert [use[2] for use in yard.uses()] == [seconds]
    assert yard.proven()
    # What comes after is known to be late, and waits until it is known what its call was charged as.
    yard.take([LONG[missing]], NOW_MS + 50 * HOUR_MS)
    assert (yard.waiting(), yard.proven()) == (["PART_LATE"], True)
    assert yard.line.recycle("", NOW_MS + 50 * HOUR_MS) == 0
    yard.charge()
    yard.look(NOW_MS + 51 * HOUR_MS)
    assert (yard.waiting(), yard.proven()) == ([], True)
    (call,) = [use for use in yard.records() if use.replaces is not None]
    assert (call.start_ms, call.quantity) == (BEGAN * 1_000, 3677), "it is the whole call"
    began = BEGAN + 1800 * (missing == 0)
    assert call.replaces == ReplacedCharge("cdr:1", began * 1_000, seconds)
    yard.look(NOW_MS + 52 * HOUR_MS)
    assert len(yard.uses()) == 2, "it is made once"


def test_a_second_late_part_replaces_the_call_with_the_first(yard: Yard) -> None:
    yard.take([LONG[0]])
    yard.look(NOW_MS + 48 * HOUR_MS)
    yard.charge()
    yard.take([LONG[2]], NOW_MS + 49 * HOUR_MS)
    yard.charge()
    yard.take([LONG[1]], NOW_MS + 50 * HOUR_MS)
    assert (yard.waiting(), yard.proven()) == ([], True)
    replaced = [(use.replaces.quantity, use.quantity) for use in yard.records() if use.replaces is not None]
    assert replaced == [(1800, 1877), (1877, 3677)]


def test_a_page_may_say_that_a_call_without_all_its_parts_is_for_people(tmp_path: Path) -> None:
    yard = Yard(tmp_path, "  missing: suspend\n  wait_h: 1\n")
    yard.take(LONG[:2])
    yard.look(NOW_MS + HOUR_MS)
    assert (yard.uses(), yard.waiting(), yard.proven()) == ([], ["PARTS_MISSING"], True)
    assert yard.line.recycle("PARTS_MISSING", NOW_MS + HOUR_MS) == 1
    assert yard.uses() == [("8000", BEGAN, 3600)]
    assert yard.proven()
    # What comes late still finds what was charged that way, and the whole has all parts.
    yard.charge()
    yard.take(LONG[2:], NOW_MS + 2 * HOUR_MS)
    (call,) = [use for use in yard.records() if use.replaces is not None]
    assert (call.start_ms, call.quantity) == (BEGAN * 1_000, 3677)
    assert call.replaces == ReplacedCharge("cdr:1", BEGAN * 1_000, 3600)
    assert yard.proven()


def test_a_late_part_waits_for_people_where_its_call_was_charged_as_two(yard: Yard) -> None:
    yard.take([part(1, 0, 60), part(2, 60, 60)])
    yard.look(NOW_MS + 49 * HOUR_MS)
    yard.take([part(3, 150, 60)], NOW_MS + 50 * HOUR_MS)
    page = yard.home / "formats" / "calls.yaml"
    page.write_text(f"{page.read_text('utf-8')}  apart_s: 60\n", encoding="utf-8")
    yard.open()
    yard.look(NOW_MS + 99 * HOUR_MS)
    yard.charge()
    yard.take([part(4, 210, 60, last=True)], NOW_MS + 100 * HOUR_MS)
    yard.look(NOW_MS + 101 * HOUR_MS)
    assert [use for use in yard.records() if use.replaces is not None] == [], "one of the two would be charged again"
    assert (yard.waiting(), yard.proven()) == (["PART_LATE"], True)


def test_a_switch_that_was_started_anew_and_counts_from_the_beginning_makes_other_calls(yard: Yard) -> None:
    again = [part(1, 90_000, 1800), part(2, 91_800, 10, last=True)]
    yard.take([LONG[0], again[1]])
    yard.take([again[0], *LONG[1:]])
    assert yard.uses() == [("8000", BEGAN, 3677), ("8000", BEGAN + 90_000, 1810)]


def test_parts_that_tell_when_their_call_began_are_joined_by_that(tmp_path: Path) -> None:
    yard = Yard(tmp_path, "  starts: call\n")
    yard.take([part(2, 0, 77, last=True), part(1, 0, 1800), part(1, 5000, 3), part(2, 5000, 4, last=True)])
    assert yard.uses() == [("8000", BEGAN, 1877), ("8000", BEGAN + 5000, 7)]


def test_a_part_that_lies_ahead_of_the_clock_joins_its_call_when_its_time_has_come(yard: Yard) -> None:
    ahead = part(3, 403_600, 5, last=True)
    yard.take([part(1, 400_000 - 1800, 1800), part(2, 400_000, 3600), ahead])
    assert yard.waiting() == ["EVENT_TIME_INVALID"]
    assert yard.line.recycle("", NOW_MS + 2 * HOUR_MS) == 1
    assert [use[2] for use in yard.uses()] == [5405]
    assert yard.proven()


def test_the_two_sides_of_a_call_are_two_uses_and_the_same_side_from_two_switches_is_suspected(tmp_path: Path) -> None:
    yard = Yard(tmp_path, "alike: {by: [who, to], within_s: 30}\n")
    yard.take([part("", 0, 60, last=True), part("", 0, 60, last=True, who="13900139000")])
    yard.take([part("", 25, 61, last=True, call=99), part("", 56, 61, last=True, call=100)])
    assert (len(yard.uses()), yard.waiting()) == (3, ["CALL_SUSPECTED"])
    assert yard.proven()
    assert yard.line.recycle("CALL_SUSPECTED", NOW_MS) == 1
    assert len(yard.uses()) == 4


def test_a_name_that_is_used_again_and_again_lets_no_call_wait_for_ever(yard: Yard) -> None:
    for day in range(4):
        yard.take([part(1, 86_400 * day, 60)], NOW_MS + 24 * HOUR_MS * day)
    assert [seconds for _, _, seconds in yard.uses()] == [60, 60], "48 hours after its part came, whatever came since"
    assert yard.proven()


def test_a_part_that_stands_beside_charged_ones_by_a_new_rule_is_charged_when_its_time_is_up(yard: Yard) -> None:
    yard.take([part(1, 0, 60), part(2, 60, 60)])
    yard.look(NOW_MS + 49 * HOUR_MS)
    yard.take([part(3, 150, 60, last=True)], NOW_MS + 50 * HOUR_MS)
    text = (yard.home / "formats" / "calls.yaml").read_text(encoding="utf-8")
    (yard.home / "formats" / "calls.yaml").write_text(f"{text}  apart_s: 60\n", encoding="utf-8")
    yard.rules = read_rules(yard.home)
    yard.line = MediationLine(yard.plant, yard.rules)
    yard.look(NOW_MS + 99 * HOUR_MS)
    assert ([seconds for _, _, seconds in yard.uses()], len(yard.plant.parts.waiting())) == ([120, 60], 0)
    assert yard.proven()


def test_a_call_that_is_in_no_batch_is_missed_by_the_proof(yard: Yard) -> None:
    yard.take(LONG)
    (batch,) = yard.plant.work.batches()
    write_batch(yard.plant.folder.batch(batch.number), [])
    assert not yard.proven()


def test_a_corrected_record_on_another_day_is_a_conflict(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    text = (yard.home / "formats" / "calls.yaml").read_text(encoding="utf-8")
    (yard.home / "formats" / "calls.yaml").write_text(text.replace(", number, began]", ", number]"), encoding="utf-8")
    yard.line = MediationLine(yard.plant, read_rules(yard.home))
    yard.take([part("", 0, 60, last=True)])
    yard.take([part("", -200_000, 60, last=True)])
    assert yard.waiting() == ["RECORD_CONFLICT"]


@pytest.mark.parametrize("step", ["work.add", "parts.keep", "likeness.add", "suspense.keep", "files.decoded"])
def test_whoever_is_killed_in_a_commit_begins_again_and_ends_where_he_would_have(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def kill(*_: object, **__: object) -> None:
        raise Killed

    more = "alike: {by: [who, to]}\n"
    yard = Yard(tmp_path, more)
    yard.take([LONG[0], LONG[2]])
    book, name = step.split(".")
    with monkeypatch.context() as patch:
        patch.setattr(getattr(yard.plant, book), name, kill)
        with pytest.raises(Killed):
            yard.take([LONG[1], part("", 9000, 5, last=True, call=8), "nonsense"])
    yard.plant.close()
    yard.plant = Plant(yard.home)
    yard.plant.remove_unnamed()
    yard.line = MediationLine(yard.plant, yard.rules)
    assert (yard.uses(), len(yard.plant.parts.waiting())) == ([], 2)
    yard.look(NOW_MS)
    yard.look(NOW_MS)
    assert yard.uses() == [("8000", BEGAN, 3677), ("8000", BEGAN + 9000, 5)]
    assert (yard.waiting(), yard.proven()) == (["RECORD_MALFORMED"], True)


class Book:
    """Only the book of parts, in memory: what files bring is handed to the assembler."""

    def __init__(self) -> None:
        self.book = PartBook(PlantBase(Path(":memory:")))
        self.assembler = CallAssembler(self.book)
        self.uses: list[tuple[int, int]] = []
        self.late = 0
        self._files = 0

    def take(self, parts: list[tuple[CallPart, int]]) -> None:
        self._files += 1
        rows = [
            KeyedRecord(
                msgspec.msgpack.encode((part, began)),
                DetailRecord("", "voice", began, 100, "", "", "", (), RecordPlace(at, b""), part),
            )
            for at, (part, began) in enumerate(parts)
        ]
        made = self.assembler.take(rows, str(self._files), self._files, RULE, 0)
        self.book.keep(made.parts)
        self.uses += [(row.record.start_ms, row.record.quantity) for row in made.uses]
        self.late += len(made.late)


@given(st.data())
@settings(deadline=None)
def test_any_order_and_any_split_over_files_is_one_pass(data: st.DataObject) -> None:
    parts: list[tuple[CallPart, int]] = []
    wanted: list[tuple[int, int]] = []
    for call in range(data.draw(st.integers(1, 4))):
        count, began = data.draw(st.integers(1, 5)), 50_000_000 * call
        chain = b"used again" if data.draw(st.booleans()) else bytes([call])
        numbers = range(1, count + 1)
        parts += [(CallPart(chain, number, number < count), began + 100_000 * (number - 1)) for number in numbers]
        wanted.append((began, 100 * count))
    mixed = data.draw(st.permutations(parts))
    book = Book()
    while mixed:
        size = data.draw(st.integers(1, len(mixed)))
        book.take(mixed[:size])
        mixed = mixed[size:]
    assert (sorted(book.uses), book.late) == (sorted(wanted), 0)
