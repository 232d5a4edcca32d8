"""Backups of books: written once, held to the run that names them, and to what the journal moved since."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import Raw, msgpack
from msgspec.structs import replace

from audit.backups import AccountHeld, BackupCheck, BookHeld, read_backups, write_backup
from business.billing.events import RunOpened
from business.billing.kind import subject_of
from business.billing.periods import Period
from business.billing.runs import Run
from charging.base.account import Account
from charging.ledger.entry import Entry
from testkit.ledger import DAY_MS
from tests.unit.charging.test_staging import A, owing, top_up

PERIOD = Period(2026 * 12 + 11, 1)


def held(account: Account) -> AccountHeld:
    books = tuple([BookHeld(book.book_id, book.unit, book.amount) for book in account.books])
    return AccountHeld(account.account_id, account.version, books)


def opened(digest: str) -> Entry:
    """Give the entry of a run that was opened with a backup."""
    run = Run(PERIOD, "staged", "open", 0, 9, opened_ms=1, backup=digest)
    fact = Raw(msgpack.encode(RunOpened(run)))
    return Entry(subject_of("GD/0"), "run", b"", 1, 0, 1, "open_bill_run", "", "", "", (), Raw(b"\xc0"), facts=(fact,))


def differences(
    folder: Path, bend: Callable[[AccountHeld], AccountHeld] = lambda row: row, digest: str = ""
) -> list[str]:
    """Back up an account in the middle of its life, and hold the end of it against that."""
    desk = owing(0, money=50)
    row = bend(held(desk.accounts[A]))
    path, made = write_backup(folder, "GD/0", str(PERIOD), [row], desk.now_ms)
    assert path.stat().st_mode & 0o222 == 0
    desk.do(A, top_up(0 + 20))
    desk.do(A, replace(top_up(7), stage=0))
    check = BackupCheck("GD/0", read_backups(folder, "GD/0"))
    check.note_runs(opened(digest or made))
    for entry in desk.journals[A]:
        check.note(entry)
    return list(check.finish({A: desk.accounts[A]}))


def test_books_are_what_the_backup_has_and_the_journal_moved_since(tmp_path: Path) -> None:
    assert differences(tmp_path) == []


@pytest.mark.parametrize(
    ("bend", "told"),
    [
        (lambda row: replace(row, books=(BookHeld("main", "money", 49),)), "book main holds 57, the backup"),
        (lambda row: replace(row, version=99), "has it at version 99, in the journal it is at version"),
        (lambda row: replace(row, account_id="msisdn:nobody"), "in the journal it is not there"),
    ],
)
def test_any_other_book_version_or_account_is_told(
    tmp_path: Path, bend: Callable[[AccountHeld], AccountHeld], told: str
) -> None:
    assert any(told in each for each in differences(tmp_path, bend))


@pytest.mark.parametrize(("begun", "left_out"), [(0, False), (DAY_MS, True)])
def test_an_account_that_was_there_when_a_backup_was_begun_and_is_not_in_it_is_told(
    tmp_path: Path, begun: int, left_out: bool
) -> None:
    desk = owing(0, money=50)
    _, made = write_backup(tmp_path, "GD/0", str(PERIOD), [], desk.now_ms + begun)
    check = BackupCheck("GD/0", read_backups(tmp_path, "GD/0"))
    check.note_runs(opened(made))
    for entry in desk.journals[A]:
        check.note(entry)
    told = list(check.finish({A: desk.accounts[A]}))
    assert [A in each and "leaves it out" in each for each in told] == [True] * left_out


def test_a_backup_that_no_run_names_and_one_that_is_missing_are_told(tmp_path: Path) -> None:
    found = differences(tmp_path, digest="0" * 64)
    assert any("no run was opened with the backup" in each for each in found)
    assert any(f"the run of {PERIOD} was opened with is missing" in each for each in found)


def test_nothing_is_written_over(tmp_path: Path) -> None:
    first, _ = write_backup(tmp_path, "GD/0", str(PERIOD), [], 0)
    second, _ = write_backup(tmp_path, "GD/0", str(PERIOD), [], 0)
    assert first != second
    assert [each.name for each in read_backups(tmp_path, "GD/0")] == sorted([first.name, second.name])
