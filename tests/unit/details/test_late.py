"""Who has late usage is found in the details, and waits until it was rated."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from charging.base.lateness import LATE_MS_MAX
from charging.base.localtime import LocalTime
from console.frontend.mediating import app
from details import keeping
from details.late import LATE_MS, LateBook, LateUsage
from details.rows import GROUP_PLACES, StoredUsage
from details.store import DetailStore
from evidence.keys import fresh_ring
from mediation.gathering import JournalPlace
from mediation.rerating.freezing import Freezer
from mediation.rerating.job import AccountOutcome, RerateJob
from mediation.rerating.latecomers import note
from mediation.rerating.rows import NamedRows
from mediation.rerating.tariffs import Tariffs
from mediation.rerating.units import Doer, RerateUnit, UnitOutcome
from onetier_client import AsyncClient
from tests.unit.details.test_store import ALICE, BEGIN_MS, BOB, DAY_MS, ZONE, row


def late(seq: int, account: str, kind: str = "late", after_ms: int = LATE_MS + 1) -> StoredUsage:
    made = row(seq, account, amount=0 if kind == "late" else 10)
    return replace(made, usage=replace(made.usage, kind=kind, time_ms=BEGIN_MS + after_ms))


def filled(home: Path) -> DetailStore:
    store = DetailStore(home)
    rows = [late(1, ALICE), late(2, BOB, "charge"), late(3, "GD/0:carol", "charge", LATE_MS), late(4, ALICE)]
    store.take("GD/0", ZONE, rows, 4)
    return store


def test_who_waits_is_found_once_and_waits_until_it_was_rated(tmp_path: Path) -> None:
    store = filled(tmp_path / "one")
    book = LateBook(store)
    book.find("GD/0")
    alice, bob = book.waiting()
    assert (alice.account_id, alice.set_aside, alice.position) == (ALICE, True, 4 * GROUP_PLACES)
    assert (bob.account_id, bob.set_aside) == (BOB, False)
    book.rated(bob)
    book.find("GD/0")
    assert [each.account_id for each in book.waiting()] == [ALICE], "what was seen is not looked at again"
    # What comes while the account is rated waits on.
    store.take("GD/0", ZONE, [late(5, ALICE)], 5)
    book.find("GD/0")
    book.rated(alice)
    (again,) = book.waiting("GD/0")
    assert again.position == 5 * GROUP_PLACES
    store.close()


def test_what_was_charged_so_late_that_it_counts_for_nothing_keeps_nobody_waiting(tmp_path: Path) -> None:
    store = DetailStore(tmp_path / "one")
    bob = [late(1, BOB, "charge", LATE_MS_MAX + 1), late(2, BOB, "charge", LATE_MS_MAX)]
    store.take("GD/0", ZONE, [late(0, ALICE, "charge", 400 * DAY_MS), *bob], 2)
    book = LateBook(store)
    book.find("GD/0")
    assert [(each.account_id, each.position) for each in book.waiting()] == [(BOB, 2 * GROUP_PLACES)]
    store.close()


def test_whoever_could_not_be_rated_waits_on_with_the_reason(tmp_path: Path) -> None:
    store = filled(tmp_path / "one")
    book = LateBook(store)
    book.find("GD/0")
    alice, bob = book.waiting()
    note(book, alice, AccountOutcome(ALICE, "left out", reason="INSUFFICIENT_FUNDS", why="5 are missing"))
    note(book, bob, AccountOutcome(BOB, "restated", unrated="CATALOGUE_MISSING"))
    assert [each.reason for each in book.waiting()] == ["INSUFFICIENT_FUNDS", "CATALOGUE_MISSING"]
    shown = CliRunner().invoke(app, ["late", str(store.home)]).output
    assert "INSUFFICIENT_FUNDS: 5 are missing" in shown
    assert "2 accounts wait" in shown
    note(book, alice, AccountOutcome(ALICE, "restated"))
    note(book, bob, AccountOutcome(BOB, "restated", unrated="PART_GIVEN_BACK"))
    assert book.waiting() == []
    store.close()


def test_a_rule_that_takes_what_prices_need_is_known(tmp_path: Path) -> None:
    store = filled(tmp_path / "one")
    assert keeping.lacking(store, "GD/0") == ""
    keeping.erase(store, BOB)
    assert keeping.lacking(store, "GD/0") == "", "an account that was erased has no rows at all"
    keeping.hide_parties_before(store, "99990101")
    assert keeping.lacking(store, "GD/0") == "20241004"
    store.lacks_before("GD/0", ZONE, BEGIN_MS + 3 * DAY_MS)
    assert keeping.lacking(store, "GD/0") == "20241007"
    assert keeping.lacking(store, "GD/1") == ""
    store.close()


async def test_details_that_one_account_lacks_leave_no_other_out(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    async def rated(_: Doer, unit: RerateUnit) -> UnitOutcome:
        done.extend(unit.accounts)
        return UnitOutcome(tuple(AccountOutcome(name, "same") for name in unit.accounts))

    monkeypatch.setattr(Doer, "_done", rated)
    client = AsyncClient(["127.0.0.1:1"])
    doer = Doer(Freezer(NamedRows(Path(), (), -1, fresh_ring()), client), client, Tariffs({}, "d"))
    local, month = LocalTime(ZONE), 2026 * 12 + 5
    began = {ALICE: "2026-07-03T00:00:00", BOB: "2026-09-03T00:00:00"}
    waits = {who: LateUsage("GD/0", who, local.moment_ms(text), 1, set_aside=True) for who, text in began.items()}
    job = RerateJob(1, month, "late", (ALICE, BOB), waits)
    unit = RerateUnit(job, JournalPlace("GD/0", "", ZONE), (ALICE, BOB), "d", lacking="20260630")
    outcome = await doer.done(unit)
    assert [(each.account_id, each.reason) for each in outcome.accounts] == [(ALICE, "DETAILS_INCOMPLETE"), (BOB, "")]
    assert done == [BOB]
    outcome = await doer.done(replace(unit, job=replace(job, late={})))
    assert [each.reason for each in outcome.accounts] == ["DETAILS_INCOMPLETE"] * 2
