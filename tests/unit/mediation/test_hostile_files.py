"""Files that want to stop the line or be charged twice: each harms its own records at most."""

import asyncio
import json
import os
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.frontend.mediating import app
from mediation.line import MediationLine, read_rules
from mediation.plant.batches import read_uses
from mediation.plant.plant import Plant
from mediation.plant.suspense import Suspended
from mediation.plant.work import OPEN
from mediation.posting.shares import BatchUses
from runtime.durable import only_writer

NOW_MS = 1_795_680_000_000
FORMAT = """
format: lines
about: Uses of data, one JSON object a line.
records: {layout: jsonlines}
identity: {from: who, read: {type: number, country: CN}}
service: {value: data}
start: {from: at, read: {type: time, pattern: epoch_ms}}
quantity: {from: bytes, read: {type: integer}}
other_party: {from: other, empty: ""}
attributes: {apn: {from: apn, empty: ""}}
key: [id]
"""


class Yard:
    """A plant and the folder of its one source."""

    def __init__(self, home: Path, whole: str) -> None:
        self.folder, self.home = home / "in", home / "plant"
        self.folder.mkdir()
        (self.home / "formats").mkdir(parents=True)
        (self.home / "formats" / "lines.yaml").write_text(FORMAT, encoding="utf-8")
        source = f"sources:\n  - {{source: s, folder: {self.folder}, format: lines, whole: {{{whole}}}}}\n"
        (self.home / "sources.yaml").write_text(source, encoding="utf-8")
        self.plant = Plant(self.home)
        self.line = MediationLine(self.plant, read_rules(self.home))

    def pass_(self, now_ms: int = NOW_MS) -> list[Suspended]:
        asyncio.run(self.line.collect(now_ms))
        self.line.decode(now_ms)
        return list(self.plant.suspense.all())

    def batches(self) -> list[int]:
        return [batch.records for batch in self.plant.work.batches(OPEN)]


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path, "not_ending: .tmp")


def use(serial: int, at_ms: int = NOW_MS - 1_000, other: str = "", apn: str = "") -> str:
    given = {"who": "8613900284246", "at": at_ms, "bytes": 5, "id": serial, "other": other, "apn": apn}
    return json.dumps(given) + "\n"


def test_a_name_in_another_encoding_stops_no_other_file(yard: Yard) -> None:
    Path(os.fsdecode(os.fsencode(yard.folder) + b"/\xba\xc5.json")).write_text(use(1), encoding="utf-8")
    (yard.folder / "good.json").write_text(use(2), encoding="utf-8")
    assert yard.pass_() == []
    assert sorted(file.name for file in yard.plant.files.all()) == ["\\xba\\xc5.json", "good.json"]
    assert yard.batches() == [1, 1]
    assert yard.pass_() == []
    assert yard.batches() == [1, 1], "it is known again under that name"


@pytest.mark.parametrize("at_ms", [253_402_300_800_000, 9_000_000_000_000_000])
def test_a_year_that_no_calendar_has_harms_its_own_record(yard: Yard, at_ms: int) -> None:
    (yard.folder / "1").write_text(use(1, at_ms) + use(2), encoding="utf-8")
    assert [each.reason for each in yard.pass_()] == ["FIELD_UNREADABLE"]
    assert yard.batches() == [1]


@pytest.mark.parametrize(("other", "apn"), [("a\0b", ""), ("x" * 250, ""), ("?!", ""), ("", "a\0b")])
def test_what_the_front_door_takes_of_no_use_is_not_sent_with_others(yard: Yard, other: str, apn: str) -> None:
    (yard.folder / "1").write_text(use(1, other=other, apn=apn) + use(2, other="10086"), encoding="utf-8")
    assert [each.reason for each in yard.pass_()] == ["FIELD_UNREADABLE"]
    assert yard.batches() == [1]


def test_what_began_later_than_now_is_in_no_batch_so_a_batch_that_is_sent_again_is_the_same(yard: Yard) -> None:
    later_ms = NOW_MS + 60_000
    (yard.folder / "1").write_text(use(1) + use(2, later_ms), encoding="utf-8")
    assert [each.reason for each in yard.pass_()] == ["EVENT_TIME_INVALID"]
    (batch,) = yard.plant.work.batches(OPEN)
    uses = BatchUses(read_uses(yard.plant.folder.batch(batch.number)))
    ((share,),) = uses.turns()
    assert uses.frame["position"][share.begin : share.end].to_list() == [1]
    assert yard.line.recycle("", later_ms - 1) == 0, "it is still ahead"
    assert yard.line.recycle("", later_ms) == 1
    assert yard.batches() == [1, 1]


def test_what_may_be_charged_already_is_never_tried_again_by_itself(yard: Yard) -> None:
    (yard.folder / "1").write_text(use(1, NOW_MS + 1), encoding="utf-8")
    (row,) = yard.pass_()
    never = ("BATCH_TAKEN", "REQUEST_KEY_REUSED", "RECORD_CONFLICT", "OUTCOME_UNREADABLE")
    for reason in (*never, "ANSWER_MALFORMED", "ANSWER_UNEXPECTED", "UNKNOWN", "INTERNAL"):
        with yard.plant.commit():
            yard.plant.suspense.keep([Suspended(row.digest, 1, reason, "", row.raw, row.key, row.record, NOW_MS)])
        assert yard.line.recycle("", NOW_MS + 5) == 0
        assert yard.line.recycle(reason, NOW_MS) == 0, "it is still ahead"
    assert yard.line.recycle("INTERNAL", NOW_MS + 5) == 1, "a person has looked"


def test_a_clock_that_was_put_back_makes_no_file_wait_for_the_old_time(tmp_path: Path) -> None:
    yard = Yard(tmp_path, "quiet_s: 60")
    (yard.folder / "1").write_text(use(1, 1), encoding="utf-8")
    back_ms = NOW_MS - 3_600_000
    for now_ms in (NOW_MS, back_ms):
        yard.pass_(now_ms)
        assert yard.batches() == []
    yard.pass_(back_ms + 60_000)
    assert yard.batches() == [1]


def test_a_file_all_of_whose_records_wait_takes_no_number_from_the_next(yard: Yard) -> None:
    (yard.folder / "1").write_text(use(1, NOW_MS + 60_000), encoding="utf-8")
    assert [each.reason for each in yard.pass_()] == ["EVENT_TIME_INVALID"]
    (yard.folder / "2").write_text(use(2), encoding="utf-8")
    yard.pass_()
    assert yard.batches() == [1]
    yard.line.recycle("", NOW_MS + 60_000)
    assert yard.batches() == [1, 1]


def test_batches_are_numbered_one_after_the_other_whatever_files_of_keys_are_called(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mediation.plant.known.token_hex", lambda octets: "9" * 2 * octets)
    for serial in range(3):
        at_ms = NOW_MS - 1_000 - serial * 86_400_000
        (yard.folder / str(serial)).write_text(use(serial, at_ms), encoding="utf-8")
        yard.pass_()
    assert [batch.number for batch in yard.plant.work.batches()] == [1, 2, 3], "an account counts up to 2^63"


def test_a_second_line_of_a_plant_is_refused_while_one_writes(yard: Yard) -> None:
    """It would remove what the first has landed and not committed yet, and give its batches the same numbers."""
    landed = yard.plant.folder.landed("ab" * 32)
    landed.parent.mkdir(parents=True)
    landed.write_bytes(b"on its way")
    with only_writer(yard.home):
        for asked in (["run"], ["recycle"]):
            result = CliRunner().invoke(app, [*asked, str(yard.home), "--endpoint", "127.0.0.1:9"])
            assert (result.exit_code, "another process writes" in result.output) == (1, True), result.output
    assert landed.exists()


def test_a_line_that_follows_its_sources_goes_on_when_another_wrote_meanwhile(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []
    turns: list[AbstractContextManager[None]] = []

    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        """The other begins to write after the first look, and has ended after the second."""
        if seconds != 77.0:  # Somebody else's, who waits to be connected.
            await real(seconds)
            return
        looks.append("looked")
        if len(looks) == 3:
            raise KeyboardInterrupt
        if turns:
            turns.pop().__exit__(None, None, None)
        else:
            turns.append(only_writer(yard.home))
            turns[0].__enter__()

    monkeypatch.setattr("console.frontend.mediating.asyncio.sleep", sleep)
    result = CliRunner().invoke(app, ["run", str(yard.home), "--follow", "--every", "77", "--endpoint", "127.0.0.1:9"])
    assert (result.output.count("files taken"), result.output.count("another process writes")) == (2, 1), result.output
