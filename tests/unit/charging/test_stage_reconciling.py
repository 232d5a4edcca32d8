"""What came into the stages of an account is what was replayed and what waits: any other journal is told."""

from msgspec.structs import replace

from charging.ledger import auditing
from charging.ledger.commands.replay_staged import ReplayStaged
from charging.ledger.entry import Entry
from charging.ledger.staging import MoneyReplayed, MoneyStaged
from tests.unit.charging.test_staging import EVER, A, owing, pay, top_up


def a_journal() -> list[Entry]:
    desk = owing(60)
    desk.do(A, top_up(20))
    desk.do(A, pay(70))
    desk.do(A, ReplayStaged(EVER))
    desk.do(A, top_up(5))
    return desk.journals[A]


def audit(entries: list[Entry]) -> auditing.Audit:
    following = auditing.Audit(A)
    for entry in entries:
        following.add(entry)
    return following


def test_stage_in_is_what_was_replayed_and_what_waits() -> None:
    following = audit(a_journal())
    assert following.findings == []
    assert (following.stages.staged, following.stages.replayed, following.stages.waiting) == (95, 90, 5)


def test_what_is_replayed_twice_is_told() -> None:
    entries = a_journal()
    replay = next(entry for entry in entries if isinstance(entry.events[0], MoneyReplayed))
    again = replace(replay, key="again", version=entries[-1].version + 1)
    assert any("which are not staged" in each for each in audit([*entries, again]).findings)


def test_what_is_staged_and_comes_in_otherwise_is_told() -> None:
    entries = a_journal()
    at = next(at for at, entry in enumerate(entries) if isinstance(entry.events[0], MoneyReplayed))
    first = entries[at].events[0]
    assert isinstance(first, MoneyReplayed)
    other = replace(first, row=replace(first.row, amount=first.row.amount + 1))
    entries[at] = replace(entries[at], events=(other, *entries[at].events[1:]))
    told = audit(entries).findings
    assert any("which are not staged" in each for each in told)
    assert any("postings of" in each and "do not add up to zero" in each for each in told)


def test_a_stage_that_loses_a_row_is_told() -> None:
    entries = a_journal()
    at = next(at for at, entry in enumerate(entries) if isinstance(entry.events[0], MoneyStaged))
    staged = entries[at]
    entries[at] = replace(staged, events=staged.events[1:])
    assert any("staged" in each for each in audit(entries).findings)
