"""Rules on details: joined, thinned out, dropped and erased, each noted, and nothing else lost."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from console.frontend.mediating import app as mediating
from console.operations.detailing import app as detailing
from console.report import major
from details import keeping
from details.checking import check_parts
from details.parts import frame_of, written
from details.store import DetailAsk, DetailStore
from details.sums import export, sums
from evidence.keyfile import add_key
from runtime.durable import only_writer
from tests.unit.details.test_store import ALICE, BEGIN_MS, BOB, DAY_MS, ZONE, row


def filled(home: Path) -> DetailStore:
    """Twelve rows by six commits: two accounts, three days."""
    store = DetailStore(home)
    for seq in range(0, 12, 2):
        at = BEGIN_MS + (seq % 3) * DAY_MS
        store.take("GD/0", ZONE, [row(seq, ALICE, at), row(seq + 1, BOB, at, 7, "sms")], seq + 1)
    return store


def keys(store: DetailStore, account: str) -> list[str]:
    return sorted(row.usage.key for row in store.page(DetailAsk(account), 100).rows)


def test_files_of_a_day_are_joined_and_say_the_same(tmp_path: Path) -> None:
    store = filled(tmp_path)
    before = keys(store, ALICE), keys(store, BOB), sums(store, ["service"]).rows()
    assert keeping.compact(store, 1).parts == 6
    assert len(store.manifest.parts()) == 3
    assert store.remove_unnamed() == 6
    assert (keys(store, ALICE), keys(store, BOB), sums(store, ["service"]).rows()) == before
    assert list(check_parts(store)) == []
    store.close()


def test_an_erased_account_is_gone_for_ever_and_what_was_removed_is_noted(tmp_path: Path) -> None:
    store = filled(tmp_path)
    assert keeping.erase(store, BOB).rows == 6
    store.take("GD/0", ZONE, [row(99, BOB)], 99)
    assert (keys(store, BOB), len(keys(store, ALICE))) == ([], 6)
    gone = store.manifest.removed()
    assert (sum(each.rows for each in gone), sum(each.amounts["CNY"] for each in gone)) == (6, 42)
    assert list(check_parts(store)) == []
    store.close()


def test_old_days_forget_parties_first_and_are_dropped_then(tmp_path: Path) -> None:
    store = filled(tmp_path)
    days = sorted({part.day for part in store.manifest.parts()})
    assert keeping.hide_parties_before(store, days[1]).rows == 4
    assert keeping.hide_parties_before(store, days[1]).rows == 0
    told = {(row.usage.usage.other_party, row.usage.amount) for row in store.page(DetailAsk(ALICE), 100).rows}
    assert told == {("", 10), ("8613800000000", 10)}
    assert keeping.drop_before(store, days[1]).rows == 4
    assert len(keys(store, ALICE)) == 4
    store.close()


def test_what_was_changed_behind_its_back_is_told(tmp_path: Path) -> None:
    store = filled(tmp_path)
    one, other = store.manifest.parts()[:2]
    (store.home / one.name).write_bytes(b"nothing")
    (store.home / other.name).unlink()
    wrong = list(check_parts(store))
    assert [text.partition(":")[0] for text in wrong] == [one.name, other.name]
    store.close()


def test_sums_are_apart_by_what_is_asked_for_and_files_have_all_rows(tmp_path: Path) -> None:
    store = filled(tmp_path)
    assert sums(store, ["region", "service"]).rows() == [
        ("GD", "sms", "CNY", 6, 360, 42),
        ("GD", "voice", "CNY", 6, 360, 60),
    ]
    out = tmp_path / "out.csv"
    assert export(store, out, ALICE, "", "99999999", masked=True) == 6
    text = out.read_text()
    assert "8613800000000" not in text
    assert "861****0000" in text
    assert len(text.splitlines()) == 7
    store.close()


@pytest.mark.parametrize("asked", [["keep", "--days", "9"], ["erase", ALICE]])
def test_rules_wait_until_nobody_gathers_since_they_remove_files_that_no_commit_names(
    tmp_path: Path, asked: list[str]
) -> None:
    store = DetailStore(tmp_path)
    store.put("GD/0", "20241004", written(frame_of([row(1)])))
    with only_writer(tmp_path):
        result = CliRunner().invoke(detailing, [asked[0], str(tmp_path), *asked[1:]])
    assert result.exit_code == 1, result.output
    assert len(list(tmp_path.rglob("*.parquet"))) == 1
    store.close()


@pytest.mark.parametrize(
    ("app", "words"),
    [(detailing, ["gather"]), (mediating, ["rerate", "--cycle", "2026-10", "--reason", "x"])],
)
def test_two_that_gather_keep_no_row_twice_so_a_job_of_rating_waits_too(
    tmp_path: Path, app: typer.Typer, words: list[str]
) -> None:
    add_key(tmp_path / "chain.keys")
    where = ["--directory", f"sqlite:{tmp_path}/none", "--keys", str(tmp_path / "chain.keys")]
    with only_writer(tmp_path):
        result = CliRunner().invoke(app, [*words, *where, str(tmp_path)])
    assert (result.exit_code, "another process writes" in result.output) == (1, True), result.output


def test_a_bills_line_is_told_by_the_rows_behind_it_with_their_sum(tmp_path: Path) -> None:
    store = filled(tmp_path)
    rows = store.page(DetailAsk(ALICE), 100).rows
    store.close()
    asked = ["line", str(tmp_path), ALICE, "2024-10", "--zone", ZONE]
    told = CliRunner().invoke(detailing, asked).output
    (item,) = {each.effect.item for each in rows}
    assert f"{item}: {major(sum(each.usage.amount for each in rows))} of {len(rows)} rows" in told
    assert all(each.usage.key in told for each in rows)
    assert "no rows" in CliRunner().invoke(detailing, [*asked, "--item", "nothing"]).output
    lines = CliRunner().invoke(detailing, [*asked, "--json"]).output.splitlines()
    assert len(lines) == len(rows)
