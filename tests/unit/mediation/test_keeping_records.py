"""Records of a plant are removed by rule: what became of them is still proved, and what comes again is known."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.frontend.mediating import app
from mediation.keeping import PlantKeeper
from mediation.plant.batches import read_batch
from mediation.plant.plant import Plant
from mediation.proving import Prover
from tests.unit.mediation.test_assembling import HOUR_MS, LONG, NOW_MS, Yard, part

SHORT = part("", 9000, 5, last=True, call=8)
OTHERS = part("", 9000, 7, last=True, call=9, who="13900139000")
ME, SHE = "msisdn:8613800138000", "msisdn:8613900139000"


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    """Two files whose records are charged, and one that waits for a part."""
    made = Yard(tmp_path)
    source = made.home / "sources.yaml"
    backup = f"format: calls, backup: {tmp_path / 'second'}"
    source.write_text(source.read_text("utf-8").replace("format: calls", backup), "utf-8")
    made.open()
    made.take([SHORT, *LONG])
    made.take([OTHERS], NOW_MS + HOUR_MS)
    made.charge()
    made.take([part(1, 20_000, 1800, call=11)], NOW_MS + 2 * HOUR_MS)
    return made


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".run")


def test_what_was_kept_long_enough_goes_and_its_numbers_and_keys_stay(yard: Yard, tmp_path: Path) -> None:
    keeper = PlantKeeper(yard.plant, yard.rules)
    assert keeper.keep(1, NOW_MS + 24 * HOUR_MS).files == 0
    done = keeper.keep(1, NOW_MS + 25 * HOUR_MS)
    assert (done.files, done.records, done.left) == (1, 4, ())
    proofs = list(Prover(yard.plant, yard.rules.formats).files())
    assert [each.differences for each in proofs] == [(), (), ()]
    assert (proofs[0].removed, proofs[0].records, proofs[0].charged, proofs[0].joined) == ("kept long enough", 4, 2, 2)
    assert len(list((tmp_path / "second").rglob("*.csv"))) == 2, "its second copy, too"
    # What comes again is a duplicate, and known to be one.
    yard.take([SHORT, part("", 9001, 5, last=True, call=8)], NOW_MS + 26 * HOUR_MS)
    yard.charge()
    assert [file.duplicates for file in yard.plant.files.all()] == [0, 0, 0, 1]
    assert yard.proven()
    assert keeper.keep(1, NOW_MS + 25 * HOUR_MS).files == 0, "once"


def test_a_charged_call_stays_while_a_late_part_of_it_waits(yard: Yard) -> None:
    late, keeper = part(2, 12_060, 60, last=True, call=12), PlantKeeper(yard.plant, yard.rules)
    yard.take([part(1, 12_000, 60, call=12)], NOW_MS + 3 * HOUR_MS)
    yard.look(NOW_MS + 99 * HOUR_MS)
    yard.take([late], NOW_MS + 100 * HOUR_MS)
    assert yard.waiting() == ["PART_LATE"]
    yard.charge()
    assert keeper.keep(1, NOW_MS + 99 * HOUR_MS).left == ("3.csv",)
    yard.look(NOW_MS + 101 * HOUR_MS)
    (call,) = read_batch(yard.plant.folder.batch(yard.plant.work.next_number() - 1))
    assert (call.record.quantity, yard.waiting()) == (120, [])
    yard.charge()
    assert keeper.keep(1, NOW_MS + 200 * HOUR_MS).left == ()


def test_a_rule_that_was_killed_after_its_commit_is_finished_by_the_next(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(Plant, "remove_unnamed", lambda _: 1 / 0 if yard.plant.removed.all() else 0)
        with pytest.raises(ZeroDivisionError):
            PlantKeeper(yard.plant, yard.rules).keep(1, NOW_MS + 25 * HOUR_MS)
    assert yard.proven()
    assert b"13800138000" in bytes_of(yard.home / "landing")
    PlantKeeper(yard.plant, yard.rules).keep(9, NOW_MS)
    assert yard.proven()
    assert bytes_of(yard.home / "landing").count(b"13800138000") == 1, "what waits for a part is there"


def test_somebodys_records_are_erased_but_not_what_waits(yard: Yard, tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["erase", str(yard.home), SHE[9:]]).exit_code == 2, "which country's is it?"
    she, me = (CliRunner().invoke(app, ["erase", str(yard.home), who]) for who in ("+86 139 0013 9000", ME))
    assert she.exit_code == 0
    assert "1 records of 1 files removed" in she.output
    assert me.exit_code == 1
    assert "is not settled" in me.output
    for folder in (yard.home, tmp_path / "second"):
        assert SHE[9:].encode() not in bytes_of(folder)
    assert yard.proven()
    yard.look(NOW_MS + 60 * HOUR_MS)
    yard.charge()
    assert CliRunner().invoke(app, ["erase", str(yard.home), ME]).exit_code == 0
    for folder in (yard.home, tmp_path / "second"):
        assert ME[9:].encode() not in bytes_of(folder)
    assert "erased" in CliRunner().invoke(app, ["proof", str(yard.home)]).output
